//! Faults, as the log tells them: whole, and once.

use std::{
    error::Error,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

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
    present: AtomicBool,
}

/// What may go wrong with a libvirtd as a whole while it can be asked.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// It does not list its domains.
    pub(crate) list: Change,
    /// It does not list its storage pools.
    pub(crate) pools: Change,
    /// It leaves calls unanswered.
    pub(crate) calls: Change,
}

impl Change {
    /// Notes the fault; returns whether it was not there before.
    pub(crate) fn begin(&self) -> bool {
        !self.present.swap(true, Ordering::Relaxed)
    }

    /// Notes its end; returns whether it was there before.
    pub(crate) fn end(&self) -> bool {
        self.present.swap(false, Ordering::Relaxed)
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
        let change = Change::default();
        assert!(!change.end());
        assert!(change.begin());
        assert!(!change.begin());
        assert!(change.end());
        assert!(!change.end());
    }
}
