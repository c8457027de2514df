//! Guests that do not answer, by the dozen, and domains that libvirtd holds.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::{Bench, MOMENT},
    said::Said,
};

#[test]
fn stuck_guests_by_the_dozen_take_a_dozen_workers_and_nothing_from_others() {
    let bench = Bench::new(200);
    let whole = bench.whole(200);
    let stuck: BTreeSet<_> =
        (1..=30).map(|number| format!("instance-{:08x}", number * 6)).collect();
    stuck.iter().for_each(|domain| bench.order(&format!("stuck {domain}")));
    let mut skipped = 0.0;
    for round in 0..8 {
        let scrape = bench.scrape();
        let hanging = bench.sim.status().hanging;
        assert!(hanging <= ABANDONED_MAX, "{hanging} workers hang in round {round}");
        assert!(scrape.up());
        let said = Said::of(&scrape);
        said.assert_right(MOMENT);
        said.lacks(&whole);
        assert_eq!(said.job_free(), whole.job_free(), "round {round}");
        skipped = scrape.value("libvirt_nova_exporter_domains_skipped", &[("reason", "abandoned")]);
    }
    // Each of the others is one of thirty that were not asked, or was asked for nothing.
    assert!(skipped >= 18.0, "{skipped} are said to be skipped");
    bench.order("continue *");
    bench.until("nobody hangs", |status| status.hanging == 0);
    assert!((0..2).any(|_| Said::of(&bench.scrape()) == whole), "not whole in two scrapes");
}

/// The default of `--max-abandoned`.
const ABANDONED_MAX: usize = 12;

#[test]
fn a_held_domain_costs_one_call_and_is_not_asked_again_while_it_is_held() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let held = ["instance-00000003", "instance-00000007"];
    held.iter().for_each(|domain| bench.order(&format!("hold {domain}")));
    let mut hanging = 0;
    for round in 0..8 {
        let scrape = bench.scrape();
        assert!(scrape.up(), "round {round}");
        let lacking = Said::of(&scrape).lacks(&whole);
        assert!(lacking.iter().all(|domain| held.contains(&&**domain)), "{lacking:?}");
        let now = bench.sim.status().hanging;
        // One in each of them, and the list, which looks at every domain.
        assert!(now <= held.len() + 1, "{now} workers hang in round {round}");
        assert!(round < 2 || now <= hanging, "{now} workers hang in round {round}");
        hanging = now;
    }
    bench.order("continue *");
    bench.until("nobody hangs", |status| status.hanging == 0);
    assert!((0..2).any(|_| Said::of(&bench.scrape()) == whole), "not whole in two scrapes");
}

#[test]
fn a_guest_that_is_stuck_for_long_is_told_of_once_and_once_more_when_it_goes_on() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    let before = bench.exporter.log().len();
    bench.order("stuck instance-00000002");
    let about = || {
        let log = bench.exporter.log();
        log[before..].iter().filter(|line| line.contains("instance-00000002")).count()
    };
    let scrape = || Said::of(&bench.scrape());
    crate::wait::wait_until(crate::wait::PATIENCE, "a line about it", || {
        assert_eq!(scrape().lacks(&whole), ["instance-00000002".to_owned()].into());
        (about() > 0).then_some(())
    });
    (0..30).for_each(|_| drop(scrape()));
    assert_eq!(about(), 1);
    bench.order("continue *");
    bench.until("nobody hangs", |status| status.hanging == 0);
    assert!((0..2).any(|_| scrape() == whole), "not whole in two scrapes");
    (0..30).for_each(|_| assert_eq!(scrape(), whole));
    assert_eq!(about(), 2);
    assert_eq!(bench.exporter.log().len(), before + 2);
}

/// A list waits for the domain as well, and none is waited for longer than half a minute.
#[test]
fn a_domain_that_is_held_for_minutes_hides_no_other() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    bench.order("hold instance-00000003");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(70) {
        let scrape = bench.scrape();
        assert!(scrape.up(), "after {:?}", began.elapsed());
        let lacking = Said::of(&scrape).lacks(&whole);
        assert!(lacking.is_subset(&["instance-00000003".to_owned()].into()), "{lacking:?}");
        // One call of its own, and two lists.
        let hanging = bench.sim.status().hanging;
        assert!(hanging <= 3, "{hanging} workers hang after {:?}", began.elapsed());
        thread::sleep(Duration::from_millis(500));
    }
    bench.order("continue *");
    bench.until("nobody hangs", |status| status.hanging == 0);
    assert!((0..2).any(|_| Said::of(&bench.scrape()) == whole), "not whole in two scrapes");
}
