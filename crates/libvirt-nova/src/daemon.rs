//! The libvirtd of this host: connected to, lost, connected to again.

use std::{
    mem,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use libvirt_client::{Access, Address, Backoff, ConnectError, Ending, Ledger, Session, Tender};
use tokio::{
    select,
    sync::watch,
    time::{self, Instant},
};

use crate::{
    fault::chain,
    inventory::{Domains, Instance, Inventory},
    later::later,
    live::{Lasting, Live, Terms},
    telemetry::Telemetry,
    told::{News, Told},
};

/// A handle to what is known of libvirtd.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    link: watch::Receiver<Link>,
}

/// Whether libvirtd can be asked, and since when that is so.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) state: LinkState,
    pub(crate) since: SystemTime,
}

/// Whether libvirtd can be asked.
#[derive(Clone, Debug)]
pub(crate) enum LinkState {
    /// Nobody knows yet: the first attempt is under way, or the first one after
    /// a session has ended.
    Connecting,
    /// It can.
    Up(Arc<Live>),
    /// The last attempt failed, for this reason.
    Down(Arc<ConnectError>),
}

impl Link {
    fn new(state: LinkState) -> Self {
        Self { state, since: SystemTime::now() }
    }

    fn live(&self) -> Option<&Arc<Live>> {
        match &self.state {
            LinkState::Up(live) => Some(live),
            LinkState::Connecting | LinkState::Down(_) => None,
        }
    }

    /// Takes over whether libvirtd can be asked. What goes on has been going on since it began: a
    /// libvirtd that cannot be reached cannot be reached however often that is tried.
    fn turn(&mut self, state: LinkState) {
        let is_away = |state: &LinkState| !matches!(state, LinkState::Up(_));
        let goes_on = is_away(&self.state) && is_away(&state);
        let since = if goes_on { self.since } else { SystemTime::now() };
        *self = Self { state, since };
    }
}

impl Daemon {
    /// What libvirtd has not answered yet, where there is a session.
    pub(crate) fn ledger(&self) -> Option<Ledger> {
        self.link.borrow().live().map(|live| live.ledger.clone())
    }

    /// Whether libvirtd can be asked, and since when that is so.
    pub(crate) fn link(&self) -> Link {
        self.link.borrow().clone()
    }

