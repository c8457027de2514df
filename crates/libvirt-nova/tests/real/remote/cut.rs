//! A cable that is cut: packets are lost, and nobody says so.

use std::time::{Duration, Instant};

use super::{hypervisor::Hypervisor, network::Cut, sshd::Sshd};
use crate::{
    exporter::Exporter,
    outage::recovers,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_cut_is_noticed_within_half_a_minute_and_recovered_from() {
    let hypervisor = Hypervisor::open();
    let guest = hypervisor.libvirtd.bios_guest(&[]);
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let exporters = on_every_way(&hypervisor, &sshd);
    let cut = Cut::new(&hypervisor.libvirtd);
    let began = Instant::now();
    finds_nobody(&exporters);
    for exporter in &exporters {
        let left = NOTICED.saturating_sub(began.elapsed());
        wait_until(left, "a log that tells of the silence", || {
            let log = exporter.log();
            log.iter().any(|line| line.contains("nothing came from libvirtd for")).then_some(())
        });
    }
    finds_nobody(&exporters);
    drop(cut);
    for exporter in &exporters {
        recovers(exporter, &[&guest]);
        let log = exporter.log();
        // Started, listening, connected; lost, not reached, connected again.
        assert!(log.len() <= 8, "{log:#?}");
    }
}

#[test]
fn a_cut_that_is_shorter_costs_no_connection() {
    let hypervisor = Hypervisor::open();
    let guest = hypervisor.libvirtd.bios_guest(&[]);
    let sshd = Sshd::start(&hypervisor.libvirtd);
    let exporters = on_every_way(&hypervisor, &sshd);
    let logs = exporters.each_ref().map(Exporter::log);
    let cut = Cut::new(&hypervisor.libvirtd);
    finds_nobody(&exporters);
    drop(cut);
    for (exporter, log) in exporters.iter().zip(logs) {
        let scrape = recovers(exporter, &[&guest]);
        assert_eq!(scrape.value("libvirt_nova_exporter_reconnects_total", &[]), 0.0);
        assert_eq!(exporter.log(), log);
    }
}

/// So long after the cut it is told of.
const NOTICED: Duration = Duration::from_secs(30);

fn on_every_way(hypervisor: &Hypervisor, sshd: &Sshd<'_>) -> [Exporter; 3] {
    let ways =
        [hypervisor.tls(&hypervisor.pki), "qemu+tcp://127.0.0.1/system".into(), sshd.uri("")];
    ways.map(|uri| {
        let exporter = hypervisor.exporter(&uri, &[]).connected();
        wait_until(PATIENCE, "a scrape that finds libvirtd", || {
            exporter.scrape().up().then_some(())
        });
        exporter
    })
}

/// Asserts that scrapes end in time, and say that libvirtd does not answer.
fn finds_nobody(exporters: &[Exporter]) {
    let timeout = Duration::from_secs(2);
    for exporter in exporters {
        let scrape = exporter.scrape_within(timeout);
        assert!(!scrape.up());
        assert!(scrape.instances().is_empty(), "{}", scrape.response.body);
        let took = scrape.response.took();
        assert!(took < timeout, "{took:?}");
    }
}
