//! Domains that give trouble: told of once, and spared for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libvirt_client::CallError;
use libvirt_wire::{Domain, Procedure, RemoteError, Uuid};
use tokio::time::Instant;

use crate::{fault::chain, inventory::Roster};

/// What went wrong with which domain.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    domains: Mutex<HashMap<Uuid, Trouble>>,
}

#[derive(Debug, Default)]
struct Trouble {
    /// The procedures whose failure has been logged.
    told: Vec<&'static str>,
    /// Until when not to ask libvirtd about the domain.
    spared_until: Option<Instant>,
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
        self.tell(domain, error);
    }

    /// Notes that not even a call which needs no monitor came back, although
    /// libvirtd answers others.
    ///
    /// Something holds the whole domain, such as the destruction of a QEMU that
    /// does not die. Each further call would cost libvirtd a worker.
    pub(crate) fn spare(&self, domain: &Domain, error: &CallError) {
        self.leave_alone(domain);
        self.tell(domain, error);
    }

    fn leave_alone(&self, domain: &Domain) {
        let until = Instant::now().checked_add(SPARED);
        self.lock().entry(domain.uuid).or_default().spared_until = until;
    }

    fn tell(&self, domain: &Domain, error: &CallError) {
        let mut domains = self.lock();
        let trouble = domains.entry(domain.uuid).or_default();
        let procedure = error.procedure().name;
        if !trouble.told.contains(&procedure) {
            trouble.told.push(procedure);
            tracing::warn!(domain = %domain.name, "{}", chain(error));
        }
    }

    /// Whether to leave a domain alone for now.
    pub(crate) fn is_spared(&self, domain: &Domain) -> bool {
        let domains = self.lock();
        let until = domains.get(&domain.uuid).and_then(|trouble| trouble.spared_until);
        until.is_some_and(|until| until > Instant::now())
    }

    /// Notes that something happened to a domain, so that it may be free again.
    pub(crate) fn release(&self, uuid: Uuid) {
        if let Some(trouble) = self.lock().get_mut(&uuid) {
            trouble.spared_until = None;
        }
    }

    /// Notes that a procedure worked.
    pub(crate) fn clear(&self, domain: &Domain, procedure: Procedure) {
        let mut domains = self.lock();
        if let Some(trouble) = domains.get_mut(&domain.uuid) {
            trouble.told.retain(|name| *name != procedure.name);
        }
    }

    /// Forgets the domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        let mut domains = self.lock();
        if !domains.is_empty() {
            domains.retain(|uuid, _| roster.iter().any(|instance| instance.domain.uuid == *uuid));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Trouble>> {
        // Nothing panics while it holds the lock.
        self.domains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a domain is left alone, unless an event tells that it goes on.
/// libvirtd tries for some 15 s to end a QEMU, and each attempt of ours costs it
/// two of its 20 workers for as long.
const SPARED: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use tokio::time;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_domain_is_spared_for_a_while_or_until_something_happens_to_it() {
        let domain = Domain { name: "a".into(), uuid: Uuid([1; 16]), id: Some(1) };
        let troubles = Troubles::default();
        assert!(!troubles.is_spared(&domain));
        troubles.leave_alone(&domain);
        assert!(troubles.is_spared(&domain));
        time::advance(SPARED).await;
        assert!(!troubles.is_spared(&domain));

        troubles.leave_alone(&domain);
        troubles.release(domain.uuid);
        assert!(!troubles.is_spared(&domain));

        troubles.leave_alone(&domain);
        troubles.keep(&Roster::default());
        assert!(!troubles.is_spared(&domain), "it is no more");
    }
}
