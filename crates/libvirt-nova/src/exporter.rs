//! What answers a scrape.

use std::{
    collections::HashSet,
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use exposition::{Format, Labels};
use futures_util::{Stream, stream};
use tokio::{
    sync::{Mutex, mpsc},
    task::{self, JoinHandle},
    time::{self, Instant},
};
use tracing::Instrument;

use crate::{
    board::Frames,
    collectors::Collector,
    daemon::Daemon,
    families::{self, Selection},
    http::Wanted,
    inventory::{Domains, Instance, Roster},
    jobs::JobsByDomain,
    live::Live,
    placements::Placements,
    program::Program,
    snapshot::{Findings, Snapshot},
    survey::Skipped,
    telemetry::{CollectionReport, Report, Telemetry},
    usage::Occasion,
};

/// What answers a scrape.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) daemon: Daemon,
    /// A collection serves the scrapes of the time after it began.
    pub(crate) min_age: Duration,
    pub(crate) selection: Selection,
    /// Labels of every sample.
    pub(crate) labels: Labels,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) program: Arc<Program>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) last: Mutex<Option<Collection>>,
}

/// What one collection found.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    began: Instant,
    ended: Instant,
    /// Whether its deadline cut it short.
    is_cut: bool,
    snapshot: Arc<Snapshot>,
    /// What it was made of, to see whether anything has happened since. `None`
    /// where libvirtd did not answer.
    source: Option<Source>,
}

/// What there was to be measured.
#[derive(Clone, Debug)]
struct Source {
    live: Arc<Live>,
    domains: Domains,
    /// Events until it began.
    happenings: u64,
}

impl Exporter {
    /// Returns an exposition as it is wanted, in pieces that are written as they are taken: one
    /// waits while the one before it is sent. An error is the last one, where not all could be
    /// written.
    ///
    /// libvirtd does the work once for scrapes that arrive while another one is
    /// served, and for those that come soon after; what happened to a domain before
    /// a scrape came is in it nevertheless. One that has no time left to ask libvirtd
    /// says nothing of it, not even whether it is up.
    ///
    /// Dropping the future stops nothing: calls that are under way would count as hanging.
    pub(crate) async fn scrape(
        self: Arc<Self>,
        wanted: Wanted,
    ) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let snapshot = self.collect(wanted.deadline).await;
        self.write(wanted.format, snapshot)
    }

    /// Returns the exposition of what was collected.
    pub(crate) fn write(
        &self,
        format: Format,
        snapshot: Arc<Snapshot>,
    ) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        write(format, self.selection, self.labels.clone(), snapshot, self.report())
    }

    /// Collects what a scrape would show, within `deadline`; the frames take it over.
    ///
    /// Dropping the future stops nothing, as with [`scrape`](Self::scrape).
    pub(crate) async fn collect(self: &Arc<Self>, deadline: Duration) -> Arc<Snapshot> {
        let arrived = Instant::now();
        let until = after(arrived, deadline);
        let this = Arc::clone(self);
        let collecting = async move { this.snapshot(arrived, until).await };
        let collecting = task::spawn(collecting.in_current_span());
        // It neither panics nor is it cancelled.
        collecting.await.unwrap_or_default()
    }

    /// What is known of our own work.
    pub(crate) fn report(&self) -> Report {
        let ledger = self.daemon.ledger();
        let polled = self.frames.polled().borrow().map(|polled| polled.time);
        Report { polled, ..self.program.report(&self.telemetry, ledger.as_ref()) }
    }

    /// Returns what a collection found that serves whoever arrived then; at `until` it ends with
    /// what it has.
    pub(crate) async fn snapshot(&self, arrived: Instant, until: Instant) -> Arc<Snapshot> {
        // The one before us keeps to a deadline of its own, which may be later than ours.
        let Ok(mut last) = time::timeout_at(until, self.last.lock()).await else {
            return Arc::default();
        };
        let began = Instant::now();
        if let Some(collection) = &*last
            && collection.serves(arrived, until.saturating_duration_since(began))
        {
            return Arc::clone(&collection.snapshot);
        }
        // In so little time nothing can be told, not even that libvirtd does not answer.
        if until.saturating_duration_since(began) < LEAST {
            return Arc::default();
        }
        let collection = match self.settle(until).await {
            None => Collection {
                began,
                ended: Instant::now(),
                // With more time it might have answered.
                is_cut: until < after(began, ENOUGH),
                snapshot: Arc::new(Snapshot::down()),
                source: None,
            },
            Some(source) => {
                if let Some(last) = &*last
                    && last.began.elapsed() < self.min_age
                    && !last.is_cut
                    && last.source.as_ref().is_some_and(|last| source.is_as(last))
                {
                    return Arc::clone(&last.snapshot);
                }
                let Collected { snapshot, unknown, skipped, is_cut } =
                    collect(&source, until).await;
                self.telemetry.note_unknown(unknown.iter());
                self.telemetry.note_collection(CollectionReport {
                    ended: SystemTime::now(),
                    took: began.elapsed(),
                    skipped,
                });
                let (ended, snapshot) = (Instant::now(), Arc::new(snapshot));
                self.frames.note_survey(&snapshot, is_cut);
                Collection { began, ended, is_cut, snapshot, source: Some(source) }
            }
        };
        let snapshot = Arc::clone(&collection.snapshot);
        *last = Some(collection);
        snapshot
    }

    /// Finds out what there is to be measured; `None` where libvirtd does not answer.
    async fn settle(&self, until: Instant) -> Option<Source> {
        let patience = until.min(after(Instant::now(), CONNECT_PATIENCE));
        let live = self.daemon.live(patience).await?;
        // A domain may hold the list up. Then what was listed last has to do, as
        // long as libvirtd is there at all.
        let was_listed = live.inventory.is_listed();
        let patience = if was_listed { SETTLE_PATIENCE } else { FIRST_LIST_PATIENCE };
        let settled = live.inventory.settle(patience.min(share(until, 0.3))).await;
        let answers = async || live.answers(ANSWER_PATIENCE.min(share(until, 0.3))).await;
        if !(settled || was_listed && answers().await) {
            return None;
        }
        let (domains, happenings) = (live.inventory.domains(), live.inventory.happenings());
        Some(Source { live, domains, happenings })
    }
}

