//! The unit, run by systemd itself.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use libvirtd_sim::{Settings, Simulator};

use crate::{
    exporter::{EVERYTHING, Exporter},
    fixture::new_dir,
    libvirtd::Libvirtd,
    machine::{Machine, SERVICE},
    scrape::Scrape,
    usage,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_unit_that_may_nothing_serves_all_there_is_of_real_guests() {
    // polkit wants to know whose process asks, in whatever namespaces that is.
    let libvirtd = Libvirtd::start(&[("AUTH", "polkit")]);
    let guest = libvirtd.kernel_guest(&[]).booted();
    let ordinary = Exporter::with(&libvirtd, &EVERYTHING);
    let settings = EVERYTHING.map(setting).concat() + "LIBVIRT_NOVA_MIN_AGE=0\n";
    let machine = Machine::start(&libvirtd.socket(""), "/run/libvirt", &settings);
    machine.run(&format!("systemd-analyze verify --man=no {SERVICE} libvirt-nova-exporter.socket"));

    // It comes back when the exporter has told that it is ready.
    machine.run(&format!("systemctl enable --now {SERVICE}"));
    assert_eq!(machine.property("ActiveState"), "active");
    // libvirtd asks its host for the name of a peer's user, and refuses who has none.
    machine.until("StatusText", |text| text.contains("Failed to find user record"));
    let [uid, gid] = ["UID", "GID"].map(|name| machine.property(name));
    // Everybody knows this one, in whatever container.
    machine.drop_in("user", "[Service]\nUser=nobody\n");
    machine.run(&format!("systemctl restart {SERVICE}"));
    machine.until("StatusText", |text| text == "domains: 1 running");
    assert_eq!(machine.property("UID"), "65534");
    machine.drop_in("user", "");
    libvirtd.add_user("libvirt-nova-exporter", &uid, &gid);
    machine.run(&format!("systemctl restart {SERVICE}"));
    machine.until("StatusText", |text| text == "domains: 1 running");
    let found = with_usage(|| machine.scrape());
    let expected = with_usage(|| ordinary.scrape());
    assert_eq!(found.families_of(&guest.name), expected.families_of(&guest.name));
    assert_eq!(names(&found), names(&expected));
    for path in ["/", "/debug", "/-/healthy"] {
        assert_eq!(machine.try_get(path).unwrap().status, "HTTP/1.1 200 OK");
    }

    // Nobody, in no group but its own, and without a way to become more.
    assert_eq!(machine.property("SupplementaryGroups"), "");
    let status = machine.process_file("status");
    let words = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().split_whitespace().collect::<BTreeSet<_>>()
    };
    assert!(uid != "0" && gid != "0");
    assert_eq!(words("Uid"), BTreeSet::from([&*uid]));
    assert_eq!(words("Gid"), BTreeSet::from([&*gid]));
    assert_eq!(words("Groups"), BTreeSet::from([&*gid]));
    for capabilities in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(words(capabilities), BTreeSet::from(["0000000000000000"]));
    }
    assert_eq!(words("NoNewPrivs"), BTreeSet::from(["1"]));
    assert_eq!(words("Seccomp"), BTreeSet::from(["2"]));

    machine.run(&format!("systemctl stop {SERVICE}"));
    assert_eq!(machine.property("Result"), "success");
}

#[test]
fn a_service_that_stands_still_is_started_again_and_a_new_libvirtd_is_found() {
    let sockets = new_dir("sockets");
    let directory = sockets.join("libvirt");
    let libvirtd = || {
        fs::create_dir(&directory).unwrap();
        simulated(&directory)
    };
    let settings = "LIBVIRT_NOVA_URI=/run/sockets/libvirt/libvirt-sock-ro\n";
    let machine = Machine::start(&sockets, "/run/sockets", settings);
    machine.drop_in("hasty", "[Service]\nWatchdogSec=2s\nRestartSec=0\n");

    // The exporter comes before libvirtd, and says what it waits for.
    machine.run(&format!("systemctl start {SERVICE}"));
    let text = machine.until("StatusText", |text| text.starts_with("without libvirtd: "));
    assert!(text.contains("/run/sockets/libvirt/libvirt-sock-ro"), "{text}");
    let first = libvirtd();
    machine.until("StatusText", |text| text == "domains: 3 running");

    // The directory goes with libvirtd, as one does that systemd made for it.
    drop(first);
    fs::remove_dir_all(&directory).unwrap();
    machine.until("StatusText", |text| text.starts_with("without libvirtd: "));
    let _second = libvirtd();
    machine.until("StatusText", |text| text == "domains: 3 running");
    assert_eq!(machine.property("NRestarts"), "0");

    let pid = machine.property("MainPID");
    machine.run(&format!("systemctl kill --signal=STOP {SERVICE}"));
    machine.until("NRestarts", |count| count == "1");
    machine.until("StatusText", |text| text == "domains: 3 running");
    assert_ne!(machine.property("MainPID"), pid);
    let journal = machine.run(&format!("journalctl --unit={SERVICE} --boot --no-pager"));
    assert!(journal.contains("Watchdog timeout"), "{journal}");
    assert!(machine.scrape().up());
}

#[test]
fn a_port_that_systemd_holds_stays_open_and_the_exporter_needs_no_network() {
    let sockets = new_dir("sockets");
    let _simulated = simulated(&sockets);
    let machine = Machine::start(&sockets, "/run/libvirt", "");
    let drop_in = include_str!("../../../../packaging/systemd/socket-activation.conf");
    machine.drop_in("socket-activation", drop_in);

    // Whoever connects starts the service, and waits for it.
    machine.run("systemctl enable --now libvirt-nova-exporter.socket");
    assert_eq!(machine.property("ActiveState"), "inactive");
    assert!(machine.scrape().up());
    assert_eq!(machine.property("ActiveState"), "active");
    machine.until("StatusText", |text| text == "domains: 3 running");

    // While it restarts, too.
    machine.drop_in("slow", "[Service]\nRestartSec=1s\n");
    machine.run(&format!("systemctl kill --signal=KILL {SERVICE}"));
    machine.until("ActiveState", |state| state == "activating");
    assert!(machine.scrape().up());
    assert_eq!(machine.property("NRestarts"), "1");

    let pid = machine.property("MainPID");
    let network = |pid: &str| machine.run(&format!("readlink /proc/{pid}/ns/net"));
    assert_ne!(network(&pid), network("1"));
}

/// A libvirtd with three domains, whose socket is open to everybody.
fn simulated(directory: &Path) -> Simulator {
    let simulated = Simulator::start(&directory.join("libvirt-sock"), Settings::default()).unwrap();
    let everybody = fs::Permissions::from_mode(0o777);
    fs::set_permissions(simulated.read_only_socket(), everybody).unwrap();
    simulated
}

/// A flag as its environment variable.
fn setting(flag: &str) -> String {
    let (name, value) = flag
        .trim_start_matches('-')
        .split_once('=')
        .unwrap_or((flag.trim_start_matches('-'), "true"));
    format!("LIBVIRT_NOVA_{}={value}\n", name.to_ascii_uppercase().replace(['.', '-'], "_"))
}

/// A scrape after two polls, which is when all is known.
fn with_usage(scrape: impl Fn() -> Scrape) -> Scrape {
    let (scrape, _) = wait_until(PATIENCE, "vCPUs in use", || {
        let scrape = scrape();
        (!scrape.samples(usage::IN_USE, &[]).is_empty()).then_some(scrape)
    });
    scrape
}

fn names(scrape: &Scrape) -> BTreeSet<&str> {
    scrape.families.iter().map(|family| &*family.name).collect()
}
