//! Jobs that run in a domain, and vCPUs one by one.

use std::rc::Rc;

use libvirt_wire::{TypedParam, xdr::Writer};

use super::domain::{active, locked};
use crate::{
    arguments::Arguments,
    host::Host,
    job::Held,
    refusal::{Outcome, Refusal},
};

/// 298: takes the domain's job, and its monitor where a migration runs.
pub(super) async fn job_stats(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    let flags = arguments.u32()?;
    let number = locked(host, &domain).await?;
    if flags & COMPLETED != 0 {
        let state = host.state();
        let completed = state.find(&domain)?.completed.as_deref();
        let kind = if completed.is_some() { JOB_COMPLETED } else { JOB_NONE };
        return Ok(reply(kind, completed.unwrap_or_default()));
    }
    active(host.state().find(&domain)?)?;
    let Some(held) = Held::take(host, number, host.settings.job_wait).await else {
        return Err(Refusal::ordered(68, None));
    };
    active(host.state().find(&domain)?)?;
    if host.state().find(&domain)?.migration.is_some() {
        held.monitor().await;
    }
    let state = host.state();
    let migration = active(state.find(&domain)?)?.migration;
    Ok(match migration {
        None => reply(JOB_NONE, &[]),
        Some(migration) => reply(JOB_UNBOUNDED, &migration.running(state.clock.now())),
    })
}

fn reply(kind: i32, params: &[TypedParam<'_>]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.i32(kind);
    writer.length(params.len());
    params.iter().for_each(|param| param.encode(&mut writer));
    writer.into_bytes()
}

/// `VIR_DOMAIN_JOB_STATS_COMPLETED`
const COMPLETED: u32 = 1;
/// `VIR_DOMAIN_JOB_NONE`
const JOB_NONE: i32 = 0;
/// `VIR_DOMAIN_JOB_UNBOUNDED`
const JOB_UNBOUNDED: i32 = 2;
/// `VIR_DOMAIN_JOB_COMPLETED`
const JOB_COMPLETED: i32 = 3;

/// 20: vCPU `k` of instance `n` was on the host's CPU `n + k` last.
pub(super) async fn vcpus(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    let maximum = arguments.u32()?;
    locked(host, &domain).await?;
    let state = host.state();
    let instance = active(state.find(&domain)?)?;
    let vcpus = instance.flavor.vcpus.min(maximum);
    let time = instance.counters(state.clock.now()).vcpu_time();
    let mut writer = Writer::default();
    writer.u32(vcpus);
    for vcpu in 0..vcpus {
        writer.u32(vcpu);
        writer.i32(VCPU_RUNNING);
        writer.u64(time);
        writer.u32(instance.number.saturating_add(vcpu) % super::connect::CPUS);
    }
    // No maps of CPUs.
    writer.length(0);
    Ok(writer.into_bytes())
}

/// `VIR_VCPU_RUNNING`
const VCPU_RUNNING: i32 = 1;
