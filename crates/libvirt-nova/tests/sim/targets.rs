//! Libvirtds that are asked by name: the file of them, their sessions, and what one costs another.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use libvirtd_sim::{Settings, Simulator, Status};
use tempfile::TempDir;

use crate::{
    bench::MOMENT,
    checked::Checked,
    exporter::Exporter,
    flood::want_descriptors,
    http::{self, Response},
    said::Said,
    scrape::{Scrape, parse},
    wait::{PATIENCE, wait_until},
};

mod lasting;

/// Simulators, and an exporter whose targets they are: `t0`, `t1` and so on.
struct Fleet {
    exporter: Exporter,
    sims: Vec<Simulator>,
    file: PathBuf,
    _dir: TempDir,
}

/// Domains of a target.
const DOMAINS: u32 = 3;

impl Fleet {
    /// So many simulators, and an exporter that is given `args` besides the file.
    fn new(targets: u32, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sims: Vec<_> = (0..targets)
            .map(|number| {
                let socket = dir.path().join(format!("sock-{number}"));
                let settings = Settings { domains: 0, ..Settings::default() };
                let sim = Simulator::start(&socket, settings).unwrap();
                for command in
                    ["clock 0s", &format!("domains {DOMAINS}"), &format!("clock {MOMENT}s")]
                {
                    sim.command(command).unwrap();
                }
                sim
            })
            .collect();
        let file = dir.path().join("targets.yml");
        fs::write(&file, text(&sims)).unwrap();
        let argument = format!("--targets.file={}", file.display());
        let exporter = Exporter::start_with(&[&[argument.as_str()], args].concat(), dir.path());
        Self { exporter, sims, file, _dir: dir }
    }

    fn get(&self, path: &str) -> Response {
        http::get(self.exporter.address, path, "")
    }

    fn probe(&self, target: usize) -> Scrape {
        Scrape::new(self.get(&format!("/probe?target=t{target}")))
    }

    fn metrics(&self) -> Scrape {
        Scrape::new(self.get("/metrics"))
    }

    /// Writes the file anew.
    fn rewrite(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
    }

    fn order(&self, target: usize, command: &str) {
        self.sims[target].command(command).unwrap();
    }

    /// The lines of the log that hold a text.
    fn said(&self, text: &str) -> Vec<String> {
        let mut lines = self.exporter.log();
        lines.retain(|line| line.contains(text));
        lines
    }

    fn until(&self, target: usize, what: &str, wanted: impl Fn(Status) -> bool) {
        let met = || Some(()).filter(|()| wanted(self.sims[target].status()));
        wait_until(PATIENCE, what, met);
    }

    fn connected(&self, target: usize) -> f64 {
        let name = format!("t{target}");
        self.metrics().value("libvirt_nova_exporter_target_connected", &[("target", &name)])
    }
}

/// A file of these targets.
fn text(sims: &[Simulator]) -> String {
    let mut text = "targets:\n".to_owned();
    for (number, sim) in sims.iter().enumerate() {
        let socket = sim.read_only_socket();
        writeln!(text, "  t{number}:\n    uri: {}", socket.display()).unwrap();
    }
    text
}

#[test]
fn the_first_probe_of_a_target_is_whole_and_has_nothing_of_the_program() {
    let fleet = Fleet::new(2, &[]);
    let scrape = fleet.probe(1);
    let said = Said::of(&scrape);
    assert!(said.is_whole(DOMAINS), "{}", scrape.response.body);
    said.assert_right(MOMENT);
    for family in &scrape.families {
        let is_program = family.name.starts_with("process_")
            || ["build_info", "log_messages_total", "tasks", "target_connected"]
                .iter()
                .any(|name| family.name == format!("libvirt_nova_exporter_{name}"));
        assert!(!is_program, "{}", family.name);
    }
    assert_eq!(scrape.value("libvirt_nova_exporter_connected", &[]), 1.0);
    assert_eq!(fleet.sims[0].status().calls_total, 0, "nobody has asked for the other one");
}