impl Collection {
    /// Whether it serves a scrape that waited for it, and has so much time left.
    ///
    /// One that more time would have made better serves those alone that have less.
    fn serves(&self, arrived: Instant, left: Duration) -> bool {
        let took = self.ended.saturating_duration_since(self.began);
        self.ended >= arrived && (self.began >= arrived && !self.is_cut || left < took)
    }
}

impl Source {
    /// Whether nothing has happened to any domain since another one was found.
    fn is_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.live, &other.live)
            && Arc::ptr_eq(&self.domains.running, &other.domains.running)
            && self.happenings == other.happenings
    }
}

/// Returns an exposition in pieces, each written when the one before it is taken.
pub(crate) fn write(
    format: Format,
    selection: Selection,
    labels: Labels,
    snapshot: Arc<Snapshot>,
    report: Report,
) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let (give, taken) = mpsc::channel(1);
    let writing = task::spawn(async move {
        for piece in families::pieces(format, selection, labels, &snapshot, &report) {
            if give.send(Bytes::from(piece)).await.is_err() {
                break;
            }
        }
    });
    written(taken, writing)
}

/// What a task writes, and an error where it ended before it was done: that must not pass for all
/// there is.
fn written(
    taken: mpsc::Receiver<Bytes>,
    writing: JoinHandle<()>,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((taken, Some(writing)), async |(mut taken, writing)| {
        if let Some(piece) = taken.recv().await {
            return Some((Ok(piece), (taken, writing)));
        }
        writing?.await.err()?;
        Some((Err(io::ErrorKind::Other.into()), (taken, None)))
    })
}

