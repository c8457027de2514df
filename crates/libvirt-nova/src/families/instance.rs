//! The mission's families: what each Nova instance uses.
//!
//! Names, labels, types and help of the first eleven are the first exporter's
//! and its successor's, to the letter. An instance is in them once it is known
//! whether Nova made it; one that is not Nova's has Nova's labels empty.

use exposition::{Family, Kind, Samples};

use super::{Row, Write};
use crate::{
    inventory::{Disk, Interface, Metadata, Nova},
    snapshot::{Measured, Snapshot},
    stats::{Balloon, Block, KIB, Net},
};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_nova_instance_cpu_time_total",
            kind: Kind::Counter,
            help: "instance vcpu time",
        },
        origin: "virDomainGetCPUStats cpu_time; virDomainGetInfo cpuTime without cgroups",
        write: Write::Instance(|measured, _, samples| {
            let nanoseconds =
                measured.cpu_time.and_then(|time| u64::try_from(time.as_nanos()).ok());
            push(measured, nanoseconds, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_alloc_kb",
            kind: Kind::Gauge,
            help: "instance memory allocated",
        },
        origin: "balloon.available",
        write: Write::Instance(|measured, _, samples| {
            let bytes = measured.balloon.as_ref().and_then(|balloon| balloon.available);
            push(measured, bytes.map(to_kib), samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_used_kb",
            kind: Kind::Gauge,
            help: "instance memory used",
        },
        origin: "balloon.available - balloon.usable",
        write: Write::Instance(|measured, _, samples| {
            let bytes = measured.balloon.as_ref().and_then(Balloon::used);
            push(measured, bytes.map(to_kib), samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_memory_cache_used_kb",
            kind: Kind::Gauge,
            help: "instance memory used including cache",
        },
        origin: "balloon.available - balloon.unused",
        write: Write::Instance(|measured, _, samples| {
            let bytes = measured.balloon.as_ref().and_then(Balloon::used_with_cache);
            push(measured, bytes.map(to_kib), samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_vcpu_count",
            kind: Kind::Gauge,
            help: "instance vcpu allocated",
        },
        origin: "the domain's XML: vcpu",
        write: Write::Instance(|measured, _, samples| {
            let devices = measured.instance.devices.as_ref();
            let vcpus = devices.and_then(|devices| devices.vcpus_maximum);
            push(measured, vcpus.map(u64::from), samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rxbytes",
            kind: Kind::Counter,
            help: "bytes received by the instance's network interface",
        },
        origin: "net.N.rx.bytes",
        write: Write::Instance(|measured, _, samples| {
            push_nets(measured, |net| net.received_bytes, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_txbytes",
            kind: Kind::Counter,
            help: "bytes transmitted by the instance's network interface",
        },
        origin: "net.N.tx.bytes",
        write: Write::Instance(|measured, _, samples| {
            push_nets(measured, |net| net.transmitted_bytes, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rdbytes",
            kind: Kind::Counter,
            help: "bytes read from the instance's disk",
        },
        origin: "block.N.rd.bytes",
        write: Write::Instance(|measured, _, samples| {
            push_blocks(measured, |block| block.read_bytes, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_wrbytes",
            kind: Kind::Counter,
            help: "bytes written to the instance's disk",
        },
        origin: "block.N.wr.bytes",
        write: Write::Instance(|measured, _, samples| {
            push_blocks(measured, |block| block.written_bytes, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_rdreq",
            kind: Kind::Counter,
            help: "read requests to the instance's disk",
        },
        origin: "block.N.rd.reqs",
        write: Write::Instance(|measured, _, samples| {
            push_blocks(measured, |block| block.read_requests, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_wrreq",
            kind: Kind::Counter,
            help: "write requests to the instance's disk",
        },
        origin: "block.N.wr.reqs",
        write: Write::Instance(|measured, _, samples| {
            push_blocks(measured, |block| block.write_requests, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_instance_info",
            kind: Kind::Info,
            help: "What Nova says of the instance: the join for everything else.",
        },
        origin: "Nova's metadata in the domain",
        write: Write::Instance(push_info),
    },
];

/// Writes a sample of a number that the whole instance has.
fn push(measured: &Measured, number: Option<u64>, samples: &mut Samples<'_>) {
    if let (Some(Names { libvirtname, novaname, novaproject }), Some(number)) =
        (Names::of(measured), number)
    {
        let labels =
            [("libvirtname", libvirtname), ("novaname", novaname), ("novaproject", novaproject)];
        samples.push(&labels, number);
    }
}

/// Writes a sample for each network interface that is known by both its
/// statistics and the domain's XML.
fn push_nets(measured: &Measured, read: fn(&Net) -> Option<u64>, samples: &mut Samples<'_>) {
    let Some(Names { libvirtname, novaname, novaproject }) = Names::of(measured) else { return };
    let (Some(stats), Some(devices)) = (&measured.stats, &measured.instance.devices) else {
        return;
    };
    for net in &stats.nets {
        let known = devices.interfaces.iter().find(|interface| interface.target == net.name);
        if let (Some(Interface { target, mac, .. }), Some(number)) = (known, read(net)) {
            let labels = [
                ("iface", target.as_str()),
                ("libvirtname", libvirtname),
                ("macaddr", mac),
                ("novaname", novaname),
                ("novaproject", novaproject),
            ];
            samples.push(&labels, number);
        }
    }
}

/// Writes a sample for each disk that is known by both its statistics and the
/// domain's XML.
fn push_blocks(measured: &Measured, read: fn(&Block) -> Option<u64>, samples: &mut Samples<'_>) {
    let Some(Names { libvirtname, novaname, novaproject }) = Names::of(measured) else { return };
    let (Some(stats), Some(devices)) = (&measured.stats, &measured.instance.devices) else {
        return;
    };
    for block in &stats.blocks {
        let known = devices.disks.iter().find(|disk| disk.target == block.name);
        if let (Some(Disk { target, serial, kind }), Some(number)) = (known, read(block)) {
            let labels = [
                ("cindervolume", serial.as_deref().unwrap_or_default()),
                ("disktype", kind),
                ("libvirtname", libvirtname),
                ("novaname", novaname),
                ("novaproject", novaproject),
                ("targetdev", target),
            ];
            samples.push(&labels, number);
        }
    }
}

fn push_info(measured: &Measured, snapshot: &Snapshot, samples: &mut Samples<'_>) {
    let Some(Names { libvirtname, novaname, novaproject }) = Names::of(measured) else { return };
    let nova = measured.instance.metadata.nova();
    let text = |read: fn(&Nova) -> &Option<String>| {
        nova.and_then(|nova| read(nova).as_deref()).unwrap_or_default()
    };
    let labels = [
        ("flavor", text(|nova| &nova.flavor)),
        ("flavor_id", text(|nova| &nova.flavor_id)),
        ("host", snapshot.host.as_deref().unwrap_or_default()),
        ("image_id", text(|nova| &nova.image_id)),
        ("libvirtname", libvirtname),
        ("novaname", novaname),
        ("novaproject", novaproject),
        ("project_id", text(|nova| &nova.project_id)),
        ("user", text(|nova| &nova.user)),
        ("user_id", text(|nova| &nova.user_id)),
        ("uuid", &measured.instance.uuid),
    ];
    samples.push(&labels, true);
}

/// The labels that every family of the mission has.
struct Names<'m> {
    libvirtname: &'m str,
    novaname: &'m str,
    novaproject: &'m str,
}

impl<'m> Names<'m> {
    /// `None` where libvirtd has not said yet whether Nova made the instance:
    /// a sample with its labels empty would be another series.
    fn of(measured: &'m Measured) -> Option<Self> {
        let (novaname, novaproject) = match &measured.instance.metadata {
            Metadata::Unknown => return None,
            Metadata::Foreign => (None, None),
            Metadata::Nova(nova) => (nova.name.as_deref(), nova.project.as_deref()),
        };
        Some(Self {
            libvirtname: &measured.instance.domain.name,
            novaname: novaname.unwrap_or_default(),
            novaproject: novaproject.unwrap_or_default(),
        })
    }
}

/// libvirt measures memory in KiB and so do the inherited names: nothing is lost.
fn to_kib(bytes: u64) -> u64 {
    bytes.checked_div(KIB).unwrap_or_default()
}
