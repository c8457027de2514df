//! Full statistics, when scraped: small calls, a few in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.
//!
//! * [`pace`]: how many domains a call asks for, and how long it may take
//! * [`standing`]: who is asked first

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{CallError, Calls, WINDOW};
use libvirt_wire::{
    Call, Domain, Procedure, Uuid,
    call::{ConnectGetAllDomainStats, DomainStatsRecord, Groups},
};
use tokio::time::{self, Instant};

use self::{
    pace::Pace,
    standing::{Given, Standings},
};
use crate::{
    care::Care, headroom::Headroom, inventory::Roster, stats::DomainStats, trouble::Troubles,
};

mod pace;
mod standing;

/// Who asks for statistics, and what he remembers.
#[derive(Debug)]
pub(crate) struct Surveyor {
    calls: Calls,
    headroom: Headroom,
    care: Care,
    troubles: Arc<Troubles>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    pace: Pace,
    standings: Standings,
}

/// What a survey knows of the domains it asked about.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// What each domain gave that gave something.
    pub(crate) readings: HashMap<Uuid, Reading>,
    /// The domains that libvirtd left out: they have ended.
    pub(crate) ended: HashSet<Uuid>,
    /// The domains that have given nothing yet: libvirtd holds those that it is starting.
    pub(crate) unbegun: HashSet<Uuid>,
    pub(crate) skipped: Skipped,
}

/// The statistics of one domain.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) stats: DomainStats,
    /// When libvirtd gave them.
    pub(crate) at: Instant,
}

/// How many domains were not asked for all they have, and why not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Every call would hang in them: not asked at all.
    pub(crate) held: usize,
    /// So many calls hang that no monitor is asked.
    pub(crate) abandoned: usize,
    /// The time was over.
    pub(crate) deadline: usize,
}

impl Surveyor {
    /// `monitor` is the connection for calls that may hang, `lookups` for those that
    /// wait for no guest.
    pub(crate) fn new(monitor: Calls, lookups: Calls, care: Care, troubles: Arc<Troubles>) -> Self {
        let headroom = Headroom::new(lookups, care.clone());
        Self { calls: monitor, headroom, care, troubles, memory: Mutex::default() }
    }

    /// Whether a domain gave less than all to the last survey.
    pub(crate) fn is_lacking(&self, domain: &Domain) -> bool {
        self.memory().standings.is_lacking(domain)
    }

    /// Asks for the statistics of `roster`; at `until` it ends with what it has.
    ///
    /// Whoever does not give all in time, or must not be asked for it, is asked for
    /// what needs no monitor.
    pub(crate) async fn survey(&self, roster: &Roster, until: Instant) -> Survey {
        let began = Instant::now();
        let domains = roster.iter().map(|instance| &instance.domain);
        let (held, askable): (Vec<_>, Vec<_>) = domains.partition(|it| self.care.is_held(it));
        self.memory().standings.keep(roster.iter().map(|instance| &instance.domain));
        let (good, lacking) = self.memory().standings.sort(askable.clone());

        let mut survey = Survey::default();
        survey.skipped.held = held.len();
        let mut queue = VecDeque::from([Ask { domains: &good, is_second: false }]);
        // A call in which one of them hangs must not take the others with it.
        queue.extend(lacking.chunks(1).map(|domains| Ask { domains, is_second: true }));
        // Some time is kept for what needs no monitor.
        let left = until.saturating_duration_since(began);
        let monitor_until = began.checked_add(left.mul_f64(MONITOR_SHARE)).unwrap_or(until);
        let unasked = self.ask(queue, &askable, GROUPS, monitor_until, &mut survey).await;
        match self.care.window() {
            0 => survey.skipped.abandoned = unasked,
            _ => survey.skipped.deadline = unasked,
        }

        let is_missing = |domain: &&Domain| {
            let uuid = domain.uuid;
            !survey.readings.contains_key(&uuid) && !survey.ended.contains(&uuid)
        };
        let rest: Vec<_> = askable.iter().copied().filter(is_missing).collect();
        let queue = VecDeque::from([Ask { domains: &rest, is_second: true }]);
        self.ask(queue, &askable, Groups::JOB_FREE, until, &mut survey).await;

        let mut memory = self.memory();
        for domain in askable.into_iter().chain(held) {
            let given = match survey.readings.get(&domain.uuid) {
                None => Given::Nothing,
                Some(reading) if reading.stats.is_starting => Given::Nothing,
                Some(reading) if reading.stats.is_complete() => Given::All,
                Some(_) => Given::Part,
            };
            memory.standings.note(domain, given, began);
            if !memory.standings.is_read(domain) {
                survey.unbegun.insert(domain.uuid);
            }
        }
        drop(memory);
        survey
    }

