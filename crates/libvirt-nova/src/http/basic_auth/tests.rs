use std::net::{IpAddr, Ipv4Addr};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{FutureExt, future::join_all};
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::{hash::tests::written, *};

fn users(users: &[(&str, &str)]) -> Users {
    let users: Vec<_> =
        users.iter().map(|(name, password)| (*name, written(4, password))).collect();
    Users::new(users.iter().map(|(name, hash)| (*name, hash.as_str()))).unwrap()
}

fn from(user: &str, password: &str) -> HeaderMap {
    let token = BASE64_STANDARD.encode(format!("{user}:{password}"));
    let value = HeaderValue::from_str(&format!("Basic {token}")).unwrap();
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

fn origin(number: u8) -> Origin {
    Origin::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)))
}

/// What a request becomes that has no need to wait.
fn at_once(auth: &BasicAuth, users: &Users, headers: &HeaderMap) -> Option<Verdict> {
    auth.check(users, headers, origin(9)).now_or_never()
}

#[tokio::test]
async fn who_knows_his_password_is_admitted_and_nobody_else() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret"), ("bob", "")]);
    for (headers, verdict) in [
        (from("alice", "secret"), Verdict::Admitted),
        (from("bob", ""), Verdict::Admitted),
        (from("alice", "Secret"), Verdict::Refused),
        (from("alice", "secretx"), Verdict::Refused),
        (from("alice", ""), Verdict::Refused),
        (from("bob", "secret"), Verdict::Refused),
        (from("carol", "secret"), Verdict::Refused),
        (from("", ""), Verdict::Refused),
        (HeaderMap::new(), Verdict::Refused),
    ] {
        // By bcrypt, and then by the cache.
        assert_eq!(auth.check(&users, &headers, origin(1)).await, verdict, "{headers:?}");
        assert_eq!(at_once(&auth, &users, &headers), Some(verdict), "{headers:?}");
    }
}

#[tokio::test]
async fn a_changed_hash_is_asked_anew() {
    let auth = BasicAuth::new().unwrap();
    let (before, after) = (users(&[("alice", "old")]), users(&[("alice", "new")]));
    assert_eq!(auth.check(&before, &from("alice", "old"), origin(1)).await, Verdict::Admitted);
    assert_eq!(auth.check(&after, &from("alice", "old"), origin(1)).await, Verdict::Refused);
    assert_eq!(auth.check(&after, &from("alice", "new"), origin(1)).await, Verdict::Admitted);
    let gone = users(&[("bob", "old")]);
    assert_eq!(auth.check(&gone, &from("alice", "new"), origin(1)).await, Verdict::Refused);
}

/// The reference once joined user and password to a key that two of them could have.
#[tokio::test]
async fn what_is_divided_otherwise_is_not_the_same() {
    let auth = BasicAuth::new().unwrap();
    assert_ne!(auth.tag([b"ab", b"c", b""]), auth.tag([b"a", b"bc", b""]));
    assert_ne!(auth.tag([b"ab", b"c", b""]), auth.tag([b"ab", b"", b"c"]));
    assert_ne!(auth.tag([b"", b"", b""]), BasicAuth::new().unwrap().tag([b"", b"", b""]));
}

/// Requests with as many wrong passwords.
fn flood(number: u32) -> Vec<HeaderMap> {
    (0..number).map(|number| from("alice", &number.to_string())).collect()
}

#[tokio::test]
async fn who_was_admitted_goes_on_during_a_flood() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret")]);
    let alice = from("alice", "secret");
    assert_eq!(auth.check(&users, &alice, origin(1)).await, Verdict::Admitted);
    let turn = auth.turn.acquire().await.unwrap();
    let headers = flood(1_000);
    let mut flood: Vec<_> =
        headers.iter().map(|headers| Box::pin(auth.check(&users, headers, origin(2)))).collect();
    flood.retain_mut(|request| request.now_or_never().is_none());
    // As many as one origin may have wait, and no more.
    assert_eq!(flood.len(), MAX_WAITING / 2);
    assert_eq!(at_once(&auth, &users, &alice), Some(Verdict::Admitted));
    drop(turn);
    let verdicts = join_all(flood).await;
    assert!(verdicts.iter().all(|&verdict| verdict == Verdict::Refused), "{verdicts:?}");
    assert_eq!(at_once(&auth, &users, &alice), Some(Verdict::Admitted));
}

#[tokio::test]
async fn who_comes_during_a_flood_finds_a_place() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret")]);
    let turn = auth.turn.acquire().await.unwrap();
    let headers = flood(1_000);
    let mut flood: Vec<_> =
        headers.iter().map(|headers| Box::pin(auth.check(&users, headers, origin(2)))).collect();
    flood.retain_mut(|request| request.now_or_never().is_none());
    drop(turn);
    let alice = from("alice", "secret");
    let newcomer = auth.check(&users, &alice, origin(1));
    let (verdict, _) = tokio::join!(newcomer, join_all(flood));
    assert_eq!(verdict, Verdict::Admitted);
}

#[tokio::test]
async fn whoever_waited_looks_whether_another_asked_the_same() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret")]);
    let headers = from("alice", "not this");
    let turn = auth.turn.acquire().await.unwrap();
    let mut waits = Box::pin(auth.check(&users, &headers, origin(1)));
    assert_eq!((&mut waits).now_or_never(), None);
    // No check would find this.
    let tag = auth.tag([b"alice", &users.hash(b"alice").unwrap().bytes(), b"not this"]);
    auth.cache.lock().unwrap().keep(tag, true);
    drop(turn);
    assert_eq!(waits.await, Verdict::Admitted);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret")]);
    let _turn = auth.turn.acquire().await.unwrap();
    assert_eq!(auth.check(&users, &from("alice", "secret"), origin(1)).await, Verdict::Busy);
    assert_eq!(auth.waiting.taken(), 0);
}

#[tokio::test]
async fn a_check_whose_peer_hung_up_is_there_for_the_next_one() {
    let auth = BasicAuth::new().unwrap();
    let users = users(&[("alice", "secret")]);
    let headers = from("alice", "secret");
    // Begun, and given up, unless it was done already.
    assert_ne!(at_once(&auth, &users, &headers), Some(Verdict::Refused));
    assert_eq!(auth.waiting.taken(), 0);
    // Its turn is over when it is done.
    drop(auth.turn.acquire().await.unwrap());
    assert_eq!(at_once(&auth, &users, &headers), Some(Verdict::Admitted));
}
