//! The log: one event, one line, to standard error and to a file that stays small.
//!
//! [`start`] installs the receiver of every `tracing` event, [`output::Lines`].
//! `event` takes an event's fields apart, `line` prints them in one of the three
//! forms with the help of `escape`, `output` says where lines go, `file` keeps
//! the log file below its limit and finds it again when it is rotated away, `record`
//! counts what is logged and remembers the last faults.
//!
//! No text in an event, a tenant's included, can begin a second line, and no
//! fault of a file or of standard error ends or unwinds the process.

mod escape;
mod event;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod line;
mod output;
mod record;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

pub(crate) use escape::is_printable;
use output::{Lines, Output};
use record::Counting;
pub(crate) use record::Record;

/// Installs the log, for the whole process and until it ends.
///
/// Events below `level` are dropped before they are formatted. Lines are written
/// by the thread that raises the event, before the macro returns, so that the
/// last line before an exit is not lost. A pipe that nobody empties would hold
/// that thread up once it is full; a file, a fault or a closed stream does not.
///
/// Returns what it has had, as it goes on. A second call changes nothing: the
/// first log stays.
///
/// # Errors
///
/// When the file of [`LogTarget::File`] cannot be opened; nothing is installed
/// then. For [`LogTarget::DefaultFile`] that is a warning on standard error.
pub(crate) fn start(
    target: LogTarget,
    level: LogLevel,
    format: LogFormat,
) -> Result<Arc<Record>, LogError> {
    let (output, fault) = match target {
        LogTarget::Stderr => (Output::Stderr, None),
        LogTarget::File(path) => match Output::open(&path) {
            Ok(output) => (output, None),
            Err(source) => return Err(LogError { path, source }),
        },
        LogTarget::DefaultFile => match Output::open(DEFAULT_FILE.as_ref()) {
            Ok(output) => (output, None),
            Err(fault) => (Output::Stderr, Some(fault)),
        },
    };
    let record = Arc::new(Record::default());
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::from(level))
        .with(Counting(Arc::clone(&record)))
        .with(Lines::new(format, output, Arc::clone(&record)));
    // This fails only if there is a log already, which then goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
    if let Some(error) = fault {
        tracing::warn!(
            path = DEFAULT_FILE,
            %error,
            "cannot open the log file, logging to standard error alone"
        );
    }
    Ok(record)
}

/// A text on one line, with nothing in it that cannot be seen; cut where it is very long.
pub(crate) fn escaped(text: &str) -> String {
    let mut line = String::new();
    escape::push(&mut line, text, escape::Surroundings::Prose);
    line
}

/// The log file in the working directory, where none is named.
pub(crate) const DEFAULT_FILE: &str = "libvirt_nova.log";

/// Where lines go besides standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogTarget {
    /// Nowhere.
    Stderr,
    /// A file that was asked for: without it the program does not start.
    File(PathBuf),
    /// [`DEFAULT_FILE`] if it can be opened; a read-only container goes without.
    DefaultFile,
}

/// The value of `-log`; `-` is standard error alone.
impl From<Option<PathBuf>> for LogTarget {
    fn from(flag: Option<PathBuf>) -> Self {
        match flag {
            None => Self::DefaultFile,
            Some(path) if path.as_os_str() == "-" => Self::Stderr,
            Some(path) => Self::File(path),
        }
    }
}

/// The least severe events that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Everything, for whoever looks into one host.
    Debug,
    /// What an operator did or must know.
    #[default]
    Info,
    /// What is wrong, though the exporter goes on.
    Warn,
    /// What stops the exporter from its work.
    Error,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error => Self::ERROR,
        }
    }
}

/// How an event is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Local time, domain, message: the lines of the first exporter.
    #[default]
    Text,
    /// One key=value after another.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// A log file that was asked for and cannot be written; the operator must name another.
#[derive(Debug)]
pub(crate) struct LogError {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open the log file {:?}", self.path)
    }
}

impl Error for LogError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_standard_error_alone() {
        assert_eq!(LogTarget::from(None), LogTarget::DefaultFile);
        assert_eq!(LogTarget::from(Some("-".into())), LogTarget::Stderr);
        assert_eq!(LogTarget::from(Some("./-".into())), LogTarget::File("./-".into()));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error_with_path_and_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("absent/nova.log");
        let error =
            start(LogTarget::File(path.clone()), LogLevel::Info, LogFormat::Text).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot open the log file {path:?}"));
        assert_eq!(error.source().unwrap().to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn flags_are_spelt_as_in_the_manual() {
        fn spelt<T: ValueEnum>() -> Vec<String> {
            let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            values.map(|value| value.get_name().to_owned()).collect()
        }
        assert_eq!(spelt::<LogLevel>(), ["debug", "info", "warn", "error"]);
        assert_eq!(spelt::<LogFormat>(), ["text", "logfmt", "json"]);
    }
}
