//! One dash or two, and the environment, made into the words that clap parses.
//!
//! Go's flags take either number of dashes; clap takes one before single letters only
//! (clap-rs/clap#1210).

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

use clap::{Arg, Command};

/// The command line as clap wants it: each flag with two dashes, in one word with its value.
///
/// What was typed comes first, so that a `--help` is reached before a wrong variable is.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: Vec<OsString>,
    origins: Vec<Origin>,
}

/// Where a flag came from.
#[derive(Debug)]
struct Origin {
    /// The flag's first name, without dashes.
    name: String,
    /// The flag as it was typed, without its value, or the variable.
    text: String,
}

impl Words {
    /// Gathers what was typed, and the variables of those flags that were not.
    pub(super) fn collect(
        command: &Command,
        args: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let mut all = Self::typed(command, args);
        let environment = Self::environment(command, &all, variable);
        let end = all.words.iter().position(|word| word == "--").unwrap_or(all.words.len());
        all.words.splice(end..end, environment.words);
        all.origins.extend(environment.origins);
        all
    }

    fn typed(command: &Command, args: impl IntoIterator<Item = OsString>) -> Self {
        let mut typed = Self::default();
        let mut args = args.into_iter().peekable();
        while let Some(word) = args.next() {
            if word == "--" {
                typed.words.push(word);
                typed.words.extend(args);
                break;
            }
            let Some(Spelled { dashes, name, value }) = Spelled::parse(&word) else {
                typed.words.push(word);
                continue;
            };
            let text = format!("{dashes}{}", name.to_string_lossy());
            if value.is_none()
                && let Some(negated) = negated(command, name).and_then(Arg::get_long)
            {
                typed.push(OsStr::new(negated), Some("false".into()), text);
                continue;
            }
            let arg = find(command, name);
            let value = match value {
                Some(value) => Some(value.to_owned()),
                // The next word is the value even where it begins with a dash, as in `-log -`,
                // but not where it is a flag: then the value was forgotten.
                None if arg.is_some_and(takes_value) => {
                    args.next_if(|next| !is_flag(command, next))
                }
                None => None,
            };
            typed.push(arg.and_then(Arg::get_long).map_or(name, OsStr::new), value, text);
        }
        typed
    }

    fn environment(
        command: &Command,
        typed: &Self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let mut environment = Self::default();
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let Some(long) = arg.get_long() else { continue };
            // Who types a port has said where to listen.
            if typed.has(long) || (long == "web.listen-address" && typed.has("port")) {
                continue;
            }
            let found = names(arg).find_map(|name| {
                let name = variable_name(name);
                let value = variable(&name).filter(|value| !value.is_empty())?;
                // Kubernetes sets this for a Service that is named libvirt-nova.
                let foreign = long == "port" && value.as_bytes().starts_with(b"tcp://");
                (!foreign).then_some((name, value))
            });
            if let Some((name, value)) = found {
                environment.push(OsStr::new(long), Some(value), name);
            }
        }
        environment
    }

    fn push(&mut self, name: &OsStr, value: Option<OsString>, text: String) {
        let mut word = OsString::from("--");
        word.push(name);
        if let Some(value) = value {
            word.push("=");
            word.push(value);
        }
        self.words.push(word);
        self.origins.push(Origin { name: name.to_string_lossy().into_owned(), text });
    }

    /// Whether the flag was given, by its first name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.origins.iter().any(|origin| origin.name == name)
    }

    /// The words for clap.
    pub(super) fn as_slice(&self) -> &[OsString] {
        &self.words
    }

    /// What the user wrote to set the flag that clap calls `flag`.
    pub(super) fn origin(&self, flag: &str) -> Option<&str> {
        let name = flag.strip_prefix("--")?;
        let origin = self.origins.iter().rfind(|origin| origin.name == name)?;
        Some(&origin.text)
    }
}

/// A word that has the look of a long flag, whether or not there is such a flag.
struct Spelled<'a> {
    dashes: &'static str,
    name: &'a OsStr,
    value: Option<&'a OsStr>,
}

impl<'a> Spelled<'a> {
    fn parse(word: &'a OsStr) -> Option<Self> {
        let word = word.as_bytes();
        let (dashes, word) = match word.strip_prefix(b"--") {
            Some(rest) => ("--", rest),
            None => ("-", word.strip_prefix(b"-")?),
        };
        let (name, value) = match word.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                let (name, value) = word.split_at_checked(at)?;
                (name, value.strip_prefix(b"="))
            }
            None => (word, None),
        };
        // A single letter behind a single dash is clap's to read.
        if name.is_empty() || (dashes == "-" && name.len() == 1) {
            return None;
        }
        Some(Self { dashes, name: OsStr::from_bytes(name), value: value.map(OsStr::from_bytes) })
    }
}

fn find<'a>(command: &'a Command, name: &OsStr) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| names(arg).any(|known| name == known))
}

/// The flag that `--no-NAME` sets to false: as in Go's kingpin, any that is true or false.
///
/// With a value it is no such flag: what `--no-NAME=false` means, nobody knows.
pub(super) fn negated<'a>(command: &'a Command, name: &OsStr) -> Option<&'a Arg> {
    let name = name.as_bytes().strip_prefix(b"no-")?;
    find(command, OsStr::from_bytes(name)).filter(|arg| is_switch(arg))
}

fn is_flag(command: &Command, word: &OsStr) -> bool {
    let known = |Spelled { name, .. }: Spelled<'_>| {
        find(command, name).is_some() || negated(command, name).is_some()
    };
    word == "--" || word == "-h" || Spelled::parse(word).is_some_and(known)
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !is_switch(arg)
}

fn is_switch(arg: &Arg) -> bool {
    arg.is_require_equals_set()
}

/// The long names of a flag, the one in `--help` first.
pub(super) fn names(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default())
}

/// The environment variable that stands for a flag of this name.
pub(super) fn variable_name(flag: &str) -> String {
    let name = flag.replace(['.', '-'], "_").to_ascii_uppercase();
    format!("LIBVIRT_NOVA_{name}")
}
