//! What the host's CPUs count for guests.

use exposition::{Family, Kind, Samples};

use super::{Row, Subject, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_perf_events_total",
            kind: Kind::Counter,
            help: "Events that the host's CPUs counted for the domain, where its XML asks for it.",
        },
        labels: &["event"],
        origin: "perf.*",
        since: "2.3",
        write: Write::Running(push_events),
    },
    Row {
        family: Family {
            name: "libvirt_domain_perf_clock_seconds_total",
            kind: Kind::Counter,
            help: "Time that perf counted for the domain.",
        },
        labels: &["event"],
        origin: "perf.cpu_clock, perf.task_clock",
        since: "3.2",
        write: Write::Running(push_clocks),
    },
    Row {
        family: Family {
            name: "libvirt_domain_perf_cache_occupancy_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the last-level cache that the domain occupies.",
        },
        labels: &[],
        origin: "perf.cmt",
        since: "1.3.3",
        write: Write::Domain(|measured| measured.stats.as_ref()?.perf.cache_bytes.map(Into::into)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_perf_memory_bandwidth_bytes_total",
            kind: Kind::Counter,
            help: "Bytes between cache and memory: mbmt in all, mbml within the NUMA node.",
        },
        labels: &["event"],
        origin: "perf.mbmt, perf.mbml",
        since: "1.3.5",
        write: Write::Running(push_bandwidth),
    },
];

fn push_events(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(stats) = &subject.measured.stats else { return };
    for (event, count) in &stats.perf.events {
        subject.tags.push_with(&[("event", event)], *count, samples);
    }
}

fn push_clocks(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(stats) = &subject.measured.stats else { return };
    for (event, time) in &stats.perf.clocks {
        subject.tags.push_with(&[("event", event)], *time, samples);
    }
}

fn push_bandwidth(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(stats) = &subject.measured.stats else { return };
    for (event, bytes) in &stats.perf.bandwidth {
        subject.tags.push_with(&[("event", event)], *bytes, samples);
    }
}
