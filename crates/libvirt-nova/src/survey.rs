//! Full statistics, when scraped: many small calls in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt, stream};
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
    let asked: Vec<_> =
        domains.chunks(CALL_SIZE).map(|chunk| ask(calls, troubles, chunk, deadline)).collect();
    let mut asked = stream::iter(asked).buffer_unordered(WINDOW);
    let mut survey = Survey::default();
    while let Ok(Some(part)) = time::timeout_at(until, asked.next()).await {
        survey.add(part);
    }
    survey
}

impl Survey {
    fn add(&mut self, Self { stats, ended }: Self) {
        self.stats.extend(stats);
        self.ended.extend(ended);
    }
}

/// Asks for a few domains together, and for each alone where that fails: one
/// that hangs, or is refused, must not cost the others theirs.
///
/// While a call hangs in a domain, libvirtd answers the next one at once, with
/// all that needs no monitor.
async fn ask(
    calls: &Calls,
    troubles: &Troubles,
    domains: &[&Domain],
    deadline: Duration,
) -> Survey {
    if let Ok(part) = call(calls, domains, deadline).await {
        for domain in domains {
            troubles.clear(domain, PROCEDURE);
        }
        return part;
    }
    let mut survey = Survey::default();
    for domain in domains {
        match call(calls, &[domain], deadline).await {
            Ok(part) => survey.add(part),
            Err(error) => troubles.note(domain, &error),
        }
    }
    survey
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
/// How long a call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(2);
