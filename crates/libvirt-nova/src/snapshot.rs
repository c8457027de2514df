//! What one scrape found: plain data, absent is `None`.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use libvirt_wire::{Domain, Uuid, call::ControlInfo};
use tokio::time::Instant;

use crate::{
    control::ControlInfos,
    host::{HostFacts, Node, Pool, Versions},
    inventory::{Devices, Domains, Instance, LastJob},
    jobs::JobsByDomain,
    placements::Placements,
    poll::{CpuTime, CpuTimes},
    stats::{Balloon, DomainStats, Job, State},
    survey::Survey,
    usage::Usage,
};

/// What one scrape found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Whether libvirtd answered; `None` where there was no time to ask.
    pub(crate) up: Option<bool>,
    /// The compute host's name, as libvirtd says it.
    pub(crate) host: Option<String>,
    /// How many domains libvirt knows.
    pub(crate) domain_count: Option<usize>,
    /// The instances that run, by libvirt name.
    pub(crate) instances: Vec<Measured>,
    /// Those that are only defined, by libvirt name.
    pub(crate) inactive: Vec<Measured>,
    /// The last migrations away from here.
    pub(crate) last_migrations: Arc<[Arc<LastJob>]>,
    pub(crate) node: Node,
    pub(crate) pools: Vec<Pool>,
    pub(crate) versions: Versions,
}

/// An instance and what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) instance: Arc<Instance>,
    /// Whether it runs. One that does not has a state and nothing else.
    pub(crate) runs: bool,
    pub(crate) cpu: CpuTime,
    /// How many vCPUs it uses.
    pub(crate) usage: Usage,
    /// `None` where libvirtd gave nothing in time.
    pub(crate) stats: Option<Box<DomainStats>>,
    /// What the guest told of its memory, where that still holds.
    pub(crate) balloon: Option<Balloon>,
    /// When libvirtd gave `stats`.
    pub(crate) at: Option<Instant>,
    /// Whether QEMU answers libvirt, as far as somebody waits for it.
    pub(crate) control: Option<ControlInfo>,
    /// Whether a call hangs in it.
    pub(crate) is_silent: bool,
    /// The job that runs in it, or that none does.
    pub(crate) job: Option<Box<Job>>,
    /// vCPUs and the CPUs that they were on last, where they are asked for.
    pub(crate) placements: Vec<(u32, u32)>,
}

/// What was found by asking for it.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) times: CpuTimes,
    pub(crate) usages: HashMap<Uuid, Usage>,
    pub(crate) survey: Survey,
    pub(crate) controls: ControlInfos,
    pub(crate) jobs: JobsByDomain,
    pub(crate) placements: Placements,
    /// The domains in which a call hangs.
    pub(crate) silent: HashSet<Uuid>,
    /// Of those that do not run.
    pub(crate) states: Vec<(Uuid, DomainStats)>,
    pub(crate) host: HostFacts,
}

impl Snapshot {
    /// Nothing but that libvirtd did not answer.
    pub(crate) fn down() -> Self {
        Self { up: Some(false), ..Self::default() }
    }

    /// What was found of this run of a domain.
    pub(crate) fn of(&self, domain: &Domain) -> Option<&Measured> {
        // They are sorted by their names.
        let to_name = |it: &Measured| it.instance.domain.name.cmp(&domain.name);
        let found = self.instances.binary_search_by(to_name).ok()?;
        self.instances.get(found).filter(|measured| measured.instance.domain == *domain)
    }

