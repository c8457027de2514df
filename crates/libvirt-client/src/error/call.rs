//! What goes wrong with a call, by whose doing.

use std::{error::Error, fmt, time::Duration};

use libvirt_wire::{DecodeError, Procedure, RemoteError};

/// A call that did not return what it promises.
#[derive(Debug)]
pub struct CallError {
    procedure: Procedure,
    kind: CallKind,
}

/// Whose doing the failure was, which decides what happens next.
#[derive(Debug)]
pub(crate) enum CallKind {
    /// The two sides read the protocol differently: a bug, here or there.
    Decode(DecodeError),
    /// The reply says that it answers something else.
    Mistaken {
        /// Which program.
        program: u32,
        /// Which of its procedures.
        procedure: u32,
    },
    /// The connection is over; whoever keeps sessions makes a new one.
    Disconnected,
    /// The connection was over before the call could be sent.
    NotSent,
    /// libvirtd understood the call and said no.
    Refused(RemoteError),
    /// libvirtd may be stuck on a domain's monitor.
    TimedOut(Duration),
}

impl CallError {
    pub(crate) fn new(procedure: Procedure, kind: CallKind) -> Self {
        Self { procedure, kind }
    }

    /// What was called.
    pub fn procedure(&self) -> Procedure {
        self.procedure
    }

    /// libvirtd's own words, where it understood the call and said no.
    pub fn refusal(&self) -> Option<&RemoteError> {
        match &self.kind {
            CallKind::Refused(refusal) => Some(refusal),
            CallKind::Decode(_)
            | CallKind::Mistaken { .. }
            | CallKind::Disconnected
            | CallKind::NotSent
            | CallKind::TimedOut(_) => None,
        }
    }

    /// Whether the deadline passed without a reply.
    ///
    /// The daemon may still be busy with the call, so asking again is not free.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, CallKind::TimedOut(_))
    }

    /// Whether the connection ended before the reply.
    pub fn is_disconnected(&self) -> bool {
        matches!(self.kind, CallKind::Disconnected | CallKind::NotSent)
    }

    /// Whether libvirtd never saw the call.
    pub(crate) fn is_not_sent(&self) -> bool {
        matches!(self.kind, CallKind::NotSent)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let procedure = self.procedure;
        match &self.kind {
            CallKind::Decode(_) => write!(f, "{procedure}: the reply is malformed"),
            CallKind::Mistaken { program, procedure: other } => {
                write!(
                    f,
                    "{procedure}: the reply is that of procedure {other} of program {program:#x}"
                )
            }
            CallKind::Disconnected | CallKind::NotSent => {
                write!(f, "{procedure}: libvirtd hung up before the reply")
            }
            // The source says it all, in the form that operators search for.
            CallKind::Refused(_) => write!(f, "{procedure}"),
            CallKind::TimedOut(limit) => write!(f, "{procedure}: no reply within {limit:?}"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            CallKind::Decode(error) => Some(error),
            CallKind::Refused(error) => Some(error),
            CallKind::Mistaken { .. }
            | CallKind::Disconnected
            | CallKind::NotSent
            | CallKind::TimedOut(_) => None,
        }
    }
}
