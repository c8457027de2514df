//! Who makes boards: once for all who look, and only while somebody does.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use libvirt_wire::Uuid;
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use super::{
    Board, Details, Host, Libvirt, LibvirtState, Pulse, Row, rates, rates::Rates, row::rounded,
};
use crate::{
    daemon::{Daemon, LinkState},
    fault::chain,
    inventory::{Domains, Instance},
    snapshot::{Measured, Snapshot},
    usage::{Polled, Usages},
};

/// Who makes boards of what is known.
#[derive(Debug)]
pub(crate) struct Frames {
    daemon: Daemon,
    usages: Arc<Usages>,
    metrics_path: String,
    is_filtered: bool,
    state: Mutex<State>,
}

/// What a board is made of, and the one that was made last.
#[derive(Debug, Default)]
struct State {
    surveyed: Option<Surveyed>,
    /// The domains that were there last, for when libvirtd cannot be asked.
    domains: Domains,
    /// Whether there ever was word of which domains there are.
    is_listed: bool,
    /// Of this edition, as `rows` are.
    host: Host,
    edition: u64,
    /// Of this edition.
    rows: Arc<[Row]>,
    /// Whether `rows` are out of date, whatever the domains are.
    is_stale: bool,
    last: Option<Arc<Frame>>,
}

/// What the last survey found, and what happened since the one before it.
#[derive(Debug)]
struct Surveyed {
    at: Instant,
    snapshot: Arc<Snapshot>,
    rates: HashMap<Uuid, Rates>,
}

/// A board at one moment; as text, it is written once, however many read it.
#[derive(Debug)]
pub(crate) struct Frame {
    made: Instant,
    polled: Option<Polled>,
    domains: Domains,
    rows: Arc<[Row]>,
    host: Host,
    pub(crate) pulse: Pulse,
    whole: OnceLock<Bytes>,
    beat: OnceLock<Bytes>,
}

impl Frames {
    /// `is_filtered` says whether some domains may be left out.
    pub(crate) fn new(
        daemon: Daemon,
        usages: Arc<Usages>,
        metrics_path: String,
        is_filtered: bool,
    ) -> Self {
        Self { daemon, usages, metrics_path, is_filtered, state: Mutex::default() }
    }

    /// Takes over what a survey found that ended now. One that libvirtd did not answer is none; one
    /// that had too little time for all is no better than what is known, as long as that is not
    /// old; and of one right after another no rate could be made.
    pub(crate) fn note_survey(&self, snapshot: &Arc<Snapshot>, is_cut: bool) {
        if snapshot.up != Some(true) {
            return;
        }
        let at = Instant::now();
        let mut state = self.state();
        let last = state.surveyed.as_ref();
        let apart = if is_cut { OLD } else { rates::LEAST };
        if last.is_some_and(|last| at.saturating_duration_since(last.at) < apart) {
            return;
        }
        let rates = last.map(|last| all_rates(&last.snapshot, snapshot)).unwrap_or_default();
        state.surveyed = Some(Surveyed { at, snapshot: Arc::clone(snapshot), rates });
        state.is_stale = true;
    }

    /// Returns what is known now, as of a quarter of a second ago at most.
    pub(crate) fn frame(&self) -> Arc<Frame> {
        let mut state = self.state();
        let polled = *self.usages.polled().borrow();
        match &state.last {
            Some(last) if last.polled == polled && last.made.elapsed() < FRESH => Arc::clone(last),
            _ => {
                let frame = Arc::new(self.make(&mut state, polled));
                state.last = Some(Arc::clone(&frame));
                frame
            }
        }
    }

    /// Returns an instance in full; `None` where none of this UUID runs.
    pub(crate) fn details(&self, uuid: &str) -> Option<Details> {
        let frame = self.frame();
        let instance = frame.domains.running.iter().find(|instance| instance.uuid == uuid)?;
        let state = self.state();
        let (measured, surveyed, rates) = state.of(instance);
        Some(Details::new(instance, measured, surveyed, rates))
    }

