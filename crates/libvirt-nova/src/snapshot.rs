//! What one scrape found: plain data, absent is `None`.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    inventory::{Devices, Instance, Roster},
    poll::CpuTimes,
    stats::{Balloon, DomainStats, State},
    survey::Survey,
};

/// What one scrape found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Whether libvirtd answered; `None` where there was no time to ask.
    pub(crate) up: Option<bool>,
    /// The compute host's name, as libvirtd says it.
    pub(crate) host: Option<String>,
    /// The instances that run, by libvirt name.
    pub(crate) instances: Vec<Measured>,
}

/// A running instance and what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) instance: Arc<Instance>,
    pub(crate) cpu_time: Option<Duration>,
    /// `None` where libvirtd gave nothing in time.
    pub(crate) stats: Option<DomainStats>,
    /// What the guest told of its memory, where that still holds.
    pub(crate) balloon: Option<Balloon>,
}

impl Snapshot {
    /// Nothing but that libvirtd did not answer.
    pub(crate) fn down() -> Self {
        Self { up: Some(false), ..Self::default() }
    }

    /// Puts together what was found at `now`. Instances that ended meanwhile are
    /// left out whole.
    pub(crate) fn new(
        host: Option<String>,
        roster: &Roster,
        times: &CpuTimes,
        survey: Survey,
        now: SystemTime,
    ) -> Self {
        let Survey { stats, ended } = survey;
        let instances = roster
            .iter()
            .filter(|instance| !ended.contains(&instance.domain.uuid))
            .filter(|instance| !has_ended(stats.get(&instance.domain.uuid)))
            .map(|instance| {
                let stats = stats.get(&instance.domain.uuid).cloned();
                let balloon = stats.as_ref().and_then(|stats| {
                    holds(stats, instance.devices.as_deref(), now).then(|| stats.balloon.clone())
                });
                Measured {
                    cpu_time: times.get(&instance.domain.uuid).copied(),
                    instance: Arc::clone(instance),
                    stats,
                    balloon,
                }
            })
            .collect();
        Self { up: Some(true), host, instances }
    }
}

/// Whether libvirt measured a domain whose QEMU was no more.
fn has_ended(stats: Option<&DomainStats>) -> bool {
    let state = stats.and_then(|stats| stats.state);
    matches!(state, Some(State::Shutoff | State::Crashed))
}

/// Whether what the guest told of its memory still holds.
///
/// QEMU keeps the last answer of a driver that answers no more. One that is
/// older than three periods is history, unless the guest stands still: then it
/// uses what it used.
fn holds(stats: &DomainStats, devices: Option<&Devices>, now: SystemTime) -> bool {
    let Some(told) = stats.balloon.last_update else { return true };
    if !matches!(stats.state, Some(State::Running | State::Blocked)) {
        return true;
    }
    let period = devices.map_or(Some(NOVA_PERIOD), |devices| devices.balloon_period);
    let Some(period) = period else { return false };
    // A clock that was set back makes no answer old.
    now.duration_since(told).map_or(true, |age| age <= period.saturating_mul(PERIODS))
}

/// Nova's `mem_stats_period_seconds`, for a domain whose XML is not known yet.
const NOVA_PERIOD: Duration = Duration::from_secs(10);
/// Periods after which a guest's silence means that it does not answer.
const PERIODS: u32 = 3;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn stats(state: State) -> DomainStats {
        let last_update = UNIX_EPOCH.checked_add(Duration::from_secs(1000));
        let balloon = Balloon { last_update, ..Balloon::default() };
        DomainStats { state: Some(state), balloon, ..DomainStats::default() }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn what_a_silent_guest_told_holds_for_three_periods() {
        let period = Some(Duration::from_secs(10));
        let devices = Devices { balloon_period: period, ..Devices::default() };
        let holds = |state, now| holds(&stats(state), Some(&devices), at(now));
        assert!(holds(State::Running, 1030));
        assert!(!holds(State::Running, 1031));
        assert!(holds(State::Running, 990), "the clock was set back");
        assert!(holds(State::Paused, 9000), "it stands still");
    }

    #[test]
    fn nobody_asks_a_guest_without_a_period() {
        assert!(!holds(&stats(State::Running), Some(&Devices::default()), at(1001)));
        assert!(holds(&stats(State::Running), None, at(1030)), "the period is not known yet");
        assert!(!holds(&stats(State::Running), None, at(1031)), "but it is no excuse");
    }
}
