//! What KVM counts. The names are the kernel's, so they are labels.

use exposition::{Family, Kind, Samples};

use super::{Row, Subject, Write};
use crate::stats::KvmKind;

/// Of a whole machine.
pub(super) const MACHINE: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_vm_stat_total",
            kind: Kind::Counter,
            help: "What KVM has counted of the machine, under its own names.",
        },
        labels: &["stat"],
        origin: "vm.NAME.sum",
        since: "8.9",
        write: Write::Running(|subject, samples| push_machine(subject, KvmKind::Total, samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vm_stat_current",
            kind: Kind::Gauge,
            help: "What KVM says of the machine at the moment, under its own names.",
        },
        labels: &["stat"],
        origin: "vm.NAME.cur",
        since: "8.9",
        write: Write::Running(|subject, samples| push_machine(subject, KvmKind::Current, samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vm_stat_max",
            kind: Kind::Gauge,
            help: "The largest that KVM has seen of the machine, under its own names.",
        },
        labels: &["stat"],
        origin: "vm.NAME.max",
        since: "8.9",
        write: Write::Running(|subject, samples| push_machine(subject, KvmKind::Peak, samples)),
    },
];

/// Of each vCPU.
pub(super) const VCPU: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_kvm_stat_total",
            kind: Kind::Counter,
            help: "What KVM has counted of the vCPU, under its own names.",
        },
        labels: &["stat", "vcpu"],
        origin: "vcpu.N.NAME.sum",
        since: "8.9",
        write: Write::Running(|subject, samples| push_vcpus(subject, KvmKind::Total, samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_kvm_stat_current",
            kind: Kind::Gauge,
            help: "What KVM says of the vCPU at the moment, under its own names.",
        },
        labels: &["stat", "vcpu"],
        origin: "vcpu.N.NAME.cur",
        since: "8.9",
        write: Write::Running(|subject, samples| push_vcpus(subject, KvmKind::Current, samples)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_vcpu_kvm_stat_max",
            kind: Kind::Gauge,
            help: "The largest that KVM has seen of the vCPU, under its own names.",
        },
        labels: &["stat", "vcpu"],
        origin: "vcpu.N.NAME.max",
        since: "8.9",
        write: Write::Running(|subject, samples| push_vcpus(subject, KvmKind::Peak, samples)),
    },
];

fn push_machine(subject: &Subject<'_>, kind: KvmKind, samples: &mut Samples<'_>) {
    let Some(stats) = &subject.measured.stats else { return };
    for stat in stats.kvm.of(kind) {
        subject.tags.push_with(&[("stat", &stat.name)], stat.value, samples);
    }
}

fn push_vcpus(subject: &Subject<'_>, kind: KvmKind, samples: &mut Samples<'_>) {
    for vcpu in &subject.vcpus {
        for stat in vcpu.stats.kvm.of(kind) {
            vcpu.tags.push_with(&[("stat", &stat.name)], stat.value, samples);
        }
    }
}
