//! `--check` against every fault that it has a word for.

use std::{
    env,
    path::Path,
    process::{Command, Output},
    thread,
};

use libvirtd_sim::{Settings, Simulator};
use tempfile::TempDir;

use crate::{checked::Checked, wait};

const ODD: &str = "instance-00000002";

/// A simulated host that is well, until it is told otherwise.
struct Host {
    sim: Simulator,
    _dir: TempDir,
}

impl Host {
    fn new(commands: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = Simulator::start(&dir.path().join("libvirt-sock"), Settings::default()).unwrap();
        let host = Self { sim, _dir: dir };
        commands.iter().for_each(|command| host.order(command));
        host
    }

    fn order(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    fn check(&self, args: &[&str]) -> Checked {
        Checked::of(&run(&self.sim.read_only_socket(), args))
    }
}

fn run(socket: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("LIBVIRT_NOVA_") {
            command.env_remove(name);
        }
    }
    command.args(["--check", "-uri", socket.to_str().unwrap()]).args(args);
    command.output().unwrap()
}

#[test]
fn a_host_that_is_well_loses_nothing_and_is_left_as_it_was() {
    let host = Host::new(&["pool fast running 1000 400", "define 4"]);
    let checked = host.check(&[]);
    checked.assert_well();
    assert_eq!(checked.text("versions"), "libvirt 9.0.0, QEMU 7.2.22");
    let instances = "3 domains run, 3 of them Nova's; 1 is shut off";
    assert_eq!(checked.text("instances"), instances);
    assert_eq!(checked.text("balloon"), "3 guests tell of their memory");
    assert_eq!(checked.text("guests"), "QEMU answers libvirt: 3 guests");
    assert_eq!(checked.text("pools"), "1 storage pool");
    assert_eq!(checked.log, "");
    wait::wait_until(wait::PATIENCE, "its connections closed", || {
        let status = host.sim.status();
        (status.connections == 0 && status.calls == 0).then_some(())
    });
    // Three connections, as the exporter has, and a goodbye on each.
    assert_eq!((host.sim.calls_of(1), host.sim.calls_of(2)), (3, 3));
}

#[test]
fn a_guest_that_tells_nothing_of_its_memory_is_named_with_the_cause() {
    let driver = Host::new(&[&format!("balloon {ODD} off")]).check(&[]);
    driver.assert_loses(&["balloon"]);
    let told = format!("memory has never been told by 1 of 3 guests: {ODD} ");
    assert!(driver.text("balloon").starts_with(&told), "{driver:#?}");
    assert!(driver.commands("balloon").contains(&"modprobe virtio_balloon".to_owned()));

    let period = Host::new(&[&format!("xml {ODD} <stats <other")]).check(&[]);
    period.assert_loses(&["balloon"]);
    let told = format!("no stats period, so memory is not told by 1 of 3 guests: {ODD} ");
    assert!(period.text("balloon").starts_with(&told), "{period:#?}");

    let silent = Host::new(&[&format!("field {ODD} balloon.last-update 1700000000")]);
    let checked = silent.check(&[]);
    checked.assert_loses(&["balloon"]);
    assert!(checked.text("balloon").contains("for three periods by 1 of 3 guests"), "{checked:#?}");
    silent.order(&format!("suspend {ODD}"));
    let checked = silent.check(&[]);
    checked.assert_well();
    assert_eq!(checked.text("balloon"), "2 guests tell of their memory");
}

#[test]
fn nobody_misses_what_is_not_served() {
    let host = Host::new(&[&format!("balloon {ODD} off"), "field * vcpu.0.delay -"]);
    host.check(&[]).assert_loses(&["balloon", "steal"]);
    host.check(&["--no-collector.vcpu"]).assert_loses(&["balloon"]);
    host.check(&["--collector.disable-defaults", "--collector.block"]).assert_well();
    host.check(&["--instances.exclude", ODD, "--no-collector.vcpu"]).assert_well();
}

