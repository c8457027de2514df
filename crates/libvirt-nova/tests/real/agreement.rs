//! Every number and every label agrees with what virsh says of the same guest.
//!
//! A counter is held between two readings of virsh, one before the scrape and one after it.

use std::{thread, time::Duration};

use crate::{
    exporter::Exporter,
    fixture::shared,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// The mission's families as they are exposed: name, type, help, and labels beyond [`NAMES`].
const FAMILIES: [(&str, &str, &str, &[&str]); 12] = [
    ("libvirt_nova_instance_cpu_time_total", "counter", "instance vcpu time", &[]),
    ("libvirt_nova_instance_memory_alloc_kb", "gauge", "instance memory allocated", &[]),
    ("libvirt_nova_instance_memory_used_kb", "gauge", "instance memory used", &[]),
    (
        "libvirt_nova_instance_memory_cache_used_kb",
        "gauge",
        "instance memory used including cache",
        &[],
    ),
    ("libvirt_nova_instance_vcpu_count", "gauge", "instance vcpu allocated", &[]),
    (
        "libvirt_nova_instance_rxbytes",
        "counter",
        "bytes received by the instance's network interface",
        &["iface", "macaddr"],
    ),
    (
        "libvirt_nova_instance_txbytes",
        "counter",
        "bytes transmitted by the instance's network interface",
        &["iface", "macaddr"],
    ),
    (
        "libvirt_nova_instance_rdbytes",
        "counter",
        "bytes read from the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_wrbytes",
        "counter",
        "bytes written to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_rdreq",
        "counter",
        "read requests to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_wrreq",
        "counter",
        "write requests to the instance's disk",
        &["cindervolume", "disktype", "targetdev"],
    ),
    (
        "libvirt_nova_instance_info",
        "gauge",
        "What Nova says of the instance: the join for everything else.",
        &["flavor", "flavor_id", "host", "image_id", "project_id", "user", "user_id", "uuid"],
    ),
];

/// The labels that every one of them has.
const NAMES: [&str; 3] = ["libvirtname", "novaname", "novaproject"];

/// Families that only a balloon's driver gives.
const MEMORY: [&str; 3] = [
    "libvirt_nova_instance_memory_alloc_kb",
    "libvirt_nova_instance_memory_used_kb",
    "libvirt_nova_instance_memory_cache_used_kb",
];

#[test]
fn every_family_of_the_mission_has_its_name_type_help_and_labels() {
    let libvirtd = shared();
    let guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    let scrape = Exporter::on(&libvirtd).scrape();
    let exposed: Vec<_> = scrape
        .families
        .iter()
        .filter(|family| family.name.starts_with("libvirt_nova_instance_"))
        .map(|family| {
            let mine =
                family.samples.iter().find(|sample| sample.labels["libvirtname"] == guest.name);
            let labels: Vec<_> = mine.unwrap().labels.keys().cloned().collect();
            (family.name.clone(), family.kind.clone(), family.help.clone(), labels)
        })
        .collect();
    let expected = FAMILIES.map(|(name, kind, help, more)| {
        let mut labels: Vec<_> = NAMES.iter().chain(more).map(ToString::to_string).collect();
        labels.sort();
        (name.to_owned(), kind.to_owned(), help.to_owned(), labels)
    });
    assert_eq!(exposed, expected);
}

#[test]
fn every_counter_lies_between_two_readings_of_virsh() {
    let libvirtd = shared();
    let guest = libvirtd.kernel_guest(&[("BURN", "30")]).booted();
    let exporter = Exporter::on(&libvirtd);
    // No two counters are alike, so that none can stand for another.
    guest.write_to_disk(8192);
    guest.send_datagram(1000);

    let reading = || {
        let stats = guest.virsh().stats(&guest.name);
        let number = |field| stats.number(field);
        [
            ("cpu_time_total", guest.virsh().cpu_nanoseconds(&guest.name)),
            ("rxbytes", number("net.0.rx.bytes")),
            ("txbytes", number("net.0.tx.bytes")),
            ("rdbytes", number("block.0.rd.bytes")),
            ("wrbytes", number("block.0.wr.bytes")),
            ("rdreq", number("block.0.rd.reqs")),
            ("wrreq", number("block.0.wr.reqs")),
        ]
    };
    let before = reading();
    let scrape = exporter.scrape();
    let after = reading();
    let mut values: Vec<_> = before.iter().map(|(_, value)| value).collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), before.len(), "two counters are alike: {before:?}");
    assert!(!values.contains(&&0), "a counter that stands at 0 proves nothing: {before:?}");
    for ((name, before), (_, after)) in before.into_iter().zip(after) {
        let family = format!("libvirt_nova_instance_{name}");
        let value = scrape.value(&family, &[("libvirtname", &guest.name)]);
        assert!(
            in_order(before, value, after),
            "{name}: virsh says {before} before and {after} after, the scrape {value}"
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "a counter of a young guest has far below 53 bits")]
fn in_order(before: u64, value: f64, after: u64) -> bool {
    before as f64 <= value && value <= after as f64
}

