//! Faults, as the log tells them: whole, and once.

use std::{error::Error, fmt};

/// An error with all its sources on one line, joined by `: `.
pub(crate) fn chain(error: &dyn Error) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        write!(f, "{error}")?;
        let mut source = error.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    })
}

/// Whether a fault that may repeat every second is there at present, so that it
/// is logged when it begins and when it ends.
#[derive(Debug, Default)]
pub(crate) struct Change {
    present: bool,
}

impl Change {
    /// Notes the fault; returns whether it was not there before.
    pub(crate) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.present, true)
    }

    /// Notes its end; returns whether it was there before.
    pub(crate) fn end(&mut self) -> bool {
        std::mem::take(&mut self.present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tells_every_source_once() {
        let inner = "x".parse::<u8>().unwrap_err();
        let text = inner.to_string();
        let outer = std::io::Error::other(inner);
        assert_eq!(chain(&outer).to_string(), text);
    }

    #[test]
    fn a_fault_begins_and_ends_once() {
        let mut change = Change::default();
        assert!(!change.end());
        assert!(change.begin());
        assert!(!change.begin());
        assert!(change.end());
        assert!(!change.end());
    }
}
