//! CPU time, read once each interval and for each scrape.
//!
//! Only calls that take neither a domain's job nor its monitor: a QEMU that
//! does not answer cannot hold them up. A domain that libvirtd holds for another
//! reason costs a round one deadline, and is left alone until that call comes back.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{CallError, Calls, Client, WINDOW};
use libvirt_wire::{
    Procedure, RemoteError, Uuid,
    call::{
        ConnectGetHostname, ControlState, CpuStats, DomainGetControlInfo, DomainGetCpuStats,
        DomainGetInfo,
    },
};
use tokio::time::{self, Instant};

use crate::{
    care::Care,
    fault::chain,
    inventory::{Instance, Roster},
    trouble::Troubles,
};

/// The CPU times of one round, by domain.
///
/// A domain that libvirtd did not answer for is not in it.
pub(crate) type CpuTimes = HashMap<Uuid, CpuReading>;

/// The CPU time of a domain, and when it was so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuReading {
    pub(crate) cpu: CpuTime,
    /// Between the question and the answer: half of that is the most that it can be wrong by.
    pub(crate) at: Instant,
}

/// The CPU time of a domain since its QEMU started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    pub(crate) total: Option<Duration>,
    /// In user mode. The process' has only a total.
    pub(crate) user: Option<Duration>,
    /// In the kernel.
    pub(crate) system: Option<Duration>,
}

/// What is known of the host's CPU times.
#[derive(Debug)]
pub(crate) struct Poll {
    calls: Calls,
    feed: Client,
    care: Care,
    troubles: Arc<Troubles>,
    source: Arc<OnceLock<Source>>,
    refusals: Mutex<Refusals>,
}

/// Rounds in a row in which libvirtd refused a domain's CPU time.
#[derive(Debug, Default)]
struct Refusals(HashMap<Uuid, u32>);

/// Where a daemon's CPU times come from. The two count different things: a
/// counter that changed from one to the other would jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The domain's cgroup, by procedure 262.
    Cgroup,
    /// The QEMU process, by procedure 16: where guests run without cgroups.
    Process,
}

impl Poll {
    /// `feed` is where libvirtd's silence is told from a domain's; `source` is decided
    /// once, and outlives a session: a libvirtd that has just started may refuse what it
    /// gave before.
    pub(crate) fn new(
        calls: Calls,
        feed: Client,
        care: Care,
        troubles: Arc<Troubles>,
        source: Arc<OnceLock<Source>>,
    ) -> Self {
        Self { calls, feed, care, troubles, source, refusals: Mutex::default() }
    }

    /// Where CPU times come from, once that is decided.
    pub(crate) fn source(&self) -> Option<Source> {
        self.source.get().copied()
    }

    /// Asks for the CPU time of all; at `until` it ends with what it has.
    ///
    /// Rounds do not wait for each other: one that meets a domain that hangs
    /// takes its time. Dropping the future gives the round up.
    pub(crate) async fn round(&self, roster: &Roster, until: Instant) -> CpuTimes {
        match self.source.get() {
            Some(Source::Process) => self.times(Source::Process, roster, until).await.times,
            Some(Source::Cgroup) => self.cgroup_times(roster, until).await.times,
            None => {
                let Answers { times, refused, is_silent } = self.cgroup_times(roster, until).await;
                if !times.is_empty() {
                    return self.decide(Source::Cgroup, times);
                }
                if refused.is_empty() || is_silent {
                    return times;
                }
                // Refused for everybody. Either all of them have just ended, or libvirtd has not
                // met their QEMUs again since it started, or there are no cgroups; a domain that
                // runs and answers decides it.
                let times = self.times(Source::Process, roster, until).await.times;
                let is_sure = self.any_is_well(roster, &times, until).await;
                if is_sure { self.decide(Source::Process, times) } else { CpuTimes::new() }
            }
        }
    }

    /// Decides for a source, and returns its times; none where a round beside this one has
    /// just decided for the other.
    fn decide(&self, source: Source, times: CpuTimes) -> CpuTimes {
        let decided = *self.source.get_or_init(|| {
            if source == Source::Process {
                tracing::info!("guests run without cgroups: CPU time is their process's");
            }
            source
        });
        if decided == source { times } else { CpuTimes::new() }
    }

