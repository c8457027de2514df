//! What has happened to domains, for as long as it is told of.
//!
//! It is kept by UUID: a domain that stops and starts again is the same one to whoever
//! counts its crashes, and one that has migrated away has none of its own any more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use libvirt_wire::{Event, EventKind, Uuid};
use tokio::time::Instant;

use super::{Instance, events::EventCounts};
use crate::stats::{Job, State};

/// What has happened to domains.
#[derive(Debug, Default)]
pub(crate) struct Past(Mutex<HashMap<Uuid, Chronicle>>);

/// What has happened to one.
#[derive(Clone, Debug)]
pub(super) struct Chronicle {
    pub(super) events: Arc<EventCounts>,
    /// When the run began that goes on, where that was seen.
    pub(super) started: Option<SystemTime>,
    /// Since when the guest has been standing still, where that was seen.
    pub(super) stopped: Option<SystemTime>,
    /// The state that the last event told of, and when.
    pub(super) told: Option<(State, Instant)>,
    last_migration: Option<Arc<LastJob>>,
    /// When something happened last.
    at: Instant,
}

/// The last migration of a domain away from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastJob {
    /// The domain as it was known then: soon there is nobody to ask.
    pub(crate) instance: Instance,
    /// When libvirt said that it was over.
    pub(crate) at: SystemTime,
    /// What it came to.
    pub(crate) job: Job,
}

impl Past {
    /// Takes note of an event; `instance` is the domain as far as it is known.
    pub(super) fn note(&self, event: &Event, instance: Option<&Instance>) {
        let mut chronicles = self.chronicles();
        let past = chronicles.entry(event.domain.uuid).or_default();
        Arc::make_mut(&mut past.events).note(&event.kind);
        past.at = Instant::now();
        match &event.kind {
            EventKind::Lifecycle { event, detail } => past.note_lifecycle(*event, *detail),
            EventKind::JobCompleted { params } => {
                let job = Job::new(None, params);
                if job.is_migration_away() {
                    let unknown = || Instance::new(event.domain.clone());
                    let instance = instance.cloned().unwrap_or_else(unknown);
                    let last = LastJob { instance, at: SystemTime::now(), job };
                    past.last_migration = Some(Arc::new(last));
                }
            }
            EventKind::Reboot
            | EventKind::Watchdog { .. }
            | EventKind::IoError { .. }
            | EventKind::DeviceAdded { .. }
            | EventKind::DeviceRemoved { .. }
            | EventKind::DeviceRemovalFailed { .. }
            | EventKind::MigrationIteration { .. }
            | EventKind::MetadataChange { .. } => {}
        }
    }

    /// What has happened to a domain.
    pub(super) fn of(&self, uuid: Uuid) -> Chronicle {
        self.chronicles().get(&uuid).cloned().unwrap_or_default()
    }

    /// Forgets when runs began and guests were stopped: nobody has listened for a while.
    pub(super) fn forget_times(&self) {
        for past in self.chronicles().values_mut() {
            (past.started, past.stopped, past.told) = (None, None, None);
        }
    }

    /// Forgets the domains that are no more; those that have migrated after [`FAREWELL`].
    /// Returns whether there are fewer.
    pub(super) fn keep(&self, is_there: impl Fn(&Uuid) -> bool) -> bool {
        let mut chronicles = self.chronicles();
        let before = chronicles.len();
        let mut farewells = 0_usize;
        chronicles.retain(|uuid, past| {
            let is_told = past.last_migration.is_some() && past.at.elapsed() < FAREWELL;
            // Hosts are emptied, but not of so many guests in ten minutes.
            let is_kept = is_told && farewells < FAREWELLS_MAX;
            farewells = farewells.saturating_add(usize::from(is_kept));
            is_kept || is_there(uuid)
        });
        chronicles.len() != before
    }

    /// The last migrations of domains, those that have gone included.
    pub(super) fn migrations(&self) -> Vec<Arc<LastJob>> {
        self.chronicles().values().filter_map(|past| past.last_migration.clone()).collect()
    }

