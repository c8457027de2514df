//! Every flag, once.

use std::{error::Error, ffi::OsString, path::PathBuf, str::FromStr, time::Duration};

use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use libvirt_client::Address;

use super::{
    LabelSet, ListenAddress, MetricsPath,
    collector_switches::CollectorSwitches,
    credentials::CredentialFlags,
    duration,
    error::ValueError,
    listen_address, max_abandoned,
    other_exporters::{EXPORT_NOVA_METADATA, OtherExporters},
    spelling,
};
use crate::{
    filter::Expression,
    log::{self, LogFormat, LogLevel},
};

/// The command line as clap parses it; each doc is the flag's text in `--help`.
#[derive(Debug, Parser)]
#[command(
    name = "libvirt_nova",
    about = "Prometheus exporter for the Nova instances of an OpenStack compute host",
    version,
    override_usage = "libvirt_nova [FLAGS]",
    after_help = AFTER_HELP,
    next_line_help = true,
    no_binary_name = true,
    // The last one wins, as it did in the first exporter.
    args_override_self = true
)]
pub(super) struct CommandLine {
    /// Where libvirtd listens: a URI of libvirt, or the path of a socket.
    /// Another host's is qemu+tls://HOST/system, qemu+ssh://USER@HOST/system
    /// or qemu+tcp://HOST/system; --libvirt.uri is the same flag
    #[arg(long, alias = "libvirt.uri", verbatim_doc_comment)]
    #[arg(value_name = "URI", help_heading = "libvirt")]
    #[arg(default_value = "qemu:///system", value_parser = checked(Address::from_str))]
    pub(super) uri: Address,

    #[command(flatten)]
    pub(super) credentials: CredentialFlags,

    /// How often CPU times are read: 100ms to 1h, or 0 for only when scraped
    #[arg(long, value_name = "DURATION", help_heading = "libvirt")]
    #[arg(default_value = "1s", value_parser = checked(duration::interval))]
    pub(super) interval: Duration,

    /// How long a scrape may take that names no timeout: 100ms to 1m.
    /// Prometheus names one; a tenth of it is kept for the answer's way
    #[arg(long, value_name = "DURATION", help_heading = "libvirt", verbatim_doc_comment)]
    #[arg(default_value = "5s", value_parser = checked(duration::deadline))]
    pub(super) deadline: Duration,

    /// How long after it began a collection serves further scrapes, unless
    /// something happened to a domain meanwhile: 1ms to 1m, or 0 for never
    #[arg(long = "min-age", verbatim_doc_comment)]
    #[arg(value_name = "DURATION", help_heading = "libvirt")]
    #[arg(default_value = "1s", value_parser = checked(duration::min_age))]
    pub(super) min_age: Duration,

    /// How many calls may hang in guests that do not answer before no guest
    /// is asked any more for what its QEMU must be asked for: 1 to 16. Each
    /// holds one of libvirtd's 20 workers until the guest goes on
    #[arg(long = "max-abandoned", verbatim_doc_comment)]
    #[arg(value_name = "CALLS", help_heading = "libvirt")]
    #[arg(default_value = "12", value_parser = checked(max_abandoned::parse))]
    pub(super) max_abandoned: usize,

    /// Libvirtds that are asked by name, at /probe?target=NAME: a file of
    /// their URIs and labels, read again whenever it changes. With it, the
    /// libvirtd of this host is watched only where --uri is given as well
    #[arg(long = "targets.file", verbatim_doc_comment)]
    #[arg(value_name = "FILE", help_heading = "Targets")]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(super) targets: Option<PathBuf>,

    /// How long after its last probe a target keeps its session: 1s to 24h,
    /// or 0 for ever
    #[arg(long = "targets.idle", verbatim_doc_comment)]
    #[arg(value_name = "DURATION", help_heading = "Targets")]
    #[arg(default_value = "5m", value_parser = checked(duration::idle))]
    pub(super) targets_idle: Duration,

    /// With --once: the target whose metrics are printed
    #[arg(long, value_name = "NAME", help_heading = "Targets")]
    pub(super) target: Option<String>,

    /// Port to listen on, on every address of this host
    #[arg(long, value_name = "PORT", help_heading = "Web")]
    #[arg(default_value = "9100", value_parser = checked(listen_address::port))]
    pub(super) port: u16,

    /// Where to listen, in place of --port: 192.0.2.7:9100, or :9100 for
    /// every address; IPv6 in brackets; port 0 is any free one. Can be
    /// repeated, or hold several with commas between
    #[arg(long = "web.listen-address", verbatim_doc_comment)]
    #[arg(value_name = "ADDRESS", help_heading = "Web", value_delimiter = ',')]
    #[arg(value_parser = checked(ListenAddress::from_str))]
    pub(super) listen: Vec<ListenAddress>,

    /// Listen on the sockets that systemd passes, in place of --port and
    /// --web.listen-address
    #[arg(long = "web.systemd-socket", verbatim_doc_comment)]
    #[arg(value_name = "BOOL", help_heading = "Web", action = ArgAction::Set)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    pub(super) systemd_socket: bool,

