//! What goes wrong in a conversation, by whose doing.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

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

    /// The socket that was tried.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What has to be changed for the next attempt to succeed.
    pub fn obstacle(&self) -> Obstacle {
        match &self.kind {
            ConnectKind::Socket(error) => match error.kind() {
                io::ErrorKind::NotFound => Obstacle::Absent,
                io::ErrorKind::ConnectionRefused => Obstacle::Nobody,
                io::ErrorKind::PermissionDenied => Obstacle::Forbidden,
                _ => Obstacle::Socket,
            },
            ConnectKind::Authentication(_) => Obstacle::Credentials,
            ConnectKind::Polkit(_) => Obstacle::Polkit,
            ConnectKind::Handshake(error) if error.refusal().is_some() => Obstacle::Refused,
            ConnectKind::Handshake(error) if error.is_timeout() => Obstacle::Silent,
            ConnectKind::Handshake(_) => Obstacle::HungUp,
            ConnectKind::TimedOut(_) => Obstacle::Silent,
        }
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

/// What keeps libvirtd from us, as far as what mends it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no socket of that path.
    Absent,
    /// The socket is there, and nobody listens on it.
    Nobody,
    /// We may not touch the socket, or not enter its directory.
    Forbidden,
    /// The socket cannot be connected to for another reason.
    Socket,
    /// libvirtd wants credentials that this client cannot give.
    Credentials,
    /// polkit would not let us in, or libvirtd could not ask it.
    Polkit,
    /// libvirtd said no for another reason: it does not have the driver.
    Refused,
    /// Whoever listens broke the conversation off, or does not speak libvirt's protocol.
    HungUp,
    /// Whoever listens says nothing.
    Silent,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_socket_says_is_told_apart_by_kind() {
        for (kind, obstacle) in [
            (io::ErrorKind::NotFound, Obstacle::Absent),
            (io::ErrorKind::ConnectionRefused, Obstacle::Nobody),
            (io::ErrorKind::PermissionDenied, Obstacle::Forbidden),
            (io::ErrorKind::OutOfMemory, Obstacle::Socket),
        ] {
            let error = ConnectError::new("/a".into(), ConnectKind::Socket(kind.into()));
            assert_eq!(error.obstacle(), obstacle, "{kind:?}");
        }
    }
}
