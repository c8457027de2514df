//! What `ssh` is told, so that its standard input and output lead to libvirtd's socket.
//!
//! `virNetSocketNewConnectSSH` and `virNetClientSSHHelperCommand` of libvirt are the models.

use tokio::process::Command;

use crate::address::{KnownHosts, Ssh, SshProxy};

/// The command that leads to libvirtd on another host.
pub(super) fn command(ssh: &Ssh) -> Command {
    let Ssh { host, command, keyfile, known_hosts, known_hosts_verify, proxy } = ssh;
    let mut line = match command {
        Some(command) => Command::new(command),
        None => Command::new("ssh"),
    };
    if let Some(port) = host.port {
        line.arg("-p").arg(port.to_string());
    }
    if let Some(user) = &host.user {
        line.arg("-l").arg(user);
    }
    if let Some(keyfile) = keyfile {
        line.arg("-i").arg(keyfile);
    }
    // There is nobody to ask, and no terminal.
    line.args(["-T", "-e", "none", "-o", "BatchMode=yes"]);
    match known_hosts_verify {
        KnownHosts::Normal => {}
        KnownHosts::Auto => drop(line.args(["-o", "StrictHostKeyChecking=accept-new"])),
        KnownHosts::Ignore => drop(line.args(["-o", "StrictHostKeyChecking=no"])),
    }
    if let Some(known_hosts) = known_hosts {
        // It would be taken apart at blanks.
        line.arg("-o").arg(format!("UserKnownHostsFile=\"{}\"", known_hosts.display()));
    }
    line.args(["--", &host.name, "sh", "-c"]).arg(quoted(&script(proxy)));
    line
}

/// What is done on the other host.
fn script(proxy: &SshProxy) -> String {
    let helper = |name: &str| format!("virt-ssh-helper -r {}", quoted(name));
    match proxy {
        SshProxy::Native { name } => format!("exec {}", helper(name)),
        SshProxy::Netcat { netcat, socket } => by_netcat(netcat, &socket.to_string_lossy()),
        SshProxy::Auto { name, socket } => {
            let netcat = by_netcat("nc", &socket.to_string_lossy());
            let helper = helper(name);
            format!(
                "if command -v virt-ssh-helper >/dev/null 2>&1; then exec {helper}; fi; {netcat}"
            )
        }
    }
}

/// Some netcats wait for the server's end when their input has ended, unless they are told not to;
/// others do not know how to be told.
fn by_netcat(netcat: &str, socket: &str) -> String {
    let (netcat, socket) = (quoted(netcat), quoted(socket));
    format!(
        "if {netcat} -q 2>&1 | grep 'requires an argument' >/dev/null 2>&1; \
         then exec {netcat} -q0 -U {socket}; else exec {netcat} -U {socket}; fi"
    )
}

/// One word of a shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, address::Transport};

    fn words(uri: &str) -> Vec<String> {
        let address: Address = uri.parse().unwrap();
        let Transport::Ssh(ssh) = address.transport() else { panic!("{uri}") };
        let command = command(ssh);
        let command = command.as_std();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn ssh_is_told_what_the_uri_says() {
        let uri = "qemu+ssh://nova@h:2222/system?keyfile=/k&known_hosts=/a%20b&no_verify=1";
        let words = words(uri);
        let (last, words) = words.split_last().unwrap();
        assert_eq!(
            words.join(" "),
            "ssh -p 2222 -l nova -i /k -T -e none -o BatchMode=yes -o StrictHostKeyChecking=no \
             -o UserKnownHostsFile=\"/a b\" -- h sh -c"
        );
        assert!(last.contains("virt-ssh-helper -r '\\''qemu:///system'\\''; fi;"), "{last}");
        assert!(last.contains("/var/run/libvirt/libvirt-sock-ro"), "{last}");
    }

    #[test]
    fn who_names_a_socket_or_netcat_means_netcat() {
        for uri in ["qemu+ssh://h/system?socket=/s", "qemu+ssh://h/system?netcat=ncat"] {
            let words = words(uri);
            assert!(!words.last().unwrap().contains("virt-ssh-helper"), "{words:?}");
        }
        let native = words("qemu+ssh://h/system?socket=/s&proxy=native");
        assert_eq!(native.last().unwrap(), r"'exec virt-ssh-helper -r '\''qemu:///system'\'''");
    }

    /// What a shell makes of a word is what it was.
    #[test]
    fn nothing_gets_out_of_its_quotes() {
        for word in ["a'b", "$(id) `id` \\ \" ; & | > *", "''", ""] {
            let script = format!("printf %s {}", quoted(word));
            let twice = format!("sh -c {}", quoted(&script));
            let run = std::process::Command::new("sh").args(["-c", &twice]).output().unwrap();
            assert_eq!(String::from_utf8(run.stdout).unwrap(), word);
        }
    }
}
