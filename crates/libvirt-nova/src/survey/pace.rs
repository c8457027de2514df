//! How fast libvirtd answers, and what follows from it.

use std::time::Duration;

use libvirt_client::WINDOW;

/// How fast libvirtd gives a domain's statistics: a running mean and deviation,
/// as TCP keeps them of its round trips.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Seconds a domain, once something was measured.
    mean: Option<f64>,
    deviation: f64,
    /// Calls in a row that passed their deadline.
    timeouts: usize,
}

impl Pace {
    /// Takes note of a call for `size` domains that came back.
    pub(super) fn observe(&mut self, size: usize, took: Duration) {
        self.timeouts = 0;
        let seconds = took.as_secs_f64() / as_f64(size.max(1));
        match &mut self.mean {
            None => {
                self.mean = Some(seconds);
                self.deviation = seconds / 2.0;
            }
            Some(mean) => {
                let error = seconds - *mean;
                *mean += error / 8.0;
                self.deviation += (error.abs() - self.deviation) / 4.0;
            }
        }
    }

    /// Takes note of a call that passed its deadline.
    pub(super) fn observe_timeout(&mut self) {
        self.timeouts = self.timeouts.saturating_add(1);
    }

    /// How many of `left` domains to ask for in the next call.
    ///
    /// As many as take [`CALL_TIME`], so that calls are few where libvirtd is fast and
    /// short where it is slow; and toward the end fewer, so that all that are in flight
    /// end together. One, as long as nothing was measured.
    pub(super) fn size(&self, left: usize) -> usize {
        let Some(mean) = self.mean else { return 1 };
        let fair = left.div_ceil(WINDOW).max(1);
        (1..=fair.min(SIZE_MAX)).rev().find(|size| mean * as_f64(*size) <= CALL_TIME).unwrap_or(1)
    }

    /// How long a call for `size` domains may take before it counts as hung.
    ///
    /// Twice as long with each call in a row that passed it: libvirtd may have become
    /// slow, rather than a guest stuck.
    pub(super) fn deadline(&self, size: usize) -> Duration {
        let usual = self.mean.map_or(FIRST, |mean| {
            let seconds = 4.0 * as_f64(size) * (mean + 4.0 * self.deviation);
            Duration::from_secs_f64(seconds.min(DEADLINE_MAX.as_secs_f64()))
        });
        let longer = usual.max(DEADLINE_MIN).saturating_mul(1 << (self.timeouts / WINDOW).min(2));
        longer.min(DEADLINE_MAX)
    }
}

fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// What a call should take, in seconds.
const CALL_TIME: f64 = 0.05;
/// The most domains in a call, however fast libvirtd is.
const SIZE_MAX: usize = 32;
/// The deadline before anything was measured.
const FIRST: Duration = Duration::from_secs(1);
/// A busy host holds a healthy call up for as long.
const DEADLINE_MIN: Duration = Duration::from_millis(500);
/// Longer than this nobody waits for a guest.
const DEADLINE_MAX: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(size: usize, millis: u64) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.observe(size, Duration::from_millis(millis));
        }
        pace
    }

    #[test]
    fn a_fast_libvirtd_is_asked_for_many_at_once_and_a_slow_one_for_few() {
        assert_eq!(Pace::default().size(1000), 1);
        assert_eq!(measured(1, 1).size(1000), 32);
        assert_eq!(measured(4, 40).size(1000), 5);
        assert_eq!(measured(1, 300).size(1000), 1);
    }

    #[test]
    fn the_last_calls_are_small_so_that_all_end_together() {
        let pace = measured(1, 1);
        let mut left: usize = 50;
        let mut sizes = Vec::new();
        while left > 0 {
            sizes.push(pace.size(left));
            left -= pace.size(left);
        }
        assert_eq!(sizes, [13, 10, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn a_deadline_follows_what_calls_need_within_bounds() {
        assert_eq!(Pace::default().deadline(1), Duration::from_secs(1));
        assert_eq!(measured(1, 2).deadline(1), Duration::from_millis(500));
        let slow = measured(1, 200).deadline(1);
        assert!(slow > Duration::from_millis(790) && slow < Duration::from_millis(810), "{slow:?}");
        assert_eq!(measured(1, 2000).deadline(8), Duration::from_secs(2));
    }

    #[test]
    fn a_libvirtd_that_became_slow_is_given_more_time() {
        let mut pace = measured(1, 2);
        let mut deadlines = Vec::new();
        for _ in 0..4 {
            deadlines.push(pace.deadline(1).as_millis());
            (0..WINDOW).for_each(|_| pace.observe_timeout());
        }
        assert_eq!(deadlines, [500, 1000, 2000, 2000]);
        pace.observe(1, Duration::from_millis(2));
        assert_eq!(pace.deadline(1).as_millis(), 500);
    }
}