/// Reading them all takes longer than a scrape waits for one that has just come.
#[test]
fn the_first_probe_waits_for_all_domains_to_be_read() {
    let fleet = Fleet::new(1, &[]);
    fleet.order(0, "domains 12");
    fleet.order(0, &format!("clock {MOMENT}s"));
    fleet.order(0, "fault 265 * late 400ms");
    let said = Said::of(&fleet.probe(0));
    assert!(said.is_whole(12), "{said:?}");
}

#[test]
fn without_a_libvirtd_of_its_own_the_metrics_are_the_programs() {
    let fleet = Fleet::new(2, &[]);
    assert_eq!(fleet.get("/-/ready").status, "HTTP/1.1 200 OK");
    assert_eq!((fleet.connected(0), fleet.connected(1)), (0.0, 0.0));
    fleet.probe(0);
    let scrape = fleet.metrics();
    assert_eq!((fleet.connected(0), fleet.connected(1)), (1.0, 0.0));
    for result in ["up", "down", "undecided", "dropped"] {
        let count = |target| {
            let labels = [("target", target), ("result", result)];
            scrape.value("libvirt_nova_exporter_target_probes_total", &labels)
        };
        // It may have been made again.
        assert_eq!(count("t0") > 0.0, result == "up", "{result}");
        assert_eq!(count("t1"), 0.0, "{result}");
    }
    assert!(scrape.value("process_open_fds", &[]) > 0.0);
    assert_eq!(scrape.value("libvirt_nova_exporter_targets_last_reload_successful", &[]), 1.0);
    for family in &scrape.families {
        let name = &family.name;
        assert!(
            name.starts_with("process_") || name.starts_with("libvirt_nova_exporter_"),
            "{name}"
        );
        assert_ne!(name, "libvirt_nova_exporter_connected");
    }
    let page = fleet.get("/").body;
    assert!(page.contains("t0</a></th><td>domains: 3 running</td>"), "{page}");
    assert!(page.contains("t1</a></th><td>not probed lately</td>"), "{page}");
    let debug = fleet.get("/debug").body;
    assert!(debug.contains("\ntargets\n  t0 ") && debug.contains("domains: 3 running"), "{debug}");
}

#[test]
fn beside_targets_a_libvirtd_that_was_named_is_watched_too() {
    let own = tempfile::tempdir().unwrap();
    let sim = Simulator::start(&own.path().join("sock"), Settings::default()).unwrap();
    let fleet = Fleet::new(1, &["-uri", sim.read_only_socket().to_str().unwrap()]);
    wait_until(PATIENCE, "its own libvirtd", || fleet.metrics().up().then_some(()));
    assert_eq!(fleet.connected(0), 0.0);
    assert!(Said::of(&fleet.probe(0)).is_whole(DOMAINS));
    assert_eq!(fleet.connected(0), 1.0);
    assert!(fleet.get("/").body.contains("id=\"host-name\""), "the live page");
}

/// Two, of which one says nothing: before there is a session with it, and when there is.
#[test]
fn a_silent_target_holds_up_itself_alone() {
    let fleet = Fleet::new(2, &["--min-age=0"]);
    fleet.probe(1);
    for session in ["none", "one"] {
        fleet.order(0, "freeze");
        thread::scope(|scope| {
            let slow = scope.spawn(|| fleet.probe(0));
            if session == "none" {
                let is_knocking = || fleet.get("/").body.contains("connecting to libvirtd");
                wait_until(PATIENCE, "who knocks", || is_knocking().then_some(()));
            }
            for _ in 0..5 {
                assert!(Said::of(&fleet.probe(1)).is_whole(DOMAINS));
            }
            assert!(!slow.is_finished(), "the others have waited for it");
            let slow = slow.join().unwrap();
            assert!(!slow.up(), "with session: {session}");
            assert!(Said::of(&slow).is_empty());
        });
        fleet.order(0, "thaw");
        let whole = || Said::of(&fleet.probe(0)).is_whole(DOMAINS).then_some(());
        wait_until(PATIENCE, "a target that is back", whole);
    }
}

