//! What answers a scrape.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::Mutex,
    time::{self, Instant},
};

use crate::{
    daemon::Daemon,
    families,
    inventory::{Instance, Roster},
    snapshot::Snapshot,
    survey::survey,
};

/// What answers a scrape.
#[derive(Debug)]
pub(crate) struct Exporter {
    daemon: Daemon,
    last: Mutex<Option<Collection>>,
}

/// What one collection found.
#[derive(Debug)]
struct Collection {
    began: Instant,
    /// Whether its deadline cut it short.
    is_cut: bool,
    snapshot: Arc<Snapshot>,
}

impl Exporter {
    pub(crate) fn new(daemon: Daemon) -> Self {
        Self { daemon, last: Mutex::default() }
    }

    /// Returns a whole exposition in Prometheus' text format, within `deadline`.
    ///
    /// Scrapes that arrive while another is served share the collection after
    /// it: none is answered with what was measured before it came, and libvirtd
    /// does the work once. One that has no time left to ask libvirtd says nothing
    /// of it, not even whether it is up.
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
        if let Some(Collection { began, is_cut: false, snapshot }) = &*last
            && *began >= arrived
        {
            return Arc::clone(snapshot);
        }
        let began = Instant::now();
        let snapshot = Arc::new(self.collect(until).await);
        let is_cut = until <= Instant::now();
        *last = Some(Collection { began, is_cut, snapshot: Arc::clone(&snapshot) });
        snapshot
    }

    async fn collect(&self, until: Instant) -> Snapshot {
        let left = || until.saturating_duration_since(Instant::now());
        let patience = until.min(later(Instant::now(), CONNECT_PATIENCE));
        let Some(live) = self.daemon.live(patience).await else { return Snapshot::down() };
        // A domain may hold the list up. Then what was listed last has to do, as
        // long as libvirtd is there at all.
        if !live.inventory.settle(SETTLE_PATIENCE.min(left().mul_f64(0.3))).await
            && !live.answers(ANSWER_PATIENCE.min(left().mul_f64(0.3))).await
        {
            return Snapshot::down();
        }
        let roster = live.inventory.roster();
        live.troubles.keep(&roster);
        let poll_until = later(Instant::now(), left().mul_f64(POLL_SHARE));
        let times = live.poll.round(&roster, poll_until).await;
        let survey = survey(&live.calls, &live.troubles, &roster, until).await;
        // Whoever ended meanwhile was measured in half.
        let settled = live.inventory.settle(LAST_LOOK.min(left())).await;
        // Where libvirtd went away meanwhile, half an answer is none.
        if live.feed.is_closed() {
            return Snapshot::down();
        }
        let roster = if settled { still_there(&roster, &live.inventory.roster()) } else { roster };
        Snapshot::new(live.hostname.clone(), &roster, &times, survey, SystemTime::now())
    }
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

fn later(from: Instant, pause: Duration) -> Instant {
    from.checked_add(pause).unwrap_or(from)
}

/// How long a scrape waits for a connection that is being made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a scrape waits to know which domains there are.
const SETTLE_PATIENCE: Duration = Duration::from_secs(1);
/// How long libvirtd may take to show that it is there.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// What the poll may take of the time that is left: with the default deadline,
/// enough to find out that a domain hangs without its monitor.
const POLL_SHARE: f64 = 0.55;
/// How long a scrape waits in the end to know who is gone.
const LAST_LOOK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use libvirt_wire::{Domain, Uuid};

    use super::*;
    use crate::inventory::Metadata;

    fn roster(runs: &[(u8, u32)]) -> Roster {
        let instance = |(number, id): &(u8, u32)| {
            let uuid = Uuid([*number; 16]);
            let domain = Domain { name: String::new(), uuid, id: Some(*id) };
            let metadata = Metadata::Unknown;
            Arc::new(Instance { domain, uuid: uuid.to_string(), metadata, devices: None })
        };
        runs.iter().map(instance).collect()
    }

    #[test]
    fn who_ended_or_was_started_again_meanwhile_is_not_the_one_that_was_measured() {
        let measured = roster(&[(1, 10), (2, 11), (3, 12)]);
        let later = roster(&[(1, 10), (3, 13), (4, 14)]);
        assert_eq!(still_there(&measured, &later), roster(&[(1, 10)]));
        assert_eq!(still_there(&measured, &measured), measured);
    }
}
