//! What happens to a guest is counted.

use std::collections::BTreeMap;

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::{ALARMS, EVENTS, Scrape},
    wait::{PATIENCE, wait_until},
};

#[test]
fn what_happens_to_a_guest_is_counted_and_alarms_begin_at_0() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    guest.define();
    let exporter = Exporter::fresh_on(&libvirtd);
    let mut expected: Counts =
        ALARMS.map(|(event, detail)| ((event.to_owned(), detail.to_owned()), 0)).into();
    let first = exporter.scrape();
    assert_eq!(counts(&first, &guest), expected);
    let mut happens = |act: &dyn Fn(), events: &[(&str, &str)]| {
        act();
        for (event, detail) in events {
            *expected.entry((event.to_string(), detail.to_string())).or_insert(0) += 1;
        }
        // Some of them QEMU raises after the command has ended.
        let what = format!("{events:?}");
        wait_until(PATIENCE, &what, || {
            let counts = counts(&exporter.scrape(), &guest);
            (counts.values().sum::<u64>() >= expected.values().sum()).then_some(())
        });
        assert_eq!(counts(&exporter.scrape(), &guest), expected);
    };
    let run = |command: &'static str| {
        let guest = &guest;
        move || drop(guest.run(command, &[]))
    };
    happens(&run("suspend"), &[("suspended", "paused")]);
    happens(&run("resume"), &[("resumed", "unpaused")]);
    guest.run("reset", &[]);
    let reboot = [("domain", &*guest.name), ("event", "reboot"), ("detail", "")];
    wait_until(PATIENCE, "a reboot", || {
        (exporter.scrape().get(EVENTS, &reboot)? >= 1.0).then_some(())
    });
    happens(&run("destroy"), &[("stopped", "destroyed")]);
    // A new run of the same domain: what was counted before stays.
    happens(&run("start"), &[("resumed", "unpaused"), ("started", "booted")]);
    // libvirt's event calls failed what its state calls crashed.
    happens(&|| guest.kill(), &[("stopped", "failed")]);
    assert_eq!(guest.run("domstate", &["--reason"]).trim(), "shut off (crashed)");
    let scrape = exporter.scrape();
    let reason = [("domain", &*guest.name), ("reason", "crashed"), ("state", "shutoff")];
    assert_eq!(scrape.value("libvirt_domain_state_reason", &reason), 1.0);
}

type Counts = BTreeMap<(String, String), u64>;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
fn counts(scrape: &Scrape, guest: &Guest<'_>) -> Counts {
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let samples = scrape.samples(EVENTS, &of_guest).into_iter();
    // Firmware reboots once more by itself, and QEMU says or does not say that it is being ended.
    let samples =
        samples.filter(|sample| !["reboot", "shutdown"].contains(&&*sample.labels["event"]));
    let label = |sample: &crate::scrape::Sample, name: &str| sample.labels[name].clone();
    samples
        .map(|sample| ((label(sample, "event"), label(sample, "detail")), sample.value as u64))
        .collect()
}
