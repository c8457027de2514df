//! A libvirtd that needs more time than there is.

use std::{io::Write, net::TcpStream, thread};

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

#[test]
fn who_hangs_up_in_the_middle_costs_libvirtd_no_call_that_hangs() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let (lines, count) = (bench.exporter.log().len(), "libvirt_nova_exporter_reconnects_total");
    let before = bench.scrape().value(count, &[]);
    bench.order("latency 50ms");
    for _ in 0..10 {
        let mut stream = TcpStream::connect(bench.exporter.address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        bench.until("a collection under way", |status| status.calls > 2);
    }
    bench.order("latency 0ms");
    let scrape = bench.scrape();
    assert_eq!(Said::of(&scrape), whole);
    assert_eq!(scrape.value(count, &[]), before);
    assert_eq!(bench.exporter.log().len(), lines, "{:#?}", bench.exporter.log());
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
