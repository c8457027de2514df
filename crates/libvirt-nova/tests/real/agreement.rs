//! Every number and every label agrees with what virsh says of the same guest.
//!
//! A counter is held between two readings of virsh, one before the scrape and one after it.

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    mission::MEMORY,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

#[test]
fn every_counter_lies_between_two_readings_of_virsh() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "30")]).booted();
    let exporter = Exporter::on(&libvirtd);
    // No two counters are alike, so that none can stand for another.
    guest.write_to_disk(8192);
    guest.send_datagram(1000);
    wait_until(PATIENCE, "a packet of the guest's kernel", || {
        (guest.virsh().stats(&guest.name).number("net.0.tx.bytes") > 0).then_some(())
    });

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

#[test]
fn every_counter_in_libvirts_words_lies_between_two_readings_too() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "30")]).booted();
    let exporter = Exporter::on(&libvirtd);
    guest.write_to_disk(8192);
    let before = guest.virsh().stats(&guest.name);
    let scrape = exporter.scrape();
    let after = guest.virsh().stats(&guest.name);
    let of_guest = [("domain", guest.name.as_str()), ("uuid", &guest.uuid)];
    for (family, field, target, unit) in COUNTERS {
        let family = format!("libvirt_domain_{family}");
        let target = if target == "tap" { &*guest.tap } else { target };
        let labels = [&of_guest[..], &[("target_device", target)]].concat();
        // Rounded to a nanosecond: the text has all digits of the seconds.
        let value = (scrape.value(&family, &labels) * unit).round();
        let (before, after) = (before.number(field), after.number(field));
        assert!(
            in_order(before, value, after),
            "{family}: virsh says {before} before and {after} after, the scrape {value}"
        );
    }
}

/// Families, the fields that they come from, their devices, and how many of libvirt's units are one
/// of ours.
const COUNTERS: [(&str, &str, &str, f64); 19] = [
    ("block_stats_allocation_bytes", "block.0.allocation", "vda", 1.0),
    ("block_stats_capacity_bytes", "block.0.capacity", "vda", 1.0),
    ("block_stats_flush_requests_total", "block.0.fl.reqs", "vda", 1.0),
    ("block_stats_flush_time_seconds_total", "block.0.fl.times", "vda", 1e9),
    ("block_stats_physical_bytes", "block.0.physical", "vda", 1.0),
    ("block_stats_read_bytes_total", "block.0.rd.bytes", "vda", 1.0),
    ("block_stats_read_requests_total", "block.0.rd.reqs", "vda", 1.0),
    ("block_stats_read_time_seconds_total", "block.0.rd.times", "vda", 1e9),
    ("block_stats_write_bytes_total", "block.0.wr.bytes", "vda", 1.0),
    ("block_stats_write_requests_total", "block.0.wr.reqs", "vda", 1.0),
    ("block_stats_write_time_seconds_total", "block.0.wr.times", "vda", 1e9),
    ("interface_stats_receive_bytes_total", "net.0.rx.bytes", "tap", 1.0),
    ("interface_stats_receive_drops_total", "net.0.rx.drop", "tap", 1.0),
    ("interface_stats_receive_errors_total", "net.0.rx.errs", "tap", 1.0),
    ("interface_stats_receive_packets_total", "net.0.rx.pkts", "tap", 1.0),
    ("interface_stats_transmit_bytes_total", "net.0.tx.bytes", "tap", 1.0),
    ("interface_stats_transmit_drops_total", "net.0.tx.drop", "tap", 1.0),
    ("interface_stats_transmit_errors_total", "net.0.tx.errs", "tap", 1.0),
    ("interface_stats_transmit_packets_total", "net.0.tx.pkts", "tap", 1.0),
];

#[expect(clippy::cast_precision_loss, reason = "a counter of a young guest has far below 53 bits")]
pub(crate) fn in_order(before: u64, value: f64, after: u64) -> bool {
    before as f64 <= value && value <= after as f64
}

