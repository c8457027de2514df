//! The mirror of libvirtd's domains.
//!
//! Entries come and go with the listing alone; events only make their metadata
//! and XML due to be read again. What cannot be read stays as it was known
//! last, and is tried again after a pause.

use std::{
    collections::{BTreeMap, HashMap},
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
    Instance, Metadata, Roster, SWEEP,
    reading::{Facts, ReadError, read},
};
use crate::{
    care::Care,
    fault::{Change, chain},
    later::later,
};

/// The mirror of libvirtd's domains.
#[derive(Debug)]
pub(super) struct Mirror {
    calls: Calls,
    care: Care,
    /// How many events have come.
    happenings: Arc<AtomicU64>,
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
    fault: Change,
    /// The pause after the next reading that fails.
    retry: Duration,
}

impl Mirror {
    pub(super) fn new(calls: Calls, care: Care, happenings: Arc<AtomicU64>) -> Self {
        let (entries, readings) = (HashMap::new(), JoinSet::new());
        Self { calls, care, happenings, entries, readings, is_listed: false, changed: false }
    }

    /// Takes over which domains run, and forgets the others.
    pub(super) fn take_list(&mut self, domains: Vec<Domain>) {
        self.is_listed = true;
        let now = Instant::now();
        let listed: BTreeMap<Uuid, Domain> =
            domains.into_iter().map(|domain| (domain.uuid, domain)).collect();
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
    }

    /// Makes due what an event may have changed. Returns whether domains may
    /// have come or gone.
    pub(super) fn take_event(&mut self, event: &Event) -> bool {
        self.happenings.fetch_add(1, Ordering::Relaxed);
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
                // Whatever its element holds, it is Nova's, and its CPU time is somebody's.
                // What the element held before is better.
                if matches!(error, ReadError::Nova(_))
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
                entry.fault.end();
                entry.retry = RETRY;
            }
            Some(error) => {
                pause = entry.retry;
                entry.retry = entry.retry.saturating_mul(2).min(RETRY_MAX);
                // A domain that is gone is an ordinary race, and a silent libvirtd
                // is told of once, not once a domain.
                if error.is_of_the_domain() && entry.fault.begin() {
                    tracing::warn!(domain = %domain.name, "{}", chain(&error));
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

    /// Brings a published roster up to date; returns whether it was not.
    pub(super) fn publish(&mut self, roster: &mut Option<Roster>) -> bool {
        self.changed |= self.is_listed && roster.is_none();
        if self.changed {
            let mut instances: Vec<_> =
                self.entries.values().map(|entry| Arc::new(entry.instance.clone())).collect();
            instances.sort_by(|a, b| a.domain.name.cmp(&b.domain.name));
            *roster = Some(instances.into());
        }
        mem::take(&mut self.changed)
    }
}

impl Entry {
    fn new(domain: Domain, now: Instant) -> Self {
        let uuid = domain.uuid.to_string();
        let instance = Instance { domain, uuid, metadata: Metadata::Unknown, devices: None };
        Self {
            instance,
            due: now,
            reading: false,
            again: false,
            fault: Change::default(),
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
