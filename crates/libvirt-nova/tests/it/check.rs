//! `--check` where there is no libvirtd.

use std::{
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{
    checked::Checked,
    program::{Dir, Outcome},
};

fn check(dir: &Dir, args: &[&str]) -> Checked {
    let Outcome { code, stdout, stderr } = dir.command().arg("--check").args(args).run();
    use std::os::unix::process::ExitStatusExt;
    let status = std::process::ExitStatus::from_raw(code.unwrap() << 8);
    Checked::of(&Output { status, stdout: stdout.into_bytes(), stderr: stderr.into_bytes() })
}

fn uri(path: &Path) -> String {
    format!("qemu:///system?socket={}", path.display())
}

#[test]
fn without_a_socket_the_rest_is_not_looked_at_and_metrics_are_lost() {
    let dir = Dir::new();
    let path = dir.path().join("libvirt-sock-ro");
    let checked = check(&dir, &["-uri", &uri(&path)]);
    checked.assert_loses(&["socket"]);
    assert!(
        checked.text("socket").starts_with(&format!("there is no {} ", path.display())),
        "{checked:#?}"
    );
    assert!(checked.text("the rest").starts_with("not looked at"), "{checked:#?}");
    assert_eq!(checked.subjects("ok"), ["flags", "clock"]);
    assert!(checked.log.contains("No such file"), "{checked:#?}");
    assert_eq!(dir.files(), [""; 0], "it leaves a log file behind");
}

#[test]
fn a_directory_that_is_missing_is_what_a_container_lacks() {
    let dir = Dir::new();
    let checked = check(&dir, &["-uri", "/nonexistent/libvirt/libvirt-sock-ro"]);
    checked.assert_loses(&["socket"]);
    let share = "podman run -v /nonexistent/libvirt:/nonexistent/libvirt:ro ...";
    assert!(checked.commands("socket").contains(&share.to_owned()), "{checked:#?}");
}

#[test]
fn a_socket_that_nobody_listens_on_is_told_from_one_that_is_missing() {
    let dir = Dir::new();
    let path = dir.path().join("libvirt-sock-ro");
    drop(UnixListener::bind(&path).unwrap());
    let checked = check(&dir, &["-uri", &uri(&path)]);
    checked.assert_loses(&["socket"]);
    assert!(checked.text("socket").contains("nobody listens on it"), "{checked:#?}");
}

#[test]
fn who_hangs_up_is_not_taken_for_libvirtd() {
    let dir = Dir::new();
    let path: PathBuf = dir.path().join("libvirt-sock-ro");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let checked = check(&dir, &["-uri", &uri(&path)]);
    checked.assert_loses(&["socket"]);
    assert!(checked.text("socket").contains("hangs up in the middle"), "{checked:#?}");
}

#[test]
fn flags_that_are_ignored_are_notes() {
    let dir = Dir::new();
    let args = ["-uri", "/nonexistent/a-sock-ro", "--libvirt.driver", "x", "--exporter.timeout=3s"];
    let checked = check(&dir, &args);
    assert_eq!(checked.subjects("note"), ["flags", "flags"]);
    checked.assert_loses(&["socket"]);
}

#[test]
fn wrong_usage_stays_status_2() {
    let Outcome { code, stdout, stderr } = Dir::new().command().arg("--check=maybe").run();
    assert_eq!((code, &*stdout), (Some(2), ""));
    assert_eq!(stderr, "libvirt_nova: --check: maybe is neither true nor false\n");
}

#[test]
fn the_status_is_the_same_where_nobody_reads() {
    let line = "\"$@\" --check -uri /nonexistent/a-sock-ro >&-";
    assert_eq!(Dir::new().shell(line).run().code, Some(1));
}
