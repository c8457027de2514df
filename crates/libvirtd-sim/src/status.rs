//! What the simulator is doing, for a test to wait for.

use tokio::sync::watch;

/// What the simulator is doing at this moment.
///
/// A test waits for one with [`Simulator::until`](crate::Simulator::until)
/// instead of sleeping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Connections that are open.
    pub connections: usize,
    /// Calls that a connection has read and not answered yet.
    pub calls: usize,
    /// Calls that no worker serves yet.
    pub waiting: usize,
    /// Calls that hang in a domain: for its lock, its job or its monitor.
    pub hanging: usize,
    /// Calls that have been read since the simulator started.
    pub calls_total: usize,
    /// Packets that have been written since the simulator started.
    pub packets_total: usize,
}

/// Where the status is kept.
#[derive(Debug)]
pub(crate) struct Board {
    status: watch::Sender<Status>,
}

impl Board {
    pub(crate) fn new() -> (Self, watch::Receiver<Status>) {
        let (status, watcher) = watch::channel(Status::default());
        (Self { status }, watcher)
    }

    /// Counts one more for good.
    pub(crate) fn add(&self, field: Field) {
        self.status.send_modify(|status| {
            let value = field(status);
            *value = value.saturating_add(1);
        });
    }

    /// Counts one more until what is returned is dropped.
    pub(crate) fn count(&self, field: Field) -> Counted {
        self.add(field);
        Counted { status: self.status.clone(), field }
    }
}

/// Which number of a status.
pub(crate) type Field = fn(&mut Status) -> &mut usize;

/// One that counts as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted {
    status: watch::Sender<Status>,
    field: Field,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.status.send_modify(|status| {
            let value = (self.field)(status);
            *value = value.saturating_sub(1);
        });
    }
}
