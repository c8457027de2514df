//! What is wrong with a URI.

use std::{error::Error, fmt};

use super::sockets::PATH_MAX;

/// A URI or path that names no libvirtd this client can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    kind: AddressErrorKind,
}

/// What the operator has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressErrorKind {
    /// Neither a URI nor an absolute path.
    Malformed,
    /// A transport that libvirt's client does not have.
    Transport(String),
    /// A host, where a Unix socket is meant.
    HostOfUnix,
    /// A port that no server has.
    Port,
    /// A password, where everybody on the host can read it.
    Password,
    /// A parameter with a path that depends on the working directory.
    Relative(&'static str),
    /// A parameter with a path that ssh would read as another one, and what is in no such path.
    SshPath(&'static str, &'static str),
    /// A path that no socket can have.
    LongPath,
    /// A parameter with a word that libvirt does not know, and those that it does.
    Word(&'static str, &'static str),
    /// `tls_priority=`, which is GnuTLS's language.
    TlsPriority,
    /// The transport `ext` without `command=`.
    NoCommand,
    /// `mode=direct` with ssh: only libvirtd's own socket is known on another host.
    DirectBySsh,
    /// `proxy=native` with `netcat=`.
    NativeNetcat,
}

impl AddressError {
    pub(super) fn new(text: &str, kind: AddressErrorKind) -> Self {
        // It goes to the log and to terminals.
        let text = match kind {
            AddressErrorKind::Password => String::new(),
            _ => without_password(text),
        };
        Self { text, kind }
    }
}

/// A text that may be a URI, without what may be a password in it: all between the first colon after
/// the scheme and the last `@`.
fn without_password(text: &str) -> String {
    let parts = text.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.rsplit_once('@')?;
        let end = user.find(':').or_else(|| user.to_ascii_lowercase().find("%3a"))?;
        Some((scheme, user.get(..end)?, host))
    });
    match parts {
        Some((scheme, user, host)) => format!("{scheme}://{user}:…@{host}"),
        None => text.to_owned(),
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use AddressErrorKind as Kind;

        let Self { text, kind } = self;
        match kind {
            Kind::Malformed => write!(
                f,
                "`{text}` is not a libvirt URI, expected one like qemu:///system or qemu+tls://host/system, \
                 or the absolute path of a socket"
            ),
            Kind::Transport(transport) => write!(
                f,
                "`{text}` has the unknown transport {transport}, expected unix, tls, tcp, ssh or ext"
            ),
            Kind::HostOfUnix => {
                write!(f, "`{text}` names a host, expected none with the transport unix")
            }
            Kind::Port => write!(f, "`{text}` has no port that a server can have, expected 1 to 65535"),
            Kind::Password => f.write_str(
                "the URI holds a password that everybody on this host can read, expected a user's name \
                 alone: passwords belong in a file",
            ),
            Kind::Relative(parameter) => {
                write!(f, "`{text}` has a relative path in {parameter}, expected an absolute one")
            }
            Kind::SshPath(parameter, expected) => write!(
                f,
                "`{text}` has a path in {parameter} that ssh would read as another one, expected one without \
                 {expected}"
            ),
            Kind::LongPath => write!(
                f,
                "`{text}` has a path that is too long for a socket, expected at most {PATH_MAX} bytes"
            ),
            Kind::Word(parameter, expected) => {
                write!(f, "`{text}` has an unknown {parameter}, expected {expected}")
            }
            Kind::TlsPriority => write!(
                f,
                "`{text}` has a tls_priority=, which is of a TLS library that is not used here, expected none: \
                 TLS 1.2 and 1.3 are spoken"
            ),
            Kind::NoCommand => write!(
                f,
                "`{text}` does not say which command leads to libvirtd, expected command=/path of a program"
            ),
            Kind::DirectBySsh => write!(
                f,
                "`{text}` has mode=direct, expected auto or legacy with the transport ssh, or socket=/path"
            ),
            Kind::NativeNetcat => {
                write!(f, "`{text}` has netcat= with proxy=native, expected one of them")
            }
        }
    }
}

impl Error for AddressError {}
