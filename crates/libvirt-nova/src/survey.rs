//! Full statistics, when scraped: small calls, a few in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.
//!
//! * [`ask`]: what is asked, and what comes of it
//! * [`pace`]: how many domains a call asks for, and how long it may take
//! * [`standing`]: who is asked first

use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use libvirt_client::{Calls, WINDOW};
use libvirt_wire::{
    Domain, Uuid,
    call::{ConnectGetAllDomainStats, Groups},
};
use tokio::time::{self, Instant};

use self::{
    ask::{Ask, Failed, PROCEDURE, readings},
    pace::Pace,
    standing::{Given, Standings},
};
use crate::{
    care::Care, headroom::Headroom, inventory::Roster, stats::DomainStats, trouble::Troubles,
};

mod ask;
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
    /// The domains of which calls came to an end, whichever.
    tried: HashSet<Uuid>,
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
    /// The time was over before their turn came.
    pub(crate) deadline: usize,
}

impl Surveyor {
    /// `monitor` is the connection for calls that may hang, `lookups` for those that
    /// wait for no guest.
    pub(crate) fn new(monitor: Calls, lookups: Calls, care: Care, troubles: Arc<Troubles>) -> Self {
        let headroom = Headroom::new(lookups, care.clone());
        Self { calls: monitor, headroom, care, troubles, memory: Mutex::default() }
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
        let careful = self.care.window() < WINDOW;
        let (good, lacking) = self.memory().standings.sort(askable.clone(), careful);

        let mut survey = Survey::default();
        let mut queue = VecDeque::from([Ask::first(&good)]);
        // A call in which one of them hangs must not take the others with it.
        queue.extend(lacking.chunks(1).map(Ask::again));
        // Some time is kept for what needs no monitor.
        let left = until.saturating_duration_since(began);
        let monitor_until = began.checked_add(left.mul_f64(MONITOR_SHARE)).unwrap_or(until);
        self.ask(queue, &askable, GROUPS, monitor_until, &mut survey).await;
        let is_stopped = self.care.window() == 0;
        let tried = mem::take(&mut survey.tried);

        let is_missing = |domain: &&Domain| {
            let uuid = domain.uuid;
            !survey.readings.contains_key(&uuid) && !survey.ended.contains(&uuid)
        };
        let rest: Vec<_> = askable.iter().copied().filter(is_missing).collect();
        let queue = VecDeque::from([Ask::again(&rest)]);
        self.ask(queue, &askable, Groups::JOB_FREE, until, &mut survey).await;

        survey.skipped.held = held.len();
        let mut memory = self.memory();
        for domain in askable.into_iter().chain(held) {
            let uuid = domain.uuid;
            let given = match survey.readings.get(&uuid) {
                None => Given::Nothing,
                Some(reading) if reading.stats.is_starting => Given::Nothing,
                Some(reading) if reading.stats.is_complete() => Given::All,
                Some(_) => Given::Part,
            };
            // Who was not asked is as he was.
            if tried.contains(&uuid) {
                memory.standings.note(domain, given, began);
            } else if is_stopped {
                survey.skipped.abandoned = survey.skipped.abandoned.saturating_add(1);
            } else if !self.care.is_held(domain) {
                survey.skipped.deadline = survey.skipped.deadline.saturating_add(1);
            }
            let is_silent = survey.tried.contains(&uuid) || self.care.is_held(domain);
            if given == Given::Nothing && is_silent && !memory.standings.is_read(domain) {
                survey.unbegun.insert(uuid);
            }
        }
        drop(memory);
        survey
    }