    /// Works a queue off. Returns how many domains are left in it, because the time
    /// is over or too many calls hang.
    async fn ask<'d>(
        &self,
        mut queue: VecDeque<Ask<'d>>,
        askable: &[&Domain],
        groups: Groups,
        until: Instant,
        survey: &mut Survey,
    ) -> usize {
        let needs_monitor = groups != Groups::JOB_FREE;
        let mut asked = FuturesUnordered::new();
        loop {
            let window = if needs_monitor { self.care.window() } else { WINDOW };
            while asked.len() < window
                && let Some(ask) = self.next(&mut queue, window)
            {
                asked.push(self.call(ask, groups, until));
            }
            let Ok(Some((ask, outcome))) = time::timeout_at(until, asked.next()).await else {
                return queue.iter().map(|ask| ask.domains.len()).sum();
            };
            match outcome {
                Ok(readings) => {
                    for one in ask.domains.chunks(1) {
                        let [domain] = one else { continue };
                        self.troubles.clear(domain.uuid, PROCEDURE);
                        match readings.get(&domain.uuid) {
                            None => {
                                survey.ended.insert(domain.uuid);
                            }
                            // Somebody holds its job for a moment: Nova, another exporter.
                            Some(reading)
                                if !ask.is_second
                                    && !reading.stats.is_complete()
                                    && !self.care.is_hung(domain) =>
                            {
                                queue.push_back(Ask { domains: one, is_second: true });
                            }
                            Some(_) => {}
                        }
                    }
                    survey.readings.extend(readings);
                }
                Err(error) => {
                    if error.is_timeout() {
                        self.headroom.make(&others(askable, ask.domains)).await;
                    }
                    match ask.domains {
                        [domain] => self.troubles.note(domain, &error),
                        // Each alone, behind the others: they are likely to answer.
                        domains => {
                            let each = domains.chunks(1);
                            queue.extend(each.map(|domains| Ask { domains, is_second: true }));
                        }
                    }
                }
            }
        }
    }

    /// Takes the domains of the next call off a queue.
    fn next<'d>(&self, queue: &mut VecDeque<Ask<'d>>, window: usize) -> Option<Ask<'d>> {
        while let Some(Ask { domains, is_second }) = queue.pop_front() {
            let size = if window == 1 { 1 } else { self.memory().pace.size(domains.len()) };
            let (domains, later) = domains.split_at(size.min(domains.len()));
            if !later.is_empty() {
                queue.push_front(Ask { domains: later, is_second });
            }
            if !domains.is_empty() {
                return Some(Ask { domains, is_second });
            }
        }
        None
    }

    async fn call<'d>(
        &self,
        ask: Ask<'d>,
        groups: Groups,
        until: Instant,
    ) -> (Ask<'d>, Result<HashMap<Uuid, Reading>, CallError>) {
        let domains = ask.domains;
        let began = Instant::now();
        let patience = self.memory().pace.deadline(domains.len());
        let deadline = patience.min(until.saturating_duration_since(began));
        let called = self.calls.call(&ConnectGetAllDomainStats { domains, groups }, deadline).await;
        let at = Instant::now();
        let readings = called.and_then(|reply| {
            let reading = |record: &DomainStatsRecord<'_>| {
                (record.domain.uuid, Reading { stats: DomainStats::new(&record.params), at })
            };
            Ok(reply.decode()?.records.iter().map(reading).collect())
        });
        match &readings {
            Ok(_) if groups != Groups::JOB_FREE => {
                self.memory().pace.observe(domains.len(), at.duration_since(began));
            }
            Err(error) if error.is_timeout() => self.memory().pace.observe_timeout(),
            Ok(_) | Err(_) => {}
        }
        (ask, readings)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it holds the lock.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns all but `some`, or those where there are no others.
fn others<'d>(all: &[&'d Domain], some: &[&'d Domain]) -> Vec<&'d Domain> {
    let others = all.iter().copied().filter(|domain| !some.contains(domain));
    let others: Vec<_> = others.take(WINDOW).collect();
    if others.is_empty() { some.to_vec() } else { others }
}

/// Domains to ask for.
#[derive(Clone, Copy, Debug)]
struct Ask<'d> {
    domains: &'d [&'d Domain],
    /// Whether they are not to be asked once more where they give less than all.
    is_second: bool,
}

const PROCEDURE: Procedure = <ConnectGetAllDomainStats<'_> as Call>::PROCEDURE;
/// What the families need, and no more: each group costs libvirtd time.
const GROUPS: Groups = Groups::JOB_FREE.and(Groups::BALLOON).and(Groups::BLOCK);
/// What asking monitors may take of a survey's time.
const MONITOR_SHARE: f64 = 0.8;