/// What a collection comes to.
struct Collected {
    snapshot: Snapshot,
    /// Fields that nobody here knows.
    unknown: Vec<String>,
    skipped: Skipped,
    /// Whether more time would have given more.
    is_cut: bool,
}

async fn collect(source: &Source, until: Instant) -> Collected {
    let Source { live, domains, .. } = source;
    let roster = &domains.running;
    live.keep(roster);
    let running = || roster.iter().map(|instance| &instance.domain);
    if live.begin_collecting() {
        // Somebody before us may have left calls hanging.
        live.controls.round(running(), after(Instant::now(), share(until, CONTROL_SHARE))).await;
    }
    let selection = live.selection;
    let has = |collector| selection.collectors.has(collector);
    let poll_until = after(Instant::now(), share(until, POLL_SHARE));
    let polling = Instant::now();
    let times = live.poll.round(roster, poll_until).await;
    live.usages.observe(Occasion::Scrape, roster, &times);
    let usages = running().map(|domain| (domain.uuid, live.usages.of(domain, polling))).collect();
    let mut is_cut = poll_until <= Instant::now();
    let survey_until = after(Instant::now(), share(until, SURVEY_SHARE));
    // What concerns no guest goes over the other connection meanwhile.
    let survey = live.surveyor.survey(roster, survey_until);
    let (mut survey, host) = tokio::join!(survey, live.host.facts(selection, survey_until));
    is_cut |= survey.skipped.deadline > 0 || survey_until <= Instant::now();
    let extras_until = after(Instant::now(), share(until, EXTRAS_SHARE));
    let mut jobs = JobsByDomain::new();
    if has(Collector::Job) {
        let well = running().filter(|domain| survey.has_all_of(&domain.uuid)).collect();
        jobs = live.jobs.round(well, extras_until).await;
    }
    let mut placements = Placements::new();
    if selection.is_tinkoff && has(Collector::Vcpu) {
        placements = live.placements(roster, extras_until).await;
    }
    let states = live.states(&domains.inactive, extras_until).await;
    is_cut |= extras_until <= Instant::now();
    // After the survey: it shows which guests it hangs in.
    let controls_until = after(Instant::now(), share(until, CONTROL_SHARE));
    let controls = live.controls.round(running(), controls_until).await;
    is_cut |= controls_until <= Instant::now();
    // Whoever ended meanwhile was measured in half.
    let settled = live.inventory.settle(LAST_LOOK.min(share(until, 0.5))).await;
    // Where libvirtd went away meanwhile, or fell silent, half an answer is none.
    let is_here =
        settled || live.has_just_answered() || live.answers(LAST_LOOK.min(share(until, 1.0))).await;
    let skipped = survey.skipped;
    if live.feed.is_closed() || !is_here {
        return Collected { snapshot: Snapshot::down(), unknown: Vec::new(), skipped, is_cut };
    }
    let mut there = domains.clone();
    if settled {
        // The list knows better who has ended than a reply that somebody is not in.
        survey.ended.clear();
        let later = live.inventory.domains();
        there = Domains {
            running: still_there(roster, &later.running),
            inactive: still_there(&domains.inactive, &later.inactive),
            ..later
        };
    }
    let readings = survey.readings.values();
    let unknown = readings.flat_map(|reading| reading.stats.unknown.iter().cloned()).collect();
    let silent = running().filter(|domain| live.is_silent(domain)).map(|domain| domain.uuid);
    let silent = silent.collect();
    let findings =
        Findings { times, usages, survey, controls, jobs, placements, silent, states, host };
    let snapshot = Snapshot::new(live.hostname.clone(), &there, findings, SystemTime::now());
    Collected { snapshot, unknown, skipped, is_cut }
}

/// Those of a roster whose run goes on in another.
fn still_there(roster: &Roster, later: &Roster) -> Roster {
    if Arc::ptr_eq(roster, later) {
        return Arc::clone(roster);
    }
    let runs: HashSet<_> =
        later.iter().map(|instance| (instance.domain.uuid, instance.domain.id)).collect();
    let still =
        |instance: &&Arc<Instance>| runs.contains(&(instance.domain.uuid, instance.domain.id));
    roster.iter().filter(still).cloned().collect()
}

