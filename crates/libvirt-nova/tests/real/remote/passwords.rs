//! SASL's side of libvirtd, and libvirt's file of passwords.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{fixture::new_dir, libvirtd::Libvirtd};

/// Who may come in, and by which word.
pub(crate) const USER: &str = "exporter";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// A word by which nobody comes in.
pub(crate) const WRONG: &str = "Tr0ub4dor&3";

/// Makes a libvirtd that is yet to start know the user, and offer these mechanisms.
pub(crate) fn admit(libvirtd: &Libvirtd, mechanisms: &str) {
    let place = libvirtd.dir().join("etc/sasl2");
    fs::create_dir_all(&place).unwrap();
    let database = place.join("passwords");
    let config = format!("mech_list: {mechanisms}\nsasldb_path: {}\n", database.display());
    fs::write(place.join("libvirt.conf"), config).unwrap();
    let mut saslpasswd = Command::new("saslpasswd2");
    // Of two lines on standard input, with `-p`, it would take both.
    saslpasswd.args(["-p", "-c", "-a", "libvirt", "-f"]).arg(&database).arg(USER);
    let mut child = saslpasswd.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{saslpasswd:?}");
}

/// Makes libvirt's file of credentials, with this password.
pub(crate) fn auth_file(password: &str) -> PathBuf {
    let file = new_dir("auth").join("auth.conf");
    write_auth(&file, password);
    file
}

/// Writes it anew.
pub(crate) fn write_auth(file: &Path, password: &str) {
    let text = format!(
        "[credentials-here]\nauthname={USER}\npassword={password}\n\n\
         [auth-libvirt-default]\ncredentials=here\n"
    );
    fs::write(file, text).unwrap();
}
