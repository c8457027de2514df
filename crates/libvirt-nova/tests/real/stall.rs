//! Whether the machine stood still: what is late then, or was given up, is nobody's fault.

use std::{
    sync::{LazyLock, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Whether it did, some time between two instants.
pub(crate) fn stalled(from: Instant, to: Instant) -> bool {
    let stalls = STALLS.lock().unwrap();
    stalls.iter().any(|(began, ended)| *began <= to && from <= *ended)
}

/// Begins to watch, if nobody has.
pub(crate) fn watch() {
    LazyLock::force(&STALLS);
}

/// When each stall began and ended, as a thread finds out that does nothing but sleep.
static STALLS: LazyLock<Mutex<Vec<(Instant, Instant)>>> = LazyLock::new(|| {
    thread::spawn(|| {
        loop {
            let began = Instant::now();
            thread::sleep(NAP);
            let ended = Instant::now();
            if ended - began > NAP + STALL {
                STALLS.lock().unwrap().push((began, ended));
            }
        }
    });
    Mutex::default()
});

const NAP: Duration = Duration::from_millis(10);
/// What the machine takes from everybody now and then. The shortest deadline of a call is half a
/// second.
const STALL: Duration = Duration::from_millis(200);
