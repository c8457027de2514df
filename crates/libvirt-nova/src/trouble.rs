//! Domains that give trouble, told of once.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use libvirt_client::CallError;
use libvirt_wire::{Domain, Procedure, RemoteError, Uuid};

use crate::{fault::chain, inventory::Roster};

/// What went wrong with which domain.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// The procedures whose failure has been logged.
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
        let mut told = self.lock();
        let told = told.entry(domain.uuid).or_default();
        if !told.contains(&procedure.name) {
            told.push(procedure.name);
            tracing::warn!(domain = %domain.name, "{what}");
        }
    }

    /// Notes that a procedure worked.
    pub(crate) fn clear(&self, domain: Uuid, procedure: Procedure) {
        if let Some(told) = self.lock().get_mut(&domain) {
            told.retain(|name| *name != procedure.name);
        }
    }

    /// Forgets the domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        let mut told = self.lock();
        if !told.is_empty() {
            let there: HashSet<_> = roster.iter().map(|instance| instance.domain.uuid).collect();
            told.retain(|uuid, procedures| there.contains(uuid) && !procedures.is_empty());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<&'static str>>> {
        // Nothing panics while it holds the lock.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