    /// Puts together what was found at `now`. Instances that ended meanwhile, or
    /// have not begun, are left out whole.
    pub(crate) fn new(
        host: Option<String>,
        domains: &Domains,
        findings: Findings,
        now: SystemTime,
    ) -> Self {
        let Findings {
            times,
            mut usages,
            survey,
            controls,
            mut jobs,
            mut placements,
            silent,
            states,
            host: facts,
        } = findings;
        let Survey { readings, ended, unbegun, .. } = survey;
        let mut readings = readings;
        let is_absent = |uuid| ended.contains(uuid) || unbegun.contains(uuid);
        let running = domains.running.iter().filter(|it| !is_absent(&it.domain.uuid));
        let measured = running.filter_map(|instance| {
            let uuid = instance.domain.uuid;
            let devices = instance.devices.as_deref();
            let (stats, at) =
                readings.remove(&uuid).map(|reading| (reading.stats, reading.at)).unzip();
            if stats.as_ref().is_some_and(|stats| !runs(stats, devices)) {
                return None;
            }
            let told = stats.as_ref();
            let told = told.filter(|stats| holds(stats, devices, instance.stopped, now));
            Some(Measured {
                runs: true,
                cpu: times.get(&uuid).map(|reading| reading.cpu).unwrap_or_default(),
                usage: usages.remove(&uuid).unwrap_or_default(),
                balloon: told.map(|stats| stats.balloon.clone()),
                at,
                control: controls.get(&uuid).copied(),
                is_silent: silent.contains(&uuid),
                job: jobs.remove(&uuid),
                placements: placements.remove(&uuid).unwrap_or_default(),
                ..Measured::new(instance, stats)
            })
        });
        // Nearly all of them are there, and each is large: none is to be moved for want of room.
        let mut instances = Vec::with_capacity(domains.running.len());
        instances.extend(measured);
        let mut states: HashMap<_, _> = states.into_iter().collect();
        let inactive = domains.inactive.iter();
        let inactive = inactive
            .map(|instance| {
                Measured::new(instance, states.remove(&instance.domain.uuid).map(Box::new))
            })
            .collect();
        let HostFacts { node, pools, versions } = facts;
        Self {
            up: Some(true),
            host,
            domain_count: Some(domains.count),
            instances,
            inactive,
            last_migrations: Arc::clone(&domains.last_migrations),
            node,
            pools,
            versions,
        }
    }
}

impl Measured {
    /// An instance that does not run.
    fn new(instance: &Arc<Instance>, stats: Option<Box<DomainStats>>) -> Self {
        Self {
            instance: Arc::clone(instance),
            runs: false,
            cpu: CpuTime::default(),
            usage: Usage::default(),
            stats,
            balloon: None,
            at: None,
            control: None,
            is_silent: false,
            job: None,
            placements: Vec::new(),
        }
    }

    /// What it does.
    pub(crate) fn state(&self) -> Option<State> {
        self.stats.as_ref()?.state
    }

    /// The migration that runs.
    pub(crate) fn migration(&self) -> Option<&Job> {
        self.job.as_deref().filter(|job| job.is_migration())
    }
}

/// Whether what libvirt measured is a domain that runs, rather than one that
/// begins or ends.
///
/// QEMU dies up to 0.2 s before libvirt notices, and its taps die with it. A QEMU
/// that merely does not answer keeps them.
fn runs(stats: &DomainStats, devices: Option<&Devices>) -> bool {
    // libvirt names the interface, and finds nothing of that name.
    let is_gone =
        |tap: &str| stats.nets.iter().any(|net| net.name == tap && net.received_bytes.is_none());
    let is_dead = || {
        let mut interfaces = devices.iter().flat_map(|devices| &devices.interfaces);
        // A QEMU that lives has memory, where it was looked at.
        stats.balloon.rss.is_none()
            && stats.blocks.iter().all(|block| block.read_bytes.is_none())
            && (stats.state == Some(State::Shutdown)
                || interfaces.any(|nic| nic.is_tap() && nic.target.as_deref().is_some_and(is_gone)))
    };
    match stats.state {
        // A crashed one may be kept for whoever looks for the cause: its QEMU is there.
        Some(State::Shutoff) => false,
        Some(State::Paused) if stats.is_starting() => false,
        Some(_) | None => !is_dead(),
    }
}

/// Whether what the guest told of its memory still holds.
///
/// QEMU keeps the last answer of a driver that answers no more. One that is
/// older than three periods is history, unless the guest has been standing still
/// since: then it uses what it used.
fn holds(
    stats: &DomainStats,
    devices: Option<&Devices>,
    stopped: Option<SystemTime>,
    now: SystemTime,
) -> bool {
    let Some(told) = stats.balloon.last_update else { return false };
    let period = devices.map_or(Some(NOVA_PERIOD), |devices| devices.balloon_period);
    let Some(period) = period else { return false };
    let runs = matches!(stats.state, Some(State::Running | State::Blocked));
    let then = stopped.filter(|_| !runs).unwrap_or(now);
    // A clock that was set back makes no answer old.
    then.duration_since(told).map_or(true, |age| age <= period.saturating_mul(PERIODS))
}

