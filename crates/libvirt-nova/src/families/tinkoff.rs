//! Names that only Tinkoff's exporter had, for the dashboards that were made for it.
//!
//! * [`limits`]: how much of a disk a guest may use

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write, pool};

pub(super) use self::limits::LIMITS;

mod limits;

pub(super) const DOMAIN: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_versions_info",
            kind: Kind::Info,
            help: "Versions of what runs here. libvirt_library is empty: the exporter has no such library in it.",
        },
        labels: &["hypervisor_running", "libvirt_library", "libvirtd_running"],
        origin: "virConnectGetVersion, virConnectGetLibVersion",
        since: "0.7.3",
        write: Write::Host(|snapshot, samples| {
            if let [Some(hypervisor), Some(libvirtd)] = &snapshot.versions {
                let labels = [
                    ("hypervisor_running", hypervisor.as_str()),
                    ("libvirt_library", ""),
                    ("libvirtd_running", libvirtd),
                ];
                samples.push(&labels, true);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_meta",
            kind: Kind::Gauge,
            help: "What Nova says of the domain. Only of domains that Nova made.",
        },
        labels: &[
            "flavor",
            "instance_name",
            "project_name",
            "project_uuid",
            "root_type",
            "root_uuid",
            "user_name",
            "user_uuid",
        ],
        origin: "Nova's metadata in the domain",
        since: "",
        write: Write::Any(push_info_meta),
    },
    Row {
        family: Family {
            name: "libvirt_domain_info_vstate",
            kind: Kind::Gauge,
            help: "libvirt's number of the domain's state.",
        },
        labels: &[],
        origin: "state.state",
        since: "1.2.8",
        write: Write::Defined(|measured| measured.state().map(|state| state.number().into())),
    },
];

pub(super) const MEMORY: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_actual_balloon_bytes",
            kind: Kind::Gauge,
            help: "Memory that the domain has at the moment.",
        },
        labels: &[],
        origin: "balloon.current",
        since: "1.2.9",
        write: Write::Domain(|measured| measured.stats.as_ref()?.balloon.current.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_memory_stats_disk_cache_bytes",
            kind: Kind::Gauge,
            help: "Memory of the guest that holds what can be read from the disk again.",
        },
        labels: &[],
        origin: "balloon.disk_caches",
        since: "4.6",
        write: Write::Domain(|measured| measured.balloon.as_ref()?.disk_caches.map(Value::from)),
    },
];

pub(super) const VCPU: &[Row] = &[Row {
    family: Family {
        name: "libvirt_domain_vcpu_cpu",
        kind: Kind::Gauge,
        help: "CPU of the host that the vCPU was on last.",
    },
    labels: &["vcpu"],
    origin: "virDomainGetVcpus",
    since: "0.3.0",
    write: Write::Running(|subject, samples| {
        for (vcpu, cpu) in &subject.measured.placements {
            subject.tags.push_with(&[("vcpu", &vcpu.to_string())], *cpu, samples);
        }
    }),
}];

pub(super) const BLOCK: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_block_meta",
            kind: Kind::Gauge,
            help: "What the disk is.",
        },
        labels: &[
            "bus",
            "cache",
            "discard",
            "disk_type",
            "driver_type",
            "serial",
            "source_file",
            "target_device",
        ],
        origin: "the domain's XML: disk",
        since: "",
        write: Write::Running(push_block_meta),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_allocation",
            kind: Kind::Gauge,
            help: "Where the guest has written last on the disk, or what the image takes, in bytes.",
        },
        labels: &[],
        origin: "block.N.allocation",
        since: "1.2.10",
        write: Write::Block(|block| block.allocation.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_block_stats_physicalsize_bytes",
            kind: Kind::Gauge,
            help: "What the image of the disk takes on the host.",
        },
        labels: &[],
        origin: "block.N.physical",
        since: "1.2.10",
        write: Write::Block(|block| block.physical.map(Value::from)),
    },
];

pub(super) const INTERFACE: &[Row] = &[Row {
    family: Family {
        name: "libvirt_domain_interface_meta",
        kind: Kind::Gauge,
        help: "What the network interface is. virtual_interface is the Neutron port.",
    },
    labels: &["source_bridge", "target_device", "virtual_interface"],
    origin: "the domain's XML: interface",
    since: "",
    write: Write::Running(push_interface_meta),
}];

pub(super) const POOL: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_pool_info_capacity_bytes",
            kind: Kind::Gauge,
            help: "Size of the storage pool.",
        },
        labels: &["pool"],
        origin: "virStoragePoolGetInfo",
        since: "0.4.1",
        write: Write::Host(|snapshot, samples| {
            pool::push("pool", snapshot, samples, |info| Some(pool::sizes(info)?.capacity.into()));
        }),
    },
    Row {
        family: Family {
            name: "libvirt_pool_info_allocation_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are taken.",
        },
        labels: &["pool"],
        origin: "virStoragePoolGetInfo",
        since: "0.4.1",
        write: Write::Host(|snapshot, samples| {
            pool::push("pool", snapshot, samples, |info| {
                Some(pool::sizes(info)?.allocation.into())
            });
        }),
    },
    Row {
        family: Family {
            name: "libvirt_pool_info_available_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are free.",
        },
        labels: &["pool"],
        origin: "virStoragePoolGetInfo",
        since: "0.4.1",
        write: Write::Host(|snapshot, samples| {
            pool::push("pool", snapshot, samples, |info| Some(pool::sizes(info)?.available.into()));
        }),
    },
];

fn push_info_meta(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let Some(nova) = subject.nova() else { return };
    let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let values = [
        ("flavor", text(&nova.flavor)),
        ("instance_name", text(&nova.name)),
        ("project_name", text(&nova.project)),
        ("project_uuid", text(&nova.project_id)),
        ("root_type", text(&nova.root_type)),
        ("root_uuid", text(&nova.root_id)),
        ("user_name", text(&nova.user)),
        ("user_uuid", text(&nova.user_id)),
    ];
    let is_wide = |name| matches!(name, "flavor" | "project_name") && subject.is_wide;
    let more = values.iter().map(|(name, value)| (*name, value.as_str()));
    let more: Vec<_> = more.filter(|(name, _)| !is_wide(name)).collect();
    subject.tags.push_with(&more, true, samples);
}

fn push_block_meta(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    for block in &subject.blocks {
        let Some(disk) = subject.devices().and_then(|devices| devices.disk(&block.stats.name))
        else {
            continue;
        };
        let mut more = vec![
            ("bus", disk.bus.as_deref().unwrap_or_default()),
            ("cache", disk.driver_cache.as_deref().unwrap_or_default()),
            ("discard", disk.driver_discard.as_deref().unwrap_or_default()),
            ("disk_type", &disk.kind),
            ("driver_type", disk.driver_type.as_deref().unwrap_or_default()),
            ("serial", disk.serial.as_deref().unwrap_or_default()),
        ];
        // Among the wide labels it is there already.
        if !subject.is_wide {
            more.push(("source_file", disk.source().unwrap_or_default()));
        }
        block.tags.push_with(&more, true, samples);
    }
}

fn push_interface_meta(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let ports = subject.nova().map(|nova| &*nova.ports).unwrap_or_default();
    for net in &subject.nets {
        let Some(interface) =
            subject.devices().and_then(|devices| devices.interface(&net.stats.name))
        else {
            continue;
        };
        let mut more = vec![("virtual_interface", interface.port(ports).unwrap_or_default())];
        if !subject.is_wide {
            more.push(("source_bridge", interface.bridge.as_deref().unwrap_or_default()));
        }
        net.tags.push_with(&more, true, samples);
    }
}
