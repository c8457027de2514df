//! libvirt's field names and units, and what they become.
//!
//! Its KiB and nanoseconds end here and in the modules below. A field that libvirt
//! did not give is `None`.
//!
//! * [`state`]: what a domain does, and why
//! * [`balloon`]: a domain's memory
//! * [`block`]: a disk; [`latency`]: how long its requests take
//! * [`net`]: a network interface
//! * [`vcpu`]: a vCPU
//! * [`iothread`], [`dirtyrate`], [`perf`], [`kvm`]: what only some ask for
//! * [`job`]: a job that runs in a domain, or the last one that did

use std::collections::BTreeMap;

use libvirt_wire::{TypedParam, call::DomainState};

pub(crate) use self::{
    balloon::Balloon,
    block::Block,
    dirtyrate::DirtyRate,
    iothread::Iothread,
    job::Job,
    kvm::{KvmKind, KvmStats},
    latency::LatencyHistogram,
    net::Net,
    perf::Perf,
    state::{Reason, State},
    vcpu::{Haltpoll, Vcpu},
};

mod balloon;
mod block;
mod dirtyrate;
mod iothread;
mod job;
mod kvm;
mod latency;
mod net;
mod perf;
mod state;
mod vcpu;

/// What libvirt measured of a domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DomainStats {
    pub(crate) state: Option<State>,
    /// Why it is in that state.
    pub(crate) reason: Option<Reason>,
    pub(crate) haltpoll: Haltpoll,
    pub(crate) balloon: Balloon,
    /// vCPUs that the domain has.
    pub(crate) vcpus_current: Option<u64>,
    /// vCPUs that it may have.
    pub(crate) vcpus_maximum: Option<u64>,
    /// By number.
    pub(crate) vcpus: Vec<Vcpu>,
    /// Network interfaces that have a name, in libvirt's order; no name is there twice.
    pub(crate) nets: Vec<Net>,
    /// Disks that have a name, in libvirt's order; no name is there twice.
    pub(crate) blocks: Vec<Block>,
    /// By number.
    pub(crate) iothreads: Vec<Iothread>,
    pub(crate) perf: Perf,
    pub(crate) dirtyrate: DirtyRate,
    /// What KVM counts of the whole machine.
    pub(crate) kvm: KvmStats,
    /// Fields that nobody here knows, without their indexes.
    pub(crate) unknown: Vec<String>,
}

