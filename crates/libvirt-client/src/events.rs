//! Events, as the connection hands them over.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use libvirt_wire::Event;
use tokio::sync::mpsc;

/// The events of a connection, in the order libvirtd sent them.
///
/// An event is here before the reply to any call that libvirtd answered after
/// it.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<Event>,
    lost: Arc<AtomicBool>,
}

impl Events {
    /// Waits for the next event; `None` once the connection is over.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// Returns the next event that is here already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }

    /// Returns whether events were lost since it was last asked.
    ///
    /// Whoever mirrors the daemon's state must then read all of it again.
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }
}

/// The connection's end.
#[derive(Debug)]
pub(crate) struct EventSender {
    sender: mpsc::Sender<Event>,
    lost: Arc<AtomicBool>,
}

impl EventSender {
    /// Hands an event over, or notes that it is lost. Never waits: a consumer
    /// that is busy must not hold up replies.
    pub(crate) fn send(&self, event: Event) {
        if self.sender.try_send(event).is_err() {
            self.note_loss();
        }
    }

    /// Notes that something happened which cannot be told.
    pub(crate) fn note_loss(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn channel() -> (EventSender, Events) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = Arc::new(AtomicBool::new(false));
    (EventSender { sender, lost: Arc::clone(&lost) }, Events { receiver, lost })
}

/// Events that may wait. A host that boots has a few for each guest.
const QUEUE: usize = 1024;

#[cfg(test)]
mod tests {
    use libvirt_wire::{Domain, EventKind, Uuid};

    use super::*;

    #[test]
    fn a_flood_loses_events_and_says_so_once() {
        let (sender, mut events) = channel();
        let domain = Domain { name: "a".into(), uuid: Uuid([0; 16]), id: None };
        let kind = EventKind::Lifecycle { event: 2, detail: 0 };
        for _ in 0..=QUEUE {
            sender.send(Event { domain: domain.clone(), kind: kind.clone() });
        }
        assert!(events.take_lost());
        assert!(!events.take_lost());
        assert_eq!(std::iter::from_fn(|| events.try_next()).count(), QUEUE);
    }
}
