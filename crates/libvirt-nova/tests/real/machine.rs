//! A clean Debian that its own systemd boots, with the exporter as its package installs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Instant,
};

use crate::{
    exporter::program,
    fixture::{MACHINE, new_dir},
    http::Response,
    process::{checkout, command, outcome, output, pid_in, testbed},
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// The unit.
pub(crate) const SERVICE: &str = "libvirt-nova-exporter.service";

/// A machine; it is shut down when this is dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    dir: PathBuf,
}

impl Machine {
    /// Boots one in which `place` is a directory of this host, read-only, and installs the
    /// exporter with settings of its environment.
    ///
    /// A system call that the sandbox refuses kills the exporter here: elsewhere it fails, and
    /// nobody might see it.
    pub(crate) fn start(directory: &Path, place: &str, settings: &str) -> Self {
        let machine = Self { dir: new_dir(MACHINE) };
        let bind = format!("--bind-ro={}:{place}", directory.display());
        output(machine.script("start").arg(bind));

        let packaging = checkout().join("packaging");
        let binary = fs::read(program()).unwrap();
        let headers = output(Command::new("readelf").arg("--program-headers").arg(program()));
        let is_static = !headers.contains("INTERP");
        assert!(is_static, "the unit runs the static binary alone, name it in LIBVIRT_NOVA_BIN");
        machine.install("usr/bin/libvirt_nova", &binary, 0o755);
        for unit in [SERVICE, "libvirt-nova-exporter.socket"] {
            let unit_file = fs::read(packaging.join("systemd").join(unit)).unwrap();
            machine.install(&format!("lib/systemd/system/{unit}"), &unit_file, 0o644);
        }
        let defaults = fs::read_to_string(packaging.join("default")).unwrap();
        let defaults = format!("{defaults}{settings}");
        machine.install("etc/default/libvirt-nova-exporter", defaults.as_bytes(), 0o644);
        machine.drop_in("strict", "[Service]\nSystemCallErrorNumber=kill\n");
        machine
    }

    /// Writes a file.
    pub(crate) fn install(&self, path: &str, content: &[u8], mode: u32) {
        let path = self.dir.join("root").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Adds to the unit, as an operator does.
    pub(crate) fn drop_in(&self, name: &str, content: &str) {
        let path = format!("etc/systemd/system/{SERVICE}.d/{name}.conf");
        self.install(&path, content.as_bytes(), 0o644);
        self.run("systemctl daemon-reload");
    }

    /// Runs a command, whose words have no blanks, to its successful end; returns what it printed.
    pub(crate) fn run(&self, command: &str) -> String {
        output(self.script("run").args(command.split(' ')))
    }

    /// A command of this host, to run in its network.
    pub(crate) fn beside(&self) -> Command {
        let mut nsenter = command("nsenter");
        let leader = pid_in(&self.dir.join("leader.pid"));
        nsenter.args(["--net", &format!("--target={leader}"), "--"]);
        nsenter
    }

    /// A property of the unit.
    pub(crate) fn property(&self, name: &str) -> String {
        self.run(&format!("systemctl show --value --property={name} {SERVICE}")).trim().to_owned()
    }

    /// Waits until a property of the unit is as it should be, and returns it.
    pub(crate) fn until(&self, name: &str, is_so: impl Fn(&str) -> bool) -> String {
        let what = format!("{name} of {SERVICE} as it should be");
        wait_until(PATIENCE, &what, || Some(self.property(name)).filter(|value| is_so(value))).0
    }

    /// Gets a path of the exporter, where it answers.
    pub(crate) fn try_get(&self, path: &str) -> Option<Response> {
        let began = Instant::now();
        let url = format!("http://127.0.0.1:9177{path}");
        // As it came, for chunks are ours to read.
        let curl = ["curl", "--raw", "--silent", "--show-error", "--include", "--max-time", "60"];
        let (success, answer, _) = outcome(self.script("beside").args(curl).arg(url));
        success.then(|| Response::read(answer.as_bytes(), began))
    }

    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::new(self.try_get("/metrics").expect("an exporter that answers"))
    }

    /// A file that the kernel keeps of the exporter's process, as the machine's root sees it.
    pub(crate) fn process_file(&self, name: &str) -> String {
        self.run(&format!("cat /proc/{}/{name}", self.property("MainPID")))
    }

    pub(crate) fn script(&self, command: &str) -> Command {
        let mut script = testbed("machine");
        script.arg(command).arg(&self.dir);
        script
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if thread::panicking() {
            let journal = ["journalctl", "--boot", "--no-pager", "--lines=40"];
            let (_, journal, _) = outcome(self.script("run").args(journal));
            eprintln!("the machine's journal:\n{journal}");
        }
        let stopped = self.script("stop").status();
        if !thread::panicking() {
            assert!(stopped.unwrap().success(), "{} did not stop", self.dir.display());
        }
    }
}
