//! CPU time and vCPUs agree with what virsh says of the same guest.

use crate::{
    agreement::in_order, exporter::Exporter, guest::Guest, libvirtd::Libvirtd, scrape::Scrape,
};

#[test]
fn vcpus_are_what_virsh_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = Guest::create_from(&libvirtd, &[("BURN", "50")], |xml| {
        xml.replace("<vcpu>1</vcpu>", "<vcpu current='2'>3</vcpu>")
    })
    .booted();
    let exporter = Exporter::on(&libvirtd);
    let before = guest.virsh().stats(&guest.name);
    let scrape = exporter.scrape();
    let after = guest.virsh().stats(&guest.name);
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    for (family, field) in [("vcpu_current", "vcpu.current"), ("vcpu_maximum", "vcpu.maximum")] {
        let value = scrape.value(&format!("libvirt_domain_{family}"), &of_guest);
        assert_eq!(value.to_string(), before.text(field), "{family}");
    }
    assert_eq!((before.number("vcpu.current"), before.number("vcpu.maximum")), (2, 3));
    for (family, field) in [("time", "time"), ("wait", "wait"), ("delay", "delay")]
        .map(|(family, field)| (format!("libvirt_domain_vcpu_{family}_seconds_total"), field))
    {
        assert_eq!(scrape.samples(&family, &of_guest).len(), 2, "{family}");
        for vcpu in ["0", "1"] {
            let labels = [&of_guest[..], &[("vcpu", vcpu)]].concat();
            let value = (scrape.value(&family, &labels) * 1e9).round();
            let [before, after] =
                [&before, &after].map(|stats| stats.number(&format!("vcpu.{vcpu}.{field}")));
            assert!(in_order(before, value, after), "{family}: {before} {value} {after}");
        }
    }
    assert!(before.number("vcpu.0.time") > 0, "a counter that stands at 0 proves nothing");
    for vcpu in ["0", "1"] {
        let labels = [&of_guest[..], &[("vcpu", vcpu)]].concat();
        let state = scrape.value("libvirt_domain_vcpu_state", &labels);
        assert_eq!(state.to_string(), before.text(&format!("vcpu.{vcpu}.state")));
    }
}

#[test]
fn cpu_time_and_its_parts_lie_between_two_readings_of_virsh() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "50")]).booted();
    let exporter = Exporter::on(&libvirtd);
    let before = guest.virsh().cpu_times(&guest.name);
    let scrape = exporter.scrape();
    let after = guest.virsh().cpu_times(&guest.name);
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    for (family, part) in
        [("info_cpu_time", "cpu_time"), ("cpu_user", "user_time"), ("cpu_system", "system_time")]
    {
        let value = scrape.value(&format!("libvirt_domain_{family}_seconds_total"), &of_guest);
        let (before, after, value) = (before[part], after[part], (value * 1e9).round());
        assert!(before > 0, "a counter that stands at 0 proves nothing");
        assert!(in_order(before, value, after), "{family}: {before} {value} {after}");
    }
    assert_ne!(before["user_time"], before["system_time"]);
}

#[test]
fn the_sizes_of_a_guest_are_what_dominfo_says() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = Guest::create_from(&libvirtd, &[("KIND", "bios"), ("MEM", "48")], |xml| {
        let memory = "<memory unit='MiB'>48</memory>";
        let more = format!("{memory}<currentMemory unit='MiB'>40</currentMemory>");
        xml.replace(memory, &more).replace("<vcpu>1</vcpu>", "<vcpu current='2'>3</vcpu>")
    });
    let exporter = Exporter::on(&libvirtd);
    let expected = ["49152 KiB", "2"];
    assert_sizes(&guest, &exporter.scrape(), expected);
    // The same of one that is only defined.
    guest.define();
    guest.destroy();
    assert_sizes(&guest, &exporter.scrape(), expected);
}

fn assert_sizes(guest: &Guest<'_>, scrape: &Scrape, [maximum, vcpus]: [&str; 2]) {
    let told = guest.virsh().table(["dominfo", &guest.name]);
    assert_eq!((&*told["Max memory"], &*told["CPU(s)"]), (maximum, vcpus), "{told:?}");
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let value = |family| scrape.value(&format!("libvirt_domain_info_{family}"), &of_guest);
    let kib = |family| format!("{} KiB", value(family) / 1024.0);
    assert_eq!(kib("maximum_memory_bytes"), told["Max memory"]);
    assert_eq!(kib("memory_usage_bytes"), told["Used memory"]);
    assert_eq!(value("virtual_cpus").to_string(), told["CPU(s)"]);
}