#[test]
fn a_target_that_cannot_be_reached_is_down_and_told_of_once() {
    let fleet = Fleet::new(2, &[]);
    fleet.order(0, "down");
    for _ in 0..5 {
        let scrape = fleet.probe(0);
        assert!(!scrape.up());
        assert_eq!(scrape.value("libvirt_nova_exporter_connected", &[]), 0.0);
    }
    let lines = fleet.said("target=t0");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("sock-0-ro"), "{lines:#?}");
    fleet.order(0, "up");
    let whole = || Said::of(&fleet.probe(0)).is_whole(DOMAINS).then_some(());
    wait_until(PATIENCE, "a target that is back", whole);
    let lines = fleet.said("target=t0");
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[1].contains("connected"), "{lines:#?}");
    assert_eq!(fleet.said("target=t1"), [""; 0]);
}

#[test]
fn a_target_that_nobody_probes_is_left_politely_and_found_again() {
    let fleet = Fleet::new(1, &["--targets.idle=1s"]);
    for round in 1..=2 {
        let scrape = fleet.probe(0);
        assert!(Said::of(&scrape).is_whole(DOMAINS));
        let reads = scrape.value("libvirt_nova_exporter_xml_fetches_total", &[]);
        assert!(reads >= f64::from(DOMAINS * round), "{reads}: what is counted goes on");
        fleet.until(0, "its connections closed", |status| status.connections == 0);
        let goodbyes = fleet.sims[0].calls_of(CONNECT_CLOSE);
        // Where the machine stood still, it was probed again.
        assert!(
            goodbyes >= 3 * round as usize && goodbyes.is_multiple_of(3),
            "{goodbyes} goodbyes"
        );
        assert_eq!(fleet.connected(0), 0.0);
    }
    let lines = fleet.said("target=t0");
    assert_eq!(lines.len(), 1, "sessions that come and go are no news: {lines:#?}");
}

#[test]
fn a_target_is_not_idle_while_it_is_probed() {
    let fleet = Fleet::new(1, &["--targets.idle=1s"]);
    // What auth there is, it says so late that it would have been idle twice.
    fleet.order(0, "fault 66 * late 2500ms times 1");
    assert!(Said::of(&fleet.probe(0)).is_whole(DOMAINS));
}

/// `REMOTE_PROC_CONNECT_CLOSE`.
const CONNECT_CLOSE: u32 = 2;

#[test]
fn a_target_that_is_taken_out_of_the_file_is_left_and_the_others_stay() {
    let fleet = Fleet::new(2, &[]);
    (0..2).for_each(|target| assert!(fleet.probe(target).up()));
    let uri = fleet.sims[1].read_only_socket();
    fleet.rewrite(&format!("targets:\n  t1:\n    uri: {}\n", uri.display()));
    fleet.until(0, "its connections closed", |status| status.connections == 0);
    assert_eq!(fleet.sims[0].calls_of(CONNECT_CLOSE), 3, "goodbyes");
    let response = fleet.get("/probe?target=t0");
    assert_eq!(response.status, "HTTP/1.1 404 Not Found");
    assert_eq!(response.body, "no such target in the targets file\n");
    assert!(fleet.probe(1).up());
    assert_eq!(fleet.sims[1].calls_of(CONNECT_CLOSE), 0, "nothing of it has changed");
    assert!(fleet.metrics().samples(CONNECTED, &[("target", "t0")]).is_empty());

    // Another libvirtd under the same name is another one, and what was counted goes on.
    let count = || {
        let labels = [("target", "t1"), ("result", "up")];
        fleet.metrics().value("libvirt_nova_exporter_target_probes_total", &labels)
    };
    let before = count();
    let uri = fleet.sims[0].read_only_socket();
    fleet.rewrite(&format!("targets:\n  t1:\n    uri: {}\n", uri.display()));
    assert!(fleet.probe(1).up());
    fleet.until(0, "connections", |status| status.connections == 3);
    fleet.until(1, "its connections closed", |status| status.connections == 0);
    assert!(count() > before);
}

