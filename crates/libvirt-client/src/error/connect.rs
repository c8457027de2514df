//! What goes wrong with a connection that is to be made.

use std::{error::Error, fmt, io, path::PathBuf, time::Duration};

use libvirt_wire::call::AuthType;

use super::CallError;
use crate::{Ending, credentials::AuthFileError};

/// A connection that did not come about.
#[derive(Debug)]
pub struct ConnectError {
    peer: String,
    kind: Box<ConnectKind>,
}

/// What keeps libvirtd from us.
#[derive(Debug)]
pub(crate) enum ConnectKind {
    /// There is no socket, nobody listens on it, or we may not touch it.
    Socket(io::Error),
    /// The host's name has no address.
    Name(Box<dyn Error + Send + Sync>),
    /// A program that leads to libvirtd could not be run.
    NotRun { program: PathBuf, error: io::Error },
    /// The connection ended in a way that says more than that.
    Ended(Ending),
    /// A file that TLS needs is not there, or of no use.
    File { path: PathBuf, error: Box<dyn Error + Send + Sync> },
    /// The server's certificate is not one that we trust.
    Certificate { unfit: Unfit, error: rustls::Error },
    /// There is no TLS to be had.
    Tls(io::Error),
    /// libvirtd does not take our certificate: it looks at it after the handshake, and then hangs
    /// up. Or it wants one, and this file of it is not there.
    NotConfirmed { certificate: Result<PathBuf, PathBuf>, error: Box<dyn Error + Send + Sync> },
    /// libvirtd wants something that this client does not know.
    Authentication(Vec<AuthType>),
    /// libvirtd offers no mechanism that this client has, or may use here.
    Mechanisms { offered: String },
    /// It offers PLAIN, and nothing that may be used where nobody looks who it is.
    PlainToAnybody { offered: String },
    /// libvirtd has no mechanism to offer, of those that may be used on this transport.
    NoMechanism(CallError),
    /// A file with credentials is not there, or of no use.
    AuthFile(AuthFileError),
    /// libvirtd asks for a user and password, and there are none.
    NoCredentials { looked: Vec<PathBuf>, host: String, misses: &'static str },
    /// libvirtd does not take them.
    Password { user: String, mechanism: &'static str, error: CallError },
    /// The mechanism's messages are not what they should be: whoever it is may not know the
    /// password either.
    Sasl { mechanism: &'static str, error: Box<dyn Error + Send + Sync> },
    /// polkit would not let us in, or libvirtd could not ask it.
    Polkit(CallError),
    /// The daemon said no to a step of the handshake, or broke it off.
    Handshake(CallError),
    /// The daemon listens and says nothing.
    TimedOut(Duration),
}

/// Why a server's certificate is not trusted.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// No CA of this file has signed it.
    Unsigned(PathBuf),
    /// It is for other names, which may be none.
    Name {
        expected: String,
        names: Vec<String>,
    },
    /// Its name is in its subject, and does not count there.
    Subject(String),
    Expired,
    /// Its time has not come yet.
    Early,
    /// It, or a CA between it and ours.
    Revoked,
    /// Anything else.
    Other,
}

impl ConnectError {
    pub(crate) fn new(peer: String, kind: ConnectKind) -> Self {
        Self { peer, kind: Box::new(kind) }
    }

    /// Who was to be connected to: the path of a socket, `host:port`, `host by ssh`, or a command.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    pub(super) fn kind(&self) -> &ConnectKind {
        &self.kind
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = &self.peer;
        match self.kind() {
            ConnectKind::Socket(_) => write!(f, "cannot connect to {peer}"),
            ConnectKind::Name(_) => write!(f, "cannot find the address of {peer}"),
            ConnectKind::NotRun { program, .. } => {
                write!(f, "cannot run {}, which leads to libvirtd", program.display())
            }
            ConnectKind::Ended(ending) => write!(f, "cannot connect to {peer}: {ending}"),
            ConnectKind::File { path, .. } => {
                write!(f, "cannot use {}, which TLS with {peer} needs", path.display())
            }
            ConnectKind::Certificate { unfit, .. } => {
                write!(f, "the certificate of {peer} is not to be trusted: {unfit}")
            }
            ConnectKind::Tls(_) => write!(f, "no TLS with {peer}"),
            ConnectKind::NotConfirmed { certificate: Ok(path), .. } => {
                write!(f, "{peer} does not take the client certificate {}", path.display())
            }
            ConnectKind::NotConfirmed { certificate: Err(path), .. } => write!(
                f,
                "{peer} wants a client certificate, and {} is not there or out of reach",
                path.display()
            ),
            ConnectKind::Authentication(types) => {
                let names = Names(types);
                write!(f, "libvirtd on {peer} asks for {names}, expected none, SASL or polkit")
            }
            ConnectKind::Mechanisms { offered } => write!(
                f,
                "libvirtd on {peer} offers the SASL mechanisms {offered}, expected SCRAM-SHA-256 or \
                 SCRAM-SHA-512, or PLAIN over TLS (a SASL security layer, which libvirtd wants on bare \
                 TCP, is not to be had here)"
            ),
            ConnectKind::PlainToAnybody { offered } => write!(
                f,
                "libvirtd on {peer} offers the SASL mechanisms {offered}, expected SCRAM-SHA-256 or \
                 SCRAM-SHA-512: PLAIN tells the password to whoever answers, and no_verify=1 does not \
                 look who that is"
            ),
            ConnectKind::NoMechanism(_) => write!(
                f,
                "libvirtd on {peer} has no SASL mechanism for this transport \
                 (on bare TCP it wants a SASL security layer, which SCRAM and PLAIN do not have and this \
                 client has not: use TLS)"
            ),
            ConnectKind::AuthFile(_) => {
                write!(f, "libvirtd on {peer} asks for a user and password")
            }
            ConnectKind::NoCredentials { looked, host, misses } => {
                write!(
                    f,
                    "libvirtd on {peer} asks for a user and password: no {misses} was named, nor is there \
                     one for {host} in "
                )?;
                for (at, path) in looked.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { " or " } else { "" }, path.display())?;
                }
                if looked.is_empty() { f.write_str("any file") } else { Ok(()) }
            }
            ConnectKind::Password { user, mechanism, .. } => write!(
                f,
                "libvirtd on {peer} does not take the user {user} with this password by {mechanism}"
            ),
            ConnectKind::Sasl { mechanism, .. } => {
                write!(f, "{mechanism} with libvirtd on {peer} failed")
            }
            ConnectKind::Polkit(_) => write!(
                f,
                "polkit does not let this process in on {peer} \
                 (run polkitd there, or set auth_unix_ro = \"none\" in libvirtd's configuration)"
            ),
            ConnectKind::Handshake(_) => write!(f, "libvirtd on {peer} does not let us in"),
            ConnectKind::TimedOut(limit) => {
                write!(f, "libvirtd on {peer} says nothing within {limit:?}")
            }
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.kind() {
            ConnectKind::Socket(error)
            | ConnectKind::NotRun { error, .. }
            | ConnectKind::Tls(error) => Some(error),
            ConnectKind::Name(error)
            | ConnectKind::File { error, .. }
            | ConnectKind::NotConfirmed { error, .. }
            | ConnectKind::Sasl { error, .. } => Some(&**error),
            ConnectKind::Certificate { unfit: Unfit::Other, error } => Some(error),
            ConnectKind::AuthFile(error) => Some(error),
            ConnectKind::Polkit(error)
            | ConnectKind::NoMechanism(error)
            | ConnectKind::Password { error, .. }
            | ConnectKind::Handshake(error) => Some(error),
            // What it is, is said.
            ConnectKind::Certificate { .. }
            | ConnectKind::Ended(_)
            | ConnectKind::Authentication(_)
            | ConnectKind::Mechanisms { .. }
            | ConnectKind::PlainToAnybody { .. }
            | ConnectKind::NoCredentials { .. }
            | ConnectKind::TimedOut(_) => None,
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(ca) => write!(f, "no CA in {} has signed it", ca.display()),
            Self::Name { expected, names } if names.is_empty() => {
                write!(f, "it names no host, expected {expected}")
            }
            Self::Name { expected, names } => {
                write!(f, "it is for {}, expected {expected}", names.join(" and "))
            }
            Self::Subject(why) => f.write_str(why),
            Self::Expired => f.write_str("it has expired"),
            Self::Early => f.write_str("its time has not begun"),
            Self::Revoked => f.write_str("its CA has revoked it, or that CA was revoked itself"),
            Self::Other => f.write_str("it is not as it should be"),
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
