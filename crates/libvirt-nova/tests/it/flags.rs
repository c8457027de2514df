//! The command line: exit statuses and streams.
//!
//! What each flag takes is tested beside the code; this is what only a process can show.

use std::{ffi::OsStr, fs, net::TcpListener, os::unix::ffi::OsStrExt};

use crate::program::{Dir, Outcome};

fn run(args: &[&str]) -> Outcome {
    let dir = Dir::new();
    let outcome = dir.command().args(args).run();
    assert_eq!(dir.files(), [""; 0], "a run that ends before it begins leaves nothing");
    outcome
}

/// Asserts that wrong usage ends with status 2 and one line, and returns the line.
fn refused(outcome: Outcome) -> String {
    let Outcome { code, stdout, mut stderr } = outcome;
    assert_eq!(code, Some(2), "{stderr}");
    assert_eq!(stdout, "");
    assert_eq!(stderr.pop(), Some('\n'), "{stderr}");
    assert!(!stderr.contains('\n'), "{stderr}");
    stderr
}

#[test]
fn answers_go_to_standard_output() {
    for flag in ["--help", "-help", "-h"] {
        let Outcome { code, stdout, stderr } = run(&[flag]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.contains("--web.listen-address"), "{stdout}");
    }
    for flag in ["--version", "-version"] {
        let Outcome { code, stdout, stderr } = run(&[flag]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.starts_with(concat!("libvirt_nova ", env!("CARGO_PKG_VERSION"))));
        assert_eq!(stdout.lines().count(), 1);
    }
    for flag in ["--list-metrics", "-list-metrics"] {
        let Outcome { code, stdout: _, stderr } = run(&[flag]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn flags_that_are_ignored_are_told_of_in_one_line() {
    // A port that is taken ends the run.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--web.listen-address={}", taken.local_addr().unwrap());
    let logged = |more: &[&str]| {
        let command = Dir::new().command().args(["-log", "-", "--log.format=logfmt", &listen]);
        let Outcome { code, stdout: _, stderr } = command.args(more).run();
        assert_eq!(code, Some(1), "{stderr}");
        let lines = stderr.lines().filter(|line| line.contains("ignored"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = logged(&["--exporter.timeout=3s", "--libvirt.driver", "qemu:///system"]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("\"--libvirt.driver --exporter.timeout\""), "{line}");
    assert_eq!(logged(&["--libvirt.nova", "--libvirt.export-nova-metadata"]), [""; 0]);
}

#[test]
fn wrong_usage_is_status_2_and_one_line() {
    for (args, line) in [
        (&["-port", "70000"][..], "libvirt_nova: -port: 70000 is not a port, expected 1 to 65535"),
        (&["-prot", "9100"], "libvirt_nova: -prot: no such flag, did you mean -port?"),
        (&["9100"], "libvirt_nova: 9100: belongs to no flag, see --help"),
        (&["-path"], "libvirt_nova: -path: the value is missing, expected -path PATH"),
        (
            &["-path", "metrics"],
            "libvirt_nova: -path: metrics is not a path, expected one that begins with / like /metrics",
        ),
        (
            &["--web.listen-address=localhost:9100"],
            "libvirt_nova: --web.listen-address: localhost:9100 is not an address: names are not looked up, expected one like 192.0.2.7:9100, [::1]:9100 or :9100",
        ),
        (
            &["--projects=(prod"],
            "libvirt_nova: --projects: (prod is not a regular expression from (prod on: found open group without closing ')'",
        ),
    ] {
        assert_eq!(refused(run(args)), line);
    }
    let line = refused(run(&["-uri", "a\nb"]));
    assert!(line.starts_with("libvirt_nova: -uri: "), "{line}");
}

#[test]
fn a_wrong_variable_is_wrong_usage() {
    let outcome = Dir::new().command().env("LIBVIRT_NOVA_INTERVAL", "5").run();
    assert_eq!(
        refused(outcome),
        "libvirt_nova: LIBVIRT_NOVA_INTERVAL: 5 has no unit, expected one like 500ms, 15s or 1m30s"
    );
    // The flag wins, and so the variable is not even looked at: the next fault is met.
    let command = Dir::new().command().env("LIBVIRT_NOVA_INTERVAL", "5");
    let line = refused(command.args(["-interval=5s", "-port=0"]).run());
    assert_eq!(line, "libvirt_nova: -port: 0 is not a port, expected 1 to 65535");
}

#[test]
fn words_that_are_not_utf8_are_wrong_usage() {
    let outcome = Dir::new().command().arg(OsStr::from_bytes(b"-uri=/\xff")).run();
    assert_eq!(refused(outcome), "libvirt_nova: -uri: /\u{fffd} is not UTF-8");
}

#[test]
fn a_reader_that_is_gone_is_no_fault() {
    for line in ["\"$@\" --help >&-", "\"$@\" --version >&-", "\"$@\" --help | :"] {
        let Outcome { code, stdout: _, stderr } = Dir::new().shell(line).run();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{line}");
    }
    // Nor is one for the line that says what was wrong.
    let Outcome { code, .. } = Dir::new().shell("\"$@\" -port 0 2>&-").run();
    assert_eq!(code, Some(2));
}

/// A user's own daemons keep their sockets where the session says; they have none that only reads.
#[test]
fn the_session_uri_means_the_users_own_socket() {
    let dir = Dir::new();
    let sockets = dir.path().join("libvirt");
    fs::create_dir(&sockets).unwrap();
    let asked = || {
        let line =
            format!("XDG_RUNTIME_DIR={} \"$@\" --once -uri qemu:///session", dir.path().display());
        let Outcome { code, stdout, stderr } = dir.shell(&line).run();
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.contains("\nlibvirt_up 0\n"), "{stdout}");
        stderr
    };
    let path = |name| format!("cannot connect to {}", sockets.join(name).display());
    let stderr = asked();
    assert!(stderr.contains(&path("libvirt-sock")), "{stderr}");
    fs::write(sockets.join("virtqemud-sock"), "").unwrap();
    let stderr = asked();
    assert!(stderr.contains(&path("virtqemud-sock")), "{stderr}");
}
