//! A libvirtd that can be asked: its connections, and who uses them.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use libvirt_client::{Calls, Client, Events, Ledger};
use libvirt_wire::{Domain, Uuid, call::ConnectGetHostname};
use tokio::{
    select,
    time::{self, Instant, MissedTickBehavior},
};

use crate::{
    care::Care,
    control::{Controls, STUCK},
    families::Selection,
    fault::Faults,
    filter::Filter,
    host::Host,
    inventory::{self, Inventory, Keeper, Past, Roster},
    jobs::Jobs,
    later::later,
    placements::{self, Placements},
    poll::{self, Poll},
    states,
    stats::DomainStats,
    survey::Surveyor,
    trouble::Troubles,
    usage::{Occasion, Usages},
};

/// A libvirtd that can be asked.
#[derive(Debug)]
pub(crate) struct Live {
    monitor: Calls,
    lookups: Calls,
    /// The connection of the events, which lasts as long as libvirtd does.
    pub(crate) feed: Client,
    /// The host's name, as libvirtd says it.
    pub(crate) hostname: Option<String>,
    pub(crate) inventory: Inventory,
    pub(crate) poll: Poll,
    pub(crate) usages: Arc<Usages>,
    pub(crate) surveyor: Surveyor,
    pub(crate) controls: Controls,
    pub(crate) jobs: Jobs,
    pub(crate) host: Host,
    pub(crate) selection: Selection,
    interval: Duration,
    filter: Arc<Filter>,
    lasting: Lasting,
    is_new: AtomicBool,
    care: Care,
    /// What libvirtd has not answered yet.
    pub(crate) ledger: Ledger,
}

/// What is known of a libvirtd and its domains, and outlives a session with it.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    troubles: Arc<Troubles>,
    /// With reading domains, those that do not run included.
    pub(crate) unread: Arc<Troubles>,
    pub(crate) faults: Arc<Faults>,
    cpu_source: Arc<OnceLock<poll::Source>>,
    pub(crate) past: Arc<Past>,
    pub(crate) usages: Arc<Usages>,
}

/// What libvirtd is asked for, and how much of it may hang.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// Pause between two polls; zero polls only when scraped.
    pub(crate) interval: Duration,
    /// Abandoned calls at which no monitor is asked any more.
    pub(crate) abandoned_max: usize,
    pub(crate) selection: Selection,
    /// Which domains are asked about.
    pub(crate) filter: Arc<Filter>,
}

impl Lasting {
    /// Nothing of one that nobody has asked. `interval` is the pause between two polls.
    pub(crate) fn new(interval: Duration) -> Self {
        let (troubles, unread, faults, cpu_source, past) = Default::default();
        let usages = Arc::new(Usages::new(interval));
        Self { troubles, unread, faults, cpu_source, past, usages }
    }
}

impl Live {
    /// What is made of a session's connections.
    pub(crate) fn new(
        [monitor, lookups]: [Calls; 2],
        feed: Client,
        ledger: Ledger,
        hostname: Option<String>,
        inventory: Inventory,
        terms: &Terms,
        lasting: &Lasting,
    ) -> Self {
        let lasting = lasting.clone();
        let Lasting { troubles, faults, cpu_source, usages, .. } = lasting.clone();
        let Terms { interval, abandoned_max, selection, ref filter } = *terms;
        let filter = Arc::clone(filter);
        let care = Care::new(ledger.clone(), abandoned_max);
        let of_troubles = || Arc::clone(&troubles);
        let calls = lookups.clone();
        let poll = Poll::new(calls, feed.clone(), care.clone(), of_troubles(), cpu_source);
        let (calls, groups) = (monitor.clone(), selection.collectors.groups());
        let surveyor = Surveyor::new(calls, lookups.clone(), care.clone(), of_troubles(), groups);
        let jobs = Jobs::new(monitor.clone(), care.clone(), of_troubles());
        let host = Host::new(lookups.clone(), ledger.clone(), faults);
        let controls = Controls::new(lookups.clone(), care.clone(), of_troubles());
        let is_new = AtomicBool::new(true);
        Self {
            monitor,
            lookups,
            feed,
            hostname,
            inventory,
            poll,
            usages,
            surveyor,
            controls,
            jobs,
            host,
            selection,
            interval,
            filter,
            lasting,
            is_new,
            care,
            ledger,
        }
    }