#[test]
fn a_stuck_guest_is_named_and_the_others_are_well() {
    let host = Host::new(&[&format!("stuck {ODD}")]);
    let checked = host.check(&[]);
    checked.assert_loses(&["guests"]);
    let told = format!("QEMU does not answer libvirt: {ODD} ");
    assert!(checked.text("guests").starts_with(&told), "{checked:#?}");
    assert_eq!(checked.text("balloon"), "2 guests tell of their memory");
    let uuid = "11111111-2222-4333-8444-000000000002";
    assert!(checked.commands("guests").iter().any(|it| it.contains(uuid)), "{checked:#?}");
    let busy = Host::new(&[&format!("busy {ODD}")]).check(&[]);
    assert!(busy.subjects("ok").contains(&"balloon"), "{busy:#?}");
}

#[test]
fn what_cannot_be_read_of_a_domain_is_lost_and_named() {
    for (fault, told) in [
        ("fault 265 X error 38", "whether Nova made these could not be read"),
        ("fault 14 X error 38", "the XML could not be read"),
        ("fault 14 X utf8", ""),
    ] {
        let checked = Host::new(&[&fault.replace('X', ODD)]).check(&[]);
        if told.is_empty() {
            checked.assert_well();
            continue;
        }
        checked.assert_loses(&["instances"]);
        let text = checked.text("instances");
        assert!(text.starts_with(told) && text.contains(ODD), "{checked:#?}");
    }
    let host = Host::new(&[&format!("fault 265 {ODD} error 38")]);
    let checked = host.check(&["--projects=.*"]);
    checked.assert_loses(&["instances"]);
    assert!(checked.text("instances").contains("the filters leave these"), "{checked:#?}");
}

#[test]
fn cpu_time_is_of_cgroups_or_processes_or_lost() {
    let refused = Host::new(&["fault 262 * error 55"]).check(&[]);
    refused.assert_well();
    assert!(refused.text("cpu").contains("that of the QEMU process"), "{refused:#?}");
    let lost = Host::new(&[&format!("fault 262 {ODD} error 55")]).check(&[]);
    lost.assert_loses(&["cpu"]);
    assert!(lost.text("cpu").starts_with(&format!("libvirt tells no CPU time: {ODD} ")));
}

/// Every counter of the simulator stands at that of a guest that has run for hours.
#[test]
fn a_counter_that_never_moves_is_told_from_one_that_does() {
    let host = Host::new(&["field * vcpu.0.time 5000000000"]);
    let checked = host.check(&[]);
    checked.assert_well();
    assert!(checked.text("wait").contains("stands at 0"), "{checked:#?}");
    for vcpu in 0..4 {
        host.order(&format!("field * vcpu.{vcpu}.delay 0"));
    }
    host.check(&[]).assert_loses(&["steal"]);
}

#[test]
fn a_clock_that_was_set_back_is_lost() {
    // What guests told is hours from now.
    let checked = Host::new(&["clock 10000s"]).check(&[]);
    checked.assert_loses(&["clock"]);
    assert!(checked.text("clock").starts_with("it was set back: "), "{checked:#?}");
    assert!(checked.commands("clock").contains(&"chronyc makestep".to_owned()));
}

#[test]
fn pools_are_a_note_where_there_are_none_and_lost_where_they_hang() {
    let absent = Host::new(&["fault 281 * error 3"]).check(&[]);
    absent.assert_well();
    assert!(absent.subjects("note").contains(&"pools"), "{absent:#?}");
    let hung = Host::new(&["pool slow running 9 1", "fault 87 slow never"]).check(&[]);
    hung.assert_loses(&["pools"]);
    assert!(hung.text("pools").starts_with("storage does not answer: slow "), "{hung:#?}");
    let node = Host::new(&["fault 6 * error 3"]).check(&[]);
    node.assert_well();
    assert!(node.text("collectors").starts_with("node lacks what NodeGetInfo tells"), "{node:#?}");
}

