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
