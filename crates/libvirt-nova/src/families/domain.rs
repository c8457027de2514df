//! What a domain is, its state, and how well its statistics are known.

use exposition::{Family, Kind, Samples, Value};
use libvirt_wire::call::ControlState;

use super::{Row, Subject, Write};
use crate::{
    inventory::{Devices, Nova},
    snapshot::Measured,
    stats::{DomainStats, State},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domains",
            kind: Kind::Gauge,
            help: "Domains that libvirt knows, whether they run or not.",
        },
        labels: &[],
        origin: "virConnectListAllDomains",
        since: "0.9.13",
        write: Write::Host(|snapshot, samples| {
            if let Some(count) = snapshot.domain_count {
                samples.push(&[], u64::try_from(count).unwrap_or(u64::MAX));
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_timed_out",
            kind: Kind::Gauge,
            help: "Whether statistics of the domain are missing because libvirt or QEMU did not answer in time.",
        },
        labels: &[],
        origin: "the collection",
        since: "",
        write: Write::Domain(|measured| Some(Value::from(is_timed_out(measured)))),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info",
            kind: Kind::Info,
            help: "What kind of machine the domain is.",
        },
        labels: &["os_type", "os_type_arch", "os_type_machine"],
        origin: "the domain's XML: os/type",
        since: "",
        write: Write::Any(push_info),
    },
    Row {
        family: Family {
            name: "libvirt_domain_openstack_info",
            kind: Kind::Info,
            help: "What Nova says of the domain: the join for everything else. Only of domains that Nova made.",
        },
        labels: &[
            "flavor_name",
            "instance_id",
            "instance_name",
            "project_id",
            "project_name",
            "user_id",
            "user_name",
        ],
        origin: "Nova's metadata in the domain",
        since: "",
        write: Write::Any(push_openstack_info),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_state",
            kind: Kind::Gauge,
            help: "libvirt's number of the domain's state; state_desc changes with it.",
        },
        labels: &["state_desc"],
        origin: "state.state",
        since: "1.2.8",
        write: Write::Any(push_info_state),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_maximum_memory_bytes",
            kind: Kind::Gauge,
            help: "Memory that the domain may have.",
        },
        labels: &[],
        origin: "balloon.maximum; the XML's memory where that is not there",
        since: "1.2.9",
        write: Write::Defined(|measured| maximum_memory(measured).map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_memory_usage_bytes",
            kind: Kind::Gauge,
            help: "Memory that the domain has at the moment; not what the guest uses of it.",
        },
        labels: &[],
        origin: "balloon.current; the XML's currentMemory where it does not run",
        since: "1.2.9",
        write: Write::Defined(|measured| memory(measured).map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_virtual_cpus",
            kind: Kind::Gauge,
            help: "vCPUs that the domain has at the moment.",
        },
        labels: &[],
        origin: "vcpu.current; the XML's vcpu where it does not run",
        since: "1.2.9",
        write: Write::Defined(|measured| vcpus(measured).map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_cpu_time_seconds_total",
            kind: Kind::Counter,
            help: "CPU time that the domain has used.",
        },
        labels: &[],
        origin: "virDomainGetCPUStats cpu_time; virDomainGetInfo cpuTime without cgroups",
        since: "0.9.10",
        write: Write::Domain(|measured| measured.cpu.total.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_state",
            kind: Kind::Gauge,
            help: "Whether the domain is in the state named.",
        },
        labels: &["state"],
        origin: "state.state",
        since: "1.2.8",
        write: Write::Any(push_state),
    },
    Row {
        family: Family {
            name: "libvirt_domain_state_reason",
            kind: Kind::Gauge,
            help: "Why the domain is in its state.",
        },
        labels: &["reason", "state"],
        origin: "state.reason",
        since: "1.2.8",
        write: Write::Any(push_state_reason),
    },
    Row {
        family: Family {
            name: "libvirt_domain_control_state",
            kind: Kind::Gauge,
            help: "Whether the domain's control interface, QEMU's monitor, is in the state named. \
                   Occupied for long means that QEMU does not answer.",
        },
        labels: &["state"],
        origin: "virDomainGetControlInfo state",
        since: "0.9.3",
        write: Write::Running(push_control_state),
    },
    Row {
        family: Family {
            name: "libvirt_domain_control_state_seconds",
            kind: Kind::Gauge,
            help: "For how long a job has been running, or QEMU has not answered.",
        },
        labels: &[],
        origin: "virDomainGetControlInfo stateTime",
        since: "0.9.3",
        write: Write::Domain(|measured| {
            // libvirt does not count the time in the other two.
            let control = measured.control?;
            let is_counted =
                matches!(control.state, Some(ControlState::Job | ControlState::Occupied));
            is_counted.then_some(Value::from(control.since))
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_stats_complete",
            kind: Kind::Gauge,
            help: "Whether this scrape has the statistics that need QEMU's monitor.",
        },
        labels: &[],
        origin: "balloon.rss is there, and block.N.rd.bytes of a disk",
        since: "2.1",
        write: Write::Domain(|measured| Some(Value::from(is_complete(measured)))),
    },
    Row {
        family: Family {
            name: "libvirt_domain_stats_age_seconds",
            kind: Kind::Gauge,
            help: "How long ago libvirtd gave the domain's statistics.",
        },
        labels: &[],
        origin: "the time since virConnectGetAllDomainStats returned",
        since: "",
        write: Write::Domain(|measured| Some(Value::from(measured.at?.elapsed()))),
    },
];

