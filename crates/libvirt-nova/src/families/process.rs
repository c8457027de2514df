//! The exporter's own use of the host, under the names that Prometheus' client
//! libraries gave them.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind, Samples};
use procfs::{
    WithCurrentSystemInfo,
    process::{LimitValue, Process, Stat},
};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "process_cpu_seconds_total",
            kind: Kind::Counter,
            help: "Total user and system CPU time spent in seconds.",
        },
        labels: &[],
        origin: "/proc/self/stat",
        since: "",
        write: Write::Host(|_, samples| {
            if let Some(stat) = stat() {
                let ticks = stat.utime.saturating_add(stat.stime);
                samples.push(&[], seconds(ticks));
            }
        }),
    },
    Row {
        family: Family {
            name: "process_resident_memory_bytes",
            kind: Kind::Gauge,
            help: "Resident memory size in bytes.",
        },
        labels: &[],
        origin: "/proc/self/stat",
        since: "",
        write: Write::Host(|_, samples| {
            if let Some(stat) = stat() {
                samples.push(&[], stat.rss_bytes().get());
            }
        }),
    },
    Row {
        family: Family {
            name: "process_virtual_memory_bytes",
            kind: Kind::Gauge,
            help: "Virtual memory size in bytes.",
        },
        labels: &[],
        origin: "/proc/self/stat",
        since: "",
        write: Write::Host(|_, samples| {
            if let Some(stat) = stat() {
                samples.push(&[], stat.vsize);
            }
        }),
    },
    Row {
        family: Family {
            name: "process_start_time_seconds",
            kind: Kind::Gauge,
            help: "Start time of the process since unix epoch in seconds.",
        },
        labels: &[],
        // The kernel's own time of it needs /proc/stat, which a sandbox hides.
        origin: "the clock, when it began",
        since: "",
        write: Write::Exporter(|report, samples| {
            let began = report.began.and_then(|began| began.duration_since(UNIX_EPOCH).ok());
            if let Some(began) = began {
                samples.push(&[], began.as_secs_f64());
            }
        }),
    },
    Row {
        family: Family {
            name: "process_open_fds",
            kind: Kind::Gauge,
            help: "Number of open file descriptors.",
        },
        labels: &[],
        origin: "/proc/self/fd",
        since: "",
        write: Write::Host(|_, samples| {
            if let Some(count) = myself().and_then(|process| process.fd_count().ok()) {
                samples.push(&[], u64::try_from(count).unwrap_or(u64::MAX));
            }
        }),
    },
    Row {
        family: Family {
            name: "process_max_fds",
            kind: Kind::Gauge,
            help: "Maximum number of open file descriptors.",
        },
        labels: &[],
        origin: "/proc/self/limits",
        since: "",
        write: Write::Host(push_max_fds),
    },
];

fn push_max_fds(_: &crate::snapshot::Snapshot, samples: &mut Samples<'_>) {
    let limits = myself().and_then(|process| process.limits().ok());
    if let Some(LimitValue::Value(limit)) = limits.map(|limits| limits.max_open_files.soft_limit) {
        samples.push(&[], limit);
    }
}

fn myself() -> Option<Process> {
    Process::myself().ok()
}

fn stat() -> Option<Stat> {
    myself()?.stat().ok()
}

/// Clock ticks in seconds.
fn seconds(ticks: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a hundredth of a second of 2,000 years")]
    let (ticks, rate) = (ticks as f64, procfs::ticks_per_second() as f64);
    ticks / rate
}
