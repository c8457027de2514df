//! A domain as Nova makes it, and what libvirt measured of it.

use std::sync::Arc;

use libvirt_wire::{Domain, TypedParam, Uuid, Value};

use crate::{
    inventory::{Devices, Instance, Metadata, Nova},
    stats::DomainStats,
};

/// A domain with four vCPUs, two disks and two network interfaces.
pub(super) fn instance(number: u32) -> Instance {
    let [a, b, c, d] = number.to_be_bytes();
    let domain = Domain {
        name: format!("instance-{number:08x}"),
        uuid: Uuid([0x11, 0x22, 0x33, 0x44, 0, 0, 0x40, 0, 0x80, 0, 0, 0, a, b, c, d]),
        id: Some(number),
    };
    let xml = format!(
        "<domain><memory unit='KiB'>4194304</memory><vcpu>4</vcpu>
         <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>
         <disk type='network' device='disk'><driver name='qemu' type='raw' cache='writeback'/>
         <source protocol='rbd' name='vms/{number}_disk'/><target dev='vda' bus='virtio'/></disk>
         <disk type='network' device='disk'><driver name='qemu' type='raw' cache='writeback'/>
         <source protocol='rbd' name='volumes/volume-{number}'/><target dev='vdb' bus='virtio'/>
         <serial>6ef20b92-1d9d-4de9-8a81-e324b98ae787</serial></disk>
         <interface type='bridge'><mac address='fa:16:3e:00:00:01'/><source bridge='br-int'/>
         <target dev='tap{number:08x}-00'/><model type='virtio'/></interface>
         <interface type='bridge'><mac address='fa:16:3e:00:00:02'/><source bridge='br-int'/>
         <target dev='tap{number:08x}-01'/><model type='virtio'/></interface>
         <memballoon model='virtio'><stats period='10'/></memballoon></devices></domain>"
    );
    let text = |text: &str| Some(text.to_owned());
    let nova = Nova {
        name: Some(format!("web frontend {number}")),
        flavor: text("m1.large"),
        user: text("alice"),
        user_id: text("240270fa2a3e4fd3baa6d6e776669b19"),
        project: text("production"),
        project_id: text("3051f6f46d394ab98f55a0670ae5c70b"),
        ..Nova::default()
    };
    let devices = Devices::parse(&xml).unwrap_or_default();
    Instance {
        metadata: Metadata::Nova(Arc::new(nova)),
        devices: Some(Arc::new(devices)),
        ..Instance::new(domain)
    }
}

/// What libvirt measured of it.
pub(super) fn stats(number: u32) -> DomainStats {
    let number = u64::from(number);
    let mut params = Vec::new();
    let mut push = |field: String, value: u64| {
        params.push(TypedParam { field: field.into(), value: Value::ULLong(value) });
    };
    push("state.state".into(), 1);
    push("state.reason".into(), 1);
    for (field, kib) in [
        ("current", 4_194_304),
        ("maximum", 4_194_304),
        ("rss", 2_187_152),
        ("available", 3_984_589),
        ("usable", 2_097_152),
        ("unused", 1_398_101),
        ("disk_caches", 466_033),
        ("swap_in", 0),
        ("swap_out", 0),
        ("major_fault", 412),
        ("minor_fault", 903_311),
        ("hugetlb_pgalloc", 0),
        ("hugetlb_pgfail", 0),
    ] {
        push(format!("balloon.{field}"), kib);
    }
    push("vcpu.current".into(), 4);
    push("vcpu.maximum".into(), 4);
    for vcpu in 0..4 {
        for (field, value) in
            [("state", 1), ("time", 83_810_000_000), ("wait", 5_000_103), ("delay", 4_800_107)]
        {
            push(format!("vcpu.{vcpu}.{field}"), number.saturating_add(value));
        }
    }
    for field in ["bytes", "pkts", "errs", "drop"] {
        for net in 0..2 {
            push(format!("net.{net}.rx.{field}"), number.saturating_mul(7919));
            push(format!("net.{net}.tx.{field}"), number.saturating_mul(7907));
        }
    }
    for disk in 0..2 {
        for field in
            ["rd.reqs", "rd.bytes", "rd.times", "wr.reqs", "wr.bytes", "wr.times", "fl.reqs"]
        {
            push(format!("block.{disk}.{field}"), number.saturating_mul(881_836_553));
        }
        for field in ["fl.times", "allocation", "capacity", "physical"] {
            push(format!("block.{disk}.{field}"), 10_737_418_240);
        }
    }
    let names = [
        ("net.0.name", format!("tap{number:08x}-00")),
        ("net.1.name", format!("tap{number:08x}-01")),
        ("block.0.name", "vda".to_owned()),
        ("block.1.name", "vdb".to_owned()),
    ];
    for (field, name) in names {
        params.push(TypedParam { field: field.into(), value: Value::String(name.into()) });
    }
    DomainStats::new(&params)
}
