//! Guests without control groups: libvirtd knows their CPU time by their process alone.

use crate::{
    exporter::Exporter,
    libvirtd::Libvirtd,
    process::{command, outcome},
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
