//! By whichever way libvirtd is reached, the scrape is the same.

use std::fs;

use super::{
    certificates::Authority,
    hypervisor::Hypervisor,
    passwords::{PASSWORD, auth_file},
    same::differences,
    sshd::{Sshd, write_program},
};
use crate::{
    exporter::EVERYTHING,
    fixture::new_dir,
    process::{checkout, outcome, output},
    wait::{PATIENCE, wait_until},
};

#[test]
fn every_way_leads_to_the_scrape_of_the_unix_socket() {
    let hypervisor = Hypervisor::open();
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let socket = hypervisor.libvirtd.socket("libvirt-sock-ro");
    let socket = socket.display();
    let bridge = sshd.file("bridge");
    write_program(&bridge, "#!/bin/sh\nexec virt-ssh-helper -r qemu:///system\n");
    let tls = hypervisor.tls(&hypervisor.pki);
    let ways = [
        hypervisor.libvirtd.uri(),
        "qemu+tcp://127.0.0.1/system".to_owned(),
        tls.replace("+tls", ""),
        tls,
        sshd.uri(""),
        sshd.uri("&proxy=native"),
        sshd.uri("&netcat=nc.openbsd"),
        sshd.uri(&format!("&socket={socket}")),
        format!("qemu+ext:///system?command={}", bridge.display()),
    ];
    lead_to_the_same(&hypervisor, &hypervisor.libvirtd.uri(), &ways, &[]);
}

#[test]
fn a_key_can_be_held_to_reading_as_the_documentation_says() {
    let hypervisor = Hypervisor::open();
    let guest = hypervisor.libvirtd.bios_guest(&[]);
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let text = fs::read_to_string(checkout().join("docs/remote.md")).unwrap();
    let line = text.lines().find(|line| line.starts_with("restrict,")).unwrap();
    let (options, _) = line.split_once(" ssh-ed25519 ").unwrap();
    // libvirt's client leaves known_hosts= to ssh.
    let writing = sshd.uri(&format!("&command={}", sshd.knowing().display()));
    let suspend = || {
        let words = ["virsh", "-q", "-c", &writing, "suspend", &guest.name];
        outcome(hypervisor.enter().args(words))
    };
    assert!(suspend().0);
    sshd.hold_key_to(options);
    let (is_done, _, complaint) = suspend();
    assert!(!is_done && complaint.contains("operation forbidden"), "{complaint}");
    assert!(hypervisor.exporter(&sshd.uri(""), &[]).connected().scrape().up());
}

#[test]
fn keys_of_rsa_are_as_good() {
    let hypervisor = Hypervisor::of(Authority::of_rsa("one of RSA"));
    let uri = hypervisor.tls(&hypervisor.pki);
    assert_eq!(hypervisor.virsh(&uri), Ok(()));
    assert!(hypervisor.exporter(&uri, &[]).connected().scrape().up());
}

#[test]
fn a_user_who_is_not_root_is_whom_its_home_says() {
    let hypervisor = Hypervisor::open();
    let home = new_dir("home");
    let place = home.join(".pki/libvirt");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::rename(&hypervisor.pki, &place).unwrap();
    let home = format!("HOME={}", home.display());
    let [user, group] = ["--reuid=65534", "--regid=65534"];
    let nobody =
        ["setpriv", user, group, "--clear-groups", "--pdeathsig", "KILL", "--", "env", &home];
    let uri = "qemu://127.0.0.1/system";
    output(hypervisor.enter().args(nobody).args(["virsh", "-r", "-c", uri, "list"]));
    assert!(hypervisor.exporter_as(&nobody, uri, &[]).connected().scrape().up());
}

#[test]
fn every_way_with_a_password_leads_to_the_scrape_of_the_unix_socket_without() {
    let hypervisor = Hypervisor::asking("scram-sha-256");
    lead_by_password_to_the_same(
        &hypervisor,
        &[hypervisor.tls(&hypervisor.pki), hypervisor.libvirtd.uri()],
    );
}

#[test]
fn a_password_in_plain_leads_there_over_tls() {
    let hypervisor = Hypervisor::asking("plain");
    lead_by_password_to_the_same(&hypervisor, &[hypervisor.tls(&hypervisor.pki)]);
}

fn lead_by_password_to_the_same(hypervisor: &Hypervisor, ways: &[String]) {
    // Of the other socket nobody is asked for one.
    let without = hypervisor.libvirtd.uri().replace("libvirt-sock-ro", "libvirt-sock");
    let file = format!("--auth.file={}", auth_file(PASSWORD).display());
    lead_to_the_same(hypervisor, &without, ways, &[&file]);
}

/// Asserts it of a guest that has everything.
fn lead_to_the_same(hypervisor: &Hypervisor, unix: &str, ways: &[String], flags: &[&str]) {
    let guest = hypervisor.libvirtd.kernel_guest(&[("BURN", "20"), ("STATS_PERIOD", "1")]).booted();
    guest.write_to_disk(8192);
    let start = |uri: &str, flags: &[&str]| {
        let flags = [flags, &EVERYTHING].concat();
        let exporter = hypervisor.exporter(uri, &flags).connected();
        // The numbers of the polls need two of them.
        wait_until(PATIENCE, "an exporter that has polled", || {
            let usage = "libvirt_nova_instance_vcpus_in_use_peak";
            exporter.scrape().get(usage, &[("libvirtname", &guest.name)])
        });
        exporter
    };
    let unix = start(unix, &[]);
    for way in ways {
        let exporter = start(way, flags);
        // What the guest and the polls say may change between two scrapes, and it is said anew each time.
        let between = || {
            let (before, scrape, after) = (unix.scrape(), exporter.scrape(), unix.scrape());
            differences(&before, &scrape, &after)
        };
        let mut last = between();
        for _ in 0..10 {
            if last.is_empty() {
                break;
            }
            last = between();
        }
        assert!(last.is_empty(), "{way}: {last:#?}");
    }
}
