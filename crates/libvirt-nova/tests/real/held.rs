//! A guest that libvirtd holds, as while it starts, costs no other its samples.
//!
//! Who lists the domains waits for every one of them, and nothing can be asked of a held one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_guest_that_takes_long_to_start_holds_up_no_other() {
    let libvirtd = Libvirtd::absent();
    let hook = Hook::install(&libvirtd);
    libvirtd.daemon_start();
    let others = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let exporter = Exporter::on(&libvirtd);
    let whole = samples(&exporter.scrape(), &others[0]);
    let late = thread::scope(|scope| {
        let held = hook.hold();
        let starting = scope.spawn(|| libvirtd.bios_guest(&[]));
        held.wait();
        stay_whole(&exporter, &others, &whole);
        drop(held);
        starting.join().unwrap()
    });
    // The list of domains that was held up comes back at the same moment as the guest.
    wait_until(RECOVERY, "a scrape with the guest that is held no more", || {
        (samples(&exporter.scrape(), &late) == whole).then_some(())
    });
    stays_calm(&exporter);
}

#[test]
fn a_restart_of_libvirtd_beside_a_stuck_guest_holds_up_no_other() {
    let libvirtd = Libvirtd::start(&[]);
    let others = [(); 3].map(|()| libvirtd.bios_guest(&[]));
    let stuck = libvirtd.bios_guest(&[]);
    let exporter = Exporter::on(&libvirtd);
    let whole = samples(&exporter.scrape(), &others[0]);
    let frozen = stuck.freeze();
    libvirtd.daemon_kill();
    libvirtd.daemon_start();
    // libvirtd wants to talk to each QEMU before it says anything of it.
    wait_until(RECOVERY, "a scrape with the guests that answer", || {
        let scrape = exporter.scrape();
        others.iter().all(|other| samples(&scrape, other) == whole).then_some(())
    });
    stay_whole(&exporter, &others, &whole);
    drop(frozen);
    wait_until(RECOVERY, "a scrape with the guest that was stuck", || {
        (samples(&exporter.scrape(), &stuck) == whole).then_some(())
    });
    stays_calm(&exporter);
}

/// Asserts that some scrapes answer within the default deadline, with all of these guests.
fn stay_whole(exporter: &Exporter, guests: &[Guest<'_>], whole: &BTreeMap<String, usize>) {
    for round in 0..3 {
        let scrape = exporter.scrape();
        assert!(scrape.up(), "round {round}");
        assert!(scrape.response.took() < DEADLINE, "{:?}", scrape.response.took());
        for guest in guests {
            assert_eq!(samples(&scrape, guest), *whole, "round {round}");
        }
    }
}

/// What a scrape that names no timeout may take, and a little for who reads it.
const DEADLINE: Duration = Duration::from_millis(5500);

/// How soon all is as before, once libvirtd or the guest is: see `outage`.
const RECOVERY: Duration = Duration::from_secs(15);

fn samples(scrape: &Scrape, guest: &Guest<'_>) -> BTreeMap<String, usize> {
    let families = scrape.families_of(&guest.name);
    families.into_iter().map(|(name, samples)| (name.to_owned(), samples)).collect()
}

/// Asserts that the log tells everything once. How much there is to tell depends on how long it took.
fn stays_calm(exporter: &Exporter) {
    let log = exporter.log();
    // But for times, which are numbers in it.
    let text = |line: &String| {
        let text = line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        let (domain, rest) = text.split_once(' ').unwrap_or_default();
        format!("{domain} {}", rest.replace(|c: char| c.is_ascii_digit() || c == '.', ""))
    };
    let told: BTreeSet<_> = log.iter().map(text).collect();
    // But for that it is connected, before and after a restart.
    assert!(log.len() <= told.len() + 1, "{log:#?}");
}

/// What libvirtd runs at each step of a guest's life, and waits for.
struct Hook {
    /// While it is there, a guest that has started waits.
    hold: PathBuf,
    /// It is there once a guest waits.
    waits: PathBuf,
}

impl Hook {
    /// Installs it for a libvirtd that has yet to start.
    fn install(libvirtd: &Libvirtd) -> Self {
        let [hold, waits] = ["hold", "waits"].map(|name| libvirtd.dir().join(name));
        let script = "#!/bin/sh\n\
            while [ \"$2\" = started ] && [ -e HOLD ]; do touch WAITS; sleep 0.05; done\n";
        let script = script.replace("HOLD", text(&hold)).replace("WAITS", text(&waits));
        let hooks = libvirtd.dir().join("etc/hooks");
        fs::create_dir_all(&hooks).unwrap();
        fs::write(hooks.join("qemu"), script).unwrap();
        fs::set_permissions(hooks.join("qemu"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { hold, waits }
    }

    /// Makes guests wait from now on, until the value is dropped.
    fn hold(&self) -> Held<'_> {
        fs::write(&self.hold, "").unwrap();
        Held(self)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Held<'h>(&'h Hook);

impl Held<'_> {
    /// Waits until a guest waits.
    fn wait(&self) {
        wait_until(PATIENCE, "a guest that is held", || self.0.waits.exists().then_some(()));
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        fs::remove_file(&self.0.hold).unwrap();
    }
}
