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

use std::{sync::Arc, time::Duration};

use libvirt_client::{CallError, Client, Events};
use libvirt_wire::{Domain, call::ConnectListAllDomains};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    time,
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
type Question = oneshot::Sender<()>;

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
        let (question, answer) = oneshot::channel();
        let asking = async { self.questions.send(question).await.is_ok() && answer.await.is_ok() };
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
    let mut waiting = Vec::new();
    // The first listing is nobody's question.
    let mut list_due = true;
    let mut listing = Change::default();
    loop {
        if list_due {
            list_due = false;
            let listed = list(&feed).await;
            // libvirtd raised these before it answered.
            while let Some(event) = events.try_next() {
                mirror.take_event(&event);
            }
            if events.take_lost() {
                mirror.make_all_due();
            }
            match listed {
                Ok(domains) => {
                    listing.end();
                    mirror.take_list(domains);
                }
                Err(error) => {
                    if listing.begin() {
                        tracing::warn!(error = %chain(&error), "no list of domains");
                    }
                    // Whoever asked learns it by the question being dropped.
                    waiting.clear();
                }
            }
        }
        mirror.start_reading();
        publish.send_if_modified(|roster| mirror.publish(roster));
        if mirror.unsettled_until().is_none() {
            for question in waiting.drain(..) {
                let _ = Question::send(question, ());
            }
        }

        let next_look = mirror.next_look();
        select! {
            biased;
            event = events.next() => match event {
                Some(event) => mirror.take_event(&event),
                None => return,
            },
            question = asked.recv() => {
                let Some(question) = question else { return };
                waiting.push(question);
                while let Ok(question) = asked.try_recv() {
                    waiting.push(question);
                }
                list_due = true;
            }
            () = mirror.read() => {}
            () = time::sleep_until(next_look) => {}
        }
    }
}

async fn list(feed: &Client) -> Result<Vec<Domain>, CallError> {
    Ok(feed.call(&ConnectListAllDomains, LIST_DEADLINE).await?.decode()?.0)
}

/// Questions that may wait to be read.
const QUESTIONS: usize = 64;
/// How long libvirtd may take to say which domains there are. It keeps workers
/// free for such calls: a second without an answer means that it is not there.
const LIST_DEADLINE: Duration = Duration::from_secs(2);
/// How often each domain's metadata and XML are read without an event.
const SWEEP: Duration = Duration::from_secs(300);
