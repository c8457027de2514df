//! What a web configuration says, before any file that it names is read.

use std::{path::Path, time::Duration};

use super::tls::TlsSettings;
use crate::{
    config::{self, Fault, Section, Text},
    fault::chain,
    flags,
    http::{ExtraHeaders, Users},
};

/// What a web configuration says.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None` where nothing is to be encrypted.
    pub(super) tls: Option<TlsSettings>,
    /// Headers of every response.
    pub(crate) headers: ExtraHeaders,
    /// Who may ask; where there is nobody, everybody may.
    pub(crate) users: Users,
    /// How many requests there may be: an interval, 0 for any number, and a burst.
    pub(crate) rate_limit: (Duration, u32),
    /// Whether the file says nothing at all, not even that there is nothing.
    pub(super) is_empty: bool,
    /// What is accepted and not done, to be told of.
    pub(super) warnings: Vec<String>,
}

impl Settings {
    /// Reads the text of a file; paths in it are relative to `dir`.
    ///
    /// # Errors
    ///
    /// When something in it is unknown, there twice, or not what it should be.
    pub(super) fn read(text: &str, dir: &Path) -> Result<Self, Fault> {
        let mut document = Section::new("", config::read_yaml(text)?)?;
        let tls = document.section("tls_server_config", "tls_server_config ")?;
        let mut http = document.section("http_server_config", "http_server_config ")?;
        let users = document.section("basic_auth_users", "basic_auth_users ")?;
        let limit = document.section("rate_limit", "rate_limit ")?;
        document.end()?;
        // Only 1.1 is served, and so this decides one thing alone.
        let is_http2 = http.flag("http2")?.unwrap_or(true);
        let headers = headers(http.section("headers", "http_server_config headers ")?)?;
        http.end()?;
        let mut warnings = Vec::new();
        Ok(Self {
            tls: TlsSettings::read(tls, dir, is_http2, &mut warnings)?,
            headers,
            users: self::users(users)?,
            rate_limit: rate_limit(limit)?,
            is_empty: text.trim().is_empty(),
            warnings,
        })
    }
}

/// Reads the headers; one that is blank is none.
fn headers(section: Section) -> Result<ExtraHeaders, Fault> {
    let headers = section.all_texts()?;
    let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    for header in &headers {
        ExtraHeaders::new([pair(header)]).map_err(|error| header.0.fault(&error))?;
    }
    ExtraHeaders::new(headers.iter().map(pair)).map_err(|error| Fault::new(error.to_string()))
}

/// Reads the users, and looks whether each has a hash.
fn users(section: Section) -> Result<Users, Fault> {
    let users = section.all_texts()?;
    for user in &users {
        Users::new([pair(user)]).map_err(|error| user.0.fault(&error))?;
    }
    Users::new(users.iter().map(pair)).map_err(|error| Fault::new(chain(&error).to_string()))
}

fn pair((name, value): &(Text, String)) -> (&str, &str) {
    (&name.text, value)
}

/// Reads interval and burst.
fn rate_limit(mut section: Section) -> Result<(Duration, u32), Fault> {
    let interval = match section.text("interval")? {
        None => Duration::ZERO,
        Some(Text { line, text }) => flags::duration(&text).ok_or_else(|| {
            let what = format!(
                "rate_limit interval {text} is no duration, expected one like 1s, 100ms or 0"
            );
            Fault::at(line, what)
        })?,
    };
    let burst = section.count("burst")?.unwrap_or_default();
    section.end()?;
    Ok((interval, burst))
}
