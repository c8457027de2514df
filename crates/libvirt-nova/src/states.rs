//! The states of domains that do not run: `virDomainGetState`.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{Calls, WINDOW};
use libvirt_wire::{Uuid, call::DomainGetState};
use tokio::time::{self, Instant};

use crate::{
    care::Care,
    inventory::{Instance, Roster},
    stats::DomainStats,
};

/// Asks for the states of domains that do not run; at `until` it ends with what it has.
///
/// One that has been started meanwhile is left out.
pub(crate) async fn states(
    calls: &Calls,
    care: &Care,
    inactive: &Roster,
    until: Instant,
) -> Vec<(Uuid, DomainStats)> {
    let askable = inactive.iter().filter(|instance| !care.is_held(&instance.domain));
    let mut waiting = askable.collect::<Vec<_>>().into_iter();
    let mut asked: FuturesUnordered<_> =
        waiting.by_ref().take(WINDOW).map(|instance| state(calls, care, instance)).collect();
    let mut states = Vec::new();
    while let Ok(Some(told)) = time::timeout_at(until, asked.next()).await {
        states.extend(told);
        asked.extend(waiting.next().map(|instance| state(calls, care, instance)));
    }
    states
}

async fn state(calls: &Calls, care: &Care, instance: &Instance) -> Option<(Uuid, DomainStats)> {
    let domain = &instance.domain;
    let _place = care.place().await?;
    let reply = calls.call(&DomainGetState { domain }, CALL_DEADLINE).await.ok()?;
    let stats = DomainStats::of_state(reply.decode().ok()?);
    stats.is_inactive().then_some((domain.uuid, stats))
}

/// How long a call that needs no monitor may take; it takes a tenth of a millisecond.
const CALL_DEADLINE: Duration = Duration::from_secs(1);
