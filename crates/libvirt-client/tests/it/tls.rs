//! Coming in by TLS.

use libvirt_wire::call::ConnectGetHostname;
use rcgen::DnType;
use rustls::version::{TLS12, TLS13};

use crate::{
    certificates::Authority,
    daemon::{Daemon, PATIENCE, attempt},
    peer::{OK, Peer, string},
};

const HERE: &[&str] = &["localhost", "127.0.0.1"];

/// Opens a session, and makes a call on it.
pub(crate) async fn comes_in(daemon: &Daemon, query: &str) {
    let access = daemon.access_with(query);
    let (session, mut client, _feed) = daemon.session_of(&access, PATIENCE, Peer::let_in).await;
    let name = string("there");
    let asked = session.lookups.call(&ConnectGetHostname, PATIENCE);
    let (reply, _) = tokio::join!(asked, client.answer(59, OK, &name));
    assert_eq!(reply.unwrap().decode().unwrap(), "there");
}

#[tokio::test]
async fn a_session_is_opened_by_name_and_by_address_in_either_version() {
    let authority = Authority::new("one");
    let server = authority.server(HERE);
    let pki = authority.pki(None);
    for host in HERE {
        for version in [&TLS12, &TLS13] {
            let config = server.serve_with(&[version], None);
            comes_in(&Daemon::on_tls(host, config, &pki), "").await;
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_our_certificate_gets_it() {
    let (authority, clients) = (Authority::new("one"), Authority::new("other"));
    let pki = authority.pki(Some(&clients.client()));
    for version in [&TLS12, &TLS13] {
        let config = authority.server(HERE).serve_with(&[version], Some(&clients));
        comes_in(&Daemon::on_tls("localhost", config, &pki), "").await;
    }
}

/// Of a CA that nobody knows, for another name, expired, and of a client's kind.
#[tokio::test]
async fn who_verifies_nothing_takes_anybody() {
    let server = Authority::new("one").server_with(&["elsewhere.example"], |params| {
        params.not_after = params.not_before;
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let pki = tempfile::tempdir().unwrap();
    for version in [&TLS12, &TLS13] {
        let config = server.serve_with(&[version], None);
        comes_in(&Daemon::on_tls("127.0.0.1", config, &pki), "&no_verify=1").await;
    }
}

/// As libvirt's guide has long made certificates.
#[tokio::test]
async fn a_name_in_the_subject_alone_is_taken() {
    let authority = Authority::new("one");
    let server = authority.server_with(&[], |params| {
        params.distinguished_name.push(DnType::OrganizationName, "127.0.0.1");
        params.distinguished_name.push(DnType::CommonName, "LocalHost");
    });
    let pki = authority.pki(None);
    comes_in(&Daemon::on_tls("localhost", server.serve(), &pki), "").await;
}

/// A certificate that was renewed is taken without a restart.
#[tokio::test]
async fn certificates_are_read_anew_at_each_attempt() {
    let (before, after) = (Authority::new("one"), Authority::new("other"));
    let server = after.server(HERE);
    let pki = before.pki(None);
    let daemon = Daemon::on_tls("localhost", server.serve(), &pki);
    let refused = attempt(&daemon.access(), async { drop(daemon.shake().await) }).await;
    assert!(refused.line.contains("no CA"), "{refused:?}");
    std::fs::write(pki.path().join("cacert.pem"), after.pem()).unwrap();
    comes_in(&daemon, "").await;
}

/// Whom one CA of several has signed, and who is on no list.
#[tokio::test]
async fn every_ca_of_the_file_is_trusted_and_a_list_revokes_what_is_on_it() {
    let (authority, other) = (Authority::new("one"), Authority::new("other"));
    let server = authority.server_with(HERE, |params| params.serial_number = Some(7.into()));
    let pki = other.pki(None);
    std::fs::write(pki.path().join("cacert.pem"), other.pem() + &authority.pem()).unwrap();
    let lists = other.revoke(7) + &authority.revoke(8);
    std::fs::write(pki.path().join("cacrl.pem"), lists).unwrap();
    comes_in(&Daemon::on_tls("localhost", server.serve(), &pki), "").await;
}
