//! What keeps us out, and what mends it.

use std::path::Path;

use libvirt_client::Obstacle;

use super::{AUTHENTICATION, Door, SOCKET, service_of, word};
use crate::{check::finding::Finding, log::escaped};

pub(super) fn findings(door: &Door, obstacle: Obstacle, told: &str) -> Vec<Finding> {
    let socket = escaped(&door.socket.to_string_lossy());
    let told = escaped(told);
    let service = door.service();
    // It answers, whatever it says.
    let answers = || Finding::ok(SOCKET, format!("{socket} answers"));
    match obstacle {
        Obstacle::Absent => vec![absent(door)],
        Obstacle::Nobody => {
            let said = format!("{socket} is there, and nobody listens on it");
            vec![started(Finding::loss(SOCKET, said), door)]
        }
        Obstacle::Forbidden => vec![forbidden(door, &socket)],
        // The others are of another host's.
        Obstacle::Socket
        | Obstacle::Name
        | Obstacle::Program
        | Obstacle::File
        | Obstacle::Certificate
        | Obstacle::Tls
        | Obstacle::OurCertificate => vec![Finding::loss(SOCKET, told)],
        Obstacle::Password => vec![
            answers(),
            Finding::loss(AUTHENTICATION, told).advised(
                "The user and password are libvirtd's own (saslpasswd2 -a libvirt). Give them with \
                 --auth.file, or --auth.username and --auth.password-file.",
            ),
        ],
        Obstacle::Silent => {
            let said = format!("{socket} takes connections, and says nothing: {told}");
            vec![
                Finding::loss(SOCKET, said)
                    .mended(
                        "libvirt stands still, or has as many clients as max_clients lets in. Restart it; guests go on running:",
                        [format!("systemctl restart {service}")],
                    )
                    .mended("What it was at:", [format!("journalctl -u {service} -n 50")]),
            ]
        }
        Obstacle::HungUp => {
            let said = format!("{socket} hangs up in the middle of the conversation: {told}");
            vec![
                Finding::loss(SOCKET, said)
                    .mended(
                        "If it is libvirt's, it logs why:",
                        [format!("journalctl -u {service} -n 50")],
                    )
                    .mended("Whose it is:", [format!("ss -xlp src {}", word(&socket))]),
            ]
        }
        Obstacle::Credentials | Obstacle::Polkit => {
            let finding = Finding::loss(AUTHENTICATION, told);
            vec![answers(), let_in(finding, door, obstacle == Obstacle::Polkit)]
        }
        Obstacle::Refused => {
            let said = format!("libvirt does not open {}: {told}", escaped(&door.driver));
            vec![
                answers(),
                Finding::loss("driver", said)
                    .advised("The driver is a package of its own: libvirt-daemon-driver-qemu.")
                    .mended(
                        "If it is installed, libvirt logs why it did not load:",
                        [format!("journalctl -u {service} -n 50")],
                    ),
            ]
        }
    }
}

fn absent(door: &Door) -> Finding {
    let paths: Vec<_> =
        door.candidates.iter().map(|path| escaped(&path.to_string_lossy())).collect();
    let said = format!("there is no {}", paths.join(", nor "));
    let directory = door.socket.parent().unwrap_or(&door.socket).to_string_lossy().into_owned();
    if !door.has_directory {
        let said = format!("{said}, nor its directory");
        return started(Finding::loss(SOCKET, said), door).mended(
            "In a container, share the host's directory with it:",
            [format!("podman run -v {directory}:{directory}:ro ...")],
        );
    }
    let finding = started(Finding::loss(SOCKET, said), door);
    if is_libvirts(door) {
        return finding;
    }
    finding.mended("Which sockets there are, for -uri:", ["ls -l /run/libvirt/*sock*"])
}

