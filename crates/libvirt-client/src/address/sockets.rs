//! The Unix sockets of this host's daemons.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{error::AddressErrorKind, parameters::Parameters};

/// Which Unix socket is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sockets {
    /// The one that was asked for.
    Path(PathBuf),
    /// The system daemons', which have a read-only socket.
    System { driver: String, mode: Mode },
    /// The user's own daemon's, which has none.
    Session { driver: String, mode: Mode },
}

/// `mode=`: which of libvirt's daemons to talk to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The driver's own daemon where its socket exists, else libvirtd.
    #[default]
    Auto,
    /// libvirtd, or virtproxyd in its name.
    Legacy,
    /// The driver's own daemon.
    Direct,
}

impl Sockets {
    /// The socket of that path.
    pub(super) fn at(path: PathBuf) -> Result<Self, AddressErrorKind> {
        match path.as_os_str().len() {
            ..=PATH_MAX => Ok(Self::Path(path)),
            _ => Err(AddressErrorKind::LongPath),
        }
    }

    /// Those of a driver.
    pub(super) fn of(
        driver: &str,
        path: &str,
        parameters: Parameters,
    ) -> Result<Self, AddressErrorKind> {
        let (driver, mode) = (driver.to_owned(), parameters.mode);
        match parameters.socket {
            Some(socket) => Self::at(socket),
            None if path == "/session" => Ok(Self::Session { driver, mode }),
            None => Ok(Self::System { driver, mode }),
        }
    }

    /// The driver's URI where nothing but the socket was named.
    pub(super) fn implied_name(&self) -> &'static str {
        match self {
            Self::Path(path) if path.starts_with("/run/user") => "qemu:///session",
            Self::Path(_) | Self::System { .. } | Self::Session { .. } => "qemu:///system",
        }
    }

    /// The sockets that may be meant, the preferred one first.
    pub(super) fn candidates(&self) -> Vec<PathBuf> {
        match self {
            Self::Path(path) => vec![path.clone()],
            Self::System { driver, mode } => {
                candidates(Path::new(SYSTEM_DIR), driver, "sock-ro", *mode)
            }
            Self::Session { driver, mode } => {
                candidates(&runtime_dir().join("libvirt"), driver, "sock", *mode)
            }
        }
    }

    /// The one to connect to at this moment.
    pub(crate) fn choose(&self) -> PathBuf {
        choose(self.candidates())
    }
}

/// Where the system's daemons put their sockets.
const SYSTEM_DIR: &str = "/run/libvirt";
/// The read-only socket of another host's libvirtd, as libvirt's client tells ssh: there are
/// systems without `/run`.
pub(super) const SSH_SOCKET: &str = "/var/run/libvirt/libvirt-sock-ro";
/// The longest path that a socket has: `sun_path` less its end, see unix(7).
pub(super) const PATH_MAX: usize = 107;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
