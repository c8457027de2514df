//! `libvirt_nova`: the Prometheus exporter for the Nova instances of an OpenStack compute host.
//!
//! It asks libvirtd what the host's domains do and answers Prometheus.
//! `ARCHITECTURE.md` has the map; the modules in the order of the data are
//! `daemon`, `inventory`, `poll`, `survey` and `control`, `snapshot`, `families`,
//! `exporter` and `http`.

use std::{
    env,
    error::Error,
    io::{self, Write},
    pin::pin,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use exposition::Format;
use futures_util::StreamExt;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    time::Instant,
};

use crate::{
    board::Frames,
    daemon::Watch,
    exporter::Exporter,
    families::Selection,
    fault::chain,
    flags::{Compat, Flags, LabelSet, Stop},
    http::{Admission, Wanted},
    later::later,
    live::Terms,
    log::{LogLevel, LogTarget},
    served::Served,
    service::Service,
    telemetry::Telemetry,
    usage::Usages,
    web_config::WebConfig,
};

#[cfg(any(test, feature = "bench"))]
pub mod bench;
mod board;
mod care;
mod check;
mod collectors;
mod control;
mod daemon;
mod debug;
mod exporter;
mod families;
mod fault;
mod filter;
mod flags;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod headroom;
mod histogram;
mod host;
mod http;
mod inventory;
mod jobs;
mod later;
mod live;
mod log;
mod placements;
mod poll;
mod served;
mod service;
mod snapshot;
mod states;
mod stats;
mod survey;
mod telemetry;
mod top;
mod trouble;
mod usage;
mod web_config;

/// Runs the program, by the process' command line and environment, until it is told to stop.
///
/// Exit status: 0 asked to stop, 1 could not start or go on, 2 wrong usage.
pub fn main() -> ExitCode {
    let mut words = env::args_os().skip(1).peekable();
    let variable = |name: &str| env::var_os(name);
    let ran = if words.next_if(|word| word == "top").is_some() {
        flags::parse_top(words, variable).map(top::run)
    } else {
        flags::parse(words, variable).map(run)
    };
    // Where a standard stream is closed there is nobody to tell.
    match ran {
        Ok(code) => code,
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

fn run(flags: Flags) -> ExitCode {
    // What is asked for on the terminal belongs on the terminal.
    let log = if flags.once || flags.check { LogTarget::Stderr } else { flags.log.clone() };
    let log_level = match flags.log_level {
        // That all goes well, the findings say.
        LogLevel::Info if flags.check => LogLevel::Warn,
        level => level,
    };
    let log = match log::start(log, log_level, flags.log_format) {
        Ok(log) => log,
        Err(error) => {
            let _ = writeln!(io::stderr(), "libvirt_nova: {}", chain(&error));
            return ExitCode::FAILURE;
        }
    };
    match work(flags, log) {
        Ok(status) => status,
        Err(error) => {
            tracing::error!("{}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn work(flags: Flags, log: Arc<log::Record>) -> Result<ExitCode, Box<dyn Error>> {
    // One thread is plenty for what an exporter does, and costs the host the least.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if flags.check {
            return Ok(check::check(flags, log).await);
        }
        if flags.once {
            print_once(flags, log).await?;
        } else {
            serve(flags, log).await?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints one exposition.
async fn print_once(flags: Flags, log: Arc<log::Record>) -> io::Result<()> {
    let deadline = flags.deadline;
    let (served, watching) = prepare(Flags { interval: Duration::ZERO, ..flags }, log);
    let Served { daemon, exporter, .. } = served;
    let watching = tokio::spawn(watching);
    // A scrape does not wait for libvirtd to let us in, who asks by hand does.
    daemon.live(later(deadline)).await;
    let pieces = exporter.scrape(Wanted { deadline, format: Format::Text }).await;
    let mut pieces = pin!(pieces);
    watching.abort();
    daemon.close().await;
    while let Some(piece) = pieces.next().await {
        io::stdout().write_all(&piece?)?;
    }
    Ok(())
}

/// What watches libvirtd, what answers scrapes, and the task of the former.
fn prepare(flags: Flags, log: Arc<log::Record>) -> (Served, impl Future<Output = ()> + Send) {
    let telemetry = Arc::<Telemetry>::default();
    let usages = Arc::new(Usages::new(flags.interval));
    let (settings, peer) = (flags.settings(), flags.access.address.peer());
    let is_filtered = !flags.filter.is_all();
    let selection = Selection {
        collectors: flags.collectors,
        is_wide: flags.labels == LabelSet::Wide,
        is_tinkoff: flags.compat.contains(&Compat::Tinkoff),
        is_kumina: flags.compat.contains(&Compat::Kumina),
        is_created: flags.created,
    };
    let watch = Watch {
        access: flags.access,
        terms: Terms {
            interval: flags.interval,
            abandoned_max: flags.max_abandoned,
            selection,
            filter: Arc::new(flags.filter),
        },
        usages: Arc::clone(&usages),
        telemetry: Arc::clone(&telemetry),
    };
    let (daemon, watching) = watch.start();
    let frames = Frames::new(daemon.clone(), usages, flags.metrics_path.to_string(), is_filtered);
    let frames = Arc::new(frames);
    let (of_log, of_frames) = (Arc::clone(&log), Arc::clone(&frames));
    let exporter =
        Exporter::new(daemon.clone(), flags.min_age, selection, telemetry, of_log, of_frames);
    let exporter = Arc::new(exporter);
    let began = Instant::now();
    (Served { daemon, exporter, frames, log, began, settings, peer }, watching)
}

/// Answers scrapes until told to stop.
async fn serve(flags: Flags, log: Arc<log::Record>) -> Result<(), Box<dyn Error>> {
    let [mut terminate, mut interrupt, mut hangup] = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        uri = %flags.access.address,
        interval = ?flags.interval,
        "starting libvirt_nova"
    );
    if !flags.ignored.is_empty() {
        tracing::info!(
            flags = flags.ignored.join(" "),
            "flags of other exporters that are ignored here"
        );
    }
    let web = flags.web_config.as_deref().map(WebConfig::open).transpose()?;
    let admission = Admission::new(web).map_err(|_| "the system has no random bytes")?;
    let listeners = match flags.systemd_socket {
        true => http::inherit()?,
        false => {
            if http::is_passed_a_socket() {
                tracing::warn!(
                    "systemd has passed a socket that is not used, give --web.systemd-socket for it"
                );
            }
            http::bind(&flags.listen).await?
        }
    };
    let service = Service::find(|name| env::var_os(name))?;
    let (path, deadline) = (flags.metrics_path.clone(), flags.deadline);
    let (served, watching) = prepare(flags, log);
    let daemon = served.daemon.clone();
    let watching = tokio::spawn(watching);
    let link = served.daemon.clone();
    // Polled by the loop that answers, so it is that loop which shows that it is alive.
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            () = service.attend(|| link.summary(), || !watching.is_finished()) => {}
        }
        service.stopping();
    };
    http::serve(listeners, &admission, &path, deadline, served, stop).await;
    // Nobody shall mistake our goodbye for libvirtd's.
    watching.abort();
    daemon.close().await;
    tracing::info!("stopped");
    Ok(())
}
