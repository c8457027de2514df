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
    let exporter = Exporter::with(&libvirtd, &["--compat=tinkoff"]);
    assert_limits(&libvirtd, &exporter, &APART);
    // libvirt allows either.
    assert_limits(&libvirtd, &exporter, &TOGETHER);
}

fn assert_limits(libvirtd: &Libvirtd, exporter: &Exporter, limits: &[(&str, &str)]) {
    // No two are alike. Bursts are larger, and last for seconds.
    let tune = limits.iter().zip(1_u32..).map(|((_, field), number)| {
        let number = if field.ends_with("length") { number } else { number * 1000 };
        format!("<{field}>{number}</{field}>")
    });
    let tune: String = tune.collect();
    let guest = Guest::create_from(libvirtd, &[("KIND", "bios")], |xml| {
        xml.replace("<serial>", &format!("<iotune>{tune}</iotune><serial>"))
    });
    let scrape = exporter.scrape();
    let told = guest.virsh().table(["blkdeviotune", &guest.name, "vda"]);
    let of_disk = [("domain", &*guest.name), ("uuid", &*guest.uuid), ("target_device", "vda")];
    for (family, field) in limits {
        let value = scrape.value(&format!("libvirt_domain_block_stats_{family}"), &of_disk);
        assert_eq!(value.to_string(), told[*field], "{family}");
        assert_ne!(told[*field], "0", "{field}");
    }
    // What the XML does not limit has no limit of 0.
    let start = "libvirt_domain_block_stats_limit_";
    let families = scrape.families_of(&guest.name).into_keys();
    let found = families.filter(|family| family.starts_with(start)).count();
    let expected = limits.iter().filter(|(family, _)| family.starts_with("limit_")).count();
    assert_eq!(found, expected);
}

/// Families, and libvirt's words for them.
const APART: [(&str, &str); 13] = [
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
const TOGETHER: [(&str, &str); 6] = [
    ("limit_total_bytes", "total_bytes_sec"),
    ("limit_total_requests", "total_iops_sec"),
    ("limit_burst_total_bytes", "total_bytes_sec_max"),
    ("limit_burst_total_requests", "total_iops_sec_max"),
    ("limit_burst_total_bytes_length_seconds", "total_bytes_sec_max_length"),
    ("limit_burst_length_total_requests_seconds", "total_iops_sec_max_length"),
];

/// They say what other families say, in the words of that exporter.
#[test]
fn what_has_two_names_has_one_value() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[("NAME", "web"), ("PROJECT", "blue"), ("OWNER", "anna")]);
    let scrape = Exporter::with(&libvirtd, &["--compat=tinkoff"]).scrape();
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let of_disk = [&of_guest[..], &[("target_device", "vda")]].concat();
    for (name, other, labels) in [
        ("info_vstate", "info_state", &of_guest[..]),
        ("memory_stats_actual_balloon_bytes", "memory_stats_current_balloon_bytes", &of_guest),
        ("block_stats_allocation", "block_stats_allocation_bytes", &of_disk),
        ("block_stats_physicalsize_bytes", "block_stats_physical_bytes", &of_disk),
    ] {
        let [name, other] = [name, other].map(|name| format!("libvirt_domain_{name}"));
        assert_eq!(scrape.value(&name, labels), scrape.value(&other, labels), "{name}");
    }
    let of_nova = [("instance_name", "web"), ("project_name", "blue"), ("user_name", "anna")];
    let meta = [&of_guest[..], &of_nova, &[("flavor", "m1.tiny"), ("root_type", "image")]].concat();
    assert_eq!(scrape.value("libvirt_domain_info_meta", &meta), 1.0);
    let disk = [&of_disk[..], &[("serial", &*guest.uuid), ("bus", "virtio")]].concat();
    assert_eq!(scrape.value("libvirt_domain_block_meta", &disk), 1.0);
    let nic = [&of_guest[..], &[("target_device", &*guest.tap)]].concat();
    assert_eq!(scrape.value("libvirt_domain_interface_meta", &nic), 1.0);
}

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