#[test]
fn memory_is_what_virsh_says() {
    let libvirtd = shared();
    let guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    let exporter = Exporter::on(&libvirtd);
    let name = [("libvirtname", guest.name.as_str())];
    // The driver tells once a second; a scrape between two of its tellings is what we need.
    let ((scrape, told), _) =
        wait_until(PATIENCE, "a scrape within one period of the balloon", || {
            let before = guest.virsh().memory(&guest.name);
            let scrape = exporter.scrape();
            let after = guest.virsh().memory(&guest.name);
            (before["last_update"] == after["last_update"]).then_some((scrape, after))
        });
    let expected =
        [told["available"], told["available"] - told["usable"], told["available"] - told["unused"]];
    assert!(expected[0] < 128 * 1024, "the guest sees what the kernel left of its 128 MiB");
    assert!(expected[1] != expected[2], "a cache that is empty proves nothing");
    for (family, expected) in MEMORY.into_iter().zip(expected) {
        assert_eq!(scrape.value(family, &name).to_string(), expected.to_string(), "{family}");
    }
}

#[test]
fn a_guest_without_a_balloon_driver_has_no_memory_samples() {
    let libvirtd = shared();
    let guest = libvirtd.bios_guest(&[]);
    let scrape = Exporter::on(&libvirtd).scrape();
    let families = scrape.families_of(&guest.name);
    let expected =
        FAMILIES.map(|(name, ..)| name).into_iter().filter(|name| !MEMORY.contains(name));
    let mut expected: Vec<_> = expected.chain(["libvirt_domain_state"]).collect();
    expected.sort_unstable();
    assert_eq!(families.into_keys().collect::<Vec<_>>(), expected);
}

#[test]
fn the_vcpu_count_is_the_maximum() {
    let libvirtd = shared();
    let full = libvirtd.bios_guest(&[("VCPUS", "2")]);
    let half = Guest::create_from(&libvirtd, &[("KIND", "bios"), ("VCPUS", "2")], |xml| {
        xml.replace("<vcpu>2</vcpu>", "<vcpu current='1'>2</vcpu>")
    });
    assert_eq!(half.virsh().stats(&half.name).number("vcpu.current"), 1);
    let scrape = Exporter::on(&libvirtd).scrape();
    for guest in [&full, &half] {
        let maximum = guest.virsh().stats(&guest.name).text("vcpu.maximum").to_owned();
        assert_eq!(maximum, "2");
        let name = [("libvirtname", guest.name.as_str())];
        assert_eq!(scrape.value("libvirt_nova_instance_vcpu_count", &name).to_string(), maximum);
    }
}

