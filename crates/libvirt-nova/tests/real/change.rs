//! What happens to a guest is in the very next scrape.

use std::{collections::BTreeSet, fs, process::Command, thread, time::Duration};

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    process::output,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_guest_that_is_paused_says_so_and_stands_still() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = libvirtd.kernel_guest(&[("BURN", "90")]);
    let time = |scrape: &Scrape| {
        scrape.value("libvirt_nova_instance_cpu_time_total", &[("libvirtname", &guest.name)]) / 1e9
    };
    let before = exporter.scrape();
    assert_eq!(before.state(&guest.name).unwrap(), "running");

    guest.run("suspend", &[]);
    let paused = exporter.scrape();
    assert_eq!(paused.state(&guest.name).unwrap(), "paused");
    let began = time(&paused);
    // Nobody asks QEMU anything meanwhile: its answers cost it CPU time.
    thread::sleep(Duration::from_secs(2));
    let later = exporter.scrape();
    // The vCPU would have used most of two seconds. What is left is QEMU's answers to two scrapes.
    let moved = time(&later) - began;
    assert!((0.0..0.2).contains(&moved), "{moved} s of CPU while paused");

    guest.run("resume", &[]);
    let resumed = exporter.scrape();
    assert_eq!(resumed.state(&guest.name).unwrap(), "running");
}

#[test]
fn a_guest_that_is_renamed_has_its_new_name_in_the_next_scrape() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = libvirtd.bios_guest(&[]);
    exporter.scrape();
    for name in ["first", "second", "third"] {
        set_metadata(&guest, NOVA_1_1, &nova(name));
        assert_eq!(names(&exporter.scrape(), &guest), BTreeSet::from([name.to_owned()]));
    }
}

#[test]
fn the_newest_of_novas_two_namespaces_wins_and_nobody_elses_counts() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = Guest::create_from(&libvirtd, &[("KIND", "bios")], |xml| {
        xml.replace("nova/1.1", "nova/1.0")
    });
    let names = || names(&exporter.scrape(), &guest);
    assert_eq!(names(), BTreeSet::from([guest.nova_name()]), "1.0 alone");

    set_metadata(&guest, NOVA_1_1, &nova("of 1.1"));
    let xml = guest.run("dumpxml", &[]);
    assert!(xml.contains("nova/1.0\"") && xml.contains("nova/1.1\""), "{xml}");
    assert_eq!(names(), BTreeSet::from(["of 1.1".to_owned()]), "both");

    remove_metadata(&guest, NOVA_1_1);
    assert_eq!(names(), BTreeSet::from([guest.nova_name()]), "1.0 alone again");

    remove_metadata(&guest, NOVA_1_0);
    set_metadata(&guest, "http://example.org/xmlns/nova/1.1", &nova("of another application"));
    assert_eq!(names(), BTreeSet::from([String::new()]), "neither");
}

const NOVA_1_0: &str = "http://openstack.org/xmlns/libvirt/nova/1.0";
const NOVA_1_1: &str = "http://openstack.org/xmlns/libvirt/nova/1.1";

/// Nova's element as virsh wants it: without its namespace.
fn nova(name: &str) -> String {
    let owner = "<owner><user uuid='a'>admin</user><project uuid='b'>admin</project></owner>";
    format!("<instance><name>{name}</name>{owner}</instance>")
}

fn set_metadata(guest: &Guest<'_>, uri: &str, element: &str) {
    guest.run("metadata", &["--live", "--uri", uri, "--key", "nova", "--set", element]);
}

fn remove_metadata(guest: &Guest<'_>, uri: &str) {
    guest.run("metadata", &["--live", "--uri", uri, "--remove"]);
}

/// The names that Nova gave a guest, by any family.
fn names(scrape: &Scrape, guest: &Guest<'_>) -> BTreeSet<String> {
    let families = scrape.families_of(&guest.name);
    let families = families.into_keys().filter(|name| name.starts_with("libvirt_nova_instance_"));
    families
        .flat_map(|family| scrape.samples(family, &[("libvirtname", &guest.name)]))
        .map(|sample| sample.labels["novaname"].clone())
        .collect()
}

#[test]
fn a_disk_and_a_nic_that_are_plugged_in_are_in_the_next_scrape_and_gone_when_unplugged() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    // The kernel has to let go of what is unplugged.
    let guest = libvirtd.kernel_guest(&[]).booted();
    let devices = || {
        let scrape = exporter.scrape();
        let values = |family, label: &str| {
            let samples = scrape.samples(family, &[("libvirtname", &guest.name)]);
            samples.iter().map(|sample| sample.labels[label].clone()).collect::<BTreeSet<_>>()
        };
        (
            values("libvirt_nova_instance_rdbytes", "targetdev"),
            values("libvirt_nova_instance_rxbytes", "iface"),
            values("libvirt_nova_instance_rdbytes", "cindervolume"),
        )
    };
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(devices(), (set(&["vda"]), set(&[&guest.tap]), set(&[&guest.uuid])));

    let volume = "3f9ae9a7-e7fd-4d63-8b3e-0d8aa1b02f5c";
    let image = guest.file("volume.qcow2");
    output(Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&image).arg("16M"));
    let source = image.to_str().unwrap();
    guest.run(
        "attach-disk",
        &[source, "vdb", "--live", "--driver", "qemu", "--subdriver", "qcow2", "--serial", volume],
    );
    assert_eq!(devices(), (set(&["vda", "vdb"]), set(&[&guest.tap]), set(&[&guest.uuid, volume])));

    let tap = guest.tap.replace("-00", "-01");
    let nic = guest.file("nic.xml");
    let xml = format!(
        "<interface type='ethernet'><mac address='{}'/><target dev='{tap}'/><model type='virtio'/></interface>",
        guest.mac.replace("fa:16:3e", "fa:16:3f"),
    );
    fs::write(&nic, xml).unwrap();
    let nic = nic.to_str().unwrap();
    guest.run("attach-device", &[nic, "--live"]);
    assert_eq!(devices().1, set(&[&guest.tap, &tap]));

    guest.run("detach-device", &[nic, "--live"]);
    wait_until(PATIENCE, "a NIC that is unplugged", || {
        (!guest.run("domiflist", &[]).contains(&tap)).then_some(())
    });
    assert_eq!(devices().1, set(&[&guest.tap]));

    guest.run("detach-disk", &["vdb", "--live"]);
    wait_until(PATIENCE, "a disk that is unplugged", || {
        (!guest.run("domblklist", &[]).contains("vdb")).then_some(())
    });
    assert_eq!(devices(), (set(&["vda"]), set(&[&guest.tap]), set(&[&guest.uuid])));
}
