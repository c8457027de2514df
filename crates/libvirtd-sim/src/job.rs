//! A domain's job: one at a time may talk to its QEMU.

use std::{rc::Rc, time::Duration};

use tokio::time::{self, Instant};

use crate::{host::Host, instance::Health};

/// Who holds a domain's job, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// A call that talks to the monitor.
    Call(Instant),
    /// A background job of somebody else: a migration, a dump.
    Other(Instant),
}

/// A domain's job, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    host: Rc<Host>,
    number: u32,
    job: Job,
}

impl Held {
    /// Takes the job of a domain whose lock is free.
    ///
    /// `None` where somebody else holds it, for as long as `patience` lasts.
    pub(crate) async fn take(host: &Rc<Host>, number: u32, patience: Duration) -> Option<Self> {
        let taken = |host: &Host| host.with(number, |it| it.job.is_some()).unwrap_or(false);
        if taken(host) && !patience.is_zero() {
            let _hanging = host.board.count(|status| &mut status.hanging);
            // Out of patience is out of luck; what to do then is seen below.
            let _ = time::timeout(patience, host.wait_while(taken)).await;
        }
        let job = Job::Call(Instant::now());
        let is_free = host.with(number, |instance| {
            let is_free = instance.job.is_none();
            if is_free {
                instance.job = Some(job);
            }
            is_free
        });
        is_free.unwrap_or(false).then(|| Self { host: Rc::clone(host), number, job })
    }

    /// Waits until the domain's QEMU answers its monitor.
    pub(crate) async fn monitor(&self) {
        let number = self.number;
        let is_stuck =
            |host: &Host| host.with(number, |it| it.health == Health::Stuck).unwrap_or(false);
        if is_stuck(&self.host) {
            let _hanging = self.host.board.count(|status| &mut status.hanging);
            self.host.wait_while(is_stuck).await;
        }
        let latency = self.host.latency();
        if !latency.is_zero() {
            time::sleep(latency).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.host.with(self.number, |instance| {
            // A domain that was destroyed meanwhile has lost it already.
            if instance.job == Some(self.job) {
                instance.job = None;
            }
        });
        self.host.changed();
    }
}

/// Waits until nobody holds the lock of the domain.
pub(crate) async fn lock(host: &Rc<Host>, number: u32) {
    let is_held = |host: &Host| host.with(number, |it| it.health == Health::Held).unwrap_or(false);
    if is_held(host) {
        let _hanging = host.board.count(|status| &mut status.hanging);
        host.wait_while(is_held).await;
    }
}
