//! How fast guests write their memory, where somebody has had it measured.

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write};
use crate::{snapshot::Measured, stats::DirtyRate};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_status",
            kind: Kind::Gauge,
            help: "Whether the rate is known: 0 never measured, 1 measuring, 2 measured.",
        },
        labels: &[],
        origin: "dirtyrate.calc_status",
        since: "7.2",
        write: Write::Domain(|measured| of(measured)?.status.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_info",
            kind: Kind::Info,
            help: "How the rate was measured.",
        },
        labels: &["mode"],
        origin: "dirtyrate.calc_mode",
        since: "8.1",
        write: Write::Running(push_mode),
    },
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_start_seconds",
            kind: Kind::Gauge,
            help: "When the measurement began, in seconds of the host's monotonic clock, which is about its uptime.",
        },
        labels: &[],
        origin: "dirtyrate.calc_start_time",
        since: "7.2",
        write: Write::Domain(|measured| {
            of(measured)?.began.map(|began| Value::from(began.as_secs()))
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_period_seconds",
            kind: Kind::Gauge,
            help: "How long was measured.",
        },
        labels: &[],
        origin: "dirtyrate.calc_period",
        since: "7.2",
        write: Write::Domain(|measured| of(measured)?.period.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_bytes_per_second",
            kind: Kind::Gauge,
            help: "Bytes of memory that the guest wrote a second.",
        },
        labels: &[],
        origin: "dirtyrate.megabytes_per_second",
        since: "7.2",
        write: Write::Domain(|measured| of(measured)?.rate.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_dirtyrate_vcpu_bytes_per_second",
            kind: Kind::Gauge,
            help: "Bytes of memory that the vCPU wrote a second.",
        },
        labels: &["vcpu"],
        origin: "dirtyrate.vcpu.N.megabytes_per_second",
        since: "8.1",
        write: Write::Running(push_vcpus),
    },
];

fn of(measured: &Measured) -> Option<&DirtyRate> {
    Some(&measured.stats.as_ref()?.dirtyrate)
}

fn push_mode(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    if let Some(mode) = of(subject.measured).and_then(|rate| rate.mode.as_deref()) {
        subject.tags.push_with(&[("mode", mode)], true, samples);
    }
}

fn push_vcpus(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let rates = of(subject.measured).map(|rate| &*rate.vcpu_rates).unwrap_or_default();
    for (vcpu, rate) in rates {
        subject.tags.push_with(&[("vcpu", &vcpu.to_string())], *rate, samples);
    }
}
