//! The names that only Tinkoff's exporter had agree with virsh as well.

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    wait::{PATIENCE, wait_until},
};

#[test]
fn the_cpu_of_a_vcpu_is_where_it_is_pinned() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "90")]).booted();
    let exporter = Exporter::with(&libvirtd, &["--compat=tinkoff"]);
    let cpus: u32 = libvirtd.virsh().table(["nodeinfo"])["CPU(s)"].parse().unwrap();
    for cpu in (0..cpus.min(2)).map(|cpu| cpu.to_string()) {
        guest.run("vcpupin", &["0", &cpu, "--live"]);
        wait_until(PATIENCE, "a vCPU that has moved", || {
            (guest.virsh().table(["vcpuinfo", &guest.name])["CPU"] == cpu).then_some(())
        });
        let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid), ("vcpu", "0")];
        let value = exporter.scrape().value("libvirt_domain_vcpu_cpu", &labels);
        assert_eq!(value.to_string(), cpu);
    }
}

#[test]
fn limits_of_disks_are_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let tune: String = LIMITS
        .iter()
        .map(|(_, field)| *field)
        .zip(1..)
        // Bursts have to be larger, and last some seconds.
        .map(|(field, number)| {
            (field, if field.ends_with("length") { number } else { number * 1000 })
        })
        .map(|(field, number)| format!("<{field}>{number}</{field}>"))
        .collect();
    let guest = Guest::create_from(&libvirtd, &[("KIND", "bios")], |xml| {
        xml.replace("<serial>", &format!("<iotune>{tune}</iotune><serial>"))
    });
    let exporter = Exporter::with(&libvirtd, &["--compat=tinkoff"]);
    let of_disk = [("domain", &*guest.name), ("uuid", &*guest.uuid), ("target_device", "vda")];
    let check = || {
        let scrape = exporter.scrape();
        let told = guest.virsh().table(["blkdeviotune", &guest.name, "vda"]);
        let mut values: Vec<_> = LIMITS.map(|(_, field)| &told[field]).into();
        for (family, field) in LIMITS {
            let value = scrape.value(&format!("libvirt_domain_block_stats_{family}"), &of_disk);
            assert_eq!(value.to_string(), told[field], "{family}");
        }
        values.sort();
        values.dedup();
        assert_eq!(values.len(), LIMITS.len(), "two limits are alike: {told:?}");
    };
    check();
    let value = exporter.scrape().value("libvirt_domain_block_stats_physicalsize_bytes", &of_disk);
    assert_eq!(value.to_string(), guest.virsh().stats(&guest.name).text("block.0.physical"));
}

/// Families, and libvirt's words for them. Totals exclude reads and writes of their own.
const LIMITS: [(&str, &str); 13] = [
    ("limit_read_bytes", "read_bytes_sec"),
    ("limit_write_bytes", "write_bytes_sec"),
    ("limit_read_requests", "read_iops_sec"),
    ("limit_write_requests", "write_iops_sec"),
    ("limit_burst_read_bytes", "read_bytes_sec_max"),
    ("limit_burst_write_bytes", "write_bytes_sec_max"),
    ("limit_burst_read_requests", "read_iops_sec_max"),
    ("limit_burst_write_requests", "write_iops_sec_max"),
    ("size_iops_bytes", "size_iops_sec"),
    ("limit_burst_read_bytes_length_seconds", "read_bytes_sec_max_length"),
    ("limit_burst_write_bytes_length_seconds", "write_bytes_sec_max_length"),
    ("limit_burst_length_read_requests_seconds", "read_iops_sec_max_length"),
    ("limit_burst_length_write_requests_seconds", "write_iops_sec_max_length"),
];

#[test]
fn versions_are_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let scrape = Exporter::with(&libvirtd, &["--compat=tinkoff"]).scrape();
    let told = libvirtd.virsh().table(["version", "--daemon"]);
    let hypervisor = told["Running hypervisor"].strip_prefix("QEMU ").unwrap();
    let labels = [
        ("hypervisor_running", hypervisor),
        ("libvirtd_running", &*told["Running against daemon"]),
        ("libvirt_library", ""),
    ];
    assert_eq!(scrape.value("libvirt_versions_info", &labels), 1.0);
}
