//! libvirt's own client: the other witness of every number.

use std::{collections::BTreeMap, ffi::OsStr, path::Path};

use crate::process::{command, outcome};

/// `virsh` on one socket.
#[derive(Clone, Debug)]
pub(crate) struct Virsh {
    uri: String,
}

impl Virsh {
    pub(crate) fn on(socket: &Path) -> Self {
        Self { uri: format!("qemu:///system?socket={}", socket.display()) }
    }

    /// Runs a command that succeeds, and returns what it printed.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let mut virsh = command("timeout");
        // A libvirtd that hangs must not hang the tests.
        virsh.args(["60", "virsh", "-q", "-c", &self.uri]).args(args);
        let (success, stdout, stderr) = outcome(&mut virsh);
        assert!(success, "{virsh:?}: {stderr}");
        stdout
    }

    /// `domstats`: every field of a domain, as it is printed.
    pub(crate) fn stats(&self, domain: &str) -> Fields {
        let printed = self.run(["domstats", domain]);
        let fields = printed.lines().filter_map(|line| line.trim().split_once('='));
        Fields(fields.map(|(field, value)| (field.to_owned(), value.to_owned())).collect())
    }

    /// `dommemstat`: what the balloon's driver told, in KiB.
    pub(crate) fn memory(&self, domain: &str) -> BTreeMap<String, u64> {
        let printed = self.run(["dommemstat", domain]);
        let fields = printed.lines().filter_map(|line| line.split_once(' '));
        fields.map(|(field, value)| (field.to_owned(), value.trim().parse().unwrap())).collect()
    }

    /// `cpu-stats --total`: the CPU time of a domain, in nanoseconds.
    pub(crate) fn cpu_nanoseconds(&self, domain: &str) -> u64 {
        let printed = self.run(["cpu-stats", "--total", domain]);
        let words: Vec<_> = printed.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "cpu_time").unwrap();
        let (seconds, fraction) = words[at + 1].split_once('.').unwrap();
        assert_eq!(fraction.len(), "nnnnnnnnn".len(), "{printed}");
        format!("{seconds}{fraction}").parse().unwrap()
    }

    /// `dominfo`: the CPU time of a domain's process in seconds, to a tenth of one.
    pub(crate) fn process_seconds(&self, domain: &str) -> f64 {
        let printed = self.run(["dominfo", domain]);
        let line = printed.lines().find_map(|line| line.strip_prefix("CPU time:")).unwrap();
        line.trim().strip_suffix('s').unwrap().parse().unwrap()
    }
}

/// What `domstats` printed of a domain.
#[derive(Debug)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0.get(field).unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }

    pub(crate) fn number(&self, field: &str) -> u64 {
        self.text(field).parse().unwrap()
    }
}
