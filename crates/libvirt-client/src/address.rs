//! Where libvirtd listens, as `-uri` says it.

use std::{
    env,
    error::Error,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use fluent_uri::Uri;

/// Where libvirtd listens and which driver to open there.
///
/// Written as a libvirt URI (`qemu:///system`, `qemu:///session`,
/// `qemu+unix:///system?socket=/path`, any other driver's) or as the bare path
/// of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    name: String,
    socket: Socket,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Socket {
    /// The one that was asked for.
    Path(PathBuf),
    /// The system daemons', which have a read-only socket.
    System { driver: String, mode: Mode },
    /// The user's own daemon's, which has none.
    Session { driver: String, mode: Mode },
}

/// `mode=`: which of libvirt's daemons to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The driver's own daemon where its socket exists, else libvirtd.
    Auto,
    /// libvirtd, or virtproxyd in its name.
    Legacy,
    /// The driver's own daemon.
    Direct,
}

impl Address {
    /// The driver's URI as the daemon wants it: without transport, host and
    /// what only a client understands.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sockets that may be meant, the preferred one first.
    pub fn candidates(&self) -> Vec<PathBuf> {
        match &self.socket {
            Socket::Path(path) => vec![path.clone()],
            Socket::System { driver, mode } => {
                candidates(Path::new(SYSTEM_DIR), driver, "sock-ro", *mode)
            }
            Socket::Session { driver, mode } => {
                candidates(&runtime_dir().join("libvirt"), driver, "sock", *mode)
            }
        }
    }

    /// The socket to connect to at this moment.
    ///
    /// As libvirt's own client chooses: the driver's daemon (`virtqemud-sock-ro`)
    /// where its socket exists, else libvirtd's.
    pub fn socket(&self) -> PathBuf {
        choose(self.candidates())
    }
}

/// Where the system's daemons put their sockets.
const SYSTEM_DIR: &str = "/run/libvirt";

fn candidates(dir: &Path, driver: &str, suffix: &str, mode: Mode) -> Vec<PathBuf> {
    let direct = dir.join(format!("virt{driver}d-{suffix}"));
    let legacy = dir.join(format!("libvirt-{suffix}"));
    match mode {
        Mode::Direct => vec![direct],
        Mode::Legacy => vec![legacy],
        Mode::Auto => vec![direct, legacy],
    }
}

/// The first that is there, the last where none is.
fn choose(mut candidates: Vec<PathBuf>) -> PathBuf {
    let last = candidates.pop().unwrap_or_default();
    candidates.into_iter().find(|path| path.exists()).unwrap_or(last)
}

