//! An sshd in a network that is not this host's, with keys of its own.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
};

use crate::{
    fixture::new_dir,
    libvirtd::Libvirtd,
    machine::Machine,
    process::{output, signal},
    wait::{PATIENCE, wait_until},
};

/// Whose 127.0.0.1 is its own.
pub(crate) trait Network: fmt::Debug {
    /// A command that runs there, with the files of this host.
    fn enter(&self) -> Command;
}

impl Network for Libvirtd {
    fn enter(&self) -> Command {
        self.enter()
    }
}

impl Network for Machine {
    fn enter(&self) -> Command {
        self.beside()
    }
}

/// A running sshd, on 127.0.0.1:22 of its network; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Sshd<'n> {
    network: &'n dyn Network,
    dir: PathBuf,
    child: Option<Child>,
}

impl<'n> Sshd<'n> {
    /// Starts one that lets root in by a key; returns when it listens.
    pub(crate) fn start(network: &'n dyn Network) -> Self {
        let dir = new_dir("ssh");
        for name in ["host", "key"] {
            make_key(&dir.join(name));
        }
        fs::copy(dir.join("key.pub"), dir.join("authorized")).unwrap();
        let place = dir.display();
        // Whose client was killed behind a cut hears of it in no other way than by asking.
        let config = format!(
            "ClientAliveInterval 10\n\
             ClientAliveCountMax 6\n\
             ListenAddress 127.0.0.1:22\n\
             HostKey {place}/host\n\
             AuthorizedKeysFile {place}/authorized\n\
             PidFile none\n\
             PermitRootLogin prohibit-password\n\
             PasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n\
             UsePAM no\n\
             StrictModes no\n"
        );
        fs::write(dir.join("sshd_config"), config).unwrap();
        let mut sshd = Self { network, dir, child: None };
        sshd.know_host("host");
        // Debian's package has systemd make it.
        fs::create_dir_all("/run/sshd").unwrap();
        sshd.listen();
        sshd
    }

    /// Starts it again; returns when it listens.
    pub(crate) fn listen(&mut self) {
        let log = self.file("log");
        let mut command = self.network.enter();
        // It starts itself again for each connection, and has to know its path for that.
        command.args(["/usr/sbin/sshd", "-D", "-e", "-f"]).arg(self.file("sshd_config"));
        command.stderr(fs::File::create(&log).unwrap());
        self.child = Some(command.spawn().unwrap());
        wait_until(PATIENCE, "an sshd that listens", || {
            fs::read_to_string(&log).unwrap().contains("Server listening").then_some(())
        });
    }

    /// Ends it, and with it whoever is connected through it.
    pub(crate) fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Each connection is a child of it, which goes on by itself.
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let children = fs::read_to_string(children).unwrap_or_default();
        signal(child.id(), "TERM");
        child.wait().unwrap();
        for child in children.split_whitespace() {
            // It may have ended meanwhile.
            let _ = Command::new("sh").args(["-c", "kill $1 2>&-", "sh", child]).status();
        }
    }

    /// Gives it another host's key from its next start on.
    pub(crate) fn change_host_key(&self) {
        for name in ["host", "host.pub"] {
            fs::remove_file(self.file(name)).unwrap();
        }
        make_key(&self.file("host"));
    }

    /// Makes the key of this name all that clients know of this host.
    pub(crate) fn know_host(&self, name: &str) {
        self.know("127.0.0.1", name);
    }

    /// Makes clients know it by another address instead.
    pub(crate) fn know_address(&self, address: &str) {
        self.know(address, "host");
    }

    fn know(&self, address: &str, name: &str) {
        let key = fs::read_to_string(self.file(&format!("{name}.pub"))).unwrap();
        let words: Vec<_> = key.split_whitespace().take(2).collect();
        fs::write(self.file("known"), format!("{address} {}\n", words.join(" "))).unwrap();
    }

    /// Holds the client's key to options of `authorized_keys`.
    pub(crate) fn hold_key_to(&self, options: &str) {
        let key = fs::read_to_string(self.file("key.pub")).unwrap();
        fs::write(self.file("authorized"), format!("{options} {key}")).unwrap();
    }

    /// A key by which nobody comes in.
    pub(crate) fn foreign_key(&self) -> PathBuf {
        let file = self.file("foreign");
        make_key(&file);
        file
    }

    /// A file of its directory: the client's `key`, `known` hosts, the `log`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A URI by the client's key and what is known of this host, with more parameters.
    pub(crate) fn uri(&self, more: &str) -> String {
        let (key, known) = (self.file("key"), self.file("known"));
        let (key, known) = (key.display(), known.display());
        format!("qemu+ssh://root@127.0.0.1/system?keyfile={key}&known_hosts={known}{more}")
    }

    /// A program that becomes ssh with what is known of this host, for virsh, which leaves that to ssh.
    pub(crate) fn knowing(&self) -> PathBuf {
        let program = self.file("knowing");
        let known = self.file("known");
        let script =
            format!("#!/bin/sh\nexec ssh -o UserKnownHostsFile={} \"$@\"\n", known.display());
        write_program(&program, &script);
        program
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() {
            let log = fs::read_to_string(self.file("log")).unwrap_or_default();
            eprintln!("sshd's log:\n{log}");
        }
    }
}

/// Writes a script that can be run.
pub(crate) fn write_program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn make_key(file: &Path) {
    output(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file));
}
