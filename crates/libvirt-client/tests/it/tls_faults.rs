//! What is wrong with TLS, in the words that the log has for it.

use std::{fs, future::pending, path::Path};

use libvirt_client::Obstacle;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose};
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    certificates::{Authority, HOUR, Issued},
    daemon::{Daemon, Refused, attempt},
    peer::SECOND,
};

/// What comes of an attempt at a server that lets everybody in whom it shakes hands with.
pub(crate) async fn refused(host: &str, server: &Issued, pki: &TempDir) -> Refused {
    let daemon = Daemon::on_tls(host, server.serve(), pki);
    let mut refused = attempt(&daemon.access(), async {
        if let Ok(mut stream) = daemon.shake().await {
            let _ = stream.write_all(&[1]).await;
            pending::<()>().await;
        }
    })
    .await;
    plain(&mut refused, &daemon, pki);
    refused
}

/// Takes out of a line what differs from run to run.
fn plain(refused: &mut Refused, daemon: &Daemon, pki: &TempDir) {
    refused.line = refused.line.replace(&daemon.peer(), "PEER");
    refused.line = refused.line.replace(pki.path().to_str().unwrap(), "PKI");
}

/// As every fault that somebody has to mend is told of.
fn fault(obstacle: Obstacle, line: &str) -> Refused {
    Refused::new(line, obstacle, true)
}

pub(crate) fn untrusted(why: &str) -> Refused {
    let line = format!("the certificate of PEER is not to be trusted: {why}");
    fault(Obstacle::Certificate, &line)
}

