//! The command line of `top`.

use std::{ffi::OsString, str::FromStr, time::Duration};

use clap::{ArgAction, Command, CommandFactory, FromArgMatches, Parser, error::ErrorKind};
use libvirt_client::{Access, Address};

use super::{
    ExporterUrl, FlagError, Stop,
    command_line::{checked, explained, switch},
    credentials::CredentialFlags,
    duration,
    spelling::Words,
};
use crate::{
    filter::{Expression, Filter},
    top::SortKey,
};

/// What `top` was told to do.
#[derive(Debug)]
pub(crate) struct TopFlags {
    pub(crate) origin: Origin,
    /// Which domains are shown.
    pub(crate) filter: Filter,
    /// What the table is sorted by at first.
    pub(crate) sort: SortKey,
    /// Whether to print the table once and exit.
    pub(crate) once: bool,
}

/// Where `top` has its data from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// Straight from libvirt.
    Libvirt {
        access: Box<Access>,
        /// Pause between two polls, never zero.
        interval: Duration,
    },
    /// From a running exporter.
    Exporter(ExporterUrl),
}

/// Reads the command line of `top`, which comes without that word, and the environment.
///
/// # Errors
///
/// When the command line asks for nothing but an answer, or is wrong.
pub(crate) fn parse_top(
    args: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<TopFlags, Stop> {
    let mut command = command();
    let words = Words::collect(&command, args, variable);
    let parsed = command
        .try_get_matches_from_mut(words.as_slice())
        .and_then(|matches| TopCommandLine::from_arg_matches(&matches));
    let TopCommandLine {
        uri,
        credentials,
        interval,
        connect,
        instances,
        instances_exclude,
        projects,
        projects_exclude,
        sort,
        once,
    } = match parsed {
        Ok(command_line) => command_line,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Err(Stop::Answer(error.to_string()));
        }
        Err(error) => return Err(Stop::Refusal(FlagError::new(&error, &command, &words))),
    };
    let origin = match connect {
        Some(url) => Origin::Exporter(url),
        None => {
            let access = Access { address: uri, credentials: credentials.into() };
            Origin::Libvirt { access: Box::new(access), interval }
        }
    };
    let filter = Filter { instances, instances_exclude, projects, projects_exclude };
    Ok(TopFlags { origin, filter, sort, once })
}

/// Builds the definition.
pub(super) fn command() -> Command {
    explained(TopCommandLine::command())
}

/// The command line of `top` as clap parses it; each doc is the flag's text in `--help`.
#[derive(Debug, Parser)]
#[command(
    name = "libvirt_nova top",
    about = "Shows on the terminal who uses how many vCPUs of this host right now",
    override_usage = "libvirt_nova top [FLAGS]",
    after_help = AFTER_HELP,
    next_line_help = true,
    no_binary_name = true,
    args_override_self = true
)]
struct TopCommandLine {
    /// Where libvirtd listens: a URI of libvirt, or the path of a socket.
    /// Another host's is qemu+tls://HOST/system, qemu+ssh://USER@HOST/system
    /// or qemu+tcp://HOST/system; --libvirt.uri is the same flag
    #[arg(long, alias = "libvirt.uri", verbatim_doc_comment)]
    #[arg(value_name = "URI", help_heading = "Data")]
    #[arg(default_value = "qemu:///system", value_parser = checked(Address::from_str))]
    uri: Address,

    #[command(flatten)]
    credentials: CredentialFlags,

    /// How often CPU times are read: 100ms to 1m
    #[arg(long, value_name = "DURATION", help_heading = "Data")]
    #[arg(default_value = "1s", value_parser = checked(duration::top_interval))]
    interval: Duration,

    /// Show what a running exporter knows, in place of asking libvirt:
    /// http://ADDRESS:PORT, and a path where a proxy wants one. The port is
    /// 9100 unless given, the address of IPv4, of IPv6 in brackets, or
    /// localhost
    #[arg(long, value_name = "URL", help_heading = "Data", verbatim_doc_comment)]
    #[arg(value_parser = checked(ExporterUrl::from_str))]
    connect: Option<ExporterUrl>,

    /// Show only instances of which a name (Nova's, libvirt's or the UUID)
    /// matches this regular expression as a whole
    #[arg(long, value_name = "REGEX", help_heading = "Table", verbatim_doc_comment)]
    #[arg(value_parser = checked(Expression::from_str))]
    instances: Option<Expression>,

