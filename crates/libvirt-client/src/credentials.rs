//! Users and passwords: where they are written, never what they are.
//!
//! * [`auth_file`]: libvirt's `auth.conf`

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use self::auth_file::AuthFile;
pub(crate) use self::auth_file::AuthFileError;
#[cfg(any(test, fuzzing))]
pub(crate) use self::auth_file::fuzz;
use crate::{Address, error::ConnectKind};

mod auth_file;

/// Where the user and password for SASL are written. Files are read anew at each attempt to
/// connect, so a password that was changed is taken without a restart.
///
/// Whatever is not named here comes from the file that the URI names (`authfile=`) and else from
/// libvirt's own: the one that `LIBVIRT_AUTH_FILE` names, `libvirt/auth.conf` in the user's
/// configuration, or `/etc/libvirt/auth.conf` (<https://libvirt.org/auth.html>). The user of a URI
/// (`user@host`) is none to libvirt; here it is the one, where nobody else is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// A file of the form of libvirt's `auth.conf`.
    pub auth_file: Option<PathBuf>,
    /// The user.
    pub username: Option<String>,
    /// A file with nothing but the password; a line's end after it is not part of it.
    pub password_file: Option<PathBuf>,
}

/// A user and the password.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The password is in no log.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The user and password for a libvirtd.
    pub(crate) fn find(&self, address: &Address) -> Result<Login, ConnectKind> {
        let mut user = self.username.clone();
        let mut password = match &self.password_file {
            Some(path) => Some(auth_file::password(path).map_err(ConnectKind::AuthFile)?),
            None => None,
        };
        let mut looked = Vec::new();
        if user.is_none() || password.is_none() {
            let named = address.auth_file().or(self.auth_file.as_ref()).cloned();
            let paths = match named {
                Some(path) => vec![path],
                // As libvirt: the first that is there counts alone.
                None => usual_places().into_iter().filter(|path| path.exists()).take(1).collect(),
            };
            for path in &paths {
                let file = AuthFile::open(path).map_err(ConnectKind::AuthFile)?;
                let found = file.credentials(address.host()).map_err(ConnectKind::AuthFile)?;
                let item = |name: &str| found.and_then(|items| items.get(name)).cloned();
                user = user.or_else(|| item("authname"));
                password = password.or_else(|| item("password"));
            }
            looked = if paths.is_empty() { usual_places() } else { paths };
        }
        let user = user.or_else(|| address.user().map(str::to_owned));
        let misses = match (user, password) {
            (Some(user), Some(password)) => return Ok(Login { user, password }),
            (None, Some(_)) => "user",
            (Some(_), None) => "password",
            (None, None) => "user",
        };
        Err(ConnectKind::NoCredentials { looked, host: address.host().to_owned(), misses })
    }
}

/// Where libvirt looks for `auth.conf` (`virAuthGetConfigFilePath`), by rank.
fn usual_places() -> Vec<PathBuf> {
    let from = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(named) = from("LIBVIRT_AUTH_FILE") {
        return vec![named.into()];
    }
    let home = || from("HOME").map(|home| Path::new(&home).join(".config"));
    let of_user = from("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    let of_user = of_user.map(|dir| dir.join("libvirt/auth.conf"));
    of_user.into_iter().chain([PathBuf::from("/etc/libvirt/auth.conf")]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn what_is_named_comes_before_a_file_and_that_before_the_uri() {
        let dir = tempfile::tempdir().unwrap();
        let conf = "[auth-libvirt-default]\ncredentials=a\n[credentials-a]\nauthname=nova\npassword=of file\n";
        let auth_file = Some(written(dir.path(), "auth.conf", conf));
        let password_file = Some(written(dir.path(), "password", " spaces too \n"));
        let username = Some("named".to_owned());
        let find = |credentials: &Credentials, uri: &str| {
            let Login { user, password } = credentials.find(&uri.parse().unwrap()).unwrap();
            (user, password)
        };
        let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        let file = Credentials { auth_file, ..Credentials::default() };
        assert_eq!(find(&file, "qemu+tls://h/system"), pair("nova", "of file"));
        assert_eq!(find(&file, "qemu+tls://u@h/system"), pair("nova", "of file"));
        let alone = Credentials { password_file: password_file.clone(), ..Credentials::default() };
        let nowhere = written(dir.path(), "nobody.conf", "[auth-libvirt-other]\n");
        let uri = format!("qemu+tls://u@h/system?authfile={}", nowhere.display());
        assert_eq!(find(&alone, &uri), pair("u", " spaces too "));
        let all = Credentials { username, password_file, ..file };
        assert_eq!(find(&all, "qemu+tls://u@h/system"), pair("named", " spaces too "));
    }

    #[test]
    fn what_is_missing_is_told_with_where_it_was_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path(), "auth.conf", "# nobody\n");
        let credentials = Credentials { auth_file: Some(path.clone()), ..Credentials::default() };
        let error = credentials.find(&"qemu+tls://u@h/system".parse().unwrap()).unwrap_err();
        let ConnectKind::NoCredentials { looked, host, misses } = error else {
            panic!("{error:?}")
        };
        assert_eq!((looked, &*host, misses), (vec![path], "h", "password"));
    }

    #[test]
    fn a_password_is_printed_nowhere() {
        let login = Login { user: "nova".into(), password: "secret".into() };
        assert_eq!(format!("{login:?}"), "Login { user: \"nova\", .. }");
    }
}