#[tokio::test]
async fn a_server_of_another_ca_is_not_trusted() {
    let pki = Authority::new("one").pki(None);
    for name in ["other", "one"] {
        let server = Authority::new(name).server(&["localhost"]);
        let expected = untrusted("no CA in PKI/cacert.pem has signed it");
        assert_eq!(refused("localhost", &server, &pki).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_server_of_another_name_is_told_by_the_names_that_it_has() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let many: Vec<_> = (0..100).map(|number| format!("h{number}.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (host, names, why) in [
        (
            "localhost",
            &["elsewhere.example"][..],
            "it is for elsewhere.example, expected localhost",
        ),
        (
            "127.0.0.1",
            &["localhost", "192.0.2.7", "2001:db8::7"],
            "it is for localhost and 192.0.2.7 and 2001:db8::7, expected 127.0.0.1",
        ),
        (
            "localhost",
            &many,
            "it is for h0.example and h1.example and h2.example and h3.example and 96 more, expected localhost",
        ),
    ] {
        let server = authority.server(names);
        assert_eq!(refused(host, &server, &pki).await, untrusted(why));
    }
}

#[tokio::test]
async fn a_name_in_the_subject_is_none_for_an_address_or_beside_others() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let long = "x".repeat(1000);
    let cut = format!("it is for {}, expected localhost", &long[..64]);
    for (host, names, subject, why) in [
        ("127.0.0.1", &[][..], Some("127.0.0.1"), "it is for 127.0.0.1, expected 127.0.0.1"),
        ("localhost", &[], Some("elsewhere"), "it is for elsewhere, expected localhost"),
        ("localhost", &[], Some(&*long), &cut),
        ("localhost", &[], None, "it names no host, expected localhost"),
        ("localhost", &["a.example"], Some("localhost"), "it is for a.example, expected localhost"),
    ] {
        let server = authority.server_with(names, |params| {
            params.distinguished_name.remove(DnType::CommonName);
            if let Some(subject) = subject {
                params.distinguished_name.push(DnType::CommonName, subject);
            }
        });
        assert_eq!(refused(host, &server, &pki).await, untrusted(why));
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_says_why() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    fs::write(pki.path().join("cacrl.pem"), authority.revoke(7)).unwrap();
    type Change = fn(&mut CertificateParams);
    let changes: [(Change, &str); 4] = [
        (|params| params.not_after -= HOUR + SECOND, "it has expired"),
        (|params| params.not_before += 2 * HOUR - SECOND, "its time has not begun"),
        (
            |params| params.serial_number = Some(7.into()),
            "its CA has revoked it, or that CA was revoked itself",
        ),
        (
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "it is not as it should be: invalid peer certificate: certificate does not allow extended key \
             usage for server authentication, allows client authentication",
        ),
    ];
    for (change, why) in changes {
        let server = authority.server_with(&["localhost"], change);
        assert_eq!(refused("localhost", &server, &pki).await, untrusted(why));
    }
}

/// libvirtd looks at our certificate after the handshake, and hangs up where it does not take it.
#[tokio::test]
async fn a_server_that_hangs_up_after_the_handshake_does_not_take_our_certificate() {
    let authority = Authority::new("one");
    let client = authority.client();
    for version in [&TLS12, &TLS13] {
        for (client, sends, line) in [
            (
                Some(&client),
                &[][..],
                "PEER does not take the client certificate PKI/clientcert.pem: it hung up after the TLS \
                 handshake",
            ),
            (
                None,
                &[],
                "PEER wants a client certificate, and PKI/clientcert.pem is not there or out of reach: \
                 it hung up after the TLS handshake",
            ),
            (
                Some(&client),
                &[0],
                "PEER does not take the client certificate PKI/clientcert.pem: it sent the byte 0, \
                 expected 1",
            ),
        ] {
            let pki = authority.pki(client);
            let config = authority.server(&["localhost"]).serve_with(&[version], None);
            let daemon = Daemon::on_tls("localhost", config, &pki);
            let hang_up = async {
                daemon.shake().await.unwrap().write_all(sends).await.unwrap();
            };
            let mut refused = attempt(&daemon.access(), hang_up).await;
            plain(&mut refused, &daemon, &pki);
            assert_eq!(refused, fault(Obstacle::OurCertificate, line));
        }
    }
}

/// What stands before a libvirtd looks at it in the handshake, and says what is wrong.
#[tokio::test]
async fn a_server_that_says_what_is_wrong_with_our_certificate_is_repeated() {
    let (authority, other) = (Authority::new("one"), Authority::new("other"));
    let client = other.client();
    for (version, client, line) in [
        (
            &TLS12,
            None,
            "PEER wants a client certificate, and PKI/clientcert.pem is not there or out of reach: it \
             says CertificateRequired",
        ),
        (
            &TLS13,
            None,
            "PEER wants a client certificate, and PKI/clientcert.pem is not there or out of reach: it \
             says CertificateRequired",
        ),
        (
            &TLS13,
            Some(&client),
            "PEER does not take the client certificate PKI/clientcert.pem: it says UnknownCA",
        ),
    ] {
        let pki = authority.pki(client);
        let config = authority.server(&["localhost"]).serve_with(&[version], Some(&authority));
        let daemon = Daemon::on_tls("localhost", config, &pki);
        let serve = async { drop(daemon.shake().await) };
        let mut refused = attempt(&daemon.access(), serve).await;
        plain(&mut refused, &daemon, &pki);
        assert_eq!(refused, fault(Obstacle::OurCertificate, line));
    }
}

/// Before anybody is connected to.
#[tokio::test]
async fn a_file_that_is_of_no_use_is_named_with_what_is_wrong() {
    let authority = Authority::new("one");
    let server = authority.server(&["localhost"]);
    let (client, other) = (authority.client(), authority.client());
    let (not_pem, cut) = ("no PEM at all", "-----BEGIN CERTIFICATE-----\nMIIB");
    let key = client.key_pem();
    let of = |kind| format!("-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n");
    let (broken, list) = (of("CERTIFICATE"), of("X509 CRL"));
    for (name, text, why) in [
        ("cacert.pem", None, "No such file or directory (os error 2)"),
        ("cacert.pem", Some(""), "there is no certificate in it"),
        ("cacert.pem", Some(not_pem), "there is no certificate in it"),
        ("cacert.pem", Some(&*key), "there is no certificate in it"),
        ("cacert.pem", Some(cut), "it is cut off, its CERTIFICATE has no end"),
        ("cacert.pem", Some(&*broken), "there is a certificate in it that cannot be read"),
        ("clientcert.pem", Some(""), "there is no certificate in it"),
        ("clientkey.pem", Some(not_pem), "there is no private key in it"),
        ("clientkey.pem", Some(&*other.key_pem()), "it is not the key of PKI/clientcert.pem"),
        ("cacrl.pem", Some(not_pem), "there is no revocation list in it"),
        ("cacrl.pem", Some(&*list), "there is a revocation list in it that cannot be read"),
    ] {
        let pki = authority.pki(Some(&client));
        write(&pki.path().join(name), text);
        let line = format!("cannot use PKI/{name}, which TLS with PEER needs: {why}");
        let found = refused("localhost", &server, &pki).await;
        assert_eq!(found, fault(Obstacle::File, &line), "{text:?}");
    }
}

fn write(path: &Path, text: Option<&str>) {
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

/// What is on the port in the place of TLS.
#[tokio::test]
async fn whoever_does_not_speak_tls_is_known_by_it() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let http = &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..];
    let ssh = b"SSH-2.0-OpenSSH_9.2p1\r\n";
    let old = b"\x15\x03\x03\x00\x02\x02\x46";
    let half = b"\x16\x03\x03";
    for (said, obstacle, is_refusal, why) in [
        (http, Obstacle::Tls, true, "it does not speak TLS"),
        (ssh, Obstacle::Tls, true, "it does not speak TLS"),
        (old, Obstacle::Tls, true, "received fatal alert: ProtocolVersion"),
        (b"", Obstacle::HungUp, false, "it hung up in the handshake"),
        (half, Obstacle::HungUp, false, "it hung up in the handshake"),
    ] {
        let config = authority.server(&["localhost"]).serve();
        let daemon = Daemon::on_tls("localhost", config, &pki);
        let serve = async {
            let mut stream = daemon.accept_raw().await;
            // All of it: with something unread the end would be a reset.
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.unwrap();
            let len = u16::from_be_bytes([hello[3], hello[4]]);
            stream.read_exact(&mut vec![0; len.into()]).await.unwrap();
            stream.write_all(said).await.unwrap();
        };
        let mut refused = attempt(&daemon.access(), serve).await;
        plain(&mut refused, &daemon, &pki);
        let line = format!("no TLS with PEER: {why}");
        assert_eq!(refused, Refused::new(&line, obstacle, is_refusal), "{}", said.escape_ascii());
    }
}

/// As libvirtd's own port for TCP does it, to which a TLS hello is a packet too large.
#[tokio::test]
async fn whoever_hangs_up_without_reading_has_hung_up() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let daemon = Daemon::on_tls("localhost", authority.server(&["localhost"]).serve(), &pki);
    let serve = async { daemon.accept_raw().await.readable().await.unwrap() };
    let refused = attempt(&daemon.access(), serve).await;
    let line = format!("no TLS with {}: it hung up in the handshake", daemon.peer());
    assert_eq!(refused, Refused::new(&line, Obstacle::HungUp, false));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_costs_the_deadline_and_no_more() {
    let authority = Authority::new("one");
    let pki = authority.pki(None);
    let daemon = Daemon::on_tls("127.0.0.1", authority.server(&["127.0.0.1"]).serve(), &pki);
    let begun = tokio::time::Instant::now();
    let refused = daemon.refused(async {}).await;
    assert_eq!(begun.elapsed(), SECOND);
    assert_eq!(
        refused.to_string(),
        format!("libvirtd on {} says nothing within 1s", daemon.peer())
    );
    assert_eq!((refused.obstacle(), refused.is_refusal()), (Obstacle::Silent, false));
}
