//! The mirror of libvirtd's domains.
//!
//! Entries come and go with the listing alone; events only make their metadata
//! and XML due to be read again. What cannot be read stays as it was known
//! last, and is tried again after a pause.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    future::pending,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use libvirt_client::{Calls, Events, WINDOW};
use libvirt_wire::{Domain, Event, EventKind, Uuid};
use tokio::{task::JoinSet, time::Instant};

use super::{
    Domains, Instance, Metadata, SWEEP,
    past::Past,
    reading::{Facts, ReadError, read},
};
use crate::{
    care::Care, fault::chain, filter::Filter, later::later, live::Lasting, trouble::Troubles,
};

/// The mirror of libvirtd's domains.
#[derive(Debug)]
pub(super) struct Mirror {
    calls: Calls,
    care: Care,
    /// How many events have come.
    happenings: Arc<AtomicU64>,
    /// Who is to be served. The others are read, and asked for nothing else.
    filter: Arc<Filter>,
    past: Arc<Past>,
    /// Domains that could not be read.
    unread: Arc<Troubles>,
    entries: HashMap<Uuid, Entry>,
    /// At most [`WINDOW`], so that none waits for another before it is sent.
    readings: JoinSet<(Domain, Facts)>,
    /// Whether the domains have been listed.
    is_listed: bool,
    /// Whether the roster published last is out of date.
    changed: bool,
}

#[derive(Debug)]
struct Entry {
    instance: Instance,
    /// From when on metadata and XML are to be read.
    due: Instant,
    /// Whether they are being read.
    reading: bool,
    /// Whether something happened while they were being read.
    again: bool,
    /// The pause after the next reading that fails.
    retry: Duration,
}

impl Mirror {
    pub(super) fn new(
        calls: Calls,
        care: Care,
        happenings: Arc<AtomicU64>,
        filter: Arc<Filter>,
        lasting: &Lasting,
    ) -> Self {
        let (past, unread) = (Arc::clone(&lasting.past), Arc::clone(&lasting.unread));
        past.forget_times();
        let (entries, readings) = (HashMap::new(), JoinSet::new());
        let (is_listed, changed) = (false, false);
        Self {
            calls,
            care,
            happenings,
            filter,
            past,
            unread,
            entries,
            readings,
            is_listed,
            changed,
        }
    }

    /// Takes over which domains there are, and forgets the others.
    pub(super) fn take_list(&mut self, domains: Vec<Domain>) {
        self.is_listed = true;
        let now = Instant::now();
        let mut names = HashSet::new();
        // libvirt's names are unique; series must be.
        let domains = domains.into_iter().filter(|domain| names.insert(domain.name.clone()));
        let listed: BTreeMap<Uuid, Domain> = domains.map(|domain| (domain.uuid, domain)).collect();
        let before = self.entries.len();
        // Another id is another run: what was known of the one before is void.
        self.entries.retain(|uuid, entry| listed.get(uuid) == Some(&entry.instance.domain));
        self.changed |= self.entries.len() != before;
        for (uuid, domain) in listed {
            self.entries.entry(uuid).or_insert_with(|| {
                self.changed = true;
                Entry::new(domain, now)
            });
        }
        self.unread.keep_those(|uuid| self.entries.contains_key(uuid));
        self.changed |= self.past.keep(|uuid| self.entries.contains_key(uuid));
    }

    /// Makes due what an event may have changed. Returns whether domains may
    /// have come or gone.
    pub(super) fn take_event(&mut self, event: &Event) -> bool {
        self.happenings.fetch_add(1, Ordering::Relaxed);
        let entry = self.entries.get(&event.domain.uuid);
        self.past.note(event, entry.map(|entry| &entry.instance));
        self.changed = true;
        // These change nothing that is read, and may come in floods.
        if !matches!(
            event.kind,
            EventKind::Lifecycle { .. }
                | EventKind::DeviceAdded { .. }
                | EventKind::DeviceRemoved { .. }
                | EventKind::MetadataChange { .. }
        ) {
            return false;
        }
        if let Some(entry) = self.entries.get_mut(&event.domain.uuid) {
            entry.make_due(Instant::now());
        }
        matches!(event.kind, EventKind::Lifecycle { .. })
    }

    /// The same for all that are here. Where some were lost, everything is due.
    pub(super) fn take_events(&mut self, events: &mut Events) -> bool {
        let mut come_or_gone = false;
        while let Some(event) = events.try_next() {
            come_or_gone |= self.take_event(&event);
        }
        if events.take_lost() {
            come_or_gone = true;
            self.happenings.fetch_add(1, Ordering::Relaxed);
            let now = Instant::now();
            self.entries.values_mut().for_each(|entry| entry.make_due(now));
        }
        come_or_gone
    }

    /// Starts to read what is due, as far as the window allows.
    pub(super) fn start_reading(&mut self) {
        let now = Instant::now();
        let due = self.entries.values_mut().filter(|entry| !entry.reading && entry.due <= now);
        for entry in due {
            // Another call would hang as well, and cost libvirtd a worker.
            if self.care.is_silent(&entry.instance.domain) {
                entry.due = later(SILENCE);
                continue;
            }
            if self.readings.len() >= WINDOW {
                break;
            }
            entry.reading = true;
            let (calls, domain) = (self.calls.clone(), entry.instance.domain.clone());
            self.readings.spawn(async move {
                let facts = read(&calls, &domain).await;
                (domain, facts)
            });
        }
    }

