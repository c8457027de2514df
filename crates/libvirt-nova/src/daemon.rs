//! The libvirtd of this host: connected to, lost, connected to again.

use std::{sync::Arc, time::Duration};

use libvirt_client::{Address, Backoff, Client, Session};
use libvirt_wire::call::ConnectGetHostname;
use tokio::{
    select,
    sync::watch,
    time::{self, Instant},
};

use crate::{
    fault::chain,
    inventory::{self, Inventory},
    poll::Poll,
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
    pub(crate) client: Client,
    /// The connection of the events, which lasts as long as libvirtd does.
    pub(crate) feed: Client,
    /// The host's name, as libvirtd says it.
    pub(crate) host: Option<String>,
    pub(crate) inventory: Inventory,
    pub(crate) poll: Poll,
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
            tokio::join!(live.client.close(), live.feed.close());
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
    let mut backoff = Backoff::new(ABSENT_PAUSE_MAX);
    let mut told = String::new();
    loop {
        match Session::open(&address, CONNECT_DEADLINE).await {
            Ok(session) => {
                told.clear();
                tracing::info!(uri = %address, socket = %address.socket().display(), "connected");
                let began = Instant::now();
                let end = attend(session, interval, &publish).await;
                tracing::warn!(uri = %address, "{end}, connecting again");
                backoff.set_ceiling(ABSENT_PAUSE_MAX);
                if began.elapsed() >= STEADY {
                    backoff.reset();
                }
                // A scrape may wait for this attempt: it is likely to succeed.
                publish.send_replace(Link::Connecting);
            }
            Err(error) => {
                // Nobody is burdened by knocking where nobody is.
                let absent = error.is_absent();
                backoff.set_ceiling(if absent { ABSENT_PAUSE_MAX } else { PAUSE_MAX });
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

/// Keeps inventory and poll going until the session ends; returns how it ended.
async fn attend(
    session: Session,
    interval: Duration,
    publish: &watch::Sender<Link>,
) -> &'static str {
    let Session { client, feed, events } = session;
    let host = client.call(&ConnectGetHostname, CONNECT_DEADLINE).await;
    let host = host.and_then(|reply| reply.decode()).ok();
    let (inventory, keeper) = Inventory::new();
    let poll = Poll::new(client.clone());
    let live = Live { client, feed, host, inventory, poll };
    let live = Arc::new(live);
    publish.send_replace(Link::Up(Arc::clone(&live)));
    select! {
        () = inventory::run(keeper, live.client.clone(), live.feed.clone(), events) => {}
        () = live.poll.run(&live.inventory, interval) => {}
        () = live.client.closed() => {}
        () = live.feed.closed() => {}
    }
    if live.feed.is_closed() { "libvirtd hung up" } else { "libvirtd leaves calls unanswered" }
}

/// How long libvirtd may take to let us in: a busy one has been seen to take two seconds.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// The longest pause while nobody listens on the socket.
const ABSENT_PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause while libvirtd is there and does not let us in.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a session lasts before the next pause is a short one again.
const STEADY: Duration = Duration::from_secs(10);
