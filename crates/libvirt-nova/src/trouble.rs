//! Domains that give trouble, told of once.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libvirt_client::CallError;
use libvirt_wire::{Domain, Procedure, RemoteError, Uuid};

use crate::{fault::chain, inventory::Roster};

/// That a QEMU does not answer.
const STUCK: &str = "stuck";

/// What went wrong with which domain.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// What has been logged as failing: procedures, and what has no procedure of its own.
    told: Mutex<HashMap<Uuid, Vec<&'static str>>>,
}

impl Troubles {
    /// Notes that a call about a domain failed, and logs it if it is news.
    ///
    /// That a domain has ended, or libvirtd has gone or says nothing, is no trouble
    /// of the domain.
    pub(crate) fn note(&self, domain: &Domain, error: &CallError) {
        let ended = error.refusal().is_some_and(RemoteError::is_no_domain);
        if ended || error.is_disconnected() || error.is_timeout() {
            return;
        }
        self.tell(domain, error.procedure(), chain(error));
    }

    /// Logs what is wrong with a procedure and a domain, if it is news.
    pub(crate) fn tell(&self, domain: &Domain, procedure: Procedure, what: impl fmt::Display) {
        self.tell_as(domain, procedure.name, what);
    }

    /// The same for what is no procedure.
    pub(crate) fn tell_as(&self, domain: &Domain, failing: &'static str, what: impl fmt::Display) {
        if self.begin(domain.uuid, failing) {
            tracing::warn!(domain = %domain.name, "{what}");
        }
    }

    /// Logs that the QEMU of a domain has not answered for so long, if it is news.
    pub(crate) fn tell_stuck(&self, domain: &Domain, since: Duration) {
        if self.begin(domain.uuid, STUCK) {
            tracing::warn!(domain = %domain.name, ?since, "QEMU does not answer libvirt");
        }
    }

    /// Logs that it answers, if it was said not to.
    pub(crate) fn clear_stuck(&self, domain: &Domain) {
        if self.clear_as(domain.uuid, STUCK) {
            tracing::info!(domain = %domain.name, "QEMU answers libvirt again");
        }
    }

    /// Notes that a procedure worked.
    pub(crate) fn clear(&self, domain: Uuid, procedure: Procedure) {
        self.clear_as(domain, procedure.name);
    }

    /// The same for what is no procedure; returns whether it had been told to fail.
    pub(crate) fn clear_as(&self, domain: Uuid, failing: &'static str) -> bool {
        let mut told = self.lock();
        let Some(told) = told.get_mut(&domain) else { return false };
        let before = told.len();
        told.retain(|name| *name != failing);
        told.len() < before
    }

    /// Notes that something fails; returns whether it did not before.
    fn begin(&self, domain: Uuid, failing: &'static str) -> bool {
        let mut told = self.lock();
        let told = told.entry(domain).or_default();
        let is_news = !told.contains(&failing);
        if is_news {
            told.push(failing);
        }
        is_news
    }

    /// Forgets the domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        if !self.lock().is_empty() {
            let there: HashSet<_> = roster.iter().map(|instance| instance.domain.uuid).collect();
            self.keep_those(|uuid| there.contains(uuid));
        }
    }

    /// The same, by who is there.
    pub(crate) fn keep_those(&self, is_there: impl Fn(&Uuid) -> bool) {
        self.lock().retain(|uuid, failing| is_there(uuid) && !failing.is_empty());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<&'static str>>> {
        // Nothing panics while it holds the lock.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