#[test]
fn memory_is_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    let exporter = Exporter::on(&libvirtd);
    let name = [("libvirtname", guest.name.as_str())];
    // The driver tells once a second; a scrape between two of its tellings is what we need.
    let ((scrape, told), _) =
        wait_until(PATIENCE, "a scrape within one period of the balloon", || {
            let before = guest.virsh().memory(&guest.name);
            let scrape = exporter.scrape();
            let after = guest.virsh().memory(&guest.name);
            let is_there = scrape.get(MEMORY[0], &name).is_some();
            (is_there && before["last_update"] == after["last_update"]).then_some((scrape, after))
        });
    let expected =
        [told["available"], told["available"] - told["usable"], told["available"] - told["unused"]];
    assert!(expected[0] < 128 * 1024, "the guest sees what the kernel left of its 128 MiB");
    assert!(expected[1] != expected[2], "a cache that is empty proves nothing");
    for (family, expected) in MEMORY.into_iter().zip(expected) {
        assert_eq!(scrape.value(family, &name).to_string(), expected.to_string(), "{family}");
    }
    let domain = [("domain", guest.name.as_str())];
    for (family, field, unit) in [
        ("available_bytes", "available", 1024),
        ("current_balloon_bytes", "actual", 1024),
        ("disk_caches_bytes", "disk_caches", 1024),
        ("last_update_timestamp_seconds", "last_update", 1),
        ("major_fault_total", "major_fault", 1),
        ("minor_fault_total", "minor_fault", 1),
        ("swap_in_bytes", "swap_in", 1024),
        ("swap_out_bytes", "swap_out", 1024),
        ("unused_bytes", "unused", 1024),
        ("usable_bytes", "usable", 1024),
    ] {
        let family = format!("libvirt_domain_memory_stats_{family}");
        let expected = told[field] * unit;
        assert_eq!(scrape.value(&family, &domain).to_string(), expected.to_string(), "{family}");
    }
    let stats = guest.virsh().stats(&guest.name);
    for (family, field) in
        [("current_balloon_bytes", "balloon.current"), ("maximum_bytes", "balloon.maximum")]
    {
        let value = scrape.value(&format!("libvirt_domain_memory_stats_{family}"), &domain);
        assert_eq!((value / 1024.0).to_string(), stats.text(field), "{family}");
    }
    assert_eq!(scrape.value("libvirt_domain_memory_stats_valid", &domain), 1.0);
    let percent = scrape.value("libvirt_domain_memory_stats_used_percent", &domain);
    let share = 100.0 * f64::from(u32::try_from(expected[1]).unwrap())
        / f64::from(u32::try_from(expected[0]).unwrap());
    assert!((percent - share).abs() < 1e-9, "{percent} % used, expected {share}");
}

#[test]
fn the_vcpu_count_is_the_maximum() {
    let libvirtd = Libvirtd::start(&[]);
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

/// The kernel is a witness that libvirt has no part in. How much a guest gets of what it wants is the
/// machine's affair.
#[test]
fn a_burning_guest_uses_what_the_kernel_gave_to_its_qemu() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "50")]).booted();
    let exporter = Exporter::on(&libvirtd);
    let time = |scrape: &Scrape| {
        scrape.value("libvirt_nova_instance_cpu_time_total", &[("libvirtname", &guest.name)]) / 1e9
    };
    let outer = guest.kernel_seconds();
    let before = exporter.scrape();
    let inner = guest.kernel_seconds();
    // Until it has used so much that no rounding is seen in it.
    wait_until(PATIENCE, "a guest that uses a second of CPU", || {
        (guest.kernel_seconds() - inner > 1.0).then_some(())
    });
    let inner = guest.kernel_seconds() - inner;
    let after = exporter.scrape();
    let outer = guest.kernel_seconds() - outer;
    let moved = time(&after) - time(&before);
    assert!(
        inner - TICKS < moved && moved < outer + TICKS,
        "{moved} s of CPU, the kernel says {inner} to {outer} s"
    );
}

/// What the kernel's clock ticks of a hundredth of a second may hide in two readings, for the
/// user's and the system's part of each.
const TICKS: f64 = 0.04;
