//! libvirt's `auth.conf`: which credentials are for which host, and what they are.
//!
//! libvirt has GLib read it (`GKeyFile`): blanks around a name and before a value do not count, those
//! after a value do, there are no quotes, and five escapes. A library for `.ini` files would read
//! other passwords than libvirt does.

use std::{
    collections::HashMap,
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use crate::small_file::read_text;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;

/// A file of the form of `auth.conf`.
#[derive(Debug)]
pub(super) struct AuthFile {
    path: PathBuf,
    groups: HashMap<String, Items>,
}

/// What a group says, by name.
pub(super) type Items = HashMap<String, String>;

impl AuthFile {
    /// Reads it.
    pub(super) fn open(path: &Path) -> Result<Self, AuthFileError> {
        let error = |kind| AuthFileError { path: path.to_owned(), kind };
        let text = read_text(path).map_err(|io| error(Kind::Unreadable(io)))?;
        Ok(Self { path: path.to_owned(), groups: groups(&text).map_err(error)? })
    }

    /// The credentials for a host's libvirtd, where there are any for it or for all.
    pub(super) fn credentials(&self, host: &str) -> Result<Option<&Items>, AuthFileError> {
        let error = |kind| AuthFileError { path: self.path.clone(), kind };
        let names = [host, "default"].map(|host| format!("auth-libvirt-{host}"));
        let find = |name| self.groups.get_key_value(name);
        let Some((group, items)) = names.iter().find_map(find) else { return Ok(None) };
        let Some(credentials) = items.get("credentials") else {
            return Err(error(Kind::NoCredentials { group: group.clone() }));
        };
        match self.groups.get(&format!("credentials-{credentials}")) {
            Some(items) => Ok(Some(items)),
            None => {
                let (name, group) = (credentials.clone(), group.clone());
                Err(error(Kind::NoGroup { name, group }))
            }
        }
    }
}

/// Reads a file that holds a password and nothing else.
pub(super) fn password(path: &Path) -> Result<String, AuthFileError> {
    let error = |kind| AuthFileError { path: path.to_owned(), kind };
    let text = read_text(path).map_err(|io| error(Kind::Unreadable(io)))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() { Err(error(Kind::Empty)) } else { Ok(password.to_owned()) }
}

fn groups(text: &str) -> Result<HashMap<String, Items>, Kind> {
    let mut groups = HashMap::<String, Items>::new();
    let mut group = None;
    for (line, text) in (1..).zip(text.split('\n')) {
        let text = text.strip_suffix('\r').unwrap_or(text).trim_start_matches(BLANKS);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(rest) = text.strip_prefix('[') {
            let closed = rest.split_once(']').filter(|(name, rest)| {
                let is_name = |letter: char| letter != '[' && !letter.is_ascii_control();
                !name.is_empty()
                    && name.chars().all(is_name)
                    && rest.trim_matches(BLANKS).is_empty()
            });
            let Some((name, _)) = closed else { return Err(Kind::Line(line)) };
            group = Some(groups.entry(name.to_owned()).or_default());
            continue;
        }
        let (Some((name, value)), Some(group)) = (text.split_once('='), &mut group) else {
            return Err(Kind::Line(line));
        };
        let name = name.trim_end_matches(BLANKS);
        if name.is_empty() {
            return Err(Kind::Line(line));
        }
        group.insert(name.to_owned(), unescaped(value.trim_start_matches(BLANKS)));
    }
    Ok(groups)
}

/// What `g_ascii_isspace` takes for a blank, of what a line can hold.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\x0c'];

/// A value as it is meant: `\s`, `\t`, `\n`, `\r` and `\\` are what they stand for, and any other
/// character after a backslash is that, with the backslash.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('s') => text.push(' '),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('\\') => text.push('\\'),
            Some(other) => text.extend(['\\', other]),
            None => {}
        }
    }
    text
}

