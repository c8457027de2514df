//! The way in: which socket is meant, who may use it, and authentication.
//!
//! * [`failure`]: what keeps us out, and what mends it
//! * [`remote`]: the same of another host

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use libvirt_client::{Address, ConnectError, Obstacle};
use libvirt_wire::Procedure;

use super::{finding::Finding, naming};
use crate::{fault::chain, telemetry::Report};

mod failure;
mod remote;

const SOCKET: &str = "socket";
const AUTHENTICATION: &str = "authentication";

/// The way in, as it was found.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// Where libvirtd was said to be.
    uri: String,
    /// Who was meant, where that is not a socket of this host.
    pub(super) remote: Option<String>,
    /// The socket that was meant; empty where none was.
    pub(super) socket: PathBuf,
    /// The sockets that might have been meant, the preferred one first.
    candidates: Vec<PathBuf>,
    /// What the driver is called there.
    driver: String,
    /// Whether the directory of the socket is there.
    has_directory: bool,
    /// Owner and mode of the socket, where it can be seen.
    owner: Option<(u32, u32)>,
    /// The socket beside it that may only read, where it is not that one.
    read_only: Option<PathBuf>,
    /// Who we are.
    uid: Option<u32>,
    outcome: Outcome,
}

/// What came of knocking.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Opened {
        /// Whether polkit was asked.
        by_polkit: bool,
    },
    Failed {
        obstacle: Obstacle,
        /// The error, as the log has it.
        told: String,
    },
}

impl Outcome {
    /// libvirtd let us in; `report` is of the calls that were made for it.
    pub(super) fn opened(report: &Report) -> Self {
        Self::Opened { by_polkit: report.durations.contains_key(Procedure::AUTH_POLKIT.name) }
    }

    /// It did not; `None` where nobody knows why, because nothing came in time.
    pub(super) fn failed(error: Option<&ConnectError>) -> Self {
        match error {
            Some(error) => {
                Self::Failed { obstacle: error.obstacle(), told: chain(error).to_string() }
            }
            None => Self::Failed { obstacle: Obstacle::Silent, told: "no answer".to_owned() },
        }
    }
}

impl Door {
    /// Looks at what is around the socket.
    pub(super) fn look(address: &Address, outcome: Outcome) -> Self {
        let remote = address.is_remote().then(|| address.peer());
        let socket = address.socket().unwrap_or_default();
        let owner = |path: &Path| -> io::Result<(u32, u32)> {
            let metadata = fs::metadata(path)?;
            Ok((metadata.uid(), metadata.permissions().mode() & 0o777))
        };
        let mut beside = socket.clone().into_os_string();
        beside.push("-ro");
        let beside = PathBuf::from(beside);
        Self {
            uri: address.to_string(),
            remote,
            candidates: address.candidates(),
            driver: address.name().to_owned(),
            has_directory: socket.parent().is_some_and(Path::exists),
            owner: owner(&socket).ok(),
            read_only: beside.exists().then_some(beside),
            uid: fs::metadata("/proc/self").ok().map(|metadata| metadata.uid()),
            outcome,
            socket,
        }
    }

    /// Whether it is another host's.
    pub(super) fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// How virsh is called to reach this libvirtd, so that it may write as well.
    pub(super) fn virsh(&self) -> String {
        match self.remote {
            Some(_) => format!("virsh -c {}", naming::quoted(&self.uri)),
            None => naming::virsh(&self.socket),
        }
    }

    /// The service that listens on the socket, as libvirt's packages call it.
    pub(super) fn service(&self) -> String {
        service_of(&self.socket).unwrap_or_else(|| "libvirtd".to_owned())
    }
}

pub(super) fn findings(door: &Door) -> Vec<Finding> {
    if let Some(peer) = &door.remote {
        return remote::findings(door, peer);
    }
    let socket = naming::list([&*door.socket.to_string_lossy()]);
    match &door.outcome {
        Outcome::Opened { by_polkit } => {
            let mut findings = vec![
                Finding::ok(SOCKET, format!("{socket} answers{}", why(door))),
                Finding::ok(
                    AUTHENTICATION,
                    match by_polkit {
                        true => "polkit lets this user in",
                        false if door.uid == Some(0) => "none is asked of root",
                        false => "none is asked for",
                    },
                ),
            ];
            findings.extend(more_than_needed(door));
            findings
        }
        Outcome::Failed { obstacle, told } => failure::findings(door, *obstacle, told),
    }
}

/// Why it is this socket, where there was a choice.
fn why(door: &Door) -> String {
    match &door.candidates[..] {
        [first, _, ..] if *first == door.socket => {
            ", the driver's own daemon, which comes before libvirtd".to_owned()
        }
        [first, _, ..] => format!(" (there is no {})", first.display()),
        [] | [_] => String::new(),
    }
}

