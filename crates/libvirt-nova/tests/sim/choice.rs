//! What the command line chooses: domains, collectors, labels, names.

use std::collections::BTreeSet;

use crate::{
    bench::Bench,
    http,
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

fn bench(domains: u32, args: &[&str]) -> Bench {
    Bench::with(domains, &[], &[&["--min-age=0", "-interval=0"], args].concat())
}

/// The domains of which anything is said.
fn served(scrape: &Scrape) -> BTreeSet<u32> {
    let number = |name: &&str| u32::from_str_radix(name.strip_prefix("instance-")?, 16).ok();
    scrape.instances().keys().filter_map(number).collect()
}

#[test]
fn of_domains_that_are_left_out_nothing_is_said_and_nothing_asked() {
    for (args, chosen) in [
        (vec!["--instances=testing-[1-3]"], vec![1, 2, 3]),
        (vec!["--instances.exclude=testing-[1-3]"], vec![4, 5, 6]),
        (vec!["--projects=blue"], vec![1, 4]),
        (vec!["--projects.exclude=blue|red"], vec![2, 5]),
        (vec!["--instances=testing-[1-3]", "--projects=red"], vec![3]),
        (vec!["--instances=instance-00000005"], vec![5]),
        (vec!["--instances=nobody"], vec![]),
    ] {
        let bench = bench(6, &args);
        // So that everything is due once more.
        (0..3).for_each(|_| drop(bench.scrape()));
        bench.order("flood 4");
        let scrape = bench.scrape();
        assert!(scrape.up());
        assert_eq!(served(&scrape), chosen.iter().copied().collect(), "{args:?}");
        assert_eq!(scrape.value("libvirt_domains", &[]), 6.0, "{args:?}");
        for number in (1..=6).filter(|number| !chosen.contains(number)) {
            let asked: Vec<_> = bench.sim.calls_about(number).into_keys().collect();
            assert_eq!(asked, [14, 265], "{args:?} {number}");
        }
        for number in chosen {
            let asked: Vec<_> = bench.sim.calls_about(number).into_keys().collect();
            assert_eq!(asked, [14, 229, 262, 265, 298, 344], "{args:?} {number}");
        }
    }
}

#[test]
fn a_domain_that_is_given_another_project_comes_and_goes() {
    let bench = bench(3, &["--projects=blue"]);
    assert_eq!(served(&bench.scrape()), [1].into());
    bench.order("metadata instance-00000002 project blue");
    assert_eq!(served(&bench.scrape()), [1, 2].into());
    bench.order("metadata instance-00000001 project red");
    assert_eq!(served(&bench.scrape()), [2].into());
}

#[test]
fn a_domain_that_is_left_out_may_be_stuck_or_held_and_costs_nothing() {
    let bench = bench(3, &["--instances=testing-1"]);
    let before = {
        drop(bench.scrape());
        Said::of(&bench.scrape())
    };
    bench.order("stuck instance-00000002");
    bench.order("fault 344 instance-00000003 never");
    (0..3).for_each(|_| assert_eq!(Said::of(&bench.scrape()), before));
    assert_eq!(bench.sim.status().calls, 0);
}

/// The families that begin with one of these.
fn with(scrape: &Scrape, begins: &[&str]) -> Vec<String> {
    let begins = |name: &str| begins.iter().any(|begin| name.starts_with(begin));
    let names = scrape.families.iter().map(|family| family.name.clone());
    names.filter(|name| begins(name)).collect()
}

#[test]
fn without_a_collector_its_families_are_gone_and_the_others_as_they_were() {
    let pools = ["pool fast running 10 1"];
    let args = ["--min-age=0", "-interval=0"];
    let all = Bench::with(3, &pools, &args);
    all.order("migrate instance-00000001");
    let whole = all.whole(3);
    let names = |scrape: &Scrape| {
        scrape.families.iter().map(|family| family.name.clone()).collect::<BTreeSet<_>>()
    };
    let everything = names(&all.scrape());
    drop(whole);
    for (collector, begins, not_asked) in [
        ("instance", vec!["libvirt_nova_instance_"], None),
        ("vcpu", vec!["libvirt_domain_vcpu_"], None),
        ("memory", vec!["libvirt_domain_memory_"], None),
        ("block", vec!["libvirt_domain_block_"], None),
        ("interface", vec!["libvirt_domain_interface_"], None),
        ("job", vec!["libvirt_domain_job_", "libvirt_domain_migration_"], Some(298)),
        ("event", vec!["libvirt_domain_events_"], None),
        ("pool", vec!["libvirt_storage_pool_"], Some(281)),
        ("node", vec!["libvirt_node_"], Some(102)),
        ("cpu", vec!["libvirt_domain_cpu_"], None),
    ] {
        let flag = format!("--no-collector.{collector}");
        let bench = Bench::with(3, &pools, &[&args[..], &[&flag]].concat());
        bench.order("migrate instance-00000001");
        let stripped = |names: BTreeSet<String>| -> BTreeSet<String> {
            let is_its = |name: &String| begins.iter().any(|begin| name.starts_with(begin));
            names.into_iter().filter(|name| !is_its(name)).collect()
        };
        let expected = stripped(everything.clone());
        assert!(expected.len() < everything.len(), "{collector} has no family");
        let scrape = wait_until(PATIENCE, "all the others", || {
            let scrape = bench.scrape();
            (names(&scrape).len() >= expected.len()).then_some(scrape)
        });
        let scrape = scrape.0;
        assert_eq!(with(&scrape, &begins), Vec::<String>::new(), "{collector}");
        assert_eq!(names(&scrape), expected, "{collector}");
        if let Some(procedure) = not_asked {
            assert_eq!(bench.sim.calls_of(procedure), 0, "{collector}");
            assert!(all.sim.calls_of(procedure) > 0, "{collector}");
        }
    }
}

#[test]
fn a_group_of_statistics_that_nobody_needs_is_not_asked_for() {
    const BLOCK: u32 = 1 << 5;
    const VCPU: u32 = 1 << 3;
    const COSTLY: u32 = 1 << 1 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10;
    let groups = |args: &[&str]| {
        let bench = bench(3, args);
        (0..2).for_each(|_| assert!(bench.scrape().up()));
        bench.sim.groups()
    };
    let usual = groups(&[]);
    assert_eq!((usual & BLOCK, usual & VCPU, usual & COSTLY), (BLOCK, VCPU, 0));
    let no_block = ["--no-collector.block", "--no-collector.block-latency"];
    assert_eq!(groups(&no_block) & BLOCK, BLOCK, "the mission's families need it");
    let neither = ["--no-collector.instance", no_block[0], no_block[1]];
    assert_eq!(groups(&neither) & BLOCK, 0);
    assert_eq!(groups(&["--no-collector.domain", "--no-collector.vcpu"]) & VCPU, 0);
    for (collector, group) in
        [("haltpoll", 1), ("perf", 6), ("iothread", 7), ("dirtyrate", 9), ("vm", 10)]
    {
        let flag = format!("--collector.{collector}");
        assert_eq!(groups(&[&flag]) & COSTLY, 1 << group, "{collector}");
    }
}

#[test]
fn a_scrape_without_blocks_is_whole_though_libvirtd_gives_none() {
    let args = ["--no-collector.instance", "--no-collector.block", "--no-collector.block-latency"];
    let bench = bench(3, &args);
    for _ in 0..3 {
        let scrape = bench.scrape();
        for sample in scrape.samples("libvirt_domain_stats_complete", &[]) {
            assert_eq!(sample.value, 1.0, "{:?}", sample.labels);
        }
        assert_eq!(scrape.samples("libvirt_domain_job_info_type", &[]).len(), 3);
    }
}

#[test]
fn wide_labels_are_on_every_sample_of_a_domain() {
    let bench = Bench::with(
        6,
        &["migrate instance-00000002", "define 7"],
        &["--min-age=0", "-interval=0", "--labels=wide"],
    );
    let scrape = wait_until(PATIENCE, "all", || {
        let scrape = bench.scrape();
        (scrape.samples("libvirt_domain_job_info_type", &[]).len() == 6).then_some(scrape)
    });
    let mut count = 0;
    for family in &scrape.0.families {
        if !family.name.starts_with("libvirt_domain_") {
            continue;
        }
        for sample in &family.samples {
            let text = |label: &str| sample.labels.get(label).map_or("", String::as_str);
            assert!(text("name").starts_with("testing-"), "{} {:?}", family.name, sample.labels);
            assert!(text("flavor").starts_with("m1."), "{} {:?}", family.name, sample.labels);
            let project = text("project_name");
            assert!(["blue", "green", "red"].contains(&project), "{} {project}", family.name);
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
}

#[test]
fn tinkoffs_names_are_there_where_they_are_wanted_and_not_elsewhere() {
    let names = include_str!("../../testdata/vocabularies/tinkoff.txt");
    let names: Vec<_> = names
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    let pools = ["pool fast running 10 1"];
    let args = ["--min-age=0", "-interval=0", "--compat=tinkoff"];
    let scrape_of = |args: &[&str]| {
        let bench = Bench::with(3, &pools, args);
        let whole = || {
            let scrape = bench.scrape();
            let job_type = scrape.samples("libvirt_domain_job_info_type", &[]).len();
            (job_type == 3).then_some(scrape)
        };
        wait_until(PATIENCE, "all of all domains", whole).0
    };
    let (tinkoff, usual) = (scrape_of(&args), scrape_of(&args[..2]));
    let is_in = |scrape: &Scrape, name: &str| scrape.families.iter().any(|it| it.name == name);
    // libvirt gives these of a guest with limits, or with KVM, alone.
    let missing: Vec<_> = names.iter().filter(|name| !is_in(&tinkoff, name)).collect();
    let is_limit = |name: &&&&str| name.contains("_limit_") || name.contains("size_iops");
    let missing: Vec<_> = missing.iter().filter(|name| !is_limit(name)).collect();
    assert_eq!(missing, Vec::<&&&str>::new());
    for name in ["libvirt_versions_info", "libvirt_pool_info_capacity_bytes"] {
        assert!(!is_in(&usual, name), "{name}");
    }
    let versions = tinkoff.samples("libvirt_versions_info", &[]);
    assert_eq!(versions[0].labels["libvirtd_running"], "9.0.0");
    assert_eq!(versions[0].labels["hypervisor_running"], "7.2.22");
    let cpu = [("domain", "instance-00000003"), ("vcpu", "1")];
    assert_eq!(tinkoff.value("libvirt_domain_vcpu_cpu", &cpu), 4.0);
}

#[test]
fn counters_of_a_domain_that_was_seen_to_start_say_when() {
    let bench = bench(3, &["--created-timestamps"]);
    bench.whole(3);
    bench.order("destroy instance-00000002");
    drop(bench.scrape());
    bench.order("start instance-00000002");
    let created = |accept: &str| {
        let body = http::get(bench.exporter.address, "/metrics", accept).body;
        let lines = body.lines().filter(|line| line.contains("_created{"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let openmetrics = "Accept: application/openmetrics-text;version=1.0.0\r\n";
    let lines = created(openmetrics);
    let of_domains = || lines.iter().filter(|line| line.contains("instance-"));
    let cpu = of_domains().filter(|line| line.starts_with("libvirt_domain_info_cpu_time_seconds_"));
    assert_eq!(cpu.count(), 1, "{lines:#?}");
    assert!(of_domains().all(|line| line.contains("instance-00000002")), "{lines:#?}");
    assert_eq!(created(""), Vec::<String>::new());
}
