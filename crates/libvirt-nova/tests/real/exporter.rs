//! The exporter, as it is run.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::LazyLock,
    thread,
    time::Duration,
};

use crate::{
    fixture::new_dir,
    http,
    libvirtd::Libvirtd,
    process::{command, command_as_nobody, signal},
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// A running exporter; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    stderr: PathBuf,
}

impl Exporter {
    /// Starts one on the read-only socket of a libvirtd, and waits until it is connected.
    pub(crate) fn on(libvirtd: &Libvirtd) -> Self {
        Self::at(&libvirtd.uri()).connected()
    }

    /// The same with one that measures anew for each scrape, however soon after another.
    pub(crate) fn fresh_on(libvirtd: &Libvirtd) -> Self {
        Self::with(libvirtd, &[])
    }

    /// The same with more flags.
    pub(crate) fn with(libvirtd: &Libvirtd, flags: &[&str]) -> Self {
        let uri = libvirtd.uri();
        let flags = [&["-uri", &*uri, "--min-age=0"], flags].concat();
        Self::run(command(program()), &flags).connected()
    }

    /// Waits until it is connected.
    pub(crate) fn connected(self) -> Self {
        let exporter = self;
        wait_until(PATIENCE, "an exporter that is connected", || {
            exporter.log().iter().any(|line| line.contains(" connected ")).then_some(())
        });
        exporter
    }

    /// Starts one.
    pub(crate) fn at(uri: &str) -> Self {
        Self::run(command(program()), &["-uri", uri])
    }

    /// Starts one as a user that may nothing.
    pub(crate) fn as_nobody_at(uri: &str) -> Self {
        Self::run(command_as_nobody(public_program()), &["-uri", uri])
    }

    /// Starts one by a command whose process it becomes, and waits until it listens.
    pub(crate) fn run(mut command: Command, args: &[&str]) -> Self {
        let dir = new_dir("exporter");
        // Whoever it runs as opens this one itself.
        let log = dir.join("log");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        command.args(args).arg("-log").arg(&log);
        Self::start(listening(command), &dir, log)
    }

    /// Starts one in the network of a libvirtd, by a command that becomes it, if any; it is scraped on
    /// a socket of this network's, which it is passed.
    pub(crate) fn within(libvirtd: &Libvirtd, becoming: &[&str], args: &[&str]) -> Self {
        let dir = new_dir("exporter");
        let log = dir.join("log");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = libvirtd.enter();
        // A child has no other descriptor than these three of its parent's.
        let pass = "export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&0 </dev/null; exec \"$@\"";
        command.args(["sh", "-c", pass, "sh"]).args(becoming).arg(public_program());
        command.args(args).arg("-log").arg(&log);
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        command.arg("--web.systemd-socket").stdin(OwnedFd::from(socket));
        Self::start(command, &dir, log)
    }

    /// The same with one that opens no file, for its log is standard error.
    pub(crate) fn run_without_files(mut command: Command, args: &[&str]) -> Self {
        let dir = new_dir("exporter");
        let log = dir.join("stderr");
        command.args(args).args(["-log", "-"]);
        Self::start(listening(command), &dir, log)
    }

    fn start(mut command: Command, dir: &Path, log: PathBuf) -> Self {
        let stderr = dir.join("stderr");
        let file = fs::File::create(&stderr).unwrap();
        let mut child = command.current_dir(dir).stderr(file).spawn().unwrap();
        let (address, _) = wait_until(PATIENCE, "an exporter that listens", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}: {}", fs::read_to_string(&stderr).unwrap());
            }
            address(&fs::read_to_string(&log).unwrap_or_default())
        });
        Self { child, address, log, stderr }
    }

    /// Scrapes without saying how long that may take.
    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::new(http::get(self.address, "/metrics", ""))
    }

    /// Scrapes as a Prometheus with this timeout does.
    pub(crate) fn scrape_within(&self, timeout: Duration) -> Scrape {
        let seconds = timeout.as_secs_f64();
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\n");
        Scrape::new(http::get(self.address, "/metrics", &header))
    }

    /// Scrapes as a Prometheus does, which prefers OpenMetrics.
    pub(crate) fn openmetrics(&self) -> String {
        let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";
        let response = http::get(self.address, "/metrics", accept);
        let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(response.header("content-type"), content_type);
        response.body
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines that it logged.
    pub(crate) fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// What it says of itself for bug reports.
    pub(crate) fn debug(&self) -> String {
        http::get(self.address, "/debug", "").body
    }

    /// How many file descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// How many processes it has started that have not been waited for.
    pub(crate) fn children(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let children = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
        children.map(|children| children.unwrap().split_whitespace().count()).sum()
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Vec<String>) {
        signal(self.pid(), "TERM");
        let (status, _) =
            wait_until(PATIENCE, "an exporter that has ended", || self.child.try_wait().unwrap());
        (status, self.log())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let stderr = fs::read_to_string(&self.stderr).unwrap_or_default();
            eprintln!("the exporter's log:\n{stderr}");
        }
    }
}

/// What is served in no other way, and needs nothing that a host may lack.
pub(crate) const EVERYTHING: [&str; 11] = [
    "--collector.block-limits",
    "--collector.dirtyrate",
    "--collector.haltpoll",
    "--collector.iothread",
    "--collector.node-detail",
    "--collector.perf",
    "--collector.vcpu-kvm",
    "--collector.vm",
    "--compat=tinkoff",
    "--created-timestamps",
    "--labels=wide",
];

fn listening(mut command: Command) -> Command {
    command.arg("--web.listen-address=127.0.0.1:0");
    command
}

/// Finds the line of the log that tells the port.
fn address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening address=")?;
    let (address, _) = rest.split_once('\n')?;
    address.parse().ok()
}

/// The binary under test: the one that Cargo built with the tests, or the one that is released.
pub(crate) fn program() -> PathBuf {
    env::var_os("LIBVIRT_NOVA_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_libvirt_nova")), PathBuf::from)
}

/// A copy of it that every user may run: a checkout may be in a home that nobody may enter.
pub(crate) fn public_program() -> &'static Path {
    static COPY: LazyLock<PathBuf> = LazyLock::new(|| {
        let copy = new_dir("program").join("libvirt_nova");
        fs::copy(program(), &copy).unwrap();
        copy
    });
    &COPY
}