    fn make(&self, state: &mut State, polled: Option<Polled>) -> Frame {
        let (now, at) = (Instant::now(), SystemTime::now());
        let link = self.daemon.link();
        let live = match &link.state {
            LinkState::Up(live) => Some(live),
            LinkState::Connecting | LinkState::Down(_) => None,
        };
        if let Some(live) = live.filter(|live| live.inventory.is_listed()) {
            let domains = live.inventory.domains();
            state.is_stale |= !Arc::ptr_eq(&domains.running, &state.domains.running);
            state.domains = domains;
            state.is_listed = true;
        }
        let node = state.surveyed.as_ref().map(|surveyed| &surveyed.snapshot.node);
        let host = Host {
            // It stays while libvirtd is away.
            name: live.and_then(|live| live.hostname.clone()).or(state.host.name.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cpus: node.and_then(|node| Some(node.info.as_ref()?.cpus)),
            memory: node.and_then(|node| node.memory),
            is_listed: state.is_listed,
            is_filtered: self.is_filtered,
            inactive: state.domains.inactive.len(),
            metrics_path: self.metrics_path.clone(),
        };
        let mut is_another = host != state.host;
        state.host = host;
        if mem::take(&mut state.is_stale) {
            let running = state.domains.running.iter();
            let rows: Arc<[Row]> = running.map(|instance| state.row(instance)).collect();
            is_another |= rows != state.rows;
            state.rows = rows;
        }
        // Most events change nothing that is shown.
        if is_another {
            state.edition = state.edition.wrapping_add(1);
        }
        let running = &state.domains.running;
        let age = |at: Instant| rounded(now.saturating_duration_since(at).as_secs_f64());
        let usages = running.iter().map(|instance| self.usages.shown(&instance.domain, now));
        let (in_use, peak) =
            usages.map(|it| (it.in_use.map(rounded), it.peak.map(rounded))).unzip();
        let stuck = running.iter().enumerate().filter_map(|(place, instance)| {
            let since = live?.stuck_since(&instance.domain)?;
            Some((place, age(since)))
        });
        let mut libvirt = Libvirt { since: seconds(link.since), ..Libvirt::default() };
        match &link.state {
            LinkState::Connecting => {}
            LinkState::Down(error) => {
                (libvirt.state, libvirt.error) =
                    (LibvirtState::Down, Some(chain(&**error).to_string()));
            }
            LinkState::Up(live) => {
                libvirt.state = LibvirtState::Up;
                if let Some(silent) = live.silent_since() {
                    libvirt.state = LibvirtState::Silent;
                    libvirt.since = rounded(seconds(at) - age(silent));
                }
            }
        }
        let pulse = Pulse {
            edition: state.edition,
            at: seconds(at),
            libvirt,
            polled: polled.map(|polled| age(polled.at)),
            surveyed: state.surveyed.as_ref().map(|surveyed| age(surveyed.at)),
            in_use,
            peak,
            stuck: stuck.collect(),
        };
        Frame {
            made: now,
            polled,
            domains: state.domains.clone(),
            rows: Arc::clone(&state.rows),
            host: state.host.clone(),
            pulse,
            whole: OnceLock::new(),
            beat: OnceLock::new(),
        }
    }

    /// Returns the board of a frame.
    pub(crate) fn board(&self, frame: &Frame) -> Board {
        let recent = |instance: &Arc<Instance>| {
            let seconds = self.usages.recent(&instance.domain, frame.made);
            // A domain that has just come has no minute yet.
            let begin = seconds.iter().position(Option::is_some).unwrap_or(seconds.len());
            seconds.iter().skip(begin).map(|in_use| in_use.map(rounded)).collect()
        };
        Board {
            host: frame.host.clone(),
            instances: frame.rows.to_vec(),
            recent: frame.domains.running.iter().map(recent).collect(),
            pulse: frame.pulse.clone(),
        }
    }

    /// Returns a frame as an event of a stream: a pulse to who has its edition, else a board.
    pub(crate) fn event(&self, frame: &Frame, known: Option<u64>) -> Bytes {
        if known == Some(frame.pulse.edition) {
            return frame.beat.get_or_init(|| event("pulse", &frame.pulse)).clone();
        }
        frame.whole.get_or_init(|| event("board", &self.board(frame))).clone()
    }

    /// Waits for something to show after a frame: a second, or a little less where a poll ends.
    pub(crate) async fn next(&self, polled: &mut watch::Receiver<Option<Polled>>) {
        time::sleep(PAUSE).await;
        // Where nobody polls, ages grow.
        let _ = time::timeout(PATIENCE, polled.changed()).await;
    }

    /// Word of polls, for [`next`](Self::next).
    pub(crate) fn polled(&self) -> watch::Receiver<Option<Polled>> {
        self.usages.polled()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn row(&self, instance: &Instance) -> Row {
        let (measured, surveyed, rates) = self.of(instance);
        Row::new(instance, measured, surveyed, rates)
    }

    /// What the last survey found of this run of an instance.
    fn of(&self, instance: &Instance) -> (Option<&Measured>, Option<Instant>, Option<&Rates>) {
        let Some(surveyed) = &self.surveyed else { return (None, None, None) };
        let measured = surveyed.snapshot.of(&instance.domain);
        let rates = measured.and_then(|_| surveyed.rates.get(&instance.domain.uuid));
        (measured, Some(surveyed.at), rates)
    }
}

fn all_rates(before: &Snapshot, after: &Snapshot) -> HashMap<Uuid, Rates> {
    let known: HashMap<_, _> =
        before.instances.iter().map(|it| (it.instance.domain.uuid, it)).collect();
    let rates = after.instances.iter().filter_map(|after| {
        let uuid = after.instance.domain.uuid;
        Some((uuid, Rates::between(known.get(&uuid)?, after)?))
    });
    rates.collect()
}

/// Writes an event of a stream. JSON has no newline of its own.
fn event(name: &str, data: &impl serde::Serialize) -> Bytes {
    // Of plain structures there is nothing that could not be written.
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

fn seconds(at: SystemTime) -> f64 {
    rounded(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}

/// From when on any survey is better than the last one that had time for all.
const OLD: Duration = Duration::from_mins(2);
/// How long a frame serves others who look at the same time.
const FRESH: Duration = Duration::from_millis(250);
/// The least time between two frames for one who looks.
const PAUSE: Duration = Duration::from_millis(900);
/// How long after it a poll is waited for.
const PATIENCE: Duration = Duration::from_millis(600);
