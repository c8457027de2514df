//! The libvirtd of this host: connected to, lost, connected to again.

use std::{sync::Arc, time::Duration};

use libvirt_client::{Address, Backoff, Calls, Client, Session, Tender};
use libvirt_wire::call::ConnectGetHostname;
use tokio::{
    select,
    sync::watch,
    time::{self, Instant},
};

use crate::{
    fault::{Change, chain},
    inventory::{self, Inventory},
    poll::Poll,
    trouble::Troubles,
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
    Down,
}

/// A libvirtd that can be asked.
#[derive(Debug)]
pub(crate) struct Live {
    /// For calls that may take their time.
    pub(crate) calls: Calls,
    /// The connection of the events, which lasts as long as libvirtd does.
    pub(crate) feed: Client,
    /// The host's name, as libvirtd says it.
    pub(crate) hostname: Option<String>,
    pub(crate) inventory: Inventory,
    pub(crate) poll: Poll,
    pub(crate) troubles: Arc<Troubles>,
}

impl Live {
    /// Whether libvirtd answers a call that concerns no domain, within `deadline`.
    pub(crate) async fn answers(&self, deadline: Duration) -> bool {
        self.calls
            .call(&ConnectGetHostname, deadline)
            .await
            .is_ok_and(|reply| reply.decode().is_ok())
    }
}

impl Daemon {
    /// Returns libvirtd where it can be asked, waiting until `until` where
    /// nobody knows yet.
    pub(crate) async fn live(&self, until: Instant) -> Option<Arc<Live>> {
        let mut link = self.link.clone();
        let decided = link.wait_for(|link| !matches!(link, Link::Connecting));
        match time::timeout_at(until, decided).await {
            Ok(Ok(link)) => match &*link {
                Link::Up(live) => Some(Arc::clone(live)),
                Link::Connecting | Link::Down => None,
            },
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Says goodbye, so that libvirtd logs no fault.
    pub(crate) async fn close(&self) {
        let link = self.link.borrow().clone();
        if let Link::Up(live) = link {
            tokio::join!(live.calls.close(), live.feed.close());
        }
    }
}

/// A handle, and the task that keeps the connection and polls each `interval`,
/// for ever: libvirtd may come and go.
pub(crate) fn watch(
    address: Address,
    interval: Duration,
) -> (Daemon, impl Future<Output = ()> + Send) {
    let (publish, link) = watch::channel(Link::Connecting);
    (Daemon { link }, keep(address, interval, publish))
}

async fn keep(address: Address, interval: Duration, publish: watch::Sender<Link>) {
    let mut backoff = Backoff::new(PAUSE_MAX);
    let mut told = String::new();
    loop {
        match Session::open(&address, CONNECT_DEADLINE).await {
            Ok(session) => {
                told.clear();
                tracing::info!(uri = %address, socket = %address.socket().display(), "connected");
                let began = Instant::now();
                attend(session, interval, &publish).await;
                tracing::warn!(uri = %address, "libvirtd hung up, connecting again");
                backoff.set_ceiling(PAUSE_MAX);
                if began.elapsed() >= STEADY {
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
                publish.send_replace(Link::Down);
            }
        }
        time::sleep(backoff.pause()).await;
    }
}

/// Keeps inventory, poll and connections going until the session ends.
async fn attend(session: Session, interval: Duration, publish: &watch::Sender<Link>) {
    let Session { calls, tender, feed, events, hostname } = session;
    let (inventory, keeper) = Inventory::new();
    let troubles = Arc::new(Troubles::default());
    let poll = Poll::new(calls.clone(), Arc::clone(&troubles));
    let live = Arc::new(Live { calls, feed, hostname, inventory, poll, troubles });
    publish.send_replace(Link::Up(Arc::clone(&live)));
    let (calls, feed, troubles) =
        (live.calls.clone(), live.feed.clone(), Arc::clone(&live.troubles));
    select! {
        () = inventory::run(keeper, calls, troubles, feed, events) => {}
        () = live.poll.run(&live.inventory, interval) => {}
        () = tend(&tender) => {}
        () = live.feed.closed() => {}
    }
}

/// Replaces the connection of the calls whenever too many go unanswered.
async fn tend(tender: &Tender) {
    let mut backoff = Backoff::new(PAUSE_MAX);
    let mut fault = Change::default();
    loop {
        tender.worn_out().await;
        // Where libvirtd has gone, the feed's end is seen meanwhile.
        time::sleep(backoff.pause()).await;
        if fault.begin() {
            tracing::warn!("libvirtd leaves calls unanswered: their connection is replaced");
        }
        if tender.replace(CONNECT_DEADLINE).await.is_ok()
            && time::timeout(STEADY, tender.worn_out()).await.is_err()
        {
            fault.end();
            backoff.reset();
        }
    }
}

/// How long libvirtd may take to let us in: a busy one has been seen to take two seconds.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The longest pause between attempts. One that fails costs nobody anything, and
/// libvirtd is to be found soon after its return.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause while libvirtd refuses us: it asks polkit each time.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a connection lasts before the next pause is a short one again.
const STEADY: Duration = Duration::from_secs(10);
