//! A target: a libvirtd that is watched while somebody probes for it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::{
    task::{self, AbortHandle},
    time::Instant,
};
use tracing::{Instrument, Span};

use super::{Outcome, ProbeCounts, TargetReport, settings::TargetSettings};
use crate::{
    daemon::connect_deadline,
    http::Wanted,
    later::later,
    program::Program,
    telemetry::Telemetry,
    watched::{Plan, Standing, Watched},
};

/// A libvirtd that is watched while somebody probes for it.
///
/// Nothing of it is shared with another target but the thread: whatever keeps it keeps it alone.
#[derive(Debug)]
pub(super) struct Target {
    name: Arc<str>,
    settings: TargetSettings,
    plan: Arc<Plan>,
    program: Arc<Program>,
    /// Goes on while its name is in the file, whatever else changes there.
    standing: Standing,
    probes: Arc<Mutex<ProbeCounts>>,
    post: Mutex<Option<Post>>,
}

/// A session with a target, or the attempts to get one.
#[derive(Debug)]
struct Post {
    watched: Watched,
    watching: AbortHandle,
    /// Probes that are under way.
    users: usize,
    /// When the last probe ended.
    used: Instant,
}

impl Target {
    /// One that nobody has probed.
    pub(super) fn new(
        name: Arc<str>,
        settings: TargetSettings,
        plan: Arc<Plan>,
        program: Arc<Program>,
    ) -> Self {
        let telemetry = Arc::new(Telemetry::of(span(&name)));
        let labels = settings.labels.clone();
        let standing = Standing { labels, telemetry, ..plan.standing() };
        let (probes, post) = Default::default();
        Self { name, settings, plan, program, standing, probes, post }
    }

    /// Whether this is what the file says of it.
    pub(super) fn has(&self, settings: &TargetSettings) -> bool {
        self.settings == *settings
    }

    /// What takes its place where the file says something else of it; its session is closed.
    pub(super) fn changed(&self, settings: TargetSettings) -> Self {
        self.retire();
        let (name, plan, program) =
            (Arc::clone(&self.name), Arc::clone(&self.plan), Arc::clone(&self.program));
        let mut standing = Standing { labels: settings.labels.clone(), ..self.standing.clone() };
        if settings.access.address != self.settings.access.address {
            // Another libvirtd has other domains.
            standing.lasting = plan.standing().lasting;
        }
        let (probes, post) = (Arc::clone(&self.probes), Mutex::default());
        Self { name, settings, plan, program, standing, probes, post }
    }

    /// Says what it is without asking it.
    pub(super) fn report(&self) -> TargetReport {
        let post = self.post();
        let is_connected = post.as_ref().is_some_and(|it| it.watched.daemon.ledger().is_some());
        TargetReport { name: Arc::clone(&self.name), is_connected, probes: *self.counts() }
    }

    /// How it is, in words, without asking it.
    pub(super) fn summary(&self) -> String {
        let post = self.post();
        post.as_ref().map_or("not probed lately".into(), |post| post.watched.daemon.summary())
    }

    /// Returns an exposition of it as it is wanted, in pieces.
    ///
    /// The session is there from the moment of the call, so that nobody closes it before.
    pub(super) fn probe(
        self: Arc<Self>,
        wanted: Wanted,
    ) -> impl Future<Output = impl Stream<Item = io::Result<Bytes>> + use<>> + use<> {
        let span = self.span();
        let mut turn = self.begin();
        async move {
            let Wanted { deadline, format } = wanted;
            let until = later(deadline);
            // What says that there is no session takes no time, but it takes some.
            let kept = deadline.mul_f64(KEPT_PART).max(KEPT);
            turn.watched.daemon.begin(later(deadline.saturating_sub(kept))).await;
            let left = until.saturating_duration_since(Instant::now());
            let snapshot = turn.watched.exporter.collect(left).await;
            turn.outcome = Outcome::of(snapshot.up);
            turn.watched.exporter.write(format, snapshot)
        }
        .instrument(span)
    }

