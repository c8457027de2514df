//! The libvirtd of this host: connected to, lost, connected to again.

use std::{
    mem,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use libvirt_client::{Address, Backoff, ConnectError, Ledger, Session, Tender};
use tokio::{
    select,
    sync::watch,
    time::{self, Instant},
};

use crate::{
    fault::{Change, chain},
    inventory::Inventory,
    live::{Lasting, Live, Terms},
    telemetry::Telemetry,
};

/// A handle to what is known of libvirtd.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    link: watch::Receiver<Link>,
}

/// Whether libvirtd can be asked.
#[derive(Clone, Debug)]
enum Link {
    /// Nobody knows yet: the first attempt is under way, or the first one after
    /// a session has ended.
    Connecting,
    /// It can.
    Up(Arc<Live>),
    /// The last attempt failed.
    Down(Arc<ConnectError>),
}

impl Daemon {
    /// What libvirtd has not answered yet, where there is a session.
    pub(crate) fn ledger(&self) -> Option<Ledger> {
        match &*self.link.borrow() {
            Link::Up(live) => Some(live.ledger.clone()),
            Link::Connecting | Link::Down(_) => None,
        }
    }

    /// Why the last attempt to connect failed, where it did.
    pub(crate) fn fault(&self) -> Option<Arc<ConnectError>> {
        match &*self.link.borrow() {
            Link::Down(error) => Some(Arc::clone(error)),
            Link::Connecting | Link::Up(_) => None,
        }
    }

    /// Returns libvirtd where it can be asked, waiting until `until` where
    /// nobody knows yet.
    pub(crate) async fn live(&self, until: Instant) -> Option<Arc<Live>> {
        let mut link = self.link.clone();
        let decided = link.wait_for(|link| !matches!(link, Link::Connecting));
        match time::timeout_at(until, decided).await {
            Ok(Ok(link)) => match &*link {
                Link::Up(live) => Some(Arc::clone(live)),
                Link::Connecting | Link::Down(_) => None,
            },
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Says goodbye, so that libvirtd logs no fault.
    pub(crate) async fn close(&self) {
        let link = self.link.borrow().clone();
        if let Link::Up(live) = link {
            live.close().await;
        }
    }
}

/// How libvirtd is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Where libvirtd listens.
    pub(crate) address: Address,
    /// Pause between two polls; zero polls only when scraped.
    pub(crate) interval: Duration,
    pub(crate) terms: Terms,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl Watch {
    /// A handle, and the task that keeps the connection and polls, for ever:
    /// libvirtd may come and go.
    pub(crate) fn start(self) -> (Daemon, impl Future<Output = ()> + Send) {
        let (publish, link) = watch::channel(Link::Connecting);
        (Daemon { link }, self.keep(publish))
    }

    async fn keep(self, publish: watch::Sender<Link>) {
        let address = &self.address;
        let mut is_first = true;
        let mut backoff = Backoff::new(PAUSE_MAX);
        let mut told = String::new();
        let lasting = Lasting::default();
        // Sessions in a row that did not last.
        let mut short = 0_u32;
        loop {
            match Session::open(address, CONNECT_DEADLINE, Arc::clone(&self.telemetry) as _).await {
                Ok(session) => {
                    if !mem::take(&mut is_first) {
                        self.telemetry.note_reconnect();
                    }
                    let began = Instant::now();
                    let mut attending = pin!(self.attend(session, &publish, &lasting));
                    // One that keeps hanging up is told of again when it lasts.
                    let lasts =
                        short < SHORT_TOLD || time::timeout(STEADY, &mut attending).await.is_err();
                    if lasts {
                        told.clear();
                        let socket = address.socket();
                        tracing::info!(uri = %address, socket = %socket.display(), "connected");
                        attending.await;
                        tracing::warn!(uri = %address, "libvirtd hung up, connecting again");
                    }
                    let is_short = began.elapsed() < STEADY;
                    short = if is_short { short.saturating_add(1) } else { 0 };
                    backoff.set_ceiling(PAUSE_MAX);
                    if !is_short {
                        backoff.reset();
                    }
                    // A scrape may wait for this attempt: it is likely to succeed.
                    publish.send_replace(Link::Connecting);
                }
                Err(error) => {
                    let refused = error.is_refusal();
                    backoff.set_ceiling(if refused { REFUSED_PAUSE_MAX } else { PAUSE_MAX });
                    let text = chain(&error).to_string();
                    if text != told {
                        tracing::warn!("{text}");
                        told = text;
                    }
                    publish.send_replace(Link::Down(Arc::new(error)));
                }
            }
            time::sleep(backoff.pause()).await;
        }
    }

    /// Keeps inventory, poll and connections going until the session ends.
    async fn attend(&self, session: Session, publish: &watch::Sender<Link>, lasting: &Lasting) {
        let Session { monitor, lookups, tenders, feed, events, ledger, hostname } = session;
        let (inventory, keeper) = Inventory::new();
        let calls = [monitor, lookups];
        let live = Live::new(calls, feed, ledger, hostname, inventory, &self.terms, lasting);
        let live = Arc::new(live);
        let [for_monitor, for_lookups] = tenders;
        publish.send_replace(Link::Up(Arc::clone(&live)));
        let fault = Mutex::default();
        select! {
            () = live.run(keeper, events, self.interval) => {}
            () = self.tend(&for_monitor, &fault) => {}
            () = self.tend(&for_lookups, &fault) => {}
        }
    }

    /// Replaces the connection of the calls whenever too many go unanswered. Whoever tends
    /// another one shares `fault`, so that it is told once.
    async fn tend(&self, tender: &Tender, fault: &Mutex<Change>) {
        let mut backoff = Backoff::new(PAUSE_MAX);
        // Nothing panics while it holds the lock.
        let fault = || fault.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            tender.worn_out().await;
            loop {
                // The first one at once: scrapes wait for it. Where libvirtd has gone, the
                // feed's end is seen meanwhile, and nothing is said of calls.
                let is_replaced = tender.replace(CONNECT_DEADLINE).await.is_ok();
                if !is_replaced {
                    time::sleep(backoff.pause()).await;
                }
                if fault().begin() {
                    tracing::warn!("libvirtd leaves calls unanswered: they get another connection");
                }
                if is_replaced {
                    break;
                }
            }
            self.telemetry.note_reconnect();
            if time::timeout(QUIET, tender.worn_out()).await.is_err() {
                fault().end();
                backoff.reset();
            }
        }
    }
}

/// How long libvirtd may take to let us in: a busy one has been seen to take two seconds.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The longest pause between attempts. One that fails costs nobody anything, and
/// libvirtd is to be found soon after its return.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause while libvirtd refuses us: it asks polkit each time.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Sessions in a row that did not last, of which the log tells.
const SHORT_TOLD: u32 = 3;
/// How long calls are answered before the log tells of those that are not once more.
const QUIET: Duration = Duration::from_mins(5);
/// How long a connection lasts before the next pause is a short one again.
const STEADY: Duration = Duration::from_secs(10);
