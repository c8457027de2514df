//! What a check finds out: plain data, from which all findings follow.

use std::{
    fs, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{self, Instant};

use super::door::{Door, Outcome};
use crate::{
    daemon::{Daemon, connect_deadline},
    exporter::Exporter,
    families::Selection,
    flags::Flags,
    host::Versions,
    inventory::{Domains, Metadata},
    later::later,
    live::Live,
    log, poll,
    program::Program,
    snapshot::{Measured, Snapshot},
    stats::DomainStats,
    survey::Skipped,
    telemetry::Report,
    watched::{Plan, Watched},
};

/// What a check finds out.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) door: Door,
    /// How long a collection may take.
    pub(super) deadline: Duration,
    /// Flags that were given and change nothing.
    pub(super) ignored: Vec<&'static str>,
    /// The host's clock, after the collection.
    pub(super) now: SystemTime,
    pub(super) heard: Heard,
}

/// How far libvirtd answered.
#[derive(Debug)]
pub(super) enum Heard {
    /// It did not let us in.
    Nothing,
    /// It let us in, and did not say which domains there are.
    NoList,
    /// It told what there is.
    All(Box<Host>),
}

/// What libvirtd told, and what explains it.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) selection: Selection,
    /// Whether not every domain is served.
    pub(super) is_filtered: bool,
    pub(super) versions: Versions,
    pub(super) domains: Domains,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) skipped: Skipped,
    /// Where CPU times come from; `None` where nobody has any.
    pub(super) cpu_source: Option<poll::Source>,
    /// Calls that failed, by procedure and reason: libvirt's number or our word.
    pub(super) failures: Vec<(&'static str, String)>,
    pub(super) kernel: Kernel,
    /// How virsh is called to reach this libvirtd.
    pub(super) virsh: String,
}

/// What the kernel says of its scheduler's statistics.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kernel {
    /// `kernel.sched_schedstats`; `None` where there is no such setting.
    pub(super) schedstats: Option<bool>,
    /// Its release: 6.1.
    pub(super) release: Option<(u32, u32)>,
}

impl Facts {
    /// Looks at the host: one session, a collection or two within the deadline each, the versions.
    pub(super) async fn gather(flags: Flags, log: Arc<log::Record>) -> Self {
        let (deadline, ignored, address) =
            (flags.deadline, flags.ignored.clone(), flags.access.address.clone());
        let is_filtered = !flags.filter.is_all();
        let flags = Flags { interval: Duration::ZERO, min_age: Duration::ZERO, ..flags };
        let program = Arc::new(Program::new(log, None));
        let plan = Plan::new(&flags);
        let (watched, watching) = plan.watch(flags.access, plan.standing(), program);
        let Watched { daemon, exporter, .. } = watched;
        let watching = tokio::spawn(watching);
        // As long as an attempt takes at most, so that it says itself what was wrong.
        let live = daemon.live(later(connect_deadline(&address).saturating_add(MARGIN))).await;
        let outcome = match &live {
            Some(_) => Outcome::opened(&exporter.report()),
            None => Outcome::failed(daemon.fault().as_deref()),
        };
        let door = Door::look(&address, outcome);
        let heard = match live {
            None => Heard::Nothing,
            Some(live) => match collect(&live, &exporter, deadline).await {
                None => Heard::NoList,
                Some(snapshot) => {
                    let versions = versions(&live, later(READ_PATIENCE.min(deadline))).await;
                    let host =
                        Host::new(&live, is_filtered, versions, snapshot, exporter.report(), &door);
                    Heard::All(Box::new(host))
                }
            },
        };
        watching.abort();
        goodbye(&daemon).await;
        Self { door, deadline, ignored, now: SystemTime::now(), heard }
    }
}

/// Makes a collection, once it is known what the domains are made of, and another one where a
/// guest lacks something; `None` where libvirtd does not say which there are.
async fn collect(live: &Live, exporter: &Exporter, deadline: Duration) -> Option<Arc<Snapshot>> {
    let until = later(READ_PATIENCE.min(deadline));
    let is_read = || {
        let Domains { running, unread, .. } = live.inventory.domains();
        let mut instances = running.iter();
        unread.is_empty()
            && instances.all(|it| it.devices.is_some() && it.metadata != Metadata::Unknown)
    };
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let is_settled = live.inventory.settle(left).await;
        if is_settled && is_read() || until <= Instant::now() {
            break;
        }
        time::sleep(PAUSE).await;
    }
    let mut snapshot = exporter.snapshot(Instant::now(), later(deadline)).await;
    let is_lacking =
        |guest: &Measured| !guest.stats.as_deref().is_some_and(DomainStats::is_complete);
    if snapshot.instances.iter().any(is_lacking) {
        // What was late or busy by chance is there the next time; what hangs still does.
        time::sleep(SECOND_LOOK).await;
        snapshot = exporter.snapshot(Instant::now(), later(deadline)).await;
    }
    (snapshot.up == Some(true)).then_some(snapshot)
}

/// Asks for the versions until they are told: a libvirtd that has just been started looks at its
/// QEMU first.
async fn versions(live: &Live, until: Instant) -> Versions {
    let mut known = Versions::default();
    loop {
        // What was told once is not told again where the time is over.
        let [hypervisor, libvirt] = live.host.versions(until).await;
        let [hypervisor_before, libvirt_before] = known;
        known = [hypervisor.or(hypervisor_before), libvirt.or(libvirt_before)];
        if known.iter().all(Option::is_some) || until <= Instant::now() {
            return known;
        }
        time::sleep(PAUSE).await;
    }
}