    /// Waits for the next reading to end, and takes it over. For ever where
    /// nothing is being read. Dropping the future loses nothing.
    pub(super) async fn read(&mut self) {
        match self.readings.join_next().await {
            Some(Ok((domain, facts))) => self.take_facts(&domain, facts),
            // A reading neither panics nor is it cancelled.
            Some(Err(_)) => {}
            None => pending().await,
        }
    }

    fn take_facts(&mut self, domain: &Domain, Facts { metadata, devices }: Facts) {
        let Some(entry) = self.entries.get_mut(&domain.uuid) else { return };
        if entry.instance.domain != *domain {
            return;
        }
        let known = entry.instance.clone();
        let mut failure = None;
        match metadata {
            Ok(metadata) => entry.instance.metadata = metadata,
            Err(error) => {
                // Whatever its element holds, it is Nova's, and its CPU time is somebody's; what
                // it held before is better. A filter cannot admit what nobody can read.
                if matches!(error, ReadError::Nova(_))
                    && self.filter.is_all()
                    && entry.instance.metadata == Metadata::Unknown
                {
                    entry.instance.metadata = Metadata::Nova(Arc::default());
                }
                failure = Some(error);
            }
        }
        match devices {
            Ok(devices) => entry.instance.devices = Some(Arc::new(devices)),
            Err(error) => failure = Some(error),
        }
        self.changed |= entry.instance != known;

        let mut pause = sweep_of(domain.uuid);
        match failure {
            None => {
                self.unread.clear_as(domain.uuid, READING);
                entry.retry = RETRY;
            }
            Some(error) => {
                pause = entry.retry;
                entry.retry = entry.retry.saturating_mul(2).min(RETRY_MAX);
                // A domain that is gone is an ordinary race, and a silent libvirtd
                // is told of once, not once a domain.
                if error.is_of_the_domain() {
                    self.unread.tell_as(domain, READING, chain(&error));
                }
            }
        }
        if mem::take(&mut entry.again) {
            pause = Duration::ZERO;
        }
        entry.reading = false;
        entry.due = later(pause);
    }

    /// Whether nothing is due or being read.
    pub(super) fn is_settled(&self) -> bool {
        let now = Instant::now();
        self.readings.is_empty() && self.entries.values().all(|entry| entry.due > now)
    }

    /// When to start the next reading. `None` where another one has to end first,
    /// or nothing runs on this host.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let idle = self.entries.values().filter(|entry| !entry.reading).map(|entry| entry.due);
        if self.readings.len() < WINDOW { idle.min() } else { None }
    }

    /// Brings what was published up to date; returns whether it was not.
    pub(super) fn publish(&mut self, domains: &mut Option<Domains>) -> bool {
        self.changed |= self.is_listed && domains.is_none();
        if self.changed {
            let filter = &self.filter;
            let mut instances: Vec<_> = self
                .entries
                .values()
                .filter(|entry| entry.instance.is_admitted(filter))
                .map(|entry| {
                    let mut instance = entry.instance.clone();
                    let past = self.past.of(instance.domain.uuid);
                    instance.events = past.events;
                    instance.started = past.started.filter(|_| instance.domain.id.is_some());
                    instance.stopped = past.stopped;
                    instance.told = past.told;
                    Arc::new(instance)
                })
                .collect();
            instances.sort_unstable_by(|a, b| a.domain.name.cmp(&b.domain.name));
            let (running, inactive): (Vec<_>, Vec<_>) =
                instances.into_iter().partition(|instance| instance.domain.id.is_some());
            let mut last_migrations = self.past.migrations();
            last_migrations.retain(|last| last.instance.is_admitted(filter));
            last_migrations
                .sort_unstable_by(|a, b| a.instance.domain.name.cmp(&b.instance.domain.name));
            let instances = self.entries.values().map(|entry| &entry.instance);
            let unread = instances.filter(|instance| {
                instance.metadata == Metadata::Unknown && !instance.is_admitted(filter)
            });
            *domains = Some(Domains {
                unread: unread.cloned().map(Arc::new).collect(),
                running: running.into(),
                inactive: inactive.into(),
                last_migrations: last_migrations.into(),
                count: self.entries.len(),
            });
        }
        mem::take(&mut self.changed)
    }
}

/// What is wrong with those that could not be read.
const READING: &str = "reading";

impl Entry {
    fn new(domain: Domain, now: Instant) -> Self {
        Self {
            instance: Instance::new(domain),
            due: now,
            reading: false,
            again: false,
            retry: RETRY,
        }
    }

    fn make_due(&mut self, now: Instant) {
        if self.reading {
            self.again = true;
        } else {
            self.due = self.due.min(now);
        }
    }
}

/// When to read a domain again without an event: somewhere in the second half
/// of [`SWEEP`], by its UUID, so that not all are read at once.
fn sweep_of(uuid: Uuid) -> Duration {
    let [.., last] = uuid.0;
    SWEEP.mul_f64(0.5 + f64::from(last) / 512.0)
}

/// The pause after a reading that failed; twice as long each time that it fails again.
const RETRY: Duration = Duration::from_secs(1);
/// The longest such pause.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// When to look again at a domain in which a call hangs.
const SILENCE: Duration = Duration::from_secs(1);
