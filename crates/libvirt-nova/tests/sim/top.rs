//! `top` on a terminal, straight from libvirt and through an exporter.

use std::{path::Path, process::Command};

use crate::{bench::Bench, terminal::Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_libvirt_nova");

fn top(args: &[&str]) -> Terminal {
    Terminal::start(Path::new(PROGRAM), &[&["top"], args].concat(), 120, 24)
}

/// Of so many domains, and one that looks at them.
fn local(domains: u32) -> (Bench, Terminal) {
    let bench = running(domains);
    let uri = bench.sim.read_only_socket();
    let terminal = top(&["--uri", uri.to_str().unwrap()]);
    terminal.wait_for_text("STEAL");
    (bench, terminal)
}

/// Of so many domains whose counters move on.
fn running(domains: u32) -> Bench {
    Bench::with(domains, &["clock run"], &[])
}

/// The first word of each line of the table.
fn names(seen: &str) -> Vec<String> {
    let lines = seen.lines().skip_while(|line| !line.starts_with("NAME")).skip(1);
    let first = lines.filter_map(|line| line.split_whitespace().next());
    first.take_while(|name| name.starts_with("testing-")).map(str::to_owned).collect()
}

/// The vCPUs in use of each line of the table.
fn in_use(seen: &str) -> Vec<f64> {
    let lines = seen.lines().filter(|line| line.starts_with("testing-"));
    let of = |line: &str| {
        let cell = line.split_whitespace().find(|cell| cell.split_once('/').is_some())?;
        cell.split_once('/')?.0.parse().ok()
    };
    lines.filter_map(of).collect()
}

fn signal(pid: u32, name: &str) {
    let args = ["-c", "kill -$1 $2", "sh", name, &pid.to_string()];
    assert!(Command::new("sh").args(args).status().unwrap().success());
}

#[test]
fn the_table_is_sorted_and_filtered_and_q_gives_the_terminal_back() {
    let (_bench, mut terminal) = local(12);
    let by_use = terminal.wait_for("twelve guests by their vCPUs in use", |seen| {
        let in_use = in_use(seen);
        (in_use.len() == 12 && in_use.is_sorted_by(|one, other| one >= other)).then(|| names(seen))
    });
    assert!(terminal.is_taken());
    terminal.type_in("N");
    let by_name = terminal.wait_for("the guests by name", |seen| {
        let names = names(seen);
        (names.len() == 12 && names.is_sorted()).then_some(names)
    });
    assert_ne!(by_use, by_name);
    terminal.type_in("r");
    let is_turned = |seen: &str| names(seen).iter().rev().eq(&by_name).then_some(());
    terminal.wait_for("the guests in reverse", is_turned);
    terminal.type_in("/ing-1");
    terminal.wait_for("four guests", |seen| (names(seen).len() == 4).then_some(()));
    // These are no commands now.
    terminal.type_in("q?");
    terminal.wait_for("no guest", |seen| names(seen).is_empty().then_some(()));
    terminal.type_in("\u{7f}\u{7f}\r");
    terminal.wait_for_text("filter ing-1: 4 of 12");
    terminal.type_in("\r");
    terminal.wait_for_text("libvirt name");
    terminal.type_in("\r?");
    terminal.wait_for_text("Ctrl-Z");
    terminal.type_in("?\u{15}/\u{15}\r");
    terminal.wait_for("all guests", |seen| (names(seen).len() == 12).then_some(()));
    terminal.resize(40, 10);
    terminal.wait_for("a narrow table", |seen| {
        let lines: Vec<_> = seen.lines().collect();
        let is_narrow = lines.iter().all(|line| line.chars().count() <= 40);
        (is_narrow && names(seen).len() == 5 && !seen.contains("PROJECT")).then_some(())
    });
    terminal.type_in("q");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.assert_given_back();
}

#[test]
fn ctrl_c_esc_and_signals_give_the_terminal_back() {
    let bench = running(3);
    let uri = bench.sim.read_only_socket();
    // The exporter's.
    let before = bench.until("three connections", |status| status.connections == 3).connections;
    let ends: [&dyn Fn(&mut Terminal); 5] = [
        &|terminal| terminal.type_in("\u{3}"),
        &|terminal| terminal.type_in("\u{1b}"),
        &|terminal| signal(terminal.pid(), "TERM"),
        &|terminal| signal(terminal.pid(), "HUP"),
        &|terminal| signal(terminal.pid(), "INT"),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut terminal = top(&["--uri", uri.to_str().unwrap()]);
        terminal.wait_for_text("testing-1");
        end(&mut terminal);
        assert_eq!(terminal.ended().code(), Some(0), "{number}");
        terminal.assert_given_back();
    }
    bench.until("its connections closed", |status| status.connections == before);
}

#[test]
fn ctrl_z_leaves_the_terminal_to_the_shell_until_it_wants_us_back() {
    let bench = running(3);
    let args = ["--norc", "--noprofile", "-i"];
    let mut terminal = Terminal::start(Path::new("/bin/bash"), &args, 120, 24);
    terminal.wait_for_text("shell$ ");
    let uri = bench.sim.read_only_socket();
    terminal.type_in(&format!("{PROGRAM} top --uri {}\n", uri.display()));
    terminal.wait_for_text("testing-1");
    terminal.type_in("\u{1a}");
    terminal.wait_for_text("Stopped");
    assert!(!terminal.is_taken());
    terminal.type_in("echo $((6 * 7))\n");
    terminal.wait_for_text("\n42");
    terminal.type_in("fg\n");
    terminal.wait_for("the table again", |seen| seen.starts_with("compute-sim").then_some(()));
    terminal.type_in("q");
    terminal.wait_for("the shell again", |seen| seen.ends_with("shell$ ").then_some(()));
    assert!(!terminal.is_taken());
    terminal.type_in("exit $?\n");
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn a_stuck_guest_is_red_and_holds_up_nobody() {
    let (bench, terminal) = local(12);
    terminal.wait_for("all guests", |seen| (in_use(seen).len() == 12).then_some(()));
    bench.order("stuck instance-00000007");
    let row = terminal.wait_for("a red guest", |_| {
        terminal.red().into_iter().find(|line| line.contains("stuck "))
    });
    assert!(row.starts_with("testing-7 "), "{row}");
    terminal.wait_for_text("1 STUCK");
    // Who polls is not held up.
    terminal.wait_for("all guests as they were a moment ago", |seen| {
        let is_fresh = seen.contains("libvirt up, polled 0.");
        (is_fresh && in_use(seen).len() == 12).then_some(())
    });
    bench.go_on();
    terminal.wait_for_end_of("STUCK");
    terminal.wait_for("no red guest", |_| terminal.red().is_empty().then_some(()));
}

#[test]
fn a_libvirtd_that_goes_and_comes_back_is_told_of() {
    let (bench, terminal) = local(3);
    for (stop, told, go_on) in [
        ("down", "libvirtd cannot be asked since ", "up"),
        ("freeze", "libvirtd does not answer since ", "thaw"),
    ] {
        terminal.wait_for("all guests", |seen| (in_use(seen).len() == 3).then_some(()));
        bench.order(stop);
        terminal.wait_for_text(told);
        // What is drawn in pieces is read in pieces.
        terminal.wait_for("all of them still", |seen| (names(seen).len() == 3).then_some(()));
        // What was in use is not what is.
        terminal.wait_for("no numbers", |seen| in_use(seen).is_empty().then_some(()));
        bench.order(go_on);
        terminal.wait_for_end_of("since");
    }
    terminal.wait_for("all guests", |seen| (in_use(seen).len() == 3).then_some(()));
}

#[test]
fn an_exporter_that_is_restarted_is_told_of_and_found_again() {
    let mut bench = running(12);
    let address = bench.exporter.address.to_string();
    let mut terminal = top(&["--connect", &format!("http://{address}")]);
    terminal.wait_for("all guests", |seen| (in_use(seen).len() == 12).then_some(()));
    // Nobody has scraped yet.
    terminal.wait_for_text("surveyed never");
    bench.scrape();
    terminal.wait_for_text("surveyed 0.");
    terminal.wait_for_text("12 running");
    bench.exporter.kill();
    terminal.wait_for_text(&format!("http://{address} does not answer since "));
    terminal.wait_for_text("Connection refused");
    terminal.wait_for("all of them still", |seen| (names(seen).len() == 12).then_some(()));
    bench.restart_exporter();
    terminal.wait_for_end_of("does not answer");
    terminal.wait_for("all guests", |seen| (in_use(seen).len() == 12).then_some(()));
    terminal.type_in("q");
    assert_eq!(terminal.ended().code(), Some(0));
    terminal.assert_given_back();
}

#[test]
fn looking_at_an_exporter_asks_libvirtd_for_nothing() {
    // One that polls only when scraped.
    let bench = Bench::new(3);
    bench.whole(3);
    let before = bench.sim.status().calls_total;
    let terminal = top(&["--connect", &bench.exporter.address.to_string()]);
    terminal.wait_for("an age that grows", |seen| seen.contains("surveyed 3.").then_some(()));
    assert_eq!(bench.sim.status().calls_total, before);
}

#[test]
fn names_of_tenants_do_not_drive_the_terminal() {
    let bench = running(3);
    bench.order("metadata instance-00000001 name \u{9b}2Jnow\u{9b}1;1H\u{202e}you\u{85}\u{7f}");
    bench.order("metadata instance-00000002 project 東京東京東京東京東京東京東京");
    let uri = bench.sim.read_only_socket();
    let mut terminal = top(&["--uri", uri.to_str().unwrap(), "--sort=name"]);
    let whole = ["testing-3", "?2Jnow?1;1H?you??", "vCPU"];
    let shown = terminal.wait_for("the whole table", |seen| {
        whole.iter().all(|part| seen.contains(part)).then(|| seen.to_owned())
    });
    // Each in its own line, with its number of vCPUs below the others'.
    let column = shown.lines().find_map(|line| line.find("vCPU")).unwrap();
    assert!(column > 0 && shown.starts_with("compute-sim"), "{shown}");
    terminal.type_in("q");
    assert_eq!(terminal.ended().code(), Some(0));
}

#[test]
fn the_table_is_printed_once_without_a_terminal() {
    let bench = running(12);
    let uri = bench.sim.read_only_socket();
    bench.scrape();
    let exporter = bench.exporter.address.to_string();
    for (flag, value) in [("--uri", uri.to_str().unwrap()), ("--connect", &exporter)] {
        let run = |more: &[&str]| {
            let mut command = Command::new(PROGRAM);
            let output = command.args(["top", "--once", flag, value]).args(more).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap()
        };
        let printed = run(&[]);
        assert!(!printed.contains('\u{1b}'), "{printed}");
        assert!(printed.starts_with("compute-sim  libvirt up, polled "), "{printed}");
        assert!(in_use(&printed).is_sorted_by(|one, other| one >= other), "{printed}");
        assert_eq!(in_use(&printed).len(), 12, "{printed}");
        let printed = run(&["--sort=name", "--instances=testing-1.*", "--instances.exclude=.*2"]);
        assert_eq!(names(&printed), ["testing-1", "testing-10", "testing-11"], "{printed}");
    }
}

#[test]
fn who_cannot_start_says_why() {
    let bench = running(1);
    let uri = bench.sim.read_only_socket();
    let exporter = format!("http://{}", bench.exporter.address);
    for (args, code, told) in [
        (&["--uri", uri.to_str().unwrap()][..], 2, "standard output is not a terminal"),
        (&["--once", "--uri", "/nonexistent"], 1, "/nonexistent: No such file"),
        (&["--once", "--connect", "http://127.0.0.1:1"], 1, "Connection refused"),
        (&["--once", "--connect", &format!("{exporter}/metrics")], 1, "without /metrics"),
        (&["--once", "--connect", "https://127.0.0.1:1"], 2, "expected http://ADDRESS:PORT"),
    ] {
        let output = Command::new(PROGRAM).arg("top").args(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.starts_with("libvirt_nova") && error.contains(told), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(output.stdout, b"");
    }
    let mut terminal = top(&["--uri", "/nonexistent"]);
    assert_eq!(terminal.ended().code(), Some(1));
    terminal.wait_for_text("libvirt_nova top: cannot connect to /nonexistent: No such file");
    terminal.assert_given_back();
}
