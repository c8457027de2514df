//! A guest's state and its reason are virsh's, whether it runs or not.

use crate::{exporter::Exporter, guest::Guest, libvirtd::Libvirtd, scrape::Scrape};

#[test]
fn states_and_reasons_are_virshs() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = libvirtd.bios_guest(&[]);
    let told = |expected, number, sentence| {
        assert_state(&exporter.scrape(), &guest, expected, number, sentence);
    };
    told("running (booted)", 1.0, "the domain is running");
    guest.run("suspend", &[]);
    told("paused (user)", 3.0, "the domain is paused by user");
    guest.run("resume", &[]);
    told("running (unpaused)", 1.0, "the domain is running");
    guest.define();
    guest.destroy();
    told("shut off (destroyed)", 5.0, "the domain is shut off");
    guest.run("start", &[]);
    told("running (booted)", 1.0, "the domain is running");
}

fn assert_state(scrape: &Scrape, guest: &Guest<'_>, expected: &str, number: f64, sentence: &str) {
    assert_eq!(guest.run("domstate", &["--reason"]).trim(), expected);
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let reason = scrape.sample("libvirt_domain_state_reason", &of_guest).unwrap();
    let state = reason.labels["state"].replace("shutoff", "shut off");
    assert_eq!(format!("{state} ({})", reason.labels["reason"]), expected);
    assert_eq!(reason.value, 1.0);
    assert_eq!(scrape.state(&guest.name), Some(&*reason.labels["state"]));
    let info = scrape.sample("libvirt_domain_info_state", &of_guest).unwrap();
    assert_eq!((info.value, &*info.labels["state_desc"]), (number, sentence));
}

#[test]
fn a_guest_that_is_only_defined_has_no_statistics() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = libvirtd.bios_guest(&[]);
    guest.define();
    guest.destroy();
    // One that has never run.
    let other = Guest::create_from(&libvirtd, &[("KIND", "bios")], str::to_owned);
    other.define();
    other.destroy();
    let scrape = exporter.scrape();
    assert_eq!(scrape.value("libvirt_domains", &[]), 2.0);
    for guest in [&guest, &other] {
        let families = scrape.families_of(&guest.name);
        assert_eq!(families.keys().copied().collect::<Vec<_>>(), OF_THE_DEFINED);
    }
    guest.run("undefine", &[]);
    let scrape = exporter.scrape();
    assert_eq!(scrape.value("libvirt_domains", &[]), 1.0);
    assert!(scrape.families_of(&guest.name).is_empty());
}

/// What is told of a guest that does not run; what it uses of its memory is among what comes and goes.
const OF_THE_DEFINED: [&str; 10] = [
    "libvirt_domain_block_stats_info",
    "libvirt_domain_events_total",
    "libvirt_domain_info",
    "libvirt_domain_info_maximum_memory_bytes",
    "libvirt_domain_info_state",
    "libvirt_domain_info_virtual_cpus",
    "libvirt_domain_interface_stats_info",
    "libvirt_domain_openstack_info",
    "libvirt_domain_state",
    "libvirt_domain_state_reason",
];
