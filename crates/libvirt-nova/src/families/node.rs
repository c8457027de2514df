//! The host, as libvirt sees it.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_node_info",
            kind: Kind::Info,
            help: "What kind of machine the host is.",
        },
        labels: &["model"],
        origin: "virNodeGetInfo model",
        since: "0.3.0",
        write: Write::Host(|snapshot, samples| {
            if let Some(info) = &snapshot.node.info {
                samples.push(&[("model", &info.model)], true);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_node_cpus",
            kind: Kind::Gauge,
            help: "CPUs of the host that are online.",
        },
        labels: &[],
        origin: "virNodeGetInfo cpus",
        since: "0.3.0",
        write: Write::Node(|node| node.info.as_ref().map(|info| info.cpus.into())),
    },
    Row {
        family: Family {
            name: "libvirt_node_numa_nodes",
            kind: Kind::Gauge,
            help: "NUMA nodes of the host.",
        },
        labels: &[],
        origin: "virNodeGetInfo nodes",
        since: "0.3.0",
        write: Write::Node(|node| node.info.as_ref().map(|info| info.nodes.into())),
    },
    Row {
        family: Family {
            name: "libvirt_node_cpu_sockets",
            kind: Kind::Gauge,
            help: "Sockets with a CPU, of each NUMA node.",
        },
        labels: &[],
        origin: "virNodeGetInfo sockets",
        since: "0.3.0",
        write: Write::Node(|node| node.info.as_ref().map(|info| info.sockets.into())),
    },
    Row {
        family: Family {
            name: "libvirt_node_cpu_cores",
            kind: Kind::Gauge,
            help: "Cores of each socket.",
        },
        labels: &[],
        origin: "virNodeGetInfo cores",
        since: "0.3.0",
        write: Write::Node(|node| node.info.as_ref().map(|info| info.cores.into())),
    },
    Row {
        family: Family {
            name: "libvirt_node_cpu_threads",
            kind: Kind::Gauge,
            help: "Threads of each core.",
        },
        labels: &[],
        origin: "virNodeGetInfo threads",
        since: "0.3.0",
        write: Write::Node(|node| node.info.as_ref().map(|info| info.threads.into())),
    },
    Row {
        family: Family {
            name: "libvirt_node_cpu_frequency_hertz",
            kind: Kind::Gauge,
            help: "Frequency of the first CPU that libvirt found; absent where it did not.",
        },
        labels: &[],
        origin: "virNodeGetInfo mhz",
        since: "0.3.0",
        write: Write::Node(|node| {
            let info = node.info.as_ref().filter(|info| info.mhz > 0)?;
            Some(u64::from(info.mhz).saturating_mul(MHZ).into())
        }),
    },
    Row {
        family: Family {
            name: "libvirt_node_memory_bytes",
            kind: Kind::Gauge,
            help: "Memory of the host.",
        },
        labels: &[],
        origin: "virNodeGetInfo memory",
        since: "0.3.0",
        write: Write::Node(|node| node.memory.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_node_memory_free_bytes",
            kind: Kind::Gauge,
            help: "Memory of the host that is free.",
        },
        labels: &[],
        origin: "virNodeGetFreeMemory",
        since: "0.4.4",
        write: Write::Node(|node| node.memory_free.map(Value::from)),
    },
];

/// CPUs and cells of memory one by one.
pub(super) const DETAIL: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_node_cpu_seconds_total",
            kind: Kind::Counter,
            help: "Time that the CPU of the host has spent in a mode.",
        },
        labels: &["cpu", "mode"],
        origin: "virNodeGetCPUStats",
        since: "0.9.3",
        write: Write::Host(|snapshot, samples| {
            for (cpu, mode, time) in &snapshot.node.cpu_times {
                samples.push(&[("cpu", cpu), ("mode", mode)], *time);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_node_memory_stats_bytes",
            kind: Kind::Gauge,
            help: "Memory of the host by use.",
        },
        labels: &["use"],
        origin: "virNodeGetMemoryStats",
        since: "0.9.3",
        write: Write::Host(|snapshot, samples| {
            for (name, bytes) in &snapshot.node.memory_stats {
                samples.push(&[("use", name)], *bytes);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_node_cell_memory_free_bytes",
            kind: Kind::Gauge,
            help: "Memory of the NUMA cell that is free.",
        },
        labels: &["cell"],
        origin: "virNodeGetCellsFreeMemory",
        since: "0.4.4",
        write: Write::Host(|snapshot, samples| {
            for (cell, bytes) in &snapshot.node.cells_free {
                samples.push(&[("cell", cell)], *bytes);
            }
        }),
    },
];

const MHZ: u64 = 1_000_000;
