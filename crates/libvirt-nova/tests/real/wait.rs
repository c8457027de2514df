//! Waiting for what will happen.

use std::{
    thread,
    time::{Duration, Instant},
};

/// No event is waited for longer; none should take a tenth of it on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Asks again and again until `probe` finds something, and returns it with the time that it took.
///
/// Panics after `limit`, naming `what` never came.
pub(crate) fn wait_until<T>(
    limit: Duration,
    what: &str,
    mut probe: impl FnMut() -> Option<T>,
) -> (T, Duration) {
    let began = Instant::now();
    loop {
        // Looked at before the probe, so that the last one is made after the limit.
        let over = began.elapsed() >= limit;
        if let Some(found) = probe() {
            return (found, began.elapsed());
        }
        assert!(!over, "not within {limit:?}: {what}");
        thread::sleep(PAUSE);
    }
}

/// Between two probes: short against all that is measured, long enough to leave the CPU to others.
const PAUSE: Duration = Duration::from_millis(5);
