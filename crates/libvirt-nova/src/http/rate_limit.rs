//! How many requests there may be.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// How many requests there may be: `burst` at once, and one more each `interval`.
///
/// The token bucket of Prometheus' web configuration, which begins full: instead of tokens it
/// keeps the moment at which it would be full again, and needs neither fractions nor a clock that
/// ticks.
/// It counts what everybody asks, and so comes before anybody is asked who he is.
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval: Duration,
    burst: u32,
    full_at: Cell<Option<Instant>>,
}

impl RateLimit {
    /// Makes a limit; `None` where the interval is zero, which is how none is written.
    ///
    /// A burst of zero is a bucket that holds nothing: no request is ever allowed.
    pub(crate) fn new(interval: Duration, burst: u32) -> Option<Self> {
        (!interval.is_zero()).then(|| Self { interval, burst, full_at: Cell::new(None) })
    }

    /// Whether there may be a request now, which is then counted.
    pub(crate) fn allows(&self) -> bool {
        let now = Instant::now();
        let full_at = self.full_at.get().map_or(now, |full_at| full_at.max(now));
        let Some(others) = self.burst.checked_sub(1) else { return false };
        // Missing tokens, in the time that they take to come.
        let missing = full_at.saturating_duration_since(now);
        if missing > self.interval.saturating_mul(others) {
            return false;
        }
        // Where the moment is beyond all clocks, so is the next request.
        match full_at.checked_add(self.interval) {
            Some(full_at) => self.full_at.set(Some(full_at)),
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::time;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn allowed(limit: &RateLimit, requests: usize) -> usize {
        (0..requests).filter(|_| limit.allows()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_one_an_interval() {
        let limit = RateLimit::new(SECOND, 3).unwrap();
        assert_eq!(allowed(&limit, 10), 3);
        for _ in 0..5 {
            time::advance(SECOND - Duration::from_nanos(1)).await;
            assert_eq!(allowed(&limit, 10), 0);
            time::advance(Duration::from_nanos(1)).await;
            assert_eq!(allowed(&limit, 10), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_asked_for_is_kept_up_to_the_burst() {
        let limit = RateLimit::new(SECOND, 3).unwrap();
        assert_eq!(allowed(&limit, 10), 3);
        time::advance(2 * SECOND).await;
        assert_eq!(allowed(&limit, 1), 1);
        time::advance(SECOND).await;
        assert_eq!(allowed(&limit, 10), 2);
        time::advance(3600 * SECOND).await;
        assert_eq!(allowed(&limit, 10), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_costs_nothing() {
        let limit = RateLimit::new(SECOND, 1).unwrap();
        assert_eq!(allowed(&limit, 1_000), 1);
        time::advance(SECOND).await;
        assert_eq!(allowed(&limit, 1), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_interval_is_no_limit_and_no_burst_is_no_request() {
        assert!(RateLimit::new(Duration::ZERO, 0).is_none());
        let limit = RateLimit::new(SECOND, 0).unwrap();
        time::advance(3600 * SECOND).await;
        assert_eq!(allowed(&limit, 10), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn no_interval_is_too_long_and_no_burst_too_large() {
        assert_eq!(allowed(&RateLimit::new(Duration::MAX, 1).unwrap(), 10), 0);
        assert_eq!(allowed(&RateLimit::new(Duration::from_hours(9_999), 2).unwrap(), 10), 2);
        assert_eq!(allowed(&RateLimit::new(SECOND, u32::MAX).unwrap(), 10_000), 10_000);
    }
}