    fn chronicles(&self) -> MutexGuard<'_, HashMap<Uuid, Chronicle>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chronicle {
    fn note_lifecycle(&mut self, event: i32, detail: i32) {
        let now = Some(SystemTime::now());
        let state = match event {
            STARTED | RESUMED => Some(State::Running),
            SUSPENDED => Some(State::Paused),
            SHUTDOWN => Some(State::Shutdown),
            PMSUSPENDED => Some(State::Pmsuspended),
            CRASHED => Some(State::Crashed),
            _ => None,
        };
        if let Some(state) = state {
            self.told = Some((state, Instant::now()));
        }
        match (event, detail) {
            // One that wakes up or is recovered goes on counting.
            (STARTED, WAKEUP | RECOVERED) | (RESUMED, _) => self.stopped = None,
            (STARTED, _) => (self.started, self.stopped) = (now, None),
            (STOPPED, _) => (self.started, self.stopped) = (None, None),
            // Two such events, and it has been standing still since the first.
            (SUSPENDED | PMSUSPENDED | CRASHED, _) => self.stopped = self.stopped.or(now),
            _ => {}
        }
    }
}

impl Default for Chronicle {
    fn default() -> Self {
        Self {
            events: Arc::default(),
            started: None,
            stopped: None,
            told: None,
            last_migration: None,
            at: Instant::now(),
        }
    }
}

/// `VIR_DOMAIN_EVENT_STARTED`
const STARTED: i32 = 2;
/// `VIR_DOMAIN_EVENT_STARTED_WAKEUP`
const WAKEUP: i32 = 4;
/// `VIR_DOMAIN_EVENT_STARTED_RECOVERED`
const RECOVERED: i32 = 5;
/// `VIR_DOMAIN_EVENT_SUSPENDED`
const SUSPENDED: i32 = 3;
/// `VIR_DOMAIN_EVENT_RESUMED`
const RESUMED: i32 = 4;
/// `VIR_DOMAIN_EVENT_SHUTDOWN`
const SHUTDOWN: i32 = 6;
/// `VIR_DOMAIN_EVENT_PMSUSPENDED`
const PMSUSPENDED: i32 = 7;
/// `VIR_DOMAIN_EVENT_CRASHED`
const CRASHED: i32 = 8;
/// `VIR_DOMAIN_EVENT_STOPPED`
const STOPPED: i32 = 5;
/// How long a migration is told of after its domain has gone: several scrapes of whoever
/// scrapes seldom.
const FAREWELL: Duration = Duration::from_mins(10);
/// Domains that have gone and are told of.
const FAREWELLS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use libvirt_wire::{Domain, TypedParam, Value};

    use super::*;

    fn is_told(operation: i32) -> bool {
        let domain = Domain { name: "moved".into(), uuid: Uuid([1; 16]), id: Some(1) };
        let field = "operation".into();
        let params = vec![TypedParam { field, value: Value::Int(operation) }];
        let past = Past::default();
        past.note(&Event { domain, kind: EventKind::JobCompleted { params } }, None);
        !past.migrations().is_empty()
    }

    #[test]
    fn a_run_begins_with_its_start_and_a_guest_stands_still_until_it_goes_on() {
        let mut past = Chronicle::default();
        let mut note = |event, detail| {
            past.note_lifecycle(event, detail);
            (past.started.is_some(), past.stopped)
        };
        assert_eq!(note(RESUMED, 0), (false, None));
        assert_eq!(note(STARTED, 0), (true, None));
        let stopped = note(SUSPENDED, 0).1;
        assert!(stopped.is_some());
        assert_eq!(note(SUSPENDED, 2).1, stopped, "since the first");
        assert_eq!(note(RESUMED, 0), (true, None));
        assert!(note(PMSUSPENDED, 0).1.is_some());
        assert_eq!(note(STOPPED, 0), (false, None));
        assert_eq!(note(STARTED, WAKEUP), (false, None), "its counters go on");
    }

    #[test]
    fn a_state_is_that_of_the_last_event_that_tells_of_one() {
        let mut past = Chronicle::default();
        let mut told = |event| {
            past.note_lifecycle(event, 0);
            past.told.map(|(state, _)| state)
        };
        assert_eq!(told(STOPPED), None);
        assert_eq!(told(STARTED), Some(State::Running));
        assert_eq!(told(SUSPENDED), Some(State::Paused));
        assert_eq!(told(RESUMED), Some(State::Running));
        assert_eq!(told(PMSUSPENDED), Some(State::Pmsuspended));
        assert_eq!(told(CRASHED), Some(State::Crashed));
        assert_eq!(told(SHUTDOWN), Some(State::Shutdown));
    }

    /// A dump, and the arrival of a migration, are jobs as well.
    #[test]
    fn of_all_jobs_migrations_away_are_told_of() {
        assert!(is_told(5));
        assert!(!is_told(4) && !is_told(8));
    }
}
