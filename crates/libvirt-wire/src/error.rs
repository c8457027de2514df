//! Bytes that do not mean what the protocol says they must.

use std::{error::Error, fmt};

/// A packet or payload that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    what: &'static str,
    reason: Reason,
}

/// What is wrong with the item named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The payload ends inside the item.
    Missing {
        /// Bytes that the item needs and the payload lacks.
        bytes: usize,
    },
    /// The item claims a size that the protocol does not allow.
    Length {
        /// The claim.
        found: u32,
        /// The protocol's limit, or that of whom we do not know yet.
        limit: usize,
    },
    /// The item has a value that no version of the protocol gives a meaning.
    Discriminant(u32),
}

impl DecodeError {
    pub(crate) fn new(what: &'static str, reason: Reason) -> Self {
        Self { what, reason }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match self.reason {
            Reason::Missing { bytes } => write!(f, "{what} ends {bytes} bytes early"),
            Reason::Length { found, limit } => {
                write!(f, "{what} has length {found}, expected {limit} at most")
            }
            Reason::Discriminant(found) => write!(f, "{what} has the unknown value {found}"),
        }
    }
}

impl Error for DecodeError {}
