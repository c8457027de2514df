//! What is asked of one domain, and needs neither its job nor its monitor.

use std::rc::Rc;

use libvirt_wire::{TypedParam, Value, xdr::Writer};

use crate::{
    arguments::Arguments,
    connection::Connection,
    host::Host,
    instance::Instance,
    job::{self, Job},
    nova,
    refusal::{Outcome, Refusal},
    xml as domain_xml,
};

/// 14
pub(super) async fn xml(
    host: &Rc<Host>,
    connection: &Connection,
    arguments: &mut Arguments<'_>,
) -> Outcome {
    let (domain, flags) = (arguments.domain()?, arguments.u32()?);
    if connection.is_read_only() && flags & (XML_SECURE | XML_MIGRATABLE) != 0 {
        let text = "virDomainGetXMLDesc with secure flag".to_owned();
        return Err(Refusal::read_only(text));
    }
    let number = locked(host, &domain).await?;
    let mut writer = Writer::default();
    let written = host.with(number, |instance| writer.string(&domain_xml::of(instance)));
    written.map(|()| writer.into_bytes()).ok_or_else(|| gone(&domain))
}

/// `VIR_DOMAIN_XML_SECURE`
const XML_SECURE: u32 = 1;
/// `VIR_DOMAIN_XML_MIGRATABLE`
const XML_MIGRATABLE: u32 = 8;

/// 16
pub(super) async fn info(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    locked(host, &domain).await?;
    let state = host.state();
    let instance = state.find(&domain)?;
    let flavor = instance.flavor;
    let cpu_time = instance.counters(state.clock.now()).cpu_time(flavor.vcpus);
    let mut writer = Writer::default();
    writer.i32(instance.state.numbers().0);
    writer.u64(flavor.memory_kib());
    writer.u64(flavor.memory_kib());
    writer.u32(flavor.vcpus);
    // The kernel counts it in ticks of 10 ms.
    writer.u64((cpu_time / 10_000_000).saturating_mul(10_000_000));
    Ok(writer.into_bytes())
}

/// 212
pub(super) async fn state(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    locked(host, &domain).await?;
    let (state, reason) = host.state().find(&domain)?.state.numbers();
    let mut writer = Writer::default();
    writer.i32(state);
    writer.i32(reason);
    Ok(writer.into_bytes())
}

/// 229
pub(super) async fn control_info(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    locked(host, &domain).await?;
    let state = host.state();
    let instance = active(state.find(&domain)?)?;
    let migrates_since = instance.migration.map(|migration| migration.since);
    let (control, since) = match instance.job {
        None if migrates_since.is_some() => (CONTROL_JOB, migrates_since),
        None => (CONTROL_OK, None),
        Some(Job::Other(since)) => (CONTROL_JOB, Some(since)),
        Some(Job::Call(since)) => (CONTROL_OCCUPIED, Some(since)),
    };
    let milliseconds = since.map(|since| since.elapsed().as_millis()).unwrap_or_default();
    let mut writer = Writer::default();
    writer.u32(control);
    // Why it is in error, which it never is here.
    writer.u32(0);
    writer.u64(u64::try_from(milliseconds).unwrap_or(u64::MAX));
    Ok(writer.into_bytes())
}

/// `VIR_DOMAIN_CONTROL_OK`
const CONTROL_OK: u32 = 0;
/// `VIR_DOMAIN_CONTROL_JOB`
const CONTROL_JOB: u32 = 1;
/// `VIR_DOMAIN_CONTROL_OCCUPIED`
const CONTROL_OCCUPIED: u32 = 2;

/// 262: of the three ways to ask, the sum over all CPUs and the two counts.
pub(super) async fn cpu_stats(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    let (nparams, start_cpu, ncpus) = (arguments.u32()?, arguments.i32()?, arguments.u32()?);
    locked(host, &domain).await?;
    let state = host.state();
    let instance = active(state.find(&domain)?)?;
    let vcpus = instance.flavor.vcpus;
    let counters = instance.counters(state.clock.now());
    let total = [
        ("cpu_time", counters.cpu_time(vcpus)),
        ("user_time", counters.user_time(vcpus)),
        ("system_time", counters.system_time(vcpus)),
    ];
    let mut writer = Writer::default();
    match (start_cpu, nparams) {
        (-1, 0) => {
            writer.length(0);
            writer.i32(3);
        }
        (-1, _) => {
            let params: Vec<_> = total.iter().take(usize::try_from(nparams).unwrap_or(0)).collect();
            writer.length(params.len());
            for (field, value) in &params {
                let value = Value::ULLong(*value);
                TypedParam { field: (*field).into(), value }.encode(&mut writer);
            }
            writer.length(params.len());
        }
        _ if nparams == 0 => {
            writer.length(0);
            // The host's CPUs, or what is known of each.
            writer.i32(if ncpus == 0 { 128 } else { 2 });
        }
        _ => return Err(Refusal::unsupported("statistics of single CPUs".to_owned())),
    }
    Ok(writer.into_bytes())
}

/// 265
pub(super) async fn metadata(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domain = arguments.domain()?;
    let (kind, namespace) = (arguments.i32()?, arguments.optional_string()?);
    locked(host, &domain).await?;
    let state = host.state();
    let instance = state.find(&domain)?;
    // Nova writes neither title nor description.
    if kind != METADATA_ELEMENT || namespace.as_deref() != Some(nova::NAMESPACE) {
        return Err(Refusal::no_metadata());
    }
    let mut writer = Writer::default();
    writer.string(nova::element(instance, "", "").trim_end());
    Ok(writer.into_bytes())
}

/// `VIR_DOMAIN_METADATA_ELEMENT`
const METADATA_ELEMENT: i32 = 2;

/// The number of the domain, once nobody holds its lock.
pub(super) async fn locked(host: &Rc<Host>, domain: &libvirt_wire::Domain) -> Result<u32, Refusal> {
    let number = host.state().find(domain)?.number;
    job::lock(host, number).await;
    Ok(number)
}

pub(super) fn active(instance: &Instance) -> Result<&Instance, Refusal> {
    if instance.is_active() { Ok(instance) } else { Err(Refusal::not_running()) }
}

fn gone(domain: &libvirt_wire::Domain) -> Refusal {
    Refusal::no_domain(domain.uuid, &domain.name)
}
