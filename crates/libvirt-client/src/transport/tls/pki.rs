//! Where the certificates and keys are, as libvirt's own client finds them.
//!
//! `virNetTLSContextLocateCredentials`, <https://libvirt.org/kbase/tlscerts.html>.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The files that TLS needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pki {
    /// The certificates of the CAs that we trust.
    pub(super) ca: PathBuf,
    /// The list of what they have revoked, where there is one.
    pub(super) crl: Option<PathBuf>,
    /// Our certificate and its key; or which of the two is not there, or out of reach: without one
    /// there is a libvirtd that lets us in, and one that does not.
    pub(super) identity: Result<(PathBuf, PathBuf), PathBuf>,
}

impl Pki {
    /// Those in a directory that was named, else the user's own, unless that is root, else the
    /// system's.
    pub(super) fn find(named: Option<&Path>) -> Self {
        let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
        let home = env::var_os("HOME").filter(|home| !home.is_empty() && !is_root);
        Self::among(named, home.as_deref().map(Path::new), Path::new("/etc/pki"))
    }

    fn among(named: Option<&Path>, home: Option<&Path>, system: &Path) -> Self {
        let there = |path: PathBuf| path.exists().then_some(path);
        let is_there = |path: PathBuf| if path.exists() { Ok(path) } else { Err(path) };
        let pair = |certificate, key| Ok((is_there(certificate)?, is_there(key)?));
        if let Some(dir) = named {
            return Self {
                ca: dir.join("cacert.pem"),
                crl: there(dir.join("cacrl.pem")),
                identity: pair(dir.join("clientcert.pem"), dir.join("clientkey.pem")),
            };
        }
        let home = home.map(|home| home.join(".pki/libvirt"));
        let of_home = |name| home.as_ref().and_then(|dir| there(dir.join(name)));
        let of_system = |name| system.join("CA").join(name);
        let libvirt = system.join("libvirt");
        Self {
            ca: of_home("cacert.pem").unwrap_or_else(|| of_system("cacert.pem")),
            crl: of_home("cacrl.pem").or_else(|| there(of_system("cacrl.pem"))),
            identity: of_home("clientcert.pem").zip(of_home("clientkey.pem")).map_or_else(
                || pair(libvirt.join("clientcert.pem"), libvirt.join("private/clientkey.pem")),
                Ok,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes files, and shows what is found of a user who has these and those of the system.
    fn found(files: &[&str], named: Option<&str>) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let named = named.map(|named| dir.path().join(named));
        let Pki { ca, crl, identity } =
            Pki::among(named.as_deref(), Some(&dir.path().join("home")), &dir.path().join("etc"));
        let (certificate, key) = identity.ok().unzip();
        let paths = [Some(ca), crl, certificate, key].into_iter().flatten();
        let relative = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().display().to_string();
        paths.map(relative).collect()
    }

    const SYSTEM: [&str; 4] = [
        "etc/CA/cacert.pem",
        "etc/CA/cacrl.pem",
        "etc/libvirt/clientcert.pem",
        "etc/libvirt/private/clientkey.pem",
    ];

    #[test]
    fn the_systems_files_are_taken_where_the_user_has_none() {
        assert_eq!(found(&SYSTEM, None), SYSTEM);
        assert_eq!(found(&[], None), ["etc/CA/cacert.pem"], "one is needed, and missed later");
    }

    #[test]
    fn the_users_files_come_first_and_the_pair_is_a_pair() {
        let certificate = "home/.pki/libvirt/clientcert.pem";
        let key = "home/.pki/libvirt/clientkey.pem";
        let ca = "home/.pki/libvirt/cacert.pem";
        let with = |more: &[&'static str]| [&SYSTEM[..], more].concat();
        assert_eq!(found(&with(&[certificate]), None), SYSTEM);
        let [_, crl, ..] = SYSTEM;
        assert_eq!(found(&with(&[certificate, key]), None), [SYSTEM[0], crl, certificate, key]);
        assert_eq!(found(&with(&[ca]), None), [ca, crl, SYSTEM[2], SYSTEM[3]]);
    }

    #[test]
    fn what_is_missing_of_the_pair_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let missing = || Pki::among(Some(dir.path()), None, Path::new("/")).identity.unwrap_err();
        assert_eq!(missing(), dir.path().join("clientcert.pem"));
        fs::write(dir.path().join("clientcert.pem"), "").unwrap();
        assert_eq!(missing(), dir.path().join("clientkey.pem"));
    }

    #[test]
    fn a_directory_that_is_named_is_the_only_one() {
        let files =
            ["etc/CA/cacert.pem", "etc/CA/cacrl.pem", "p/clientcert.pem", "p/clientkey.pem"];
        assert_eq!(
            found(&files, Some("p")),
            ["p/cacert.pem", "p/clientcert.pem", "p/clientkey.pem"]
        );
    }
}
