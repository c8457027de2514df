//! CPU time, read once each interval and for each scrape.
//!
//! Only calls that take neither a domain's job nor its monitor: no guest,
//! however stuck, can hold a round up.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use libvirt_client::{CallError, Client, WINDOW};
use libvirt_wire::{
    Uuid,
    call::{DomainGetCpuStats, DomainGetInfo, DomainInfo},
};
use tokio::{
    sync::Mutex,
    time::{self, Instant, MissedTickBehavior},
};

use crate::{
    fault::chain,
    inventory::{Instance, Inventory, Roster},
};

/// The CPU times of one round, by domain.
///
/// A domain that libvirtd did not answer for is not in it.
pub(crate) type CpuTimes = HashMap<Uuid, Duration>;

/// What is known of the host's CPU times.
#[derive(Debug)]
pub(crate) struct Poll {
    client: Client,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where CPU times come from: decided once a session, and never mixed.
    source: Option<Source>,
    /// When the last round began, and what it found.
    last: Option<(Instant, Arc<CpuTimes>)>,
    /// Rounds in a row in which libvirtd refused a domain's CPU time.
    refusals: HashMap<Uuid, u32>,
}

/// Where a daemon's CPU times come from. The two count different things: a
/// counter that changed from one to the other would jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The domain's cgroup, by procedure 262.
    Cgroup,
    /// The QEMU process, by procedure 16: where guests run without cgroups.
    Process,
}

impl Poll {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, state: Mutex::default() }
    }

    /// Makes a round each `interval`, for ever. Never where it is zero.
    pub(crate) async fn run(&self, inventory: &Inventory, interval: Duration) {
        if interval.is_zero() {
            return std::future::pending().await;
        }
        let mut ticks = time::interval(interval);
        // After a daemon's pause, one round is worth as much as all that were missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let tick = ticks.tick().await;
            self.round(&inventory.roster(), tick, later(ROUND_MAX)).await;
        }
    }

    /// Returns the CPU times of a round that began at `since` or after.
    ///
    /// Makes one where there is none; at `until` it ends with what it has.
    /// Dropping the future leaves the last round in place.
    pub(crate) async fn round(
        &self,
        roster: &Roster,
        since: Instant,
        until: Instant,
    ) -> Arc<CpuTimes> {
        let Ok(mut state) = time::timeout_at(until, self.state.lock()).await else {
            return Arc::default();
        };
        if let Some((began, times)) = &state.last
            && *began >= since
        {
            return Arc::clone(times);
        }
        let began = Instant::now();
        let times = Arc::new(self.read(&mut state, roster, until).await);
        state.last = Some((began, Arc::clone(&times)));
        times
    }

    async fn read(&self, state: &mut State, roster: &Roster, until: Instant) -> CpuTimes {
        if state.source == Some(Source::Process) {
            return self.process_times(roster, until).await;
        }
        let (times, refused) = self.cgroup_times(roster, until).await;
        if state.source.is_none() {
            if !times.is_empty() {
                state.source = Some(Source::Cgroup);
            } else if !refused.is_empty() {
                // Refused for everybody. Either all of them have just ended, or
                // there are no cgroups; a domain that runs decides it.
                let times = self.process_times(roster, until).await;
                if !times.is_empty() {
                    state.source = Some(Source::Process);
                    tracing::info!("guests run without cgroups: CPU time is their process's");
                }
                return times;
            }
        }
        state.note_refusals(&refused);
        times
    }

    async fn cgroup_times<'r>(
        &self,
        roster: &'r Roster,
        until: Instant,
    ) -> (CpuTimes, Vec<(&'r Instance, CallError)>) {
        let calls: Vec<_> = roster.iter().map(|instance| self.cgroup_time(instance)).collect();
        let mut calls = stream::iter(calls).buffer_unordered(WINDOW);
        let (mut times, mut refused) = (CpuTimes::new(), Vec::new());
        while let Ok(Some((instance, called))) = time::timeout_at(until, calls.next()).await {
            match called {
                Ok(time) => times.extend(time.map(|time| (instance.domain.uuid, time))),
                Err(error) if is_refusal(&error) => refused.push((instance, error)),
                Err(_) => {}
            }
        }
        (times, refused)
    }

    async fn cgroup_time<'r>(
        &self,
        instance: &'r Instance,
    ) -> (&'r Instance, Result<Option<Duration>, CallError>) {
        let call = DomainGetCpuStats { domain: &instance.domain };
        let called = self.client.call(&call, CALL_DEADLINE).await;
        (instance, called.and_then(|reply| Ok(reply.decode()?.cpu_time)))
    }

    async fn process_times(&self, roster: &Roster, until: Instant) -> CpuTimes {
        let calls: Vec<_> = roster.iter().map(|instance| self.process_time(instance)).collect();
        let mut calls = stream::iter(calls).buffer_unordered(WINDOW);
        let mut times = CpuTimes::new();
        while let Ok(Some((instance, time))) = time::timeout_at(until, calls.next()).await {
            times.extend(time.map(|time| (instance.domain.uuid, time)));
        }
        times
    }

    async fn process_time<'r>(&self, instance: &'r Instance) -> (&'r Instance, Option<Duration>) {
        let call = DomainGetInfo { domain: &instance.domain };
        let called = self.client.call(&call, CALL_DEADLINE).await;
        let info = called.and_then(|reply| reply.decode()).ok();
        (instance, info.filter(DomainInfo::is_active).map(|info| info.cpu_time))
    }
}

/// Whether libvirtd has no cgroup's CPU time for a domain that it was asked about.
fn is_refusal(error: &CallError) -> bool {
    let refusal = error.refusal();
    refusal.is_some_and(|refusal| refusal.is_operation_invalid() || refusal.is_no_support())
}

impl State {
    /// Logs a domain that is refused twice in a row: one that has ended is gone
    /// from the roster by then, so this one runs and its CPU time is missing.
    fn note_refusals(&mut self, refused: &[(&Instance, CallError)]) {
        self.refusals
            .retain(|uuid, _| refused.iter().any(|(instance, _)| instance.domain.uuid == *uuid));
        for (instance, error) in refused {
            let rounds = self.refusals.entry(instance.domain.uuid).or_default();
            *rounds = rounds.saturating_add(1);
            if *rounds == REFUSALS_TOLD {
                tracing::warn!(domain = %instance.domain.name, "{}", chain(error));
            }
        }
    }
}

fn later(pause: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(pause).unwrap_or(now)
}

/// How long a call that needs no monitor may take; it takes half a millisecond.
const CALL_DEADLINE: Duration = Duration::from_secs(2);
/// How long a round between scrapes may take.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// Refusals in a row that are worth a line in the log.
const REFUSALS_TOLD: u32 = 2;
