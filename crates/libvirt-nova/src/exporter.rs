//! What answers a scrape.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::Mutex,
    time::{self, Instant},
};

use crate::{daemon::Daemon, families, snapshot::Snapshot, survey::survey};

/// What answers a scrape.
#[derive(Debug)]
pub(crate) struct Exporter {
    daemon: Daemon,
    /// When the last collection began, and what it found.
    last: Mutex<Option<(Instant, Arc<Snapshot>)>>,
}

impl Exporter {
    pub(crate) fn new(daemon: Daemon) -> Self {
        Self { daemon, last: Mutex::default() }
    }

    /// Returns a whole exposition in Prometheus' text format, within `deadline`.
    ///
    /// Scrapes that arrive while another is served share the collection after
    /// it: none is answered with what was measured before it came, and libvirtd
    /// does the work once.
    pub(crate) async fn scrape(&self, deadline: Duration) -> String {
        let arrived = Instant::now();
        let until = later(arrived, deadline);
        let snapshot = self.snapshot(arrived, until).await;
        families::expose(&snapshot)
    }

    async fn snapshot(&self, arrived: Instant, until: Instant) -> Arc<Snapshot> {
        // The one before us keeps to a deadline of its own, which may be later than ours.
        let Ok(mut last) = time::timeout_at(until, self.last.lock()).await else {
            return Arc::default();
        };
        if let Some((began, snapshot)) = &*last
            && *began >= arrived
        {
            return Arc::clone(snapshot);
        }
        let began = Instant::now();
        let snapshot = Arc::new(self.collect(began, until).await);
        *last = Some((began, Arc::clone(&snapshot)));
        snapshot
    }

    async fn collect(&self, began: Instant, until: Instant) -> Snapshot {
        let patience = until.min(later(began, CONNECT_PATIENCE));
        let Some(live) = self.daemon.live(patience).await else { return Snapshot::default() };
        let left = until.saturating_duration_since(Instant::now());
        if !live.inventory.settle(left).await {
            return Snapshot::default();
        }
        let roster = live.inventory.roster();
        let times = live.poll.round(&roster, began, until).await;
        let survey = survey(&live.client, &roster, until).await;
        // Where libvirtd went away meanwhile, half an answer is none. The other
        // connection may be replaced by us, and says nothing of the kind.
        if live.feed.is_closed() {
            return Snapshot::default();
        }
        Snapshot::new(live.host.clone(), &roster, &times, survey, SystemTime::now())
    }
}

fn later(from: Instant, pause: Duration) -> Instant {
    from.checked_add(pause).unwrap_or(from)
}

/// How long a scrape waits for a connection that is being made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
