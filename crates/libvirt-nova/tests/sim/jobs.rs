//! Jobs that run in domains.

use crate::{
    bench::{Bench, MOMENT},
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

const GUEST: &str = "instance-00000002";
const LABELS: [(&str, &str); 1] = [("domain", GUEST)];

#[test]
fn a_job_call_that_hangs_costs_its_domain_the_job_and_counts_as_abandoned() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let abandoned = |scrape: &Scrape| -> f64 {
        let samples = scrape.samples("libvirt_nova_exporter_rpc_abandoned", &[]);
        samples.iter().map(|sample| sample.value).sum()
    };
    assert_eq!(abandoned(&bench.scrape()), 0.0);
    bench.order(&format!("fault 298 {GUEST} never"));
    let before = bench.sim.calls_about(2)[&298];
    for round in 0..5 {
        let scrape = bench.scrape();
        let said = Said::of(&scrape);
        assert_eq!(said.lacks(&whole), [GUEST.to_owned()].into(), "round {round}");
        let (all, left) = (whole.families_of(GUEST), said.families_of(GUEST));
        let lost: Vec<_> = all.difference(&left).collect();
        assert_eq!(lost, [&"libvirt_domain_job_info_type"], "round {round}");
        assert_eq!(abandoned(&scrape), 1.0, "round {round}");
        // Once: another would hang as well.
        assert_eq!(bench.sim.calls_about(2)[&298], before + 1, "round {round}");
    }
    // What Nova writes meanwhile is read nevertheless.
    bench.order(&format!("metadata {GUEST} name another"));
    let labels = [("libvirtname", GUEST), ("novaname", "another")];
    assert_eq!(bench.scrape().get("libvirt_nova_instance_info", &labels), Some(1.0));
    bench.order(&format!("metadata {GUEST} name testing-2"));
    bench.order("clear");
    bench.order("restart");
    assert_eq!(bench.whole(12), whole);
}

#[test]
fn a_migration_is_served_as_it_moves_and_its_end_also_once_the_domain_is_gone() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    let of =
        |scrape: &Scrape, family: &str| scrape.get(&format!("libvirt_domain_{family}"), &LABELS);
    bench.order(&format!("migrate {GUEST}"));
    for seconds in [1, 2, 7] {
        bench.order(&format!("clock {}s", MOMENT + seconds));
        let scrape = bench.scrape();
        assert_eq!(of(&scrape, "job_info_type"), Some(2.0));
        #[expect(clippy::cast_precision_loss, reason = "none is beyond 53 bits")]
        let seconds = seconds as f64;
        assert_eq!(of(&scrape, "job_info_time_elapsed_seconds"), Some(seconds));
        assert_eq!(of(&scrape, "job_info_memory_processed_bytes"), Some(seconds * 1e8));
        let operation = [("domain", GUEST), ("operation", "migration_out")];
        assert_eq!(scrape.get("libvirt_domain_job_info_operation", &operation), Some(1.0));
        assert_eq!(of(&scrape, "migration_last_timestamp_seconds"), None);
    }
    bench.order(&format!("migrate {GUEST} end"));
    for round in 0..3 {
        let scrape = bench.scrape();
        assert!(Said::of(&scrape).families_of(GUEST).iter().all(|it| it.contains("_last_")));
        assert_eq!(scrape.value("libvirt_domains", &[]), 2.0, "round {round}");
        assert_eq!(of(&scrape, "migration_last_duration_seconds"), Some(7.0), "round {round}");
        assert_eq!(of(&scrape, "migration_last_downtime_seconds"), Some(0.003));
        assert_eq!(of(&scrape, "migration_last_memory_bytes"), Some(2048.0 * 1024.0 * 1024.0));
        assert!(of(&scrape, "migration_last_timestamp_seconds").is_some());
    }
    // Another libvirtd knows nothing of it.
    bench.order("restart");
    let last = || of(&bench.scrape(), "migration_last_duration_seconds");
    wait_until(PATIENCE, "the same after a restart", || (last() == Some(7.0)).then_some(()));
    bench.order(&format!("clock {MOMENT}s"));
    let others = Said::of(&bench.scrape()).without(GUEST);
    assert_eq!(others, whole.without(GUEST));
}

#[test]
fn a_migration_that_is_aborted_leaves_the_domain_as_it_was() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    bench.order(&format!("migrate {GUEST}"));
    let control = [("domain", GUEST), ("state", "job")];
    let scrape = bench.scrape();
    assert_eq!(scrape.value("libvirt_domain_control_state", &control), 1.0);
    assert_eq!(scrape.value("libvirt_domain_stats_complete", &LABELS), 1.0);
    bench.order(&format!("migrate {GUEST} abort"));
    assert_eq!(Said::of(&bench.scrape()), whole);
    let last = "libvirt_domain_migration_last_timestamp_seconds";
    assert_eq!(bench.scrape().get(last, &LABELS), None);
}

#[test]
fn what_happens_to_guests_is_counted() {
    let bench = Bench::with(3, &[], &["--min-age=1m", "-interval=0"]);
    bench.whole(3);
    let count = |scrape: &Scrape, event: &str, detail: &str| {
        let labels = [("domain", GUEST), ("event", event), ("detail", detail)];
        scrape.get("libvirt_domain_events_total", &labels)
    };
    let scrape = bench.scrape();
    assert_eq!(count(&scrape, "io-error", "pause"), Some(0.0));
    assert_eq!(count(&scrape, "reboot", ""), None);
    for command in ["reboot", "reboot", "watchdog", "io-error"] {
        bench.order(&format!("{command} {GUEST}"));
    }
    let scrape = bench.scrape();
    for (event, detail, expected) in [
        ("reboot", "", 2.0),
        ("watchdog", "none", 1.0),
        ("io-error", "pause", 1.0),
        ("suspended", "io-error", 1.0),
    ] {
        assert_eq!(count(&scrape, event, detail), Some(expected), "{event} {detail}");
    }
    assert_eq!(scrape.state(GUEST), Some("paused"));
    let reason = [("domain", GUEST), ("reason", "ioerror")];
    assert_eq!(
        scrape.get("libvirt_domain_state_reason", &reason),
        Some(1.0),
        "{:?}",
        scrape.samples("libvirt_domain_state_reason", &LABELS)
    );
}