/// Where a user's daemons put their sockets: `g_get_user_runtime_dir`.
fn runtime_dir() -> PathBuf {
    let from = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    match (from("XDG_RUNTIME_DIR"), from("HOME")) {
        (Some(dir), _) => PathBuf::from(dir),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => PathBuf::from("/"),
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('/') {
            let name = if Path::new(text).starts_with("/run/user") {
                "qemu:///session"
            } else {
                "qemu:///system"
            };
            if text.len() > PATH_MAX {
                return Err(AddressError { text: text.to_owned(), kind: Kind::LongPath });
            }
            let socket = Socket::Path(PathBuf::from(text));
            return Ok(Self { text: text.to_owned(), name: name.to_owned(), socket });
        }
        let error = |kind| AddressError { text: text.to_owned(), kind };
        let uri = Uri::parse(text).map_err(|_| error(Kind::Malformed))?;
        let Some(authority) = uri.authority() else { return Err(error(Kind::Malformed)) };
        let scheme = uri.scheme().as_str();
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport)),
            None => (scheme, None),
        };
        match transport {
            None | Some("unix") if authority.as_str().is_empty() => {}
            // As libvirt has it, a host without a transport means TLS.
            None => return Err(error(Kind::Remote("tls".to_owned()))),
            Some("unix") => return Err(error(Kind::HostOfUnix)),
            Some(transport) => return Err(error(Kind::Remote(transport.to_owned()))),
        }

        let mut socket = None;
        let mut mode = Mode::Auto;
        let mut name = None;
        let mut rest = Vec::new();
        for parameter in uri.query().iter().flat_map(|query| query.split('&')) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, EMPTY));
            let decoded = || value.decode().to_string().map_err(|_| error(Kind::Malformed));
            match key.as_str() {
                "socket" => {
                    let path = PathBuf::from(decoded()?.into_owned());
                    if !path.is_absolute() {
                        return Err(error(Kind::RelativeSocket));
                    }
                    if path.as_os_str().len() > PATH_MAX {
                        return Err(error(Kind::LongPath));
                    }
                    socket = Some(path);
                }
                "mode" => {
                    mode = match decoded()?.as_ref() {
                        "auto" => Mode::Auto,
                        "legacy" => Mode::Legacy,
                        "direct" => Mode::Direct,
                        _ => return Err(error(Kind::Mode)),
                    }
                }
                "name" => name = Some(decoded()?.into_owned()),
                // The driver's own, as libvirt's client passes them on.
                _ => rest.push(parameter.as_str()),
            }
        }

        let path = uri.path().as_str();
        let name = name.unwrap_or_else(|| {
            let query =
                if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
            format!("{driver}://{path}{query}")
        });
        let driver = driver.to_owned();
        let socket = match socket {
            Some(path) => Socket::Path(path),
            None if path == "/session" => Socket::Session { driver, mode },
            None => Socket::System { driver, mode },
        };
        Ok(Self { text: text.to_owned(), name, socket })
    }
}

/// The longest path that a socket has: `sun_path` less its end, see unix(7).
const PATH_MAX: usize = 107;
/// The value of a parameter that has none.
const EMPTY: &fluent_uri::pct_enc::EStr<fluent_uri::pct_enc::encoder::Query> =
    fluent_uri::pct_enc::EStr::EMPTY;

/// As it was written.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A URI or path that names no libvirtd this client can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    kind: Kind,
}

/// What the operator has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Neither a URI nor an absolute path.
    Malformed,
    /// The daemon of another host, by the transport named.
    Remote(String),
    /// A host, where a Unix socket is meant.
    HostOfUnix,
    /// `socket=` with a path that depends on the working directory.
    RelativeSocket,
    /// A path that no socket can have.
    LongPath,
    /// `mode=` with a word that libvirt does not know.
    Mode,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, kind } = self;
        match kind {
            Kind::Malformed => write!(
                f,
                "`{text}` is not a libvirt URI, expected one like qemu:///system or the absolute path of a socket"
            ),
            Kind::Remote(transport) => write!(
                f,
                "`{text}` needs the transport {transport}, expected a libvirtd of this host: \
                 qemu:///system, qemu+unix:///system?socket=/path or the path of a socket"
            ),
            Kind::HostOfUnix => {
                write!(f, "`{text}` names a host, expected none with the transport unix")
            }
            Kind::RelativeSocket => {
                write!(f, "`{text}` has a relative path in socket=, expected an absolute one")
            }
            Kind::LongPath => write!(
                f,
                "`{text}` has a path that is too long for a socket, expected at most {PATH_MAX} bytes"
            ),
            Kind::Mode => {
                write!(f, "`{text}` has an unknown mode=, expected auto, legacy or direct")
            }
        }
    }
}

