//! Replies that leave something out, or say no: what else is known of the domain stays.

use crate::{bench::Bench, said::Said};

const FAULTY: &str = "instance-00000001";

/// The list of domains says who is there.
#[test]
fn a_domain_that_a_reply_leaves_out_lacks_its_statistics_alone() {
    let bench = Bench::new(50);
    let whole = bench.whole(50);
    for count in [0, 1] {
        bench.order(&format!("fault 344 {FAULTY} count {count}"));
        for round in 0..5 {
            let scrape = bench.scrape();
            let lacking = Said::of(&scrape).lacks(&whole);
            assert!(lacking.is_subset(&[FAULTY.to_owned()].into()), "{round}: {lacking:?}");
            let name = [("libvirtname", FAULTY)];
            assert!(scrape.get("libvirt_nova_instance_cpu_time_total", &name).is_some(), "{round}");
        }
        bench.order("clear");
        assert_eq!(bench.whole(50), whole);
    }
}

#[test]
fn a_domain_whose_statistics_are_refused_from_the_start_has_its_cpu_time() {
    let fault = format!("fault 344 {FAULTY} error 88");
    let bench = Bench::with(12, &[&fault], &["--min-age=0"]);
    let scrape = bench.scrape();
    for family in ["cpu_time_total", "vcpu_count", "info"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &[("libvirtname", FAULTY)]).is_some(), "no {family}");
    }
    assert_eq!(scrape.value("libvirt_domain_stats_complete", &[("domain", FAULTY)]), 0.0);
}

#[test]
fn what_is_wrong_with_a_part_of_a_reply_is_told_once() {
    let bench = Bench::new(3);
    let whole = bench.whole(3);
    let lines = bench.exporter.log().len();
    // Beyond what is in a reply without the monitor's part.
    bench.order(&format!("fault 344 {FAULTY} word 428 4294967295"));
    for _ in 0..10 {
        assert_eq!(Said::of(&bench.scrape()).lacks(&whole), [FAULTY.to_owned()].into());
    }
    let log = bench.exporter.log();
    assert_eq!(log.len(), lines + 1, "{log:#?}");
}

#[test]
fn a_reply_with_a_domain_that_nobody_asked_for_is_counted_as_malformed() {
    let bench = Bench::new(3);
    bench.whole(3);
    let of_call = [("code", "malformed"), ("procedure", "ConnectGetAllDomainStats")];
    let errors = || bench.scrape().get("libvirt_nova_exporter_rpc_errors_total", &of_call);
    assert_eq!(errors(), None);
    // A letter of its UUID.
    bench.order(&format!("fault 344 {FAULTY} word 56 4294967295"));
    assert!((0..2).any(|_| errors().is_some()));
}

#[test]
fn one_odd_domain_and_a_driver_without_control_info_keep_nobody_from_cpu_times() {
    for odd in ["fault 262 instance-00000002 error 38", "fault 229 * error 3"] {
        let args = ["--min-age=0", "-interval=0"];
        let bench = Bench::with(10, &["fault 262 * error 55", odd], &args);
        let cpu_times =
            || bench.scrape().samples("libvirt_nova_instance_cpu_time_total", &[]).len();
        assert!((0..3).any(|_| cpu_times() == 10), "{odd}");
    }
}

/// The two sources count different things, so a guess would be a jump.
#[test]
fn where_cpu_times_come_from_is_not_decided_while_some_are_silent() {
    let silent = |number| format!("fault 262 instance-{number:08x} late 1500ms");
    let refused = format!("fault 262 {FAULTY} error 55");
    let bench = Bench::with(3, &[&refused, &silent(2), &silent(3)], &["--min-age=0"]);
    (0..2).for_each(|_| drop(bench.scrape()));
    bench.order("clear");
    bench.whole(3);
    let log = bench.exporter.log();
    assert!(log.iter().all(|line| !line.contains("cgroup")), "{log:#?}");
}
