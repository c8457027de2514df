//! A guest is in a scrape whole, or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::{
    exporter::Exporter,
    libvirtd::Libvirtd,
    mission::{
        FAMILIES, JOB, MEMORY, OF_LIBVIRT, OF_LIBVIRTS_MEMORY, is_of_the_vcpus, needs_monitor,
    },
    scrape::EVENTS,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_guest_that_is_created_is_in_the_next_scrape() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    exporter.scrape();
    let guest = libvirtd.bios_guest(&[]);
    assert_eq!(exporter.scrape().families_of(&guest.name), whole());
}

#[test]
fn a_guest_that_is_destroyed_is_gone_from_the_next_scrape() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let guest = libvirtd.bios_guest(&[]);
    assert_eq!(exporter.scrape().families_of(&guest.name), whole());
    guest.destroy();
    assert_eq!(exporter.scrape().families_of(&guest.name), BTreeMap::new());
}

#[test]
fn the_first_scrape_of_an_exporter_is_as_whole_as_any() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    for round in 0..10 {
        let exporter = Exporter::at(&libvirtd.uri());
        // On a busy machine, it may not be connected yet.
        let (first, _) = wait_until(PATIENCE, "a scrape that finds libvirtd", || {
            let scrape = exporter.scrape();
            scrape.up().then_some(scrape)
        });
        assert_eq!(first.families_of(&guest.name), whole(), "round {round}");
    }
}

#[test]
fn no_scrape_of_a_tight_loop_holds_half_a_guest() {
    let libvirtd = Libvirtd::start(&[]);
    let steady = libvirtd.bios_guest(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let (over, ended) = (AtomicBool::new(false), AtomicUsize::new(0));
    let scrapes = thread::scope(|scope| {
        let scraping = scope.spawn(|| {
            let mut scrapes = Vec::new();
            while !over.load(Ordering::Relaxed) {
                scrapes.push(exporter.scrape());
                ended.store(scrapes.len(), Ordering::Relaxed);
            }
            scrapes
        });
        for _ in 0..7 {
            let guest = libvirtd.bios_guest(&[]);
            // The one under way may have begun before.
            let enough = ended.load(Ordering::Relaxed) + 2;
            wait_until(PATIENCE, "a scrape that begins and ends", || {
                (ended.load(Ordering::Relaxed) >= enough).then_some(())
            });
            guest.destroy();
        }
        over.store(true, Ordering::Relaxed);
        scraping.join().unwrap()
    });

    let many = scrapes.len();
    assert!(many > 30, "{many} scrapes are no tight loop");
    let down = scrapes.iter().filter(|scrape| !scrape.up()).count();
    assert_eq!(down, 0, "of {many} scrapes, so many found no libvirtd");
    let log = exporter.log();
    assert!(log.len() < 10, "{} lines for {many} scrapes: {log:#?}", log.len());
    let mut seen = BTreeSet::new();
    let mut halves = BTreeMap::new();
    for scrape in &scrapes {
        let instances = scrape.instances();
        assert!(instances.contains_key(&*steady.name), "{}", scrape.response.body);
        for (instance, families) in instances {
            seen.insert(instance);
            if families == whole() {
                continue;
            }
            // libvirt itself is at work on the guest, for tenths of a second.
            let is_busy = is_of_a_busy_guest(&families);
            let is_running = scrape.state(instance) == Some("running");
            // Or it waits for the death of QEMU and says nothing more of the guest, which is told.
            let of_guest = [("domain", instance)];
            let is_held = scrape.state(instance).is_none()
                && scrape.value("libvirt_domain_stats_complete", &of_guest) == 0.0
                && families.keys().all(|name| OF_THE_HELD.contains(name));
            if !(is_held || is_running && is_busy) {
                let missing = whole().into_keys().filter(|name| !families.contains_key(name));
                let half = (scrape.state(instance), missing.collect::<Vec<_>>());
                *halves.entry(half).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.len(), 8, "only {seen:?} were seen");
    assert!(halves.is_empty(), "of {many} scrapes, so many had a guest without: {halves:#?}");
}

/// Whether libvirt asks QEMU nothing, tells of no job, or holds the guest when its control state is
/// asked for, last of all; and nothing else is missing.
fn is_of_a_busy_guest(families: &BTreeMap<&str, usize>) -> bool {
    let whole = whole();
    let missing: BTreeSet<_> = whole.keys().filter(|name| !families.contains_key(*name)).collect();
    // All of these families, or none.
    let is_missing = |is_one: &dyn Fn(&str) -> bool| {
        let mut ones = whole.keys().filter(|name| is_one(name)).map(|name| missing.contains(name));
        let first = ones.next().unwrap();
        ones.all(|other| other == first).then_some(first)
    };
    let is_of_qemu = |name: &str| needs_monitor(name) && !is_of_the_vcpus(name) && name != JOB;
    let [Some(qemu), Some(vcpus)] = [is_missing(&is_of_qemu), is_missing(&is_of_the_vcpus)] else {
        return false;
    };
    let is_alike = families.iter().all(|(name, samples)| whole.get(name) == Some(samples));
    is_alike
        && (qemu || !vcpus)
        && (!qemu || missing.contains(&JOB))
        && missing.iter().all(|name| needs_monitor(name) || **name == CONTROL)
}

const CONTROL: &str = "libvirt_domain_control_state";

/// What is known of a guest without libvirt's help, and what may have come before it was held.
const OF_THE_HELD: [&str; 15] = [
    "libvirt_domain_block_stats_info",
    "libvirt_domain_cpu_system_seconds_total",
    "libvirt_domain_cpu_user_seconds_total",
    EVENTS,
    "libvirt_domain_info",
    "libvirt_domain_info_cpu_time_seconds_total",
    "libvirt_domain_info_maximum_memory_bytes",
    "libvirt_domain_interface_stats_info",
    "libvirt_domain_openstack_info",
    "libvirt_domain_stats_complete",
    "libvirt_domain_timed_out",
    "libvirt_nova_instance_cpu_time_total",
    "libvirt_nova_instance_info",
    "libvirt_nova_instance_vcpu_count",
    CONTROL,
];

/// The families of a guest without a balloon driver, and how many samples each has.
fn whole() -> BTreeMap<&'static str, usize> {
    let of_libvirt = OF_LIBVIRT.into_iter().chain(OF_LIBVIRTS_MEMORY).map(|name| match name {
        CONTROL | EVENTS => (name, 4),
        "libvirt_domain_state" => (name, 8),
        _ => (name, 1),
    });
    let of_nova = FAMILIES.map(|(name, ..)| (name, 1)).into_iter();
    of_libvirt.chain(of_nova.filter(|(name, _)| !MEMORY.contains(name))).collect()
}
