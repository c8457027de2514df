//! Domains that are defined and do not run.

use crate::{bench::Bench, scrape::Scrape};

const OFF: &str = "instance-00000004";
const ARGS: [&str; 2] = ["--min-age=0", "-interval=0"];

/// The families in which a domain is.
fn families<'s>(scrape: &'s Scrape, domain: &str) -> Vec<&'s str> {
    scrape.families_of(domain).into_keys().collect()
}

#[test]
fn a_domain_that_does_not_run_has_a_state_and_what_it_is_and_no_statistics() {
    let bench = Bench::with(3, &["define 4"], &ARGS);
    bench.whole(3);
    let scrape = bench.scrape();
    assert_eq!(scrape.value("libvirt_domains", &[]), 4.0);
    assert_eq!(scrape.state(OFF), Some("shutoff"));
    assert_eq!(
        families(&scrape, OFF),
        [
            "libvirt_domain_block_stats_info",
            "libvirt_domain_events_total",
            "libvirt_domain_info",
            "libvirt_domain_info_maximum_memory_bytes",
            "libvirt_domain_info_state",
            "libvirt_domain_info_virtual_cpus",
            "libvirt_domain_interface_stats_info",
            "libvirt_domain_openstack_info",
            "libvirt_domain_state",
            "libvirt_domain_state_reason",
        ]
    );
    let labels = [("domain", OFF)];
    // Its taps have no names yet.
    let interfaces = scrape.samples("libvirt_domain_interface_stats_info", &labels);
    assert_eq!(interfaces.len(), 2, "{interfaces:?}");
    // Of the flavor m1.large.
    assert_eq!(scrape.value("libvirt_domain_info_virtual_cpus", &labels), 4.0);
    let memory = f64::from(8 << 20) * 1024.0;
    assert_eq!(scrape.value("libvirt_domain_info_memory_usage_bytes", &labels), memory);
    // Nobody asked it for what it cannot have.
    let asked: Vec<_> = bench.sim.calls_about(4).into_keys().collect();
    assert_eq!(asked, [14, 212, 265]);
}

#[test]
fn the_scrape_after_a_start_has_it_running_and_the_one_after_a_stop_shut_off() {
    // Nobody has to wait for an old collection to be too old.
    let bench = Bench::with(3, &["define 4"], &["--min-age=1m", "-interval=0"]);
    bench.whole(3);
    let off = bench.scrape();
    for round in 0..10 {
        bench.order(&format!("start {OFF}"));
        let scrape = bench.scrape();
        assert_eq!(scrape.state(OFF), Some("running"), "round {round}");
        for family in ["cpu_time_total", "memory_used_kb", "rdbytes", "rxbytes"] {
            let family = format!("libvirt_nova_instance_{family}");
            let samples = scrape.samples(&family, &[("libvirtname", OFF)]);
            assert!(!samples.is_empty(), "no {family} in round {round}");
        }
        assert_eq!(scrape.value("libvirt_domains", &[]), 4.0);
        bench.order(&format!("destroy {OFF}"));
        let scrape = bench.scrape();
        assert_eq!(scrape.state(OFF), Some("shutoff"), "round {round}");
        assert_eq!(families(&scrape, OFF), families(&off, OFF));
    }
    let reason = [("domain", OFF), ("reason", "destroyed")];
    let scrape = bench.scrape();
    assert_eq!(scrape.value("libvirt_domain_state_reason", &reason), 1.0);
    let started = [("domain", OFF), ("event", "started"), ("detail", "booted")];
    assert_eq!(scrape.value("libvirt_domain_events_total", &started), 10.0);
    bench.order(&format!("undefine {OFF}"));
    let scrape = bench.scrape();
    assert_eq!(families(&scrape, OFF), Vec::<&str>::new());
    assert_eq!(scrape.value("libvirt_domains", &[]), 3.0);
}
