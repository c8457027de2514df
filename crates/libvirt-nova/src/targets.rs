//! `--targets.file`: libvirtds that are asked when somebody probes for them by name.
//!
//! * `settings`, `labels`: what the file says
//! * `target`: one of them, with its session while it is in use
//! * `probes`: what came of probes
//!
//! [`Targets`] is what is in force. Each probe looks at the file, and so does [`tend`](Targets::tend)
//! each second; what has changed is read anew. A file that is wrong is told of once, and the
//! targets before it stay. Nothing of a request but the name is used.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future, stream};
use libvirt_client::Credentials;
use tokio::time::{self, MissedTickBehavior};

pub(crate) use self::probes::{Outcome, ProbeCounts};
use self::{settings::TargetSettings, target::Target};
use crate::{
    config::{self, ConfigError, Fault, Stamp},
    http::Wanted,
    log,
    program::Program,
    watched::Plan,
};

mod labels;
mod probes;
mod settings;
mod target;

/// The targets that are in force.
#[derive(Debug)]
pub(crate) struct Targets {
    path: PathBuf,
    /// How long after its last probe a target keeps its session; zero for ever.
    idle: Duration,
    plan: Arc<Plan>,
    /// Of what targets' scrapes do not have.
    program: Arc<Program>,
    /// Of targets that have none of their own.
    credentials: Credentials,
    state: Mutex<State>,
}

/// What was read, and what the file was like then.
#[derive(Debug)]
struct State {
    stamp: Stamp,
    /// What is wrong with the file now.
    fault: Option<Fault>,
    /// When it was right last.
    read: SystemTime,
    each: BTreeMap<Arc<str>, Arc<Target>>,
}

/// What is known of the targets without asking any.
#[derive(Clone, Debug)]
pub(crate) struct TargetsReport {
    /// Whether the file was right when it was read last.
    pub(crate) is_right: bool,
    /// When it was right last.
    pub(crate) read: SystemTime,
    /// By name.
    pub(crate) each: Vec<TargetReport>,
}

/// What is known of a target without asking it.
#[derive(Clone, Debug)]
pub(crate) struct TargetReport {
    pub(crate) name: Arc<str>,
    /// Whether there is a session with it.
    pub(crate) is_connected: bool,
    pub(crate) probes: ProbeCounts,
}

impl Targets {
    /// Reads the file. `plan` is how each target is watched; those that say nothing of credentials
    /// have `credentials`.
    ///
    /// # Errors
    ///
    /// When the file is wrong: the program was told to serve what it says.
    pub(crate) fn open(
        path: &Path,
        idle: Duration,
        plan: Plan,
        credentials: Credentials,
        log: Arc<log::Record>,
    ) -> Result<Self, ConfigError> {
        let stamp = Stamp::of(path);
        let settings = read(path, &credentials)
            .map_err(|fault| ConfigError::new("the targets file", path.to_owned(), fault))?;
        let (plan, program) = (Arc::new(plan.of_targets()), Arc::new(Program::new(log, None)));
        let state = State { stamp, fault: None, read: SystemTime::now(), each: BTreeMap::new() };
        let path = path.to_owned();
        let this = Self { path, idle, plan, program, credentials, state: Mutex::new(state) };
        this.take(&mut this.state(), settings);
        Ok(this)
    }

    /// Probes a target: returns an exposition of it as it is wanted, in pieces; `None` where there is
    /// no target of this name.
    ///
    /// A target that nobody has probed for a while is connected to first, in the time that the
    /// probe has. Dropping the future stops nothing, as with a scrape.
    pub(crate) fn probe(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + use<>> + use<>> {
        self.look();
        let target = self.state().each.get(name).map(Arc::clone)?;
        Some(target.probe(wanted))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.state().each.len()
    }

    /// What is known without asking any.
    pub(crate) fn report(&self) -> TargetsReport {
        let State { fault, read, each, .. } = &*self.state();
        let each = each.values().map(|target| target.report()).collect();
        TargetsReport { is_right: fault.is_none(), read: *read, each }
    }

    /// How each is, in words, by name.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let state = self.state();
        state.each.iter().map(|(name, target)| (name.to_string(), target.summary())).collect()
    }

