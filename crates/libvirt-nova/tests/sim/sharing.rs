//! Who scrapes often costs libvirtd little, and is told what is so nevertheless.

use std::thread;

use crate::{
    bench::{Bench, MOMENT},
    said::Said,
};

/// How many calls `scrapers` at once make, who are all told the same.
fn calls(bench: &Bench, scrapers: usize) -> usize {
    let before = bench.sim.status().calls_total;
    let told: Vec<_> = thread::scope(|scope| {
        let scrape = || scope.spawn(|| Said::of(&bench.scrape()));
        let scrapes: Vec<_> = (0..scrapers).map(|_| scrape()).collect();
        scrapes.into_iter().map(|scrape| scrape.join().unwrap()).collect()
    });
    told.iter().for_each(|said| assert_eq!(*said, told[0]));
    bench.sim.status().calls_total - before
}

#[test]
fn four_scrapers_at_once_cost_one_collection() {
    let bench = Bench::with(50, &[], &["--min-age=1m", "-interval=0"]);
    bench.whole(50);
    // A list each, to know whether anything has happened; on a machine that stands still for a
    // moment a few more, to know whether libvirtd is there. A collection is more than a hundred.
    let idle = calls(&bench, 4);
    assert!(idle <= 16, "{idle} calls though nothing has happened");
    bench.order("suspend instance-00000001");
    let one = calls(&bench, 1);
    assert!(one > 100, "{one} calls cannot be a collection");
    bench.order("resume instance-00000001");
    let four = calls(&bench, 4);
    assert!(four < 2 * one, "{four} calls for four, {one} for one");
}

#[test]
fn who_waits_for_the_same_collection_shares_it() {
    let bench = Bench::new(50);
    bench.whole(50);
    // So that all of them are there before the first one has been served.
    bench.order("latency 20ms");
    // The exporter finds out how much it may ask for in a call.
    (0..8).for_each(|_| drop(bench.scrape()));
    let one = calls(&bench, 1);
    let four = calls(&bench, 4);
    assert!(2 * four < 5 * one, "{four} calls for four, {one} for one");
}

#[test]
fn what_has_happened_is_in_the_next_scrape() {
    let bench = Bench::with(12, &[], &["--min-age=1m", "-interval=0"]);
    let domain = "instance-00000005";
    // Why it runs is another reason then.
    bench.order(&format!("suspend {domain}"));
    bench.order(&format!("resume {domain}"));
    let whole = bench.whole(12);
    for _ in 0..10 {
        bench.order(&format!("suspend {domain}"));
        assert_eq!(bench.scrape().state(domain), Some("paused"));
        bench.order(&format!("resume {domain}"));
        assert_eq!(bench.scrape().state(domain), Some("running"));
    }
    bench.order(&format!("metadata {domain} name another"));
    let labels = [("libvirtname", domain), ("novaname", "another")];
    assert_eq!(bench.scrape().get("libvirt_nova_instance_info", &labels), Some(1.0));
    bench.order(&format!("metadata {domain} name testing-5"));
    assert_eq!(Said::of(&bench.scrape()), whole);
    bench.order(&format!("destroy {domain}"));
    let scrape = bench.scrape();
    assert_eq!(scrape.state(domain), Some("shutoff"));
    let lacking = Said::of(&scrape).without(domain).lacks(&whole);
    assert_eq!(lacking, [domain.to_owned()].into());
}

#[test]
fn a_collection_is_as_old_as_is_allowed_and_no_older() {
    for (min_age, seconds) in [("--min-age=0", MOMENT + 10), ("--min-age=1m", MOMENT)] {
        let bench = Bench::with(12, &[], &[min_age, "-interval=0"]);
        bench.whole(12);
        bench.order(&format!("clock {}s", MOMENT + 10));
        let said = Said::of(&bench.scrape());
        said.assert_right(seconds);
        assert!(said.is_whole(12));
    }
}