/// Adds how what listens is started.
fn started(finding: Finding, door: &Door) -> Finding {
    let units = door.candidates.iter().filter_map(|path| unit_of(path));
    let commands: Vec<_> = units.map(|unit| format!("systemctl start {unit}")).collect();
    if is_libvirts(door) && !commands.is_empty() {
        let words = match commands.len() {
            1 => "Start what listens there:",
            _ => "Start what listens there; this host has one of:",
        };
        return finding.mended(words, commands);
    }
    if door.driver.ends_with("/session") {
        let words = "A user's own libvirt starts with whoever asks for it:";
        return finding.mended(words, ["virsh -c qemu:///session list"]);
    }
    finding.advised("Start the libvirt that listens there, or name another socket with -uri.")
}

fn forbidden(door: &Door, socket: &str) -> Finding {
    let uid = door.uid.map_or_else(String::new, |uid| format!(", for the user {uid}"));
    let mode = door.owner.map_or_else(String::new, |(owner, mode)| {
        format!("; it is the user {owner}'s, with mode {mode:04o}")
    });
    let said = format!("{socket}: permission denied{uid}{mode}");
    let finding = Finding::loss(SOCKET, said);
    if let Some(read_only) = &door.read_only {
        let words = "This one may write, and is closed. The one beside it may only read:";
        let command = format!("libvirt_nova -uri {}", word(&read_only.to_string_lossy()));
        return finding.mended(words, [command]);
    }
    if door.owner.is_none() {
        let words = "A directory on the way to it is closed. Which one:";
        return finding.mended(words, [format!("namei -l {}", word(socket))]);
    }
    let service = door.service();
    finding
        .mended(
            "Open it to all, for it may only read. Where systemd listens for libvirt, with SocketMode=0666 in:",
            [format!("systemctl edit {}", unit_of(&door.socket).unwrap_or_else(|| format!("{service}-ro.socket")))],
        )
        .mended(
            format!("else in /etc/libvirt/{service}.conf:"),
            ["unix_sock_ro_perms = \"0777\"".to_owned(), format!("systemctl restart {service}")],
        )
}

/// Adds what makes libvirt let us in.
fn let_in(finding: Finding, door: &Door, by_polkit: bool) -> Finding {
    let service = door.service();
    let finding = if by_polkit {
        finding.mended(
            "polkit's default lets everybody read, but polkitd has to run beside libvirt:",
            ["systemctl start polkit"],
        )
    } else {
        finding
    };
    // The socket that may write has a setting of its own, and is better left as it is.
    finding.mended(
        format!("Let everybody in on the read-only socket, in /etc/libvirt/{service}.conf:"),
        ["auth_unix_ro = \"none\"".to_owned(), format!("systemctl restart {service}")],
    )
}

/// Whether the socket is where libvirt's packages put it.
fn is_libvirts(door: &Door) -> bool {
    let directories = ["/run/libvirt", "/var/run/libvirt"].map(Path::new);
    door.socket.parent().is_some_and(|parent| directories.contains(&parent))
}

