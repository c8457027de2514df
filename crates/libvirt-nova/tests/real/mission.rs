//! The mission's families have the names, types, help and labels that were there before us.

use std::collections::BTreeSet;

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::Scrape,
    usage,
    wait::{PATIENCE, wait_until},
};

#[test]
fn every_family_of_the_mission_has_its_name_type_help_and_labels() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    let scrape = with_memory(&Exporter::on(&libvirtd));
    let exposed: Vec<_> = scrape
        .families
        .iter()
        .filter(|family| family.name.starts_with("libvirt_nova_instance_"))
        .filter(|family| !usage::FAMILIES.contains(&&*family.name))
        .map(|family| {
            let mine =
                family.samples.iter().find(|sample| sample.labels["libvirtname"] == guest.name);
            let labels: Vec<_> = mine.unwrap().labels.keys().cloned().collect();
            (family.name.clone(), family.kind.clone(), family.help.clone(), labels)
        })
        .collect();
    let expected = FAMILIES.map(|(name, kind, help, more)| {
        let mut labels: Vec<_> = NAMES.iter().chain(more).map(ToString::to_string).collect();
        labels.sort();
        (name.to_owned(), kind.to_owned(), help.to_owned(), labels)
    });
    assert_eq!(exposed, expected);
}

/// Scrapes until the balloon's driver has just told of its memory.
pub(crate) fn with_memory(exporter: &Exporter) -> Scrape {
    let told = || {
        let scrape = exporter.scrape();
        (!scrape.samples(MEMORY[0], &[]).is_empty()).then_some(scrape)
    };
    wait_until(PATIENCE, "a scrape with a guest's memory", told).0
}

#[test]
fn a_guest_without_a_balloon_driver_has_no_memory_samples() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let scrape = Exporter::on(&libvirtd).scrape();
    let families = scrape.families_of(&guest.name);
    let expected =
        FAMILIES.map(|(name, ..)| name).into_iter().filter(|name| !MEMORY.contains(name));
    let expected: BTreeSet<_> =
        expected.chain(OF_LIBVIRT).chain(OF_LIBVIRTS_MEMORY).map(str::to_owned).collect();
    let found = families.into_keys().map(str::to_owned);
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    let valid = scrape.value("libvirt_domain_memory_stats_valid", &[("domain", &guest.name)]);
    assert_eq!(valid, 0.0);
}

#[test]
fn labels_are_what_nova_and_the_xml_say() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[("PROJECT", "blue"), ("OWNER", "anna")]);
    let scrape = Exporter::on(&libvirtd).scrape();
    let stats = guest.virsh().stats(&guest.name);
    let of_nova =
        [("libvirtname", &*guest.name), ("novaname", &guest.nova_name()), ("novaproject", "blue")];
    for family in ["cpu_time_total", "vcpu_count"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &of_nova).is_some(), "{family}");
    }
    let of_nic = [("iface", stats.text("net.0.name")), ("macaddr", &guest.mac)];
    for family in ["rxbytes", "txbytes"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &[&of_nova[..], &of_nic].concat()).is_some(), "{family}");
    }
    let target = stats.text("block.0.name");
    let of_disk = [("cindervolume", &*guest.uuid), ("disktype", "file"), ("targetdev", target)];
    for family in ["rdbytes", "wrbytes", "rdreq", "wrreq"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &[&of_nova[..], &of_disk].concat()).is_some(), "{family}");
    }
    let (xml, host) = (guest.run("dumpxml", &[]), guest.virsh().run(["hostname"]));
    let info = [
        ("flavor", "m1.tiny"),
        ("flavor_id", ""),
        ("host", host.trim()),
        ("image_id", "155d900f-4e14-4e4c-a73d-069cbf4541e6"),
        ("project_id", between(&xml, "<nova:project uuid=\"", "\"")),
        ("user", "anna"),
        ("user_id", between(&xml, "<nova:user uuid=\"", "\"")),
        ("uuid", &guest.uuid),
    ];
    assert_eq!(scrape.value("libvirt_nova_instance_info", &[&of_nova[..], &info].concat()), 1.0);
}

/// What stands between two texts.
pub(crate) fn between<'x>(xml: &'x str, before: &str, after: &str) -> &'x str {
    let (_, rest) = xml.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

#[test]
fn a_guest_that_nova_did_not_make_has_empty_labels() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = foreign_guest(&libvirtd);
    let scrape = Exporter::on(&libvirtd).scrape();
    let name = [("libvirtname", guest.name.as_str())];
    for (family, _, _, more) in FAMILIES.into_iter().filter(|(name, ..)| !MEMORY.contains(name)) {
        let labels = &scrape.sample(family, &name).unwrap().labels;
        assert_eq!(labels.len(), NAMES.len() + more.len(), "{family}");
        let of_nova =
            ["novaname", "novaproject", "flavor", "image_id", "project_id", "user", "user_id"];
        for label in of_nova.iter().filter_map(|name| labels.get(*name)) {
            assert_eq!(label, "", "{family}");
        }
    }
    let info = scrape.sample("libvirt_nova_instance_info", &name).unwrap();
    assert_eq!(info.labels["uuid"], guest.uuid);
}

fn foreign_guest(libvirtd: &Libvirtd) -> Guest<'_> {
    Guest::create_from(libvirtd, &[("KIND", "bios")], |xml| {
        let (before, rest) = xml.split_once("<metadata>").unwrap();
        let (_, after) = rest.split_once("</metadata>").unwrap();
        format!("{before}{after}")
    })
}

