//! Storage pools and the host: whatever goes wrong there costs no domain anything.

use crate::{
    bench::Bench,
    faults::{self, Named, Reach},
    said::Said,
    scrape::{Labels, Scrape},
    wait::{PATIENCE, wait_until},
};

const POOLS: [&str; 2] = ["pool fast running 1000 400", "pool slow degraded 2000 500"];
const ARGS: [&str; 2] = ["--min-age=0", "-interval=0"];

/// What is said of the host and its pools, by family.
fn of_host(scrape: &Scrape) -> Vec<(String, Vec<(Labels, f64)>)> {
    let is_hosts = |name: &str| name.starts_with("libvirt_storage_pool_") || is_node(name);
    let families = scrape.families.iter().filter(|family| is_hosts(&family.name));
    let samples = |family: &crate::scrape::Family| {
        family.samples.iter().map(|sample| (sample.labels.clone(), sample.value)).collect()
    };
    families.map(|family| (family.name.clone(), samples(family))).collect()
}

fn is_node(name: &str) -> bool {
    name.starts_with("libvirt_node_")
}

/// Faults in a procedure about no domain cost the families `own` at most.
fn cost_their_own(procedure: u32, target: &str, own: fn(&str) -> bool, told: &str) {
    faults::each_with(4, &POOLS, |bench, whole, fault, reach| {
        let _named = Named(fault);
        let before = of_host(&bench.scrape());
        let lines = bench.exporter.log().len();
        bench.order(&format!("fault {procedure} {target} {fault}"));
        let mut lacks = false;
        for _ in 0..2 {
            let scrape = bench.scrape();
            let (said, host) = (Said::of(&scrape), of_host(&scrape));
            let others = |families: &[(String, Vec<(Labels, f64)>)]| {
                let others = families.iter().filter(|(name, _)| !own(name));
                others.cloned().collect::<Vec<_>>()
            };
            if reach == Reach::Connection {
                assert_eq!(scrape.up(), !said.is_empty());
                said.lacks(whole);
            } else {
                assert!(scrape.up() && said.lacks(whole).is_empty());
                assert_eq!(others(&host), others(&before));
            }
            // What there is of its own was told, or is of a reply in which nobody can know.
            lacks |= scrape.samples(told, &[]).len() < before_of(&before, told);
        }
        if ["error", "never", "status 2", "type", "serial"].iter().any(|it| fault.starts_with(it)) {
            assert!(lacks, "{told} is whole");
        }
        let log = bench.exporter.log();
        let lines_max = if reach == Reach::Connection { 2 * 3 } else { 1 };
        assert!(log.len() <= lines + lines_max, "{:#?}", &log[lines..]);
        bench.order("clear");
        if faults::lasts(fault) {
            bench.order("restart");
        }
        wait_until(PATIENCE, "all of the host", || {
            (of_host(&bench.scrape()) == before).then_some(())
        });
    });
}

fn before_of(families: &[(String, Vec<(Labels, f64)>)], name: &str) -> usize {
    families.iter().find(|(family, _)| family == name).map_or(0, |(_, samples)| samples.len())
}

#[test]
fn faults_in_the_list_of_pools_cost_pools_alone() {
    let own = |name: &str| name.starts_with("libvirt_storage_pool_");
    cost_their_own(281, "*", own, "libvirt_storage_pool_timed_out");
}

#[test]
fn faults_in_a_pool_cost_pools_alone() {
    let own = |name: &str| name.starts_with("libvirt_storage_pool_");
    cost_their_own(87, "slow", own, "libvirt_storage_pool_state");
}

#[test]
fn faults_in_what_the_host_is_cost_that_alone() {
    let own = |name: &str| is_node(name) && name != "libvirt_node_memory_free_bytes";
    cost_their_own(6, "*", own, "libvirt_node_cpus");
}

#[test]
fn faults_in_what_memory_is_free_cost_that_alone() {
    let own = |name: &str| name == "libvirt_node_memory_free_bytes";
    cost_their_own(102, "*", own, "libvirt_node_memory_free_bytes");
}

