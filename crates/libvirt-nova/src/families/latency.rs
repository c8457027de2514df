//! How long requests to disks take, and what the devices behind disks can do.

use exposition::{Family, Kind, Samples};

use super::{Row, Subject, Write};

/// Only of disks whose XML has `<statistics>` or `<latency-histogram>`.
pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_latency_seconds",
            kind: Kind::Histogram,
            help: "How long requests to the disk took. Without a sum: libvirt does not tell it.",
        },
        labels: &["operation", "target_device"],
        origin: "block.N.latency_histogram.OPERATION.bin.K",
        since: "12.1",
        write: Write::Running(push_histograms),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_latency_min_seconds",
            kind: Kind::Gauge,
            help: "The shortest time that a request to the disk took in the last interval.",
        },
        labels: &["interval_seconds", "operation", "target_device"],
        origin: "block.N.timed_group.M.OPERATION_latency_min",
        since: "11.10",
        write: Write::Running(|subject, samples| push_latencies(subject, "min", samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_latency_max_seconds",
            kind: Kind::Gauge,
            help: "The longest time that a request to the disk took in the last interval.",
        },
        labels: &["interval_seconds", "operation", "target_device"],
        origin: "block.N.timed_group.M.OPERATION_latency_max",
        since: "11.10",
        write: Write::Running(|subject, samples| push_latencies(subject, "max", samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_latency_avg_seconds",
            kind: Kind::Gauge,
            help: "The average time that a request to the disk took in the last interval.",
        },
        labels: &["interval_seconds", "operation", "target_device"],
        origin: "block.N.timed_group.M.OPERATION_latency_avg",
        since: "11.10",
        write: Write::Running(|subject, samples| push_latencies(subject, "avg", samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_queue_depth_avg",
            kind: Kind::Gauge,
            help: "Requests that waited at the disk on average in the last interval.",
        },
        labels: &["interval_seconds", "operation", "target_device"],
        origin: "block.N.timed_group.M.OPERATION_queue_depth_avg",
        since: "11.10",
        write: Write::Running(push_queue_depths),
    },
];

/// What the host's devices behind disks can do.
pub(super) const LIMITS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_device_limit_bytes",
            kind: Kind::Gauge,
            help: "A limit of the host's device behind the disk.",
        },
        labels: &["limit", "target_device"],
        origin: "block.N.limits.*",
        since: "11.10",
        write: Write::Running(|subject, samples| push_limits(subject, false, samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_device_limit_segments",
            kind: Kind::Gauge,
            help: "A limit of the host's device behind the disk that is a number of segments.",
        },
        labels: &["limit", "target_device"],
        origin: "block.N.limits.iov_*",
        since: "11.10",
        write: Write::Running(|subject, samples| push_limits(subject, true, samples)),
    },
];

fn push_histograms(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    for block in &subject.blocks {
        for histogram in &block.stats.latencies {
            if let (Some(labels), Some((buckets, count))) =
                (&block.tags.domain, histogram.buckets())
            {
                let more = [("operation", histogram.operation)];
                samples.push_histogram(&labels.with(&more), &buckets, None, count);
            }
        }
    }
}

fn push_latencies(subject: &Subject<'_>, kind: &str, samples: &mut Samples<'_>) {
    for block in &subject.blocks {
        for (interval, group) in block.stats.intervals() {
            let interval = interval.as_secs().to_string();
            for (operation, _, time) in group.latencies.iter().filter(|known| known.1 == kind) {
                let more = [("interval_seconds", &*interval), ("operation", operation)];
                block.tags.push_with(&more, *time, samples);
            }
        }
    }
}

fn push_queue_depths(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    for block in &subject.blocks {
        for (interval, group) in block.stats.intervals() {
            let interval = interval.as_secs().to_string();
            for (operation, depth) in &group.queue_depths {
                let more = [("interval_seconds", &*interval), ("operation", operation)];
                block.tags.push_with(&more, *depth, samples);
            }
        }
    }
}

fn push_limits(subject: &Subject<'_>, is_segments: bool, samples: &mut Samples<'_>) {
    for block in &subject.blocks {
        for (limit, number) in &block.stats.device_limits {
            if limit.starts_with("iov_") == is_segments {
                block.tags.push_with(&[("limit", limit)], *number, samples);
            }
        }
    }
}
