//! How many events the log has had, by level.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

/// How many events the log has had, by level.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    error: AtomicU64,
    warn: AtomicU64,
    info: AtomicU64,
    debug: AtomicU64,
}

impl Counts {
    /// Returns the numbers, the most severe level first.
    pub(crate) fn by_level(&self) -> [(&'static str, u64); 4] {
        let Self { error, warn, info, debug } = self;
        [("error", error), ("warn", warn), ("info", info), ("debug", debug)]
            .map(|(level, count)| (level, count.load(Ordering::Relaxed)))
    }
}

/// The layer that counts.
pub(super) struct Counting(pub(super) std::sync::Arc<Counts>);

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