/// Each would hold one of libvirtd's workers, until none is left for domains.
#[test]
fn a_call_about_the_host_that_hangs_is_made_once() {
    let bench = Bench::with(12, &[], &[&ARGS[..], &["--collector.node-detail"]].concat());
    let whole = bench.whole(12);
    // The last one is what the others are asked by.
    for procedure in [101, 228, 227, 102, 6] {
        bench.order(&format!("fault {procedure} * never"));
        let before = bench.sim.calls_of(procedure);
        for round in 0..5 {
            assert_eq!(Said::of(&bench.scrape()), whole, "{procedure}, round {round}");
        }
        let made = bench.sim.calls_of(procedure) - before;
        assert_eq!(made, 1, "{procedure}");
    }
}

#[test]
fn a_pool_that_hangs_is_asked_once_and_hides_neither_the_others_nor_any_domain() {
    let bench = Bench::with(12, &POOLS, &ARGS);
    let whole = bench.whole(12);
    bench.order("fault 87 slow never");
    let pool = |scrape: &Scrape, family: &str, pool: &str| {
        scrape.get(&format!("libvirt_storage_pool_{family}"), &[("storage_pool", pool)])
    };
    let before = bench.sim.calls_about_pool("slow");
    for round in 0..5 {
        let scrape = bench.scrape();
        assert_eq!(Said::of(&scrape), whole, "round {round}");
        assert_eq!(pool(&scrape, "timed_out", "slow"), Some(1.0));
        assert_eq!(pool(&scrape, "state", "slow"), None);
        assert_eq!(pool(&scrape, "timed_out", "fast"), Some(0.0));
        assert_eq!(pool(&scrape, "capacity_bytes", "fast"), Some(1000.0));
        assert_eq!(pool(&scrape, "available_bytes", "fast"), Some(600.0));
        assert_eq!(bench.sim.calls_about_pool("slow"), before + 1, "round {round}");
    }
    bench.order("clear");
    // The call that hangs goes with its libvirtd.
    bench.order("restart");
    wait_until(PATIENCE, "the pool", || pool(&bench.scrape(), "state", "slow"));
    assert_eq!(pool(&bench.scrape(), "timed_out", "slow"), Some(0.0));
}

#[test]
fn two_pools_that_hang_keep_libvirtd_from_being_asked_for_a_third() {
    let bench = Bench::with(3, &["pool a running 9 1", "pool b running 9 1"], &ARGS);
    let whole = bench.whole(3);
    bench.order("fault 87 * never");
    bench.order("pool c running 9 1");
    (0..3).for_each(|_| assert_eq!(Said::of(&bench.scrape()), whole));
    assert_eq!(bench.sim.calls_about_pool("c"), 0);
    assert_eq!(bench.sim.status().calls, 2);
    let scrape = bench.scrape();
    assert_eq!(scrape.samples("libvirt_storage_pool_timed_out", &[]).len(), 3);
}

#[test]
fn a_libvirtd_without_pools_serves_everything_else_and_is_not_told_of() {
    let bench = Bench::with(12, &["fault 281 * error 3"], &ARGS);
    bench.whole(12);
    let scrape = bench.scrape();
    assert!(scrape.families.iter().all(|family| !family.name.contains("pool")));
    assert_eq!(scrape.value("libvirt_node_cpus", &[]), 128.0);
    let log = bench.exporter.log();
    assert!(log.iter().all(|line| !line.contains("pool")), "{log:#?}");
}

#[test]
fn a_pool_that_is_not_running_has_a_state() {
    let bench = Bench::with(1, &["pool off inactive 10 1"], &ARGS);
    let labels = [("storage_pool", "off")];
    assert_eq!(bench.scrape().value("libvirt_storage_pool_state", &labels), 0.0);
    bench.order("pool off running 10 1");
    assert_eq!(bench.scrape().value("libvirt_storage_pool_state", &labels), 2.0);
    bench.order("pool off gone");
    assert_eq!(bench.scrape().get("libvirt_storage_pool_state", &labels), None);
}
