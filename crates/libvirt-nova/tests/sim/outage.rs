//! libvirtd stops, goes away and comes back.

use crate::{
    bench::Bench,
    said::Said,
    wait::{PATIENCE, wait_until},
};

/// Stops libvirtd, sees that nothing is served of it however soon and often it is asked for, and
/// lets it go on.
fn nothing_is_served_between(stop: &str, go_on: &str) {
    // The default of `--min-age`: a collection is a second old at most.
    let mut bench = Bench::with(12, &[], &[]);
    let whole = bench.whole(12);
    let (descriptors, lines) = (bench.exporter.descriptors(), bench.exporter.log().len());
    for round in 0..3 {
        bench.order(stop);
        for scrape in [bench.scrape(), bench.scrape()] {
            assert!(!scrape.up(), "{stop} {round}");
            assert!(Said::of(&scrape).is_empty(), "{stop} {round}");
        }
        bench.order(go_on);
        assert_eq!(bench.whole(12), whole, "{go_on} {round}");
    }
    bench.exporter.assert_alive();
    let log = bench.exporter.log();
    assert!(log.len() <= lines + 3 * 3, "{stop}: {log:#?}");
    wait_until(PATIENCE, "no more descriptors than before", || {
        (bench.exporter.descriptors() <= descriptors).then_some(())
    });
}

#[test]
fn nothing_is_served_of_a_frozen_libvirtd() {
    nothing_is_served_between("freeze", "thaw");
}

#[test]
fn nothing_is_served_of_a_libvirtd_that_has_ended() {
    nothing_is_served_between("down", "up");
}

#[test]
fn nothing_is_served_of_a_libvirtd_that_left_its_socket_behind() {
    nothing_is_served_between("down stale", "up");
}

#[test]
fn a_libvirtd_that_refuses_both_list_and_name_is_not_up() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    let lines = bench.exporter.log().len();
    bench.order("fault 273 * error 38");
    // What was listed last has to do.
    (0..30).for_each(|_| assert_eq!(Said::of(&bench.scrape()), whole));
    bench.order("fault 59 * error 38");
    for _ in 0..30 {
        let scrape = bench.scrape();
        assert!(!scrape.up() && Said::of(&scrape).is_empty());
    }
    assert_eq!(bench.exporter.log().len(), lines + 1, "{:#?}", bench.exporter.log());
    bench.order("clear");
    assert_eq!(Said::of(&bench.scrape()), whole);
}

#[test]
fn a_restart_is_seen_as_soon_as_it_is_over() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    for _ in 0..3 {
        bench.order("restart");
        // Neither half an answer nor an old one.
        let said = Said::of(&bench.scrape());
        assert!(said.is_empty() || said.lacks(&whole).is_empty());
        assert_eq!(bench.whole(12), whole);
    }
}

#[test]
fn a_libvirtd_that_keeps_hanging_up_is_told_of_a_few_times_and_when_it_stays() {
    let bench = Bench::new(3);
    bench.whole(3);
    let lines = bench.exporter.log().len();
    bench.order("fault 273 * cut 0");
    let reconnects = || bench.scrape().value("libvirt_nova_exporter_reconnects_total", &[]);
    wait_until(PATIENCE, "eight reconnections", || (reconnects() >= 8.0).then_some(()));
    let told = bench.exporter.log().len() - lines;
    assert!(told <= 6, "{:#?}", bench.exporter.log());
    bench.order("clear");
    bench.whole(3);
    wait_until(PATIENCE, "the news that it stays", || {
        (bench.exporter.log().len() == lines + told + 1).then_some(())
    });
    assert!(bench.exporter.log()[lines + told].contains(" connected "));
}
