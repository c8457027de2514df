//! How much of libvirtd calls that hang may take.
//!
//! Each of them holds one of libvirtd's workers, of which it has 20, until the
//! QEMU answers. Nova needs them too.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use libvirt_client::{Hanging, Ledger, WINDOW};
use libvirt_wire::{
    Domain, Procedure, Uuid,
    call::{ControlInfo, ControlState},
};
use tokio::{sync::Notify, time::Instant};

use crate::inventory::Roster;

/// How much of libvirtd calls that hang may take.
#[derive(Clone, Debug)]
pub(crate) struct Care {
    ledger: Ledger,
    abandoned_max: usize,
    /// The domains in which a call hangs, whoever made it: an exporter before us, or
    /// one of ours whose connection was lost.
    occupied: Arc<Mutex<HashMap<Uuid, Instant>>>,
    /// For calls that need no monitor.
    places: Arc<Places>,
}

#[derive(Debug, Default)]
struct Places {
    taken: AtomicUsize,
    freed: Notify,
}

/// A place for a call that needs no monitor, as long as it is kept.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Relaxed);
        self.0.freed.notify_waiters();
    }
}

impl Care {
    /// `abandoned_max` is the number of calls that hang at which no domain's monitor is
    /// asked any more.
    pub(crate) fn new(ledger: Ledger, abandoned_max: usize) -> Self {
        Self { ledger, abandoned_max, occupied: Arc::default(), places: Arc::default() }
    }

    /// Takes note of whether a call hangs in a domain.
    pub(crate) fn note(&self, domain: &Domain, info: ControlInfo) {
        if info.state == Some(ControlState::Occupied) && info.since >= HANGS {
            let now = Instant::now();
            let since = now.checked_sub(info.since).unwrap_or(now);
            self.occupied().insert(domain.uuid, since);
        } else {
            self.occupied().remove(&domain.uuid);
        }
    }

    /// Forgets the domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        let mut occupied = self.occupied();
        if !occupied.is_empty() {
            let there: HashSet<_> = roster.iter().map(|instance| instance.domain.uuid).collect();
            occupied.retain(|uuid, _| there.contains(uuid));
        }
    }

    /// How many calls that need a monitor may be in flight now. 0 where none may.
    ///
    /// So few that the limit holds even if all of them hang, and from two thirds
    /// of the limit on no more than one.
    pub(crate) fn window(&self) -> usize {
        let is_others = |uuid: &&Uuid| self.ledger.hangs_since(**uuid, |_| true).is_none();
        let others = self.occupied().keys().filter(is_others).count();
        let hanging = self.ledger.abandoned().saturating_add(others);
        let left = self.abandoned_max.saturating_sub(hanging);
        let careful_from = self.abandoned_max.saturating_mul(2).div_ceil(3);
        if hanging >= careful_from { left.min(1) } else { left.min(WINDOW) }
    }

    /// How many calls that need no monitor one who makes them may have in flight now. 0
    /// where none may.
    pub(crate) fn lookups(&self) -> usize {
        self.lookups_of_all().min(WINDOW)
    }

    /// The same for all who make them together.
    ///
    /// Such calls hang only where libvirtd holds a whole domain, or is not there at
    /// all. A window's worth beyond the limit is theirs; where that many hang they go one at
    /// a time, for most domains answer at once, until a few more do.
    fn lookups_of_all(&self) -> usize {
        let hanging = self.ledger.abandoned();
        let most = self.abandoned_max.saturating_add(WINDOW);
        match most.saturating_sub(hanging) {
            0 if hanging < most.saturating_add(LAST) => 1,
            left => left,
        }
    }

    /// Waits for a place for a call that needs no monitor; `None` where so many calls
    /// hang that none may be made.
    ///
    /// There are so many places that calls that hang stay within their limit even if
    /// all of these do.
    pub(crate) async fn place(&self) -> Option<Place> {
        loop {
            let freed = self.places.freed.notified();
            let places = self.lookups_of_all();
            if places == 0 {
                return None;
            }
            if self.places.taken.load(Relaxed) < places {
                self.places.taken.fetch_add(1, Relaxed);
                return Some(Place(Arc::clone(&self.places)));
            }
            freed.await;
        }
    }

    /// Whether the domains may be listed. A list that hangs in a domain keeps its place on the
    /// events' connection, which has four.
    pub(crate) fn may_list(&self) -> bool {
        self.ledger.abandoned_of(Procedure::CONNECT_LIST_ALL_DOMAINS) < LISTS_MAX
    }

    /// Whether a call that needs no monitor hangs in a domain.
    ///
    /// Then libvirtd holds the whole domain, as while it waits for the death of a
    /// QEMU that does not die, and every call would hang in it.
    pub(crate) fn is_held(&self, domain: &Domain) -> bool {
        self.held_since(domain).is_some()
    }

    /// Since when a call that needs no monitor has been hanging in a domain.
    ///
    /// One for several domains hangs in any of them, and one whose caller went away has
    /// not been waited for.
    pub(crate) fn held_since(&self, domain: &Domain) -> Option<Instant> {
        let is_meant = |call: &Hanging| !call.needs_monitor && call.domains == 1;
        let since = self.ledger.hangs_since(domain.uuid, is_meant)?;
        (since.elapsed() >= HANGS).then_some(since)
    }

    /// Whether a call that needs the monitor hangs in a domain, or in one that was
    /// asked for with it.
    ///
    /// Further calls to the domain that it hangs in come back at once, with all that
    /// needs no monitor.
    pub(crate) fn is_hung(&self, domain: &Domain) -> bool {
        self.occupied().contains_key(&domain.uuid)
            || self.ledger.hangs_since(domain.uuid, |call| call.needs_monitor).is_some()
    }

    /// Since when libvirt has been waiting for the QEMU of a domain, by its control info.
    pub(crate) fn occupied_since(&self, domain: &Domain) -> Option<Instant> {
        self.occupied().get(&domain.uuid).copied()
    }

    /// Whether a call that needs the monitor hangs in this domain for certain: it concerns no
    /// other.
    pub(crate) fn is_hung_alone(&self, domain: &Domain) -> bool {
        let is_meant = |call: &Hanging| call.needs_monitor && call.domains == 1;
        self.ledger.hangs_since(domain.uuid, is_meant).is_some()
    }

    /// Whether a domain is better not read now: the last attempt hangs, or any would.
    pub(crate) fn is_silent(&self, domain: &Domain) -> bool {
        // What waits for a monitor says nothing of what does not.
        self.lookups() == 0
            || self.ledger.hangs_since(domain.uuid, |call| !call.needs_monitor).is_some()
    }

    fn occupied(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        // Nothing panics while it holds the lock.
        self.occupied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists that may hang: a second one, in case that the first one's answer was lost.
const LISTS_MAX: usize = 2;
/// Lookups that may hang beyond their window, one at a time: libvirtd has two workers more.
const LAST: usize = 2;
/// How long a call has been waiting that is taken to hang.
const HANGS: Duration = Duration::from_millis(500);