/// Nova's `mem_stats_period_seconds`, for a domain whose XML is not known yet.
const NOVA_PERIOD: Duration = Duration::from_secs(10);
/// Periods after which a guest's silence means that it does not answer.
const PERIODS: u32 = 3;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::{
        inventory::Interface,
        stats::{Block, Net},
    };

    fn stats(state: State) -> DomainStats {
        let last_update = UNIX_EPOCH.checked_add(Duration::from_secs(1000));
        let balloon = Balloon { last_update, ..Balloon::default() };
        DomainStats { state: Some(state), balloon, ..DomainStats::default() }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_stuck_qemu_is_told_from_a_dead_one_by_its_taps() {
        let devices = |kind: &str| {
            let (target, kind) = (Some("tap1".into()), kind.into());
            let interfaces = vec![Interface { target, kind, ..Interface::default() }];
            Devices { interfaces, ..Devices::default() }
        };
        let (tap, vhostuser) = (devices("bridge"), devices("vhostuser"));
        let net = |received_bytes| Net { name: "tap1".into(), received_bytes, ..Net::default() };
        let block = |read_bytes| Block { name: "vda".into(), read_bytes, ..Block::default() };
        let measured = |state, received, read| DomainStats {
            state: Some(state),
            nets: vec![net(received)],
            blocks: vec![block(read)],
            ..DomainStats::default()
        };
        assert!(runs(&measured(State::Running, Some(1), None), Some(&tap)), "stuck");
        assert!(runs(&measured(State::Running, None, Some(1)), Some(&tap)), "its tap was deleted");
        assert!(
            runs(&measured(State::Crashed, Some(1), Some(1)), Some(&tap)),
            "kept as it crashed"
        );
        let mut diskless = measured(State::Running, None, None);
        diskless.balloon.rss = Some(1);
        assert!(runs(&diskless, Some(&tap)), "it has no disk, and its tap was deleted");
        assert!(runs(&measured(State::Running, None, None), Some(&vhostuser)), "it had none");
        assert!(runs(&measured(State::Running, None, None), None), "its XML is not known");
        assert!(!runs(&measured(State::Running, None, None), Some(&tap)), "dead");
        assert!(!runs(&measured(State::Shutdown, Some(1), None), Some(&tap)), "dying");
        assert!(!runs(&measured(State::Shutoff, Some(1), Some(1)), Some(&tap)), "shut off");
    }

    #[test]
    fn what_a_silent_guest_told_holds_for_three_periods() {
        let period = Some(Duration::from_secs(10));
        let devices = Devices { balloon_period: period, ..Devices::default() };
        let holds = |state, stopped, now| {
            holds(&stats(state), Some(&devices), Option::map(stopped, at), at(now))
        };
        assert!(holds(State::Running, None, 1030));
        assert!(!holds(State::Running, None, 1031));
        assert!(holds(State::Running, None, 990), "the clock was set back");
        assert!(holds(State::Paused, Some(1029), 9000), "it has been standing still since");
        assert!(!holds(State::Paused, Some(1031), 9000), "it had been silent before");
        assert!(!holds(State::Paused, None, 9000), "nobody knows for how long it stands still");
        assert!(holds(State::Paused, None, 1030));
    }

    #[test]
    fn nobody_asks_a_guest_without_a_period() {
        let (running, silent) = (stats(State::Running), DomainStats::default());
        let holds = |stats: &DomainStats, devices: Option<&Devices>, now| {
            holds(stats, devices, None, at(now))
        };
        let never_asks = Devices::default();
        assert!(!holds(&running, Some(&never_asks), 1001));
        assert!(holds(&running, None, 1030), "the period is not known yet");
        assert!(!holds(&running, None, 1031), "but it is no excuse");
        assert!(!holds(&silent, None, 1000), "it has never told anything");
    }
}
