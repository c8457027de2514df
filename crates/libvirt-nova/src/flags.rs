//! The command line and its environment variables.
//!
//! * `command_line`: every flag, once; what clap parses, what `--help` prints and which
//!   variables are read all come from it
//! * `spelling`: one dash or two, and the environment, made into the words that clap parses
//! * `error`: what is wrong with a command line, in one line
//! * `credentials`: the flags that say who we are, for libvirtd
//! * `collector_switches`: the flags that `collectors` makes
//! * `other_exporters`: flags that other exporters have, and what is made of them
//! * `settings`: what was said, for bug reports
//! * `top`: the same for `libvirt_nova top`
//! * `duration`, `exporter_url`, `listen_address`, `max_abandoned`, `metrics_path`: the
//!   values that are ours to define

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{ValueEnum, error::ErrorKind};
use libvirt_client::Access;

use self::{collector_switches::CollectorSwitches, command_line::CommandLine, spelling::Words};
pub(crate) use self::{
    command_line::{Compat, version},
    duration::duration,
};
pub(crate) use self::{
    error::FlagError,
    exporter_url::ExporterUrl,
    listen_address::ListenAddress,
    metrics_path::{MetricsPath, decoded},
    top::{Origin, TopFlags, parse_top},
};
use crate::{
    collectors::Collectors,
    families,
    filter::Filter,
    log::{LogFormat, LogLevel, LogTarget},
};

mod collector_switches;
mod command_line;
mod credentials;
mod duration;
mod error;
mod exporter_url;
mod listen_address;
mod max_abandoned;
mod metrics_path;
mod other_exporters;
mod settings;
mod spelling;
mod top;

/// What the program was told to do.
#[derive(Clone, Debug)]
pub(crate) struct Flags {
    /// Where libvirtd listens, and what it asks of us.
    pub(crate) access: Access,
    /// Whether that libvirtd is watched: not where targets are all that was asked for.
    pub(crate) is_watching: bool,
    /// The file that says which libvirtds are asked by name.
    pub(crate) targets: Option<PathBuf>,
    /// How long after its last probe a target keeps its session; zero for ever.
    pub(crate) targets_idle: Duration,
    /// The target that `once` is about.
    pub(crate) target: Option<String>,
    /// Pause between two polls; zero polls only when scraped.
    pub(crate) interval: Duration,
    /// How long a scrape may take that names no timeout.
    pub(crate) deadline: Duration,
    /// How long after its beginning a collection serves further scrapes.
    pub(crate) min_age: Duration,
    /// Abandoned calls at which no monitor is asked any more.
    pub(crate) max_abandoned: usize,
    /// Where to listen, at least one address.
    pub(crate) listen: Vec<ListenAddress>,
    /// Whether to listen on the sockets that systemd passed, and nowhere else.
    pub(crate) systemd_socket: bool,
    /// Path of the metrics.
    pub(crate) metrics_path: MetricsPath,
    /// The file that says who may ask, and whether in TLS.
    pub(crate) web_config: Option<PathBuf>,
    /// Where the log goes besides standard error.
    pub(crate) log: LogTarget,
    /// Least severe events that are logged.
    pub(crate) log_level: LogLevel,
    /// How an event is printed.
    pub(crate) log_format: LogFormat,
    /// Which families are served.
    pub(crate) collectors: Collectors,
    /// Which labels the samples of `libvirt_domain_*` have.
    pub(crate) labels: LabelSet,
    /// The other exporters whose own families are served too.
    pub(crate) compat: Vec<Compat>,
    /// Which domains are served.
    pub(crate) filter: Filter,
    /// Whether OpenMetrics says when a domain's counters began.
    pub(crate) created: bool,
    /// Flags that were given and change nothing, to be told of.
    pub(crate) ignored: Vec<&'static str>,
    /// Whether to print one exposition and exit.
    pub(crate) once: bool,
    /// Whether to print what is wrong with this host's set-up and exit.
    pub(crate) check: bool,
}

/// Labels of the samples of `libvirt_domain_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabelSet {
    /// What tells one series from another: domain, UUID, device.
    #[default]
    Narrow,
    /// What kumina/libvirt_exporter adds with Nova's metadata, too.
    Wide,
}

/// Why the program ends before it began.
#[derive(Debug)]
pub(crate) enum Stop {
    /// `--help`, `--version` or `--list-metrics`: this goes to standard output, exit status 0.
    Answer(String),
    /// Wrong usage: one line to standard error, exit status 2.
    Refusal(FlagError),
}

/// Reads the command line, which comes without the program's name, and the environment.
///
/// `variable` returns the value of an environment variable; a flag wins over its variable.
///
/// # Errors
///
/// When the command line asks for nothing but an answer, or is wrong.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Flags, Stop> {
    let mut command = command_line::command();
    let words = Words::collect(&command, args, variable);
    let parsed = command_line::parse(&mut command, words.as_slice());
    let CommandLine {
        uri,
        credentials,
        interval,
        deadline,
        min_age,
        max_abandoned,
        targets,
        targets_idle,
        target,
        port,
        listen,
        systemd_socket,
        path,
        web_config,
        log,
        log_level,
        log_format,
        labels,
        compat,
        created,
        instances,
        instances_exclude,
        projects,
        projects_exclude,
        collectors: CollectorSwitches(collectors),
        other_exporters,
        once,
        check,
        _list_metrics: _,
    } = match parsed {
        Ok(command_line) => command_line,
        Err(error) => {
            return Err(match error.kind() {
                ErrorKind::DisplayHelp => Stop::Answer(error.to_string()),
                ErrorKind::DisplayVersion if words.has(command_line::LIST_METRICS) => {
                    Stop::Answer(families::reference())
                }
                ErrorKind::DisplayVersion => Stop::Answer(version()),
                _ => Stop::Refusal(FlagError::new(&error, &command, &words)),
            });
        }
    };
    // Exporters in Go have such flags always, and empty where there is no file.
    let given = |path: &PathBuf| !path.as_os_str().is_empty();
    let (web_config, targets) = (web_config.filter(given), targets.filter(given));
    let is_watching = targets.is_none() || words.has(command_line::URI);
    let refuse = |flag: &str, complaint: &str| {
        let place = words.origin(flag).unwrap_or(flag);
        Err(Stop::Refusal(FlagError::of(place, complaint)))
    };
    if target.is_some() && targets.is_none() {
        return refuse("--target", "is in no file, expected --targets.file as well");
    }
    if target.is_some() && !once {
        return refuse("--target", "is for --once, expected that as well");
    }
    if once && target.is_none() && !is_watching {
        return refuse("--once", "has nothing to print, expected --target as well");
    }
    let listen = if listen.is_empty() { vec![ListenAddress::Everywhere(port)] } else { listen };
    Ok(Flags {
        access: Access { address: uri, credentials: credentials.into() },
        is_watching,
        targets,
        targets_idle,
        target,
        interval,
        deadline,
        min_age,
        max_abandoned,
        listen,
        systemd_socket,
        metrics_path: path,
        web_config,
        log: LogTarget::from(log),
        log_level,
        log_format,
        collectors,
        labels,
        compat,
        filter: Filter { instances, instances_exclude, projects, projects_exclude },
        created,
        ignored: other_exporters.ignored(),
        once,
        check,
    })
}

#[cfg(test)]
mod manual;
#[cfg(test)]
mod tests;
