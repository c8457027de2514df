//! Events and pings: what the daemon says unasked.

use libvirt_wire::{Event, EventKind, call::ConnectGetHostname};

use crate::{
    daemon::Daemon,
    peer::{OK, SECOND, string},
};

/// The payload of a lifecycle event of the domain `name`.
pub(crate) fn lifecycle(name: &str, event: u32) -> Vec<u8> {
    let mut payload = 3_u32.to_be_bytes().to_vec();
    payload.extend(string(name));
    payload.extend([7; 16]);
    for word in [1, event, 0] {
        payload.extend(word.to_be_bytes());
    }
    payload
}

/// libvirtd gives every event the serial 1, as the first call has.
#[tokio::test(start_paused = true)]
async fn an_event_is_here_before_the_reply_that_followed_it() {
    let daemon = Daemon::listen();
    let (mut session, _client, mut feed) = daemon.session().await;
    let serve = async {
        let call = feed.called().await.unwrap();
        feed.event(318, &lifecycle("a", 3)).await;
        feed.event(318, &lifecycle("b", 4)).await;
        feed.reply(&call, OK, &string("host")).await;
    };
    let (outcome, ()) = tokio::join!(session.feed.call(&ConnectGetHostname, SECOND), serve);
    assert_eq!(outcome.unwrap().decode().unwrap(), "host");
    let Event { domain, kind } = session.events.try_next().unwrap();
    assert_eq!((&*domain.name, kind), ("a", EventKind::Lifecycle { event: 3, detail: 0 }));
    assert_eq!(session.events.try_next().unwrap().domain.name, "b");
    assert!(session.events.try_next().is_none());
    assert!(!session.events.take_lost());
}

/// A consumer that does not read must not hold up replies.
#[tokio::test(start_paused = true)]
async fn a_flood_of_events_holds_nothing_up() {
    let daemon = Daemon::listen();
    let (mut session, _client, mut feed) = daemon.session().await;
    let serve = async {
        let call = feed.called().await.unwrap();
        for _ in 0..5000 {
            feed.event(318, &lifecycle("a", 3)).await;
        }
        feed.reply(&call, OK, &string("host")).await;
    };
    let (outcome, ()) = tokio::join!(session.feed.call(&ConnectGetHostname, SECOND), serve);
    assert_eq!(outcome.unwrap().decode().unwrap(), "host");
    assert!(session.events.take_lost(), "what was lost must be known");
    assert!(session.events.try_next().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_counts_as_lost() {
    let daemon = Daemon::listen();
    let (mut session, _client, mut feed) = daemon.session().await;
    feed.event(318, &[0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]).await;
    feed.event(318, &lifecycle("a", 3)).await;
    assert_eq!(session.events.next().await.unwrap().domain.name, "a");
    assert!(session.events.take_lost());
}

/// The daemon hangs up on a client that leaves five pings unanswered.
#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_whatever_is_under_way() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let client = session.lookups.clone();
    let task = tokio::spawn(async move { client.call(&ConnectGetHostname, SECOND).await });
    let call = peer.called().await.unwrap();
    peer.ping().await;
    let pong = peer.called().await.unwrap();
    assert_eq!((pong.procedure, pong.serial, pong.payload), (2, 0, Vec::new()));
    peer.reply(&call, OK, &string("host")).await;
    assert!(task.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_connection_ends_its_events() {
    let daemon = Daemon::listen();
    let (mut session, _client, feed) = daemon.session().await;
    drop(feed);
    assert!(session.events.next().await.is_none());
    session.feed.closed().await;
}
