//! The host's CPUs and memory.

use std::time::Duration;

use libvirt_wire::call::{
    NodeGetCellsFreeMemory, NodeGetCpuStats, NodeGetFreeMemory, NodeGetInfo, NodeGetMemoryStats,
    NodeInfo, NodeStats,
};
use tokio::time::Instant;

use super::Line;
use crate::stats::KIB;

/// The host's CPUs and memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) info: Option<NodeInfo>,
    /// Bytes that there are.
    pub(crate) memory: Option<u64>,
    /// Bytes that nobody uses.
    pub(crate) memory_free: Option<u64>,
    /// The time of each CPU in each mode, by their names.
    pub(crate) cpu_times: Vec<(String, String, Duration)>,
    /// Bytes by use.
    pub(crate) memory_stats: Vec<(String, u64)>,
    /// Free bytes of each NUMA cell, by its number.
    pub(crate) cells_free: Vec<(String, u64)>,
}

impl Node {
    pub(super) async fn ask(&mut self, line: &Line, until: Instant) {
        self.info = line.ask(&NodeGetInfo, until, |info| info).await;
        self.memory = self.info.as_ref().and_then(|info| info.memory_kib.checked_mul(KIB));
        self.memory_free = line.ask(&NodeGetFreeMemory, until, |bytes| bytes).await;
    }

    /// Asks for each CPU and each cell, of which there are as many as [`Self::ask`] was told: a
    /// call for each CPU.
    pub(super) async fn ask_detail(&mut self, line: &Line, until: Instant) {
        let Some(info) = self.info.clone() else { return };
        self.ask_cpus(line, &info, until).await;
        self.ask_memory(line, until).await;
        let cells = NodeGetCellsFreeMemory { first: 0, max: info.nodes };
        if let Some(free) = line.ask(&cells, until, |free| free.0).await {
            let numbered = free.into_iter().enumerate();
            self.cells_free = numbered.map(|(cell, bytes)| (cell.to_string(), bytes)).collect();
        }
    }

    async fn ask_cpus(&mut self, line: &Line, info: &NodeInfo, until: Instant) {
        // The driver answers to no other number of fields than the one that it names itself.
        let ask = NodeGetCpuStats { cpu: None, count: 0 };
        let Some(count) = line.ask(&ask, until, |stats| stats.count).await else { return };
        // Some may be off, and libvirt says only how many are on.
        let all = [info.nodes, info.sockets, info.cores, info.threads];
        let all = all.into_iter().fold(1, u32::saturating_mul).max(info.cpus).min(CPUS_MAX);
        let mut left = info.cpus;
        for cpu in 0..all {
            if left == 0 {
                return;
            }
            let ask = NodeGetCpuStats { cpu: Some(cpu), count };
            let fields = line.ask(&ask, until, |stats| owned(&stats)).await;
            let Some(fields) = fields else { continue };
            left = left.saturating_sub(1);
            for (mode, nanoseconds) in fields {
                self.cpu_times.push((cpu.to_string(), mode, Duration::from_nanos(nanoseconds)));
            }
        }
    }

    async fn ask_memory(&mut self, line: &Line, until: Instant) {
        let ask = NodeGetMemoryStats { cell: None, count: 0 };
        let Some(count) = line.ask(&ask, until, |stats| stats.count).await else { return };
        let ask = NodeGetMemoryStats { cell: None, count };
        let fields = line.ask(&ask, until, |stats| owned(&stats)).await;
        let bytes = |(name, kib): (String, u64)| Some((name, kib.checked_mul(KIB)?));
        self.memory_stats = fields.into_iter().flatten().filter_map(bytes).collect();
    }
}

/// Fields without those that are there twice.
fn owned(stats: &NodeStats<'_>) -> Vec<(String, u64)> {
    let mut fields: Vec<(String, u64)> = Vec::new();
    for (name, number) in &stats.fields {
        if fields.iter().all(|(other, _)| other != name) {
            fields.push((name.clone().into_owned(), *number));
        }
    }
    fields
}

/// CPUs that are asked about.
const CPUS_MAX: u32 = 4096;
