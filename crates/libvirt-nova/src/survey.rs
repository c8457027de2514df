//! Full statistics, when scraped: small calls, a few in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.
//!
//! * [`ask`]: what is asked, and what comes of it
//! * [`found`]: what a survey knows of the domains it asked about
//! * [`late`]: replies that come after their deadline, and before the survey's end
//! * [`pace`]: how many domains a call asks for, and how long it may take
//! * [`standing`]: who is asked first

use std::{
    collections::{HashSet, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use libvirt_client::{Calls, Late, Unanswered, WINDOW};
use libvirt_wire::{
    Domain,
    call::{ConnectGetAllDomainStats, Groups},
};
use tokio::{
    select,
    time::{self, Instant},
};

pub(crate) use self::found::{Reading, Skipped, Survey};
use self::{
    ask::{Ask, Failed, PROCEDURE, Readings, readings},
    pace::Pace,
    standing::{Given, Standings},
};
use crate::{care::Care, headroom::Headroom, inventory::Roster, later::later, trouble::Troubles};

mod ask;
mod found;
mod late;
mod pace;
mod standing;

/// Who asks for statistics, and what he remembers.
#[derive(Debug)]
pub(crate) struct Surveyor {
    calls: Calls,
    headroom: Headroom,
    care: Care,
    troubles: Arc<Troubles>,
    groups: Groups,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    pace: Pace,
    standings: Standings,
}

impl Surveyor {
    /// `monitor` is the connection for calls that may hang, `lookups` for those that
    /// wait for no guest; `groups` is what the families need, and no more: each group costs
    /// libvirtd time.
    pub(crate) fn new(
        monitor: Calls,
        lookups: Calls,
        care: Care,
        troubles: Arc<Troubles>,
        groups: Groups,
    ) -> Self {
        let headroom = Headroom::new(lookups, care.clone());
        Self { calls: monitor, headroom, care, troubles, groups, memory: Mutex::default() }
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
        let mut sorted = askable.clone();
        let lacking: HashSet<_> = {
            let standings = &self.memory().standings;
            standings.sort(&mut sorted, careful);
            let lacking = sorted.iter().filter(|domain| standings.is_lacking(domain));
            lacking.map(|domain| domain.uuid).collect()
        };
        let is_lacking = |domain: &Domain| lacking.contains(&domain.uuid);
        // What hangs is to be met after what does not, and alone.
        let (hung, in_turn): (Vec<_>, Vec<_>) = sorted
            .into_iter()
            .partition(|domain| is_lacking(domain) && (careful || self.care.is_hung(domain)));
        let turns = in_turn.chunk_by(|one, next| !is_lacking(one) && !is_lacking(next));

        let mut survey = Survey::default();
        let mut queue: VecDeque<_> = turns
            .map(|domains| match domains {
                [domain] if is_lacking(domain) => Ask::again(domains),
                _ => Ask::first(domains),
            })
            .collect();
        queue.extend(hung.chunks(1).map(Ask::again));
        // Some time is kept for what needs no monitor.
        let left = until.saturating_duration_since(began);
        let monitor_until = began.checked_add(left.mul_f64(MONITOR_SHARE)).unwrap_or(until);
        self.ask(queue, &askable, self.groups, monitor_until, &mut survey).await;
        let is_stopped = self.care.window() == 0;
        let tried = mem::take(&mut survey.tried);

        let is_missing = |domain: &&Domain| {
            let uuid = domain.uuid;
            !survey.readings.contains_key(&uuid) && !survey.ended.contains(&uuid)
        };
        let rest: Vec<_> = askable.iter().copied().filter(is_missing).collect();
        let queue = VecDeque::from([Ask::again(&rest)]);
        self.ask(queue, &askable, Groups::JOB_FREE, until, &mut survey).await;
        // What libvirtd as a whole was late with is likely to be here in a moment.
        survey.linger(until.min(later(LINGER))).await;

        survey.skipped.held = held.len();
        let mut memory = self.memory();
        for domain in askable.into_iter().chain(held) {
            let uuid = domain.uuid;
            let given = match survey.readings.get(&uuid) {
                None => Given::Nothing,
                Some(reading) if reading.stats.is_starting() => Given::Nothing,
                Some(reading) if reading.stats.is_complete() => Given::All,
                Some(_) => Given::Part,
            };
            // Who was not asked is as he was.
            if tried.contains(&uuid) || given == Given::All {
                memory.standings.note(domain, given, began);
            } else if is_stopped {
                survey.skipped.abandoned = survey.skipped.abandoned.saturating_add(1);
            } else if !self.care.is_held(domain) {
                survey.skipped.deadline = survey.skipped.deadline.saturating_add(1);
            }
            // An error is no sign of it: libvirtd lets go of the domain to say it.
            let is_held = self.care.is_held(domain);
            if given == Given::Nothing && is_held && !memory.standings.is_read(domain) {
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
                // A reply that was late has been faster.
                if needs_monitor && ask.domains.iter().all(|domain| survey.has_all_of(&domain.uuid))
                {
                    continue;
                }
                if mem::take(&mut is_pinched) {
                    let others = others(askable, ask.domains);
                    let _ = time::timeout_at(until, self.headroom.make(&others)).await;
                }
                asked.push(self.call(ask, groups, until));
            }
            // What is in flight when the time is over is likely to be here in a moment.
            let first = select! {
                first = time::timeout_at(grace, asked.next()) => first,
                () = survey.take_late() => continue,
            };
            let Ok(Some(first)) = first else { return };
            let mut next = Some(first);
            while let Some((ask, outcome, late)) = next {
                is_pinched |= late.is_some();
                if let Some(late) = late {
                    survey.late.push(ask.domains, late);
                }
                self.take(ask, outcome, groups, &mut queue, &mut suspects, survey);
                next = asked.next().now_or_never().flatten();
            }
        }
    }

    /// Takes over what came of a call.
    fn take<'d>(
        &self,
        ask: Ask<'d>,
        outcome: Result<Readings, Failed>,
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
                    // What was told may have been of the monitor's part.
                    if groups != Groups::JOB_FREE {
                        self.troubles.clear(domain.uuid, PROCEDURE);
                    }
                    match readings.get(&domain.uuid) {
                        // One that is still there is in a reply of its own.
                        None if !ask.is_again => queue.push_back(Ask::again(one)),
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
                survey.take(readings);
            }
            // libvirtd has not seen it: there was no place on the connection.
            Err(Failed::Unsent) => queue.push_back(ask),
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
                        Failed::Stranger | Failed::Unsent => {
                            self.troubles.tell(domain, PROCEDURE, &error);
                        }
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
    ) -> (Ask<'d>, Result<Readings, Failed>, Option<Late>) {
        let domains = ask.domains;
        let began = Instant::now();
        let patience = self.memory().pace.deadline(domains.len());
        let left = until.saturating_duration_since(began).saturating_add(GRACE);
        let call = ConnectGetAllDomainStats { domains, groups };
        match self.calls.call_or_late(&call, patience.min(left)).await {
            Ok(reply) => {
                if groups != Groups::JOB_FREE {
                    let took = reply.at().saturating_duration_since(began);
                    self.memory().pace.observe(domains.len(), took);
                }
                (ask, readings(domains, &reply), None)
            }
            Err(Unanswered { error, late: None }) if error.is_timeout() => {
                (ask, Err(Failed::Unsent), None)
            }
            Err(Unanswered { error, late }) => {
                if error.is_timeout() {
                    self.memory().pace.observe_timeout();
                }
                (ask, Err(Failed::Call(error)), late)
            }
        }
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

/// What asking monitors may take of a survey's time.
const MONITOR_SHARE: f64 = 0.8;
/// How long a survey waits in the end for replies that are late.
const LINGER: Duration = Duration::from_millis(100);
/// How long after its time a survey still takes what it has asked for.
const GRACE: Duration = Duration::from_millis(50);