impl DomainStats {
    /// Sorts typed parameters by their names. The indexes of devices may have holes.
    pub(crate) fn new(params: &[TypedParam<'_>]) -> Self {
        let mut stats = Self::default();
        let mut reason = None;
        let mut vcpus = BTreeMap::<u32, Vcpu>::new();
        let mut nets = BTreeMap::<u32, Net>::new();
        let mut blocks = BTreeMap::<u32, Block>::new();
        let mut iothreads = BTreeMap::<u32, Iothread>::new();
        for TypedParam { field, value } in params {
            let Some((group, rest)) = cut(field) else {
                stats.note_unknown(field);
                continue;
            };
            let number = value.unsigned();
            let is_known = match (group, indexed(rest)) {
                ("state", _) => match rest {
                    "state" => {
                        stats.state = number.and_then(State::new);
                        true
                    }
                    "reason" => {
                        reason = number;
                        true
                    }
                    _ => false,
                },
                ("cpu", _) => stats.haltpoll.take(rest, number),
                ("balloon", _) => stats.balloon.take(rest, number),
                ("vcpu", None) => match rest {
                    "current" => {
                        stats.vcpus_current = number;
                        true
                    }
                    "maximum" => {
                        stats.vcpus_maximum = number;
                        true
                    }
                    _ => false,
                },
                ("net" | "block" | "iothread", None) => rest == "count",
                ("vcpu", Some((index, rest))) => vcpus.entry(index).or_default().take(rest, value),
                ("net", Some((index, rest))) => nets.entry(index).or_default().take(rest, value),
                ("block", Some((index, rest))) => {
                    blocks.entry(index).or_default().take(rest, value)
                }
                ("iothread", Some((index, rest))) => {
                    iothreads.entry(index).or_default().take(rest, number)
                }
                ("perf", _) => stats.perf.take(rest, number),
                ("dirtyrate", _) => stats.dirtyrate.take(rest, value),
                ("vm", _) => stats.kvm.take(rest, value),
                ("memory", _) => rest.ends_with(".monitor.count"),
                _ => false,
            };
            if !is_known {
                stats.note_unknown(field);
            }
        }
        stats.reason =
            stats.state.zip(reason).and_then(|(state, reason)| Reason::new(state, reason));
        stats.vcpus = numbered(vcpus, |vcpu, number| vcpu.number = number);
        stats.iothreads = numbered(iothreads, |iothread, number| iothread.number = number);
        stats.nets = named(nets, |net| &net.name);
        stats.blocks = named(blocks, |block| &block.name);
        stats
    }

    /// The state alone, of a domain that may not run.
    pub(crate) fn of_state(of: DomainState) -> Self {
        let state = u64::try_from(of.state).ok().and_then(State::new);
        let reason = u64::try_from(of.reason).ok();
        let reason = state.zip(reason).and_then(|(state, reason)| Reason::new(state, reason));
        Self { state, reason, ..Self::default() }
    }

    /// Whether the state is one of a domain that does not run.
    pub(crate) fn is_inactive(&self) -> bool {
        matches!(self.state, None | Some(State::Shutoff | State::Crashed | State::Nostate))
    }

    fn note_unknown(&mut self, field: &str) {
        if self.unknown.len() < UNKNOWN_MAX {
            self.unknown.push(without_indexes(field));
        }
    }

    /// Whether libvirt has started a QEMU for the domain, but not the domain.
    pub(crate) fn is_starting(&self) -> bool {
        self.reason == Some(Reason::STARTING_UP)
    }

    /// Whether libvirt asked QEMU and was answered, rather than left out what needs
    /// the monitor.
    ///
    /// It looks at the memory of the QEMU process under the same job, so a domain
    /// without disks, or with an empty drive alone, tells as well.
    pub(crate) fn is_complete(&self) -> bool {
        let is_counted = |block: &Block| block.read_bytes.is_some();
        let is_lacking = |block: &Block| block.is_backed && !is_counted(block);
        let disks = &self.blocks;
        self.balloon.rss.is_some()
            && (disks.iter().any(is_counted) || !disks.iter().any(is_lacking))
    }
}

/// Splits `0.rx.bytes` into the index and the rest.
fn indexed(rest: &str) -> Option<(u32, &str)> {
    let (index, rest) = cut(rest)?;
    Some((index.parse().ok()?, rest))
}

/// Splits a name at its first dot. That is so near the beginning that the library's search,
/// which is made for long texts, would take longer to begin than this to end.
fn cut(name: &str) -> Option<(&str, &str)> {
    let at = name.bytes().position(|byte| byte == b'.')?;
    let (head, rest) = name.split_at_checked(at)?;
    Some((head, rest.get(1..)?))
}

/// What has numbers, in their order.
fn numbered<T>(things: BTreeMap<u32, T>, set: fn(&mut T, u32)) -> Vec<T> {
    let things = things.into_iter().map(|(number, mut thing)| {
        set(&mut thing, number);
        thing
    });
    things.collect()
}

/// What has a name. What has none, or that of another one before it, cannot be told apart.
fn named<T>(things: BTreeMap<u32, T>, name: fn(&T) -> &str) -> Vec<T> {
    let mut kept = Vec::<T>::with_capacity(things.len());
    for thing in things.into_values() {
        let is_new = || kept.iter().all(|other| name(other) != name(&thing));
        if !name(&thing).is_empty() && is_new() {
            kept.push(thing);
        }
    }
    kept
}

/// `block.0.bin.17.new` becomes `block.N.bin.N.new`.
fn without_indexes(field: &str) -> String {
    let is_index = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> =
        field.split('.').map(|part| if is_index(&part) { "N" } else { part }).collect();
    parts.join(".")
}

/// Unknown fields of a domain that are noted.
const UNKNOWN_MAX: usize = 64;
/// libvirt's unit of memory, in bytes.
pub(crate) const KIB: u64 = 1024;
/// libvirt's unit of what a guest writes into its memory, in bytes.
const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use libvirt_wire::Value;