    /// Path of the metrics; --web.telemetry-path is the same flag
    #[arg(long, alias = "web.telemetry-path", value_name = "PATH", help_heading = "Web")]
    #[arg(default_value = "/metrics", value_parser = checked(MetricsPath::from_str))]
    pub(super) path: MetricsPath,

    /// Prometheus' web configuration: TLS, client certificates, basic auth,
    /// headers, rate limit. Read again whenever it, or a certificate, changes
    #[arg(long = "web.config.file", verbatim_doc_comment)]
    #[arg(value_name = "FILE", help_heading = "Web")]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(super) web_config: Option<PathBuf>,

    /// File to log to besides standard error, or - for standard error alone
    #[arg(long, value_name = "FILE", help_heading = "Log")]
    #[arg(value_parser = OsStringValueParser::new().try_map(log_file))]
    pub(super) log: Option<PathBuf>,

    /// Least severe events to log
    #[arg(long = "log.level", value_name = "LEVEL", help_heading = "Log")]
    #[arg(value_enum, default_value_t)]
    pub(super) log_level: LogLevel,

    /// Form of a log line
    #[arg(long = "log.format", value_name = "FORMAT", help_heading = "Log")]
    #[arg(value_enum, default_value_t)]
    pub(super) log_format: LogFormat,

    /// Labels of libvirt_domain_*. wide: every sample has name, flavor and
    /// project_name as well, and source_file or source_bridge where it is a
    /// disk's or a NIC's
    #[arg(long, value_name = "SET", help_heading = "Metrics", verbatim_doc_comment)]
    #[arg(value_enum, default_value_t)]
    #[arg(default_value_ifs = WIDE_IF)]
    pub(super) labels: LabelSet,

    /// Serve the families that another exporter alone has, too: tinkoff is
    /// Tinkoff/libvirt-exporter, kumina is Debian's package. Can be repeated
    #[arg(long, value_name = "EXPORTER", help_heading = "Metrics", verbatim_doc_comment)]
    #[arg(value_enum, value_delimiter = ',')]
    pub(super) compat: Vec<Compat>,

    /// Say in OpenMetrics when a domain's counters began (_created), where it
    /// was seen
    #[arg(long = "created-timestamps", verbatim_doc_comment)]
    #[arg(value_name = "BOOL", help_heading = "Metrics", action = ArgAction::Set)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    pub(super) created: bool,

    /// Serve only instances of which a name (Nova's, libvirt's or the UUID)
    /// matches this regular expression as a whole
    #[arg(long, value_name = "REGEX", help_heading = "Metrics", verbatim_doc_comment)]
    #[arg(value_parser = checked(Expression::from_str))]
    pub(super) instances: Option<Expression>,

    /// Serve no instance of which a name matches
    #[arg(long = "instances.exclude", value_name = "REGEX", help_heading = "Metrics")]
    #[arg(value_parser = checked(Expression::from_str))]
    pub(super) instances_exclude: Option<Expression>,

    /// Serve only instances of projects whose name or id matches; a domain
    /// that is not Nova's has the empty name
    #[arg(long, value_name = "REGEX", help_heading = "Metrics", verbatim_doc_comment)]
    #[arg(value_parser = checked(Expression::from_str))]
    pub(super) projects: Option<Expression>,

    /// Serve no instance of a project whose name or id matches
    #[arg(long = "projects.exclude", value_name = "REGEX", help_heading = "Metrics")]
    #[arg(value_parser = checked(Expression::from_str))]
    pub(super) projects_exclude: Option<Expression>,

    #[command(flatten)]
    pub(super) collectors: CollectorSwitches,

    #[command(flatten)]
    pub(super) other_exporters: OtherExporters,

    /// Print the metrics once, on standard output, and exit
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    pub(super) once: bool,

    /// Print what is right and wrong with this host's set-up, with what mends
    /// it, and exit: with 0 when all is well, with 1 when metrics are lost
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, verbatim_doc_comment)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    pub(super) check: bool,

    /// Print what every family is, and exit
    // Like --version, so that nothing after it is looked at.
    #[arg(id = LIST_METRICS, long, action = ArgAction::Version)]
    pub(super) _list_metrics: Option<bool>,
}

/// What clap calls `--list-metrics`, and its name.
pub(super) const LIST_METRICS: &str = "list-metrics";
pub(super) const URI: &str = "uri";

/// The values of `--libvirt.export-nova-metadata` that ask for wide labels.
const WIDE_IF: [(&str, &str, &str); 2] =
    [(EXPORT_NOVA_METADATA, "true", "wide"), (EXPORT_NOVA_METADATA, "1", "wide")];

/// Another exporter whose families may be served too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compat {
    /// Tinkoff/libvirt-exporter.
    Tinkoff,
    /// kumina/libvirt_exporter, Debian's prometheus-libvirt-exporter.
    Kumina,
}

impl Compat {
    /// What `--compat` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tinkoff => "tinkoff",
            Self::Kumina => "kumina",
        }
    }
}

