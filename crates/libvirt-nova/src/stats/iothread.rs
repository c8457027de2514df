//! A thread that does a guest's I/O: the group `iothread`.

use std::time::Duration;

/// A thread that does a guest's I/O.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Iothread {
    pub(crate) number: u32,
    /// How long it looks for work at most before it sleeps.
    pub(crate) poll_max: Option<Duration>,
    /// By how much that time grows; 0 lets QEMU choose.
    pub(crate) poll_grow: Option<u64>,
    /// By how much it shrinks; 0 lets QEMU choose.
    pub(crate) poll_shrink: Option<u64>,
    /// How much the last time counts for the next one.
    pub(crate) poll_weight: Option<u64>,
}

impl Iothread {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, number: Option<u64>) -> bool {
        match field {
            "poll-max-ns" => self.poll_max = number.map(Duration::from_nanos),
            "poll-grow" => self.poll_grow = number,
            "poll-shrink" => self.poll_shrink = number,
            "poll-weight" => self.poll_weight = number,
            _ => return false,
        }
        true
    }
}