    use super::*;

    fn params<'a>(fields: &[(&'a str, Value<'a>)]) -> Vec<TypedParam<'a>> {
        let param = |(field, value): &(&'a str, Value<'a>)| TypedParam {
            field: (*field).into(),
            value: value.clone(),
        };
        fields.iter().map(param).collect()
    }

    #[test]
    fn devices_come_by_index_and_indexes_have_holes() {
        let stats = DomainStats::new(&params(&[
            ("net.count", Value::UInt(3)),
            ("net.2.name", Value::String("tap2".into())),
            ("net.2.rx.bytes", Value::ULLong(7)),
            ("net.0.rx.bytes", Value::ULLong(9)),
            ("block.10.name", Value::String("vdk".into())),
            ("block.9.name", Value::String("vdj".into())),
            ("block.9.wr.reqs", Value::LLong(-1)),
        ]));
        let net = Net { name: "tap2".into(), received_bytes: Some(7), ..Net::default() };
        assert_eq!(stats.nets, [net]);
        assert_eq!(
            stats.blocks.iter().map(|block| &*block.name).collect::<Vec<_>>(),
            ["vdj", "vdk"]
        );
        assert_eq!(stats.blocks[0].write_requests, None);
    }

    #[test]
    fn a_drive_without_a_medium_keeps_nobody_from_being_complete() {
        let of = |fields: &[(&'static str, Value<'static>)]| {
            let rss = [("balloon.rss", Value::ULLong(1))];
            DomainStats::new(&params(&[&rss[..], fields].concat())).is_complete()
        };
        let name = |field: &'static str| (field, Value::String(field.into()));
        let image = ("block.0.backingIndex", Value::UInt(1));
        let counted = ("block.1.rd.bytes", Value::ULLong(0));
        assert!(of(&[]));
        assert!(of(&[name("block.0.name")]));
        assert!(!of(&[name("block.0.name"), image.clone()]), "libvirt is at work on it");
        assert!(of(&[name("block.0.name"), image, name("block.1.name"), counted]));
    }

    #[test]
    fn memory_in_use_never_falls_below_nothing() {
        let stats = DomainStats::new(&params(&[
            ("balloon.available", Value::ULLong(100)),
            ("balloon.usable", Value::ULLong(101)),
            ("balloon.unused", Value::ULLong(30)),
        ]));
        assert_eq!(stats.balloon.available, Some(102_400));
        assert_eq!(stats.balloon.used(), None);
        assert_eq!(stats.balloon.used_with_cache(), Some(71_680));
    }

    #[test]
    fn a_domain_that_is_being_started_is_told_from_one_that_is_paused() {
        for (state, reason, is_starting) in [(3, 11, true), (3, 1, false), (1, 11, false)] {
            let stats = DomainStats::new(&params(&[
                ("state.state", Value::Int(state)),
                ("state.reason", Value::Int(reason)),
            ]));
            assert_eq!(stats.is_starting(), is_starting, "{state} {reason}");
        }
    }

    #[test]
    fn a_state_that_came_after_libvirt_12_is_not_guessed_at() {
        for (number, state) in [(1, Some(State::Running)), (7, Some(State::Pmsuspended)), (8, None)]
        {
            let stats = DomainStats::new(&params(&[("state.state", Value::Int(number))]));
            assert_eq!(stats.state, state);
        }
    }
}
