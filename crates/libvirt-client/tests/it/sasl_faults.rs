//! What is wrong with users, passwords and mechanisms, in the words that the log has for it.

use std::fs;

use libvirt_client::Obstacle;

use crate::{
    daemon::{Daemon, Refused, attempt_whole},
    mechanism::{SASL, offer, reply, step},
    peer::{ERROR, OK, Peer, error},
    sasl::{FAILED, PASSWORD, RIGHT, nova, on_tls},
    scram::Scram,
};

/// What comes of an attempt at a daemon that is played by `serve`, with the right password.
async fn refused(daemon: &Daemon, serve: impl AsyncFn(&mut Peer)) -> Refused {
    let (access, _dir) = nova(daemon);
    let refused = attempt_whole(&access, async { serve(&mut daemon.accept().await).await }).await;
    assert!(!refused.debug.contains(PASSWORD), "{}", refused.debug);
    Refused { line: refused.line.replace(&daemon.peer(), "PEER"), ..refused }
}

fn fault(obstacle: Obstacle, line: &str) -> Refused {
    Refused::new(line, obstacle, true)
}

#[tokio::test]
async fn a_password_that_is_not_taken_is_told_with_the_user() {
    let daemon = Daemon::listen();
    let wrong = async |peer: &mut Peer| {
        let scram = Scram { password: "another", ..RIGHT };
        let (_, first) = offer(peer, "SCRAM-SHA-256").await.unwrap();
        let challenged = scram.challenge(first.said.as_ref().unwrap());
        reply(peer, &first, false, Some(&challenged.server_first)).await;
        let last = step(peer).await;
        assert!(!challenged.answer(last.said.as_ref().unwrap()).is_right);
        peer.reply(&last.call, ERROR, &error(45, FAILED)).await;
    };
    let line = "libvirtd on PEER does not take the user nova with this password by SCRAM-SHA-256: \
                AuthSASLStep: virError(Code=45, Domain=7, Message='authentication failed')";
    assert_eq!(refused(&daemon, wrong).await, fault(Obstacle::Password, line));

    let (daemon, _pki) = on_tls();
    let wrong = async |peer: &mut Peer| {
        let (_, first) = offer(peer, "PLAIN").await.unwrap();
        peer.reply(&first.call, ERROR, &error(45, FAILED)).await;
    };
    let line = "libvirtd on PEER does not take the user nova with this password by PLAIN: \
                AuthSASLStart: virError(Code=45, Domain=7, Message='authentication failed')";
    assert_eq!(refused(&daemon, wrong).await, fault(Obstacle::Password, line));
}

/// Anybody can say yes; whoever does not know the password is nobody to talk to.
#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_refused() {
    let daemon = Daemon::listen();
    let line = |why| format!("SCRAM-SHA-256 with libvirtd on PEER failed: {why}");
    let impostor = async |peer: &mut Peer| {
        let scram = Scram { password: "another", ..RIGHT };
        let (_, first) = offer(peer, "SCRAM-SHA-256").await.unwrap();
        let challenged = scram.challenge(first.said.as_ref().unwrap());
        reply(peer, &first, false, Some(&challenged.server_first)).await;
        let last = step(peer).await;
        let answered = challenged.answer(last.said.as_ref().unwrap());
        reply(peer, &last, true, Some(&answered.server_last)).await;
    };
    let why = "the server failed mutual authentication";
    assert_eq!(refused(&daemon, impostor).await, fault(Obstacle::Password, &line(why)));

    for (says, why) in [
        (None, "libvirtd ended it before it showed who it is"),
        (Some(""), "libvirtd ended it before it showed who it is"),
    ] {
        let yes_at_once = async |peer: &mut Peer| {
            let (_, first) = offer(peer, "SCRAM-SHA-256").await.unwrap();
            reply(peer, &first, true, says).await;
        };
        assert_eq!(refused(&daemon, yes_at_once).await, fault(Obstacle::Password, &line(why)));
        let yes_without_proof = async |peer: &mut Peer| {
            let (_, first) = offer(peer, "SCRAM-SHA-256").await.unwrap();
            let challenged = RIGHT.challenge(first.said.as_ref().unwrap());
            reply(peer, &first, false, Some(&challenged.server_first)).await;
            let last = step(peer).await;
            reply(peer, &last, true, says).await;
        };
        let expected = fault(Obstacle::Password, &line(why));
        assert_eq!(refused(&daemon, yes_without_proof).await, expected);
    }
}

/// It costs this process its time, and whoever asks for that has not shown who he is.
#[tokio::test]
async fn a_server_that_asks_for_an_hour_of_hashing_is_refused() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    let asks = async |peer: &mut Peer, iterations| {
        let (_, first) = offer(peer, "SCRAM-SHA-256").await.unwrap();
        let scram = Scram { iterations, ..RIGHT };
        let challenged = scram.challenge(first.said.as_ref().unwrap());
        reply(peer, &first, false, Some(&challenged.server_first)).await;
        challenged
    };
    for iterations in [65_537, u32::MAX] {
        let line = format!(
            "SCRAM-SHA-256 with libvirtd on PEER failed: libvirtd asks for {iterations} iterations, \
             expected at most 65536"
        );
        let greedy = async |peer: &mut Peer| drop(asks(peer, iterations).await);
        assert_eq!(refused(&daemon, greedy).await, fault(Obstacle::Password, &line));
    }
    let usual = async |peer: &mut Peer| {
        let challenged = asks(peer, 65_536).await;
        assert!(challenged.answer(step(peer).await.said.as_ref().unwrap()).is_right);
    };
    assert_eq!(refused(&daemon, usual).await.obstacle, Obstacle::HungUp);
}

