//! Observations by size.

/// Observations, counted by the smallest of `N` upper bounds that holds them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Histogram<const N: usize> {
    /// In ascending order.
    bounds: &'static [f64; N],
    counts: [u64; N],
    count: u64,
    sum: f64,
}

impl<const N: usize> Histogram<N> {
    /// One without observations.
    pub(crate) fn new(bounds: &'static [f64; N]) -> Self {
        Self { bounds, counts: [0; N], count: 0, sum: 0.0 }
    }

    /// Takes over an observation.
    pub(crate) fn observe(&mut self, value: f64) {
        let mut counts = self.bounds.iter().zip(&mut self.counts);
        if let Some((_, count)) = counts.find(|(bound, _)| value <= **bound) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.sum += value;
    }

    /// How many observations there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// All of them added up.
    pub(crate) fn sum(&self) -> f64 {
        self.sum
    }

    /// Returns each bound with the number of observations that were at most as large.
    pub(crate) fn buckets(&self) -> [(f64, u64); N] {
        let mut sum: u64 = 0;
        let mut counts = self.bounds.iter().zip(self.counts);
        std::array::from_fn(|_| {
            let (bound, count) = counts.next().unwrap_or((&f64::INFINITY, 0));
            sum = sum.saturating_add(count);
            (*bound, sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_in_every_bucket_that_is_large_enough() {
        let mut histogram = Histogram::new(&[0.5, 1.0, 2.0]);
        for value in [0.25, 1.0, 1.5, 4.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets(), [(0.5, 1), (1.0, 2), (2.0, 3)]);
        assert_eq!((histogram.count(), histogram.sum()), (4, 6.75));
    }
}
