//! Everything libvirt measures: `virConnectGetAllDomainStats`.

use std::{borrow::Cow, rc::Rc, time::Duration};

use libvirt_wire::{TypedParam, Value, xdr::Writer};

use super::list::Filter;
use crate::{
    arguments::Arguments,
    counters::Counters,
    host::{Host, State},
    instance::{Altered, Instance},
    job::{self, Held},
    refusal::{Outcome, Refusal},
};

mod devices;
mod machine;

/// 344: walks the domains one after another, as libvirtd does.
pub(super) async fn all_domains(host: &Rc<Host>, arguments: &mut Arguments<'_>) -> Outcome {
    let domains = arguments.domains()?;
    let (groups, flags) = (arguments.u32()?, arguments.u32()?);
    host.asked.note_groups(groups);
    let numbers: Vec<_> = {
        let state = host.state();
        if domains.is_empty() {
            state.instances.keys().copied().collect()
        } else {
            domains.iter().filter_map(|it| Some(state.find_uuid(it.uuid)?.number)).collect()
        }
    };
    if flags & ENFORCE != 0 && groups & !ALL_GROUPS != 0 && !numbers.is_empty() {
        let unknown = groups & !ALL_GROUPS;
        return Err(Refusal::unsupported(format!(
            "Stats types bits 0x{unknown:x} are not supported by this daemon"
        )));
    }
    let groups = if groups == 0 { ALL_GROUPS } else { groups & ALL_GROUPS };
    let patience = if flags & NOWAIT != 0 { Duration::ZERO } else { host.settings.job_wait };

    let mut count = 0_usize;
    let mut records = Writer::default();
    for number in numbers {
        job::lock(host, number).await;
        let is_wanted = |it: &mut Instance| (Filter(flags & FILTERS).passes(it), it.is_active());
        let Some((true, is_active)) = host.with(number, is_wanted) else { continue };
        let job = if is_active && groups & JOB_GROUPS != 0 {
            let job = Held::take(host, number, patience).await;
            if let Some(job) = &job {
                job.monitor().await;
            }
            job
        } else {
            None
        };
        // It may have ended meanwhile.
        let state = host.state();
        let Some(instance) = state.instances.get(&number) else { continue };
        if is_active && !instance.is_active() {
            continue;
        }
        instance.domain.encode(&mut records);
        let record = Record::of(&state, instance, groups, job.is_some());
        records.length(record.params.len());
        record.params.iter().for_each(|param| param.encode(&mut records));
        count = count.saturating_add(1);
    }
    let mut reply = u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    reply.append(&mut records.into_bytes());
    Ok(reply)
}

/// The flags that choose domains.
const FILTERS: u32 = 0xff;
/// `VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT`
const NOWAIT: u32 = 1 << 29;
/// `VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS`
const ENFORCE: u32 = 1 << 31;

const STATE: u32 = 1;
const CPU_TOTAL: u32 = 1 << 1;
const BALLOON: u32 = 1 << 2;
const VCPU: u32 = 1 << 3;
const INTERFACE: u32 = 1 << 4;
const BLOCK: u32 = 1 << 5;
const IOTHREAD: u32 = 1 << 7;
const DIRTY_RATE: u32 = 1 << 9;
const VM: u32 = 1 << 10;
/// What libvirt 9.0 knows; perf (64) and memory (256) have nothing to tell here.
const ALL_GROUPS: u32 = 0x7ff;
/// The groups for which libvirt 9.0 takes the domain's job.
const JOB_GROUPS: u32 = CPU_TOTAL | BALLOON | VCPU | BLOCK | IOTHREAD | DIRTY_RATE | VM;

/// The statistics of one domain.
struct Record<'s> {
    state: &'s State,
    instance: &'s Instance,
    /// What it has done by now, and when that is.
    counters: Counters,
    now: Duration,
    /// Whether its QEMU was asked.
    monitor: bool,
    params: Vec<TypedParam<'static>>,
}

impl<'s> Record<'s> {
    fn of(state: &'s State, instance: &'s Instance, groups: u32, monitor: bool) -> Self {
        let now = state.clock.now();
        let counters = instance.counters(now);
        let params = Vec::with_capacity(64);
        let mut record = Self { state, instance, counters, now, monitor, params };
        // In libvirt's order.
        for (group, write) in [
            (STATE, Self::state as fn(&mut Self)),
            (CPU_TOTAL, Self::cpu_total),
            (BALLOON, Self::balloon),
            (VCPU, Self::vcpus),
            (INTERFACE, Self::interfaces),
            (BLOCK, Self::blocks),
            (DIRTY_RATE, Self::dirty_rate),
        ] {
            if groups & group != 0 {
                write(&mut record);
            }
        }
        instance.fields.iter().for_each(|(field, altered)| record.alter(field, altered));
        record
    }

    /// Does to a field what was ordered.
    fn alter(&mut self, field: &str, altered: &Altered) {
        let known = self.params.iter_mut().find(|param| param.field == field);
        match (altered, known) {
            (Altered::Gone, _) => self.params.retain(|param| param.field != field),
            (Altered::Text(text), Some(param)) => param.value = Value::String(text.clone().into()),
            (Altered::Text(text), None) => {
                self.push(field.to_owned(), Value::String(text.clone().into()));
            }
            (Altered::Number(number), Some(TypedParam { value: Value::UInt(value), .. })) => {
                *value = u32::try_from(*number).unwrap_or(u32::MAX);
            }
            (Altered::Number(number), Some(TypedParam { value: Value::Int(value), .. })) => {
                *value = i32::try_from(*number).unwrap_or(i32::MAX);
            }
            (Altered::Number(number), Some(param)) => param.value = Value::ULLong(*number),
            (Altered::Number(number), None) => self.count(field.to_owned(), *number),
        }
    }

    fn push(&mut self, field: impl Into<Cow<'static, str>>, value: Value<'static>) {
        self.params.push(TypedParam { field: field.into(), value });
    }

    fn count(&mut self, field: impl Into<Cow<'static, str>>, value: u64) {
        self.push(field, Value::ULLong(value));
    }
}
