//! Any bytes as a reply to the call for statistics.

use std::{collections::HashSet, sync::Arc, time::SystemTime};

use exposition::{Format, Labels};
use libvirt_wire::{Call, Domain, Uuid, call::ConnectGetAllDomainStats};
use tokio::time::Instant;

use crate::{
    collectors::Collectors,
    families::{self, Selection},
    inventory::{Devices, Domains, Instance, Metadata},
    snapshot::{Findings, Snapshot},
    stats::DomainStats,
    survey::Reading,
    telemetry::Report,
};

/// Serves whatever statistics a reply holds: no sample may be there twice, and each line is one.
pub fn statistics(data: &[u8]) {
    let Ok(stats) = <ConnectGetAllDomainStats<'_> as Call>::decode(data) else { return };
    let mut findings = Findings::default();
    let mut running = Vec::new();
    for (number, record) in (0..DOMAINS_MAX).zip(&stats.records) {
        // Who is asked for is known by the list, so nobody is there twice.
        let domain = Domain { uuid: Uuid([number; 16]), ..record.domain.clone() };
        let name = format!("{number} {}", domain.name);
        let instance = Instance {
            metadata: Metadata::Foreign,
            devices: Devices::parse(XML).ok().map(Arc::new),
            ..Instance::new(Domain { name, ..domain })
        };
        let stats = DomainStats::new(&record.params);
        assert!(stats.unknown.len() <= record.params.len());
        let reading = Reading { stats: Box::new(stats), at: Instant::now() };
        findings.survey.readings.insert(instance.domain.uuid, reading);
        running.push(Arc::new(instance));
    }
    let domains = Domains { running: running.into(), ..Domains::default() };
    let snapshot = Snapshot::new(None, &domains, findings, SystemTime::now());
    for is_wide in [false, true] {
        let collectors = Collectors::of(|_| true);
        let selection = Selection {
            whose: None,
            collectors,
            is_wide,
            is_tinkoff: true,
            is_kumina: true,
            is_created: false,
        };
        let report = Report::default();
        let text: String =
            families::pieces(Format::Text, selection, Labels::default(), &snapshot, &report)
                .collect();
        let mut seen = HashSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_default();
            assert!(seen.insert(series.to_owned()), "{line}");
            assert!(value.parse().is_ok_and(f64::is_finite), "{line}");
        }
    }
}

/// Domains that are served: more find nothing more.
const DOMAINS_MAX: u8 = 8;

/// The devices of the recorded replies, and two disks of one name.
const XML: &str = "<domain><vcpu>2</vcpu><devices>\
    <disk type='file'><target dev='vda'/></disk><disk type='block'><target dev='vda'/></disk>\
    <interface type='bridge'><target dev='tap00000001-00'/></interface>\
    </devices></domain>";
