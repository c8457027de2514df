//! What exists on this host: names, Nova's metadata, devices.
//!
//! One task mirrors libvirtd's domains. It reads metadata and XML only when an
//! event asks for it, and of each domain once every [`SWEEP`] in case an event
//! was missed. A scrape has it [`settle`](Inventory::settle) first, so that
//! what happened before the scrape is in it.
//!
//! * [`devices`]: what a domain is made of, from its XML
//! * [`nova`]: what Nova wrote into it
//! * [`instance`]: both, as the rest of the program sees them
//! * [`reading`]: getting both from libvirtd
//! * [`xml`]: reading XML in bounded time
//! * [`events`], [`past`]: what has happened to domains
//! * [`mirror`]: the state of the task

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use libvirt_client::{CallError, Calls, Client, Events};
use libvirt_wire::{Domain, call::ConnectListAllDomains};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{self, Instant},
};

use self::mirror::Mirror;
#[cfg(test)]
pub(crate) use self::nova::NAMESPACES;
pub(crate) use self::{
    devices::{Devices, Disk, Interface, Limits},
    events::EventCounts,
    instance::{Instance, Metadata},
    nova::Nova,
    past::{LastJob, Past},
};
use crate::{care::Care, fault::chain, filter::Filter, later::later, live::Lasting};

mod devices;
mod events;
mod instance;
mod mirror;
mod nova;
mod past;
mod reading;
mod xml;

/// Domains by libvirt name.
pub(crate) type Roster = Arc<[Arc<Instance>]>;

/// The domains that there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Domains {
    /// Those that run and are to be served.
    pub(crate) running: Roster,
    /// Those that are only defined and are to be served.
    pub(crate) inactive: Roster,
    /// The last migrations away from here, by libvirt name.
    pub(crate) last_migrations: Arc<[Arc<LastJob>]>,
    /// Those that a filter leaves out because Nova's metadata of them are not known.
    pub(crate) unread: Roster,
    /// How many libvirt knows.
    pub(crate) count: usize,
}

/// A handle to the task that mirrors libvirtd's domains.
#[derive(Clone, Debug)]
pub(crate) struct Inventory {
    questions: mpsc::Sender<Question>,
    domains: watch::Receiver<Option<Domains>>,
    happenings: Arc<AtomicU64>,
}

/// Somebody wants to know that the roster is true now.
#[derive(Debug)]
struct Question {
    answer: oneshot::Sender<()>,
    stage: Stage,
}

/// How far a question has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for a listing to begin.
    Asked,
    /// Waits for the listing under way to end.
    Listing,
    /// Waits for what is being read, but not for ever.
    Reading { patience: Instant },
}

impl Inventory {
    /// A handle, and the state that [`run`] keeps for it.
    pub(crate) fn new() -> (Self, Keeper) {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let (publish, domains) = watch::channel(None);
        let happenings = Arc::<AtomicU64>::default();
        let keeper = Keeper { asked, publish, happenings: Arc::clone(&happenings) };
        (Self { questions, domains, happenings }, keeper)
    }

    /// How many events libvirtd has sent. The same number twice means that nothing
    /// has happened to any domain between, as far as libvirtd tells.
    pub(crate) fn happenings(&self) -> u64 {
        self.happenings.load(Ordering::Relaxed)
    }

    /// The domains as they were known last. None before they have been listed.
    pub(crate) fn domains(&self) -> Domains {
        self.domains.borrow().clone().unwrap_or_default()
    }

    /// Those that run.
    pub(crate) fn roster(&self) -> Roster {
        self.domains().running
    }

    /// Whether libvirtd has ever said which domains there are.
    pub(crate) fn is_listed(&self) -> bool {
        self.domains.borrow().is_some()
    }

    /// Waits until `until` for the domains to have been listed, and each to have been read, for the
    /// first time.
    pub(crate) async fn first(&self, until: Instant) {
        // They are published when all have been read, or to who asks and cannot wait.
        let mut domains = self.domains.clone();
        let _ = time::timeout_at(until, domains.wait_for(Option::is_some)).await;
    }

    /// Makes sure that everything which happened before the call is in the roster.
    ///
    /// Returns whether libvirtd said which domains there are, within `deadline`.
    /// Dropping the future gives the question up.
    pub(crate) async fn settle(&self, deadline: Duration) -> bool {
        let (answer, answered) = oneshot::channel();
        let question = Question { answer, stage: Stage::Asked };
        let asking =
            async { self.questions.send(question).await.is_ok() && answered.await.is_ok() };
        time::timeout(deadline, asking).await.unwrap_or(false)
    }
}

/// The task's end of an [`Inventory`].
#[derive(Debug)]
pub(crate) struct Keeper {
    asked: mpsc::Receiver<Question>,
    publish: watch::Sender<Option<Domains>>,
    happenings: Arc<AtomicU64>,
}

