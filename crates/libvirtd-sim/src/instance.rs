//! A Nova instance: the domain, what is in it, and how it is.

use std::time::Duration;

use libvirt_wire::{Domain, TypedParam, Uuid};

use crate::{counters::Counters, flavor::Flavor, job::Job, migration::Migration, nova::Nova};

/// A Nova instance on this host.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Everything else follows from it: name, UUID, flavor, project, load.
    pub(crate) number: u32,
    /// The domain as procedures name it; its id is `None` while it is shut off.
    pub(crate) domain: Domain,
    pub(crate) flavor: Flavor,
    pub(crate) nova: Nova,
    pub(crate) state: State,
    /// How many disks and network interfaces are attached.
    pub(crate) disks: u32,
    pub(crate) interfaces: u32,
    /// Whether the guest has a balloon driver that tells of its memory.
    pub(crate) balloon_driver: bool,
    pub(crate) health: Health,
    /// Who holds the domain's job.
    pub(crate) job: Option<Job>,
    /// The migration that is under way.
    pub(crate) migration: Option<Migration>,
    /// What is told of the last job that went well.
    pub(crate) completed: Option<Vec<TypedParam<'static>>>,
    /// Fields of its statistics that are other than they should be.
    pub(crate) fields: Vec<(String, Altered)>,
    /// Texts in its XML, and what is there in their stead.
    pub(crate) xml: Vec<(String, String)>,
    /// How long this run's vCPUs ran before `since`.
    ran: Duration,
    /// Since when they run, by the simulator's clock.
    since: Option<Duration>,
    /// When they were stopped last, by the simulator's clock.
    stopped: Duration,
}

/// `virDomainState`, with the one reason that commands can bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Running since it was booted.
    Booted,
    /// Running since it was resumed.
    Unpaused,
    /// Paused by somebody.
    Paused,
    /// Paused by QEMU, for want of a place to write to.
    IoError,
    /// Shut off by somebody, but still defined.
    Destroyed,
}

impl State {
    /// `virDomainState` and its reason.
    pub(crate) fn numbers(self) -> (i32, i32) {
        match self {
            Self::Booted => (1, 1),
            Self::Unpaused => (1, 5),
            Self::Paused => (3, 1),
            Self::IoError => (3, 5),
            Self::Destroyed => (5, 2),
        }
    }
}

/// What a field of statistics is on command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Altered {
    /// Not there.
    Gone,
    /// This number, of the type that the field has, or an unsigned one of 64 bits.
    Number(u64),
    /// This text.
    Text(String),
}

/// What a domain makes libvirtd wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nothing.
    Well,
    /// Its QEMU does not answer the monitor.
    Stuck,
    /// Its lock is held, so nobody gets to know anything of it.
    Held,
}

impl Instance {
    /// An instance that is shut off.
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            domain: Domain { name: name_of(number), uuid: uuid_of(number), id: None },
            flavor: Flavor::of(number),
            nova: Nova::of(number),
            state: State::Destroyed,
            // Every third has a volume, every fourth a second port.
            disks: if number.is_multiple_of(3) { 2 } else { 1 },
            interfaces: if number.is_multiple_of(4) { 2 } else { 1 },
            balloon_driver: true,
            health: Health::Well,
            job: None,
            migration: None,
            completed: None,
            fields: Vec::new(),
            xml: Vec::new(),
            ran: Duration::ZERO,
            since: None,
            stopped: Duration::ZERO,
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.domain.id.is_some()
    }

    /// Boots it, as run number `id`.
    pub(crate) fn start(&mut self, id: u32, now: Duration) {
        self.domain.id = Some(id);
        self.state = State::Booted;
        self.ran = Duration::ZERO;
        self.since = Some(now);
    }

    /// Has another value in its statistics.
    pub(crate) fn alter(&mut self, field: String, altered: Altered) {
        self.fields.retain(|(known, _)| *known != field);
        self.fields.push((field, altered));
    }

    pub(crate) fn suspend(&mut self, now: Duration, state: State) {
        self.ran = self.ran(now);
        self.since = None;
        self.stopped = now;
        self.state = state;
    }

    pub(crate) fn resume(&mut self, now: Duration) {
        self.since = Some(now);
        self.state = State::Unpaused;
    }

    pub(crate) fn destroy(&mut self) {
        self.domain.id = None;
        self.state = State::Destroyed;
        self.ran = Duration::ZERO;
        self.since = None;
        self.health = Health::Well;
        self.job = None;
        self.migration = None;
    }

    /// How long this run's vCPUs have run.
    fn ran(&self, now: Duration) -> Duration {
        let ran = self.since.map(|since| now.saturating_sub(since)).unwrap_or_default();
        self.ran.saturating_add(ran)
    }

    /// What this run has done.
    pub(crate) fn counters(&self, now: Duration) -> Counters {
        Counters::new(self.number, self.ran(now))
    }

    /// When the guest last told of its memory, by the simulator's clock: at
    /// each multiple of the balloon's period of the time it has run.
    pub(crate) fn balloon_update(&self, now: Duration) -> Duration {
        let ran = self.ran(now);
        let seconds = ran.as_secs().checked_div(BALLOON_PERIOD_SECONDS).unwrap_or(0);
        let told = Duration::from_secs(seconds.saturating_mul(BALLOON_PERIOD_SECONDS));
        let at = if self.since.is_some() { now } else { self.stopped };
        at.saturating_sub(ran.saturating_sub(told))
    }

    /// The name on the host of an interface.
    pub(crate) fn tap(&self, interface: u32) -> String {
        format!("tap{:08x}-{interface:02x}", self.number)
    }

    /// The name inside the guest of a disk.
    pub(crate) fn target(disk: u32) -> String {
        let letter = char::from_u32(u32::from(b'a').saturating_add(disk)).unwrap_or('z');
        format!("vd{letter}")
    }

    /// What backs a disk: the root disk is a file, the others are volumes.
    pub(crate) fn disk_path(&self, disk: u32) -> String {
        match disk {
            0 => format!("/var/lib/nova/instances/{}/disk", self.domain.uuid),
            _ => format!("/dev/disk/by-id/volume-{}", self.volume(disk)),
        }
    }

    /// The id of the Cinder volume that is this disk.
    pub(crate) fn volume(&self, disk: u32) -> Uuid {
        numbered([0xcc, 0xcc, 0xcc, 0xcc], disk, self.number)
    }
}

