//! Events that the host's CPUs count for a guest: the group `perf`.
//!
//! Only those that the domain's XML enables (Nova's `enabled_perf_events`).

use std::time::Duration;

/// What the host's CPUs have counted for a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Perf {
    /// Events, by libvirt's name.
    pub(crate) events: Vec<(&'static str, u64)>,
    /// Times, by libvirt's name.
    pub(crate) clocks: Vec<(&'static str, Duration)>,
    /// Bytes of the last-level cache that it occupies.
    pub(crate) cache_bytes: Option<u64>,
    /// Bytes between cache and memory, by libvirt's name: `mbmt` all, `mbml` those that
    /// stayed on the NUMA node.
    pub(crate) bandwidth: Vec<(&'static str, u64)>,
}

impl Perf {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, number: Option<u64>) -> bool {
        let find = |names: &[&'static str]| names.iter().copied().find(|name| *name == field);
        if field == "cmt" {
            self.cache_bytes = number;
        } else if let Some(name) = find(&BANDWIDTH) {
            keep(&mut self.bandwidth, name, number);
        } else if let Some(name) = find(&CLOCKS) {
            keep(&mut self.clocks, name, number.map(Duration::from_nanos));
        } else if let Some(name) = find(&EVENTS) {
            keep(&mut self.events, name, number);
        } else {
            return false;
        }
        true
    }
}

fn keep<T>(known: &mut Vec<(&'static str, T)>, name: &'static str, value: Option<T>) {
    if known.iter().all(|(other, _)| *other != name) {
        known.extend(value.map(|value| (name, value)));
    }
}

const BANDWIDTH: [&str; 2] = ["mbmt", "mbml"];
const CLOCKS: [&str; 2] = ["cpu_clock", "task_clock"];
const EVENTS: [&str; 17] = [
    "cache_misses",
    "cache_references",
    "instructions",
    "cpu_cycles",
    "branch_instructions",
    "branch_misses",
    "bus_cycles",
    "stalled_cycles_frontend",
    "stalled_cycles_backend",
    "ref_cpu_cycles",
    "page_faults",
    "context_switches",
    "cpu_migrations",
    "page_faults_min",
    "page_faults_maj",
    "alignment_faults",
    "emulation_faults",
];