/// The unit by which systemd listens on a socket for libvirt.
fn unit_of(socket: &Path) -> Option<String> {
    let service = service_of(socket)?;
    let is_read_only = socket.to_string_lossy().ends_with("-ro");
    Some(format!("{service}{}.socket", if is_read_only { "-ro" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{
        door::{Outcome, tests::door},
        finding::Verdict,
    };

    const RO: &str = "/run/libvirt/libvirt-sock-ro";
    const QEMU_RO: &str = "/run/libvirt/virtqemud-sock-ro";

    fn shut(socket: &str, obstacle: Obstacle) -> Door {
        door(socket, Outcome::Failed { obstacle, told: "told".to_owned() })
    }

    /// What is lost, and the commands that mend it.
    fn lost(door: &Door) -> (Finding, Vec<String>) {
        let mut found = crate::check::door::findings(door);
        let loss = found.pop().unwrap();
        assert_eq!(loss.verdict, Verdict::Loss);
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Ok), "{found:?}");
        let commands = loss.remedies.iter().flat_map(|it| it.commands.clone()).collect();
        (loss, commands)
    }

    #[test]
    fn a_socket_that_is_missing_is_looked_for_where_it_might_be() {
        let candidates = vec![QEMU_RO.into(), RO.into()];
        let both = Door { candidates, ..shut(RO, Obstacle::Absent) };
        let (loss, commands) = lost(&both);
        assert_eq!(loss.said, format!("there is no {QEMU_RO}, nor {RO}"));
        assert_eq!(
            commands,
            ["systemctl start virtqemud-ro.socket", "systemctl start libvirtd-ro.socket"]
        );
        let (loss, commands) = lost(&Door { has_directory: false, ..both });
        assert!(loss.said.ends_with(", nor its directory"), "{loss:?}");
        let share = "podman run -v /run/libvirt:/run/libvirt:ro ...";
        assert_eq!(commands.last().unwrap(), share);
        let (_, commands) = lost(&shut("/a/sock", Obstacle::Absent));
        assert_eq!(commands, ["ls -l /run/libvirt/*sock*"]);
        let session = Door {
            driver: "qemu:///session".to_owned(),
            ..shut("/run/user/1000/libvirt/virtqemud-sock", Obstacle::Nobody)
        };
        assert_eq!(lost(&session).1, ["virsh -c qemu:///session list"]);
    }

    #[test]
    fn a_socket_that_nobody_listens_on_is_started() {
        let (loss, commands) = lost(&shut(RO, Obstacle::Nobody));
        assert!(loss.said.ends_with("nobody listens on it"), "{loss:?}");
        assert_eq!(commands, ["systemctl start libvirtd-ro.socket"]);
    }

    #[test]
    fn a_closed_socket_says_who_we_are_and_how_it_is_opened() {
        let closed = Door { owner: Some((0, 0o700)), ..shut(QEMU_RO, Obstacle::Forbidden) };
        let (loss, commands) = lost(&closed);
        assert_eq!(
            loss.said,
            format!(
                "{QEMU_RO}: permission denied, for the user 1000; it is the user 0's, with mode 0700"
            )
        );
        assert_eq!(
            commands[..2],
            ["systemctl edit virtqemud-ro.socket", "unix_sock_ro_perms = \"0777\""]
        );
        let (_, commands) = lost(&Door { owner: None, ..closed.clone() });
        assert_eq!(commands, [format!("namei -l {QEMU_RO}")]);
        let (_, commands) = lost(&Door { read_only: Some(RO.into()), ..closed });
        assert_eq!(commands, [format!("libvirt_nova -uri {RO}")]);
    }

    #[test]
    fn who_is_not_let_in_is_told_the_setting_of_the_daemon() {
        for (obstacle, polkit) in [(Obstacle::Polkit, true), (Obstacle::Credentials, false)] {
            let (loss, commands) = lost(&shut(QEMU_RO, obstacle));
            assert_eq!((loss.subject, &*loss.said), (AUTHENTICATION, "told"));
            assert_eq!(commands[0] == "systemctl start polkit", polkit);
            let last = ["auth_unix_ro = \"none\"", "systemctl restart virtqemud"];
            assert!(commands.ends_with(&last.map(str::to_owned)), "{commands:?}");
            assert!(loss.remedies.last().unwrap().words.ends_with("/etc/libvirt/virtqemud.conf:"));
        }
    }

    #[test]
    fn a_daemon_that_stands_still_or_hangs_up_or_lacks_the_driver_is_restarted_or_read() {
        let first = |obstacle| lost(&shut(RO, obstacle)).1.remove(0);
        assert_eq!(first(Obstacle::Silent), "systemctl restart libvirtd");
        assert_eq!(first(Obstacle::HungUp), "journalctl -u libvirtd -n 50");
        let (loss, _) = lost(&shut(RO, Obstacle::Refused));
        assert_eq!(loss.said, "libvirt does not open qemu:///system: told");
    }

    #[test]
    fn what_libvirtd_says_cannot_move_a_terminal() {
        let told = "x\u{1b}[2J".to_owned();
        let door = door(RO, Outcome::Failed { obstacle: Obstacle::Polkit, told });
        assert_eq!(lost(&door).0.said, r"x\u{1b}[2J");
    }
}