/// Returns a part of the time that is left.
fn share(until: Instant, part: f64) -> Duration {
    until.saturating_duration_since(Instant::now()).mul_f64(part)
}

fn after(from: Instant, pause: Duration) -> Instant {
    from.checked_add(pause).unwrap_or(from)
}

/// How long a scrape waits for a connection that is being made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a scrape waits to know which domains there are.
const SETTLE_PATIENCE: Duration = Duration::from_secs(1);
/// How long one does that would know of no domain at all.
const FIRST_LIST_PATIENCE: Duration = Duration::from_secs(3);
/// How long libvirtd may take to show that it is there.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// What the poll may take of the time that is left: with the default deadline,
/// enough to find out that a domain hangs without its monitor.
const POLL_SHARE: f64 = 0.55;
/// What the survey may take of the time that is left then.
const SURVEY_SHARE: f64 = 0.8;
/// What asking for control info may take of the time that is left then.
const CONTROL_SHARE: f64 = 0.5;
/// What jobs, vCPUs' places and the states of what does not run may take of the time that is
/// left then.
const EXTRAS_SHARE: f64 = 0.5;
/// In as much time, who does not answer is not there.
const ENOUGH: Duration = Duration::from_secs(3);
/// The least time in which a scrape asks libvirtd anything.
const LEAST: Duration = Duration::from_millis(50);
/// How long a scrape waits in the end to know who is gone.
const LAST_LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use libvirt_wire::{Domain, Uuid};

    use super::*;

    fn roster(runs: &[(u8, u32)]) -> Roster {
        let instance = |(number, id): &(u8, u32)| {
            let uuid = Uuid([*number; 16]);
            let domain = Domain { name: String::new(), uuid, id: Some(*id) };
            Arc::new(Instance::new(domain))
        };
        runs.iter().map(instance).collect()
    }

    #[test]
    fn a_scrape_that_waited_is_served_what_it_could_not_better() {
        let at = |seconds| after(Instant::now(), Duration::from_secs(seconds));
        let [began, ended] = [at(10), at(14)];
        let of =
            |is_cut| Collection { began, ended, is_cut, snapshot: Arc::default(), source: None };
        let (whole, cut) = (of(false), of(true));
        let seconds = Duration::from_secs;
        assert!(whole.serves(at(9), seconds(60)));
        assert!(!cut.serves(at(9), seconds(60)));
        assert!(cut.serves(at(9), seconds(1)), "it has no time for more");
        assert!(!whole.serves(at(12), seconds(60)), "something may have happened since it began");
        assert!(whole.serves(at(12), seconds(1)), "it joins the one that is under way");
        assert!(!whole.serves(at(15), seconds(1)), "it did not wait for it");
    }

    #[tokio::test]
    async fn what_its_writer_did_not_finish_does_not_pass_for_whole() {
        for finishes in [true, false] {
            let (give, taken) = mpsc::channel(1);
            let writing = task::spawn(async move {
                give.send(Bytes::from_static(b"a 1\n")).await.unwrap();
                assert!(finishes, "a family cannot be written");
            });
            let pieces: Vec<_> = written(taken, writing).collect().await;
            match &pieces[..] {
                [Ok(_)] => assert!(finishes),
                [Ok(_), Err(_)] => assert!(!finishes),
                _ => panic!("{pieces:?}"),
            }
        }
    }

    #[test]
    fn who_ended_or_was_started_again_meanwhile_is_not_the_one_that_was_measured() {
        let measured = roster(&[(1, 10), (2, 11), (3, 12)]);
        let later = roster(&[(1, 10), (3, 13), (4, 14)]);
        assert_eq!(still_there(&measured, &later), roster(&[(1, 10)]));
        assert_eq!(still_there(&measured, &measured), measured);
    }
}
