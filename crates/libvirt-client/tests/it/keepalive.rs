//! Whether anybody is there still: pings of ours, where a cable may have been cut.

use std::time::Duration;

use futures_util::FutureExt;
use libvirt_client::{Ending, Session};
use libvirt_wire::call::ConnectGetHostname;
use tokio::{task, time};

use crate::{
    clock::hold,
    daemon::{Daemon, PATIENCE},
    events::lifecycle,
    peer::{Called, ERROR, KEEPALIVE, OK, Peer, error, packet, string},
};

const INTERVAL: Duration = Duration::from_secs(5);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The next packet, which must be a ping.
async fn pinged(peer: &mut Peer) {
    let Called { program, procedure, serial, payload } = peer.called().await.unwrap();
    assert_eq!((program, procedure, serial, payload), (KEEPALIVE, 1, 0, Vec::new()));
}

/// Lets all that is here be read and answered.
async fn settle() {
    for _ in 0..20 {
        task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_pinged_each_five_seconds_and_cut_off_after_25() {
    let _held = hold();
    let daemon = Daemon::on_tcp("127.0.0.1");
    let (session, _client, mut feed) = daemon.session().await;
    for _ in 0..4 {
        time::advance(INTERVAL - MILLISECOND).await;
        settle().await;
        assert!(feed.called().now_or_never().is_none(), "it was early");
        time::advance(MILLISECOND).await;
        pinged(&mut feed).await;
    }
    time::advance(INTERVAL - MILLISECOND).await;
    settle().await;
    assert!(!session.feed.is_closed());
    time::advance(MILLISECOND).await;
    session.feed.closed().await;
    let ending = session.feed.ending().unwrap();
    assert!(matches!(ending, Ending::CutOff(silence) if silence.as_secs() == 25), "{ending:?}");
    assert_eq!(
        ending.to_string(),
        "nothing came from libvirtd for 25s, not even an answer to pings"
    );
    assert!(feed.called().await.is_none(), "no goodbye to whom nobody reaches");
}

/// Whoever waits for a reply is told then, and not at his deadline.
#[tokio::test(start_paused = true)]
async fn a_call_to_a_peer_that_falls_silent_ends_with_the_connection() {
    let _held = hold();
    let daemon = Daemon::on_tcp("127.0.0.1");
    let (session, _client, mut feed) = daemon.session().await;
    let Session { feed: client, .. } = session;
    let call = tokio::spawn(async move { client.call(&ConnectGetHostname, PATIENCE).await });
    assert_eq!(feed.called().await.unwrap().procedure, 59);
    for _ in 0..4 {
        time::advance(INTERVAL).await;
        pinged(&mut feed).await;
    }
    time::advance(INTERVAL).await;
    assert!(call.await.unwrap().unwrap_err().is_disconnected());
}

#[tokio::test(start_paused = true)]
async fn whoever_says_anything_is_there() {
    let _held = hold();
    // A byte each time: nobody needs to say something whole.
    let event = packet(0x2000_8086, 318, 2, 1, OK, &lifecycle("a", 3));
    for answers in [true, false] {
        let daemon = Daemon::on_tcp("127.0.0.1");
        let (session, _client, mut feed) = daemon.session().await;
        for round in 0..20 {
            match answers {
                true => feed.pong().await,
                false => feed.send(&event[round..=round]).await,
            }
            settle().await;
            time::advance(INTERVAL).await;
            settle().await;
        }
        assert!(!session.feed.is_closed());
    }
}

/// What a peer gets in five minutes in which it says nothing, and then in the first call.
async fn silence_is_borne(daemon: &Daemon, let_in: impl AsyncFn(&mut Peer)) {
    let _held = hold();
    let access = daemon.access();
    let (session, _client, mut feed) = daemon.session_of(&access, PATIENCE, let_in).await;
    for _ in 0..60 {
        time::advance(INTERVAL).await;
        settle().await;
    }
    let name = string("there");
    let asked = session.feed.call(&ConnectGetHostname, PATIENCE);
    let (reply, _) = tokio::join!(asked, feed.answer(59, OK, &name));
    assert_eq!(reply.unwrap().decode().unwrap(), "there");
}

/// The kernel tells when the other end of a Unix socket is gone, and libvirtd may stand still.
#[tokio::test(start_paused = true)]
async fn nobody_on_this_host_is_pinged() {
    silence_is_borne(&Daemon::listen(), Peer::let_in).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_pinged_who_has_not_promised_to_answer() {
    let no = &[0, 0, 0, 0][..];
    for (status, answer) in [(OK, no), (ERROR, &error(1, "unknown feature"))] {
        let let_in = async |peer: &mut Peer| {
            peer.answer(66, OK, &[0, 0, 0, 1, 0, 0, 0, 0]).await;
            peer.answer(60, status, answer).await;
            peer.answer(1, OK, &[]).await;
        };
        silence_is_borne(&Daemon::on_tcp("127.0.0.1"), let_in).await;
    }
}
