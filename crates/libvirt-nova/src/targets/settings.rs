//! What a targets file says.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use exposition::Labels;
use libvirt_client::{Access, Address, Credentials};

use super::labels;
use crate::config::{self, Fault, Section, Text};

/// What a targets file says of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TargetSettings {
    /// Where its libvirtd listens, and what it asks of us.
    pub(super) access: Access,
    /// Labels of all its samples.
    pub(super) labels: Labels,
}

/// Reads the text of a file: targets by their names. Paths in it are relative to `dir`; a target
/// that says nothing of credentials has `credentials`.
///
/// # Errors
///
/// When something in it is unknown, there twice, or not what it should be.
pub(super) fn read(
    text: &str,
    dir: &Path,
    credentials: &Credentials,
) -> Result<BTreeMap<Arc<str>, TargetSettings>, Fault> {
    let mut document = Section::new("", config::read_yaml(text)?)?;
    if document.is_empty() {
        // As a file is for a moment that is being written.
        return Err(Fault::new("is empty, expected targets"));
    }
    let targets = document.section("targets", "targets ")?.all_sections()?;
    document.end()?;
    if targets.len() > TARGETS_MAX {
        let what = format!("has {} targets, expected {TARGETS_MAX} at most", targets.len());
        return Err(Fault::new(what));
    }
    let target = |(name, section): (Text, Section)| {
        if let Some(complaint) = complaint(&name.text) {
            return Err(Fault::at(name.line, format!("the name of a target {complaint}")));
        }
        let settings = settings(&name, section, dir, credentials)?;
        Ok((name.text.into(), settings))
    };
    targets.into_iter().map(target).collect()
}

/// Targets of one exporter: what a core can poll each second, and some 300 MB.
const TARGETS_MAX: usize = 1_000;

/// What is wrong with the name of a target, and what is expected.
fn complaint(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("is empty, expected one like compute-1".into());
    }
    if name.len() > NAME_MAX {
        return Some(format!("has {} bytes, expected {NAME_MAX} at most", name.len()));
    }
    if name.contains(|c: char| c.is_whitespace() || !crate::log::is_printable(c)) {
        return Some("has a blank or a character that cannot be seen, expected none".into());
    }
    None
}

/// The longest name: that of a host in the DNS.
const NAME_MAX: usize = 253;