    /// Asks it once, and leaves it: how many domains run there, or why nobody knows.
    pub(super) async fn ask(
        self: Arc<Self>,
        deadline: Duration,
    ) -> (String, Result<usize, String>) {
        let span = self.span();
        let asking = async {
            let turn = Arc::clone(&self).begin();
            let patience = connect_deadline(&self.settings.access.address).saturating_add(MARGIN);
            turn.watched.daemon.begin(later(patience)).await;
            let snapshot = turn.watched.exporter.collect(deadline).await;
            match snapshot.up {
                Some(true) => Ok(snapshot.instances.len()),
                Some(false) | None => Err(self.summary()),
            }
        };
        let found = asking.instrument(span).await;
        self.close().await;
        (self.name.to_string(), found)
    }

    fn begin(self: Arc<Self>) -> Turn {
        let mut post = self.post();
        let open = post.get_or_insert_with(|| self.open());
        open.users = open.users.saturating_add(1);
        let watched = open.watched.clone();
        drop(post);
        Turn { target: self, watched, outcome: Outcome::default() }
    }

    fn open(&self) -> Post {
        self.standing.lasting.usages.interrupt();
        let (access, program) = (self.settings.access.clone(), Arc::clone(&self.program));
        let (watched, watching) = self.plan.watch(access, self.standing.clone(), program);
        let watching = task::spawn(watching.instrument(self.span())).abort_handle();
        Post { watched, watching, users: 0, used: Instant::now() }
    }

    /// Closes the session where no probe has used it for so long, unless calls hang in it: closing
    /// would end none of them, and nobody would know how many there are.
    pub(super) fn close_if_idle(&self, idle: Duration) {
        let is_idle =
            |post: &mut Post| post.users == 0 && post.used.elapsed() >= idle && !post.is_owed();
        if let Some(post) = self.post().take_if(is_idle) {
            self.span().in_scope(|| tracing::debug!("not probed any more, session closed"));
            post.leave();
        }
    }

    /// Closes the session of a target that is no more; a probe that is under way finds it down.
    pub(super) fn retire(&self) {
        if let Some(post) = self.post().take() {
            post.leave();
        }
    }

    /// Closes the session, and waits for libvirtd's goodbye.
    pub(super) async fn close(&self) {
        let post = self.post().take();
        if let Some(post) = post {
            post.close().await;
        }
    }

    /// What log lines of it have.
    fn span(&self) -> Span {
        span(&self.name)
    }

    fn post(&self) -> MutexGuard<'_, Option<Post>> {
        // Nothing panics while it holds the lock.
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, ProbeCounts> {
        // The same.
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that stands alone: a task of a target may begin in another one of the same.
fn span(name: &str) -> Span {
    tracing::error_span!(parent: None, "target", target = %name)
}

impl Post {
    /// Whether libvirtd has not answered calls that nobody waits for any more.
    fn is_owed(&self) -> bool {
        self.watched.daemon.ledger().is_some_and(|ledger| ledger.abandoned() > 0)
    }

    /// Closes the session; nobody waits for it.
    fn leave(self) {
        task::spawn(self.close());
    }

    async fn close(self) {
        // Nobody shall mistake our goodbye for libvirtd's.
        self.watching.abort();
        self.watched.daemon.close().await;
    }
}

/// A probe that is under way.
struct Turn {
    target: Arc<Target>,
    watched: Watched,
    outcome: Outcome,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.target.counts().note(self.outcome);
        // Where the file has changed, the session may be gone.
        if let Some(post) = &mut *self.target.post() {
            post.users = post.users.saturating_sub(1);
            post.used = Instant::now();
        }
    }
}

/// How much longer an attempt to connect is waited for than it takes, so that it says itself what was
/// wrong.
const MARGIN: Duration = Duration::from_secs(1);
/// The part of a probe's time that is kept for saying that there is no session.
const KEPT_PART: f64 = 0.1;
/// The least of it.
const KEPT: Duration = Duration::from_millis(70);
