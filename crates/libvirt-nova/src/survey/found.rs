//! What a survey has found.

use std::{
    collections::{HashMap, HashSet},
    future::pending,
};

use libvirt_wire::Uuid;
use tokio::time::{self, Instant};

use super::{ask::Readings, late::LateReadings};
use crate::stats::DomainStats;

/// What a survey knows of the domains it asked about.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// What each domain gave that gave something.
    pub(crate) readings: HashMap<Uuid, Reading>,
    /// The domains that libvirtd left out: they have ended.
    pub(crate) ended: HashSet<Uuid>,
    /// The domains that have given nothing yet: libvirtd holds those that it is starting.
    pub(crate) unbegun: HashSet<Uuid>,
    pub(crate) skipped: Skipped,
    /// The domains of which calls came to an end, whichever.
    pub(super) tried: HashSet<Uuid>,
    pub(super) late: LateReadings,
}

/// The statistics of one domain.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Apart, for it is large, and a reading is put into tables and taken out of them.
    pub(crate) stats: Box<DomainStats>,
    /// When libvirtd gave them.
    pub(crate) at: Instant,
}

/// How many domains were not asked for all they have, and why not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Every call would hang in them: not asked at all.
    pub(crate) held: usize,
    /// So many calls hang that no monitor is asked.
    pub(crate) abandoned: usize,
    /// The time was over before their turn came.
    pub(crate) deadline: usize,
}

impl Survey {
    /// Waits for a reply that is late, and takes it over. For ever where there is none.
    pub(super) async fn take_late(&mut self) {
        let Some(readings) = self.late.next().await else { return pending().await };
        self.take(readings);
    }

    /// Takes over what is not known better.
    pub(super) fn take(&mut self, readings: Readings) {
        for (uuid, reading) in readings {
            if !self.has_all_of(&uuid) {
                self.readings.insert(uuid, reading);
            }
        }
    }

    /// Waits until `until` for those replies that are late and would add something.
    pub(super) async fn linger(&mut self, until: Instant) {
        while self.lacks_late() && time::timeout_at(until, self.take_late()).await.is_ok() {}
    }

    pub(crate) fn has_all_of(&self, uuid: &Uuid) -> bool {
        self.readings.get(uuid).is_some_and(|reading| reading.stats.is_complete())
    }

    /// Whether a reply that is late would add something.
    fn lacks_late(&self) -> bool {
        self.late.domains().iter().any(|uuid| !self.has_all_of(uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Balloon;

    fn reading(rss: Option<u64>) -> Reading {
        let balloon = Balloon { rss, ..Balloon::default() };
        let stats = Box::new(DomainStats { balloon, ..DomainStats::default() });
        Reading { stats, at: Instant::now() }
    }

    /// A reply that was late is older than the one that came when it was asked again.
    #[test]
    fn what_is_known_whole_is_not_replaced() {
        let uuid = Uuid([1; 16]);
        let mut survey = Survey::default();
        for (came, known) in [(None, None), (Some(1), Some(1)), (Some(2), Some(1)), (None, Some(1))]
        {
            survey.take(Readings::from([(uuid, reading(came))]));
            assert_eq!(survey.readings[&uuid].stats.balloon.rss, known, "{came:?}");
        }
    }
}