fn settings(
    name: &Text,
    mut section: Section,
    dir: &Path,
    credentials: &Credentials,
) -> Result<TargetSettings, Fault> {
    let Text { line, text: name } = name;
    if let Some(line) = section.line_of("password") {
        let what = format!(
            "targets {name} password is not taken from this file, expected password_file: the \
             path of a file with the password alone"
        );
        return Err(Fault::at(line, what));
    }
    let Some(uri) = section.text("uri")? else {
        let what = format!("targets {name} has no uri, expected one like qemu+tls://{name}/system");
        return Err(Fault::at(*line, what));
    };
    let address = uri.text.parse::<Address>().map_err(|error| uri.fault(&error))?;
    let path = |text: Option<Text>| text.map(|text| dir.join(text.text));
    let own = Credentials {
        auth_file: path(section.text("auth_file")?),
        username: section.text("username")?.map(|text| text.text),
        password_file: path(section.text("password_file")?),
    };
    let credentials = if own == Credentials::default() { credentials.clone() } else { own };
    let labels = labels::read(section.section("labels", format!("targets {name} labels "))?)?;
    section.end()?;
    Ok(TargetSettings { access: Access { address, credentials }, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Result<BTreeMap<Arc<str>, TargetSettings>, String> {
        let username = Some("of the flags".to_owned());
        let credentials = Credentials { username, ..Credentials::default() };
        read(text, Path::new("/etc/x"), &credentials).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_file_names_targets_with_all_that_is_theirs() {
        let text = "\
targets:
  compute-1:
    uri: qemu+tls://compute-1.example/system
    auth_file: auth.conf
    labels: {az: nova, rack: r1}
  compute-2:
    uri: qemu+tcp://compute-2.example/system
    username: nova
    password_file: /run/secret
  compute-3:
    uri: /run/libvirt/libvirt-sock-ro
";
        let targets = targets(text).unwrap();
        let names: Vec<_> = targets.keys().map(|name| &**name).collect();
        assert_eq!(names, ["compute-1", "compute-2", "compute-3"]);
        let [one, two, three] = [0, 1, 2].map(|at| &targets[names[at]]);
        assert_eq!(one.access.address.to_string(), "qemu+tls://compute-1.example/system");
        assert_eq!(one.labels, Labels::new(&[("az", "nova"), ("rack", "r1")]));
        let auth_file = Some("/etc/x/auth.conf".into());
        assert_eq!(one.access.credentials, Credentials { auth_file, ..Credentials::default() });
        let (username, password_file) = (Some("nova".to_owned()), Some("/run/secret".into()));
        let credentials = Credentials { auth_file: None, username, password_file };
        assert_eq!(two.access.credentials, credentials);
        assert_eq!(three.access.credentials.username.as_deref(), Some("of the flags"));
        assert_eq!(three.labels, Labels::default());
    }

    #[test]
    fn a_file_may_say_that_there_are_none() {
        assert_eq!(targets("targets: {}\n"), Ok(BTreeMap::new()));
        assert_eq!(targets("targets:\n"), Ok(BTreeMap::new()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let long = "x".repeat(254);
        for (text, said) in [
            ("", "is empty, expected targets"),
            ("# nothing\n", "is empty, expected targets"),
            ("- a\n", "line 1: the document is a list, expected a mapping"),
            ("target: {}\n", "line 1: target: no such key, expected one of targets"),
            ("targets: [a]\n", "line 1: targets is a list, expected a mapping"),
            ("targets:\n  a: x\n", "line 2: targets a is text, expected a mapping"),
            (
                "targets:\n  a:\n",
                "line 2: targets a has no uri, expected one like qemu+tls://a/system",
            ),
            (
                "targets:\n  a: {uri: ''}\n",
                "line 2: targets a has no uri, expected one like qemu+tls://a/system",
            ),
            ("targets:\n  a: {uri: [x]}\n", "line 2: targets a uri is a list, expected text"),
            ("targets:\n  a: {uri: /x}\n  a: {uri: /y}\n", "line 3: a is there twice"),
            ("targets:\n  a:\n    uri: /x\n    uri: /y\n", "line 4: uri is there twice"),
            (
                "targets:\n  a:\n    uri: /x\n    lables: {}\n",
                "line 4: targets a lables: no such key, expected one of uri, auth_file, username, \
                 password_file, labels",
            ),
            (
                "targets:\n  a:\n    uri: /x\n    password: geheim\n",
                "line 4: targets a password is not taken from this file, expected password_file: \
                 the path of a file with the password alone",
            ),
            (
                "targets:\n  a:\n    uri: /x\n    labels: x\n",
                "line 4: targets a labels is text, expected a mapping",
            ),
            (
                "targets:\n  a:\n    uri: /x\n    labels: {job: x}\n",
                "line 4: label job is Prometheus' own, expected another name: its scrape_configs \
                 set it",
            ),
            (
                "targets:\n  'a b': {uri: /x}\n",
                "line 2: the name of a target has a blank or a character that cannot be seen, \
                 expected none",
            ),
            (
                "targets:\n  \"a\\u202e\": {uri: /x}\n",
                "line 2: the name of a target has a blank or a character that cannot be seen, \
                 expected none",
            ),
            (
                "targets:\n  '': {uri: /x}\n",
                "line 2: the name of a target is empty, expected one like compute-1",
            ),
            (
                &format!("targets:\n  {long}: {{uri: /x}}\n"),
                "line 2: the name of a target has 254 bytes, expected 253 at most",
            ),
            ("targets: {\n", "line 1: is no YAML"),
        ] {
            let found = targets(text).unwrap_err();
            assert!(found.starts_with(said), "{text:?}: {found}");
            assert!(said.starts_with("line 1: is no YAML") || found == said, "{text:?}: {found}");
        }
        let found = targets("targets:\n  a:\n    uri: qemu+carrier://h/x\n").unwrap_err();
        assert!(found.starts_with("line 3: `qemu+carrier://h/x` "), "{found}");
    }

    #[test]
    fn a_thousand_targets_are_the_most() {
        let text = |count: usize| {
            let each = (0..count).map(|number| format!("  t{number}: {{uri: /x}}\n"));
            format!("targets:\n{}", each.collect::<String>())
        };
        assert_eq!(targets(&text(1_000)).unwrap().len(), 1_000);
        let found = targets(&text(1_001)).unwrap_err();
        assert_eq!(found, "has 1001 targets, expected 1000 at most");
    }
}
