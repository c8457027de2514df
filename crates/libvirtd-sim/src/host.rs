//! The host: what outlives a restart of its daemon.

use std::{
    cell::{Ref, RefCell, RefMut},
    collections::BTreeMap,
    time::Duration,
};

use libvirt_wire::{Domain, Uuid};
use tokio::sync::{Notify, watch};

use crate::{
    Settings, Status,
    asked::Asked,
    clock::Clock,
    event::{Happening, Subscribers},
    fault::Faults,
    instance::{Instance, number_of},
    migration::Migration,
    pool::Pool,
    refusal::Refusal,
    status::Board,
};

/// The host and everything on it.
///
/// Whatever is told to change it says so with [`Host::changed`], and whoever
/// waits for something waits with [`Host::wait_while`].
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) board: Board,
    pub(crate) asked: Asked,
    pub(crate) settings: Settings,
    state: RefCell<State>,
    changed: Notify,
}

/// What commands change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) instances: BTreeMap<u32, Instance>,
    /// Storage pools by name.
    pub(crate) pools: BTreeMap<String, Pool>,
    pub(crate) faults: Faults,
    pub(crate) subscribers: Subscribers,
    pub(crate) latency: Duration,
    /// Whether the daemon is stopped in the middle of whatever it did.
    pub(crate) frozen: bool,
    /// Whether clients must ask polkit.
    pub(crate) polkit: bool,
    /// How many runs of domains there have been.
    runs: u32,
}

impl Host {
    pub(crate) fn new(settings: Settings, asked: Asked) -> (Self, watch::Receiver<Status>) {
        let (board, watcher) = Board::new();
        let state = State {
            clock: Clock::start(),
            instances: BTreeMap::new(),
            pools: BTreeMap::new(),
            faults: Faults::default(),
            subscribers: Subscribers::default(),
            latency: settings.latency,
            frozen: false,
            polkit: false,
            runs: 0,
        };
        let (state, changed) = (RefCell::new(state), Notify::new());
        let host = Self { board, asked, settings, state, changed };
        host.state_mut().populate(host.settings.first, host.settings.domains);
        (host, watcher)
    }

    pub(crate) fn state(&self) -> Ref<'_, State> {
        self.state.borrow()
    }

    pub(crate) fn state_mut(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// Does something with an instance that may be gone.
    pub(crate) fn with<T>(&self, number: u32, what: impl FnOnce(&mut Instance) -> T) -> Option<T> {
        self.state_mut().instances.get_mut(&number).map(what)
    }

    /// Lets everybody who waits look again.
    pub(crate) fn changed(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until `condition` is no longer so.
    pub(crate) async fn wait_while(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if !condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Waits while the daemon is frozen.
    pub(crate) async fn thawed(&self) {
        self.wait_while(|host| host.state().frozen).await;
    }

    pub(crate) fn latency(&self) -> Duration {
        self.state().latency
    }
}

impl State {
    /// Finds the domain a caller means: by its UUID alone, as libvirt does.
    pub(crate) fn find(&self, domain: &Domain) -> Result<&Instance, Refusal> {
        self.find_uuid(domain.uuid).ok_or_else(|| Refusal::no_domain(domain.uuid, &domain.name))
    }

    pub(crate) fn find_uuid(&self, uuid: Uuid) -> Option<&Instance> {
        self.instances.get(&number_of(uuid)?)
    }

    /// Makes so many instances from number `first` on the domains: those that are
    /// missing are defined and started, the surplus destroyed and undefined.
    pub(crate) fn populate(&mut self, first: u32, count: u32) {
        let wanted = first..first.saturating_add(count);
        let surplus: Vec<_> =
            self.instances.keys().copied().filter(|it| !wanted.contains(it)).collect();
        for number in surplus {
            self.destroy(number);
            if let Some(gone) = self.instances.remove(&number) {
                self.subscribers.tell(&gone.domain, &Happening::UNDEFINED);
            }
        }
        for number in wanted {
            if self.instances.contains_key(&number) {
                continue;
            }
            let instance = Instance::new(number);
            self.subscribers.tell(&instance.domain, &Happening::DEFINED);
            self.instances.insert(number, instance);
            self.start(number);
        }
    }

    /// Defines a domain, which stays shut off.
    pub(crate) fn define(&mut self, number: u32) {
        self.instances.entry(number).or_insert_with(|| {
            let instance = Instance::new(number);
            self.subscribers.tell(&instance.domain, &Happening::DEFINED);
            instance
        });
    }

    /// Removes the definition of a domain that is shut off.
    pub(crate) fn undefine(&mut self, number: u32) {
        if self.instances.get(&number).is_some_and(|it| !it.is_active())
            && let Some(gone) = self.instances.remove(&number)
        {
            self.subscribers.tell(&gone.domain, &Happening::UNDEFINED);
        }
    }

    /// Begins to migrate a domain to another host.
    pub(crate) fn migrate(&mut self, number: u32) {
        let began = self.clock.now();
        let Some(instance) = self.instances.get_mut(&number).filter(|it| it.is_active()) else {
            return;
        };
        let total = instance.flavor.memory_kib().saturating_mul(1024);
        instance.migration = Some(Migration { began, since: tokio::time::Instant::now(), total });
        self.subscribers.tell(&instance.domain, &Happening::MigrationIteration(1));
    }

    /// The migration of a domain has gone well: it is no more here.
    pub(crate) fn end_migration(&mut self, number: u32) {
        let now = self.clock.now();
        let Some(instance) = self.instances.get_mut(&number) else { return };
        let Some(migration) = instance.migration else { return };
        let params = migration.completed(now);
        instance.completed = Some(params.clone());
        self.subscribers.tell(&instance.domain, &Happening::SUSPENDED_MIGRATED);
        self.subscribers.tell(&instance.domain, &Happening::JobCompleted(params));
        instance.destroy();
        self.subscribers.tell(&instance.domain, &Happening::MIGRATED);
        self.undefine(number);
    }

    /// Starts a domain. Returns whether it was shut off.
    pub(crate) fn start(&mut self, number: u32) -> bool {
        let now = self.clock.now();
        let id = self.runs.saturating_add(1);
        let Some(instance) = self.instances.get_mut(&number).filter(|it| !it.is_active()) else {
            return false;
        };
        self.runs = id;
        instance.start(id, now);
        self.subscribers.tell(&instance.domain, &Happening::RESUMED);
        self.subscribers.tell(&instance.domain, &Happening::STARTED);
        true
    }

    /// Destroys a domain. Returns whether it was active.
    pub(crate) fn destroy(&mut self, number: u32) -> bool {
        let Some(instance) = self.instances.get_mut(&number).filter(|it| it.is_active()) else {
            return false;
        };
        self.subscribers.tell(&instance.domain, &Happening::SHUT_DOWN);
        instance.destroy();
        self.subscribers.tell(&instance.domain, &Happening::STOPPED);
        true
    }
}
