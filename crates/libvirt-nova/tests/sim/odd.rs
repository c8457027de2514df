//! What libvirt says that nobody expects.

use std::{collections::BTreeSet, thread};

use crate::{
    bench::Bench,
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

const UNKNOWN: &str = "libvirt_nova_exporter_unknown_fields_total";
const ODD: &str = "instance-00000003";

#[test]
fn a_field_that_nobody_knows_is_counted_and_costs_nothing_else() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    assert_eq!(bench.scrape().samples(UNKNOWN, &[]).len(), 0);
    for disk in [0, 1] {
        bench.order(&format!("field {ODD} block.{disk}.new.thing 7"));
    }
    bench.order(&format!("field {ODD} new.text text"));
    let mut last = 0.0;
    for round in 0..3 {
        let scrape = bench.scrape();
        assert_eq!(Said::of(&scrape), whole, "round {round}");
        let count = scrape.value(UNKNOWN, &[("field", "block.N.new.thing")]);
        assert!(count > last, "{count} in round {round}");
        last = count;
        assert!(scrape.value(UNKNOWN, &[("field", "new.text")]) > 0.0);
    }
}

#[test]
fn a_thousand_fields_that_nobody_knows_are_a_hundred_series_and_the_rest() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    for number in 0..1000 {
        let letters: String =
            format!("{number:03}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        bench.order(&format!("field {ODD} new.{letters} {number}"));
    }
    for _ in 0..3 {
        let scrape = bench.scrape();
        assert_eq!(Said::of(&scrape), whole);
        let series = scrape.samples(UNKNOWN, &[]).len();
        assert!((2..=101).contains(&series), "{series}");
    }
    let log = bench.exporter.log();
    assert!(log.len() < 30, "{log:#?}");
}

/// The parser of the tests and the exporter's debug build both refuse a series that is there
/// twice.
fn is_sound(bench: &mut Bench, what: &str) -> Scrape {
    let scrape = bench.scrape();
    bench.exporter.assert_alive();
    assert!(scrape.up(), "{what}");
    let mut seen = BTreeSet::new();
    for line in scrape.response.body.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        assert!(seen.insert(series), "{series} is there twice: {what}");
    }
    scrape
}

#[test]
fn no_oddity_of_a_domain_makes_a_series_come_twice_or_costs_another_domain_anything() {
    let oddities: &[&[&str]] = &[
        &["field X block.1.name vda"],
        &["field X block.0.name -", "field X block.1.name -"],
        &["field X net.0.name -"],
        &["field X net.0.name vda", "field X net.1.name vda"],
        &["field X net.count 9", "field X net.8.name tap9", "field X net.8.rx.bytes 5"],
        &["field X block.count 5", "field X block.4.name vde", "field X block.4.rd.bytes 5"],
        &["field X block.count 0"],
        &["field X block.count -", "field X net.count -"],
        &["field X vcpu.7.time 1", "field X vcpu.5.state 1", "field X vcpu.0.state -"],
        &["field X vcpu.maximum 4294967295", "field X vcpu.current -"],
        &["field X vcpu.00.time 7", "field X vcpu.+0.time 7", "field X net.00.name tap0000000c-00"],
        &["field X block.4294967295.name vdx", "field X block.18446744073709551616.name vdy"],
        &["field X block.0.name text\"with{quotes}"],
        &["xml X vdb vda"],
        &["xml X vda vdb", "field X block.0.name vdb"],
        &["xml X -01 -00", "field X net.1.name tap0000000c-00"],
        &["xml X <target <other"],
        &["xml X <uuid> <uuid>9"],
        &["xml X <devices> <devices"],
        &["field X state.state 99", "field X state.reason 99"],
        &["field X state.state -"],
        &["field X balloon.current -", "field X balloon.rss text"],
        &[
            "field X iothread.count 2",
            "field X iothread.1.poll-grow 1",
            "field X iothread.01.poll-grow 2",
        ],
        &["rename X instance-00000001"],
        &["rename X other"],
        &["rename X instance-00000001", "rename instance-00000002 instance-00000001"],
    ];
    // Both a second disk and a second interface.
    let odd = "instance-0000000c";
    for args in [&[][..], &["--labels=wide"], &["--compat=tinkoff", "--collector.iothread"]] {
        let args = [&["--min-age=0", "-interval=0"][..], args].concat();
        for oddity in oddities {
            let mut bench = Bench::with(12, &[], &args);
            let whole = bench.whole(12);
            let what = format!("{oddity:?} {args:?}");
            for command in *oddity {
                bench.order(&command.replace(" X ", &format!(" {odd} ")));
            }
            // Its XML is read again.
            bench.order(&format!("suspend {odd}"));
            bench.order(&format!("resume {odd}"));
            let renames = oddity[0].starts_with("rename");
            for _ in 0..3 {
                let scrape = is_sound(&mut bench, &what);
                let others = Said::of(&scrape).without(odd).without("other");
                if !renames {
                    assert_eq!(others, whole.clone().without(odd), "{what}");
                }
            }
        }
    }
}

#[test]
fn of_two_domains_of_one_name_one_is_served_until_they_have_two() {
    let mut bench = Bench::new(12);
    let whole = bench.whole(12);
    bench.order("rename instance-00000005 instance-00000002");
    for _ in 0..3 {
        let scrape = is_sound(&mut bench, "two of a name");
        let info = scrape.samples("libvirt_domain_info", &[("domain", "instance-00000002")]);
        assert_eq!(info.len(), 1);
        let others = |said: Said| said.without("instance-00000002").without("instance-00000005");
        assert_eq!(others(Said::of(&scrape)), others(whole.clone()));
    }
    bench.order("rename instance-00000005 instance-00000005");
    assert_eq!(bench.whole(12), whole);
}

/// Between the list and the statistics, or between those and the list at the end.
#[test]
fn a_domain_that_is_renamed_between_two_calls_makes_no_series_come_twice() {
    for procedure in [262, 344, 229, 298] {
        let mut bench = Bench::new(3);
        let whole = bench.whole(3);
        bench.order(&format!("fault {procedure} {ODD} late 200ms times 1"));
        let (before, total) = (bench.sim.calls_of(procedure), bench.sim.status().calls_total);
        thread::scope(|scope| {
            let scrape = scope.spawn(|| bench.scrape());
            wait_until(PATIENCE, "the call that is late", || {
                (bench.sim.calls_of(procedure) > before).then_some(())
            });
            bench.order(&format!("rename {ODD} other"));
            let scrape = scrape.join().unwrap();
            assert!(scrape.up() && bench.sim.status().calls_total > total);
            let said = Said::of(&scrape);
            let others = |said: Said| said.without(ODD).without("other");
            assert_eq!(others(said), others(whole.clone()), "{procedure}");
        });
        let scrape = is_sound(&mut bench, "renamed");
        assert!(!Said::of(&scrape).families_of("other").is_empty());
        assert!(Said::of(&scrape).families_of(ODD).is_empty());
    }
}