    /// What an operator wants to know of it first, in one line that holds as long as nothing
    /// changes.
    pub(crate) fn summary(&self) -> String {
        let live = match self.link().state {
            LinkState::Connecting => return "connecting to libvirtd".into(),
            LinkState::Down(error) => return format!("without libvirtd: {}", chain(&*error)),
            LinkState::Up(live) => live,
        };
        if live.silent_since().is_some() {
            return "connected to libvirtd, which says nothing".into();
        }
        if !live.inventory.is_listed() {
            return "connected to libvirtd, which has not said yet which domains there are".into();
        }
        let Domains { running, inactive, .. } = live.inventory.domains();
        let is_stuck = |instance: &&Arc<Instance>| live.stuck_since(&instance.domain).is_some();
        let stuck = running.iter().filter(is_stuck).count();
        let mut text = format!("domains: {} running", running.len());
        for (count, what) in [(stuck, "of them stuck"), (inactive.len(), "not running")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        text
    }

    /// Why the last attempt to connect failed, where it did.
    pub(crate) fn fault(&self) -> Option<Arc<ConnectError>> {
        match &self.link.borrow().state {
            LinkState::Down(error) => Some(Arc::clone(error)),
            LinkState::Connecting | LinkState::Up(_) => None,
        }
    }

    /// Returns libvirtd where it can be asked, waiting until `until` where
    /// nobody knows yet.
    pub(crate) async fn live(&self, until: Instant) -> Option<Arc<Live>> {
        let mut link = self.link.clone();
        let decided = link.wait_for(|link| !matches!(link.state, LinkState::Connecting));
        match time::timeout_at(until, decided).await {
            Ok(Ok(link)) => link.live().cloned(),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Waits until `until` for libvirtd to let us in, and where nothing was collected in this session
    /// yet, for its domains to have been read: so that the first scrape is whole.
    pub(crate) async fn begin(&self, until: Instant) {
        let Some(live) = self.live(until).await else { return };
        if live.is_new() {
            let half = until.saturating_duration_since(Instant::now()).mul_f64(READING_PART);
            live.inventory.first(later(half)).await;
        }
    }

    /// Says goodbye, so that libvirtd logs no fault.
    pub(crate) async fn close(&self) {
        let link = self.link();
        if let Some(live) = link.live() {
            live.close().await;
        }
    }
}

/// How libvirtd is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Where libvirtd listens, and what it asks of us.
    pub(crate) access: Access,
    pub(crate) terms: Terms,
    /// What outlives sessions.
    pub(crate) lasting: Lasting,
    pub(crate) telemetry: Arc<Telemetry>,
    /// What the log has said of it last.
    pub(crate) told: Arc<Told>,
}

impl Watch {
    /// A handle, and the task that keeps the connection and polls, for ever:
    /// libvirtd may come and go.
    pub(crate) fn start(self) -> (Daemon, impl Future<Output = ()> + Send) {
        let (publish, link) = watch::channel(Link::new(LinkState::Connecting));
        (Daemon { link }, self.keep(publish))
    }

    async fn keep(self, publish: watch::Sender<Link>) {
        let address = &self.access.address;
        let mut is_first = true;
        let mut backoff = Backoff::new(PAUSE_MAX);
        // Sessions in a row that did not last.
        let mut short = 0_u32;
        loop {
            let observer = Arc::clone(&self.telemetry) as _;
            match Session::open(&self.access, connect_deadline(address), observer).await {
                Ok(session) => {
                    let feed = session.feed.clone();
                    if !mem::take(&mut is_first) {
                        self.telemetry.note_reconnect();
                    }
                    let began = Instant::now();
                    let mut attending = pin!(self.attend(session, &publish));
                    // One that keeps hanging up is told of again when it lasts.
                    let lasts =
                        short < SHORT_TOLD || time::timeout(STEADY, &mut attending).await.is_err();
                    if lasts {
                        if self.told.connected() {
                            match address.socket() {
                                Some(socket) => {
                                    let socket = socket.display();
                                    tracing::info!(uri = %address, %socket, "connected");
                                }
                                None => tracing::info!(uri = %address, "connected"),
                            }
                        }
                        attending.await;
                        self.told.lost();
                        let ending = feed.ending().unwrap_or(&Ending::HungUp);
                        tracing::warn!(uri = %address, "{ending}, connecting again");
                    }
                    let is_short = began.elapsed() < STEADY;
                    short = if is_short { short.saturating_add(1) } else { 0 };
                    backoff.set_ceiling(PAUSE_MAX);
                    if !is_short {
                        backoff.reset();
                    }
                    // A scrape may wait for this attempt: it is likely to succeed.
                    publish.send_modify(|link| link.turn(LinkState::Connecting));
                }
                Err(error) => {
                    let refused = error.is_refusal();
                    backoff.set_ceiling(if refused { REFUSED_PAUSE_MAX } else { PAUSE_MAX });
                    self.tell(&error);
                    let error = Arc::new(error);
                    publish.send_modify(|link| link.turn(LinkState::Down(error)));
                }
            }
            time::sleep(backoff.pause()).await;
        }
    }

    /// Logs why there is no session, if it is news.
    fn tell(&self, error: &ConnectError) {
        let text = chain(error).to_string();
        let news = self.told.fault(error.obstacle(), &text);
        match news {
            News::Old => {}
            News::New | News::Last => tracing::warn!("{text}"),
            News::TooMuch => tracing::debug!("{text}"),
        }
        if news == News::Last {
            tracing::warn!(
                "why libvirtd cannot be asked changes again and again: until there is a session, only \
                 a reason of another kind is told above the level debug"
            );
        }
    }

    /// Keeps inventory, poll and connections going until the session ends.
    async fn attend(&self, session: Session, publish: &watch::Sender<Link>) {
        let Session { monitor, lookups, tenders, feed, events, ledger, hostname } = session;
        let (inventory, keeper) = Inventory::new();
        let calls = [monitor, lookups];
        let live = Live::new(calls, feed, ledger, hostname, inventory, &self.terms, &self.lasting);
        let live = Arc::new(live);
        let [for_monitor, for_lookups] = tenders;
        publish.send_modify(|link| link.turn(LinkState::Up(Arc::clone(&live))));
        select! {
            () = live.run(keeper, events) => {}
            () = self.tend(&for_monitor) => {}
            () = self.tend(&for_lookups) => {}
        }
    }

    /// Replaces the connection of the calls whenever too many go unanswered, which is told once.
    async fn tend(&self, tender: &Tender) {
        let mut backoff = Backoff::new(PAUSE_MAX);
        let fault = &self.lasting.faults.calls;
        loop {
            tender.worn_out().await;
            loop {
                // The first one at once: scrapes wait for it. Where libvirtd has gone, the
                // feed's end is seen meanwhile, and nothing is said of calls.
                let is_replaced =
                    tender.replace(connect_deadline(&self.access.address)).await.is_ok();
                if !is_replaced {
                    time::sleep(backoff.pause()).await;
                }
                if fault.begin() {
                    tracing::warn!("libvirtd leaves calls unanswered: they get another connection");
                }
                if is_replaced {
                    break;
                }
            }
            self.telemetry.note_reconnect();
            if time::timeout(QUIET, tender.worn_out()).await.is_err() {
                fault.end();
                backoff.reset();
            }
        }
    }
}

/// How long libvirtd may take to let us in.
pub(crate) fn connect_deadline(address: &Address) -> Duration {
    if address.is_remote() { REMOTE_DEADLINE } else { LOCAL_DEADLINE }
}

/// How long whoever asks by hand waits: a little longer than an attempt, so that it says itself what
/// was wrong.
pub(crate) fn patience(address: &Address) -> Duration {
    connect_deadline(address).saturating_add(Duration::from_secs(1))
}

/// A busy one of this host has been seen to take two seconds.
const LOCAL_DEADLINE: Duration = Duration::from_secs(5);
/// Another host's name is to be found, and ssh to be run there.
const REMOTE_DEADLINE: Duration = Duration::from_secs(10);
/// The part of the time of a session's first scrape in which its domains may be read.
const READING_PART: f64 = 0.5;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_outage_lasts_from_its_first_moment_however_often_it_is_tried() {
        let address: Address = "qemu:///system?socket=/nowhere/at-all".parse().unwrap();
        let observer = Arc::<Telemetry>::default();
        let failed = Session::open(&address.into(), LOCAL_DEADLINE, observer as _).await;
        let error = Arc::new(failed.unwrap_err());
        let mut link = Link::new(LinkState::Connecting);
        let since = link.since;
        for _ in 0..3 {
            link.turn(LinkState::Down(Arc::clone(&error)));
            assert_eq!(link.since, since);
            link.turn(LinkState::Connecting);
            assert_eq!(link.since, since);
        }
    }
}
