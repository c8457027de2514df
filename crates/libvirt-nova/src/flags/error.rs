//! What is wrong with a command line, in one line.

use std::{
    error::Error,
    fmt::{self, Write},
};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    collector_switches,
    spelling::{self, Words},
};
use crate::collectors::Collector;

/// A command line that cannot be obeyed.
///
/// Printed on one line whatever the command line holds: what was wrong, and what would be right.
#[derive(Debug)]
pub(crate) struct FlagError {
    /// The flag as it was typed, or the environment variable.
    place: String,
    kind: Kind,
}

/// What has to be changed.
#[derive(Debug)]
enum Kind {
    /// The flag's name, perhaps to this one.
    Unknown { suggestion: Option<String> },
    /// The collector's name, to one of those that there are.
    UnknownCollector,
    /// A word that belongs to no flag.
    Stray,
    /// A value is to be added.
    NoValue { expected: String },
    /// The value is to be taken away.
    Superfluous,
    /// The value, to one of these.
    Choice { found: String, choices: String },
    /// The value, as its own error says.
    Value(String),
}

impl FlagError {
    /// Makes an error of a flag that does not go with the others.
    pub(super) fn of(place: &str, complaint: &str) -> Self {
        Self { place: place.to_owned(), kind: Kind::Value(complaint.to_owned()) }
    }

    /// Puts clap's error, which fills a paragraph, into one line.
    pub(super) fn new(error: &clap::Error, command: &Command, words: &Words) -> Self {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
            _ => None,
        };
        let (name, expected) = split(text(ContextKind::InvalidArg).unwrap_or_default());
        let place = words.origin(name).unwrap_or(name).to_owned();
        let found = text(ContextKind::InvalidValue).unwrap_or_default();
        let kind = match error.kind() {
            ErrorKind::UnknownArgument if !place.starts_with('-') => Kind::Stray,
            // Without a value, it would have been known.
            ErrorKind::UnknownArgument if is_negation(command, &place) => Kind::Superfluous,
            ErrorKind::UnknownArgument if names_collector(&place) => Kind::UnknownCollector,
            ErrorKind::UnknownArgument => {
                // With as many dashes as were typed.
                let dashes = if place.starts_with("--") { "--" } else { "-" };
                // What is like `--no-NAME` is mostly `--NAME`, which means the opposite.
                let suggestion = text(ContextKind::SuggestedArg)
                    .filter(|_| !bare(&place).starts_with("no-"))
                    .map(|name| format!("{dashes}{}", name.trim_start_matches('-')));
                Kind::Unknown { suggestion }
            }
            ErrorKind::InvalidValue if found.is_empty() => {
                Kind::NoValue { expected: expected.to_owned() }
            }
            ErrorKind::InvalidValue => {
                let choices = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(choices)) => choices.join(", "),
                    _ => String::new(),
                };
                Kind::Choice { found: found.to_owned(), choices }
            }
            ErrorKind::TooManyValues => Kind::Superfluous,
            // `ErrorKind` may grow. What it is now beyond these, no flag here can cause.
            _ => match error.source() {
                Some(source) => Kind::Value(source.to_string()),
                None => Kind::Value(error.kind().to_string()),
            },
        };
        Self { place, kind }
    }
}

fn bare(place: &str) -> &str {
    place.trim_start_matches('-')
}

fn is_negation(command: &Command, place: &str) -> bool {
    spelling::negated(command, bare(place).as_ref()).is_some()
}

/// Whether a flag, known or not, is there to switch a collector.
fn names_collector(place: &str) -> bool {
    let name = bare(place);
    let name = name.strip_prefix("no-").unwrap_or(name);
    name.starts_with(collector_switches::PREFIX) || name == "collector"
}

/// Takes `--port <PORT>` apart into the flag and its value.
fn split(usage: &str) -> (&str, &str) {
    let (name, value) = match usage.find([' ', '=', '[']) {
        Some(end) if usage.starts_with("--") => usage.split_at(end),
        _ => (usage, ""),
    };
    (name, value.trim_matches([' ', '=', '[', ']', '<', '>', '.']))
}

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, kind } = self;
        let f = &mut OneLine(f);
        match kind {
            Kind::Unknown { suggestion: Some(name) } => {
                write!(f, "{place}: no such flag, did you mean {name}?")
            }
            Kind::Unknown { suggestion: None } => write!(f, "{place}: no such flag, see --help"),
            Kind::UnknownCollector => {
                let names: Vec<_> = Collector::ALL.into_iter().map(Collector::name).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "{place}: no such collector, expected --collector.NAME with one of {names}"
                )
            }
            Kind::Stray => write!(f, "{}: belongs to no flag, see --help", quoted(place)),
            Kind::NoValue { expected } => {
                write!(f, "{place}: the value is missing, expected {place} {expected}")
            }
            Kind::Superfluous => write!(f, "{place}: has a value, expected none"),
            Kind::Choice { found, choices } => {
                write!(f, "{place}: {found} is not a choice, expected one of {choices}")
            }
            Kind::Value(complaint) => write!(f, "{place}: {complaint}"),
        }
    }
}

impl Error for FlagError {}

/// Passes text on with control characters escaped.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            // Unicode's own line ends are no control characters.
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A value that its flag does not take.
#[derive(Debug)]
pub(crate) struct ValueError {
    found: String,
    complaint: String,
}

impl ValueError {
    /// Makes an error that reads "`found` `complaint`": what it is not, and what is expected.
    pub(super) fn new(found: &str, complaint: &str) -> Self {
        Self { found: found.to_owned(), complaint: complaint.to_owned() }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, complaint } = self;
        write!(f, "{} {complaint}", quoted(found))
    }
}

impl Error for ValueError {}

/// Makes an empty text visible.
fn quoted(text: &str) -> &str {
    if text.is_empty() { "\"\"" } else { text }
}
