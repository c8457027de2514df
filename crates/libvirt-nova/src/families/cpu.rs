//! CPU time of domains.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_cpu_user_seconds_total",
            kind: Kind::Counter,
            help: "CPU time that the domain has used in user mode.",
        },
        labels: &[],
        origin: "virDomainGetCPUStats user_time",
        since: "0.9.10",
        write: Write::Domain(|measured| measured.cpu.user.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_cpu_system_seconds_total",
            kind: Kind::Counter,
            help: "CPU time that the domain has used in the kernel.",
        },
        labels: &[],
        origin: "virDomainGetCPUStats system_time",
        since: "0.9.10",
        write: Write::Domain(|measured| measured.cpu.system.map(Value::from)),
    },
];

/// What KVM does for vCPUs that have nothing to do.
pub(super) const HALTPOLL: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_cpu_haltpoll_success_seconds_total",
            kind: Kind::Counter,
            help: "Time that vCPUs without work were kept on their CPU, and work came.",
        },
        labels: &[],
        origin: "cpu.haltpoll.success.time",
        since: "7.6",
        write: Write::Domain(|measured| measured.stats.as_ref()?.haltpoll.success.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_cpu_haltpoll_fail_seconds_total",
            kind: Kind::Counter,
            help: "Time that vCPUs without work were kept on their CPU, and none came.",
        },
        labels: &[],
        origin: "cpu.haltpoll.fail.time",
        since: "7.6",
        write: Write::Domain(|measured| measured.stats.as_ref()?.haltpoll.fail.map(Value::from)),
    },
];
