//! Coming in with a user and a password.

use std::fs;

use libvirt_client::{Access, Obstacle};
use tempfile::TempDir;

use crate::{
    certificates::Authority,
    daemon::{Daemon, PATIENCE, attempt_whole},
    mechanism::{Step, offer, reply, step},
    peer::{ERROR, OK, Peer, error},
    scram::Scram,
};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const RIGHT: Scram = Scram { password: PASSWORD, ..Scram::SHA_256 };
/// The most that libvirtd says of a password, or of mechanisms that it does not have.
pub(crate) const FAILED: &str = "authentication failed";

/// How a client says who it is to a daemon.
pub(crate) fn nova(daemon: &Daemon) -> (Access, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    let mut access = daemon.access();
    access.credentials.username = Some("nova".to_owned());
    access.credentials.password_file = Some(path);
    (access, dir)
}

/// A daemon with TLS, and the directory that its client needs.
pub(crate) fn on_tls() -> (Daemon, TempDir) {
    let authority = Authority::new("the CA");
    let pki = authority.pki(None);
    (Daemon::on_tls("localhost", authority.server(&["localhost"]).serve(), &pki), pki)
}

/// The whole of SCRAM, as libvirtd has it: what it shows last comes with its yes, or before it.
async fn let_in_by(peer: &mut Peer, scram: Scram, shows_with_yes: bool) {
    let (mechanism, first) = offer(peer, scram.mechanism).await.unwrap();
    assert_eq!(mechanism, scram.mechanism);
    let challenged = scram.challenge(&first.said.unwrap());
    let first = Step { said: None, ..first };
    reply(peer, &first, false, Some(&challenged.server_first)).await;
    let last = step(peer).await;
    let answered = challenged.answer(last.said.as_ref().unwrap());
    assert!(answered.is_right);
    reply(peer, &last, shows_with_yes, Some(&answered.server_last)).await;
    if !shows_with_yes {
        let nothing = step(peer).await;
        assert_eq!(nothing.said, None);
        reply(peer, &nothing, true, None).await;
    }
    opens(peer).await;
}

/// Lets in whoever has shown who he is.
async fn opens(peer: &mut Peer) {
    peer.answer(60, OK, &[0, 0, 0, 1]).await;
    peer.answer(1, OK, &[]).await;
}

#[tokio::test]
async fn who_knows_the_password_is_let_in_by_scram() {
    let sha_512 = Scram { mechanism: "SCRAM-SHA-512", ..RIGHT };
    for (daemon, scram, shows_with_yes) in [
        (Daemon::listen(), RIGHT, true),
        (Daemon::on_tcp("127.0.0.1"), RIGHT, false),
        (Daemon::listen(), sha_512, true),
    ] {
        let (access, _dir) = nova(&daemon);
        let let_in = async |peer: &mut Peer| let_in_by(peer, scram, shows_with_yes).await;
        daemon.session_of(&access, PATIENCE, let_in).await;
    }
}

#[tokio::test]
async fn who_knows_the_password_is_let_in_by_plain_over_tls() {
    let (daemon, _pki) = on_tls();
    let (access, _dir) = nova(&daemon);
    let let_in = async |peer: &mut Peer| {
        let (mechanism, first) = offer(peer, "DIGEST-MD5,PLAIN").await.unwrap();
        assert_eq!(mechanism, "PLAIN");
        assert_eq!(first.said, Some(format!("\0nova\0{PASSWORD}").into_bytes()));
        reply(peer, &first, true, None).await;
        opens(peer).await;
    };
    daemon.session_of(&access, PATIENCE, let_in).await;
}

/// Who says it to nobody comes first, whatever the order is.
#[tokio::test]
async fn the_best_mechanism_is_taken_of_those_that_are_offered() {
    let (daemon, _pki) = on_tls();
    let (access, _dir) = nova(&daemon);
    for (offered, best) in [
        ("PLAIN,SCRAM-SHA-256,GSSAPI", "SCRAM-SHA-256"),
        ("PLAIN SCRAM-SHA-256 SCRAM-SHA-512", "SCRAM-SHA-512"),
        ("XPLAIN,SCRAM-SHA-256-PLUS,PLAIN", "PLAIN"),
    ] {
        let serve = async {
            let (mechanism, _) = offer(&mut daemon.accept().await, offered).await.unwrap();
            assert_eq!(mechanism, best, "{offered}");
        };
        let refused = attempt_whole(&access, serve).await;
        assert_eq!(
            (refused.obstacle, refused.is_refusal),
            (Obstacle::HungUp, false),
            "{refused:?}"
        );
    }
}

/// As virsh does, with the same file for a socket of this host.
#[tokio::test]
async fn a_file_of_libvirts_form_is_enough_and_is_read_anew() {
    let daemon = Daemon::listen();
    let dir = tempfile::tempdir().unwrap();
    let auth_file = dir.path().join("auth.conf");
    let write = |password: &str| {
        let text = format!(
            "[credentials-x]\nauthname = nova\npassword = {password}\n[auth-libvirt-localhost]\n\
             credentials = x\n"
        );
        fs::write(&auth_file, text).unwrap();
    };
    write("another");
    let mut access = daemon.access();
    access.credentials.auth_file = Some(auth_file.clone());
    let no = async {
        let mut peer = daemon.accept().await;
        let (_, first) = offer(&mut peer, "SCRAM-SHA-256").await.unwrap();
        peer.reply(&first.call, ERROR, &error(45, FAILED)).await;
    };
    assert_eq!(attempt_whole(&access, no).await.obstacle, Obstacle::Password);
    write(PASSWORD);
    let let_in = async |peer: &mut Peer| let_in_by(peer, RIGHT, true).await;
    daemon.session_of(&access, PATIENCE, let_in).await;
}
