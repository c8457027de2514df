//! The packages' service, run by systemd itself, and libvirtd on another host.

use std::fs;

use libvirtd_sim::{Settings, Simulator};

use super::{certificates::Authority, sshd::Sshd};
use crate::{
    fixture::new_dir,
    machine::{Machine, SERVICE},
};

#[test]
fn the_service_has_certificates_with_its_drop_in_and_not_without() {
    let uri = format!("qemu+tls://127.0.0.1/system?pkipath={HANDED}");
    let machine = machine(&uri);
    let authority = Authority::new("of the other host");
    let ours = authority.client();
    for (path, content) in [
        ("CA/cacert.pem", authority.certificate()),
        ("libvirt/clientcert.pem", &ours.certificate),
        ("libvirt/private/clientkey.pem", &ours.key),
    ] {
        machine.install(&format!("etc/pki/{path}"), content.as_bytes(), 0o600);
    }

    machine.run(&format!("systemctl start {SERVICE}"));
    let text = machine.until("StatusText", |text| text.starts_with("without libvirtd: "));
    assert!(text.contains(&format!("cannot use {HANDED}/cacert.pem")), "{text}");

    machine.drop_in("tls", include_str!("../../../../../packaging/systemd/remote-tls.conf"));
    machine.run(&format!("systemctl restart {SERVICE}"));
    // They are read before anybody is connected to, and here nobody listens.
    let text = machine.until("StatusText", |text| text.starts_with("without libvirtd: "));
    assert!(text.contains("Connection refused"), "{text}");
}

#[test]
fn the_service_goes_by_ssh_with_its_drop_in_and_not_without() {
    let sockets = new_dir("sockets");
    let simulated = Simulator::start(&sockets.join("libvirt-sock"), Settings::default()).unwrap();
    let socket = simulated.read_only_socket();
    let uri = format!(
        "qemu+ssh://root@127.0.0.1/system?socket={}&keyfile={HANDED}/key&known_hosts={HANDED}/known_hosts",
        socket.display()
    );
    let machine = machine(&uri);
    let sshd = Sshd::start(&machine);
    for (from, to) in [("key", "key"), ("known", "known_hosts")] {
        let content = fs::read(sshd.file(from)).unwrap();
        machine.install(&format!("etc/libvirt-nova-exporter/ssh/{to}"), &content, 0o600);
    }
    // ssh ends over one that is not root's or its own, and the unit has users mapped.
    machine.install("etc/ssh/ssh_config.d/own.conf", b"# Nothing.\n", 0o644);

    machine.run(&format!("systemctl start {SERVICE}"));
    let text = machine.until("StatusText", |text| text.starts_with("without libvirtd: "));
    assert!(text.contains("Permission denied"), "{text}");

    machine.drop_in("ssh", include_str!("../../../../../packaging/systemd/remote-ssh.conf"));
    machine.run(&format!("systemctl restart {SERVICE}"));
    machine.until("StatusText", |text| text == "domains: 3 running");
    assert!(machine.scrape().up());
}

/// A machine whose exporter is to ask another host; of that one's files it has none.
fn machine(uri: &str) -> Machine {
    Machine::start(&new_dir("nothing"), "/mnt", &format!("LIBVIRT_NOVA_URI={uri}\n"))
}

/// Where systemd puts what it hands to the unit.
const HANDED: &str = "/run/credentials/libvirt-nova-exporter.service";
