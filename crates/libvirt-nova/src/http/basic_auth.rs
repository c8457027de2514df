//! Who may ask: users and passwords, as Prometheus' web configuration has them.
//!
//! * `credentials`: what an `Authorization` header says
//! * `users`, `hash`: who there is, and the bcrypt hash of his password
//! * `cache`: what was found out lately
//!
//! bcrypt is meant to be slow, a tenth of a second at its usual cost, so that is what an attacker
//! asks for.
//! Therefore one password is checked at a time, in a thread of its own, and after one that was
//! wrong there is a pause as long as the check: a flood takes half a CPU at most, and nothing
//! else waits for it.
//! Whoever was admitted once is in the cache, and no number of wrong passwords drives him out of
//! it; so scrapes go on during a flood.
//! An origin has a share of the places in which to wait, so a scraper who comes during one's flood
//! finds one.
//! The cache keeps keyed digests, by a key that was drawn at the start, and no passwords.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use hyper::HeaderMap;
use ring::{error::Unspecified, hmac, rand::SystemRandom};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time,
};

pub(crate) use self::users::Users;
use self::{
    cache::{Cache, Tag},
    credentials::Credentials,
    hash::Hash,
};
use super::{origin::Origin, places::Places};

mod cache;
pub(super) mod credentials;
mod hash;
mod users;

/// Finds out whether a request comes from whom it says.
#[derive(Debug)]
pub(crate) struct BasicAuth {
    key: hmac::Key,
    cache: Arc<Mutex<Cache>>,
    /// One password is checked at a time.
    turn: Arc<Semaphore>,
    waiting: Places,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Admitted,
    /// There are no credentials, or wrong ones.
    Refused,
    /// As many wait for a check as may.
    Busy,
}

impl BasicAuth {
    /// Draws a key.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            cache: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
            waiting: Places::new(MAX_WAITING),
        })
    }

    /// Says whether a request with these headers is to be admitted.
    ///
    /// The users may be others each time: what the cache holds is of a user with his hash.
    /// When the future is dropped, a check that has begun goes on to its end, and its result is
    /// there for the next request.
    pub(super) async fn check(
        &self,
        users: &Users,
        headers: &HeaderMap,
        origin: Origin,
    ) -> Verdict {
        let Some(Credentials { user, password }) = Credentials::of(headers) else {
            return Verdict::Refused;
        };
        // That nobody has this name must not be seen from the time that it takes.
        let hash = users.hash(&user).unwrap_or_else(|| users.decoy(self.tag([&user, b"", b""])));
        let tag = self.tag([&user, &hash.bytes(), &password]);
        if let Some(verdict) = self.known(tag) {
            return verdict;
        }
        let Some(_place) = self.waiting.take(origin) else { return Verdict::Busy };
        let turn = Arc::clone(&self.turn).acquire_owned();
        let Ok(Ok(turn)) = time::timeout(PATIENCE, turn).await else { return Verdict::Busy };
        // Somebody before us may have asked the same.
        if let Some(verdict) = self.known(tag) {
            return verdict;
        }
        let (sender, result) = oneshot::channel();
        let check = Check { hash, password, tag, cache: Arc::clone(&self.cache), turn };
        if thread::Builder::new().name("bcrypt".into()).spawn(|| check.run(sender)).is_err() {
            return Verdict::Busy;
        }
        result.await.unwrap_or(Verdict::Busy)
    }

    fn known(&self, tag: Tag) -> Option<Verdict> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.admits(tag).map(Verdict::of)
    }

    /// Digests texts, each by itself: no two lists of texts have the same.
    fn tag(&self, texts: [&[u8]; 3]) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for text in texts {
            context.update(&text.len().to_le_bytes());
            context.update(text);
        }
        let mut tag = Tag::default();
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

/// How many wait for a check at once; an origin alone, half of them.
pub(super) const MAX_WAITING: usize = 16;

/// How long somebody waits for his turn. Half of what a scrape has as a rule.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause after a wrong password.
const REST: Duration = Duration::from_secs(1);

impl Verdict {
    fn of(is_admitted: bool) -> Self {
        if is_admitted { Self::Admitted } else { Self::Refused }
    }
}

/// A password and the hash that it should have.
struct Check {
    hash: Hash,
    password: Vec<u8>,
    tag: Tag,
    cache: Arc<Mutex<Cache>>,
    turn: OwnedSemaphorePermit,
}

impl Check {
    /// Takes as long as the hash's cost says.
    fn run(self, result: oneshot::Sender<Verdict>) {
        let begun = Instant::now();
        let is_admitted = self.hash.is_of(&self.password);
        let took = begun.elapsed();
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).keep(self.tag, is_admitted);
        // Whoever asked may have hung up.
        let _ = result.send(Verdict::of(is_admitted));
        if !is_admitted {
            thread::sleep(took.min(REST));
        }
        drop(self.turn);
    }
}

#[cfg(test)]
mod tests;
