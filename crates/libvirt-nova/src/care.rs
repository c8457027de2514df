//! How much of libvirtd calls that hang may take.
//!
//! Each of them holds one of libvirtd's workers, of which it has 20, until the
//! QEMU answers. Nova needs them too.

use libvirt_client::{Ledger, WINDOW};
use libvirt_wire::{Domain, Procedure};
use tokio::time::Instant;

/// How much of libvirtd calls that hang may take.
#[derive(Clone, Debug)]
pub(crate) struct Care {
    ledger: Ledger,
    abandoned_max: usize,
}

impl Care {
    /// `abandoned_max` is the number of abandoned calls at which no domain's monitor
    /// is asked any more.
    pub(crate) fn new(ledger: Ledger, abandoned_max: usize) -> Self {
        Self { ledger, abandoned_max }
    }

    /// How many calls that need a monitor may be in flight now. 0 where none may.
    ///
    /// So few that the limit holds even if all of them hang, and from two thirds
    /// of the limit on no more than one.
    pub(crate) fn window(&self) -> usize {
        let abandoned = self.ledger.abandoned();
        let left = self.abandoned_max.saturating_sub(abandoned);
        let careful_from = self.abandoned_max.saturating_mul(2).div_ceil(3);
        if abandoned >= careful_from { left.min(1) } else { left.min(WINDOW) }
    }

    /// Whether a call that needs no monitor may be made.
    ///
    /// Such calls hang only where libvirtd holds a whole domain, or is not there at
    /// all. A window's worth beyond the limit is theirs.
    pub(crate) fn has_room(&self) -> bool {
        self.ledger.abandoned() < self.abandoned_max.saturating_add(WINDOW)
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
    pub(crate) fn held_since(&self, domain: &Domain) -> Option<Instant> {
        self.ledger.hangs_since(domain.uuid, |procedure| MONITOR_FREE.contains(&procedure))
    }

    /// Whether a call for statistics hangs in a domain, or in one that was asked
    /// for with it.
    ///
    /// Further calls to the domain that it hangs in come back at once, with all that
    /// needs no monitor.
    pub(crate) fn is_hung(&self, domain: &Domain) -> bool {
        let is_meant = |procedure| procedure == Procedure::CONNECT_GET_ALL_DOMAIN_STATS;
        self.ledger.hangs_since(domain.uuid, is_meant).is_some()
    }

    /// Whether a call other than for statistics hangs in a domain, its XML included.
    pub(crate) fn is_silent(&self, domain: &Domain) -> bool {
        let is_meant = |procedure| procedure != Procedure::CONNECT_GET_ALL_DOMAIN_STATS;
        self.ledger.hangs_since(domain.uuid, is_meant).is_some()
    }
}

/// Lists that may hang: a second one, in case that the first one's answer was lost.
const LISTS_MAX: usize = 2;

/// What takes neither a domain's job nor its monitor, in any release: the XML waits
/// for the job in libvirt 11.0 to 11.4.
const MONITOR_FREE: [Procedure; 4] = [
    Procedure::DOMAIN_GET_INFO,
    Procedure::DOMAIN_GET_CONTROL_INFO,
    Procedure::DOMAIN_GET_CPU_STATS,
    Procedure::DOMAIN_GET_METADATA,
];