    async fn cgroup_times<'r>(&self, roster: &'r Roster, until: Instant) -> Answers<'r> {
        let answers = self.times(Source::Cgroup, roster, until).await;
        self.refusals().note(&answers.refused, &self.troubles);
        answers
    }

    /// Whether QEMU answers libvirt in any of the domains that have a CPU time, or libvirt
    /// has no word for it.
    async fn any_is_well(&self, roster: &Roster, times: &CpuTimes, until: Instant) -> bool {
        for domain in roster.iter().map(|instance| &instance.domain) {
            if !times.contains_key(&domain.uuid) {
                continue;
            }
            let Some(_place) = self.care.place().await else { return false };
            let call = DomainGetControlInfo { domain };
            let asking = self.calls.call(&call, CALL_DEADLINE);
            let Ok(called) = time::timeout_at(until, asking).await else { return false };
            let is_well = match called.and_then(|reply| reply.decode()) {
                Ok(info) => info.state == Some(ControlState::Ok),
                Err(error) => error.refusal().is_some_and(RemoteError::is_no_support),
            };
            if is_well {
                return true;
            }
        }
        false
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        // Nothing panics while it holds the lock.
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the CPU time of all but those that libvirtd holds.
    async fn times<'r>(&self, source: Source, roster: &'r Roster, until: Instant) -> Answers<'r> {
        let instances = roster.iter().map(|instance| &**instance);
        let (held, askable): (Vec<_>, Vec<_>) =
            instances.partition(|instance| self.care.is_held(&instance.domain));
        let mut answers = Answers::default();
        // Where one of them breaks the connection, it breaks it for four.
        let lost = self.ask(source, askable, WINDOW, until, &mut answers).await;
        let lost = self.ask(source, lost, 1, until, &mut answers).await;
        answers.is_silent |= !lost.is_empty() || !held.is_empty();
        let long = held.into_iter().filter_map(|instance| {
            let since = self.care.held_since(&instance.domain)?.elapsed();
            (since >= HELD_TOLD).then_some((instance, since))
        });
        let long: Vec<_> = long.collect();
        // Where nobody gets an answer, it is libvirtd that hangs.
        let heard = !answers.times.is_empty() || !answers.refused.is_empty();
        if !long.is_empty() && (heard || self.is_heard().await) {
            for (instance, since) in long {
                let what = format_args!(
                    "{PROCEDURE}: no reply for {since:.1?}: libvirtd holds the domain"
                );
                self.troubles.tell(&instance.domain, PROCEDURE, what);
            }
        }
        for instance in answers.times.keys() {
            self.troubles.clear(*instance, PROCEDURE);
        }
        answers
    }

    /// Asks for CPU times, and returns those whose connection was lost.
    async fn ask<'r>(
        &self,
        source: Source,
        instances: Vec<&'r Instance>,
        window: usize,
        until: Instant,
        answers: &mut Answers<'r>,
    ) -> Vec<&'r Instance> {
        let mut waiting = instances.into_iter();
        let mut asked: FuturesUnordered<_> =
            waiting.by_ref().take(window).map(|instance| self.reading(source, instance)).collect();
        let mut lost = Vec::new();
        loop {
            let Ok(next) = time::timeout_at(until, asked.next()).await else {
                answers.is_silent = true;
                return lost;
            };
            let Some((instance, called)) = next else { return lost };
            asked.extend(waiting.next().map(|instance| self.reading(source, instance)));
            match called {
                Ok(Some(reading)) => drop(answers.times.insert(instance.domain.uuid, reading)),
                Ok(None) => answers.is_silent = true,
                Err(error) if is_refusal(&error) => answers.refused.push((instance, error)),
                Err(error) if error.is_disconnected() => lost.push(instance),
                Err(error) => {
                    answers.is_silent |= error.refusal().is_none();
                    self.troubles.note(&instance.domain, &error);
                }
            }
        }
    }

    async fn reading<'r>(
        &self,
        source: Source,
        instance: &'r Instance,
    ) -> (&'r Instance, Result<Option<CpuReading>, CallError>) {
        let domain = &instance.domain;
        let Some(_place) = self.care.place().await else { return (instance, Ok(None)) };
        let asked = Instant::now();
        let answer = match source {
            Source::Cgroup => {
                let called = self.calls.call(&DomainGetCpuStats { domain }, CALL_DEADLINE).await;
                called.and_then(|reply| {
                    let CpuStats { cpu_time: total, user_time: user, system_time: system } =
                        reply.decode()?;
                    Ok((total.map(|_| CpuTime { total, user, system }), reply.at()))
                })
            }
            Source::Process => {
                let called = self.calls.call(&DomainGetInfo { domain }, CALL_DEADLINE).await;
                called.and_then(|reply| {
                    let info = reply.decode()?;
                    let total = Some(info.cpu_time);
                    let cpu = info.is_active().then_some(CpuTime { total, ..CpuTime::default() });
                    Ok((cpu, reply.at()))
                })
            }
        };
        let reading = answer.map(|(cpu, answered)| {
            let took = answered.saturating_duration_since(asked);
            cpu.map(|cpu| CpuReading {
                cpu,
                at: asked.checked_add(took.mul_f64(0.5)).unwrap_or(asked),
            })
        });
        (instance, reading)
    }

    /// Whether libvirtd answers a call that concerns no domain.
    async fn is_heard(&self) -> bool {
        self.feed.call(&ConnectGetHostname, CALL_DEADLINE).await.is_ok()
    }
}

/// What libvirtd says of everybody's CPU time.
#[derive(Debug, Default)]
struct Answers<'r> {
    times: CpuTimes,
    /// Those that it has no time for.
    refused: Vec<(&'r Instance, CallError)>,
    /// Whether it said nothing of some.
    is_silent: bool,
}

/// Whether libvirtd has no cgroup's CPU time for a domain that it was asked about.
fn is_refusal(error: &CallError) -> bool {
    let refusal = error.refusal();
    refusal.is_some_and(|refusal| refusal.is_operation_invalid() || refusal.is_no_support())
}

impl Refusals {
    /// Logs a domain that is refused twice in a row: of one that has ended, an event
    /// has told the inventory by then, so this one runs and its CPU time is missing.
    fn note(&mut self, refused: &[(&Instance, CallError)], troubles: &Troubles) {
        let again: HashSet<_> = refused.iter().map(|(instance, _)| instance.domain.uuid).collect();
        self.0.retain(|uuid, _| again.contains(uuid));
        for (instance, error) in refused {
            let rounds = self.0.entry(instance.domain.uuid).or_default();
            *rounds = rounds.saturating_add(1);
            if *rounds == REFUSALS_TOLD {
                troubles.tell(&instance.domain, error.procedure(), chain(error));
            }
        }
    }
}

/// How long a call that needs no monitor may take; it takes half a millisecond.
const CALL_DEADLINE: Duration = Duration::from_secs(1);
/// How long libvirtd may hold a domain before the log says so: some seconds are what the
/// start and the end of a guest take on a busy host.
const HELD_TOLD: Duration = Duration::from_secs(5);
const PROCEDURE: Procedure = Procedure::DOMAIN_GET_CPU_STATS;
/// Refusals in a row that are worth a line in the log.
const REFUSALS_TOLD: u32 = 2;
