//! vCPUs in use, second by second, held against what the kernel counts of the guest's QEMU.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    page::Page,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

pub(crate) const IN_USE: &str = "libvirt_nova_instance_vcpus_in_use";
const PEAK: &str = "libvirt_nova_instance_vcpus_in_use_peak";
const UTILIZATION: &str = "libvirt_nova_instance_vcpu_utilization";

/// What the polls between scrapes have seen; in the first scrapes it may be missing.
pub(crate) const FAMILIES: [&str; 3] = [IN_USE, PEAK, UTILIZATION];

#[test]
fn a_guest_that_burns_a_third_of_a_vcpu_is_seen_to_in_the_family_and_on_the_page() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "30")]).booted();
    let exporter = Exporter::fresh_on(&libvirtd);
    let mut page = Page::open(exporter.address());
    page.until("usage", |board| board["pulse"]["in_use"][0].is_number());
    let (began, before) = (Instant::now(), guest.busy_seconds());
    let mut told: Vec<[f64; 2]> = Vec::new();
    while began.elapsed() < Duration::from_secs(8) {
        page.next();
        let on_page = page.board["pulse"]["in_use"][0].as_f64().unwrap();
        told.push([on_page, of(&exporter.scrape(), IN_USE, &guest).unwrap()]);
    }
    let burnt = (guest.busy_seconds() - before) / began.elapsed().as_secs_f64();
    for by in [0, 1] {
        let mean = told.iter().map(|told| told[by]).sum::<f64>() / told.len() as f64;
        // The emulator's own threads are in it, as they are in what the kernel counts; where
        // others keep the host busy, the guest gets less than it wants.
        assert!((mean - burnt).abs() < 0.05, "{mean} of {burnt}: {told:?}");
        assert!((0.02..0.45).contains(&mean), "{mean}: {told:?}");
    }
    // The page has the same numbers, unless a poll came between.
    let same = told.iter().filter(|[page, family]| (page - family).abs() < 1e-3);
    assert!(2 * same.count() > told.len(), "{told:?}");
    let scrape = exporter.scrape();
    let (in_use, peak) = (of(&scrape, IN_USE, &guest), of(&scrape, PEAK, &guest));
    assert!(peak >= in_use && peak < Some(1.5), "{peak:?} {in_use:?}");
}

/// Of a guest that otherwise stands still.
#[test]
fn a_burst_between_two_scrapes_is_in_the_peak_and_the_histogram() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "100")]).booted();
    guest.run("suspend", &[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let mut page = Page::open(exporter.address());
    let stands_still =
        |board: &Value| board["pulse"]["in_use"][0].as_f64().is_some_and(|in_use| in_use < IDLE);
    page.until("a guest that stands still", stands_still);
    let before = exporter.scrape();
    let in_use = of(&before, IN_USE, &guest);
    assert!(in_use >= Some(0.0) && in_use < Some(IDLE), "{in_use:?}");

    let burnt_before = guest.busy_seconds();
    let burnt = || guest.busy_seconds() - burnt_before;
    guest.run("resume", &[]);
    // On a busy host it takes longer, and is less of a burst.
    let (_, lasted) = wait_until(PATIENCE, "a burst", || (burnt() > 2.0).then_some(()));
    guest.run("suspend", &[]);
    let (burnt, lasted) = (burnt(), lasted.as_secs_f64());
    // It has been seen once the guest is seen to stand still again.
    page.until("a burst", |board| board["pulse"]["peak"][0].as_f64() > Some(0.1));
    page.until("the end of it", stands_still);

    let after = exporter.scrape();
    let in_use = of(&after, IN_USE, &guest);
    assert!(in_use.is_some_and(|in_use| in_use < IDLE), "it is over");
    let peak = of(&after, PEAK, &guest).unwrap();
    // The polls that saw it saw a second more at each end. Beside the vCPU run its emulator's
    // other threads.
    assert!((burnt / (lasted + 2.0)..1.5).contains(&peak), "{peak}: {burnt} in {lasted} s");
    let busy = |scrape: &Scrape| bucket(scrape, &guest, "+Inf") - bucket(scrape, &guest, "0.1");
    let seconds = busy(&after) - busy(&before);
    assert!((1.0..=lasted + 3.0).contains(&seconds), "{seconds} of {lasted} s");
}

/// What the QEMU of a paused guest uses.
const IDLE: f64 = 0.05;

#[test]
fn the_histogram_grows_by_one_a_second() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let exporter = Exporter::fresh_on(&libvirtd);
    let count = |scrape: &Scrape| bucket(scrape, &guest, "+Inf");
    let (before, _) = wait_until(PATIENCE, "observations", || {
        let scrape = exporter.scrape();
        (!scrape.samples(UTILIZATION, &[]).is_empty()).then_some(scrape)
    });
    let seconds = 10;
    while before.response.began.elapsed() < Duration::from_secs(seconds) {
        // However often somebody scrapes.
        exporter.scrape();
    }
    let after = exporter.scrape();
    let elapsed = (after.response.ended - before.response.began).as_secs_f64();
    let grown = count(&after) - count(&before);
    assert!((grown - elapsed).abs() <= 1.5, "{grown} in {elapsed} s");
    let polled = after.value("libvirt_nova_exporter_last_poll_timestamp_seconds", &[]);
    let age = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - polled;
    assert!((0.0..3.0).contains(&age), "{age}");
}

#[test]
fn a_guest_that_starts_anew_has_no_spike() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "100")]).booted();
    guest.define();
    let exporter = Exporter::fresh_on(&libvirtd);
    let mut seen = 0;
    for _ in 0..3 {
        let scrape = || of(&exporter.scrape(), PEAK, &guest);
        wait_until(PATIENCE, "usage", || scrape().filter(|peak| *peak > 0.0));
        guest.destroy();
        guest.run("start", &[]);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            let Some(peak) = scrape() else { continue };
            seen += 1;
            // Its QEMU and what prepares it for it, on the two CPUs that there may be.
            assert!((0.0..2.5).contains(&peak), "{peak}");
        }
    }
    assert!(seen > 3, "{seen}");
}

fn of(scrape: &Scrape, family: &str, guest: &Guest<'_>) -> Option<f64> {
    scrape.get(family, &[("libvirtname", &guest.name)])
}

/// How many observations were at most so large a part of its vCPUs.
fn bucket(scrape: &Scrape, guest: &Guest<'_>, bound: &str) -> f64 {
    scrape.value(UTILIZATION, &[("libvirtname", &guest.name), ("le", bound)])
}