/// One whose job somebody has, a migration that arrives for instance, is not late.
fn is_timed_out(measured: &Measured) -> bool {
    !is_complete(measured) && (measured.is_silent || measured.stats.is_none())
}

fn is_complete(measured: &Measured) -> bool {
    measured.stats.as_deref().is_some_and(DomainStats::is_complete)
}

fn push_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(devices) = subject.devices() else { return };
    let text = |read: fn(&Devices) -> &Option<String>| read(devices).as_deref().unwrap_or_default();
    let more = [
        ("os_type", text(|devices| &devices.os_type)),
        ("os_type_arch", text(|devices| &devices.arch)),
        ("os_type_machine", text(|devices| &devices.machine)),
    ];
    subject.tags.push_with(&more, true, samples);
}

fn push_openstack_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(nova) = subject.nova() else { return };
    let text = |read: fn(&Nova) -> &Option<String>| read(nova).as_deref().unwrap_or_default();
    let mut more = vec![
        ("flavor_name", text(|nova| &nova.flavor)),
        ("instance_id", subject.measured.instance.uuid.as_str()),
        ("instance_name", text(|nova| &nova.name)),
        ("project_id", text(|nova| &nova.project_id)),
        ("user_id", text(|nova| &nova.user_id)),
        ("user_name", text(|nova| &nova.user)),
    ];
    // Among the wide labels it is there already.
    if !subject.is_wide {
        more.push(("project_name", text(|nova| &nova.project)));
    }
    subject.tags.push_with(&more, true, samples);
}

fn push_info_state(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    if let Some(state) = subject.measured.state() {
        subject.tags.push_with(&[("state_desc", state.sentence())], state.number(), samples);
    }
}

fn push_state(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(state) = subject.measured.state() else { return };
    // One for each state that there is, so that no series comes or goes with the state.
    for other in State::ALL {
        subject.tags.push_with(&[("state", other.word())], other == state, samples);
    }
}

fn push_state_reason(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(stats) = &subject.measured.stats else { return };
    if let (Some(state), Some(reason)) = (stats.state, stats.reason) {
        let more = [("reason", reason.word()), ("state", state.word())];
        subject.tags.push_with(&more, true, samples);
    }
}

fn push_control_state(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(state) = subject.measured.control.and_then(|control| control.state) else { return };
    for other in ControlState::ALL {
        subject.tags.push_with(&[("state", word(other))], other == state, samples);
    }
}

/// Only a device that is plugged in changes it, and that is an event.
fn maximum_memory(measured: &Measured) -> Option<u64> {
    let measure = measured.stats.as_ref().and_then(|stats| stats.balloon.maximum);
    measure.or_else(|| measured.instance.devices.as_ref()?.memory_maximum)
}

fn memory(measured: &Measured) -> Option<u64> {
    if measured.runs {
        measured.stats.as_ref()?.balloon.current
    } else {
        measured.instance.devices.as_ref()?.memory_current
    }
}

fn vcpus(measured: &Measured) -> Option<u64> {
    if measured.runs {
        measured.stats.as_ref()?.vcpus_current
    } else {
        measured.instance.devices.as_ref()?.vcpus_current.map(u64::from)
    }
}

/// libvirt's constant in lower case, without its prefix.
fn word(state: ControlState) -> &'static str {
    match state {
        ControlState::Ok => "ok",
        ControlState::Job => "job",
        ControlState::Occupied => "occupied",
        ControlState::Error => "error",
    }
}
