//! What the log has had.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// What the log has had: how many events, by level, and the last faults.
#[derive(Debug, Default)]
pub(crate) struct Record {
    error: AtomicU64,
    warn: AtomicU64,
    info: AtomicU64,
    debug: AtomicU64,
    faults: Mutex<VecDeque<String>>,
}

impl Record {
    /// Returns how many events there were, the most severe level first.
    pub(crate) fn by_level(&self) -> [(&'static str, u64); 4] {
        let Self { error, warn, info, debug, faults: _ } = self;
        [("error", error), ("warn", warn), ("info", info), ("debug", debug)]
            .map(|(level, count)| (level, count.load(Ordering::Relaxed)))
    }

    /// Returns the last lines that tell of a fault, as they were logged, the oldest first.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Remembers a line where it tells of a fault.
    pub(super) fn note_line(&self, level: Level, line: &str) {
        if level > Level::WARN {
            return;
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() >= FAULTS_MAX {
            faults.pop_front();
        }
        faults.push_back(line.to_owned());
    }
}

/// Lines that are remembered.
const FAULTS_MAX: usize = 20;

/// The layer that counts.
pub(super) struct Counting(pub(super) Arc<Record>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let count = match *event.metadata().level() {
            Level::ERROR => &self.0.error,
            Level::WARN => &self.0.warn,
            Level::INFO => &self.0.info,
            Level::DEBUG | Level::TRACE => &self.0.debug,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_faults_are_remembered() {
        let record = Record::default();
        for number in 0..30 {
            let level = if number % 3 == 0 { Level::INFO } else { Level::WARN };
            record.note_line(level, &number.to_string());
        }
        record.note_line(Level::ERROR, "the last");
        let faults = record.faults();
        assert_eq!(faults.len(), FAULTS_MAX);
        assert_eq!((&*faults[18], &*faults[19]), ("29", "the last"));
        assert!(!faults.contains(&"27".to_owned()), "it is no fault");
    }
}