#[tokio::test]
async fn a_server_that_never_comes_to_an_end_is_left() {
    let (daemon, _pki) = on_tls();
    let endless = async |peer: &mut Peer| {
        let (_, first) = offer(peer, "PLAIN").await.unwrap();
        reply(peer, &first, false, None).await;
        for _ in 0..8 {
            let next = step(peer).await;
            reply(peer, &next, false, None).await;
        }
        assert!(peer.called().await.is_none(), "it goes on");
    };
    let line = "PLAIN with libvirtd on PEER failed: libvirtd does not come to an end";
    assert_eq!(refused(&daemon, endless).await, fault(Obstacle::Password, line));
}

/// Where nothing is encrypted, nobody is told the password.
#[tokio::test]
async fn what_this_client_does_not_have_or_may_not_use_is_refused_before_a_word() {
    let long = "X".repeat(1000);
    for (daemon, offered) in [
        (Daemon::listen(), "PLAIN"),
        (Daemon::on_tcp("127.0.0.1"), "PLAIN"),
        (Daemon::on_tcp("127.0.0.1"), "DIGEST-MD5,GSSAPI"),
        (Daemon::on_tcp("127.0.0.1"), &*long),
        (on_tls().0, "GSSAPI"),
    ] {
        let serve = async |peer: &mut Peer| {
            assert!(offer(peer, offered).await.is_none(), "it began with {offered}");
        };
        let told: String = offered.chars().take(200).collect();
        let line = format!(
            "libvirtd on PEER offers the SASL mechanisms {told}, expected SCRAM-SHA-256 or \
             SCRAM-SHA-512, or PLAIN over TLS (a SASL security layer, which libvirtd wants on bare \
             TCP, is not to be had here)"
        );
        assert_eq!(refused(&daemon, serve).await, fault(Obstacle::Credentials, &line));
    }
}

/// Whoever answers could be anybody, and PLAIN would tell him the password.
#[tokio::test]
async fn a_server_that_is_not_verified_is_not_told_the_password() {
    let (daemon, _pki) = on_tls();
    let (mut access, _dir) = nova(&daemon);
    access.address = daemon.access_with("&no_verify=1").address;
    let anybody = async |offered: &str, begins_with: Option<&str>| {
        let serve = async {
            let began = offer(&mut daemon.accept().await, offered).await;
            assert_eq!(began.map(|(mechanism, _)| mechanism).as_deref(), begins_with);
        };
        attempt_whole(&access, serve).await
    };
    let refused = anybody("GSSAPI,PLAIN", None).await;
    let line = "libvirtd on PEER offers the SASL mechanisms GSSAPI,PLAIN, expected SCRAM-SHA-256 or \
                SCRAM-SHA-512: PLAIN tells the password to whoever answers, and no_verify=1 does not \
                look who that is";
    let told = Refused { line: refused.line.replace(&daemon.peer(), "PEER"), ..refused };
    assert_eq!(told, fault(Obstacle::Credentials, line));
    let scram = Some("SCRAM-SHA-256");
    assert_eq!(anybody("PLAIN,SCRAM-SHA-256", scram).await.obstacle, Obstacle::HungUp);
}

/// As libvirtd does on bare TCP where only SCRAM is configured.
#[tokio::test]
async fn a_libvirtd_without_a_mechanism_for_this_way_is_explained() {
    let daemon = Daemon::on_tcp("127.0.0.1");
    let serve = async |peer: &mut Peer| {
        peer.answer(66, OK, SASL).await;
        peer.answer(67, ERROR, &error(45, FAILED)).await;
    };
    let line = "libvirtd on PEER has no SASL mechanism for this transport (on bare TCP it wants a SASL \
                security layer, which SCRAM and PLAIN do not have and this client has not: use TLS): \
                AuthSASLInit: virError(Code=45, Domain=7, Message='authentication failed')";
    assert_eq!(refused(&daemon, serve).await, fault(Obstacle::Credentials, line));
}

#[tokio::test]
async fn credentials_that_are_not_to_be_had_are_told_with_where_they_were_looked_for() {
    let daemon = Daemon::listen();
    let dir = tempfile::tempdir().unwrap();
    let auth_file = dir.path().join("auth.conf");
    let missing = dir.path().join("missing");
    fs::write(&auth_file, "[credentials-x]\nauthname=nova\npassword=secret\n").unwrap();
    let file = auth_file.display();
    let asks = "libvirtd on PEER asks for a user and password";
    for (auth_file, password_file, obstacle, why) in [
        (
            &auth_file,
            None,
            Obstacle::Credentials,
            format!(": no user was named, nor is there one for localhost in {file}"),
        ),
        (
            &auth_file,
            Some(&missing),
            Obstacle::Credentials,
            format!(": cannot read {}: No such file or directory (os error 2)", missing.display()),
        ),
        (
            &missing,
            None,
            Obstacle::Credentials,
            format!(": cannot read {}: No such file or directory (os error 2)", missing.display()),
        ),
    ] {
        let mut access = daemon.access();
        access.credentials.auth_file = Some(auth_file.clone());
        access.credentials.password_file = password_file.cloned();
        let serve = async {
            assert!(offer(&mut daemon.accept().await, "SCRAM-SHA-256").await.is_none());
        };
        let found = attempt_whole(&access, serve).await;
        let found = Refused { line: found.line.replace(&daemon.peer(), "PEER"), ..found };
        assert_eq!(found, fault(obstacle, &format!("{asks}{why}")));
    }
}
