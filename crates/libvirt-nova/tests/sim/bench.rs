//! A simulator and an exporter that asks it.

use std::time::Duration;

use libvirtd_sim::{Settings, Simulator, Status};
use tempfile::TempDir;

use crate::{
    exporter::Exporter,
    http,
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// A simulator and an exporter that asks it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) exporter: Exporter,
    pub(crate) sim: Simulator,
    args: Vec<String>,
    dir: TempDir,
}

impl Bench {
    /// One of so many domains, whose counters stand at [`MOMENT`], and an exporter that
    /// measures anew for each scrape, but not between them.
    pub(crate) fn new(domains: u32) -> Self {
        Self::with(domains, &[], &["--min-age=0", "-interval=0"])
    }

    /// One where `commands` are obeyed before the exporter starts.
    pub(crate) fn with(domains: u32, commands: &[&str], args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("libvirt-sock");
        let settings = Settings { domains: 0, ..Settings::default() };
        let sim = Simulator::start(&socket, settings).unwrap();
        // They start at 0 to the nanosecond.
        let start = ["clock 0s", &format!("domains {domains}"), &format!("clock {MOMENT}s")];
        start.iter().chain(commands).for_each(|command| sim.command(command).unwrap());
        let exporter = Exporter::start(&uri(&sim), args, dir.path());
        Self { exporter, sim, args: args.iter().map(|arg| (*arg).to_owned()).collect(), dir }
    }

    /// Kills the exporter, which then says nothing to libvirtd, and starts another one.
    pub(crate) fn replace_exporter(&mut self) {
        self.exporter.kill();
        let args: Vec<_> = self.args.iter().map(String::as_str).collect();
        self.exporter = Exporter::start(&uri(&self.sim), &args, self.dir.path());
    }

    /// Starts the exporter again that was killed, which then listens at the same address, too.
    pub(crate) fn restart_exporter(&mut self) {
        let address = format!("--web.listen-address={}", self.exporter.address);
        let args = self.args.iter().map(String::as_str).chain([&*address]).collect::<Vec<_>>();
        self.exporter = Exporter::start(&uri(&self.sim), &args, self.dir.path());
    }

    pub(crate) fn order(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    /// Scrapes; the answer is there within the default deadline and what a busy machine takes.
    pub(crate) fn scrape(&self) -> Scrape {
        let scrape = Scrape::new(http::get(self.exporter.address, "/metrics", ""));
        let took = scrape.response.took();
        assert!(took < DEADLINE + MARGIN, "a scrape took {took:?}");
        scrape
    }

    /// Scrapes until the exporter says all of so many domains; what it says then is right.
    pub(crate) fn whole(&self, domains: u32) -> Said {
        let (said, _) = wait_until(PATIENCE, "a scrape with all of all domains", || {
            let said = Said::of(&self.scrape());
            said.is_whole(domains).then_some(said)
        });
        said.assert_right(MOMENT);
        said
    }

    /// Lets all that domains hold up go on, and waits until it has been answered.
    pub(crate) fn go_on(&self) {
        self.order("continue *");
        self.until("all calls answered", |status| status.calls == 0);
    }

    /// Waits until the simulator does what is wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(Status) -> bool) -> Status {
        let met = || Some(self.sim.status()).filter(|status| wanted(*status));
        wait_until(PATIENCE, what, met).0
    }
}

fn uri(sim: &Simulator) -> String {
    format!("qemu:///system?socket={}", sim.read_only_socket().display())
}

/// The seconds that every domain has run: a multiple of the balloon's period, and far enough that
/// what guests told of their memory holds for all of a test.
pub(crate) const MOMENT: u64 = 10_000;
/// How long a scrape may take that names no timeout.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// What a busy machine may add to it.
const MARGIN: Duration = Duration::from_secs(5);
