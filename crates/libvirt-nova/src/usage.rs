//! How many vCPUs domains use, from one poll to the next.
//!
//! What a poll read is divided by the time that passed on the monotonic clock between the
//! readings, however late it came. A domain of which there is nothing to compare with, because
//! it has just started, or arrived, or libvirtd was silent about it for long, has no usage
//! until the next poll.
//!
//! * [`recent`]: the last minute

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use libvirt_wire::{Domain, Uuid};
use tokio::{sync::watch, time::Instant};

pub(crate) use self::recent::MINUTE;
use self::recent::Recent;
use crate::{
    histogram::Histogram,
    inventory::{Instance, Roster},
    poll::{CpuReading, CpuTime, CpuTimes},
};

mod recent;

/// How many vCPUs each domain uses.
#[derive(Debug)]
pub(crate) struct Usages {
    interval: Duration,
    began: Instant,
    tracks: Mutex<HashMap<Uuid, Track>>,
    /// When libvirtd answered a poll last.
    polled: watch::Sender<Option<Polled>>,
}

/// How many vCPUs a domain uses.
///
/// It may be more than the domain has: what QEMU does besides, disks and network above all, is
/// in it, as it is in the mission's counter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Over the last poll interval; `None` where the last polls did not tell.
    pub(crate) in_use: Option<f64>,
    /// The highest of those of the last minute, and of `in_use` where that is older; `None` where
    /// `in_use` is.
    pub(crate) peak: Option<f64>,
    /// `None` before the first observation.
    pub(crate) utilization: Option<Utilization>,
}

/// How often a domain used how much of what it has, since this run of it was seen first.
pub(crate) type Utilization = Histogram<{ PARTS.len() }>;

/// Upper bounds: parts of the vCPUs that the domain has.
const PARTS: [f64; 6] = [0.1, 0.25, 0.5, 0.75, 0.9, 1.0];

/// When libvirtd answered a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Polled {
    pub(crate) at: Instant,
    /// The same by the host's clock.
    pub(crate) time: SystemTime,
}

/// Which poll a reading is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// That of the interval.
    Tick,
    /// That of a scrape, which counts where the other one is overdue or there is none: as many
    /// observations as intervals, however many scrapes.
    Scrape,
}

/// What is known of one run of a domain.
#[derive(Clone, Debug)]
struct Track {
    /// libvirt's number of the run.
    id: Option<u32>,
    last: CpuReading,
    /// When the last observation ended, and what it was.
    observed: Option<(Instant, f64)>,
    recent: Recent,
    utilization: Utilization,
}

impl Usages {
    /// `interval` is the pause between two polls; zero where only scrapes poll.
    pub(crate) fn new(interval: Duration) -> Self {
        let (tracks, polled) = (Mutex::default(), watch::Sender::new(None));
        Self { interval, began: Instant::now(), tracks, polled }
    }

    /// Forgets the runs that are no more. `roster` is what libvirtd listed, before a poll of it.
    pub(crate) fn keep(&self, roster: &Roster) {
        let runs: HashMap<_, _> =
            roster.iter().map(|instance| (instance.domain.uuid, instance.domain.id)).collect();
        self.tracks().retain(|uuid, track| runs.get(uuid) == Some(&track.id));
    }

    /// Notes that nobody has polled for a while: what is polled next is compared with nothing, unless
    /// only scrapes poll, which may be as far apart.
    pub(crate) fn interrupt(&self) {
        if !self.interval.is_zero() {
            for track in self.tracks().values_mut() {
                (track.last.cpu, track.observed) = (CpuTime::default(), None);
            }
        }
    }

    /// Takes over what a poll of `roster` read.
    pub(crate) fn observe(&self, occasion: Occasion, roster: &Roster, times: &CpuTimes) {
        let mut tracks = self.tracks();
        for instance in roster.iter() {
            let Domain { uuid, id, .. } = instance.domain;
            let Some(reading) = times.get(&uuid) else { continue };
            match tracks.get_mut(&uuid).filter(|track| track.id == id) {
                Some(track) => self.advance(track, occasion, *reading, instance),
                None => drop(tracks.insert(uuid, Track::new(id, *reading))),
            }
        }
        drop(tracks);
        if !times.is_empty() {
            self.note_answer();
        }
    }

    /// Notes that libvirtd answered a poll, if only that of a host without guests.
    pub(crate) fn note_answer(&self) {
        let polled = Polled { at: Instant::now(), time: SystemTime::now() };
        self.polled.send_replace(Some(polled));
    }

