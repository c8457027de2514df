//! Which CPU of the host each vCPU was on last: `virDomainGetVcpus`.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{Calls, WINDOW};
use libvirt_wire::{Uuid, call::DomainGetVcpus};
use tokio::time::{self, Instant};

use crate::{
    care::Care,
    inventory::{Instance, Roster},
};

/// The CPU of each vCPU, by domain.
pub(crate) type Placements = HashMap<Uuid, Vec<(u32, u32)>>;

/// Asks for the CPUs of the vCPUs of all; at `until` it ends with what it has.
///
/// The call takes neither the domain's job nor its monitor.
pub(crate) async fn placements(
    calls: &Calls,
    care: &Care,
    roster: &Roster,
    until: Instant,
) -> Placements {
    let askable = roster.iter().filter(|instance| !care.is_held(&instance.domain));
    let mut waiting = askable.collect::<Vec<_>>().into_iter();
    let mut asked: FuturesUnordered<_> =
        waiting.by_ref().take(WINDOW).map(|instance| placement(calls, care, instance)).collect();
    let mut placements = Placements::new();
    while let Ok(Some(told)) = time::timeout_at(until, asked.next()).await {
        placements.extend(told);
        asked.extend(waiting.next().map(|instance| placement(calls, care, instance)));
    }
    placements
}

async fn placement(
    calls: &Calls,
    care: &Care,
    instance: &Instance,
) -> Option<(Uuid, Vec<(u32, u32)>)> {
    let domain = &instance.domain;
    let maximum = instance.devices.as_ref()?.vcpus_maximum?;
    let _place = care.place().await?;
    let reply = calls.call(&DomainGetVcpus { domain, maximum }, CALL_DEADLINE).await.ok()?;
    let mut cpus: Vec<(u32, u32)> = Vec::new();
    for vcpu in reply.decode().ok()?.0 {
        let is_new = cpus.iter().all(|(number, _)| *number != vcpu.number);
        cpus.extend(vcpu.cpu.filter(|_| is_new).map(|cpu| (vcpu.number, cpu)));
    }
    Some((domain.uuid, cpus))
}

/// How long a call that needs no monitor may take.
const CALL_DEADLINE: Duration = Duration::from_secs(1);
