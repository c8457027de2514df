//! Disks: what they are and what they have done, under the names of the libvirt exporters.

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write};
use crate::inventory::Disk;

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_info",
            kind: Kind::Info,
            help: "What the disk is. volume_uuid is the Cinder volume, source_name the pool and image of rbd.",
        },
        labels: &[
            "device",
            "disk_type",
            "driver_cache",
            "driver_discard",
            "driver_name",
            "driver_type",
            "serial",
            "source_file",
            "source_name",
            "source_protocol",
            "target_bus",
            "target_device",
            "volume_uuid",
        ],
        origin: "the domain's XML: disk",
        since: "",
        write: Write::Any(push_info),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_bytes_total",
            kind: Kind::Counter,
            help: "Bytes read from the disk.",
        },
        labels: &[],
        origin: "block.N.rd.bytes",
        since: "1.2.9",
        write: Write::Block(|block| block.read_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_requests_total",
            kind: Kind::Counter,
            help: "Read requests to the disk.",
        },
        labels: &[],
        origin: "block.N.rd.reqs",
        since: "1.2.9",
        write: Write::Block(|block| block.read_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that reads from the disk have taken, summed up.",
        },
        labels: &[],
        origin: "block.N.rd.times",
        since: "1.2.9",
        write: Write::Block(|block| block.read_time.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_bytes_total",
            kind: Kind::Counter,
            help: "Bytes written to the disk.",
        },
        labels: &[],
        origin: "block.N.wr.bytes",
        since: "1.2.9",
        write: Write::Block(|block| block.written_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_requests_total",
            kind: Kind::Counter,
            help: "Write requests to the disk.",
        },
        labels: &[],
        origin: "block.N.wr.reqs",
        since: "1.2.9",
        write: Write::Block(|block| block.write_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that writes to the disk have taken, summed up.",
        },
        labels: &[],
        origin: "block.N.wr.times",
        since: "1.2.9",
        write: Write::Block(|block| block.write_time.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_flush_requests_total",
            kind: Kind::Counter,
            help: "Flush requests to the disk.",
        },
        labels: &[],
        origin: "block.N.fl.reqs",
        since: "1.2.9",
        write: Write::Block(|block| block.flush_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_flush_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that flushes of the disk have taken, summed up.",
        },
        labels: &[],
        origin: "block.N.fl.times",
        since: "1.2.9",
        write: Write::Block(|block| block.flush_time.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_capacity_bytes",
            kind: Kind::Gauge,
            help: "Size of the disk, as the guest sees it.",
        },
        labels: &[],
        origin: "block.N.capacity",
        since: "1.2.10",
        write: Write::Block(|block| block.capacity.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_allocation_bytes",
            kind: Kind::Gauge,
            help: "Where the guest has written last on the disk, or what the image takes.",
        },
        labels: &[],
        origin: "block.N.allocation",
        since: "1.2.10",
        write: Write::Block(|block| block.allocation.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_physical_bytes",
            kind: Kind::Gauge,
            help: "What the image of the disk takes on the host.",
        },
        labels: &[],
        origin: "block.N.physical",
        since: "1.2.10",
        write: Write::Block(|block| block.physical.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_threshold_bytes",
            kind: Kind::Gauge,
            help: "Where a write to the disk raises an event, where somebody has set it.",
        },
        labels: &[],
        origin: "block.N.threshold",
        since: "3.2",
        write: Write::Block(|block| block.threshold.map(Value::from)),
    },
];

fn push_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let disks = subject.devices().map(|devices| &*devices.disks).unwrap_or_default();
    for (at, disk) in disks.iter().enumerate() {
        // While one is unplugged and another one takes its place there may be two.
        let is_first = disks.iter().position(|other| other.target == disk.target) == Some(at);
        if !is_first {
            continue;
        }
        let text = |read: fn(&Disk) -> &Option<String>| read(disk).as_deref().unwrap_or_default();
        let more = [
            ("device", text(|disk| &disk.device)),
            ("disk_type", disk.kind.as_str()),
            ("driver_cache", text(|disk| &disk.driver_cache)),
            ("driver_discard", text(|disk| &disk.driver_discard)),
            ("driver_name", text(|disk| &disk.driver_name)),
            ("driver_type", text(|disk| &disk.driver_type)),
            ("serial", text(|disk| &disk.serial)),
            ("source_file", text(|disk| &disk.source_file)),
            ("source_name", text(|disk| &disk.source_name)),
            ("source_protocol", text(|disk| &disk.source_protocol)),
            ("target_bus", text(|disk| &disk.bus)),
            ("target_device", &disk.target),
            ("volume_uuid", text(|disk| &disk.volume_uuid)),
        ];
        subject.tags.push_with(&more, true, samples);
    }
}
