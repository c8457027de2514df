//! The mission's families: what each Nova instance uses.
//!
//! Names, labels, types and help of the first eleven are the first exporter's
//! and its successor's, to the letter. An instance is in them once it is known
//! whether Nova made it; one that is not Nova's has Nova's labels empty.

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write};
use crate::{inventory::Nova, stats::KIB};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_nova_instance_cpu_time_total",
            kind: Kind::Counter,
            help: "instance vcpu time",
        },
        labels: &[],
        origin: "virDomainGetCPUStats cpu_time; virDomainGetInfo cpuTime without cgroups",
        since: "0.9.10",
        write: Write::Instance(|measured| {
            let nanoseconds = measured.cpu.total?.as_nanos();
            u64::try_from(nanoseconds).ok().map(Value::from)
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_alloc_kb",
            kind: Kind::Gauge,
            help: "instance memory allocated",
        },
        labels: &[],
        origin: "balloon.available",
        since: "2.1",
        write: Write::Instance(|measured| kib(measured.balloon.as_ref()?.available)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_used_kb",
            kind: Kind::Gauge,
            help: "instance memory used",
        },
        labels: &[],
        origin: "balloon.available - balloon.usable",
        since: "2.1",
        write: Write::Instance(|measured| kib(measured.balloon.as_ref()?.used())),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_cache_used_kb",
            kind: Kind::Gauge,
            help: "instance memory used including cache",
        },
        labels: &[],
        origin: "balloon.available - balloon.unused",
        since: "2.1",
        write: Write::Instance(|measured| kib(measured.balloon.as_ref()?.used_with_cache())),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_vcpu_count",
            kind: Kind::Gauge,
            help: "instance vcpu allocated",
        },
        labels: &[],
        origin: "the domain's XML: vcpu",
        since: "",
        write: Write::Instance(|measured| {
            measured.instance.devices.as_ref()?.vcpus_maximum.map(Value::from)
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_vcpus_in_use",
            kind: Kind::Gauge,
            help: "vCPUs in use over the last poll interval, what QEMU does besides included.",
        },
        labels: &[],
        origin: "virDomainGetCPUStats cpu_time, moved between two polls, by the time between",
        since: "0.9.10",
        write: Write::Instance(|measured| measured.usage.in_use.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_vcpus_in_use_peak",
            kind: Kind::Gauge,
            help: "The highest of vcpus_in_use in the last 60 seconds.",
        },
        labels: &[],
        origin: "virDomainGetCPUStats cpu_time, moved between two polls, by the time between",
        since: "0.9.10",
        write: Write::Instance(|measured| measured.usage.peak.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rxbytes",
            kind: Kind::Counter,
            help: "bytes received by the instance's network interface",
        },
        labels: &[],
        origin: "net.N.rx.bytes",
        since: "1.2.9",
        write: Write::InstanceInterface(|net| net.received_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_txbytes",
            kind: Kind::Counter,
            help: "bytes transmitted by the instance's network interface",
        },
        labels: &[],
        origin: "net.N.tx.bytes",
        since: "1.2.9",
        write: Write::InstanceInterface(|net| net.transmitted_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rdbytes",
            kind: Kind::Counter,
            help: "bytes read from the instance's disk",
        },
        labels: &[],
        origin: "block.N.rd.bytes",
        since: "1.2.9",
        write: Write::InstanceBlock(|block| block.read_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_wrbytes",
            kind: Kind::Counter,
            help: "bytes written to the instance's disk",
        },
        labels: &[],
        origin: "block.N.wr.bytes",
        since: "1.2.9",
        write: Write::InstanceBlock(|block| block.written_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rdreq",
            kind: Kind::Counter,
            help: "read requests to the instance's disk",
        },
        labels: &[],
        origin: "block.N.rd.reqs",
        since: "1.2.9",
        write: Write::InstanceBlock(|block| block.read_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_wrreq",
            kind: Kind::Counter,
            help: "write requests to the instance's disk",
        },
        labels: &[],
        origin: "block.N.wr.reqs",
        since: "1.2.9",
        write: Write::InstanceBlock(|block| block.write_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_info",
            kind: Kind::Info,
            help: "What Nova says of the instance: the join for everything else.",
        },
        labels: &[
            "flavor",
            "flavor_id",
            "host",
            "image_id",
            "project_id",
            "user",
            "user_id",
            "uuid",
        ],
        origin: "Nova's metadata in the domain",
        since: "",
        write: Write::Running(push_info),
    },
];

pub(super) const UTILIZATION: &[Row] = &[Row {
    family: Family {
        name: "libvirt_nova_instance_vcpu_utilization",
        kind: Kind::Histogram,
        help: "Part of the instance's vCPUs that is in use, an observation each poll interval.",
    },
    labels: &[],
    origin: "vcpus_in_use by vcpu_count, of each poll",
    since: "0.9.10",
    write: Write::Running(|subject, samples| {
        let (Some(labels), Some(observed)) =
            (&subject.tags.instance, &subject.measured.usage.utilization)
        else {
            return;
        };
        let (sum, count) = (observed.sum(), observed.count());
        samples.push_histogram(labels, &observed.buckets(), Some(sum), count);
    }),
}];

fn push_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(labels) = &subject.tags.instance else { return };
    let nova = subject.nova();
    let text = |read: fn(&Nova) -> &Option<String>| {
        nova.and_then(|nova| read(nova).as_deref()).unwrap_or_default()
    };
    let instance = &subject.measured.instance;
    let more = [
        ("flavor", text(|nova| &nova.flavor)),
        ("flavor_id", text(|nova| &nova.flavor_id)),
        ("host", subject.host),
        ("image_id", text(|nova| &nova.image_id)),
        ("project_id", text(|nova| &nova.project_id)),
        ("user", text(|nova| &nova.user)),
        ("user_id", text(|nova| &nova.user_id)),
        ("uuid", &instance.uuid),
    ];
    samples.push_with(labels, &more, true);
}

/// libvirt measures memory in KiB and so do the inherited names: nothing is lost.
fn kib(bytes: Option<u64>) -> Option<Value> {
    bytes?.checked_div(KIB).map(Value::from)
}