/// Keeps the roster true until the session ends.
///
/// `feed` and `events` are one connection: its replies come after the events
/// that libvirtd raised before them, which is what makes a listing a barrier.
pub(crate) async fn run(
    keeper: Keeper,
    calls: Calls,
    care: Care,
    feed: Client,
    mut events: Events,
    filter: Arc<Filter>,
    lasting: Lasting,
) {
    let Keeper { mut asked, publish, happenings } = keeper;
    let mut mirror = Mirror::new(calls, care.clone(), happenings, filter, &lasting);
    let fault = &lasting.faults.list;
    let mut waiting: Vec<Question> = Vec::new();
    // At most one is under way: whatever holds it up would hold up another.
    let mut listings = JoinSet::new();
    let mut next_listing = Instant::now();
    let mut listing_since = next_listing;
    loop {
        let now = Instant::now();
        let is_asked = waiting.iter().any(|question| question.stage == Stage::Asked);
        let is_due = is_asked || next_listing <= now;
        if listings.is_empty() && is_due && !care.may_list() {
            // Who asks next finds out whether the lists that hang have come back.
            next_listing = later(LIST_DEADLINE);
            waiting.retain(|question| question.stage != Stage::Asked);
        } else if listings.is_empty() && is_due {
            next_listing = later(SWEEP);
            listing_since = now;
            waiting.iter_mut().for_each(|question| question.advance(Stage::Asked, Stage::Listing));
            listings.spawn(list(feed.clone()));
        }
        mirror.start_reading();
        let settled = mirror.is_settled();
        let answers: Vec<_> =
            waiting.extract_if(.., |question| question.is_over(settled, now)).collect();
        if settled || !answers.is_empty() {
            publish.send_if_modified(|domains| mirror.publish(domains));
        }
        for Question { answer, .. } in answers {
            let _ = answer.send(());
        }

        // While a listing is under way, the next one waits for it.
        let listing_due = listings.is_empty().then_some(next_listing);
        let next_look = [listing_due, mirror.next_due()]
            .into_iter()
            .chain(waiting.iter().map(Question::patience))
            .flatten()
            .min()
            .unwrap_or_else(|| later(SWEEP));
        select! {
            event = events.next() => {
                let Some(event) = event else { return };
                if mirror.take_event(&event) | mirror.take_events(&mut events) {
                    next_listing = now;
                }
            }
            question = asked.recv() => {
                let Some(question) = question else { return };
                waiting.push(question);
                while let Ok(question) = asked.try_recv() {
                    waiting.push(question);
                }
                // Nobody waits for what has kept others waiting in vain.
                if !listings.is_empty() && listing_since.elapsed() > HELD_UP {
                    waiting.retain(|question| question.stage != Stage::Asked);
                }
            }
            Some(Ok(listed)) = listings.join_next() => {
                // libvirtd raised these before it answered.
                mirror.take_events(&mut events);
                match listed {
                    Ok(domains) => {
                        fault.end();
                        mirror.take_list(domains);
                        let reading = Stage::Reading { patience: later(PATIENCE) };
                        waiting.iter_mut().for_each(|question| {
                            question.advance(Stage::Listing, reading);
                        });
                    }
                    Err(error) => {
                        if fault.begin() {
                            tracing::warn!(error = %chain(&error), "no list of domains");
                        }
                        // Whoever asked learns it by the question being dropped.
                        waiting.retain(|question| question.stage != Stage::Listing);
                    }
                }
            }
            () = mirror.read() => {}
            () = time::sleep_until(next_look) => {}
        }
    }
}

impl Question {
    fn advance(&mut self, from: Stage, to: Stage) {
        if self.stage == from {
            self.stage = to;
        }
    }

    fn is_over(&self, settled: bool, now: Instant) -> bool {
        self.patience().is_some_and(|patience| settled || patience <= now)
    }

    fn patience(&self) -> Option<Instant> {
        match self.stage {
            Stage::Reading { patience } => Some(patience),
            Stage::Asked | Stage::Listing => None,
        }
    }
}

async fn list(feed: Client) -> Result<Vec<Domain>, CallError> {
    Ok(feed.call(&ConnectListAllDomains, LIST_DEADLINE).await?.decode()?.0)
}

/// How long a scrape waits for readings: they take some milliseconds, or hang.
const PATIENCE: Duration = Duration::from_millis(500);
/// Questions that may wait to be read.
const QUESTIONS: usize = 64;
/// How long libvirtd may take to say which domains there are.
///
/// It looks at each domain for it, so one whose QEMU does not die when it is
/// destroyed holds the list up, for some 15 s. Scrapes do not wait that long.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// How long a listing takes at most unless it is held up.
const HELD_UP: Duration = Duration::from_secs(1);
/// How often the domains are listed, and each one's metadata and XML read,
/// without an event.
const SWEEP: Duration = Duration::from_secs(300);
