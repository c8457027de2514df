//! What ssh complains of, and what ends when it is mended.

use std::fs;

use super::{fault::Shut, hypervisor::Hypervisor, sshd::Sshd};

#[test]
fn a_host_key_that_has_changed_is_refused_until_it_is_known() {
    let hypervisor = Hypervisor::open();
    let mut sshd = Sshd::start(&hypervisor.libvirtd);
    sshd.end();
    sshd.change_host_key();
    sshd.listen();
    let words = ["127.0.0.1", "Host key verification failed"];
    let shut = Shut::out(&hypervisor, &sshd.uri(""), &[], &words);
    sshd.know_host("host");
    shut.comes_in();
}

#[test]
fn a_host_that_nobody_knows_is_refused_and_nobody_is_asked() {
    let hypervisor = Hypervisor::open();
    let sshd = Sshd::start(&hypervisor.libvirtd);
    fs::write(sshd.file("known"), "").unwrap();
    let words = ["127.0.0.1", "Host key verification failed"];
    let shut = Shut::out(&hypervisor, &sshd.uri(""), &[], &words);
    assert_eq!(fs::read_to_string(sshd.file("known")).unwrap(), "");
    sshd.know_host("host");
    shut.comes_in();
}

#[test]
fn a_key_that_is_not_taken_is_tried_until_it_is() {
    let hypervisor = Hypervisor::open();
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let right = fs::read_to_string(sshd.file("authorized")).unwrap();
    fs::copy(sshd.foreign_key().with_extension("pub"), sshd.file("authorized")).unwrap();
    let words = ["127.0.0.1", "Permission denied"];
    let shut = Shut::out(&hypervisor, &sshd.uri(""), &[], &words);
    fs::write(sshd.file("authorized"), right).unwrap();
    shut.comes_in();
}

#[test]
fn an_sshd_that_is_not_there_is_found_when_it_is() {
    let hypervisor = Hypervisor::open();
    let mut sshd = Sshd::start(&hypervisor.libvirtd);
    sshd.end();
    let words = ["127.0.0.1", "Connection refused"];
    let shut = Shut::out(&hypervisor, &sshd.uri(""), &[], &words);
    sshd.listen();
    shut.comes_in();
}

#[test]
fn a_libvirtd_that_is_not_there_behind_ssh_is_found_when_it_is() {
    for more in ["", "&netcat=nc.openbsd"] {
        let hypervisor = Hypervisor::open();
        let sshd = Sshd::start(&hypervisor.libvirtd);
        hypervisor.libvirtd.daemon_stop();
        let words = ["127.0.0.1", "libvirt-sock-ro"];
        let shut = Shut::out(&hypervisor, &sshd.uri(more), &[], &words);
        hypervisor.libvirtd.daemon_start();
        shut.comes_in();
    }
}
