//! What goes wrong in a conversation, by whose doing.

use std::{error::Error, fmt, io, path::PathBuf, time::Duration};

use libvirt_wire::{DecodeError, Procedure, RemoteError, call::AuthType};

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

/// A connection that did not come about.
#[derive(Debug)]
pub struct ConnectError {
    socket: PathBuf,
    kind: ConnectKind,
}

/// What keeps libvirtd from us.
#[derive(Debug)]
pub(crate) enum ConnectKind {
    /// There is no socket, nobody listens on it, or we may not touch it.
    Socket(io::Error),
    /// libvirtd wants credentials that this client cannot give.
    Authentication(Vec<AuthType>),
    /// polkit would not let us in, or libvirtd could not ask it.
    Polkit(CallError),
    /// The daemon said no to a step of the handshake, or broke it off.
    Handshake(CallError),
    /// The daemon listens and says nothing.
    TimedOut(Duration),
}

impl ConnectError {
    pub(crate) fn new(socket: PathBuf, kind: ConnectKind) -> Self {
        Self { socket, kind }
    }

    /// Whether libvirtd is there and said no. It will say so again, until somebody
    /// changes its configuration or ours.
    pub fn is_refusal(&self) -> bool {
        match &self.kind {
            ConnectKind::Authentication(_) => true,
            ConnectKind::Handshake(error) | ConnectKind::Polkit(error) => error.refusal().is_some(),
            ConnectKind::Socket(_) | ConnectKind::TimedOut(_) => false,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = self.socket.display();
        match &self.kind {
            ConnectKind::Socket(_) => write!(f, "cannot connect to {socket}"),
            ConnectKind::Authentication(types) => {
                write!(f, "libvirtd on {socket} asks for {}, expected none or polkit", Names(types))
            }
            ConnectKind::Polkit(_) => write!(
                f,
                "polkit does not let this process in on {socket} \
                 (run polkitd there, or set auth_unix_ro = \"none\" in libvirtd's configuration)"
            ),
            ConnectKind::Handshake(_) => write!(f, "libvirtd on {socket} does not let us in"),
            ConnectKind::TimedOut(limit) => {
                write!(f, "libvirtd on {socket} says nothing within {limit:?}")
            }
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            ConnectKind::Socket(error) => Some(error),
            ConnectKind::Polkit(error) | ConnectKind::Handshake(error) => Some(error),
            ConnectKind::Authentication(_) | ConnectKind::TimedOut(_) => None,
        }
    }
}

/// Ways to authenticate, in words.
struct Names<'a>(&'a [AuthType]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, kind) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" or ")?;
            }
            match kind {
                AuthType::None => f.write_str("nothing")?,
                AuthType::Sasl => f.write_str("SASL")?,
                AuthType::Polkit => f.write_str("polkit")?,
                AuthType::Unknown(number) => write!(f, "authentication type {number}")?,
            }
        }
        Ok(())
    }
}
