//! A host of many domains: what a scrape finds of them, its snapshot, and the exposition.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use exposition::{Format, Labels};
use libvirt_wire::{
    Domain, Uuid,
    call::{ControlInfo, ControlState},
};
use tokio::time::Instant;

use super::guest::{instance, stats};
use crate::{
    families::{self, Selection},
    http,
    inventory::{Domains, Roster},
    poll::{CpuReading, CpuTime, CpuTimes},
    snapshot::{Findings, Snapshot},
    stats::Job,
    survey::Reading,
    telemetry::Report,
    usage::{Occasion, Usage, Usages},
};

/// A host whose domains are known.
#[derive(Debug)]
pub struct Host {
    domains: Domains,
}

/// What was asked for and given.
#[derive(Debug)]
pub struct Found(Findings);

/// A host whose domains have been measured.
#[derive(Debug)]
pub struct Measured(Snapshot);

impl Host {
    /// A host of so many domains with four vCPUs, two disks and two network interfaces each.
    pub fn new(domains: u32) -> Self {
        let running = (0..domains).map(|number| Arc::new(instance(number))).collect();
        Self { domains: Domains { running, ..Domains::default() } }
    }

    /// What a scrape finds where everybody answers.
    pub fn find(&self) -> Found {
        let mut findings = Findings::default();
        for (number, instance) in (0..).zip(self.domains.running.iter()) {
            let uuid = instance.domain.uuid;
            let time = Some(Duration::from_nanos(u64::from(number).saturating_mul(1_000_003)));
            let cpu = CpuTime { total: time, user: time, system: time };
            findings.times.insert(uuid, CpuReading { cpu, at: Instant::now() });
            let reading = Reading { stats: Box::new(stats(number)), at: Instant::now() };
            findings.survey.readings.insert(uuid, reading);
            let control = ControlInfo { state: Some(ControlState::Ok), since: Duration::ZERO };
            findings.controls.insert(uuid, control);
            findings.jobs.insert(uuid, Box::new(Job::new(Some(0), &[])));
        }
        findings.usages = usages(&self.domains.running, &findings.times);
        Found(findings)
    }

    /// Puts together what was found.
    pub fn measure(&self, found: Found) -> Measured {
        Measured(Snapshot::new(None, &self.domains, found.0, SystemTime::now()))
    }
}

impl Measured {
    /// The pieces of a scrape with all that is served unless told otherwise.
    pub fn expose(&self, take: impl FnMut(String)) {
        let (selection, report) = (Selection::default(), Report::default());
        families::pieces(Format::Text, selection, Labels::default(), &self.0, &report)
            .for_each(take);
    }

    /// Pieces compressed, as they are sent.
    pub fn compress(pieces: Vec<String>) -> Vec<u8> {
        http::gzipped(pieces)
    }

    #[cfg(test)]
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.0
    }
}

/// What two polls of which the second found no more see.
fn usages(running: &Roster, times: &CpuTimes) -> HashMap<Uuid, Usage> {
    let usages = Usages::new(Duration::from_secs(1));
    usages.observe(Occasion::Tick, running, times);
    let mut later = times.clone();
    for reading in later.values_mut() {
        reading.at = reading.at.checked_add(Duration::from_secs(1)).unwrap_or(reading.at);
    }
    usages.observe(Occasion::Tick, running, &later);
    let of = |domain: &Domain| (domain.uuid, usages.of(domain, Instant::now()));
    running.iter().map(|instance| of(&instance.domain)).collect()
}