    /// Show no instance of which a name matches
    #[arg(long = "instances.exclude", value_name = "REGEX", help_heading = "Table")]
    #[arg(value_parser = checked(Expression::from_str))]
    instances_exclude: Option<Expression>,

    /// Show only instances of projects whose name or id matches; a domain
    /// that is not Nova's has the empty name
    #[arg(long, value_name = "REGEX", help_heading = "Table", verbatim_doc_comment)]
    #[arg(value_parser = checked(Expression::from_str))]
    projects: Option<Expression>,

    /// Show no instance of a project whose name or id matches
    #[arg(long = "projects.exclude", value_name = "REGEX", help_heading = "Table")]
    #[arg(value_parser = checked(Expression::from_str))]
    projects_exclude: Option<Expression>,

    /// Column to sort by
    #[arg(long, value_name = "COLUMN", help_heading = "Table", value_enum, default_value_t)]
    sort: SortKey,

    /// Print the table once, as plain text, and exit: for scripts, tickets.
    /// Straight from libvirt that takes a second or two, for there are no
    /// rates without two readings
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, verbatim_doc_comment)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value = "false", value_parser = checked(switch))]
    once: bool,
}

const AFTER_HELP: &str = "\
Keys: ? shows them, q quits.

Exit status: 0 asked to quit, 1 could not start or go on, 2 wrong usage.

Examples:
  libvirt_nova top
      Asks the local libvirtd
  libvirt_nova top --connect http://192.0.2.7:9100
      Looks at that exporter; its libvirtd is asked nothing more
  libvirt_nova top --once --sort steal --projects=web-.*
      Prints the instances of those projects, the most starved first";

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    fn with(args: &[&str], variables: &[(&str, &str)]) -> Result<TopFlags, Stop> {
        parse_top(args.iter().map(OsString::from), |name| {
            let found = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(OsString::from(found.1))
        })
    }

    fn refusal(args: &[&str]) -> String {
        match with(args, &[]) {
            Err(Stop::Refusal(error)) => error.to_string(),
            other => panic!("{args:?}: {other:?}"),
        }
    }

    #[test]
    fn without_a_flag_the_local_libvirtd_is_asked_each_second() {
        let TopFlags { origin, filter, sort, once } = with(&[], &[]).unwrap();
        let Origin::Libvirt { access, interval } = origin else { panic!("{origin:?}") };
        assert_eq!(
            (&*access.address.to_string(), interval),
            ("qemu:///system", Duration::from_secs(1))
        );
        assert!(filter.is_all() && !once);
        assert_eq!(sort, SortKey::Vcpu);
    }

    #[test]
    fn flags_and_variables_are_spelt_as_elsewhere() {
        let variables = [("LIBVIRT_NOVA_URI", "/run/x"), ("LIBVIRT_NOVA_SORT", "steal")];
        let flags = with(&["-interval", "2s", "--once", "-projects=web"], &variables).unwrap();
        let Origin::Libvirt { access, interval } = flags.origin else { panic!("{flags:?}") };
        assert_eq!(access.address.socket().unwrap().to_str(), Some("/run/x"));
        assert_eq!(interval, Duration::from_secs(2));
        assert!(flags.once && !flags.filter.is_all());
        assert_eq!(flags.sort, SortKey::Steal);
        let flags = with(&["-connect", "localhost"], &[]).unwrap();
        assert!(matches!(flags.origin, Origin::Exporter(_)));
    }

    #[test]
    fn what_is_wrong_is_told_in_a_line() {
        assert_eq!(refusal(&["--interval=0"]), "--interval: 0 is too short, expected 100ms to 1m");
        assert_eq!(refusal(&["-xyz"]), "-xyz: no such flag, see --help");
        assert_eq!(refusal(&["steal"]), "steal: belongs to no flag, see --help");
        assert_eq!(
            refusal(&["--sort", "colour"]),
            "--sort: colour is not a choice, expected one of vcpu, peak, memory, disk, network, \
             steal, name, project, flavor, state"
        );
        assert!(
            refusal(&["--connect", "https://[::1]"]).starts_with("--connect: https://[::1] is")
        );
    }

    #[test]
    fn help_fits_80_columns() {
        let text = match with(&["--help"], &[]) {
            Err(Stop::Answer(text)) => text,
            other => panic!("{other:?}"),
        };
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        expect_file!["../../testdata/help-top.txt"].assert_eq(&text);
    }
}