    /// Works a queue off, as far as time and the calls that hang allow.
    async fn ask<'d>(
        &self,
        mut queue: VecDeque<Ask<'d>>,
        askable: &[&Domain],
        groups: Groups,
        until: Instant,
        survey: &mut Survey,
    ) {
        let needs_monitor = groups != Groups::JOB_FREE;
        let grace = until.checked_add(GRACE).unwrap_or(until);
        let mut asked = FuturesUnordered::new();
        // Those that were in flight when a connection broke, one of which broke it.
        let mut suspects = VecDeque::new();
        let mut is_pinched = false;
        loop {
            if asked.is_empty() && queue.is_empty() {
                queue.extend(suspects.pop_front());
            }
            let window = if needs_monitor { self.care.window() } else { self.care.lookups() };
            while Instant::now() < until
                && asked.len() < window
                && let Some(ask) = self.next(&mut queue, window)
            {
                if mem::take(&mut is_pinched) {
                    let others = others(askable, ask.domains);
                    let _ = time::timeout_at(until, self.headroom.make(&others)).await;
                }
                asked.push(self.call(ask, groups, until));
            }
            // What is in flight when the time is over is likely to be here in a moment.
            let Ok(Some(first)) = time::timeout_at(grace, asked.next()).await else { return };
            let mut next = Some(first);
            while let Some((ask, outcome)) = next {
                is_pinched |= matches!(&outcome, Err(Failed::Call(error)) if error.is_timeout());
                self.take(ask, outcome, groups, &mut queue, &mut suspects, survey);
                next = asked.next().now_or_never().flatten();
            }
        }
    }

    /// Takes over what came of a call.
    fn take<'d>(
        &self,
        ask: Ask<'d>,
        outcome: Result<HashMap<Uuid, Reading>, Failed>,
        groups: Groups,
        queue: &mut VecDeque<Ask<'d>>,
        suspects: &mut VecDeque<Ask<'d>>,
        survey: &mut Survey,
    ) {
        match outcome {
            Ok(readings) => {
                for one in ask.domains.chunks(1) {
                    let [domain] = one else { continue };
                    survey.tried.insert(domain.uuid);
                    self.troubles.clear(domain.uuid, PROCEDURE);
                    match readings.get(&domain.uuid) {
                        None => {
                            survey.ended.insert(domain.uuid);
                        }
                        // Somebody holds its job for a moment: Nova, another exporter.
                        Some(reading)
                            if groups != Groups::JOB_FREE
                                && !ask.is_again
                                && !reading.stats.is_complete()
                                && !self.care.is_hung(domain) =>
                        {
                            queue.push_back(Ask::again(one));
                        }
                        Some(_) => {}
                    }
                }
                survey.readings.extend(readings);
            }
            // Each alone, behind the others: they are likely to answer.
            Err(_) if ask.domains.len() > 1 => {
                queue.extend(ask.domains.chunks(1).map(Ask::again));
            }
            Err(error) if error.is_disconnected() && !ask.is_suspect => {
                suspects.push_back(Ask { is_suspect: true, ..ask });
            }
            Err(error) => {
                for domain in ask.domains {
                    survey.tried.insert(domain.uuid);
                    match &error {
                        Failed::Call(error) => self.troubles.note(domain, error),
                        Failed::Stranger => self.troubles.tell(domain, PROCEDURE, &error),
                    }
                }
            }
        }
    }

    /// Takes the domains of the next call off a queue.
    fn next<'d>(&self, queue: &mut VecDeque<Ask<'d>>, window: usize) -> Option<Ask<'d>> {
        while let Some(ask) = queue.pop_front() {
            let size = if window == 1 { 1 } else { self.memory().pace.size(ask.domains.len()) };
            let (domains, later) = ask.domains.split_at(size.min(ask.domains.len()));
            if !later.is_empty() {
                queue.push_front(Ask { domains: later, ..ask });
            }
            if !domains.is_empty() {
                return Some(Ask { domains, ..ask });
            }
        }
        None
    }

    async fn call<'d>(
        &self,
        ask: Ask<'d>,
        groups: Groups,
        until: Instant,
    ) -> (Ask<'d>, Result<HashMap<Uuid, Reading>, Failed>) {
        let domains = ask.domains;
        let began = Instant::now();
        let patience = self.memory().pace.deadline(domains.len());
        let left = until.saturating_duration_since(began).saturating_add(GRACE);
        let call = ConnectGetAllDomainStats { domains, groups };
        let called = self.calls.call(&call, patience.min(left)).await;
        match &called {
            Ok(reply) if groups != Groups::JOB_FREE => {
                let took = reply.at().saturating_duration_since(began);
                self.memory().pace.observe(domains.len(), took);
            }
            Err(error) if error.is_timeout() => self.memory().pace.observe_timeout(),
            Ok(_) | Err(_) => {}
        }
        let readings = called.map_err(Failed::Call).and_then(|reply| {
            let stats = reply.decode().map_err(Failed::Call)?;
            readings(domains, &stats.records, reply.at())
        });
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

/// What the families need, and no more: each group costs libvirtd time.
const GROUPS: Groups = Groups::JOB_FREE.and(Groups::BALLOON).and(Groups::BLOCK);
/// What asking monitors may take of a survey's time.
const MONITOR_SHARE: f64 = 0.8;
/// How long after its time a survey still takes what it has asked for.
const GRACE: Duration = Duration::from_millis(50);
