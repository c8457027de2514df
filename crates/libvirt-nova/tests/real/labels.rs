//! Labels of machines, disks and NICs are what the XML says.

use crate::{
    exporter::Exporter, guest::Guest, libvirtd::Libvirtd, mission::between, scrape::Scrape,
};

#[test]
fn labels_of_machine_disk_and_nic_are_what_the_xml_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = Guest::create_from(&libvirtd, &[("KIND", "bios")], |xml| {
        xml.replace("cache='none'", "cache='none' discard='unmap'")
            .replace("<model type='virtio'/>", "<model type='virtio'/><mtu size='1400'/>")
    });
    let exporter = Exporter::on(&libvirtd);
    let scrape = exporter.scrape();
    let xml = guest.run("dumpxml", &[]);
    let attribute = |element: &str, name: &str| {
        let element = between(&xml, &format!("<{element} "), ">").to_owned();
        between(&element, &format!("{name}='"), "'").to_owned()
    };
    let info = |family: &str| {
        let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
        let sample = scrape.sample(family, &labels).unwrap();
        assert_eq!(sample.value, 1.0, "{family}");
        move |label: &str| sample.labels[label].clone()
    };
    let machine = info("libvirt_domain_info");
    assert_eq!(machine("os_type"), between(&xml, "hvm", "<").to_owned() + "hvm");
    assert_eq!(machine("os_type_arch"), attribute("type", "arch"));
    assert_eq!(machine("os_type_machine"), attribute("type", "machine"));

    let (_, rest) = xml.split_once("<disk ").unwrap();
    let of_disk = |element: &str, name: &str| {
        let (_, element) = rest.split_once(&format!("<{element} ")).unwrap();
        between(between(element, "", ">"), &format!("{name}='"), "'").to_owned()
    };
    let disk = info("libvirt_domain_block_stats_info");
    assert_eq!(disk("disk_type"), between(rest, "type='", "'"));
    assert_eq!(disk("device"), between(rest, "device='", "'"));
    for (label, element, name) in [
        ("driver_name", "driver", "name"),
        ("driver_type", "driver", "type"),
        ("driver_cache", "driver", "cache"),
        ("driver_discard", "driver", "discard"),
        ("source_file", "source", "file"),
        ("target_device", "target", "dev"),
        ("target_bus", "target", "bus"),
    ] {
        assert_eq!(disk(label), of_disk(element, name), "{label}");
        assert_ne!(disk(label), "", "{label}");
    }
    assert_eq!(disk("serial"), between(&xml, "<serial>", "</serial>"));

    let (_, rest) = xml.split_once("<interface ").unwrap();
    let of_nic = |element: &str, name: &str| {
        between(between(rest, &format!("<{element} "), ">"), &format!("{name}='"), "'").to_owned()
    };
    let nic = info("libvirt_domain_interface_stats_info");
    assert_eq!(nic("interface_type"), between(rest, "type='", "'"));
    assert_eq!(nic("mac_address"), of_nic("mac", "address"));
    assert_eq!(nic("model_type"), of_nic("model", "type"));
    assert_eq!(nic("mtu_size"), of_nic("mtu", "size"));
    assert_eq!(nic("target_device"), of_nic("target", "dev"));
}

/// Whoever multiplies two of libvirt's families with one another needs equal labels on both.
#[test]
fn wide_labels_are_on_every_sample_of_a_domain() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[("NAME", "wide"), ("PROJECT", "blue")]);
    let flags = ["--labels=wide", "--compat=tinkoff"];
    let scrape = Exporter::with(&libvirtd, &flags).scrape();
    let of_guest = [("domain", &*guest.name)];
    let mut count = 0;
    for family in scrape.families.iter().filter(|it| it.name.starts_with("libvirt_domain_")) {
        for sample in scrape.samples(&family.name, &of_guest) {
            count += 1;
            let label = |name: &str| sample.labels.get(name).map(String::as_str);
            let labels = ["uuid", "name", "flavor", "project_name"].map(label);
            let expected = [&*guest.uuid, "wide", "m1.tiny", "blue"].map(Some);
            assert_eq!(labels, expected, "{}", family.name);
            let source = device_label(&scrape, &family.name);
            assert!(source.is_none_or(|source| label(source).is_some()), "{}", family.name);
        }
    }
    assert!(count > 50, "{count} samples");
}

/// The wide label of a family of disks or NICs.
fn device_label(scrape: &Scrape, family: &str) -> Option<&'static str> {
    let has_device = |sample: &&crate::scrape::Sample| sample.labels.contains_key("target_device");
    scrape.samples(family, &[]).iter().find(|sample| has_device(sample))?;
    let is_disk = family.starts_with("libvirt_domain_block_");
    Some(if is_disk { "source_file" } else { "source_bridge" })
}