    /// Observes what was used since the last reading, unless there is nothing to be said of it.
    fn advance(
        &self,
        track: &mut Track,
        occasion: Occasion,
        reading: CpuReading,
        instance: &Instance,
    ) {
        let least = match occasion {
            Occasion::Tick => self.interval.mul_f64(0.5),
            Occasion::Scrape => self.interval.mul_f64(1.5),
        };
        let Some(passed) = reading.at.checked_duration_since(track.last.at) else { return };
        if passed < least.max(LEAST) {
            return;
        }
        let last = mem::replace(&mut track.last, reading);
        let moved = reading.cpu.total.zip(last.cpu.total);
        // A counter that fell is another counter.
        let moved = moved.and_then(|(now, before)| now.checked_sub(before));
        let Some(moved) = moved.filter(|_| passed <= self.longest()) else { return };
        let in_use = moved.as_secs_f64() / passed.as_secs_f64();
        track.observed = Some((reading.at, in_use));
        track.recent.note(self.second(reading.at), in_use);
        let vcpus = instance.devices.as_ref().and_then(|devices| devices.vcpus_maximum);
        if let Some(vcpus) = vcpus.filter(|vcpus| *vcpus > 0) {
            track.utilization.observe(in_use / f64::from(vcpus));
        }
    }

    /// What is known of a domain's usage, for a scrape whose poll began at `now`.
    ///
    /// Numbers that no poll has renewed for more than two intervals are left out. Where only
    /// scrapes poll, they are those of this scrape.
    pub(crate) fn of(&self, domain: &Domain, now: Instant) -> Usage {
        self.within(self.freshness(), domain, now)
    }

    /// The same for who looks at `now` and is told how old it is: where only scrapes poll, what
    /// the last one saw holds for a minute.
    pub(crate) fn shown(&self, domain: &Domain, now: Instant) -> Usage {
        let age_max = if self.interval.is_zero() { SHOWN } else { self.freshness() };
        self.within(age_max, domain, now)
    }

    fn within(&self, age_max: Duration, domain: &Domain, now: Instant) -> Usage {
        let tracks = self.tracks();
        let Some(track) = tracks.get(&domain.uuid).filter(|track| track.id == domain.id) else {
            return Usage::default();
        };
        let is_fresh = |at: Instant| now.saturating_duration_since(at) <= age_max;
        let in_use = track.observed.filter(|(at, _)| is_fresh(*at)).map(|(_, in_use)| in_use);
        Usage {
            in_use,
            peak: in_use.map(|in_use| {
                track.recent.peak(self.second(now)).map_or(in_use, |peak| peak.max(in_use))
            }),
            utilization: Some(track.utilization.clone()).filter(|it| it.count() > 0),
        }
    }

    /// What a domain used in each second of the last minute, the last one last.
    pub(crate) fn recent(&self, domain: &Domain, now: Instant) -> [Option<f64>; MINUTE] {
        let tracks = self.tracks();
        let track = tracks.get(&domain.uuid).filter(|track| track.id == domain.id);
        track.map_or([None; MINUTE], |track| track.recent.seconds(self.second(now)))
    }

    /// When libvirtd answered a poll last, and word of each that it answers.
    pub(crate) fn polled(&self) -> watch::Receiver<Option<Polled>> {
        self.polled.subscribe()
    }

    /// How old the last observation may be.
    fn freshness(&self) -> Duration {
        if self.interval.is_zero() {
            return Duration::ZERO;
        }
        self.interval.saturating_mul(2).saturating_add(SLACK)
    }

    /// The longest time between two readings that says anything of what goes on now.
    fn longest(&self) -> Duration {
        if self.interval.is_zero() {
            return LONGEST;
        }
        self.interval.saturating_mul(3).saturating_add(SLACK.saturating_mul(10))
    }

    fn second(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_secs()
    }

    fn tracks(&self) -> MutexGuard<'_, HashMap<Uuid, Track>> {
        // Nothing panics while it holds the lock.
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Track {
    fn new(id: Option<u32>, last: CpuReading) -> Self {
        let (recent, utilization) = (Recent::default(), Histogram::new(&PARTS));
        Self { id, last, observed: None, recent, utilization }
    }
}

/// The least time between two readings: the kernel counts CPU time in ticks of some
/// milliseconds, which would be most of what is seen in less.
const LEAST: Duration = Duration::from_millis(50);
/// How late a poll may be on a busy host.
const SLACK: Duration = Duration::from_secs(1);
/// For how long the page shows what a scrape's poll saw, where nobody else polls.
const SHOWN: Duration = Duration::from_secs(MINUTE as u64);
/// The longest time between two scrapes that says anything of what goes on now.
const LONGEST: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inventory::Devices;