/// The mission's families as they are exposed: name, type, help, and labels beyond [`NAMES`].
pub(crate) const FAMILIES: [(&str, &str, &str, &[&str]); 12] = [
    ("libvirt_nova_instance_cpu_time_total", "counter", "instance vcpu time", &[]),
    ("libvirt_nova_instance_memory_alloc_kb", "gauge", "instance memory allocated", &[]),
    ("libvirt_nova_instance_memory_used_kb", "gauge", "instance memory used", &[]),
    (
        "libvirt_nova_instance_memory_cache_used_kb",
        "gauge",
        "instance memory used including cache",
        &[],
    ),
    ("libvirt_nova_instance_vcpu_count", "gauge", "instance vcpu allocated", &[]),
    (
        "libvirt_nova_instance_rxbytes",
        "counter",
        "bytes received by the instance's network interface",
        &["iface", "macaddr"],
    ),
    (
        "libvirt_nova_instance_txbytes",
        "counter",
        "bytes transmitted by the instance's network interface",
        &["iface", "macaddr"],
    ),
    (
        "libvirt_nova_instance_rdbytes",
        "counter",
        "bytes read from the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_wrbytes",
        "counter",
        "bytes written to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_rdreq",
        "counter",
        "read requests to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_wrreq",
        "counter",
        "write requests to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_info",
        "gauge",
        "What Nova says of the instance: the join for everything else.",
        &["flavor", "flavor_id", "host", "image_id", "project_id", "user", "user_id", "uuid"],
    ),
];

/// The families in libvirt's words that every running guest of Nova with a disk and a NIC has, but for
/// those of its memory.
pub(crate) const OF_LIBVIRT: [&str; 43] = [
    "libvirt_domain_block_stats_allocation_bytes",
    "libvirt_domain_block_stats_capacity_bytes",
    "libvirt_domain_block_stats_flush_requests_total",
    "libvirt_domain_block_stats_flush_time_seconds_total",
    "libvirt_domain_block_stats_info",
    "libvirt_domain_block_stats_physical_bytes",
    "libvirt_domain_block_stats_read_bytes_total",
    "libvirt_domain_block_stats_read_requests_total",
    "libvirt_domain_block_stats_read_time_seconds_total",
    "libvirt_domain_block_stats_write_bytes_total",
    "libvirt_domain_block_stats_write_requests_total",
    "libvirt_domain_block_stats_write_time_seconds_total",
    "libvirt_domain_control_state",
    "libvirt_domain_cpu_system_seconds_total",
    "libvirt_domain_cpu_user_seconds_total",
    "libvirt_domain_events_total",
    "libvirt_domain_info",
    "libvirt_domain_info_cpu_time_seconds_total",
    "libvirt_domain_info_maximum_memory_bytes",
    "libvirt_domain_info_state",
    "libvirt_domain_info_virtual_cpus",
    "libvirt_domain_interface_stats_info",
    "libvirt_domain_interface_stats_receive_bytes_total",
    "libvirt_domain_interface_stats_receive_drops_total",
    "libvirt_domain_interface_stats_receive_errors_total",
    "libvirt_domain_interface_stats_receive_packets_total",
    "libvirt_domain_interface_stats_transmit_bytes_total",
    "libvirt_domain_interface_stats_transmit_drops_total",
    "libvirt_domain_interface_stats_transmit_errors_total",
    "libvirt_domain_interface_stats_transmit_packets_total",
    "libvirt_domain_job_info_type",
    "libvirt_domain_openstack_info",
    "libvirt_domain_state",
    "libvirt_domain_state_reason",
    "libvirt_domain_stats_age_seconds",
    "libvirt_domain_stats_complete",
    "libvirt_domain_timed_out",
    "libvirt_domain_vcpu_current",
    "libvirt_domain_vcpu_delay_seconds_total",
    "libvirt_domain_vcpu_maximum",
    "libvirt_domain_vcpu_state",
    "libvirt_domain_vcpu_time_seconds_total",
    "libvirt_domain_vcpu_wait_seconds_total",
];

/// What QEMU tells of its memory where the guest tells nothing.
pub(crate) const OF_LIBVIRTS_MEMORY: [&str; 2] =
    ["libvirt_domain_memory_stats_rss_bytes", "libvirt_domain_memory_stats_valid"];

/// The labels that every one of them has.
const NAMES: [&str; 3] = ["libvirtname", "novaname", "novaproject"];

/// Whether a family tells what only the guest's QEMU knows, or what is asked for with that alone.
pub(crate) fn needs_monitor(family: &str) -> bool {
    let starts = [
        "libvirt_nova_instance_memory_",
        "libvirt_nova_instance_rd",
        "libvirt_nova_instance_wr",
        "libvirt_domain_block_stats_",
        "libvirt_domain_memory_stats_",
    ];
    let is_of_qemu = starts.iter().any(|start| family.starts_with(start));
    // What the XML says of a disk is known of a QEMU that does not answer as well.
    is_of_qemu && family != "libvirt_domain_block_stats_info"
        || is_of_the_vcpus(family)
        || family == JOB
}

/// Whether a family is one that libvirt gives without QEMU, but only to who would ask QEMU for more.
pub(crate) fn is_of_the_vcpus(family: &str) -> bool {
    family.starts_with("libvirt_domain_vcpu_") || family == "libvirt_domain_info_virtual_cpus"
}

/// Asked of those alone that have given all else.
pub(crate) const JOB: &str = "libvirt_domain_job_info_type";

/// Families that only a balloon's driver gives.
pub(crate) const MEMORY: [&str; 3] = [
    "libvirt_nova_instance_memory_alloc_kb",
    "libvirt_nova_instance_memory_used_kb",
    "libvirt_nova_instance_memory_cache_used_kb",
];
