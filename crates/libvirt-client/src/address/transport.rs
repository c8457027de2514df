//! The ways to reach libvirtd.

use std::{
    fmt,
    net::Ipv6Addr,
    path::{Path, PathBuf},
};

use super::{
    Mode,
    error::AddressErrorKind,
    parameters::{Parameters, Proxy},
    sockets::{self, Sockets},
};

/// How libvirtd is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A socket of this host.
    Unix(Sockets),
    /// TLS, with certificates.
    Tls(Tls),
    /// TCP, in the clear.
    Tcp(Host),
    /// A program on the other host that leads to a socket there, run through `ssh`.
    Ssh(Ssh),
    /// A program of this host, whose standard input and output lead to libvirtd.
    Command(PathBuf),
}

/// A host, as a URI names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name, or an address without brackets.
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
}

impl Host {
    /// Its name with a port, as both are written in a URI.
    pub(crate) fn with_port(&self, default: u16) -> String {
        let Self { name, port, .. } = self;
        let port = port.unwrap_or(default);
        match name.parse::<Ipv6Addr>() {
            Ok(_) => format!("[{name}]:{port}"),
            Err(_) => format!("{name}:{port}"),
        }
    }
}

/// `qemu+tls://`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) host: Host,
    /// The directory with the CA's and our certificates; `None` where libvirt has them.
    pub(crate) pkipath: Option<PathBuf>,
    /// Whether the server's certificate is looked at.
    pub(crate) verifies: bool,
}

impl Tls {
    pub(super) fn new(host: Host, parameters: Parameters) -> Result<Self, AddressErrorKind> {
        if parameters.tls_priority {
            return Err(AddressErrorKind::TlsPriority);
        }
        Ok(Self { host, pkipath: parameters.pkipath, verifies: !parameters.no_verify })
    }
}

/// `qemu+ssh://`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ssh {
    pub(crate) host: Host,
    /// The program, `ssh` where none is named.
    pub(crate) command: Option<PathBuf>,
    pub(crate) keyfile: Option<PathBuf>,
    pub(crate) known_hosts: Option<PathBuf>,
    pub(crate) known_hosts_verify: KnownHosts,
    pub(crate) proxy: SshProxy,
}

/// What ssh does about the key of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownHosts {
    /// As the user's configuration says; without one, a key that is not known is refused.
    Normal,
    /// One that is not known is taken and remembered.
    Auto,
    /// None is looked at.
    Ignore,
}

/// What leads to the socket on the other host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SshProxy {
    /// `virt-ssh-helper`, and where it is not there, netcat.
    Auto {
        /// The driver's URI for the former.
        name: String,
        /// The socket for the latter.
        socket: PathBuf,
    },
    /// `virt-ssh-helper` alone.
    Native {
        /// The driver's URI.
        name: String,
    },
    /// netcat alone.
    Netcat {
        /// The program on the other host.
        netcat: String,
        socket: PathBuf,
    },
}

impl Ssh {
    /// As libvirt's client decides it (`doRemoteOpen`): who names a socket, or netcat, means
    /// netcat, since `virt-ssh-helper` finds the socket by itself.
    pub(super) fn new(
        host: Host,
        path: &str,
        name: &str,
        parameters: Parameters,
    ) -> Result<Self, AddressErrorKind> {
        if parameters.mode == Mode::Direct {
            return Err(AddressErrorKind::DirectBySsh);
        }
        let Parameters { socket, netcat, proxy, command, keyfile, .. } = parameters;
        let is_named = socket.is_some() || netcat.is_some();
        // The one that a system's libvirtd has; a user's depends on who that is over there.
        let is_session = path == "/session";
        let socket = socket.unwrap_or_else(|| sockets::SSH_SOCKET.into());
        let name = name.to_owned();
        let proxy = match proxy {
            Some(Proxy::Native) if netcat.is_some() => return Err(AddressErrorKind::NativeNetcat),
            Some(Proxy::Native) => SshProxy::Native { name },
            None | Some(Proxy::Auto) if is_session && !is_named => SshProxy::Native { name },
            None | Some(Proxy::Auto) if !is_named => SshProxy::Auto { name, socket },
            None | Some(Proxy::Auto | Proxy::Netcat) => {
                SshProxy::Netcat { netcat: netcat.unwrap_or_else(|| "nc".to_owned()), socket }
            }
        };
        let known_hosts_verify = match parameters.no_verify {
            true => KnownHosts::Ignore,
            false => parameters.known_hosts_verify.unwrap_or(KnownHosts::Normal),
        };
        let known_hosts = parameters.known_hosts;
        // What its `-i` names must be there as it stands, and is expanded then.
        if contains(keyfile.as_deref(), &["%", "${"]) {
            return Err(AddressErrorKind::SshPath("keyfile=", "% and ${"));
        }
        // Quoted as in its configuration. How `%` is kept from it depends on its version.
        if contains(known_hosts.as_deref(), &["%", "${", "\"", "\\"]) {
            return Err(AddressErrorKind::SshPath("known_hosts=", "%, ${, \" and \\"));
        }
        Ok(Self { host, command, keyfile, known_hosts, known_hosts_verify, proxy })
    }
}

/// Whether one of the texts is in a path.
fn contains(path: Option<&Path>, texts: &[&str]) -> bool {
    let path = path.unwrap_or(Path::new("")).to_string_lossy();
    texts.iter().any(|text| path.contains(text))
}

impl Transport {
    /// The host that is named, where the transport has one.
    pub(super) fn host(&self) -> Option<&Host> {
        match self {
            Self::Tls(Tls { host, .. }) | Self::Tcp(host) | Self::Ssh(Ssh { host, .. }) => {
                Some(host)
            }
            Self::Unix(_) | Self::Command(_) => None,
        }
    }
}

/// Who is at the other end.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(sockets) => write!(f, "{}", sockets.choose().display()),
            Self::Tls(Tls { host, .. }) => f.write_str(&host.with_port(TLS_PORT)),
            Self::Tcp(host) => f.write_str(&host.with_port(TCP_PORT)),
            Self::Ssh(Ssh { host, .. }) => match host.port {
                Some(port) => write!(f, "{} by ssh", host.with_port(port)),
                None => write!(f, "{} by ssh", host.name),
            },
            Self::Command(command) => write!(f, "the command {}", command.display()),
        }
    }
}

/// `LIBVIRTD_TLS_PORT`
pub(crate) const TLS_PORT: u16 = 16514;
/// `LIBVIRTD_TCP_PORT`
pub(crate) const TCP_PORT: u16 = 16509;
