//! Coming in.

use libvirt_client::{Address, Obstacle, Session};
use libvirt_wire::call::EventId;
use tokio::time::Instant;

use crate::{
    daemon::{Daemon, chain},
    events::lifecycle,
    peer::{ERROR, OK, SECOND, error, string},
};

const NONE: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0];
const UNKNOWN: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 9];
const POLKIT: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 2];

#[tokio::test(start_paused = true)]
async fn the_driver_is_opened_read_only_after_the_question_of_authentication() {
    let daemon = Daemon::listen();
    let serve = async {
        let mut peer = daemon.accept().await;
        peer.answer(66, OK, NONE).await;
        let feature = peer.answer(60, OK, &[0, 0, 0, 1]).await;
        assert_eq!(feature.payload, [0, 0, 0, 10]);
        let open = peer.called().await.unwrap();
        assert_eq!(open.procedure, 1);
        let expected = [&[0, 0, 0, 1], &*string("qemu:///system"), &[0, 0, 0, 1]].concat();
        assert_eq!(open.payload, expected);
    };
    let refused = daemon.refused(serve).await;
    assert!(!refused.is_refusal(), "a daemon that hangs up may be back at once");
    assert_eq!(refused.obstacle(), Obstacle::HungUp);
}

#[tokio::test(start_paused = true)]
async fn polkit_is_asked_where_the_daemon_wants_it() {
    let daemon = Daemon::listen();
    let serve = async {
        let mut peer = daemon.accept().await;
        peer.answer(66, OK, POLKIT).await;
        peer.answer(70, OK, &[0, 0, 0, 1]).await;
        peer.answer(60, ERROR, &error(39, "unknown procedure")).await;
        peer.answer(1, ERROR, &error(5, "no connection driver available")).await;
    };
    let refused = daemon.refused(serve).await;
    assert_eq!(refused.obstacle(), Obstacle::Refused);
    let text = chain(&refused);
    assert!(
        text.ends_with(
            "ConnectOpen: virError(Code=5, Domain=7, Message='no connection driver available')"
        ),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_polkit_says_what_would_help() {
    let daemon = Daemon::listen();
    let serve = async {
        let mut peer = daemon.accept().await;
        peer.answer(66, OK, POLKIT).await;
        peer.answer(70, ERROR, &error(45, "authentication failed")).await;
    };
    let refused = daemon.refused(serve).await;
    assert!(refused.is_refusal());
    assert_eq!(refused.obstacle(), Obstacle::Polkit);
    let socket = daemon.socket();
    assert_eq!(refused.peer(), socket.to_str().unwrap());
    assert_eq!(
        chain(&refused),
        format!(
            "polkit does not let this process in on {} (run polkitd there, or set auth_unix_ro = \"none\" in libvirtd's configuration): AuthPolkit: virError(Code=45, Domain=7, Message='authentication failed')",
            socket.display()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn what_libvirtd_asks_for_and_nobody_here_knows_is_named() {
    let daemon = Daemon::listen();
    let serve = async {
        let mut peer = daemon.accept().await;
        peer.answer(66, OK, UNKNOWN).await;
        // A goodbye of whom it has not let in is a fault to libvirtd, and in its log.
        assert!(peer.called().await.is_none());
    };
    let refused = daemon.refused(serve).await;
    assert_eq!(refused.obstacle(), Obstacle::Credentials);
    let text = chain(&refused);
    assert!(
        text.ends_with("asks for authentication type 9, expected none, SASL or polkit"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_frozen_costs_the_deadline_and_no_more() {
    let daemon = Daemon::listen();
    let begun = Instant::now();
    let mut peers = Vec::new();
    let refused = daemon.refused(async { peers.push(daemon.accept().await) }).await;
    assert_eq!(begun.elapsed(), SECOND);
    assert!(!refused.is_refusal());
    assert!(chain(&refused).ends_with("says nothing within 1s"), "{}", chain(&refused));
    assert_eq!(refused.obstacle(), Obstacle::Silent);
}

/// Whichever step of the handshake the daemon goes away at.
#[tokio::test(start_paused = true)]
async fn a_daemon_that_hangs_up_is_known_at_once() {
    // Three handshakes, and all but the last of the kinds of events.
    let kinds = EventId::ALL.len() - 1;
    for steps in 0..=3 * 3 + kinds {
        let daemon = Daemon::listen();
        let begun = Instant::now();
        let serve = async {
            let mut left = steps;
            for connection in 0..3 {
                let mut peer = daemon.accept().await;
                let mut replies = vec![(66, NONE), (60, &[0, 0, 0, 1]), (1, &[])];
                let registrations = if connection == 2 { kinds } else { 0 };
                replies.extend(vec![(316, &[0, 0, 0, 3][..]); registrations]);
                for (procedure, payload) in replies {
                    if left == 0 {
                        return;
                    }
                    left -= 1;
                    peer.answer(procedure, OK, payload).await;
                }
                if connection < 2 {
                    // It stays open beside the next.
                    std::mem::forget(peer);
                }
            }
        };
        let refused = daemon.refused(serve).await;
        assert!(!refused.is_refusal(), "after {steps} steps: {}", chain(&refused));
        assert_eq!(begun.elapsed().as_millis(), 0, "after {steps} steps");
    }
}

#[tokio::test]
async fn nobody_on_the_socket_is_told_from_a_daemon_that_refuses() {
    let dir = Daemon::listen().crash();
    let stale: Address = dir.path().join("sock").to_str().unwrap().parse().unwrap();
    let missing: Address = dir.path().join("none").to_str().unwrap().parse().unwrap();
    for (address, reason) in [(stale, "Connection refused"), (missing, "No such file")] {
        let refused = Session::open(&address.clone().into(), SECOND, std::sync::Arc::new(()))
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(!refused.is_refusal());
        assert!(chain(&refused).contains(reason), "{}", chain(&refused));
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_too_old_for_an_event_is_watched_without_it() {
    let kinds = [0, 1, 3, 6, 15, 19, 20, 21, 22, 23];
    // Each alone, and all of them.
    for refused in kinds.map(|kind| vec![kind]).into_iter().chain([kinds.to_vec()]) {
        let daemon = Daemon::listen();
        let access = daemon.access();
        let serve = async {
            let mut client = daemon.accept().await;
            client.let_in().await;
            daemon.accept().await.let_in().await;
            let mut feed = daemon.accept().await;
            feed.let_in().await;
            for kind in kinds {
                let call = if refused.contains(&kind) {
                    feed.answer(316, ERROR, &error(1, "unsupported event ID")).await
                } else {
                    feed.answer(316, OK, &[0, 0, 0, 3]).await
                };
                assert_eq!(call.payload, [0, 0, 0, kind, 0, 0, 0, 0]);
            }
            client.answer(59, ERROR, &error(3, "no support for hypervisor")).await;
            feed.event(318, &lifecycle("a", 3)).await;
            (client, feed)
        };
        let (session, (_client, _feed)) =
            tokio::join!(Session::open(&access, SECOND, std::sync::Arc::new(())), serve);
        let mut session = session.unwrap();
        assert_eq!(session.hostname, None);
        assert_eq!(session.events.next().await.unwrap().domain.name, "a", "without {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_left_is_said_goodbye_to() {
    let daemon = Daemon::listen();
    let (session, mut client, mut feed) = daemon.session().await;
    let serve = async {
        client.answer(2, OK, &[]).await;
        feed.answer(2, OK, &[]).await;
    };
    tokio::join!(session.lookups.close(), session.feed.close(), serve);

    // Dropped, or given up for the calls on it.
    let (session, mut client, mut feed) = daemon.session().await;
    drop(session);
    for peer in [&mut client, &mut feed] {
        assert_eq!(peer.called().await.unwrap().procedure, 2);
        assert!(peer.called().await.is_none());
    }
}
