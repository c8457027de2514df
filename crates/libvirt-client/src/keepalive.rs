//! Whether anybody is there still, where no system tells: keepalive (libvirt's `rpc.rst`).

use std::time::Duration;

use tokio::time::{self, Interval, MissedTickBehavior};

/// Counts how long nothing has come.
#[derive(Debug)]
pub(crate) struct Keepalive {
    ticks: Interval,
    /// Ticks since anything came.
    silent: u32,
}

/// What is to be done when nothing has come for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Ask whether anybody is there.
    Ping,
    /// Nobody is.
    CutOff(Duration),
}

impl Keepalive {
    pub(crate) fn new() -> Self {
        let mut ticks = time::interval(INTERVAL);
        // However long this process was held up itself, that is one tick: what came meanwhile is
        // read before the next one.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        Self { ticks, silent: 0 }
    }

    /// Notes that something came, whatever it is.
    pub(crate) fn heard(&mut self) {
        self.silent = 0;
        self.ticks.reset();
    }

    /// Waits until nothing has come for another interval. Dropping the future loses nothing.
    pub(crate) async fn beat(&mut self) -> Beat {
        self.ticks.tick().await;
        self.silent = self.silent.saturating_add(1);
        match self.silent {
            COUNT.. => Beat::CutOff(INTERVAL.saturating_mul(self.silent)),
            _ => Beat::Ping,
        }
    }
}

/// libvirt's own (`keepalive_interval`).
const INTERVAL: Duration = Duration::from_secs(5);
/// Silent intervals after which nobody is there: one less than libvirt's own, which takes the
/// thirty seconds that we have in all.
const COUNT: u32 = 5;

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn four_pings_go_unanswered_and_then_nobody_is_there() {
        let began = Instant::now();
        let mut keepalive = Keepalive::new();
        for _ in 0..4 {
            assert_eq!(keepalive.beat().await, Beat::Ping);
        }
        assert_eq!(keepalive.beat().await, Beat::CutOff(Duration::from_secs(25)));
        assert_eq!(began.elapsed().as_secs(), 25);
    }

    #[tokio::test(start_paused = true)]
    async fn anything_that_comes_begins_anew() {
        let mut keepalive = Keepalive::new();
        for _ in 0..20 {
            assert_eq!(keepalive.beat().await, Beat::Ping);
            assert_eq!(keepalive.beat().await, Beat::Ping);
            keepalive.heard();
        }
    }

    /// A process that was stopped for a minute has heard nothing, and has not listened.
    #[tokio::test(start_paused = true)]
    async fn who_did_not_listen_gives_nobody_up() {
        let mut keepalive = Keepalive::new();
        time::advance(Duration::from_secs(60)).await;
        assert_eq!(keepalive.beat().await, Beat::Ping);
        let began = Instant::now();
        assert_eq!(keepalive.beat().await, Beat::Ping);
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}
