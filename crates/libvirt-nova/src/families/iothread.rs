//! Threads that do the guests' I/O.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_iothread_poll_max_seconds",
            kind: Kind::Gauge,
            help: "How long the thread looks for work at most before it sleeps.",
        },
        labels: &[],
        origin: "iothread.ID.poll-max-ns",
        since: "4.10",
        write: Write::Iothread(|thread| thread.poll_max.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_iothread_poll_grow",
            kind: Kind::Gauge,
            help: "By how much that time grows; 0 where QEMU chooses.",
        },
        labels: &[],
        origin: "iothread.ID.poll-grow",
        since: "4.10",
        write: Write::Iothread(|thread| thread.poll_grow.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_iothread_poll_shrink",
            kind: Kind::Gauge,
            help: "By how much that time shrinks; 0 where QEMU chooses.",
        },
        labels: &[],
        origin: "iothread.ID.poll-shrink",
        since: "4.10",
        write: Write::Iothread(|thread| thread.poll_shrink.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_iothread_poll_weight",
            kind: Kind::Gauge,
            help: "How much the last time counts for the next one.",
        },
        labels: &[],
        origin: "iothread.ID.poll-weight",
        since: "12.0",
        write: Write::Iothread(|thread| thread.poll_weight.map(Value::from)),
    },
];