#[test]
fn labels_are_what_nova_and_the_xml_say() {
    let libvirtd = shared();
    let guest = libvirtd.bios_guest(&[("PROJECT", "blue"), ("OWNER", "anna")]);
    let scrape = Exporter::on(&libvirtd).scrape();
    let stats = guest.virsh().stats(&guest.name);
    let of_nova =
        [("libvirtname", &*guest.name), ("novaname", &guest.nova_name()), ("novaproject", "blue")];
    for family in ["cpu_time_total", "vcpu_count"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &of_nova).is_some(), "{family}");
    }
    let of_nic = [("iface", stats.text("net.0.name")), ("macaddr", &guest.mac)];
    for family in ["rxbytes", "txbytes"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &[&of_nova[..], &of_nic].concat()).is_some(), "{family}");
    }
    let target = stats.text("block.0.name");
    let of_disk = [("cindervolume", &*guest.uuid), ("disktype", "file"), ("targetdev", target)];
    for family in ["rdbytes", "wrbytes", "rdreq", "wrreq"] {
        let family = format!("libvirt_nova_instance_{family}");
        assert!(scrape.get(&family, &[&of_nova[..], &of_disk].concat()).is_some(), "{family}");
    }
    let (xml, host) = (guest.run("dumpxml", &[]), guest.virsh().run(["hostname"]));
    let info = [
        ("flavor", "m1.tiny"),
        ("flavor_id", ""),
        ("host", host.trim()),
        ("image_id", "155d900f-4e14-4e4c-a73d-069cbf4541e6"),
        ("project_id", between(&xml, "<nova:project uuid=\"", "\"")),
        ("user", "anna"),
        ("user_id", between(&xml, "<nova:user uuid=\"", "\"")),
        ("uuid", &guest.uuid),
    ];
    assert_eq!(scrape.value("libvirt_nova_instance_info", &[&of_nova[..], &info].concat()), 1.0);
}

fn between<'x>(xml: &'x str, before: &str, after: &str) -> &'x str {
    let (_, rest) = xml.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

#[test]
fn a_guest_that_nova_did_not_make_has_empty_labels() {
    let libvirtd = shared();
    let guest = foreign_guest(&libvirtd);
    let scrape = Exporter::on(&libvirtd).scrape();
    let name = [("libvirtname", guest.name.as_str())];
    for (family, _, _, more) in FAMILIES.into_iter().filter(|(name, ..)| !MEMORY.contains(name)) {
        let labels = &scrape.sample(family, &name).unwrap().labels;
        assert_eq!(labels.len(), NAMES.len() + more.len(), "{family}");
        let of_nova =
            ["novaname", "novaproject", "flavor", "image_id", "project_id", "user", "user_id"];
        for label in of_nova.iter().filter_map(|name| labels.get(*name)) {
            assert_eq!(label, "", "{family}");
        }
    }
    let info = scrape.sample("libvirt_nova_instance_info", &name).unwrap();
    assert_eq!(info.labels["uuid"], guest.uuid);
}

fn foreign_guest(libvirtd: &Libvirtd) -> Guest<'_> {
    Guest::create_from(libvirtd, &[("KIND", "bios")], |xml| {
        let (before, rest) = xml.split_once("<metadata>").unwrap();
        let (_, after) = rest.split_once("</metadata>").unwrap();
        format!("{before}{after}")
    })
}

#[test]
fn a_burning_guest_uses_what_it_burns() {
    let libvirtd = shared();
    let guest = libvirtd.kernel_guest(&[("BURN", "50")]).booted();
    let exporter = Exporter::on(&libvirtd);
    let time = |scrape: &Scrape| {
        scrape.value("libvirt_nova_instance_cpu_time_total", &[("libvirtname", &guest.name)]) / 1e9
    };
    let mut rates = Vec::new();
    while rates.len() < 10 && !rates.iter().any(|rate| BOUNDS.contains(rate)) {
        let before = exporter.scrape();
        thread::sleep(WINDOW);
        let after = exporter.scrape();
        let moved = time(&after) - time(&before);
        // Nobody can have used more than the host's clock and CPUs allow between the outer ends.
        let outer = (after.response.ended - before.response.began).as_secs_f64();
        let cpus = thread::available_parallelism().unwrap().get().to_string();
        let cpus: f64 = cpus.parse().unwrap();
        assert!(0.0 < moved && moved < outer * cpus, "{moved} s of CPU in {outer} s");
        rates.push(moved / outer);
    }
    assert!(rates.iter().any(|rate| BOUNDS.contains(rate)), "vCPUs in use: {rates:?}");
}

/// Of each second the guest burns half, by its own clock, and reads its disk; QEMU's other threads
/// add some per cent. Below are units that are wrong by a factor, and a host too busy to run the
/// guest, which passes; above are vCPUs that are counted twice.
const BOUNDS: std::ops::Range<f64> = 0.3..0.8;

/// Several of the guest's own periods of a second.
const WINDOW: Duration = Duration::from_secs(6);
