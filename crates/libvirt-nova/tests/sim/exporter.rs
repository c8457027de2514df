//! The exporter as a process.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use crate::wait::{PATIENCE, wait_until};

/// A running exporter; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Exporter {
    /// Starts one that logs into `dir`, and waits until it listens.
    pub(crate) fn start(uri: &str, args: &[&str], dir: &Path) -> Self {
        Self::start_with(&[&["-uri", uri], args].concat(), dir)
    }

    /// The same of one that is told all that it is told.
    pub(crate) fn start_with(args: &[&str], dir: &Path) -> Self {
        let log = dir.join("log");
        // Another one may have been here before.
        let _ = fs::remove_file(&log);
        let mut command = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"));
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("LIBVIRT_NOVA_") {
                command.env_remove(name);
            }
        }
        command.arg("--web.listen-address=127.0.0.1:0").args(args);
        command.arg("-log").arg(&log).current_dir(dir).stdin(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let (address, _) = wait_until(PATIENCE, "an exporter that listens", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            text.split_once("listening address=")?.1.split_once('\n')?.0.parse().ok()
        });
        Self { child, address, log }
    }

    /// The lines that it logged.
    pub(crate) fn log(&self) -> Vec<String> {
        fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect()
    }

    /// How many file descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn memory_peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let (_, rest) = status.split_once("VmHWM:").unwrap();
        let kib: u64 = rest.split_whitespace().next().unwrap().parse().unwrap();
        kib * 1024
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Panics where it has ended.
    pub(crate) fn assert_alive(&mut self) {
        let status = self.child.try_wait().unwrap();
        assert!(status.is_none(), "the exporter ended: {status:?}\n{}", self.log().join("\n"));
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the exporter's log:\n{}", self.log().join("\n"));
        }
    }
}
