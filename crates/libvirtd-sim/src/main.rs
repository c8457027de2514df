//! `libvirtd-sim`: the simulator as a process of its own.

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use libvirtd_sim::{COMMANDS, Settings, Simulator};
use tokio::signal::unix::{SignalKind, signal};

/// A daemon that speaks libvirt's RPC, with Nova-shaped domains and every fault on command.
#[derive(Debug, Parser)]
#[command(name = "libvirtd-sim", version, after_long_help = COMMANDS)]
struct Flags {
    /// Where to listen; the read-only socket is PATH-ro.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// How many domains run; 10000 at most.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=10_000))]
    domains: u32,
    /// The number of the first: instance-00000001. Hosts of one cloud have none in common.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    first: u32,
    /// How long each call takes, and in it each domain whose monitor is asked: 20ms, 1.5s.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = libvirtd_sim::duration)]
    latency: Duration,
    /// How many calls are served at a time; 5 more workers serve only what needs no monitor.
    #[arg(long, value_name = "N", default_value_t = 20)]
    workers: usize,
    /// A socket that takes commands, one a line, and answers "ok" or "error: why".
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anybody can know that we are there.
    let mut stop = runtime.block_on(async {
        let on = |kind| signal(kind);
        Ok::<_, std::io::Error>([on(SignalKind::terminate())?, on(SignalKind::interrupt())?])
    })?;
    let Flags { domains, first, latency, workers, .. } = *flags;
    let settings = Settings { domains, first, latency, workers, ..Settings::default() };
    let simulator = Simulator::start(&flags.socket, settings)?;
    if let Some(path) = &flags.control {
        simulator.control(path)?;
    }
    let [terminate, interrupt] = &mut stop;
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this program has no log")]
fn complain(error: &dyn Error) {
    eprintln!("libvirtd-sim: {error}");
}
