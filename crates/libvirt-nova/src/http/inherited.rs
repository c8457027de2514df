//! Sockets that systemd has bound, and passed to us.

use std::{error::Error, fmt, io};

use listenfd::ListenFd;
use socket2::SockRef;
use tokio::net::TcpListener;

use super::listener::Listener;

/// Takes over every socket that systemd passed, and logs where each listens.
///
/// # Errors
///
/// When there is none, or one on which nobody can be served: the program was told to listen
/// there, and must not start without.
pub(crate) fn inherit() -> Result<Vec<Listener>, InheritError> {
    let mut passed = ListenFd::from_env();
    let count = passed.len();
    if count == 0 {
        return Err(InheritError::Nothing);
    }
    let mut take = |at| {
        let socket = passed.take_tcp_listener(at)?.ok_or(io::ErrorKind::NotFound)?;
        // Where systemd accepts, it passes connections.
        if !SockRef::from(&socket).is_listener()? {
            return Err(io::Error::other("it does not listen"));
        }
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Listener::new)
    };
    let listeners = (0..count).map(|at| {
        take(at).map_err(|source| InheritError::Unfit { at: at.saturating_add(1), count, source })
    });
    listeners.collect()
}

/// Whether systemd has passed a socket.
pub(crate) fn is_passed_a_socket() -> bool {
    ListenFd::from_env().len() > 0
}

/// Sockets that were not passed as they should be; the operator has to change a unit.
#[derive(Debug)]
pub(crate) enum InheritError {
    Nothing,
    Unfit {
        /// Which of them, beginning with 1.
        at: usize,
        count: usize,
        source: io::Error,
    },
}

impl fmt::Display for InheritError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str(
                "systemd has passed no socket, start the .socket unit, \
                 or leave --web.systemd-socket out",
            ),
            Self::Unfit { at, count, source: _ } => write!(
                f,
                "socket {at} of {count} that systemd has passed is of no use, \
                 expected ListenStream= with a port or an address and port, and Accept=no"
            ),
        }
    }
}

impl Error for InheritError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Nothing => None,
            Self::Unfit { source, .. } => Some(source),
        }
    }
}
