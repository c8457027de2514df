//! Guests that do not answer, by the dozen, and domains that libvirtd holds.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::{Bench, MOMENT},
    said::Said,
    wait::{PATIENCE, wait_until},
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
    bench.go_on();
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
    bench.go_on();
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
    wait_until(PATIENCE, "a line about it", || {
        assert_eq!(scrape().lacks(&whole), ["instance-00000002".to_owned()].into());
        (about() > 0).then_some(())
    });
    (0..30).for_each(|_| drop(scrape()));
    assert_eq!(about(), 1);
    bench.go_on();
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
    bench.go_on();
    assert!((0..2).any(|_| Said::of(&bench.scrape()) == whole), "not whole in two scrapes");
}

/// libvirtd has two dozen workers, and healthy guests are asked as long as it has any to spare.
#[test]
fn stuck_guests_and_held_ones_together_take_nothing_from_others() {
    for (stuck, held) in [(12, 4), (8, 8)] {
        let bench = Bench::new(30);
        let whole = bench.whole(30).job_free();
        let name = |number| format!("instance-{number:08x}");
        (1..=stuck).for_each(|number| bench.order(&format!("stuck {}", name(number))));
        let taken = |wanted| {
            let enough = || {
                drop(bench.scrape());
                (bench.sim.status().hanging >= wanted).then_some(())
            };
            wait_until(PATIENCE, "so many calls that hang", enough);
        };
        taken(stuck);
        let held: BTreeSet<_> = (stuck + 1..=stuck + held).map(name).collect();
        held.iter().for_each(|domain| bench.order(&format!("hold {domain}")));
        taken(stuck + held.len());
        for round in 0..4 {
            let scrape = bench.scrape();
            assert!(scrape.up(), "{stuck} stuck, round {round}");
            let lacking = Said::of(&scrape).job_free().lacks(&whole);
            assert!(lacking.is_subset(&held), "{stuck} stuck, round {round}: {lacking:?}");
            let hanging = bench.sim.status().hanging;
            // And the lists, which others serve.
            assert!(hanging <= ABANDONED_MAX + 4 + 2 + 2, "{hanging} workers hang");
        }
    }
}

#[test]
fn calls_that_hang_since_an_exporter_before_us_count_too() {
    let mut bench = Bench::new(20);
    bench.whole(20);
    let stick = |bench: &Bench, numbers: std::ops::RangeInclusive<u32>| {
        numbers.for_each(|number| bench.order(&format!("stuck instance-{number:08x}")));
    };
    stick(&bench, 1..=8);
    drop(bench.scrape());
    assert_eq!(bench.sim.status().hanging, 8);
    bench.replace_exporter();
    drop(bench.scrape());
    stick(&bench, 9..=20);
    for round in 0..4 {
        assert!(bench.scrape().up(), "round {round}");
        let hanging = bench.sim.status().hanging;
        assert!(hanging <= ABANDONED_MAX, "{hanging} workers hang in round {round}");
    }
}

/// What makes a place on a connection scarce: some hang, and some more.
#[test]
fn guests_that_get_stuck_beside_stuck_ones_take_nothing_from_others() {
    let bench = Bench::new(16);
    let whole = bench.whole(16);
    bench.order("latency 20ms");
    (0..4).for_each(|_| drop(bench.scrape()));
    let mut stuck = BTreeSet::new();
    for number in 1..=4 {
        let domain = format!("instance-{number:08x}");
        bench.order(&format!("stuck {domain}"));
        stuck.insert(domain);
        if number % 2 == 0 {
            assert_eq!(Said::of(&bench.scrape()).lacks(&whole), stuck);
        }
    }
}

/// The first call hangs, and is followed by one that asks for no more than needs no monitor. Later
/// ones come back at once, with all that libvirt knows by itself.
#[test]
fn a_stuck_guest_lacks_what_needs_its_monitor_and_nothing_else() {
    const STUCK: &str = "instance-00000002";
    // What only QEMU knows, and what libvirt gives by a call for it.
    const QEMUS: [(&str, usize); 6] = [
        ("libvirt_nova_instance_", 7),
        ("libvirt_domain_block_stats_", 11),
        ("libvirt_domain_memory_stats_", 14),
        ("libvirt_domain_job_info_", 1),
        ("libvirt_domain_vcpu_", 0),
        ("libvirt_domain_info_", 0),
    ];
    const LIBVIRTS: [usize; 6] = [0, 0, 2, 0, 6, 2];
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    bench.order(&format!("stuck {STUCK}"));
    for round in 0..4 {
        let said = Said::of(&bench.scrape());
        assert_eq!(said.lacks(&whole), [STUCK.to_owned()].into(), "round {round}");
        let (all, left) = (whole.families_of(STUCK), said.families_of(STUCK));
        assert_eq!(left.difference(&all).count(), 0);
        let lost: Vec<_> = all.difference(&left).copied().collect();
        // A scrape that the machine stood still in was made again, and is no first one.
        let is_first = lost.contains(&"libvirt_domain_vcpu_current");
        assert!(round == 0 || !is_first, "round {round}: {lost:#?}");
        let mut sum = 0;
        for ((begin, qemus), libvirts) in QEMUS.into_iter().zip(LIBVIRTS) {
            let expected = if is_first { qemus + libvirts } else { qemus };
            let count = lost.iter().filter(|family| family.starts_with(begin)).count();
            assert_eq!(count, expected, "{begin} in round {round}: {lost:#?}");
            sum += expected;
        }
        assert_eq!(lost.len(), sum, "round {round}: {lost:#?}");
    }
}