const CONNECTED: &str = "libvirt_nova_exporter_target_connected";

#[test]
fn a_file_that_is_wrong_leaves_the_targets_as_they_are_and_is_told_of_once() {
    let fleet = Fleet::new(1, &[]);
    let right = fs::read_to_string(&fleet.file).unwrap();
    let is_right =
        || fleet.metrics().value("libvirt_nova_exporter_targets_last_reload_successful", &[]);
    for (wrong, said) in [
        ("", "is empty, expected targets"),
        ("targets:\n  t0:\n    url: /x\n", "line 2: targets t0 has no uri"),
        ("targets:\n  t0:\n    uri: /x\n    password: geheim\n", "line 4: targets t0 password"),
    ] {
        fleet.rewrite(wrong);
        wait_until(PATIENCE, "word of it", || (!fleet.said(said).is_empty()).then_some(()));
        assert_eq!(is_right(), 0.0);
        // Each of them looks at the file.
        (0..3).for_each(|_| assert!(fleet.probe(0).up()));
        let lines = fleet.said("targets file is wrong");
        assert_eq!(lines.iter().filter(|line| line.contains(said)).count(), 1, "{lines:#?}");
    }
    assert_eq!(fleet.said("geheim"), [""; 0]);
    assert_eq!(fleet.sims[0].calls_of(CONNECT_CLOSE), 0, "its session went on");
    fleet.rewrite(&right);
    assert!(fleet.probe(0).up());
    assert_eq!(is_right(), 1.0);
}

#[test]
fn every_sample_of_a_target_has_its_labels() {
    let fleet = Fleet::new(2, &[]);
    let labels = "    labels: {az: nova, rack: 'r\"1'}\n";
    fleet.rewrite(&format!("{}{labels}", text(&fleet.sims)));
    let openmetrics = "Accept: application/openmetrics-text;version=1.0.0\r\n";
    for header in ["", openmetrics] {
        let body = http::get(fleet.exporter.address, "/probe?target=t1", header).body;
        let samples: Vec<_> = body.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(samples.len() > 200, "{body}");
        for sample in samples {
            let (_, labels) = sample.split_once('{').expect(sample);
            assert!(labels.starts_with("az=\"nova\",rack=\"r\\\"1\""), "{sample}");
        }
    }
    assert!(!fleet.get("/probe?target=t0").body.contains("rack="));
}

#[test]
fn a_target_can_be_tried_by_hand() {
    let fleet = Fleet::new(2, &[]);
    let once = |target: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"));
        command.arg("--once").arg("--targets.file").arg(&fleet.file).args(["--target", target]);
        command.output().unwrap()
    };
    let output = once("t1");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let families = parse(&String::from_utf8(output.stdout).unwrap());
    assert!(Said::of_families(&families).is_whole(DOMAINS));
    fleet.until(1, "its connections closed", |status| status.connections == 0);
    let output = once("t2");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("no target t2 in "), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

/// A connection that is kept, as Prometheus does.
struct Kept(TcpStream);

impl Kept {
    /// Asks, and returns the status.
    fn get(&mut self, path: &str) -> String {
        let Self(stream) = self;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        http::body(stream, |name| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
            head.lines().find_map(value).unwrap_or_default()
        });
        head.lines().next().unwrap().to_owned()
    }
}

/// Prometheus keeps the connection of each target for its next scrape, and several of them do.
#[test]
fn a_scraper_keeps_a_connection_for_each_target() {
    let fleet = Fleet::new(40, &["-interval=0"]);
    let mut kept: Vec<_> = Vec::new();
    for number in 0..160 {
        // Whoever connects has only so long to ask.
        let mut connection = Kept(TcpStream::connect(fleet.exporter.address).unwrap());
        assert_eq!(connection.get(&format!("/probe?target=t{}", number % 40)), "http/1.1 200 ok");
        kept.push(connection);
    }
    for (number, connection) in kept.iter_mut().enumerate() {
        assert_eq!(connection.get(&format!("/probe?target=t{}", number % 40)), "http/1.1 200 ok");
    }
}

