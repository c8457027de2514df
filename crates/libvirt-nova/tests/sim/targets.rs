//! Libvirtds that are asked by name: the file of them, their sessions, and what one costs another.

use std::{fmt::Write, fs, path::PathBuf, time::Duration};

use libvirtd_sim::{Settings, Simulator, Status};
use tempfile::TempDir;

use crate::{
    bench::{DEADLINE, MOMENT},
    exporter::Exporter,
    http::{self, Response},
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

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
                for command in ["clock 0s", &format!("domains {DOMAINS}"), &format!("clock {MOMENT}s")] {
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

    /// Writes the file anew, and looks whether it is in force.
    fn rewrite(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
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
