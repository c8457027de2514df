//! Calls and what becomes of them.

use std::future::pending;

use futures_util::FutureExt;
use libvirt_client::{CallError, Calls, WINDOW};
use libvirt_wire::{
    Domain, Uuid,
    call::{ConnectGetHostname, ConnectListAllDomains, DomainGetInfo},
};
use tokio::time::Instant;

use crate::{
    daemon::Daemon,
    peer::{Called, ERROR, OK, Peer, SECOND, error, packet, string},
};

async fn hostname(client: &Calls) -> Result<String, CallError> {
    client.call(&ConnectGetHostname, SECOND).await?.decode()
}

/// Starts `count` calls, and returns them as the daemon sees them.
async fn start(
    client: &Calls,
    peer: &mut Peer,
    count: usize,
) -> Vec<(tokio::task::JoinHandle<Result<String, CallError>>, Called)> {
    let mut started = Vec::new();
    for _ in 0..count {
        let client = client.clone();
        let task = tokio::spawn(async move { hostname(&client).await });
        started.push((task, peer.called().await.unwrap()));
    }
    started
}

#[tokio::test(start_paused = true)]
async fn replies_find_their_callers_in_any_order() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let started = start(&session.lookups, &mut peer, WINDOW).await;
    for (_, call) in started.iter().rev() {
        peer.reply(call, OK, &string(&call.serial.to_string())).await;
    }
    for (task, call) in started {
        assert_eq!(task.await.unwrap().unwrap(), call.serial.to_string());
    }
}

/// The daemon stops reading a connection with five calls under way.
#[tokio::test(start_paused = true)]
async fn a_fifth_call_waits_for_a_reply_to_one_of_four() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let started = start(&session.lookups, &mut peer, WINDOW).await;
    let fifth = {
        let client = session.lookups.clone();
        tokio::spawn(async move { hostname(&client).await })
    };
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(peer.called().now_or_never().is_none(), "a fifth call was sent");

    peer.reply(&started[2].1, OK, &string("third")).await;
    let call = peer.called().await.unwrap();
    peer.reply(&call, OK, &string("fifth")).await;
    assert_eq!(fifth.await.unwrap().unwrap(), "fifth");
}

#[tokio::test(start_paused = true)]
async fn a_silent_daemon_costs_the_deadline_and_no_more() {
    let daemon = Daemon::listen();
    let (session, _peer, _feed) = daemon.session().await;
    let begun = Instant::now();
    let error = hostname(&session.lookups).await.unwrap_err();
    assert_eq!(begun.elapsed(), SECOND);
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), "ConnectGetHostname: no reply within 1s");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_comes_late_is_had_by_who_still_wants_it() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let asked = session.lookups.call_or_late(&ConnectGetHostname, SECOND);
    let (outcome, call) = tokio::join!(asked, peer.called());
    let unanswered = outcome.unwrap_err();
    assert!(unanswered.error.is_timeout());
    assert_eq!(session.ledger.abandoned(), 1, "it holds a worker still");
    peer.reply(&call.unwrap(), OK, &string("late")).await;
    let reply = unanswered.late.unwrap().reply::<ConnectGetHostname>().await.unwrap();
    assert_eq!(reply.decode().unwrap(), "late");
    assert_eq!(session.ledger.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_and_a_lost_connection_leave_nothing_to_wait_for() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let mut late = Vec::new();
    for _ in 0..2 {
        let asked = session.lookups.call_or_late(&ConnectGetHostname, SECOND);
        let (outcome, call) = tokio::join!(asked, peer.called());
        late.push((outcome.unwrap_err().late.unwrap(), call.unwrap()));
    }
    let (lost, _) = late.pop().unwrap();
    let (refused, call) = late.pop().unwrap();
    peer.reply(&call, ERROR, &error(38, "no")).await;
    assert!(refused.reply::<ConnectGetHostname>().await.is_none());
    drop(peer);
    assert!(lost.reply::<ConnectGetHostname>().await.is_none());
}

/// As on a host that gives our process no CPU for a while: what libvirtd said in time counts.
#[tokio::test]
async fn a_reply_that_was_here_in_time_counts_however_late_it_is_read() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let serve = async {
        let call = peer.called().await.unwrap();
        peer.reply(&call, OK, &string("in time")).await;
        // The runtime stands still until the deadline is over.
        std::thread::sleep(SECOND + SECOND / 10);
    };
    let (outcome, ()) = tokio::join!(hostname(&session.lookups), serve);
    assert_eq!(outcome.unwrap(), "in time");
}

/// A call that was given up still counts against the daemon's limit.
#[tokio::test(start_paused = true)]
async fn an_abandoned_call_holds_its_place_until_it_is_answered() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let abandoned = start(&session.lookups, &mut peer, 2).await;
    let mut calls = Vec::new();
    for (task, call) in abandoned {
        assert!(task.await.unwrap().unwrap_err().is_timeout());
        calls.push(call);
    }
    let started = start(&session.lookups, &mut peer, WINDOW - 2).await;
    let client = session.lookups.clone();
    let waiting = tokio::spawn(async move { hostname(&client).await });
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(peer.called().now_or_never().is_none(), "a fifth call was sent");

    // The late reply is nobody's, and makes room.
    peer.reply(&calls[0], OK, &string("late")).await;
    let call = peer.called().await.unwrap();
    peer.reply(&call, OK, &string("next")).await;
    assert_eq!(waiting.await.unwrap().unwrap(), "next");
    drop(started);
}

