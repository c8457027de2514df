//! Whoever answers in libvirtd's place, or does not.

use super::{
    fault::Shut,
    hypervisor::{Hypervisor, SSH_PORT, TCP_PORT, TLS_PORT},
    peer::{Manner, Peer},
    sshd::Sshd,
};

#[test]
fn a_peer_that_says_nothing_costs_the_deadline_and_no_more() {
    is_told_of("tcp", Manner::Silent, &["libvirtd on 127.0.0.2:16509 says nothing within"]);
}

#[test]
fn a_peer_that_says_nothing_of_tls_costs_no_more_either() {
    is_told_of("tls", Manner::Silent, &["libvirtd on 127.0.0.2:16514 says nothing within"]);
}

#[test]
fn a_peer_that_speaks_http_is_told_of() {
    is_told_of("tcp", Manner::Http, &["127.0.0.2:16509", "HTTP"]);
    is_told_of("tls", Manner::Http, &["no TLS with 127.0.0.2:16514"]);
}

#[test]
fn a_peer_that_hangs_up_is_told_of() {
    is_told_of("tcp", Manner::Gone, &["127.0.0.2:16509", "hung up"]);
    is_told_of("tls", Manner::Gone, &["no TLS with 127.0.0.2:16514"]);
}

/// Then it becomes libvirtd.
fn is_told_of(transport: &str, manner: Manner, words: &[&str]) {
    let hypervisor = Hypervisor::open();
    let port = if transport == "tls" { TLS_PORT } else { TCP_PORT };
    let peer = Peer::listen(&hypervisor.libvirtd, port, manner);
    let (host, pki) = (peer.host(), hypervisor.pki.display());
    let uri = format!("qemu+{transport}://{host}/system?pkipath={pki}");
    let shut = Shut::out(&hypervisor, &uri, &[], words);
    peer.become_a(Manner::Relay);
    shut.comes_in();
}

#[test]
fn a_port_that_is_closed_is_found_when_it_is_open() {
    let hypervisor = Hypervisor::open();
    for (transport, port) in [("tcp", TCP_PORT), ("tls", TLS_PORT)] {
        let pki = hypervisor.pki.display();
        let uri = format!("qemu+{transport}://127.0.0.2:{port}/system?pkipath={pki}");
        let host = format!("127.0.0.2:{port}");
        let shut = Shut::out(&hypervisor, &uri, &[], &[&host, "Connection refused"]);
        let _peer = Peer::listen(&hypervisor.libvirtd, port, Manner::Relay);
        shut.comes_in();
    }
}

#[test]
fn a_silent_sshd_costs_the_deadline_and_leaves_no_process() {
    let hypervisor = Hypervisor::open();
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let peer = Peer::listen(&hypervisor.libvirtd, SSH_PORT, Manner::Silent);
    let uri = sshd.uri("").replace("127.0.0.1", "127.0.0.2");
    let shut =
        Shut::out(&hypervisor, &uri, &[], &["libvirtd on 127.0.0.2 by ssh says nothing within"]);
    // Those of one attempt at most: each that was given up has been ended, and waited for.
    let processes = shut.exporter().children();
    assert!(processes <= 3, "{processes} processes");
    sshd.know_address("127.0.0.2");
    peer.become_a(Manner::Relay);
    shut.comes_in();
}

#[test]
fn a_port_of_another_transport_is_told_of() {
    let hypervisor = Hypervisor::open();
    let pki = hypervisor.pki.display();
    let tls_to_tcp = format!("qemu+tls://127.0.0.1:{TCP_PORT}/system?pkipath={pki}");
    Shut::out(&hypervisor, &tls_to_tcp, &[], &["127.0.0.1:16509", "TLS"]);
    let tcp_to_tls = format!("qemu+tcp://127.0.0.1:{TLS_PORT}/system");
    Shut::out(&hypervisor, &tcp_to_tls, &[], &["127.0.0.1:16514"]);
}
