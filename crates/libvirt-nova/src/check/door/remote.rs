//! The way to another host: what keeps us out there, and what mends it.

use libvirt_client::Obstacle;

use super::{AUTHENTICATION, Door, Outcome};
use crate::{
    check::{finding::Finding, naming},
    log::escaped,
};

const CONNECTION: &str = "connection";

pub(super) fn findings(door: &Door, peer: &str) -> Vec<Finding> {
    let peer = escaped(peer);
    let virsh = format!("virsh -r -c {} list", naming::quoted(&door.uri));
    match &door.outcome {
        Outcome::Opened { .. } => {
            let mut findings = vec![Finding::ok(CONNECTION, format!("libvirtd answers on {peer}"))];
            if transport(door) == Some("tcp") {
                let said = "nothing is encrypted: everybody on the way can read it, and answer in libvirtd's place";
                let advice = "Where the way is not yours alone, use qemu+tls:// or qemu+ssh://.";
                findings.push(Finding::note(CONNECTION, said).advised(advice));
            }
            findings
        }
        Outcome::Failed { obstacle: Obstacle::Program, told } if transport(door) == Some("ext") => {
            vec![Finding::loss(CONNECTION, escaped(told)).advised(
                "The program is run as this user, without a shell: what command= names must be there, and \
                 may be run by this user. libvirt's messages go through its standard input and output, \
                 and nothing else does; why it ends it can say on its standard error.",
            )]
        }
        Outcome::Failed { obstacle, told } => failure(&peer, &virsh, *obstacle, &escaped(told)),
    }
}

/// What the URI has after the driver's name, as `ssh` in `qemu+ssh://`.
fn transport(door: &Door) -> Option<&str> {
    let (scheme, _) = door.uri.split_once("://")?;
    scheme.split_once('+').map(|(_, transport)| transport)
}

/// The error says what is so; what mends it depends on whose it is to mend.
fn failure(peer: &str, virsh: &str, obstacle: Obstacle, told: &str) -> Vec<Finding> {
    let lost = |subject| Finding::loss(subject, told);
    // It answers, whatever it says.
    let answered = |finding| vec![Finding::ok(CONNECTION, format!("{peer} answers")), finding];
    match obstacle {
        Obstacle::Name => vec![
            lost(CONNECTION)
                .mended("Names come from /etc/hosts and the servers in:", ["cat /etc/resolv.conf"]),
        ],
        Obstacle::Absent | Obstacle::Nobody | Obstacle::Forbidden | Obstacle::Socket => vec![
            lost(CONNECTION).mended(
                "Start what listens there, on that host, or open the port in its firewall:",
                [
                    "systemctl enable --now libvirtd-tls.socket",
                    "systemctl enable --now virtproxyd-tls.socket",
                ],
            ),
        ],
        Obstacle::Silent => {
            vec![lost(CONNECTION).mended("Whether virsh gets an answer:", [virsh])]
        }
        Obstacle::Program => vec![
            lost(CONNECTION).advised(
                "ssh runs as this user and asks nobody: the host's key has to be in known_hosts, and a key \
                 of ours without a passphrase in authorized_keys there. The other host needs an sshd, and \
                 virt-ssh-helper (libvirt 6.8 or later), or netcat= and the socket that socket= names.",
            ),
        ],
        Obstacle::File => vec![lost("files").advised(
            "libvirt's places: /etc/pki/CA/cacert.pem, /etc/pki/libvirt/clientcert.pem and \
             private/clientkey.pem there; all three in one directory with pkipath=. This user must be able \
             to read them.",
        )],
        Obstacle::Certificate => answered(lost("certificate").advised(
            "Its CA belongs in cacert.pem (of /etc/pki/CA, or of pkipath=), and the host's name, as -uri \
             writes it, in the certificate. One that has expired or was revoked is to be replaced.",
        )),
        Obstacle::Tls => answered(lost("TLS").advised(
            "libvirtd has a port for TLS, 16514, and one without, 16509. The former wants TLS 1.2 or 1.3.",
        )),
        Obstacle::OurCertificate => answered(lost("certificate").advised(
            "Ours is to be signed by a CA that libvirtd knows, for TLS clients, and its name in \
             tls_allowed_dn_list where libvirtd's configuration has one.",
        )),
        Obstacle::Credentials | Obstacle::Password | Obstacle::Polkit => {
            answered(lost(AUTHENTICATION).advised(
                "The user and password are libvirtd's own (saslpasswd2 -a libvirt there). Give them with \
                 --auth.file, or --auth.username and --auth.password-file.",
            ))
        }
        Obstacle::Refused => answered(lost("driver").advised(
            "The driver is a package of its own on that host, libvirt-daemon-driver-qemu. Where access was \
             denied, libvirtd's own rules decide: access_drivers in its configuration, and polkit's.",
        )),
        Obstacle::HungUp => {
            vec![lost(CONNECTION).mended("On that host, libvirt logs why:", [
                "journalctl -u libvirtd -n 50",
                "journalctl -u virtproxyd -n 50",
            ])]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{door::tests::door, finding::Verdict};

    fn remote(uri: &str, outcome: Outcome) -> Door {
        let uri = uri.to_owned();
        Door { uri, remote: Some("h:1".to_owned()), ..door("", outcome) }
    }

    #[test]
    fn whatever_keeps_us_out_of_another_host_is_told_with_what_mends_it() {
        for obstacle in [
            Obstacle::Name,
            Obstacle::Nobody,
            Obstacle::Silent,
            Obstacle::Program,
            Obstacle::File,
            Obstacle::Certificate,
            Obstacle::Tls,
            Obstacle::OurCertificate,
            Obstacle::Password,
            Obstacle::Refused,
            Obstacle::HungUp,
        ] {
            let told = "told\u{202e}".to_owned();
            let door = remote("qemu+tls://h:1/system", Outcome::Failed { obstacle, told });
            let found = crate::check::door::findings(&door);
            let loss = found.last().unwrap();
            assert_eq!(loss.verdict, Verdict::Loss, "{obstacle:?}");
            assert!(loss.said.starts_with("told") && !loss.said.contains('\u{202e}'), "{loss:?}");
            assert!(!loss.remedies.is_empty(), "{obstacle:?}");
        }
    }

    #[test]
    fn a_program_that_is_not_ssh_gets_no_advice_about_ssh() {
        let mended = |uri| {
            let told = "told".to_owned();
            let door = remote(uri, Outcome::Failed { obstacle: Obstacle::Program, told });
            let found = crate::check::door::findings(&door);
            format!("{found:?}")
        };
        let ssh = mended("qemu+ssh://h/system");
        let program = mended("qemu+ext:///system?command=/ssh/c");
        assert!(ssh.contains("known_hosts") && !ssh.contains("command="), "{ssh}");
        assert!(program.contains("command=") && !program.contains("known_hosts"), "{program}");
    }

    #[test]
    fn what_goes_in_the_clear_is_noted() {
        let count = |uri| {
            let door = remote(uri, Outcome::Opened { by_polkit: false });
            crate::check::door::findings(&door).len()
        };
        assert_eq!(count("qemu+tls://h/system"), 1);
        assert_eq!(count("qemu+tcp://h/system"), 2);
    }
}
