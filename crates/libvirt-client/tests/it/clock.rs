//! A clock that goes when it is told to.

use std::sync::mpsc::{Sender, channel};

use tokio::task;

use crate::daemon::PATIENCE;

/// For as long as this lives, a clock that is paused does not go by itself when there is nothing to
/// do: what comes by the network, or from a process, takes its time. That has an end, so that what
/// never comes is no hang.
pub(crate) struct Held(
    #[expect(dead_code, reason = "it is its end that is waited for")] Sender<()>,
);

pub(crate) fn hold() -> Held {
    let (held, waiting) = channel();
    // The runtime does not turn the clock while a task of this kind runs.
    task::spawn_blocking(move || waiting.recv_timeout(PATIENCE));
    Held(held)
}