/// Nova's `mem_stats_period_seconds`.
pub(crate) const BALLOON_PERIOD_SECONDS: u64 = 10;
/// The most disks or interfaces a domain can have: `vdz`.
pub(crate) const DEVICES_MAX: u32 = 26;

/// The name that libvirt calls the instance with this number by.
pub(crate) fn name_of(number: u32) -> String {
    format!("instance-{number:08x}")
}

/// The UUID of the instance with this number.
pub(crate) fn uuid_of(number: u32) -> Uuid {
    let [a, b, c, d] = number.to_be_bytes();
    let [head @ .., _, _, _, _] = UUID;
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(head.into_iter().chain([a, b, c, d])).for_each(|(to, from)| *to = from);
    Uuid(bytes)
}

/// The number of the instance with this UUID.
pub(crate) fn number_of(uuid: Uuid) -> Option<u32> {
    let [.., a, b, c, d] = uuid.0;
    let number = u32::from_be_bytes([a, b, c, d]);
    (uuid_of(number) == uuid).then_some(number)
}

/// `11111111-2222-4333-8444-000000000000`
const UUID: [u8; 16] =
    [0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33, 0x84, 0x44, 0, 0, 0, 0, 0, 0];

/// A UUID that tells what kind of thing, which one, and whose.
pub(crate) fn numbered(kind: [u8; 4], which: u32, owner: u32) -> Uuid {
    let [k0, k1, k2, k3] = kind;
    let [_, _, w0, w1] = which.to_be_bytes();
    let [o0, o1, o2, o3] = owner.to_be_bytes();
    Uuid([k0, k1, k2, k3, 0xbb, 0xbb, 0x4c, 0xcc, 0x8d, 0xdd, w0, w1, o0, o1, o2, o3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_testbed() {
        let instance = Instance::new(0x30f);
        assert_eq!(instance.domain.name, "instance-0000030f");
        assert_eq!(instance.domain.uuid.to_string(), "11111111-2222-4333-8444-00000000030f");
        assert_eq!(number_of(instance.domain.uuid), Some(0x30f));
        assert_eq!(number_of(instance.volume(1)), None);
        assert_eq!(instance.tap(1), "tap0000030f-01");
        assert_eq!(Instance::target(1), "vdb");
    }

    #[test]
    fn a_paused_instance_stands_still() {
        let seconds = Duration::from_secs;
        let mut instance = Instance::new(1);
        instance.start(1, seconds(5));
        instance.suspend(seconds(28), State::Paused);
        assert_eq!(instance.ran(seconds(60)), seconds(23));
        assert_eq!(instance.balloon_update(seconds(60)), seconds(25));
        instance.resume(seconds(60));
        assert_eq!(instance.ran(seconds(61)), seconds(24));
    }
}