const AFTER_HELP: &str = "\
Every flag may be written with one dash or two, and its value after a blank or
an equals sign; a BOOL is true or false, and comes after an equals sign alone.
--no-NAME is --NAME=false, as in --no-collector.block. The last one wins. A flag
wins over its environment variable; an empty variable counts as not set.

Accepted from other exporters' command lines: --libvirt.nova, for Nova's
metadata are always read; --libvirt.export-nova-metadata, which is
--labels=wide unless --labels is given; --libvirt.driver, --exporter.timeout
and --exporter.max-concurrent-collects, which are ignored.

Examples:
  libvirt_nova
      Exports the guests of the local libvirtd on port 9100
  libvirt_nova -uri /run/libvirt/virtqemud-sock-ro -port 9177 -log -
      Asks the daemon behind that socket, and logs to standard error alone
  libvirt_nova --web.listen-address=[::1]:9100 --log.format=json
      Answers only this host, and logs for machines
  libvirt_nova --projects.exclude=test-.* --no-collector.block --collector.perf
      Leaves out those projects and one collector, and adds another
  libvirt_nova --once -log -
      Shows what a scrape would hold
  libvirt_nova --targets.file=targets.yml
      Answers /probe?target=NAME for each libvirtd that the file names
  libvirt_nova --targets.file=targets.yml --once --target=compute-1 -log -
      Shows what a probe of one of them would hold
  libvirt_nova --check
      Says what is wrong with this host's set-up, and what mends it
  libvirt_nova top
      Shows on the terminal who uses how many vCPUs right now; see top --help";

/// Builds the definition.
pub(super) fn command() -> Command {
    explained(CommandLine::command())
}

/// Puts default, choices and variables below the text of each flag.
pub(super) fn explained(command: Command) -> Command {
    let mut command = command.mut_args(|arg| {
        let mut lines = arg.get_help().map(ToString::to_string).unwrap_or_default();
        for fact in facts(&arg) {
            lines.push('\n');
            lines.push_str(&fact);
        }
        let arg = arg.help(lines);
        if !arg.get_action().takes_values() {
            return arg;
        }
        arg.hide_default_value(true).hide_possible_values(true)
    });
    // Adds --help and --version, which `spelling` has to know too.
    command.build();
    command.mut_args(|arg| match arg.get_help_heading() {
        Some(_) => arg,
        None => arg.help_heading("Other"),
    })
}

fn facts(arg: &Arg) -> impl Iterator<Item = String> {
    let default = match arg.get_default_values() {
        [] if arg.get_id() == "log" => Some(log::DEFAULT_FILE.to_owned()),
        [] => None,
        [value, ..] => Some(value.to_string_lossy().into_owned()),
    };
    let choices: Vec<_> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let variables: Vec<_> = spelling::names(arg).map(spelling::variable_name).collect();
    let facts = [
        default.map(|default| format!("[default: {default}]")),
        (!choices.is_empty()).then(|| broken(&format!("[choices: {}]", choices.join(", ")))),
        Some(format!("[env: {}]", variables.join(", "))),
    ];
    // Nothing can be said to one that takes no value, but that it is there.
    facts.into_iter().flatten().filter(|_| arg.get_action().takes_values())
}

/// Breaks a text at blanks, so that it fits beside its indentation.
fn broken(text: &str) -> String {
    const ROOM: usize = 70;

    let mut lines = String::new();
    let mut taken: usize = 0;
    for word in text.split(' ') {
        let needed = word.len().saturating_add(1);
        let fits = taken.saturating_add(needed) <= ROOM;
        if !lines.is_empty() {
            lines.push(if fits { ' ' } else { '\n' });
        }
        lines.push_str(word);
        taken = if fits { taken.saturating_add(needed) } else { needed };
    }
    lines
}

/// Parses words that have two dashes each.
///
/// # Errors
///
/// When a word is wrong, or asks for help or version.
pub(super) fn parse(command: &mut Command, words: &[OsString]) -> Result<CommandLine, clap::Error> {
    CommandLine::from_arg_matches(&command.try_get_matches_from_mut(words)?)
}

/// The answer to `--version`.
pub(crate) fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("LIBVIRT_NOVA_REVISION") {
        Some(revision) => format!("libvirt_nova {version} (revision {revision})\n"),
        None => format!("libvirt_nova {version}\n"),
    }
}

/// A parser of values that are text, whose errors name the value.
///
/// Of bytes that are not UTF-8, clap's own says neither where they are nor what they are.
pub(super) fn checked<T, E>(parse: fn(&str) -> Result<T, E>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    OsStringValueParser::new().try_map(move |value| match value.to_str() {
        Some(text) => parse(text).map_err(Into::into),
        None => Err(ValueError::new(&value.to_string_lossy(), "is not UTF-8").into()),
    })
}

fn log_file(value: OsString) -> Result<PathBuf, ValueError> {
    if value.is_empty() {
        return Err(ValueError::new("", "is not a file, expected a path or -"));
    }
    Ok(value.into())
}

/// Reads the value of a flag that is true or false.
pub(super) fn switch(text: &str) -> Result<bool, ValueError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(ValueError::new(text, "is neither true nor false")),
    }
}
