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
        self.attempt(args).unwrap_or_else(|complaint| panic!("{complaint}"))
    }

    /// Runs a command, and returns what it printed or what it complained of.
    pub(crate) fn attempt<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<String, String> {
        let mut virsh = command("timeout");
        // A libvirtd that hangs must not hang the tests.
        virsh.args(["60", "virsh", "-q", "-c", &self.uri]).args(args);
        let (success, stdout, stderr) = outcome(&mut virsh);
        if success { Ok(stdout) } else { Err(format!("{virsh:?}: {stderr}")) }
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
        self.cpu_times(domain)["cpu_time"]
    }

    /// The same with the parts of it in user mode and in the kernel.
    pub(crate) fn cpu_times(&self, domain: &str) -> BTreeMap<String, u64> {
        let printed = self.run(["cpu-stats", "--total", domain]);
        let lines = printed.lines().filter_map(|line| line.trim().strip_suffix(" seconds"));
        let time = |line: &str| {
            let (name, seconds) = line.split_once(char::is_whitespace).unwrap();
            let (seconds, fraction) = seconds.trim().split_once('.').unwrap();
            assert_eq!(fraction.len(), "nnnnnnnnn".len(), "{printed}");
            (name.to_owned(), format!("{seconds}{fraction}").parse().unwrap())
        };
        lines.map(time).collect()
    }

    /// A command that prints a line for each `name: value`.
    pub(crate) fn table<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Table {
        let printed = self.run(args);
        let lines = printed.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }

    /// `dominfo`: the CPU time of a domain's process in seconds, to a tenth of one.
    pub(crate) fn process_seconds(&self, domain: &str) -> f64 {
        let printed = self.run(["dominfo", domain]);
        let line = printed.lines().find_map(|line| line.strip_prefix("CPU time:")).unwrap();
        line.trim().strip_suffix('s').unwrap().parse().unwrap()
    }
}

/// What virsh prints with colons.
pub(crate) type Table = BTreeMap<String, String>;

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