/// A file with credentials that is of no use. Says nothing of what is in it.
#[derive(Debug)]
pub(crate) struct AuthFileError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Unreadable(io::Error),
    /// A password's file without one.
    Empty,
    /// A line that is neither a group, an item, nor a comment.
    Line(usize),
    /// A host's group that does not say which credentials.
    NoCredentials {
        group: String,
    },
    /// Credentials that are not there.
    NoGroup {
        name: String,
        group: String,
    },
}

impl fmt::Display for AuthFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Unreadable(_) => write!(f, "cannot read {path}"),
            Kind::Empty => write!(f, "{path} is empty, expected a password"),
            Kind::Line(line) => {
                write!(f, "{path}, line {line}: expected [group], name=value or # comment")
            }
            Kind::NoCredentials { group } => {
                write!(f, "{path}: [{group}] has no credentials=")
            }
            Kind::NoGroup { name, group } => {
                write!(
                    f,
                    "{path}: [{group}] names credentials that are not there, expected [credentials-{name}]"
                )
            }
        }
    }
}

impl Error for AuthFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Unreadable(error) => Some(error),
            Kind::Empty | Kind::Line(_) | Kind::NoCredentials { .. } | Kind::NoGroup { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<AuthFile, AuthFileError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.conf");
        std::fs::write(&path, text).unwrap();
        let mut file = AuthFile::open(&path)?;
        file.path = "auth.conf".into();
        Ok(file)
    }

    const TWO: &str = "# ours\n [credentials-a] \r\n authname = nova\r\npassword\t= =\"#; \n\n\
        [auth-libvirt-h1]\ncredentials=a\n;others=\n[credentials-b]\npassword[de]=c\npassword=b\n\
        [auth-libvirt-default]\ncredentials=b";

    #[test]
    fn a_host_has_its_own_credentials_or_those_of_all() {
        let file = file(TWO).unwrap();
        let item = |host, name| &*file.credentials(host).unwrap().unwrap()[name];
        assert_eq!(item("h1", "authname"), "nova");
        assert_eq!(item("h1", "password"), "=\"#; ", "blanks after a value are part of it");
        assert_eq!(item("h2", "password"), "b");
        assert_eq!(item("H1", "password"), "b", "case counts");
    }

    /// As GLib 2.74 reads these.
    #[test]
    fn a_value_has_the_escapes_that_glib_knows() {
        for (written, meant) in [
            (r"\sa\\b\tc\nd\re", " a\\b\tc\nd\re"),
            (r"a\qb\;", r"a\qb\;"),
            (r"a\", "a"),
            ("a\x0bb\x0c", "a\x0bb\x0c"),
            ("", ""),
        ] {
            let text = format!("[auth-libvirt-default]\ncredentials={written}");
            let file = file(&text).unwrap();
            assert_eq!(file.groups["auth-libvirt-default"]["credentials"], meant, "{written}");
        }
    }

    #[test]
    fn nobody_without_a_group_has_credentials() {
        let file = file("[auth-libvirt-h1]\ncredentials=a\n[credentials-a]\n").unwrap();
        assert!(file.credentials("h1").unwrap().unwrap().is_empty());
        assert!(file.credentials("h2").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_without_what_is_in_the_file() {
        let refused = |text| file(text).unwrap_err().to_string();
        for text in [
            "password=x",
            "[a]\nsecret",
            "[a]\n;secret",
            "[a]\n =secret",
            "[a\n",
            "[a]x\n",
            "[]\n",
            "[a[b]\n",
            "[a\tb]\n",
        ] {
            let line = text.lines().count();
            let said = refused(text);
            let expected = format!("line {line}: expected [group], name=value or # comment");
            assert!(said.ends_with(&expected), "{said}");
        }
        let said = |text| file(text).unwrap().credentials("h").unwrap_err().to_string();
        assert_eq!(said("[auth-libvirt-h]\n"), "auth.conf: [auth-libvirt-h] has no credentials=");
        assert_eq!(
            said("[auth-libvirt-default]\ncredentials=a\n"),
            "auth.conf: [auth-libvirt-default] names credentials that are not there, expected [credentials-a]"
        );
    }
}
