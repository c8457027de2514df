//! Where CPU times come from: a guest's control group, or its process where there is none.

use crate::{
    exporter::Exporter,
    libvirtd::Libvirtd,
    process::{command, outcome},
    wait::{PATIENCE, wait_until},
};

#[test]
fn without_control_groups_cpu_time_is_the_process_and_never_missing() {
    let libvirtd = Libvirtd::start(&[("NO_CGROUPS", "1")]);
    let guests = [
        libvirtd.kernel_guest(&[("BURN", "50")]),
        libvirtd.bios_guest(&[]),
        libvirtd.bios_guest(&[]),
    ];
    let virsh = libvirtd.virsh();
    let mut refused = command("virsh");
    refused.args(["-c", &libvirtd.uri(), "cpu-stats", "--total", &guests[0].name]);
    assert!(!outcome(&mut refused).0, "there are control groups after all");

    let exporter = Exporter::fresh_on(&libvirtd);
    for round in 0..3 {
        let seconds = || guests.each_ref().map(|guest| virsh.process_seconds(&guest.name));
        let before = seconds();
        let scrape = exporter.scrape();
        let after = seconds();
        for ((guest, before), after) in guests.iter().zip(before).zip(after) {
            let name = [("libvirtname", guest.name.as_str())];
            let value = scrape.value("libvirt_nova_instance_cpu_time_total", &name) / 1e9;
            // virsh rounds to a tenth of a second.
            assert!(
                before - 0.1 <= value && value <= after + 0.1,
                "{} in round {round}: virsh says {before} s and {after} s, the scrape {value} s",
                guest.name
            );
            assert!(value > 0.0, "{}", guest.name);
        }
    }
    let log = exporter.log();
    let told = log.iter().filter(|line| line.contains("cgroup")).count();
    assert_eq!(told, 1, "{log:#?}");
    assert!(log.len() < 10, "{log:#?}");
}

/// A libvirtd that has just started has not met this guest again, and knows its process alone.
#[test]
fn a_restart_beside_a_stuck_guest_mixes_no_two_sources() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let name = [("libvirtname", guest.name.as_str())];
    let cpu_time = || exporter.scrape().get("libvirt_nova_instance_cpu_time_total", &name);
    let virsh = libvirtd.virsh();
    let in_group = || virsh.cpu_nanoseconds(&guest.name) as f64;
    let mut last = cpu_time().unwrap();

    let frozen = guest.freeze();
    libvirtd.daemon_kill();
    libvirtd.daemon_start();
    wait_until(PATIENCE, "a scrape that finds the guest", || {
        let found = exporter.scrape().get("libvirt_nova_instance_info", &name);
        found.map(drop)
    });
    for round in 0..10 {
        let now = cpu_time();
        assert!(now.is_none_or(|now| now >= last), "round {round}: {now:?} after {last}");
        last = now.unwrap_or(last);
    }
    drop(frozen);
    wait_until(PATIENCE, "a scrape with the CPU time", || cpu_time().map(drop));
    for round in 0..3 {
        let (before, now, after) = (in_group(), cpu_time().unwrap(), in_group());
        assert!(before <= now && now <= after, "round {round}: {now}, virsh {before} and {after}");
    }
    let log = exporter.log();
    assert!(log.iter().all(|line| !line.contains("cgroups")), "{log:#?}");
}
