//! Full statistics, when scraped: many small calls in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.

use std::{
    collections::{HashMap, VecDeque},
    slice,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{CallError, Calls, WINDOW};
use libvirt_wire::{
    Call, Domain, Procedure, Uuid,
    call::{ConnectGetAllDomainStats, Groups},
};
use tokio::time::{self, Instant};

use crate::{inventory::Roster, stats::DomainStats, trouble::Troubles};

/// What the survey knows of the domains it asked about.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The statistics of each domain that gave some.
    pub(crate) stats: HashMap<Uuid, DomainStats>,
    /// The domains that libvirtd left out: they have ended.
    pub(crate) ended: Vec<Uuid>,
}

/// Asks for the statistics of `roster`; at `until` it ends with what it has.
pub(crate) async fn survey(
    calls: &Calls,
    troubles: &Troubles,
    roster: &Roster,
    until: Instant,
) -> Survey {
    let left = until.saturating_duration_since(Instant::now());
    // Less than half of what is left, so that a call that hangs leaves time to ask again.
    let deadline = CALL_DEADLINE.min(left.mul_f64(0.45));
    let domains = roster.iter().map(|instance| &instance.domain);
    let domains: Vec<&Domain> = domains.filter(|domain| !troubles.is_spared(domain)).collect();
    let mut queue: VecDeque<_> =
        domains.chunks(CALL_SIZE).map(|domains| Ask { domains, failures: 0 }).collect();
    let mut asked = FuturesUnordered::new();
    let mut survey = Survey::default();
    loop {
        while asked.len() < WINDOW
            && let Some(ask) = queue.pop_front()
        {
            asked.push(ask.make(calls, deadline));
        }
        match time::timeout_at(until, asked.next()).await {
            Ok(Some((ask, Ok(Survey { stats, ended })))) => {
                for domain in ask.domains {
                    troubles.clear(domain, PROCEDURE);
                }
                survey.stats.extend(stats);
                survey.ended.extend(ended);
            }
            // Behind the others: they are likely to answer.
            Ok(Some((ask, Err(error)))) => queue.extend(ask.again(&error, troubles)),
            Ok(None) | Err(_) => return survey,
        }
    }
}

/// A few domains to ask for in one call.
#[derive(Clone, Copy, Debug)]
struct Ask<'d> {
    domains: &'d [&'d Domain],
    /// Calls for these domains that have failed.
    failures: u32,
}

impl<'d> Ask<'d> {
    async fn make(self, calls: &Calls, deadline: Duration) -> (Self, Result<Survey, CallError>) {
        (self, call(calls, self.domains, deadline).await)
    }

    /// What to ask after a failure: each domain alone, since one that hangs or is
    /// refused must not cost the others theirs, and one that hung alone once more.
    ///
    /// While a call hangs in a domain, libvirtd answers the next one at once, with
    /// all that needs no monitor.
    fn again(self, error: &CallError, troubles: &Troubles) -> impl Iterator<Item = Self> {
        let failures = self.failures.saturating_add(1);
        let hopeless =
            self.domains.len() == 1 && (error.refusal().is_some() || failures > HANGS_MAX);
        if hopeless {
            for domain in self.domains {
                troubles.note(domain, error);
            }
        }
        let domains = if hopeless { &[] } else { self.domains };
        domains.iter().map(move |domain| Self { domains: slice::from_ref(domain), failures })
    }
}

async fn call(calls: &Calls, domains: &[&Domain], deadline: Duration) -> Result<Survey, CallError> {
    let reply = calls.call(&ConnectGetAllDomainStats { domains, groups: GROUPS }, deadline).await?;
    let stats: HashMap<Uuid, DomainStats> = reply
        .decode()?
        .records
        .iter()
        .map(|record| (record.domain.uuid, DomainStats::new(&record.params)))
        .collect();
    let ended = domains.iter().map(|domain| domain.uuid).filter(|uuid| !stats.contains_key(uuid));
    Ok(Survey { ended: ended.collect(), stats })
}

const PROCEDURE: Procedure = <ConnectGetAllDomainStats<'_> as Call>::PROCEDURE;
/// What the families need, and no more: each group costs libvirtd time.
const GROUPS: Groups = Groups::STATE.and(Groups::BALLOON).and(Groups::INTERFACE).and(Groups::BLOCK);
/// Domains asked for in one call: as many as one that hangs takes with it until
/// they are asked for alone.
const CALL_SIZE: usize = 4;
/// Calls for a domain that may hang: with its chunk, and alone.
const HANGS_MAX: u32 = 2;
/// How long a call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(2);
