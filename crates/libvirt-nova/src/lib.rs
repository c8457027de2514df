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

use bytes::Bytes;
use exposition::Format;
use futures_util::{Stream, StreamExt};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::{
    daemon::Daemon,
    fault::chain,
    flags::{Flags, Stop},
    http::{Admission, Wanted},
    later::later,
    log::{LogLevel, LogTarget},
    program::Program,
    served::Served,
    service::Service,
    targets::Targets,
    watched::Plan,
    web_config::WebConfig,
};

#[cfg(any(test, feature = "bench"))]
pub mod bench;
mod board;
mod care;
mod check;
mod collectors;
mod config;
mod control;
mod daemon;
mod debug;
mod descriptors;
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
mod program;
mod served;
mod service;
mod snapshot;
mod spoken;
mod states;
mod stats;
mod survey;
mod targets;
mod telemetry;
mod told;
mod top;
mod trouble;
mod usage;
mod watched;
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
async fn print_once(flags: Flags, log: Arc<log::Record>) -> Result<(), Box<dyn Error>> {
    let wanted = Wanted { deadline: flags.deadline, format: Format::Text };
    let plan = Plan::new(&Flags { interval: Duration::ZERO, ..flags.clone() });
    if let (Some(file), Some(name)) = (&flags.targets, &flags.target) {
        let targets = Targets::open(file, flags.targets_idle, plan, flags.access.credentials, log)?;
        let probe = targets.probe(name, wanted);
        let probe = probe.ok_or_else(|| format!("no target {name} in {}", file.display()))?;
        let pieces = probe.await;
        targets.close().await;
        return print(pieces).await.map_err(Into::into);
    }
    let program = Arc::new(Program::new(log, None));
    let patience = daemon::patience(&flags.access.address).max(wanted.deadline);
    let (watched, watching) = plan.watch(flags.access, plan.standing(), program);
    let watching = tokio::spawn(watching);
    // A scrape does not wait for libvirtd to let us in, who asks by hand does.
    watched.daemon.begin(later(patience)).await;
    let pieces = Arc::clone(&watched.exporter).scrape(wanted).await;
    watching.abort();
    watched.daemon.close().await;
    print(pieces).await.map_err(Into::into)
}

/// Prints what comes in pieces.
async fn print(pieces: impl Stream<Item = io::Result<Bytes>>) -> io::Result<()> {
    let mut pieces = pin!(pieces);
    while let Some(piece) = pieces.next().await {
        io::stdout().write_all(&piece?)?;
    }
    Ok(())
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
        uri = flags.is_watching.then(|| tracing::field::display(&flags.access.address)),
        targets = flags.targets.as_ref().map(|file| tracing::field::display(file.display())),
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
    let plan = Plan::new(&flags);
    let targets = match &flags.targets {
        Some(file) => {
            descriptors::raise_limit();
            let (credentials, log) = (flags.access.credentials.clone(), Arc::clone(&log));
            let (idle, plan) = (flags.targets_idle, plan.clone());
            Some(Arc::new(Targets::open(file, idle, plan, credentials, log)?))
        }
        None => None,
    };
    let program = Arc::new(Program::new(Arc::clone(&log), targets.clone()));
    let mut tasks = Vec::new();
    let mut own = None;
    if flags.is_watching {
        let (access, program) = (flags.access.clone(), Arc::clone(&program));
        let (watched, watching) = plan.watch(access, plan.standing(), program);
        own = Some(watched);
        tasks.push(tokio::spawn(watching));
    }
    if let Some(targets) = targets.clone() {
        tasks.push(tokio::spawn(async move { targets.tend().await }));
    }
    let (daemon, of_stop) = (own.as_ref().map(|own| own.daemon.clone()), targets.clone());
    let status = || {
        let own = daemon.as_ref().map(Daemon::summary);
        let targets = of_stop.as_ref().map(|targets| targets.summary());
        own.into_iter().chain(targets).collect::<Vec<_>>().join("; ")
    };
    // Polled by the loop that answers, so it is that loop which shows that it is alive.
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            () = service.attend(status, || !tasks.iter().any(JoinHandle::is_finished)) => {}
        }
        service.stopping();
    };
    let (settings, peer) = (flags.settings(), flags.access.address.peer());
    let served = Served { own, targets: targets.clone(), program, log, settings, peer };
    http::serve(listeners, &admission, &flags.metrics_path, flags.deadline, served, stop).await;
    // Nobody shall mistake our goodbye for libvirtd's.
    tasks.iter().for_each(JoinHandle::abort);
    let goodbye = async {
        if let Some(daemon) = &daemon {
            daemon.close().await;
        }
    };
    let goodbyes = async {
        if let Some(targets) = &targets {
            targets.close().await;
        }
    };
    tokio::join!(goodbye, goodbyes);
    tracing::info!("stopped");
    Ok(())
}