    /// A domain with two vCPUs, and those who poll it.
    struct Guest {
        usages: Usages,
        began: Instant,
        roster: Roster,
    }

    impl Guest {
        fn new(interval: Duration) -> Self {
            let began = Instant::now();
            Self { usages: Usages { began, ..Usages::new(interval) }, began, roster: run(1) }
        }

        fn at(&self, seconds: f64) -> Instant {
            self.began.checked_add(Duration::from_secs_f64(seconds)).unwrap()
        }

        /// A poll that finds `cpu` seconds; none where libvirtd does not answer for it.
        fn poll(&self, occasion: Occasion, at: f64, cpu: Option<f64>) {
            let uuid = self.roster[0].domain.uuid;
            let total = cpu.map(Duration::from_secs_f64);
            let reading = |total| CpuReading {
                cpu: CpuTime { total: Some(total), ..CpuTime::default() },
                at: self.at(at),
            };
            let times = total.map(|total| (uuid, reading(total))).into_iter().collect();
            self.usages.keep(&self.roster);
            self.usages.observe(occasion, &self.roster, &times);
        }

        fn tick(&self, at: f64, cpu: f64) {
            self.poll(Occasion::Tick, at, Some(cpu));
        }

        fn usage(&self, at: f64) -> Usage {
            self.usages.of(&self.roster[0].domain, self.at(at))
        }

        fn in_use(&self, at: f64) -> Option<f64> {
            self.usage(at).in_use
        }

        fn count(&self) -> u64 {
            self.usage(0.0).utilization.map_or(0, |utilization| utilization.count())
        }
    }

    fn run(id: u32) -> Roster {
        let domain = Domain { name: "instance-1".into(), uuid: Uuid([1; 16]), id: Some(id) };
        let devices = Devices { vcpus_maximum: Some(2), ..Devices::default() };
        let devices = Some(Arc::new(devices));
        vec![Arc::new(Instance { devices, ..Instance::new(domain) })].into()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[track_caller]
    fn assert_near(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn a_poll_that_came_late_is_divided_by_the_time_that_passed() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 100.0);
        assert_eq!(guest.usage(0.0), Usage::default(), "there is nothing to compare with");
        guest.tick(1.0, 100.3);
        assert_near(guest.in_use(1.0), 0.3);
        guest.tick(4.0, 101.2);
        assert_near(guest.in_use(4.0), 0.3);
        let utilization = guest.usage(4.0).utilization.unwrap();
        assert_eq!(utilization.buckets()[..2], [(0.1, 0), (0.25, 2)]);
        assert_eq!(utilization.count(), 2);
    }

    #[test]
    fn another_run_is_another_domain() {
        let mut guest = Guest::new(SECOND);
        guest.tick(0.0, 100.0);
        guest.tick(1.0, 102.0);
        guest.roster = run(2);
        guest.tick(2.0, 0.5);
        assert_eq!(guest.usage(2.0), Usage::default());
        guest.tick(3.0, 1.0);
        assert_near(guest.usage(3.0).peak, 0.5);
        assert_eq!(guest.count(), 1);
    }

