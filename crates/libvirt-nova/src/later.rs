//! Instants ahead.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the instant after a pause that begins now.
pub(crate) fn later(pause: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(pause).unwrap_or(now)
}
