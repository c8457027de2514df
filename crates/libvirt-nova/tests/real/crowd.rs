//! Many QEMUs that do not answer leave libvirtd its workers, and the others their samples.

use std::{collections::BTreeMap, fs, time::Duration};

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// What needs no monitor, of a guest of firmware alone.
const MONITOR_FREE: [&str; 29] = [
    "libvirt_domain_block_stats_info",
    "libvirt_domain_control_state",
    "libvirt_domain_cpu_system_seconds_total",
    "libvirt_domain_cpu_user_seconds_total",
    "libvirt_domain_events_total",
    "libvirt_domain_info",
    "libvirt_domain_info_cpu_time_seconds_total",
    "libvirt_domain_info_maximum_memory_bytes",
    "libvirt_domain_info_state",
    "libvirt_domain_interface_stats_info",
    "libvirt_domain_interface_stats_receive_bytes_total",
    "libvirt_domain_interface_stats_receive_drops_total",
    "libvirt_domain_interface_stats_receive_errors_total",
    "libvirt_domain_interface_stats_receive_packets_total",
    "libvirt_domain_interface_stats_transmit_bytes_total",
    "libvirt_domain_interface_stats_transmit_drops_total",
    "libvirt_domain_interface_stats_transmit_errors_total",
    "libvirt_domain_interface_stats_transmit_packets_total",
    "libvirt_domain_openstack_info",
    "libvirt_domain_state",
    "libvirt_domain_state_reason",
    "libvirt_domain_stats_age_seconds",
    "libvirt_domain_stats_complete",
    "libvirt_domain_timed_out",
    "libvirt_nova_instance_cpu_time_total",
    "libvirt_nova_instance_info",
    "libvirt_nova_instance_rxbytes",
    "libvirt_nova_instance_txbytes",
    "libvirt_nova_instance_vcpu_count",
];

/// Abandoned calls at which no monitor is asked any more, unless a flag says otherwise.
const ABANDONED_MAX: f64 = 12.0;

#[test]
fn ten_of_sixteen_stuck_qemus_and_then_all_cost_nobody_else_anything() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let guests = [(); 16].map(|()| libvirtd.bios_guest(&[]));
    let (stuck, healthy) = guests.split_at(10);
    let (whole, _) = wait_until(PATIENCE, "a scrape with all of all", || {
        let scrape = exporter.scrape();
        let is_whole = guests.iter().all(|guest| is_complete(&scrape, guest));
        is_whole.then(|| owned(&scrape, &healthy[0]))
    });

    let mut frozen: Vec<_> = stuck.iter().map(Guest::freeze).collect();
    for round in 1..=5 {
        let scrape = scrape(&exporter);
        // The first ones may be cut short while all ten are found out.
        for guest in healthy.iter().filter(|_| round >= 3) {
            assert_eq!(owned(&scrape, guest), whole, "round {round}");
            let age = age(&scrape, guest);
            assert!(age <= scrape.response.took().as_secs_f64(), "round {round}: {age} s old");
        }
        assert_monitor_free(&scrape, &guests);
        assert_eq!(stuck.iter().filter(|guest| is_complete(&scrape, guest)).count(), 0);
    }

    frozen.extend(healthy.iter().map(Guest::freeze));
    for _ in 0..3 {
        let scrape = scrape(&exporter);
        assert_monitor_free(&scrape, &guests);
        assert_eq!(guests.iter().filter(|guest| is_complete(&scrape, guest)).count(), 0);
        let abandoned = scrape.value("libvirt_nova_exporter_rpc_abandoned", &[]);
        assert!(abandoned <= ABANDONED_MAX, "{abandoned} of libvirtd's workers hang");
    }
    let skipped = [("reason", "abandoned")];
    let skipped = exporter.scrape().value("libvirt_nova_exporter_domains_skipped", &skipped);
    assert_eq!(skipped, 16.0, "none is asked for more than needs no monitor");
    // libvirtd works for others.
    let xml = libvirtd.dir().join("new.xml");
    let definition = "<domain type='qemu'><name>new</name><memory unit='MiB'>32</memory>\
                      <os><type>hvm</type></os></domain>";
    fs::write(&xml, definition).unwrap();
    libvirtd.virsh().run(["define", xml.to_str().unwrap()]);
    libvirtd.virsh().run(["undefine", "new"]);

    drop(frozen);
    wait_until(PATIENCE, "all guests complete again", || {
        let scrape = exporter.scrape();
        guests.iter().all(|guest| owned(&scrape, guest) == whole).then_some(())
    });
    let log = exporter.log();
    // Who does not answer is told once, and once who answers again.
    assert!(log.len() < 10 + 2 * guests.len(), "{log:#?}");
}

/// As a Prometheus with its default timeout scrapes, which gives up after it.
fn scrape(exporter: &Exporter) -> Scrape {
    let scrape = exporter.scrape_within(Duration::from_secs(10));
    assert!(scrape.up());
    let took = scrape.response.took();
    assert!(took < Duration::from_secs(12), "{took:?}");
    scrape
}

fn assert_monitor_free(scrape: &Scrape, guests: &[Guest<'_>]) {
    for guest in guests {
        let families = scrape.families_of(&guest.name);
        for family in MONITOR_FREE {
            assert!(families.contains_key(family), "no {family} in {families:?}");
        }
    }
}

fn is_complete(scrape: &Scrape, guest: &Guest<'_>) -> bool {
    scrape.get("libvirt_domain_stats_complete", &[("domain", &guest.name)]) == Some(1.0)
}

fn age(scrape: &Scrape, guest: &Guest<'_>) -> f64 {
    scrape.value("libvirt_domain_stats_age_seconds", &[("domain", &guest.name)])
}

fn owned(scrape: &Scrape, guest: &Guest<'_>) -> BTreeMap<String, usize> {
    let families = scrape.families_of(&guest.name);
    families.into_iter().map(|(name, samples)| (name.to_owned(), samples)).collect()
}
