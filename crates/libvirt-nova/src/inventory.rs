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
//! * [`mirror`]: the state of the task

use std::{mem, sync::Arc, time::Duration};

use libvirt_client::{CallError, Client, Events};
use libvirt_wire::{Domain, call::ConnectListAllDomains};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    time::{self, Instant},
};

use self::mirror::Mirror;
#[cfg(test)]
pub(crate) use self::nova::NAMESPACES;
pub(crate) use self::{
    devices::{Devices, Disk, Interface},
    instance::{Instance, Metadata},
    nova::Nova,
};
use crate::fault::{Change, chain};

mod devices;
mod instance;
mod mirror;
mod nova;
mod reading;

/// The instances that run, by libvirt name.
pub(crate) type Roster = Arc<[Arc<Instance>]>;

/// A handle to the task that mirrors libvirtd's domains.
#[derive(Clone, Debug)]
pub(crate) struct Inventory {
    questions: mpsc::Sender<Question>,
    roster: watch::Receiver<Roster>,
}

/// Somebody wants to know that the roster is true now.
#[derive(Debug)]
struct Question {
    answer: oneshot::Sender<()>,
    /// Until when to wait for what is being read.
    patience: Instant,
}

impl Inventory {
    /// A handle, and the state that [`run`] keeps for it.
    pub(crate) fn new() -> (Self, Keeper) {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let (publish, roster) = watch::channel(Roster::default());
        (Self { questions, roster }, Keeper { asked, publish })
    }

    /// The instances as they were known last.
    pub(crate) fn roster(&self) -> Roster {
        self.roster.borrow().clone()
    }

    /// Makes sure that everything which happened before the call is in the roster.
    ///
    /// Returns whether libvirtd said which domains there are, within `deadline`.
    /// Dropping the future gives the question up.
    pub(crate) async fn settle(&self, deadline: Duration) -> bool {
        let (answer, answered) = oneshot::channel();
        let question = Question { answer, patience: later(PATIENCE) };
        let asking =
            async { self.questions.send(question).await.is_ok() && answered.await.is_ok() };
        time::timeout(deadline, asking).await.unwrap_or(false)
    }
}

/// The task's end of an [`Inventory`].
#[derive(Debug)]
pub(crate) struct Keeper {
    asked: mpsc::Receiver<Question>,
    publish: watch::Sender<Roster>,
}

/// Keeps the roster true until the session ends.
///
/// `feed` and `events` are one connection: its replies come after the events
/// that libvirtd raised before them, which is what makes a listing a barrier.
pub(crate) async fn run(keeper: Keeper, client: Client, feed: Client, mut events: Events) {
    let Keeper { mut asked, publish } = keeper;
    let mut mirror = Mirror::new(client);
    let mut waiting: Vec<Question> = Vec::new();
    // The first listing is nobody's question.
    let mut list_due = true;
    let mut fault = Change::default();
    loop {
        if mem::take(&mut list_due) {
            let listed = list(&feed).await;
            // libvirtd raised these before it answered.
            mirror.take_events(&mut events);
            match listed {
                Ok(domains) => {
                    fault.end();
                    mirror.take_list(domains);
                }
                Err(error) => {
                    if fault.begin() {
                        tracing::warn!(error = %chain(&error), "no list of domains");
                    }
                    // Whoever asked learns it by the question being dropped.
                    waiting.clear();
                }
            }
        }
        mirror.start_reading();
        let now = Instant::now();
        let settled = mirror.is_settled();
        let answers = waiting.extract_if(.., |question| settled || question.patience <= now);
        let answers: Vec<_> = answers.collect();
        if settled || !answers.is_empty() {
            publish.send_if_modified(|roster| mirror.publish(roster));
        }
        for Question { answer, .. } in answers {
            let _ = answer.send(());
        }

        let patience = waiting.iter().map(|question| question.patience).min();
        let next_look = patience.into_iter().chain(mirror.next_due()).min();
        select! {
            event = events.next() => {
                let Some(event) = event else { return };
                mirror.take_event(&event);
                mirror.take_events(&mut events);
            }
            question = asked.recv() => {
                let Some(question) = question else { return };
                waiting.push(question);
                while let Ok(question) = asked.try_recv() {
                    waiting.push(question);
                }
                list_due = true;
            }
            () = mirror.read() => {}
            () = time::sleep_until(next_look.unwrap_or_else(|| later(SWEEP))) => {}
        }
    }
}

async fn list(feed: &Client) -> Result<Vec<Domain>, CallError> {
    Ok(feed.call(&ConnectListAllDomains, LIST_DEADLINE).await?.decode()?.0)
}

fn later(pause: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(pause).unwrap_or(now)
}

/// How long a scrape waits for readings: they take some milliseconds, or hang.
const PATIENCE: Duration = Duration::from_millis(500);
/// Questions that may wait to be read.
const QUESTIONS: usize = 64;
/// How long libvirtd may take to say which domains there are. It keeps workers
/// free for such calls: a second without an answer means that it is not there.
const LIST_DEADLINE: Duration = Duration::from_secs(2);
/// How often each domain's metadata and XML are read without an event.
const SWEEP: Duration = Duration::from_secs(300);