/// Three of its four places are taken by what libvirtd may never answer.
#[tokio::test(start_paused = true)]
async fn a_connection_with_three_abandoned_calls_is_replaced_and_waited_for() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let mut hung = Vec::new();
    for (task, call) in start(&session.lookups, &mut peer, 2).await {
        assert!(task.await.unwrap().unwrap_err().is_timeout());
        hung.push(call);
    }
    assert!(session.tenders[1].worn_out().now_or_never().is_none());
    for (task, call) in start(&session.lookups, &mut peer, 1).await {
        assert!(task.await.unwrap().unwrap_err().is_timeout());
        hung.push(call);
    }
    session.tenders[1].worn_out().await;
    assert!(!session.feed.is_closed(), "the other connection is another matter");

    // A call that is made meanwhile waits for the new connection.
    let client = session.lookups.clone();
    let waiting = tokio::spawn(async move { hostname(&client).await });
    let serve = async {
        let mut peer = daemon.accept().await;
        peer.let_in().await;
        peer
    };
    let (replaced, mut next) = tokio::join!(session.tenders[1].replace(SECOND), serve);
    replaced.unwrap();
    next.answer(59, OK, &string("again")).await;
    assert_eq!(waiting.await.unwrap().unwrap(), "again");

    // The old one stays until libvirtd has answered all: so long its workers are held.
    for (left, call) in hung.iter().enumerate().rev() {
        assert_eq!(session.ledger.abandoned(), left + 1);
        assert!(peer.called().now_or_never().is_none(), "it said something");
        peer.reply(call, OK, &string("late")).await;
        while session.ledger.abandoned() > left {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(peer.called().await.unwrap().procedure, 2, "no goodbye");
}

/// Somebody who stops waiting by himself, rather than by the deadline.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_counts_as_abandoned_until_it_is_answered() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let started = start(&session.lookups, &mut peer, 1).await;
    assert_eq!((session.ledger.in_flight(), session.ledger.abandoned()), (1, 0));
    for (task, call) in started {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((session.ledger.in_flight(), session.ledger.abandoned()), (1, 1));
        peer.reply(&call, OK, &string("late")).await;
    }
    while session.ledger.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_call_is_known_by_the_domain_it_hangs_in() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let domain = Domain { name: "a".into(), uuid: Uuid([1; 16]), id: Some(1) };
    let info = DomainGetInfo { domain: &domain };
    let hangs =
        |uuid| session.ledger.hangs_since(uuid, |call| call.procedure.number == 16).is_some();
    let (outcome, call) = tokio::join!(session.lookups.call(&info, SECOND), peer.called());
    assert!(outcome.unwrap_err().is_timeout());
    assert!(hangs(domain.uuid));
    assert!(!hangs(Uuid([2; 16])));
    assert_eq!(session.ledger.hangs_since(domain.uuid, |call| call.procedure.number == 14), None);
    peer.reply(&call.unwrap(), ERROR, &error(42, "gone")).await;
    while hangs(domain.uuid) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_end_with_the_session() {
    let daemon = Daemon::listen();
    let (session, peer, _feed) = daemon.session().await;
    let libvirt_client::Session { lookups: calls, tenders: [_, tender], .. } = session;
    drop(peer);
    tender.worn_out().await;
    assert!(hostname(&calls).await.unwrap_err().is_timeout(), "it may yet be replaced");
    drop(tender);
    assert!(hostname(&calls).await.unwrap_err().is_disconnected());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_carries_the_daemons_words() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    for (code, no_domain) in [(38, false), (42, true), (55, false), (68, false), (88, false)] {
        let no = error(code, "no");
        let serve = peer.answer(59, ERROR, &no);
        let (outcome, _) = tokio::join!(hostname(&session.lookups), serve);
        let error = outcome.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.code, refusal.is_no_domain()), (code, no_domain));
        assert_eq!(refusal.is_operation_invalid(), code == 55);
    }
}

/// Whatever the daemon says that nobody asked for.
#[tokio::test(start_paused = true)]
async fn noise_between_replies_is_passed_over() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let serve = async {
        let call = peer.called().await.unwrap();
        let serial = call.serial;
        for noise in [
            // An unknown serial, an unknown program, an event nobody registered for, an
            // event and a call with our serial, an unknown type, an unknown status.
            packet(0x2000_8086, 59, 1, serial + 9, 0, &string("unknown")),
            packet(0x1234_5678, 59, 2, serial, 0, &[]),
            packet(0x2000_8086, 999, 2, serial, 0, &[]),
            packet(0x2000_8086, 318, 2, serial, 0, &[1, 2, 3]),
            packet(0x2000_8086, 59, 0, serial, 0, &[]),
            packet(0x2000_8086, 59, 77, serial, 0, &[]),
            packet(0x2000_8086, 59, 1, serial, 77, &[]),
        ] {
            peer.send(&noise).await;
        }
        peer.reply(&call, OK, &string("host")).await;
        peer.reply(&call, OK, &string("again")).await;
    };
    let (outcome, ()) = tokio::join!(hostname(&session.lookups), serve);
    assert_eq!(outcome.unwrap(), "host");
    let next = string("next");
    let (outcome, _) = tokio::join!(hostname(&session.lookups), peer.answer(59, OK, &next));
    assert_eq!(outcome.unwrap(), "next");
}