#[test]
fn versions_that_are_not_told_are_a_note() {
    let checked = Host::new(&["fault 157 * error 3"]).check(&[]);
    checked.assert_well();
    assert!(checked.text("versions").starts_with("libvirt unknown, QEMU 7.2.22: "), "{checked:#?}");
}

#[test]
fn a_version_that_was_told_is_not_forgotten_while_the_other_is_asked_for() {
    let host = Host::new(&["fault 157 * error 3"]);
    let checked = thread::scope(|scope| {
        let checking = scope.spawn(|| host.check(&[]));
        wait::wait_until(wait::PATIENCE, "both versions asked for", || {
            (host.sim.calls_of(157) > 0).then_some(())
        });
        host.order("fault 4 * never");
        checking.join().unwrap()
    });
    assert_eq!(host.sim.calls_of(4), 1, "it was asked for again");
    assert!(checked.text("versions").starts_with("libvirt unknown, QEMU 7.2.22: "), "{checked:#?}");
}

#[test]
fn a_libvirtd_that_does_not_let_us_in_is_told_by_what_it_does() {
    let refusing = Host::new(&["fault 1 * error 5 no driver"]).check(&[]);
    refusing.assert_loses(&["driver"]);
    assert!(refusing.text("driver").contains("Message='no driver'"), "{refusing:#?}");
    assert!(refusing.subjects("ok").contains(&"socket"));

    let polkit = Host::new(&["auth polkit", "fault 70 * error 45"]).check(&[]);
    polkit.assert_loses(&["authentication"]);
    assert!(polkit.commands("authentication").contains(&"auth_unix_ro = \"none\"".to_owned()));
    let polkit = Host::new(&["auth polkit"]).check(&[]);
    polkit.assert_well();
    assert_eq!(polkit.text("authentication"), "polkit lets this user in");

    let down = Host::new(&["down stale"]).check(&[]);
    down.assert_loses(&["socket"]);
    assert!(down.text("socket").contains("nobody listens on it"), "{down:#?}");

    let frozen = Host::new(&["freeze"]).check(&[]);
    frozen.assert_loses(&["socket"]);
    assert!(frozen.text("socket").contains("takes connections, and says nothing"), "{frozen:#?}");
}

#[test]
fn a_list_that_does_not_come_ends_the_check() {
    let checked = Host::new(&["fault 273 * never"]).check(&["--deadline=2s"]);
    checked.assert_loses(&["instances"]);
    assert!(checked.text("instances").contains("which domains there are"), "{checked:#?}");
    assert!(checked.text("the rest").starts_with("not looked at"), "{checked:#?}");
}

#[test]
fn no_name_moves_a_terminal() {
    let host = Host::new(&[&format!("balloon {ODD} off"), &format!("rename {ODD} x\u{1b}[2J;a")]);
    let output = run(&host.sim.read_only_socket(), &[]);
    assert!(!output.stdout.contains(&0x1b), "{}", String::from_utf8_lossy(&output.stdout));
    let checked = Checked::of(&output);
    assert!(checked.text("balloon").contains(r"x\u{1b}[2J;a"), "{checked:#?}");
}

#[test]
fn an_empty_host_is_a_note() {
    let checked = Host::new(&["domains 0"]).check(&[]);
    checked.assert_well();
    assert!(checked.text("instances").starts_with("no domain runs"), "{checked:#?}");
    assert!(checked.subjects("note").contains(&"instances"));
}

#[test]
fn the_socket_that_may_write_is_a_note() {
    let host = Host::new(&[]);
    let checked = Checked::of(&run(host.sim.socket(), &[]));
    checked.assert_well();
    let command = format!("libvirt_nova -uri {}", host.sim.read_only_socket().display());
    assert_eq!(checked.commands("socket"), [command]);
}
