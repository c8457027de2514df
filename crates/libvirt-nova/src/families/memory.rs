//! Memory, under the names of the libvirt exporters.
//!
//! What the guest told is absent where it has told nothing new for three periods of
//! its balloon.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind, Value};

use super::{Row, Write};
use crate::{snapshot::Measured, stats::Balloon};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_current_balloon_bytes",
            kind: Kind::Gauge,
            help: "Memory that the domain has at the moment.",
        },
        labels: &[],
        origin: "balloon.current",
        since: "1.2.9",
        write: Write::Domain(|measured| of_host(measured, |balloon| balloon.current)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_maximum_bytes",
            kind: Kind::Gauge,
            help: "Memory that the domain may have.",
        },
        labels: &[],
        origin: "balloon.maximum",
        since: "1.2.9",
        write: Write::Domain(|measured| of_host(measured, |balloon| balloon.maximum)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_rss_bytes",
            kind: Kind::Gauge,
            help: "Memory of the host that the domain's QEMU has.",
        },
        labels: &[],
        origin: "balloon.rss",
        since: "2.1",
        write: Write::Domain(|measured| of_host(measured, |balloon| balloon.rss)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_valid",
            kind: Kind::Gauge,
            help: "Whether the guest has told of its memory within the last three periods of its balloon, or those before it was paused.",
        },
        labels: &[],
        origin: "balloon.last-update",
        since: "2.1",
        write: Write::Domain(is_valid),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_last_update_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the guest told of its memory last, in seconds since the unix epoch.",
        },
        labels: &[],
        origin: "balloon.last-update",
        since: "2.1",
        write: Write::Domain(last_update),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_available_bytes",
            kind: Kind::Gauge,
            help: "Memory that the guest sees in all.",
        },
        labels: &[],
        origin: "balloon.available",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.available)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_usable_bytes",
            kind: Kind::Gauge,
            help: "Memory that the guest could give to a program without swapping.",
        },
        labels: &[],
        origin: "balloon.usable",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.usable)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_unused_bytes",
            kind: Kind::Gauge,
            help: "Memory that the guest uses for nothing at all, not even as cache.",
        },
        labels: &[],
        origin: "balloon.unused",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.unused)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_disk_caches_bytes",
            kind: Kind::Gauge,
            help: "Memory of the guest that holds what can be read from the disk again.",
        },
        labels: &[],
        origin: "balloon.disk_caches",
        since: "4.6",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.disk_caches)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_used_percent",
            kind: Kind::Gauge,
            help: "Share of its memory that the guest uses, caches not counted.",
        },
        labels: &[],
        origin: "(balloon.available - balloon.usable) / balloon.available",
        since: "2.1",
        write: Write::Domain(used_percent),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_swap_in_bytes",
            kind: Kind::Counter,
            help: "Bytes that the guest has read from its swap space.",
        },
        labels: &[],
        origin: "balloon.swap_in",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.swap_in)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_swap_out_bytes",
            kind: Kind::Counter,
            help: "Bytes that the guest has written to its swap space.",
        },
        labels: &[],
        origin: "balloon.swap_out",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.swap_out)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_major_fault_total",
            kind: Kind::Counter,
            help: "Page faults of the guest that read the disk.",
        },
        labels: &[],
        origin: "balloon.major_fault",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.major_faults)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_minor_fault_total",
            kind: Kind::Counter,
            help: "Page faults of the guest that did not read the disk.",
        },
        labels: &[],
        origin: "balloon.minor_fault",
        since: "2.1",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.minor_faults)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_hugetlb_pgalloc_total",
            kind: Kind::Counter,
            help: "Huge pages that the guest has allocated.",
        },
        labels: &[],
        origin: "balloon.hugetlb_pgalloc",
        since: "5.4",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.hugetlb_pgalloc)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_hugetlb_pgfail_total",
            kind: Kind::Counter,
            help: "Huge pages that the guest could not allocate.",
        },
        labels: &[],
        origin: "balloon.hugetlb_pgfail",
        since: "5.4",
        write: Write::Domain(|measured| of_guest(measured, |balloon| balloon.hugetlb_pgfail)),
    },
];

/// Reads what libvirt knows without the guest.
fn of_host(measured: &Measured, read: fn(&Balloon) -> Option<u64>) -> Option<Value> {
    measured.stats.as_ref().and_then(|stats| read(&stats.balloon)).map(Value::from)
}

/// Reads what the guest told, where that still holds.
fn of_guest(measured: &Measured, read: fn(&Balloon) -> Option<u64>) -> Option<Value> {
    measured.balloon.as_ref().and_then(read).map(Value::from)
}

fn is_valid(measured: &Measured) -> Option<Value> {
    // Where QEMU was not asked, nobody knows.
    let stats = measured.stats.as_ref().filter(|stats| stats.is_complete())?;
    let is_told = stats.balloon.last_update.is_some();
    Some(Value::from(is_told && measured.balloon.is_some()))
}

fn last_update(measured: &Measured) -> Option<Value> {
    let told = measured.stats.as_ref()?.balloon.last_update?;
    Some(Value::from(told.duration_since(UNIX_EPOCH).ok()?.as_secs()))
}

#[expect(clippy::cast_precision_loss, reason = "no guest has 8 PiB")]
fn used_percent(measured: &Measured) -> Option<Value> {
    let balloon = measured.balloon.as_ref()?;
    let available = balloon.available.filter(|bytes| *bytes > 0)?;
    Some(Value::from(100.0 * balloon.used()? as f64 / available as f64))
}
