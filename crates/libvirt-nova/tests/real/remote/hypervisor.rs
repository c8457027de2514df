//! A libvirtd that listens on the network, and who may come in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    certificates::{Authority, HERE, Issued, client_place},
    network::{attempts, watch},
    passwords::{PASSWORD, admit, auth_file},
};
use crate::{exporter::Exporter, libvirtd::Libvirtd, process::outcome};

/// A libvirtd on 127.0.0.1 of its own network, ports 16509 and 16514; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Hypervisor {
    pub(crate) libvirtd: Libvirtd,
    /// Whom it trusts, and who trusts it.
    pub(crate) authority: Authority,
    /// `pkipath=` of a client that may come in.
    pub(crate) pki: PathBuf,
}

impl Hypervisor {
    /// Starts one that wants no password; over TLS it wants a certificate.
    pub(crate) fn open() -> Self {
        Self::of(Authority::new(NAME))
    }

    /// The same in which this one signs.
    pub(crate) fn of(authority: Authority) -> Self {
        let hypervisor = Self::absent(authority);
        hypervisor.begin("none", &hypervisor.authority.server(HERE));
        hypervisor
    }

    /// The same with such a certificate.
    pub(crate) fn with_certificate(issue: impl FnOnce(&Authority) -> Issued) -> Self {
        let hypervisor = Self::absent(Authority::new(NAME));
        hypervisor.begin("none", &issue(&hypervisor.authority));
        hypervisor
    }

    /// Starts one that wants a password of whoever comes by TLS, TCP or the read-only socket.
    pub(crate) fn asking(mechanisms: &str) -> Self {
        let hypervisor = Self::absent(Authority::new(NAME));
        admit(&hypervisor.libvirtd, mechanisms);
        hypervisor.begin("sasl", &hypervisor.authority.server(HERE));
        hypervisor
    }

    fn absent(authority: Authority) -> Self {
        let pki = client_place(authority.certificate(), Some(&authority.client()));
        Self { libvirtd: Libvirtd::absent(), authority, pki }
    }

    fn begin(&self, auth: &str, server: &Issued) {
        fs::create_dir(self.libvirtd.dir().join("pki")).unwrap();
        fs::write(self.file("cacert.pem"), self.authority.certificate()).unwrap();
        self.identify(server);
        let place = self.file("");
        let place = place.display();
        let config = format!(
            "listen_tls = 1\n\
             listen_tcp = 1\n\
             listen_addr = \"127.0.0.1\"\n\
             auth_tls = \"{auth}\"\n\
             auth_tcp = \"{auth}\"\n\
             auth_unix_ro = \"{auth}\"\n\
             ca_file = \"{place}cacert.pem\"\n\
             cert_file = \"{place}servercert.pem\"\n\
             key_file = \"{place}serverkey.pem\"\n"
        );
        self.libvirtd.begin(&[("CONF", &config)]);
        watch(&self.libvirtd);
    }

    /// Gives it another certificate from its next start on.
    pub(crate) fn identify(&self, server: &Issued) {
        fs::write(self.file("servercert.pem"), &server.certificate).unwrap();
        fs::write(self.file("serverkey.pem"), &server.key).unwrap();
    }

    /// Starts libvirtd again, with the certificate that it has now.
    pub(crate) fn restart(&self) {
        self.libvirtd.daemon_stop();
        self.libvirtd.daemon_start();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.libvirtd.dir().join("pki").join(name)
    }

    /// The URI by TLS of a client with this `pkipath=`.
    pub(crate) fn tls(&self, pki: &Path) -> String {
        format!("qemu+tls://127.0.0.1/system?pkipath={}", pki.display())
    }

    /// Starts an exporter in its network that measures anew for each scrape.
    pub(crate) fn exporter(&self, uri: &str, flags: &[&str]) -> Exporter {
        self.exporter_as(&[], uri, flags)
    }

    /// The same by a command that becomes it.
    pub(crate) fn exporter_as(&self, becoming: &[&str], uri: &str, flags: &[&str]) -> Exporter {
        let flags = [&["-uri", uri, "--min-age=0"], flags].concat();
        Exporter::within(&self.libvirtd, becoming, &flags)
    }

    /// Asks virsh, in the same network, whether it comes in; returns what it complains of.
    pub(crate) fn virsh(&self, uri: &str) -> Result<(), String> {
        self.virsh_with(uri, PASSWORD)
    }

    /// The same with another password.
    pub(crate) fn virsh_with(&self, uri: &str, password: &str) -> Result<(), String> {
        let mut virsh = self.enter();
        let uri = format!("{uri}{}authfile={}", joint(uri), auth_file(password).display());
        // It waits for a silent peer for ever.
        virsh.args(["timeout", "60", "virsh", "-r", "-q", "-c", &uri, "list"]);
        let (success, _, stderr) = outcome(&mut virsh);
        if success { Ok(()) } else { Err(stderr) }
    }

    /// How many times anybody has tried to connect, or has hung up on libvirtd.
    pub(crate) fn knocks(&self) -> usize {
        // By the unix socket, nothing but the latter is seen.
        let complaints = self.libvirtd.log().matches("virNetSocketReadWire").count();
        attempts(&self.libvirtd) + complaints
    }

    /// A command in its network.
    pub(crate) fn enter(&self) -> Command {
        self.libvirtd.enter()
    }
}

const NAME: &str = "the right one";

/// What stands between a URI and one more parameter.
fn joint(uri: &str) -> char {
    if uri.contains('?') { '&' } else { '?' }
}

/// The ports that libvirtd listens on.
pub(crate) const TLS_PORT: u16 = 16514;
pub(crate) const TCP_PORT: u16 = 16509;
/// And an [`Sshd`](super::sshd::Sshd).
pub(crate) const SSH_PORT: u16 = 22;
