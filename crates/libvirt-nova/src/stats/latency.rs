//! How long a disk's requests take: the fields `latency_histogram` of libvirt 12.1.

use std::{collections::BTreeMap, time::Duration};

use super::indexed;

/// How many requests of a kind took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LatencyHistogram {
    /// `read`, `write`, `zone_append` or `flush`.
    pub(crate) operation: &'static str,
    bins: BTreeMap<u32, Bin>,
}

/// The requests that took at least so long, and less than those of the next bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bin {
    start: Option<Duration>,
    requests: Option<u64>,
}

impl LatencyHistogram {
    /// Takes `OPERATION.bin.…`; returns whether it is known.
    pub(super) fn take(histograms: &mut Vec<Self>, field: &str, number: Option<u64>) -> bool {
        let Some((operation, rest)) = field.split_once('.') else { return false };
        let Some(operation) = OPERATIONS.into_iter().find(|known| *known == operation) else {
            return false;
        };
        let Some(rest) = rest.strip_prefix("bin.") else { return false };
        if rest == "count" {
            return true;
        }
        let Some((index, rest)) = indexed(rest) else { return false };
        if histograms.iter().all(|histogram| histogram.operation != operation) {
            histograms.push(Self { operation, ..Self::default() });
        }
        let known = histograms.iter_mut().find(|histogram| histogram.operation == operation);
        let Some(histogram) = known else { return false };
        let bin = histogram.bins.entry(index).or_default();
        match rest {
            "start" => bin.start = number.map(Duration::from_nanos),
            "value" => bin.requests = number,
            _ => return false,
        }
        true
    }

    /// Returns upper bounds in seconds, each with the number of requests that took less,
    /// and the number of all; `None` where a bin is missing or out of order.
    pub(crate) fn buckets(&self) -> Option<(Vec<(f64, u64)>, u64)> {
        let mut buckets = Vec::with_capacity(self.bins.len());
        let mut sum: u64 = 0;
        let mut before = None;
        for (at, (index, bin)) in self.bins.iter().enumerate() {
            let start = bin.start?;
            if usize::try_from(*index) != Ok(at) || before.is_some_and(|before| before >= start) {
                return None;
            }
            if before.is_some() {
                buckets.push((start.as_secs_f64(), sum));
            }
            before = Some(start);
            sum = sum.checked_add(bin.requests?)?;
        }
        before.map(|_| (buckets, sum))
    }
}

const OPERATIONS: [&str; 4] = ["read", "write", "zone_append", "flush"];

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(fields: &[(&str, u64)]) -> Option<(Vec<(f64, u64)>, u64)> {
        let mut histograms = Vec::new();
        for (field, number) in fields {
            assert!(LatencyHistogram::take(&mut histograms, field, Some(*number)), "{field}");
        }
        histograms[0].buckets()
    }

    #[test]
    fn a_bin_ends_where_the_next_one_starts() {
        let buckets = histogram(&[
            ("read.bin.count", 3),
            ("read.bin.0.start", 0),
            ("read.bin.0.value", 5),
            ("read.bin.1.start", 1_000_000),
            ("read.bin.1.value", 7),
            ("read.bin.2.start", 50_000_000),
            ("read.bin.2.value", 1),
        ]);
        assert_eq!(buckets, Some((vec![(0.001, 5), (0.05, 12)], 13)));
    }

    #[test]
    fn what_has_a_hole_is_not_guessed_at() {
        let hole = [("flush.bin.0.start", 0), ("flush.bin.0.value", 5), ("flush.bin.2.start", 9)];
        assert_eq!(histogram(&hole), None);
        let disorder = [
            ("flush.bin.0.start", 9),
            ("flush.bin.0.value", 5),
            ("flush.bin.1.start", 9),
            ("flush.bin.1.value", 5),
        ];
        assert_eq!(histogram(&disorder), None);
    }

    #[test]
    fn an_operation_that_nobody_knows_is_not_taken() {
        let mut histograms = Vec::new();
        for field in ["trim.bin.0.start", "read.bin.0.end", "read.bins.0.start", "read"] {
            assert!(!LatencyHistogram::take(&mut histograms, field, Some(1)), "{field}");
        }
    }
}