    /// What an operator wants to know of them first, in one line.
    pub(crate) fn summary(&self) -> String {
        let TargetsReport { is_right, each, .. } = self.report();
        let connected = each.iter().filter(|target| target.is_connected).count();
        let fault = if is_right { "" } else { ", the targets file is wrong" };
        format!("targets: {}, {connected} connected{fault}", each.len())
    }

    /// Asks each once, a few at a time: how many domains run there, or why nobody knows. It gets as
    /// long as an attempt to connect takes, and then `deadline`.
    pub(crate) async fn ask_all(&self, deadline: Duration) -> Vec<(String, Result<usize, String>)> {
        let each: Vec<_> = self.state().each.values().map(Arc::clone).collect();
        let asking = stream::iter(each).map(async |target| target.ask(deadline).await);
        asking.buffered(ASKED_AT_ONCE).collect().await
    }

    /// Looks at the file each second, and closes the sessions that nobody uses any more; for ever.
    pub(crate) async fn tend(&self) {
        let mut ticks = time::interval(LOOK);
        // After a pause of ours, one look is worth as much as all that were missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look();
            if !self.idle.is_zero() {
                let state = self.state();
                state.each.values().for_each(|target| target.close_if_idle(self.idle));
            }
        }
    }

    /// Says goodbye to all, so that no libvirtd logs a fault.
    pub(crate) async fn close(&self) {
        let each: Vec<_> = self.state().each.values().map(Arc::clone).collect();
        future::join_all(each.iter().map(|target| target.close())).await;
    }

    /// Reads the file where it is not what it was.
    fn look(&self) {
        let mut state = self.state();
        let stamp = Stamp::of(&self.path);
        if stamp.is_unchanged_since(&state.stamp) {
            return;
        }
        match read(&self.path, &self.credentials) {
            Ok(settings) => {
                let is_same = stamp.looks_like(&state.stamp) && state.fault.is_none();
                state.fault = None;
                state.read = SystemTime::now();
                self.take(&mut state, settings);
                if !is_same {
                    let targets = state.each.len();
                    tracing::info!(targets, "targets file has changed, and is in force");
                }
            }
            Err(fault) => {
                if state.fault.as_ref() != Some(&fault) {
                    tracing::error!(error = %fault, "targets file is wrong, those before it stay");
                }
                state.fault = Some(fault);
            }
        }
        state.stamp = stamp;
    }

    /// Takes over what the file says. Who is in it as before keeps the session; what was counted
    /// of a name goes on.
    fn take(&self, state: &mut State, settings: BTreeMap<Arc<str>, TargetSettings>) {
        let mut before = std::mem::take(&mut state.each);
        let target = |(name, settings): (Arc<str>, TargetSettings)| {
            let target = match before.remove(&name) {
                Some(target) if target.has(&settings) => target,
                Some(other) => Arc::new(other.changed(settings)),
                None => {
                    let (plan, program) = (Arc::clone(&self.plan), Arc::clone(&self.program));
                    Arc::new(Target::new(Arc::clone(&name), settings, plan, program))
                }
            };
            (name, target)
        };
        state.each = settings.into_iter().map(target).collect();
        before.values().for_each(|target| target.retire());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(
    path: &Path,
    credentials: &Credentials,
) -> Result<BTreeMap<Arc<str>, TargetSettings>, Fault> {
    let text = config::read_text(path)?;
    // Paths in it are relative to where it is.
    settings::read(&text, path.parent().unwrap_or(Path::new("")), credentials)
}

/// Targets that a check asks at once.
const ASKED_AT_ONCE: usize = 20;

/// How often the file is looked at, and who is idle.
const LOOK: Duration = Duration::from_secs(1);
