//! Workers of libvirtd for calls that may hang.
//!
//! libvirtd begins with 5 workers and promises up to 20. But it makes another one
//! only at the very moment when as many calls wait as workers are idle; where more
//! wait it makes none, because `virThreadPoolSendJob` subtracts unsigned numbers.
//! If the last worker takes a call that hangs while another call waits, all calls
//! wait for ever, everybody's. (Seen on libvirt 9.0: 6 workers, each in a stuck
//! QEMU, and 8 calls of ours that need no monitor unanswered.)
//!
//! So before calls that may hang are sent, each should have an idle worker. A window of
//! calls that come back at once, sent together, makes libvirtd add a worker where
//! fewer are idle; workers never go away. The poll before each survey does so once.

use std::time::Duration;

use futures_util::future::join_all;
use libvirt_client::{Calls, WINDOW};
use libvirt_wire::{Domain, call::DomainGetControlInfo};

use crate::care::Care;

/// Who sees to it that libvirtd has idle workers.
#[derive(Debug)]
pub(crate) struct Headroom {
    lookups: Calls,
    care: Care,
}

impl Headroom {
    /// `lookups` is the connection for calls that wait for no guest.
    pub(crate) fn new(lookups: Calls, care: Care) -> Self {
        Self { lookups, care }
    }

    /// Has libvirtd make so many workers that a window of them is idle.
    ///
    /// It asks about some of `domains`, in which nothing hangs as far as is known.
    pub(crate) async fn make(&self, domains: &[&Domain]) {
        // Each round adds one worker at most; a window of them may have been lost.
        for _ in 0..=WINDOW {
            let free = domains.iter().filter(|domain| !self.care.is_held(domain));
            let asked: Vec<_> =
                free.cycle().take(WINDOW).map(|domain| self.look_up(domain)).collect();
            if join_all(asked).await.contains(&false) {
                return;
            }
        }
    }

    /// Makes a call that comes back at once, unless there is no worker at all.
    async fn look_up(&self, domain: &Domain) -> bool {
        let call = DomainGetControlInfo { domain };
        self.care.lookups() > 0
            && self.lookups.call(&call, DEADLINE).await.is_ok_and(|reply| reply.decode().is_ok())
    }
}

/// It takes half a millisecond.
const DEADLINE: Duration = Duration::from_millis(500);
