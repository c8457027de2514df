//! What is wrong with a web configuration.

use std::{error::Error, fmt, path::PathBuf};

/// What is wrong with a web configuration, or with a file that it names.
///
/// Holds no secret: of keys and passwords it says only where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line of the configuration, where one line is wrong.
    line: Option<usize>,
    what: String,
}

impl Fault {
    /// Makes a fault of the file as a whole: what was found, and what was expected.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }

    /// Makes a fault of one line.
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
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

/// A web configuration that the program cannot start with; the operator has to change it.
#[derive(Debug)]
pub(crate) struct WebConfigError {
    path: PathBuf,
    fault: Fault,
}

impl WebConfigError {
    pub(super) fn new(path: PathBuf, fault: Fault) -> Self {
        Self { path, fault }
    }
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use the web configuration {}", self.path.display())
    }
}

impl Error for WebConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.fault)
    }
}
