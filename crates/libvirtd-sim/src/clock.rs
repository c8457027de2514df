//! The time that counters are a function of.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the simulator started; it can be made to stand at a moment.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The Unix time at which this clock was 0.
    epoch: Duration,
    /// What it showed when it last began to run or was made to stand.
    shown: Duration,
    /// Since when it runs from there, `None` while it stands.
    runs_since: Option<Instant>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch, shown: Duration::ZERO, runs_since: Some(Instant::now()) }
    }

    pub(crate) fn now(&self) -> Duration {
        let ran = self.runs_since.map(|since| since.elapsed()).unwrap_or_default();
        self.shown.saturating_add(ran)
    }

    /// The Unix time when the clock shows `at`.
    pub(crate) fn unix(&self, at: Duration) -> Duration {
        self.epoch.saturating_add(at)
    }

    /// Makes the clock stand at `at`.
    pub(crate) fn stand(&mut self, at: Duration) {
        *self = Self { epoch: self.epoch, shown: at, runs_since: None };
    }

    /// Makes the clock run on from what it shows.
    pub(crate) fn run(&mut self) {
        self.shown = self.now();
        self.runs_since = Some(Instant::now());
    }
}