impl Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn the_driver_sees_the_uri_without_what_is_the_clients() {
        for (text, name) in [
            ("qemu:///system", "qemu:///system"),
            ("qemu:///session", "qemu:///session"),
            ("test:///default", "test:///default"),
            ("xen:///", "xen:///"),
            ("qemu+unix:///system", "qemu:///system"),
            ("qemu:///system?socket=/a/b", "qemu:///system"),
            ("qemu:///system?mode=direct&x=1&socket=/a&y", "qemu:///system?x=1&y"),
            ("qemu+unix:///?name=qemu:///embed%3Froot=/x", "qemu:///embed?root=/x"),
            ("/run/libvirt/libvirt-sock-ro", "qemu:///system"),
            ("/run/user/1000/libvirt/libvirt-sock", "qemu:///session"),
        ] {
            assert_eq!(address(text).name(), name, "{text}");
            assert_eq!(address(text).to_string(), text);
        }
    }

    #[test]
    fn a_socket_that_is_named_is_taken() {
        assert_eq!(address("/a/sock").socket(), Path::new("/a/sock"));
        assert_eq!(address("qemu:///system?socket=/a%20b").socket(), Path::new("/a b"));
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let path = |len: usize| format!("/{}", "x".repeat(len - 1));
        for prefix in ["", "qemu:///system?socket="] {
            assert!(format!("{prefix}{}", path(107)).parse::<Address>().is_ok());
            let error = format!("{prefix}{}", path(108)).parse::<Address>().unwrap_err();
            let said = error.to_string();
            assert!(
                said.ends_with("is too long for a socket, expected at most 107 bytes"),
                "{said}"
            );
        }
    }

    #[test]
    fn the_drivers_own_daemon_comes_first_where_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = |mode| choose(candidates(dir.path(), "qemu", "sock-ro", mode));
        assert_eq!(chosen(Mode::Auto), dir.path().join("libvirt-sock-ro"));
        assert_eq!(chosen(Mode::Direct), dir.path().join("virtqemud-sock-ro"));
        std::fs::write(dir.path().join("virtqemud-sock-ro"), "").unwrap();
        assert_eq!(chosen(Mode::Auto), dir.path().join("virtqemud-sock-ro"));
        assert_eq!(chosen(Mode::Legacy), dir.path().join("libvirt-sock-ro"));
    }

    #[test]
    fn the_sockets_that_may_be_meant_are_told_in_their_order() {
        let names = |text: &str| {
            let names =
                address(text).candidates().into_iter().map(|path| path.display().to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        let both = "/run/libvirt/virtqemud-sock-ro /run/libvirt/libvirt-sock-ro";
        assert_eq!(names("qemu:///system"), both);
        assert_eq!(names("qemu:///system?mode=direct"), "/run/libvirt/virtqemud-sock-ro");
        assert_eq!(names("qemu:///system?mode=legacy"), "/run/libvirt/libvirt-sock-ro");
        assert_eq!(names("/a/sock"), "/a/sock");
    }

    #[test]
    fn the_systems_daemon_is_asked_on_its_read_only_socket() {
        let name = address("qemu:///system").socket();
        assert!(name.starts_with("/run/libvirt"), "{name:?}");
        assert!(name.to_str().unwrap().ends_with("-sock-ro"), "{name:?}");
    }

    #[test]
    fn what_cannot_be_reached_says_what_can() {
        for (text, message) in [
            (
                "",
                "`` is not a libvirt URI, expected one like qemu:///system or the absolute path of a socket",
            ),
            (
                "qemu",
                "`qemu` is not a libvirt URI, expected one like qemu:///system or the absolute path of a socket",
            ),
            (
                "qemu:/system",
                "`qemu:/system` is not a libvirt URI, expected one like qemu:///system or the absolute path of a socket",
            ),
            (
                "qemu+ssh://root@host/system",
                "`qemu+ssh://root@host/system` needs the transport ssh, expected a libvirtd of this host: qemu:///system, qemu+unix:///system?socket=/path or the path of a socket",
            ),
            (
                "qemu://host/system",
                "`qemu://host/system` needs the transport tls, expected a libvirtd of this host: qemu:///system, qemu+unix:///system?socket=/path or the path of a socket",
            ),
            (
                "qemu+unix://host/system",
                "`qemu+unix://host/system` names a host, expected none with the transport unix",
            ),
            (
                "qemu:///system?socket=a",
                "`qemu:///system?socket=a` has a relative path in socket=, expected an absolute one",
            ),
            (
                "qemu:///system?mode=fast",
                "`qemu:///system?mode=fast` has an unknown mode=, expected auto, legacy or direct",
            ),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
