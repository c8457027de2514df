//! `--check` on a real host: what it says is wrong is, and what it says mends it does.

use std::{fs, path::Path};

use crate::{
    checked::Checked,
    exporter::{program, public_program},
    libvirtd::Libvirtd,
    process::{command, command_as_nobody, output},
    wait::{PATIENCE, wait_until},
};

fn check(uri: &str) -> Checked {
    Checked::of(&command(program()).args(["--check", "-uri", uri]).output().unwrap())
}

fn check_as_nobody(socket: &Path) -> Checked {
    let mut nobody = command_as_nobody(public_program());
    Checked::of(&nobody.arg("--check").arg("-uri").arg(socket).output().unwrap())
}

#[test]
fn a_guest_with_a_driver_is_well_and_one_without_is_named() {
    let libvirtd = Libvirtd::start(&[]);
    let whole = libvirtd.kernel_guest(&[("BURN", "50")]).booted();
    let checked = check(&libvirtd.uri());
    checked.assert_well();
    assert_eq!(checked.text("balloon"), "1 guest tells of its memory");
    assert_eq!(checked.text("instances"), "1 domain runs, 1 of them Nova's");
    assert_eq!(checked.log, "");
    let version = whole.virsh().run(["version"]);
    for (what, program) in [("libvirt ", "library: libvirt "), ("QEMU ", "hypervisor: QEMU ")] {
        let (_, rest) = version.split_once(program).unwrap();
        let number = rest.split_whitespace().next().unwrap();
        assert!(checked.text("versions").contains(&format!("{what}{number}")), "{checked:#?}");
    }
    // The kernel counts how long a busy vCPU waits, whatever kernel.sched_schedstats is.
    assert!(whole.virsh().stats(&whole.name).number("vcpu.0.delay") > 0);
    assert!(checked.subjects("ok").contains(&"steal"), "{checked:#?}");

    let bare = libvirtd.bios_guest(&[]);
    let checked = check(&libvirtd.uri());
    checked.assert_loses(&["balloon"]);
    let told = format!("memory has never been told by 1 of 2 guests: {} ", bare.name);
    assert!(checked.text("balloon").starts_with(&told), "{checked:#?}");
    bare.run("suspend", &[]);
    check(&libvirtd.uri()).assert_well();
}

#[test]
fn the_command_that_it_prints_gives_a_guest_its_period_back() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[]).booted();
    guest.run("dommemstat", &["--period", "0", "--live"]);
    let checked = check(&libvirtd.uri());
    checked.assert_loses(&["balloon"]);
    assert!(checked.text("balloon").starts_with("no stats period"), "{checked:#?}");
    output(command("sh").args(["-c", &checked.commands("balloon")[0]]));
    let (mended, _) = wait_until(PATIENCE, "a guest that tells of its memory", || {
        let checked = check(&libvirtd.uri());
        (checked.code == Some(0)).then_some(checked)
    });
    mended.assert_well();
}

#[test]
fn a_qemu_that_is_stopped_is_named_and_goes_on_by_the_command_that_it_prints() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[]).booted();
    let frozen = guest.freeze();
    let checked = check(&libvirtd.uri());
    checked.assert_loses(&["guests"]);
    let told = format!("QEMU does not answer libvirt: {} ", guest.name);
    assert!(checked.text("guests").starts_with(&told), "{checked:#?}");
    let command_lines = checked.commands("guests");
    let look = command_lines.iter().find(|it| it.starts_with("ps ")).unwrap();
    assert!(output(command("sh").args(["-c", look])).contains('T'), "{checked:#?}");
    let go_on = command_lines.iter().find(|it| it.starts_with("kill -CONT ")).unwrap();
    output(command("sh").args(["-c", go_on]));
    guest.tells_anew();
    check(&libvirtd.uri()).assert_well();
    drop(frozen);
}

#[test]
fn who_is_not_root_is_told_which_socket_is_open() {
    let libvirtd = Libvirtd::start(&[]);
    let read_only = libvirtd.socket("libvirt-sock-ro");
    let checked = check_as_nobody(&read_only);
    checked.assert_well();
    assert!(!checked.subjects("note").contains(&"user"), "{checked:#?}");
    assert!(check(&libvirtd.uri()).subjects("note").contains(&"user"));
    let closed = check_as_nobody(&libvirtd.socket("libvirt-sock"));
    closed.assert_loses(&["socket"]);
    let told = "permission denied, for the user 65534; it is the user 0's, with mode 0700";
    assert!(closed.text("socket").contains(told), "{closed:#?}");
    let command = format!("libvirt_nova -uri {}", read_only.display());
    assert_eq!(closed.commands("socket"), [command]);
}

#[test]
fn polkit_is_told_where_it_lets_a_user_in() {
    let libvirtd = Libvirtd::start(&[("AUTH", "polkit")]);
    let checked = check_as_nobody(&libvirtd.socket("libvirt-sock-ro"));
    checked.assert_well();
    assert_eq!(checked.text("authentication"), "polkit lets this user in");
    let root = check(&libvirtd.uri());
    assert_eq!(root.text("authentication"), "none is asked of root");
}

/// As in a container that has libvirt and nothing else.
#[test]
fn polkit_without_a_bus_lets_root_in_alone_until_none_is_asked() {
    let libvirtd = Libvirtd::start(&[]);
    let configuration = libvirtd.dir().join("etc/libvirtd.conf");
    let set = |from: &str, to: &str| {
        libvirtd.daemon_stop();
        let text = fs::read_to_string(&configuration).unwrap();
        let edited =
            text.replace(&format!("auth_unix_ro = {from}"), &format!("auth_unix_ro = {to}"));
        assert_ne!(edited, text);
        fs::write(&configuration, edited).unwrap();
        libvirtd.daemon_start();
    };
    set("\"none\"", "\"polkit\"");
    let socket = libvirtd.socket("libvirt-sock-ro");
    let nobody = check_as_nobody(&socket);
    nobody.assert_loses(&["authentication"]);
    let told = nobody.text("authentication");
    assert!(told.contains("polkit does not let this process in"), "{nobody:#?}");
    assert!(told.contains("Unable to get system bus connection"), "{nobody:#?}");
    assert_eq!(check(&libvirtd.uri()).text("authentication"), "none is asked of root");
    set("\"polkit\"", "\"none\"");
    check_as_nobody(&socket).assert_well();
}

#[test]
fn a_host_without_cgroups_is_a_note() {
    let libvirtd = Libvirtd::start(&[("NO_CGROUPS", "1")]);
    libvirtd.kernel_guest(&[]).booted();
    let checked = check(&libvirtd.uri());
    checked.assert_well();
    assert!(checked.text("cpu").contains("that of the QEMU process"), "{checked:#?}");
}