#[test]
fn a_check_asks_each_target_once_and_says_why_one_is_lost() {
    let fleet = Fleet::new(3, &[]);
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"));
        command.arg("--check").arg("--targets.file").arg(&fleet.file);
        let output = command.output().unwrap();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            assert!(line.matches(" target=").count() < 2, "{line}");
        }
        Checked::of(&output)
    };
    let checked = check();
    checked.assert_well();
    assert_eq!(checked.text("targets"), "3 of 3 answer, on which 9 domains run");
    for target in 0..3 {
        fleet.until(target, "its connections closed", |status| status.connections == 0);
        assert_eq!(fleet.sims[target].calls_of(CONNECT_CLOSE), 3, "goodbyes");
    }
    fleet.order(1, "down");
    let checked = check();
    assert_eq!((checked.code, checked.subjects("LOSS")), (Some(1), vec!["targets"]));
    let said = format!("{checked:?}");
    assert!(said.contains("2 of 3 answer, on which 6 domains run"), "{said}");
    assert!(said.contains("t1: without libvirtd: ") && said.contains("sock-1-ro"), "{said}");
    fleet.rewrite("targets:\n  t0: {}\n");
    let checked = check();
    assert_eq!(checked.code, Some(1));
    assert!(checked.text("targets").contains("line 2: targets t0 has no uri"), "{checked:?}");
}

/// A whole region through one process, of which a tenth says nothing.
#[test]
fn two_hundred_targets_fit_into_one_process_and_none_waits_for_another() {
    const WELL: u32 = 180;
    const SILENT: usize = 20;

    // The simulators are here: two listeners, three connections and a runtime each.
    want_descriptors(4_096);
    let fleet = Fleet::new(WELL, &[]);
    // The kernel accepts for somebody who never does, and an attempt to connect there takes ten seconds.
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut file = text(&fleet.sims);
    for number in 0..SILENT {
        let address = nobody.local_addr().unwrap();
        writeln!(file, "  s{number}:\n    uri: qemu+tcp://{address}/system").unwrap();
    }
    fleet.rewrite(&file);
    let well: Vec<_> = (0..WELL).map(|number| format!("t{number}")).collect();
    let silent: Vec<_> = (0..SILENT).map(|number| format!("s{number}")).collect();
    // As one Prometheus does, all at once. Returns how long each took.
    let probe = |names: &[String], is_well: bool| -> Vec<Duration> {
        thread::scope(|scope| {
            let probe = |name| {
                let header = "X-Prometheus-Scrape-Timeout-Seconds: 30\r\n";
                let path = format!("/probe?target={name}");
                let scrape = Scrape::new(http::get(fleet.exporter.address, &path, header));
                assert_eq!(scrape.up(), is_well, "{name}");
                assert_eq!(Said::of(&scrape).is_whole(DOMAINS), is_well, "{name}");
                scrape.response.took()
            };
            let probes: Vec<_> =
                names.iter().map(|name| scope.spawn(move || probe(name))).collect();
            probes.into_iter().map(|probe| probe.join().unwrap()).collect()
        })
    };
    // This one connects.
    probe(&well, true);
    let (of_well, of_silent) = thread::scope(|scope| {
        let of_silent = scope.spawn(|| probe(&silent, false));
        (probe(&well, true), of_silent.join().unwrap())
    });
    let (slowest, soonest) = (of_well.iter().max().unwrap(), of_silent.iter().min().unwrap());
    // Who waited for a silent one would take as long; a busy machine takes a good part of it.
    assert!(*slowest < *soonest * 3 / 4, "{slowest:?} beside silent ones that took {soonest:?}");
    probe(&well, true);
    let connected =
        fleet.metrics().samples(CONNECTED, &[]).iter().filter(|it| it.value == 1.0).count();
    assert_eq!(connected, well.len());
    let peak = fleet.exporter.memory_peak();
    println!("peak {} KiB, {slowest:?} beside {soonest:?}", peak >> 10);
    assert!(peak < 100 << 20, "{} KiB", peak >> 10);
}
