//! Where libvirtd listens, as `-uri` says it.
//!
//! * [`transport`]: the ways to reach it
//! * [`sockets`]: the Unix sockets of this host's daemons
//! * [`parameters`]: what a URI's query asks of the client
//! * [`error`]: what is wrong with a URI

use std::{fmt, path::PathBuf, str::FromStr};

use fluent_uri::{
    Uri,
    component::Authority,
    pct_enc::{EStr, encoder::Userinfo},
};

pub use self::error::AddressError;
use self::{error::AddressErrorKind, parameters::Parameters, sockets::Sockets};
pub(crate) use self::{
    sockets::Mode,
    transport::{Host, KnownHosts, Ssh, SshProxy, TCP_PORT, TLS_PORT, Tls, Transport},
};

mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod parameters;
mod sockets;
mod transport;

/// Where libvirtd listens, how it is reached, and which driver to open there.
///
/// Written as a libvirt URI, with the meaning that it has to `virsh`
/// (<https://libvirt.org/uri.html>): `qemu:///system`, `qemu:///session`,
/// `qemu+unix:///system?socket=/path`, `qemu+tls://host/system`, `qemu+tcp://host/system`,
/// `qemu+ssh://user@host/system`, `qemu+ext:///system?command=/path`, or any other driver's; or as
/// the bare path of a socket. A host without a transport means TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    name: String,
    transport: Transport,
    auth_file: Option<PathBuf>,
}

impl Address {
    /// The driver's URI as the daemon wants it: without transport, host and
    /// what only a client understands.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Unix sockets of this host that may be meant, the preferred one first. None where
    /// another transport leads to libvirtd.
    pub fn candidates(&self) -> Vec<PathBuf> {
        match &self.transport {
            Transport::Unix(sockets) => sockets.candidates(),
            Transport::Tls(_) | Transport::Tcp(_) | Transport::Ssh(_) | Transport::Command(_) => {
                Vec::new()
            }
        }
    }

    /// The Unix socket to connect to at this moment, where that is how libvirtd is reached.
    ///
    /// As libvirt's own client chooses: the driver's daemon (`virtqemud-sock-ro`)
    /// where its socket exists, else libvirtd's.
    pub fn socket(&self) -> Option<PathBuf> {
        match &self.transport {
            Transport::Unix(sockets) => Some(sockets.choose()),
            Transport::Tls(_) | Transport::Tcp(_) | Transport::Ssh(_) | Transport::Command(_) => {
                None
            }
        }
    }

    /// Who is connected to at this moment, in words: the path of a socket, `host:port`,
    /// `host by ssh`, or a command.
    pub fn peer(&self) -> String {
        self.transport.to_string()
    }

    /// Whether libvirtd is on another host, or may be: a cable lies between that can be cut, and
    /// nobody tells of that.
    pub fn is_remote(&self) -> bool {
        !matches!(self.transport, Transport::Unix(_))
    }

    /// The host's name as `auth.conf` knows it.
    pub(crate) fn host(&self) -> &str {
        self.transport.host().map_or(LOCALHOST, |host| &host.name)
    }

    /// The user that the URI names, for SASL. The one of `ssh` is the remote system's.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.transport {
            Transport::Tls(Tls { host, .. }) | Transport::Tcp(host) => host.user.as_deref(),
            Transport::Unix(_) | Transport::Ssh(_) | Transport::Command(_) => None,
        }
    }

    /// `authfile=`
    pub(crate) fn auth_file(&self) -> Option<&PathBuf> {
        self.auth_file.as_ref()
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }
}

/// The host that is meant where a URI with a transport names none.
const LOCALHOST: &str = "localhost";

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |kind| AddressError::new(text, kind);
        if text.starts_with('/') {
            let sockets = Sockets::at(text.into()).map_err(error)?;
            let name = sockets.implied_name().to_owned();
            let transport = Transport::Unix(sockets);
            return Ok(Self { text: text.to_owned(), name, transport, auth_file: None });
        }
        let uri = Uri::parse(text).map_err(|_| error(AddressErrorKind::Malformed))?;
        let Some(authority) = uri.authority() else {
            return Err(error(AddressErrorKind::Malformed));
        };
        // Before anything else is wrong with it: it is to be changed wherever it is used.
        let user = authority.userinfo().map(decoded).transpose().map_err(error)?;
        if user.is_some_and(|user| user.contains(':')) {
            return Err(error(AddressErrorKind::Password));
        }
        let scheme = uri.scheme().as_str();
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport)),
            None => (scheme, None),
        };
        let parameters = Parameters::read(uri.query()).map_err(error)?;
        let path = uri.path().as_str();
        let name = parameters.name.clone().unwrap_or_else(|| {
            let rest = match &parameters.of_driver[..] {
                [] => String::new(),
                of_driver => format!("?{}", of_driver.join("&")),
            };
            format!("{driver}://{path}{rest}")
        });
        let auth_file = parameters.auth_file.clone();
        let has_host = !authority.as_str().is_empty();
        let transport = match (transport, has_host) {
            (None | Some("unix"), false) => {
                let sockets = Sockets::of(driver, path, parameters).map_err(error)?;
                Transport::Unix(sockets)
            }
            (Some("unix"), true) => return Err(error(AddressErrorKind::HostOfUnix)),
            (None, true) | (Some("tls"), _) => {
                let host = host(&authority).map_err(error)?;
                Transport::Tls(Tls::new(host, parameters).map_err(error)?)
            }
            (Some("tcp"), _) => Transport::Tcp(host(&authority).map_err(error)?),
            // libvirt's client has two libraries for SSH beside the program. What is asked of
            // them is the same.
            (Some("ssh" | "libssh" | "libssh2"), _) => {
                let host = host(&authority).map_err(error)?;
                Transport::Ssh(Ssh::new(host, path, &name, parameters).map_err(error)?)
            }
            (Some("ext"), _) => match parameters.command {
                Some(command) => Transport::Command(command),
                None => return Err(error(AddressErrorKind::NoCommand)),
            },
            (Some(other), _) => return Err(error(AddressErrorKind::Transport(other.to_owned()))),
        };
        Ok(Self { text: text.to_owned(), name, transport, auth_file })
    }
}

/// The host that a URI names.
fn host(authority: &Authority<'_>) -> Result<Host, AddressErrorKind> {
    let user = authority.userinfo().map(decoded).transpose()?.filter(|user| !user.is_empty());
    let port = match authority.port_to_u16() {
        Ok(Some(0)) | Err(_) => return Err(AddressErrorKind::Port),
        Ok(port) => port,
    };
    let name = authority.host();
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let name = if name.is_empty() { LOCALHOST } else { name };
    // It would be an option to ssh, and names nobody.
    if name.starts_with('-') || user.as_ref().is_some_and(|user| user.starts_with('-')) {
        return Err(AddressErrorKind::Malformed);
    }
    Ok(Host { name: name.to_owned(), port, user })
}

fn decoded(text: &EStr<Userinfo>) -> Result<String, AddressErrorKind> {
    let text = text.decode().to_string().map_err(|_| AddressErrorKind::Malformed)?;
    Ok(text.into_owned())
}

/// As it was written.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