    #[test]
    fn a_counter_that_falls_is_no_usage() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 100.0);
        guest.tick(1.0, 99.0);
        assert_eq!(guest.usage(1.0), Usage::default());
        guest.tick(2.0, 99.5);
        assert_near(guest.in_use(2.0), 0.5);
    }

    #[test]
    fn who_was_paused_has_used_nothing() {
        let guest = Guest::new(SECOND);
        for (at, cpu) in [(0.0, 10.0), (1.0, 10.0), (2.0, 10.0)] {
            guest.tick(at, cpu);
        }
        assert_eq!(guest.in_use(2.0), Some(0.0));
        guest.tick(3.0, 10.5);
        assert_near(guest.in_use(3.0), 0.5);
    }

    #[test]
    fn what_is_not_renewed_is_left_out() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 10.0);
        guest.tick(1.0, 12.0);
        for silent in [2.0, 3.0, 4.0] {
            guest.poll(Occasion::Tick, silent, None);
        }
        assert_near(guest.in_use(4.0), 2.0);
        let stale = guest.usage(4.1);
        assert_eq!((stale.in_use, stale.peak), (None, None));
        assert_eq!(stale.utilization.map(|it| it.count()), Some(1), "a counter stays");
        // What was used meanwhile is no usage of any second.
        guest.tick(60.0, 60.0);
        assert_eq!(guest.in_use(60.0), None);
        guest.tick(61.0, 61.0);
        assert_near(guest.in_use(61.0), 1.0);
    }

    #[test]
    fn the_peak_outlives_the_second_but_not_the_minute() {
        let guest = Guest::new(SECOND);
        for (at, cpu) in [(0, 0.0), (1, 0.1), (2, 2.1), (3, 2.2)] {
            guest.tick(f64::from(at), cpu);
        }
        assert_near(guest.usage(3.0).peak, 2.0);
        for at in 4..=62 {
            guest.tick(f64::from(at), 2.2);
        }
        assert_near(guest.usage(62.0).peak, 0.1);
    }

    /// A poll that is slow knows an older roster.
    #[test]
    fn a_poll_that_does_not_know_a_guest_forgets_nothing_of_it() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 0.0);
        guest.tick(1.0, 0.5);
        guest.usages.observe(Occasion::Scrape, &Roster::default(), &CpuTimes::new());
        assert_near(guest.in_use(1.0), 0.5);
        guest.usages.keep(&Roster::default());
        assert_eq!(guest.usage(1.0), Usage::default(), "it is gone");
    }

    #[test]
    fn after_an_interruption_it_takes_two_polls_and_what_was_counted_goes_on() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 0.0);
        guest.tick(1.0, 0.5);
        guest.usages.interrupt();
        assert_eq!(guest.in_use(1.0), None);
        guest.tick(4.0, 0.6);
        assert_eq!(guest.in_use(4.0), None, "there is nothing to compare with");
        guest.tick(5.0, 0.9);
        assert_near(guest.in_use(5.0), 0.3);
        assert_eq!(guest.count(), 2);
        let guest = Guest::new(Duration::ZERO);
        guest.poll(Occasion::Scrape, 0.0, Some(0.0));
        guest.usages.interrupt();
        guest.poll(Occasion::Scrape, 400.0, Some(100.0));
        assert_near(guest.in_use(400.0), 0.25);
    }

    #[test]
    fn libvirtd_has_answered_a_poll_only_where_it_has() {
        let usages = Usages::new(SECOND);
        usages.observe(Occasion::Tick, &Roster::default(), &CpuTimes::new());
        usages.observe(Occasion::Tick, &run(1), &CpuTimes::new());
        assert_eq!(*usages.polled().borrow(), None);
        usages.note_answer();
        assert!(usages.polled().borrow().is_some());
    }

    #[test]
    fn the_peak_of_a_long_interval_is_its_last_observation() {
        let guest = Guest::new(Duration::from_secs(100));
        guest.tick(0.0, 0.0);
        guest.tick(100.0, 50.0);
        assert_near(guest.usage(250.0).peak, 0.5);
    }

    #[test]
    fn scrapes_add_observations_only_where_the_poll_is_overdue() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 0.0);
        guest.poll(Occasion::Scrape, 0.9, Some(0.9));
        guest.tick(1.0, 1.0);
        guest.poll(Occasion::Scrape, 1.01, Some(1.0));
        assert_eq!(guest.count(), 1);
        guest.poll(Occasion::Scrape, 2.6, Some(1.8));
        assert_near(guest.in_use(2.6), 0.5);
        guest.tick(2.7, 1.8);
        assert_eq!(guest.count(), 2);
    }

    #[test]
    fn where_only_scrapes_poll_their_own_poll_counts() {
        let guest = Guest::new(Duration::ZERO);
        guest.poll(Occasion::Scrape, 0.0, Some(0.0));
        guest.poll(Occasion::Scrape, 0.01, Some(0.01));
        assert_eq!(guest.in_use(0.0), None, "the kernel's ticks are as long");
        guest.poll(Occasion::Scrape, 15.0, Some(3.0));
        assert_near(guest.in_use(14.9), 0.2);
        // In the next scrape, libvirtd does not answer for it.
        guest.poll(Occasion::Scrape, 30.0, None);
        assert_eq!(guest.in_use(29.9), None);
        let shown = |at| guest.usages.shown(&guest.roster[0].domain, guest.at(at)).in_use;
        assert_near(shown(29.9), 0.2);
        assert_eq!(shown(75.1), None, "a minute is long enough");
    }

    #[test]
    fn a_reading_that_is_older_than_the_last_one_changes_nothing() {
        let guest = Guest::new(SECOND);
        guest.tick(0.0, 0.0);
        guest.tick(2.0, 1.0);
        guest.poll(Occasion::Scrape, 1.5, Some(0.75));
        assert_near(guest.in_use(2.0), 0.5);
    }
}