/// What works, and need not be: the socket that may write, and root.
fn more_than_needed(door: &Door) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(read_only) = &door.read_only {
        let said = "it is the one that may write, which the exporter never does";
        let path = read_only.to_string_lossy();
        findings.push(Finding::note(SOCKET, said).mended(
            "The one that may only read is enough:",
            [format!("libvirt_nova -uri {}", word(&path))],
        ));
    }
    if door.uid == Some(0) {
        let said = match door.owner {
            Some((_, mode)) if mode & WRITE_BY_OTHERS == 0 => {
                format!("this is root, and the socket's mode is {mode:04o}: others are not let in")
            }
            _ => "this is root: whether another user is let in was not seen".to_owned(),
        };
        let words = "The exporter needs no root. Check as the user that it is to run as:";
        // Nobody, by whatever name.
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups libvirt_nova --check";
        let uri = word(&door.uri);
        let command = if door.uri == DEFAULT_URI {
            nobody.to_owned()
        } else {
            format!("{nobody} -uri {uri}")
        };
        findings.push(Finding::note("user", said).mended(words, [command]));
    }
    findings
}

/// A path as a shell reads it, bare where it can be.
fn word(path: &str) -> String {
    let is_bare = path.chars().all(|it| it.is_ascii_alphanumeric() || "/._-".contains(it));
    if is_bare { path.to_owned() } else { naming::quoted(path) }
}

/// The service of a socket that has the name which libvirt gives it: `libvirtd`, `virtqemud`.
fn service_of(socket: &Path) -> Option<String> {
    let name = socket.file_name()?.to_str()?;
    let daemon = name.strip_suffix("-ro").unwrap_or(name).strip_suffix("-sock")?;
    match daemon {
        "libvirt" => Some("libvirtd".to_owned()),
        _ if daemon.starts_with("virt") && daemon.ends_with('d') => Some(daemon.to_owned()),
        _ => None,
    }
}

/// What is meant where nothing is said.
const DEFAULT_URI: &str = "qemu:///system";
/// `S_IWOTH`: who connects to a socket needs to write to it.
const WRITE_BY_OTHERS: u32 = 0o002;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    pub(super) fn door(socket: &str, outcome: Outcome) -> Door {
        Door {
            uri: "qemu:///system".to_owned(),
            remote: None,
            socket: socket.into(),
            candidates: vec![socket.into()],
            driver: "qemu:///system".to_owned(),
            has_directory: true,
            owner: Some((0, 0o777)),
            read_only: None,
            uid: Some(1000),
            outcome,
        }
    }

    const RO: &str = "/run/libvirt/libvirt-sock-ro";

    #[test]
    fn an_open_door_says_which_it_is_and_who_was_asked() {
        let opened = |by_polkit| door(RO, Outcome::Opened { by_polkit });
        assert_eq!(
            findings(&opened(false)),
            [
                Finding::ok(SOCKET, format!("{RO} answers")),
                Finding::ok(AUTHENTICATION, "none is asked for")
            ]
        );
        assert_eq!(findings(&opened(true))[1].said, "polkit lets this user in");
        let chosen = |socket: &str| {
            let candidates = vec!["/run/libvirt/virtqemud-sock-ro".into(), RO.into()];
            let door = Door { candidates, ..door(socket, Outcome::Opened { by_polkit: false }) };
            findings(&door)[0].said.clone()
        };
        assert!(chosen(RO).ends_with("(there is no /run/libvirt/virtqemud-sock-ro)"));
        assert!(chosen("/run/libvirt/virtqemud-sock-ro").contains("comes before libvirtd"));
    }

    #[test]
    fn what_is_more_than_needed_is_noted() {
        let opened = door("/run/libvirt/libvirt-sock", Outcome::Opened { by_polkit: false });
        let more = Door { read_only: Some(RO.into()), uid: Some(0), ..opened };
        let found = findings(&more);
        let [_, _, writes, root] = &found[..] else { panic!("{found:?}") };
        assert_eq!((writes.verdict, root.verdict), (Verdict::Note, Verdict::Note));
        assert_eq!(writes.remedies[0].commands, [format!("libvirt_nova -uri {RO}")]);
        assert!(root.said.ends_with("was not seen"), "{root:?}");
        let closed = findings(&Door { owner: Some((0, 0o700)), ..more });
        assert!(closed[3].said.contains("mode is 0700: others are not"), "{closed:?}");
    }

    #[test]
    fn a_socket_of_libvirts_has_a_service() {
        let service = |name: &str| service_of(Path::new("/run/libvirt").join(name).as_path());
        assert_eq!(service("libvirt-sock-ro").as_deref(), Some("libvirtd"));
        assert_eq!(service("virtqemud-sock").as_deref(), Some("virtqemud"));
        assert_eq!(service("other.sock"), None);
    }
}
