//! A libvirtd that needs more time than there is.

use std::{collections::BTreeSet, io::Write, net::TcpStream, thread};

use crate::{bench::Bench, said::Said};

#[test]
fn a_libvirtd_that_is_slow_for_a_moment_costs_nobody_memory_or_disks() {
    let bench = Bench::new(3);
    bench.whole(3);
    for round in 0..3 {
        // Beyond the deadline of a call, and within that of the scrape: theirs, and the next one.
        bench.order("fault 344 * late 700ms times 4");
        let scrape = bench.scrape();
        for family in ["libvirt_domain_stats_complete", "libvirt_nova_instance_memory_used_kb"] {
            let samples = scrape.samples(family, &[]);
            let good = samples.iter().filter(|sample| sample.value > 0.0).count();
            assert_eq!(good, 3, "{family} in round {round}");
        }
        bench.order("clear");
        bench.until("all calls answered", |status| status.calls == 0);
    }
}

#[test]
fn scrapers_that_wait_for_a_collection_that_was_cut_short_are_served_it() {
    let bench = Bench::new(60);
    bench.whole(60);
    bench.order("latency 300ms");
    for round in 0..2 {
        thread::scope(|scope| {
            let scrape = || scope.spawn(|| bench.scrape());
            let scrapes: Vec<_> = (0..3).map(|_| scrape()).collect();
            for scrape in scrapes {
                let scrape = scrape.join().unwrap();
                assert!(scrape.up(), "round {round}");
                assert!(!Said::of(&scrape).is_empty(), "round {round}");
            }
        });
    }
}

#[test]
fn a_guest_that_was_stuck_has_its_turn_where_time_is_short() {
    let bench = Bench::new(60);
    bench.whole(60);
    let domain = "instance-00000007";
    let complete =
        || bench.scrape().get("libvirt_domain_stats_complete", &[("domain", domain)]) == Some(1.0);
    bench.order("latency 100ms");
    bench.order(&format!("stuck {domain}"));
    assert!((0..8).any(|_| !complete()), "it is not found out");
    assert!((0..8).any(|_| bench.sim.status().hanging > 0 || complete()), "it is never asked");
    bench.go_on();
    assert!((0..3).any(|_| complete()), "it is not complete in three scrapes");
}

/// The poll of each second must not take what a scrape needs.
#[test]
fn a_libvirtd_that_is_too_slow_to_be_polled_each_second_is_scraped_whole() {
    let bench = Bench::with(200, &["latency 20ms"], &["--min-age=0"]);
    let cpu_times = || bench.scrape().samples("libvirt_nova_instance_cpu_time_total", &[]).len();
    let scrapes: Vec<_> = (0..5).map(|_| cpu_times()).collect();
    // The first comes while metadata and XML of all are read.
    let whole = scrapes.iter().skip(1).filter(|count| **count == 200).count();
    assert!(whole >= 3, "so many had a CPU time: {scrapes:?}");
}

/// As while many migrate: their jobs are held, and all that can be had of them is part of it.
#[test]
fn guests_that_lack_something_for_long_leave_others_their_turn() {
    let bench = Bench::new(60);
    bench.whole(60);
    bench.order("latency 150ms");
    (1..=40).for_each(|number| bench.order(&format!("busy instance-{number:08x}")));
    let mut complete = BTreeSet::new();
    // It takes two to find out how slow it is, and who lacks something.
    (0..2).for_each(|_| drop(bench.scrape()));
    for _ in 0..5 {
        let scrape = bench.scrape();
        let samples = scrape.samples("libvirt_domain_stats_complete", &[]);
        let good = samples.into_iter().filter(|sample| sample.value == 1.0);
        complete.extend(good.map(|sample| sample.labels["domain"].clone()));
    }
    let healthy: BTreeSet<_> = (41..=60).map(|number| format!("instance-{number:08x}")).collect();
    assert!(healthy.is_subset(&complete), "never complete: {:?}", healthy.difference(&complete));
}

#[test]
fn who_hangs_up_in_the_middle_costs_libvirtd_no_call_that_hangs() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let (lines, count) = (bench.exporter.log().len(), "libvirt_nova_exporter_reconnects_total");
    let before = bench.scrape().value(count, &[]);
    bench.order("latency 50ms");
    // Fewer than an origin has places for scrapes, which are free when the exporter sees them go.
    for _ in 0..18 {
        let mut stream = TcpStream::connect(bench.exporter.address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        bench.until("a collection under way", |status| status.calls > 2);
    }
    bench.order("latency 0ms");
    let scrape = bench.scrape();
    assert_eq!(Said::of(&scrape), whole);
    // But for what a busy machine may make of one of them.
    let after = scrape.value(count, &[]);
    assert!(after <= before + 1.0, "{after} reconnections, {before} before");
    assert!(bench.exporter.log().len() <= lines + 1, "{:#?}", bench.exporter.log());
}

#[test]
fn a_libvirtd_that_has_yet_to_say_which_domains_there_are_is_not_up_without_any() {
    let bench = Bench::with(3, &["fault 273 * late 4s times 1"], &["--min-age=0"]);
    for _ in 0..2 {
        let scrape = bench.scrape();
        assert_eq!(scrape.up(), !Said::of(&scrape).is_empty());
    }
    bench.whole(3);
}