/// Says goodbye, but not to a libvirtd that does not listen.
async fn goodbye(daemon: &Daemon) {
    let _ = time::timeout(MARGIN, daemon.close()).await;
}

impl Host {
    fn new(
        live: &Live,
        is_filtered: bool,
        versions: Versions,
        snapshot: Arc<Snapshot>,
        report: Report,
        door: &Door,
    ) -> Self {
        Self {
            selection: live.selection,
            is_filtered,
            versions,
            domains: live.inventory.domains(),
            snapshot,
            skipped: report.collection.map(|it| it.skipped).unwrap_or_default(),
            cpu_source: live.poll.source(),
            failures: report.failures.into_keys().collect(),
            // What this host's kernel says is not another's.
            kernel: if door.is_remote() { Kernel::default() } else { Kernel::look() },
            virsh: door.virsh(),
        }
    }

    /// The version of libvirt, as far as releases are told apart.
    pub(super) fn libvirt(&self) -> Option<(u32, u32)> {
        let [_, libvirt] = &self.versions;
        release(libvirt.as_deref()?)
    }
}

impl Kernel {
    fn look() -> Self {
        let read = |name: &str| -> io::Result<String> {
            fs::read_to_string(format!("/proc/sys/kernel/{name}"))
        };
        Self {
            schedstats: read("sched_schedstats").ok().map(|text| text.trim() != "0"),
            release: read("osrelease").ok().and_then(|text| release(&text)),
        }
    }
}

/// The first two numbers of a version.
pub(super) fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|it: char| !it.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// How long a check waits for what an attempt to connect, or its end, should have brought.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a check waits for domains to be read: one that fails is read again after a second.
const READ_PATIENCE: Duration = Duration::from_secs(2);
/// The pause before a second collection.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// The pause between two looks at what has been read.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
pub(super) mod fixture {
    //! A host on which all is well, to be spoilt by tests.

    use std::time::UNIX_EPOCH;

    use libvirt_wire::{
        Domain, Uuid,
        call::{ControlInfo, ControlState},
    };

    use super::*;
    use crate::{
        inventory::{Devices, Instance, Nova},
        poll::CpuTime,
        stats::{Balloon, State, Vcpu},
        usage::Usage,
    };

    /// A host of these guests.
    pub(crate) fn host(guests: Vec<Measured>) -> Host {
        let running: Vec<_> = guests.iter().map(|guest| Arc::clone(&guest.instance)).collect();
        let count = running.len();
        let domains = Domains { running: running.into(), count, ..Domains::default() };
        let snapshot = Snapshot { up: Some(true), instances: guests, ..Snapshot::default() };
        Host {
            selection: Selection::default(),
            is_filtered: false,
            versions: [Some("7.2.19".to_owned()), Some("9.0.0".to_owned())],
            domains,
            snapshot: Arc::new(snapshot),
            skipped: Skipped::default(),
            cpu_source: Some(poll::Source::Cgroup),
            failures: Vec::new(),
            kernel: Kernel { schedstats: Some(true), release: Some((5, 10)) },
            virsh: "virsh".to_owned(),
        }
    }

    /// A guest of Nova's that is well but for what `spoil` does to its statistics.
    pub(crate) fn guest(name: &str, spoil: impl FnOnce(&mut DomainStats)) -> Measured {
        let domain = Domain { name: name.to_owned(), uuid: Uuid([1; 16]), id: Some(1) };
        let nova = Nova { name: Some("web".to_owned()), ..Nova::default() };
        let period = Some(Duration::from_secs(10));
        let devices = Devices { balloon_period: period, ..Devices::default() };
        let instance = Instance {
            metadata: Metadata::Nova(Arc::new(nova)),
            devices: Some(Arc::new(devices)),
            ..Instance::new(domain)
        };
        let second = Some(Duration::from_secs(1));
        let vcpu =
            Vcpu { time: second, wait: second, delay: second, state: Some(1), ..Vcpu::default() };
        let balloon = Balloon {
            rss: Some(1),
            available: Some(4),
            usable: Some(2),
            last_update: UNIX_EPOCH.checked_add(Duration::from_secs(1_700_000_000)),
            ..Balloon::default()
        };
        let state = Some(State::Running);
        let mut stats = DomainStats { state, balloon, vcpus: vec![vcpu], ..DomainStats::default() };
        spoil(&mut stats);
        let well = ControlInfo { state: Some(ControlState::Ok), since: Duration::ZERO };
        Measured {
            instance: Arc::new(instance),
            runs: true,
            cpu: CpuTime { total: second, ..CpuTime::default() },
            usage: Usage::default(),
            balloon: Some(stats.balloon.clone()),
            stats: Some(Box::new(stats)),
            at: None,
            control: Some(well),
            is_silent: false,
            job: None,
            placements: Vec::new(),
        }
    }

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(release("9.0.0"), Some((9, 0)));
        assert_eq!(release("6.18.44-fc\n"), Some((6, 18)));
        assert_eq!(release("5.14"), Some((5, 14)));
        assert_eq!(release("x"), None);
    }
}
