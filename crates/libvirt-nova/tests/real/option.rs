//! What only a flag brings agrees with virsh as well.

use std::time::Duration;

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    process::{command, output},
    wait::{PATIENCE, wait_until},
};

#[test]
fn iothreads_are_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = Guest::create_from(&libvirtd, &[("KIND", "bios")], |xml| {
        xml.replace("<vcpu>1</vcpu>", "<vcpu>1</vcpu><iothreads>2</iothreads>")
    });
    let sets = ["--poll-max-ns", "50000", "--poll-grow", "3", "--poll-shrink", "4"];
    guest.run("iothreadset", &[&["2"], &sets[..]].concat());
    let exporter = Exporter::with(&libvirtd, &["--collector.iothread"]);
    let scrape = exporter.scrape();
    let told = guest.virsh().stats(&guest.name);
    assert_eq!(told.number("iothread.count"), 2);
    assert_eq!(told.number("iothread.2.poll-max-ns"), 50_000);
    for iothread in ["1", "2"] {
        let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid), ("iothread", iothread)];
        for (family, field, unit) in [
            ("poll_max_seconds", "poll-max-ns", 1e9),
            ("poll_grow", "poll-grow", 1.0),
            ("poll_shrink", "poll-shrink", 1.0),
        ] {
            let value = scrape.value(&format!("libvirt_domain_iothread_{family}"), &labels);
            let expected = told.text(&format!("iothread.{iothread}.{field}"));
            assert_eq!((value * unit).round().to_string(), expected, "{family} of {iothread}");
        }
    }
    let plain = Exporter::fresh_on(&libvirtd).scrape();
    assert!(plain.samples("libvirt_domain_iothread_poll_grow", &[]).is_empty());
}

#[test]
fn the_dirty_rate_is_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "90")]).booted();
    let exporter = Exporter::with(&libvirtd, &["--collector.dirtyrate"]);
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let family = |name: &str| format!("libvirt_domain_dirtyrate_{name}");
    let scrape = exporter.scrape();
    assert_eq!(scrape.value(&family("status"), &of_guest), 0.0, "nobody has measured it");
    assert!(scrape.get(&family("bytes_per_second"), &of_guest).is_none());

    let clock = || {
        let print = ["-c", "import time; print(time.monotonic())"];
        let text = output(command("/usr/bin/python3").args(print));
        Duration::from_secs_f64(text.trim().parse().unwrap())
    };
    let before = clock();
    guest.run("domdirtyrate-calc", &["--seconds", "1"]);
    let (told, _) = wait_until(PATIENCE, "a rate that is measured", || {
        let told = guest.virsh().stats(&guest.name);
        (told.number("dirtyrate.calc_status") == 2).then_some(told)
    });
    let after = clock();
    let scrape = exporter.scrape();
    for (name, field, unit) in [
        ("status", "calc_status", 1),
        ("period_seconds", "calc_period", 1),
        ("start_seconds", "calc_start_time", 1),
        ("bytes_per_second", "megabytes_per_second", 1 << 20),
    ] {
        let expected = told.number(&format!("dirtyrate.{field}")) * unit;
        let value = scrape.value(&family(name), &of_guest);
        assert_eq!(value.to_string(), expected.to_string(), "{name}");
    }
    let mode = [&of_guest[..], &[("mode", told.text("dirtyrate.calc_mode"))]].concat();
    assert_eq!(scrape.value(&family("info"), &mode), 1.0);
    // By the host's monotonic clock, which is all that QEMU says: not since the epoch.
    let start = Duration::from_secs_f64(scrape.value(&family("start_seconds"), &of_guest));
    let second = Duration::from_secs(1);
    assert!(before < start + second && start < after + second, "{before:?} {start:?} {after:?}");
}
