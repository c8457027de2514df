//! libvirtd comes and goes; the exporter stays.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    mission::needs_monitor,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// So long after libvirtd's return, all is as before. Five seconds are what we promise: two of
/// them are the pause between attempts, and a busy machine has its share of the rest. Whoever
/// waits for half a minute's pause or the list's deadline comes too late.
const RECOVERY: Duration = Duration::from_secs(15);

#[test]
fn an_exporter_that_starts_before_libvirtd_finds_it() {
    let libvirtd = Libvirtd::absent();
    let exporter = Exporter::at(&libvirtd.uri());
    let scrape = exporter.scrape();
    assert!(!scrape.up());
    assert!(says_nothing_of_guests(&scrape), "{}", scrape.response.body);

    libvirtd.daemon_start();
    recovers(&exporter, &[]);
    let guest = libvirtd.bios_guest(&[]);
    assert!(exporter.scrape().families_of(&guest.name).contains_key(CPU_TIME));
    stays_calm(&exporter, 1);
}

#[test]
fn a_restart_costs_no_counter_its_history() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let exporter = Exporter::on(&libvirtd);
    let before = cpu_time(&exporter.scrape(), &guest);
    type End = fn(&Libvirtd);
    let ends: [End; 2] = [Libvirtd::daemon_stop, Libvirtd::daemon_kill];
    let mut last = before;
    for end in ends {
        end(&libvirtd);
        let scrape = exporter.scrape();
        assert!(!scrape.up());
        assert!(says_nothing_of_guests(&scrape), "{}", scrape.response.body);
        libvirtd.daemon_start();
        let time = cpu_time(&recovers(&exporter, &[&guest]), &guest);
        assert!(time >= last, "{time} after {last}");
        last = time;
    }
    stays_calm(&exporter, ends.len());
}

#[test]
fn a_kill_in_the_middle_of_a_scrape_is_survived() {
    let libvirtd = Libvirtd::start(&[]);
    let guests = [(); 4].map(|()| libvirtd.bios_guest(&[]));
    let exporter = Exporter::on(&libvirtd);
    let whole = exporter.scrape();
    let whole: Vec<_> = whole.families_of(&guests[0].name).into_keys().collect();
    let over = AtomicBool::new(false);
    let kills = 3;
    thread::scope(|scope| {
        let scraping = scope.spawn(|| {
            let mut downs = 0;
            while !over.load(Ordering::Relaxed) {
                let scrape = exporter.scrape();
                // All of it, or nothing of it.
                if scrape.up() {
                    for guest in &guests {
                        let families = scrape.families_of(&guest.name);
                        // A libvirtd that has just started is slow, and says that it was.
                        let complete = [("domain", guest.name.as_str())];
                        let complete = scrape.value("libvirt_domain_stats_complete", &complete);
                        let expected =
                            whole.iter().filter(|name| complete == 1.0 || !needs_monitor(name));
                        assert!(families.keys().eq(expected), "{families:?}");
                    }
                } else {
                    assert!(says_nothing_of_guests(&scrape), "{}", scrape.response.body);
                    downs += 1;
                }
            }
            downs
        });
        for _ in 0..kills {
            libvirtd.daemon_kill();
            libvirtd.daemon_start();
            recovers(&exporter, &guests.each_ref());
        }
        over.store(true, Ordering::Relaxed);
        let downs = scraping.join().unwrap();
        // A scrape waits for a libvirtd that may be back in a moment, so not each kill shows.
        assert!(downs > 0, "no scrape noticed that libvirtd was killed {kills} times");
    });
    stays_calm(&exporter, kills);
}

#[test]
fn a_socket_that_is_made_anew_is_found() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    assert!(exporter.scrape().up());
    // Without its file, libvirtd goes on to serve whoever is connected.
    fs::remove_file(libvirtd.socket("libvirt-sock-ro")).unwrap();
    assert!(exporter.scrape().up());
    libvirtd.daemon_stop();
    wait_until(PATIENCE, "a scrape that finds nobody", || (!exporter.scrape().up()).then_some(()));
    libvirtd.daemon_start();
    recovers(&exporter, &[]);
    stays_calm(&exporter, 1);
}

#[test]
fn ten_restarts_leak_no_descriptors() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let exporter = Exporter::on(&libvirtd);
    let restart = || {
        libvirtd.daemon_kill();
        assert!(!exporter.scrape().up());
        libvirtd.daemon_start();
        recovers(&exporter, &[&guest]);
    };
    // The first one opens what stays open.
    restart();
    let before = exporter.descriptors();
    for _ in 0..10 {
        restart();
    }
    // What has just been closed may take a moment.
    wait_until(PATIENCE, "no more descriptors than before", || {
        (exporter.descriptors() <= before).then_some(())
    });
    stays_calm(&exporter, 11);
}

#[test]
fn a_frozen_libvirtd_costs_a_scrape_no_more_than_its_deadline() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.bios_guest(&[]);
    let exporter = Exporter::on(&libvirtd);
    let before = cpu_time(&exporter.scrape(), &guest);
    let frozen = libvirtd.freeze();
    let timeout = Duration::from_secs(2);
    let mut took = Vec::new();
    for _ in 0..4 {
        let scrape = exporter.scrape_within(timeout);
        assert!(!scrape.up());
        assert!(says_nothing_of_guests(&scrape), "{}", scrape.response.body);
        took.push(scrape.response.took());
    }
    // A busy machine may be late now and then.
    let late = took.iter().filter(|took| **took >= timeout).count();
    assert!(late <= 1, "{took:?}");
    drop(frozen);
    let after = cpu_time(&recovers(&exporter, &[&guest]), &guest);
    assert!(after >= before, "{after} after {before}");
    stays_calm(&exporter, 1);
}

/// Waits until a scrape finds libvirtd and these guests; that must be soon after libvirtd's return.
pub(crate) fn recovers(exporter: &Exporter, guests: &[&Guest<'_>]) -> Scrape {
    wait_until(RECOVERY, "a scrape that finds libvirtd and its guests", || {
        let scrape = exporter.scrape();
        let found = |guest: &&Guest<'_>| scrape.families_of(&guest.name).contains_key(CPU_TIME);
        (scrape.up() && guests.iter().all(found)).then_some(scrape)
    })
    .0
}

const CPU_TIME: &str = "libvirt_nova_instance_cpu_time_total";

fn cpu_time(scrape: &Scrape, guest: &Guest<'_>) -> f64 {
    scrape.value(CPU_TIME, &[("libvirtname", &guest.name)])
}

fn says_nothing_of_guests(scrape: &Scrape) -> bool {
    scrape.instances().is_empty()
}

/// Asserts that the log tells of each outage in a few lines, however often it was scraped.
fn stays_calm(exporter: &Exporter, outages: usize) {
    let log = exporter.log();
    assert!(log.len() <= 4 + 4 * outages, "{log:#?}");
}
