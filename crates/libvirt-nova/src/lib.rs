//! `libvirt_nova`: the Prometheus exporter for the Nova instances of an OpenStack compute host.
//!
//! It asks libvirtd what the host's domains do and answers Prometheus.
//! `ARCHITECTURE.md` has the map; the modules in the order of the data are
//! `daemon`, `inventory`, `poll` and `survey`, `snapshot`, `families`,
//! `exporter` and `http`.

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    time::Instant,
};

use crate::{
    exporter::Exporter,
    fault::chain,
    flags::{Flags, Stop},
    log::LogTarget,
};

mod daemon;
mod exporter;
mod families;
mod fault;
mod flags;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod http;
mod inventory;
mod log;
mod poll;
mod snapshot;
mod stats;
mod survey;
mod trouble;

/// Runs the program, by the process' command line and environment, until it is told to stop.
///
/// Exit status: 0 asked to stop, 1 could not start or go on, 2 wrong usage.
pub fn main() -> ExitCode {
    // Where a standard stream is closed there is nobody to tell.
    match flags::parse(env::args_os().skip(1), |name| env::var_os(name)) {
        Ok(flags) => match run(flags) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "libvirt_nova: {}", chain(&*error));
                ExitCode::FAILURE
            }
        },
        Err(Stop::Answer(text)) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(Stop::Refusal(error)) => {
            let _ = writeln!(io::stderr(), "libvirt_nova: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    // What is asked for on the terminal belongs on the terminal.
    let log = if flags.once { LogTarget::Stderr } else { flags.log.clone() };
    log::start(log, flags.log_level, flags.log_format)?;
    // One thread is plenty for what an exporter does, and costs the host the least.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if flags.once {
            print_once(flags).await?;
        } else {
            serve(flags).await?;
        }
        Ok(())
    })
}

/// Prints one exposition.
async fn print_once(flags: Flags) -> io::Result<()> {
    let (daemon, watching) = daemon::watch(flags.uri, Duration::ZERO);
    let watching = tokio::spawn(watching);
    let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    // A scrape does not wait for libvirtd to let us in, who asks by hand does.
    daemon.live(until).await;
    let text = Exporter::new(daemon.clone()).scrape(PATIENCE).await;
    watching.abort();
    daemon.close().await;
    io::stdout().write_all(text.as_bytes())
}

/// How long who asks by hand waits for libvirtd to let us in, and then for its answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers scrapes until told to stop.
async fn serve(flags: Flags) -> Result<(), Box<dyn Error>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        uri = %flags.uri,
        interval = ?flags.interval,
        "starting libvirt_nova"
    );
    let listeners = http::bind(&flags.listen).await?;
    let (daemon, watching) = daemon::watch(flags.uri, flags.interval);
    let watching = tokio::spawn(watching);
    let exporter = Exporter::new(daemon.clone());
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    http::serve(listeners, &flags.metrics_path, |deadline| exporter.scrape(deadline), stop).await;
    // Nobody shall mistake our goodbye for libvirtd's.
    watching.abort();
    daemon.close().await;
    tracing::info!("stopped");
    Ok(())
}
