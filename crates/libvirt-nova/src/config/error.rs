//! That the program cannot start with a file that configures.

use std::{error::Error, fmt, path::PathBuf};

use super::Fault;

/// A file that the program was told to use and cannot; the operator has to change it.
#[derive(Debug)]
pub(crate) struct ConfigError {
    what: &'static str,
    path: PathBuf,
    fault: Fault,
}

impl ConfigError {
    /// `what` is what the file is called: the web configuration.
    pub(crate) fn new(what: &'static str, path: PathBuf, fault: Fault) -> Self {
        Self { what, path, fault }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use {} {}", self.what, self.path.display())
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.fault)
    }
}