/// Its bytes may decode, and would then be taken for what they are not.
#[tokio::test(start_paused = true)]
async fn a_reply_to_another_procedure_with_our_serial_is_none() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    for (program, procedure, status) in [
        (0x2000_8086, 110, OK),
        (0x2000_8086, 110, ERROR),
        (0x2000_8087, 59, OK),
        (0x6b65_6570, 59, OK),
    ] {
        let serve = async {
            let call = peer.called().await.unwrap();
            let payload = if status == OK { string("other") } else { error(42, "other") };
            peer.send(&packet(program, procedure, 1, call.serial, status, &payload)).await;
        };
        let (outcome, ()) = tokio::join!(hostname(&session.lookups), serve);
        let error = outcome.unwrap_err();
        assert!(error.refusal().is_none() && !error.is_disconnected() && !error.is_timeout());
        assert_eq!(
            error.to_string(),
            format!(
                "ConnectGetHostname: the reply is that of procedure {procedure} \
                 of program {program:#x}"
            )
        );
    }
    let next = string("next");
    let (outcome, _) = tokio::join!(hostname(&session.lookups), peer.answer(59, OK, &next));
    assert_eq!(outcome.unwrap(), "next");
}

/// libvirtd killed in the middle of a reply, at whichever byte.
#[tokio::test(start_paused = true)]
async fn a_reply_cut_off_anywhere_is_a_lost_connection_at_once() {
    let whole = packet(0x2000_8086, 59, 1, 4, 0, &string("host")).len();
    for len in 0..whole {
        let daemon = Daemon::listen();
        let (session, mut peer, _feed) = daemon.session().await;
        let begun = Instant::now();
        let serve = async {
            let call = peer.called().await.unwrap();
            let reply = packet(0x2000_8086, 59, 1, call.serial, 0, &string("host"));
            assert_eq!(reply.len(), whole);
            peer.send(&reply[..len]).await;
            drop(peer);
        };
        let (outcome, ()) = tokio::join!(hostname(&session.lookups), serve);
        assert!(outcome.unwrap_err().is_disconnected(), "cut at {len}");
        assert_eq!(begun.elapsed().as_millis(), 0, "cut at {len}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_impossible_length_ends_the_connection() {
    for len in [0_u32, 4, 27, 0x0200_0005, u32::MAX] {
        let daemon = Daemon::listen();
        let (session, mut peer, _feed) = daemon.session().await;
        let serve = async {
            peer.called().await.unwrap();
            peer.send(&len.to_be_bytes()).await;
            assert!(peer.called().await.is_none(), "the client stays");
        };
        let (outcome, ()) = tokio::join!(hostname(&session.lookups), serve);
        assert!(outcome.unwrap_err().is_disconnected(), "{len}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_means_nothing_costs_itself() {
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let serve = peer.answer(59, OK, &[0xff; 6]);
    let (outcome, _) = tokio::join!(hostname(&session.lookups), serve);
    let error = outcome.unwrap_err();
    assert!(error.refusal().is_none() && !error.is_timeout() && !error.is_disconnected());
    assert_eq!(error.to_string(), "ConnectGetHostname: the reply is malformed");
    let next = string("next");
    let (outcome, _) = tokio::join!(hostname(&session.lookups), peer.answer(59, OK, &next));
    assert_eq!(outcome.unwrap(), "next");
}

/// Ten thousand domains, in pieces of a few bytes.
#[tokio::test(start_paused = true)]
async fn a_large_reply_in_small_pieces_arrives_whole() {
    const DOMAINS: u32 = 10_000;
    let daemon = Daemon::listen();
    let (session, mut peer, _feed) = daemon.session().await;
    let mut payload = DOMAINS.to_be_bytes().to_vec();
    for number in 0..DOMAINS {
        payload.extend(string(&format!("instance-{number:08x}")));
        payload.extend([7; 16]);
        payload.extend(number.to_be_bytes());
    }
    payload.extend(DOMAINS.to_be_bytes());
    let serve = async {
        let call = peer.called().await.unwrap();
        let reply = packet(0x2000_8086, 273, 1, call.serial, 0, &payload);
        for piece in reply.chunks(97) {
            peer.send(piece).await;
        }
        pending::<()>().await;
    };
    let asking = session.lookups.call(&ConnectListAllDomains, SECOND);
    let reply = tokio::select! { reply = asking => reply.unwrap(), () = serve => unreachable!() };
    let domains = reply.decode().unwrap().0;
    assert_eq!(domains.len(), 10_000);
    assert_eq!(domains[9_999].name, "instance-0000270f");
}
