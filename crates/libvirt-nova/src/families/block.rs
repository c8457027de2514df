//! What disks have done, under the names of the libvirt exporters.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_bytes_total",
            kind: Kind::Counter,
            help: "Bytes read from the disk.",
        },
        origin: "block.N.rd.bytes",
        write: Write::Block(|block| block.read_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_requests_total",
            kind: Kind::Counter,
            help: "Read requests to the disk.",
        },
        origin: "block.N.rd.reqs",
        write: Write::Block(|block| block.read_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_read_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that reads from the disk have taken, summed up.",
        },
        origin: "block.N.rd.times",
        write: Write::Block(|block| block.read_time.map(|time| time.as_secs_f64().into())),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_bytes_total",
            kind: Kind::Counter,
            help: "Bytes written to the disk.",
        },
        origin: "block.N.wr.bytes",
        write: Write::Block(|block| block.written_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_requests_total",
            kind: Kind::Counter,
            help: "Write requests to the disk.",
        },
        origin: "block.N.wr.reqs",
        write: Write::Block(|block| block.write_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_write_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that writes to the disk have taken, summed up.",
        },
        origin: "block.N.wr.times",
        write: Write::Block(|block| block.write_time.map(|time| time.as_secs_f64().into())),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_flush_requests_total",
            kind: Kind::Counter,
            help: "Flush requests to the disk.",
        },
        origin: "block.N.fl.reqs",
        write: Write::Block(|block| block.flush_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_flush_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that flushes of the disk have taken, summed up.",
        },
        origin: "block.N.fl.times",
        write: Write::Block(|block| block.flush_time.map(|time| time.as_secs_f64().into())),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_capacity_bytes",
            kind: Kind::Gauge,
            help: "Size of the disk, as the guest sees it.",
        },
        origin: "block.N.capacity",
        write: Write::Block(|block| block.capacity.map(Value::from)),
    },
];