    /// Keeps the inventory and the poll going until the connection of the events ends.
    pub(crate) async fn run(&self, keeper: Keeper, events: Events) {
        let (lookups, care, feed) = (self.lookups.clone(), self.care.clone(), self.feed.clone());
        let (filter, lasting) = (Arc::clone(&self.filter), self.lasting.clone());
        select! {
            () = inventory::run(keeper, lookups, care, feed, events, filter, lasting) => {}
            () = self.poll_each() => {}
            () = self.feed.closed() => {}
        }
    }

    /// Whether a call hangs in a domain.
    pub(crate) fn is_silent(&self, domain: &Domain) -> bool {
        self.care.is_hung(domain) || self.care.is_held(domain)
    }

    /// Since when QEMU, or libvirt itself, has left whoever asks about a domain waiting, where that
    /// is longer than a busy host takes.
    pub(crate) fn stuck_since(&self, domain: &Domain) -> Option<Instant> {
        let since = [self.care.occupied_since(domain), self.care.held_since(domain)];
        since.into_iter().flatten().min().filter(|since| since.elapsed() >= STUCK)
    }

    /// Since when libvirtd has left everybody waiting, where it is asked each second.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        let last = self.ledger.last_answer()?;
        let patience = self.interval.saturating_mul(2).saturating_add(SILENT);
        (!self.interval.is_zero() && last.elapsed() > patience).then_some(last)
    }

    /// The states of domains that do not run.
    pub(crate) async fn states(
        &self,
        inactive: &Roster,
        until: Instant,
    ) -> Vec<(Uuid, DomainStats)> {
        states::states(&self.lookups, &self.care, inactive, until).await
    }

    /// The CPUs that vCPUs were on last.
    pub(crate) async fn placements(&self, roster: &Roster, until: Instant) -> Placements {
        placements::placements(&self.lookups, &self.care, roster, until).await
    }

    /// Says goodbye, so that libvirtd logs no fault.
    pub(crate) async fn close(&self) {
        tokio::join!(self.monitor.close(), self.lookups.close(), self.feed.close());
    }

    /// Whether libvirtd answers a call that concerns no domain, within `deadline`.
    pub(crate) async fn answers(&self, deadline: Duration) -> bool {
        // Not over the calls' connection, which may be full of calls that hang.
        self.feed
            .call(&ConnectGetHostname, deadline)
            .await
            .is_ok_and(|reply| reply.decode().is_ok())
    }

    /// Whether libvirtd has answered something a moment ago.
    pub(crate) fn has_just_answered(&self) -> bool {
        let is_recent = |at: Instant| at.elapsed() < JUST_NOW;
        !self.feed.is_closed() && self.ledger.last_answer().is_some_and(is_recent)
    }

    /// Whether nothing has been collected yet.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Relaxed)
    }

    /// Notes that something is collected; returns whether it is the first.
    pub(crate) fn begin_collecting(&self) -> bool {
        self.is_new.swap(false, Ordering::Relaxed)
    }

    /// Forgets what was known of domains that are no more.
    pub(crate) fn keep(&self, roster: &Roster) {
        self.lasting.troubles.keep(roster);
        self.controls.keep(roster);
        self.usages.keep(roster);
    }

    /// Makes a round each interval, for ever. Never where it is zero.
    async fn poll_each(&self) {
        let interval = self.interval;
        if interval.is_zero() {
            return std::future::pending().await;
        }
        let mut ticks = time::interval(interval);
        // After a daemon's pause, one round is worth as much as all that were missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let began = ticks.tick().await;
            // What is not listed is not gone.
            if !self.inventory.is_listed() {
                continue;
            }
            let roster = self.inventory.roster();
            self.usages.keep(&roster);
            // Where there is nobody to be asked about, it is still to be known whether libvirtd
            // answers.
            if roster.is_empty() && self.answers(ANSWER_PATIENCE).await {
                self.usages.note_answer();
            }
            let times = self.poll.round(&roster, later(ROUND_MAX)).await;
            self.usages.observe(Occasion::Tick, &roster, &times);
            // One more call a domain each second would double what polling costs, so
            // only those are asked in which a call hangs.
            let domains = roster.iter().map(|instance| &instance.domain);
            let hung = domains.filter(|domain| self.care.is_hung(domain));
            self.controls.round(hung, later(ROUND_MAX)).await;
            // Where libvirtd is too slow for it, others need it too.
            if began.elapsed() >= interval {
                ticks.reset();
            }
        }
    }
}

/// How long ago an answer shows that libvirtd is there.
const JUST_NOW: Duration = Duration::from_millis(500);
/// How long a round between scrapes may take.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// How long libvirtd may take to answer a poll of nobody.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// How long libvirtd may leave a poll waiting before it counts as silent.
const SILENT: Duration = Duration::from_secs(2);
