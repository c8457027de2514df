//! The words of a command.

use std::{ops::RangeInclusive, time::Duration};

use super::{CommandError, MOMENT_MAX};
use crate::{fault::Target, host::State, instance::name_of};

/// The words of a command that have not been read yet.
#[derive(Debug)]
pub(super) struct Words<'a> {
    rest: &'a str,
    state: &'a State,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str, state: &'a State) -> Self {
        Self { rest: line.trim(), state }
    }

    /// Reads one of a few words.
    pub(super) fn next(
        &mut self,
        what: &str,
        right: &[&'static str],
    ) -> Result<&'static str, CommandError> {
        let word = self.word();
        let found = right.iter().find(|it| Some(**it) == word);
        found.copied().ok_or_else(|| wrong(word, what, &right.join(", ")))
    }

    /// Reads a word that may be left out.
    pub(super) fn flag(&mut self, right: &'static str) -> Result<bool, CommandError> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        self.next(right, &[right]).map(|_| true)
    }

    pub(super) fn number<T>(
        &mut self,
        what: &str,
        right: RangeInclusive<T>,
    ) -> Result<T, CommandError>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let word = self.word();
        let number = word.and_then(|word| word.parse().ok());
        number.filter(|number| right.contains(number)).ok_or_else(|| {
            wrong(word, what, &format!("a number from {} to {}", right.start(), right.end()))
        })
    }

    pub(super) fn duration(&mut self, what: &str) -> Result<Duration, CommandError> {
        let word = self.word();
        let duration = word.and_then(|word| duration(word).ok());
        duration.ok_or_else(|| wrong(word, what, "a duration like 250ms or 1.5s"))
    }

    /// Reads where a clock is to stand, `None` where it is to run.
    pub(super) fn next_moment(&mut self) -> Result<Option<Duration>, CommandError> {
        let word = self.word();
        if word == Some("run") {
            return Ok(None);
        }
        let moment = word.and_then(|word| duration(word).ok()).filter(|at| *at <= MOMENT_MAX);
        match moment {
            Some(at) => Ok(Some(at)),
            None => Err(wrong(word, "where the clock stands", "a duration like 100s, or run")),
        }
    }

    /// Reads whom a command is about: one domain by its name, or `*` for all.
    pub(super) fn domains(&mut self) -> Result<Vec<u32>, CommandError> {
        match self.one_domain()? {
            Some(number) => Ok(vec![number]),
            None => Ok(self.state.instances.keys().copied().collect()),
        }
    }

    /// Reads the name of a domain or of a storage pool, or `*`, which is `None`.
    pub(super) fn target(&mut self) -> Result<Option<Target>, CommandError> {
        match self.peek().filter(|name| self.state.pools.contains_key(*name)) {
            Some(pool) => {
                self.word();
                Ok(Some(Target::Pool(pool.to_owned())))
            }
            None => Ok(self.one_domain()?.map(Target::Domain)),
        }
    }

    /// Reads one domain's name, or `*`, which is `None`.
    pub(super) fn one_domain(&mut self) -> Result<Option<u32>, CommandError> {
        let word = self.word();
        if word == Some("*") {
            return Ok(None);
        }
        let instances = &self.state.instances;
        // One that has another name now answers to the old one, too.
        let is_of = |name: &str| Some(name) == word;
        let named = instances.values().find(|it| is_of(&name_of(it.number)));
        let named = named.or_else(|| instances.values().find(|it| is_of(&it.domain.name)));
        if let Some(instance) = named {
            return Ok(Some(instance.number));
        }
        let names = |number: Option<&u32>| {
            let instance = number.and_then(|number| instances.get(number));
            instance.map(|it| it.domain.name.as_str()).unwrap_or_default()
        };
        let (first, last) = (names(instances.keys().next()), names(instances.keys().next_back()));
        Err(wrong(word, "a domain", &format!("* or one of {first} to {last}")))
    }

    /// Reads a word that must be there, whatever it is.
    pub(super) fn some(&mut self, what: &str) -> Result<String, CommandError> {
        let word = self.word();
        word.map(str::to_owned).ok_or_else(|| wrong(None, what, "a word without spaces"))
    }

    /// Reads a word, whatever it is.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let (word, rest) = self.rest.split_once(char::is_whitespace).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        Some(word).filter(|word| !word.is_empty())
    }

    /// Looks at the next word.
    pub(super) fn peek(&self) -> Option<&'a str> {
        self.rest.split_whitespace().next()
    }

    /// Reads all that is left, with `\n` for an end of line.
    pub(super) fn rest(&mut self) -> String {
        std::mem::take(&mut self.rest).replace("\\n", "\n")
    }

    /// There must be no more.
    pub(super) fn end(&self) -> Result<(), CommandError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(wrong(Some(self.rest), "nothing more", "the command without it"))
    }
}

/// An error that says what was found, what is meant by it, and what would be right.
pub(super) fn wrong(found: Option<&str>, what: &str, right: &str) -> CommandError {
    let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("'{found}'"));
    CommandError::new(format!("{found} where {what} is expected: {right}"))
}

/// Reads a duration: a number and `ms`, `s` or `m`.
///
/// # Errors
///
/// When it is none.
pub fn duration(text: &str) -> Result<Duration, CommandError> {
    let split = text.find(|it: char| it.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ms" => Some(0.001),
        "s" => Some(1.0),
        "m" => Some(60.0),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(scale).map(|(number, scale)| number * scale);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| wrong(Some(text), "a duration", "a number and ms, s or m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "5", "s", "-1s", "1h", "nans", "1e400s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
