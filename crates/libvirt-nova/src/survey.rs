//! Full statistics, when scraped: many small calls in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt, stream};
use libvirt_client::{CallError, Client, WINDOW};
use libvirt_wire::{
    Domain, Uuid,
    call::{ConnectGetAllDomainStats, Groups},
};
use tokio::time::{self, Instant};

use crate::{inventory::Instance, stats::DomainStats};

/// What the survey knows of the domains it asked about.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The statistics of each domain that gave some.
    pub(crate) stats: HashMap<Uuid, DomainStats>,
    /// The domains that libvirtd left out: they have ended.
    pub(crate) ended: Vec<Uuid>,
}

/// Asks for the statistics of `instances`; at `until` it ends with what it has.
pub(crate) async fn survey(
    client: &Client,
    instances: &[std::sync::Arc<Instance>],
    until: Instant,
) -> Survey {
    let left = until.saturating_duration_since(Instant::now());
    // Less than half of what is left, so that a call that hangs leaves time to ask again.
    let deadline = CALL_DEADLINE.min(left.mul_f64(0.45));
    let domains: Vec<&Domain> = instances.iter().map(|instance| &instance.domain).collect();
    let calls: Vec<_> =
        domains.chunks(CALL_SIZE).map(|chunk| ask(client, chunk, deadline)).collect();
    let mut calls = stream::iter(calls).buffer_unordered(WINDOW);
    let mut survey = Survey::default();
    while let Ok(Some(part)) = time::timeout_at(until, calls.next()).await {
        survey.stats.extend(part.stats);
        survey.ended.extend(part.ended);
    }
    survey
}

/// Asks for a few domains together, and for each alone where one of them hangs.
///
/// While a call hangs in a domain, libvirtd answers the next one at once, with
/// all that needs no monitor.
async fn ask(client: &Client, domains: &[&Domain], deadline: Duration) -> Survey {
    let mut survey = Survey::default();
    match call(client, domains, deadline).await {
        Ok(part) => survey = part,
        Err(error) if error.is_timeout() => {
            for domain in domains {
                if let Ok(part) = call(client, &[domain], deadline).await {
                    survey.stats.extend(part.stats);
                    survey.ended.extend(part.ended);
                }
            }
        }
        Err(error) => tracing::debug!(error = %crate::fault::chain(&error), "survey"),
    }
    survey
}

async fn call(
    client: &Client,
    domains: &[&Domain],
    deadline: Duration,
) -> Result<Survey, CallError> {
    let reply =
        client.call(&ConnectGetAllDomainStats { domains, groups: GROUPS }, deadline).await?;
    let stats: HashMap<Uuid, DomainStats> = reply
        .decode()?
        .records
        .iter()
        .map(|record| (record.domain.uuid, DomainStats::new(&record.params)))
        .collect();
    let ended = domains.iter().map(|domain| domain.uuid).filter(|uuid| !stats.contains_key(uuid));
    Ok(Survey { ended: ended.collect(), stats })
}

/// What the families need, and no more: each group costs libvirtd time.
const GROUPS: Groups = Groups::STATE.and(Groups::BALLOON).and(Groups::INTERFACE).and(Groups::BLOCK);
/// Domains asked for in one call: as many as one that hangs takes with it until
/// they are asked for alone.
const CALL_SIZE: usize = 4;
/// How long a call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(2);
