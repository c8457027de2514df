//! A QEMU that does not answer costs its own statistics, and nobody else's.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    mission::{is_of_the_vcpus, needs_monitor, with_memory},
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_stuck_qemu_costs_its_own_statistics_and_no_others() {
    // Of its own: the stuck guest holds one of libvirtd's workers.
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let stuck = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]);
    let others = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let stuck = stuck.booted();

    let healthy = with_memory(&exporter);
    let whole = owned(healthy.families_of(&stuck.name));
    let of_the_monitor = whole.keys().filter(|family| needs_monitor(family)).count();
    // The mission's, disks', the memory's, the vCPUs' with their number, and the job.
    assert_eq!(of_the_monitor, 7 + 11 + 14 + 6 + 1 + 1, "{whole:?}");
    let of_others = owned(healthy.families_of(&others[0].name));
    let usual = median((0..10).map(|_| exporter.scrape().response.took()));

    let frozen = stuck.freeze();
    let first = exporter.scrape();
    assert!(first.response.took() < Duration::from_secs(10), "{:?}", first.response.took());
    let without = |is_missing: &dyn Fn(&str) -> bool| {
        let left = whole.iter().filter(|(family, _)| !is_missing(family));
        left.map(|(family, samples)| (family.clone(), *samples)).collect::<BTreeMap<_, _>>()
    };
    // Once a call hangs in the guest, libvirt asks its QEMU nothing more, and tells of the vCPUs.
    let at_first = without(&|family| needs_monitor(family));
    let expected = without(&|family| needs_monitor(family) && !is_of_the_vcpus(family));
    let kept: BTreeSet<_> = at_first.keys().map(String::as_str).collect();
    for family in ["cpu_time_total", "vcpu_count", "rxbytes", "txbytes", "info"] {
        assert!(kept.contains(&*format!("libvirt_nova_instance_{family}")), "{kept:?}");
    }
    let of_stuck = [("domain", &*stuck.name)];
    let occupied = [("domain", &*stuck.name), ("state", "occupied")];
    let mut took = Vec::new();
    let mut since = 0.0;
    for round in 0..10 {
        let scrape = if round == 0 {
            exporter.scrape()
        } else {
            exporter.scrape_within(Duration::from_secs(10))
        };
        assert!(scrape.up());
        assert_eq!(owned(scrape.families_of(&stuck.name)), expected, "round {round}");
        assert_eq!(scrape.value("libvirt_domain_control_state", &occupied), 1.0);
        assert_eq!(scrape.value("libvirt_domain_stats_complete", &of_stuck), 0.0);
        assert_eq!(scrape.value("libvirt_domain_timed_out", &of_stuck), 1.0);
        let longer = scrape.value("libvirt_domain_control_state_seconds", &of_stuck);
        assert!(longer > since, "{longer} s, and {since} s before");
        since = longer;
        for other in &others {
            assert_eq!(owned(scrape.families_of(&other.name)), of_others, "round {round}");
            let age = scrape.value("libvirt_domain_stats_age_seconds", &[("domain", &*other.name)]);
            assert!(age <= scrape.response.took().as_secs_f64(), "{age} s old");
        }
        took.push(scrape.response.took());
    }
    let first_of_stuck = owned(first.families_of(&stuck.name));
    // It was made again where the machine stood still in it.
    assert!([at_first, expected].contains(&first_of_stuck), "the first scrape: {first_of_stuck:?}");
    for other in &others {
        assert_eq!(owned(first.families_of(&other.name)), of_others, "the first scrape");
    }
    // Only the first one waits for the stuck guest: the shortest deadline of a call is half a second.
    let (stuck_usual, bound) = (median(took.into_iter()), usual * 4 + Duration::from_millis(200));
    assert!(stuck_usual < bound, "{stuck_usual:?} while it is stuck, {usual:?} before");

    drop(frozen);
    stuck.tells_anew();
    let scrapes = [(); 2].map(|()| owned(exporter.scrape().families_of(&stuck.name)));
    assert!(scrapes.contains(&whole), "not complete in two scrapes: {scrapes:#?}");
    let log = exporter.log();
    assert!(log.len() < 10, "{log:#?}");
}

/// More than the connection puts up with: it is replaced, and nobody healthy notices.
#[test]
fn three_stuck_qemus_cost_nobody_else_anything() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let stuck = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let others = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let whole = owned(exporter.scrape().families_of(&others[0].name));

    let frozen: Vec<_> = stuck.iter().map(Guest::freeze).collect();
    for round in 0..4 {
        let scrape = exporter.scrape();
        assert!(scrape.up(), "round {round}");
        for other in &others {
            assert_eq!(owned(scrape.families_of(&other.name)), whole, "round {round}");
        }
        for guest in &stuck {
            let families = scrape.families_of(&guest.name);
            assert!(families.contains_key("libvirt_nova_instance_cpu_time_total"), "{families:?}");
            assert!(!families.contains_key("libvirt_nova_instance_rdbytes"), "{families:?}");
        }
    }
    drop(frozen);
    wait_until(PATIENCE, "all guests complete again", || {
        let scrape = exporter.scrape();
        stuck.iter().all(|guest| owned(scrape.families_of(&guest.name)) == whole).then_some(())
    });
    let log = exporter.log();
    assert!(log.len() < 10, "{log:#?}");
}

/// libvirtd tries for some 15 s to end a QEMU that is stopped, and says meanwhile to nobody which
/// domains there are.
#[test]
fn the_destruction_of_a_stuck_qemu_costs_nobody_else_anything() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let stuck = libvirtd.bios_guest(&[]);
    let others = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let whole = owned(exporter.scrape().families_of(&others[0].name));

    let frozen = stuck.freeze();
    let mut busy = [0; 3];
    thread::scope(|scope| {
        let destruction = scope.spawn(|| stuck.destroy());
        while !destruction.is_finished() {
            let scrape = exporter.scrape();
            assert!(scrape.up(), "{}", scrape.response.body);
            // The default deadline, and as long again for a busy machine: Prometheus gives up then.
            assert!(scrape.response.took() < Duration::from_secs(10));
            for (other, in_a_row) in others.iter().zip(&mut busy) {
                let mut families = owned(scrape.families_of(&other.name));
                *in_a_row = if families == whole { 0 } else { *in_a_row + 1 };
                // A call that was given up may reach a guest, when libvirtd goes on with it, in the
                // very moment of another: libvirt then leaves out what QEMU would have to be asked.
                assert!(*in_a_row <= 3, "{} lacked its disks in so many scrapes", other.name);
                if families != whole {
                    families.extend(
                        whole.clone().into_iter().filter(|(family, _)| needs_monitor(family)),
                    );
                }
                assert_eq!(families, whole);
            }
        }
    });
    drop(frozen);
    assert!(exporter.scrape().families_of(&stuck.name).is_empty());
    let log = exporter.log();
    assert!(log.len() < 10, "{log:#?}");
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times[times.len() / 2]
}

fn owned(families: BTreeMap<&str, usize>) -> BTreeMap<String, usize> {
    families.into_iter().map(|(name, samples)| (name.to_owned(), samples)).collect()
}
