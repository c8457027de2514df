//! Each vCPU.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_current",
            kind: Kind::Gauge,
            help: "vCPUs that the domain has at the moment.",
        },
        labels: &[],
        origin: "vcpu.current",
        since: "1.2.9",
        write: Write::Domain(|measured| measured.stats.as_ref()?.vcpus_current.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_maximum",
            kind: Kind::Gauge,
            help: "vCPUs that the domain may have.",
        },
        labels: &[],
        origin: "vcpu.maximum",
        since: "1.2.9",
        write: Write::Domain(|measured| measured.stats.as_ref()?.vcpus_maximum.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_state",
            kind: Kind::Gauge,
            help: "What the vCPU does: 0 offline, 1 running, 2 blocked.",
        },
        labels: &[],
        origin: "vcpu.N.state",
        since: "1.2.9",
        write: Write::Vcpu(|vcpu| vcpu.state.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_time_seconds_total",
            kind: Kind::Counter,
            help: "Time that the vCPU has spent on CPUs of the host.",
        },
        labels: &[],
        origin: "vcpu.N.time",
        since: "1.2.9",
        write: Write::Vcpu(|vcpu| vcpu.time.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_wait_seconds_total",
            kind: Kind::Counter,
            help: "Time that the vCPU has waited for a CPU of the host. Needs schedstats on the host.",
        },
        labels: &[],
        origin: "vcpu.N.wait",
        since: "1.3.2",
        write: Write::Vcpu(|vcpu| vcpu.wait.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_delay_seconds_total",
            kind: Kind::Counter,
            help: "Time that the vCPU has waited for a CPU of the host, as the guest sees it: steal. Not to be added to wait.",
        },
        labels: &[],
        origin: "vcpu.N.delay",
        since: "7.2",
        write: Write::Vcpu(|vcpu| vcpu.delay.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_halted",
            kind: Kind::Gauge,
            help: "Whether the vCPU has nothing to do. Not told of every kind of CPU.",
        },
        labels: &[],
        origin: "vcpu.N.halted",
        since: "2.4",
        write: Write::Vcpu(|vcpu| vcpu.halted.map(Value::from)),
    },
];
