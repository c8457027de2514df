//! What is wrong with a file that configures.

use std::{error::Error, fmt};

/// What is wrong with a file that configures, or with one that it names.
///
/// Holds no secret: of keys and passwords it says only where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line of the file, where one line is wrong.
    line: Option<usize>,
    what: String,
}

impl Fault {
    /// Makes a fault of the file as a whole: what was found, and what was expected.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }

    /// Makes a fault of one line.
    pub(crate) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Error for Fault {}
