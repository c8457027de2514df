//! A domain's state, and how well its statistics are known.

use exposition::{Family, Kind, Samples, Value};
use libvirt_wire::call::ControlState;

use super::{Row, Write};
use crate::{
    snapshot::Measured,
    stats::{DomainStats, State},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_state",
            kind: Kind::Gauge,
            help: "Whether the domain is in the state named.",
        },
        origin: "state.state",
        write: Write::Instance(|measured, _, samples| {
            let Some(state) = measured.stats.as_ref().and_then(|stats| stats.state) else { return };
            push_set(measured, State::ALL.map(|other| (other.word(), other == state)), samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_control_state",
            kind: Kind::Gauge,
            help: "Whether the domain's control interface, QEMU's monitor, is in the state named. \
                   Occupied for long means that QEMU does not answer.",
        },
        origin: "virDomainGetControlInfo state",
        write: Write::Instance(|measured, _, samples| {
            let Some(state) = measured.control.and_then(|control| control.state) else { return };
            let states = ControlState::ALL.map(|other| (word(other), other == state));
            push_set(measured, states, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_control_state_seconds",
            kind: Kind::Gauge,
            help: "For how long a job has been running, or QEMU has not answered.",
        },
        origin: "virDomainGetControlInfo stateTime",
        write: Write::Instance(|measured, _, samples| {
            // libvirt does not count the time in the other two.
            if let Some(control) = measured.control
                && let Some(ControlState::Job | ControlState::Occupied) = control.state
            {
                push(measured, control.since.as_secs_f64(), samples);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_stats_complete",
            kind: Kind::Gauge,
            help: "Whether this scrape has the statistics that need QEMU's monitor.",
        },
        origin: "balloon.rss is there, and block.N.rd.bytes of a disk",
        write: Write::Instance(|measured, _, samples| {
            let is_complete = measured.stats.as_ref().is_some_and(DomainStats::is_complete);
            push(measured, is_complete, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_stats_age_seconds",
            kind: Kind::Gauge,
            help: "How long ago libvirtd gave the domain's statistics.",
        },
        origin: "the time since virConnectGetAllDomainStats returned",
        write: Write::Instance(|measured, _, samples| {
            if let Some(at) = measured.at {
                push(measured, at.elapsed().as_secs_f64(), samples);
            }
        }),
    },
];

pub(super) fn push(measured: &Measured, value: impl Into<Value>, samples: &mut Samples<'_>) {
    let instance = &measured.instance;
    let labels = [("domain", instance.domain.name.as_str()), ("uuid", instance.uuid.as_str())];
    samples.push(&labels, value);
}

/// Writes a sample for each state that there is, so that no series comes or goes
/// with the state.
fn push_set<const N: usize>(
    measured: &Measured,
    states: [(&str, bool); N],
    samples: &mut Samples<'_>,
) {
    let instance = &measured.instance;
    for (state, is_in_it) in states {
        let labels = [
            ("domain", instance.domain.name.as_str()),
            ("state", state),
            ("uuid", instance.uuid.as_str()),
        ];
        samples.push(&labels, is_in_it);
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
