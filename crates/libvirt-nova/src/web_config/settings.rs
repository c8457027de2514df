//! What a web configuration says, before any file that it names is read.

use std::{path::Path, time::Duration};

use super::{
    fault::Fault,
    section::{Section, Text},
    tls::TlsSettings,
    yaml,
};
use crate::flags;

/// What a web configuration says.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None` where nothing is to be encrypted.
    pub(super) tls: Option<TlsSettings>,
    /// Headers of every response, with values that are allowed.
    pub(crate) headers: Vec<(String, String)>,
    /// Who may ask, with the bcrypt hash of the password; nobody in it, everybody may.
    pub(crate) users: Vec<(String, String)>,
    /// How many requests there may be.
    pub(crate) rate_limit: Option<RateLimit>,
    /// What is accepted and not done, to be told of.
    pub(super) warnings: Vec<String>,
}

/// How many requests there may be: a bucket of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// The pause after which there may be one more.
    pub(crate) interval: Duration,
    /// How many at once.
    pub(crate) burst: u32,
}

impl Settings {
    /// Reads the text of a file; paths in it are relative to `dir`.
    ///
    /// # Errors
    ///
    /// When something in it is unknown, there twice, or not what it should be.
    pub(super) fn read(text: &str, dir: &Path) -> Result<Self, Fault> {
        let mut document = Section::new("", yaml::read(text)?)?;
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
            warnings,
        })
    }
}

/// Reads the headers; one that is blank is none.
fn headers(section: Section) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = Vec::new();
    for (Text { line, text: name }, value) in section.all_texts()? {
        let Some((_, allowed)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            let what = format!(
                "http_server_config headers: {name} cannot be set, expected one of {known}"
            );
            return Err(Fault::at(line, what));
        };
        let fault = |expected: &str| {
            let what =
                format!("http_server_config headers {name} is {value}, expected {expected}");
            Err(Fault::at(line, what))
        };
        if !allowed.is_empty() && !allowed.contains(&value.as_str()) {
            return fault(&allowed.join(" or "));
        }
        if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return fault("a line of printable ASCII");
        }
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    Ok(headers)
}

/// The headers that may be set, each with its values; none is any.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// Reads the users, and looks whether each has a hash.
fn users(section: Section) -> Result<Vec<(String, String)>, Fault> {
    let mut users = Vec::new();
    for (Text { line, text: name }, hash) in section.all_texts()? {
        if !is_bcrypt(&hash) {
            let what = format!(
                "basic_auth_users {name} has no bcrypt hash, expected one like $2y$10$… of 60 \
                 characters, as htpasswd -nBC 10 \"\" prints it"
            );
            return Err(Fault::at(line, what));
        }
        users.push((name, hash));
    }
    Ok(users)
}

/// Whether a text looks like a bcrypt hash: variant, cost, then salt and hash of 53 characters.
fn is_bcrypt(text: &str) -> bool {
    let Some((variant, rest)) = text.strip_prefix('$').and_then(|rest| rest.split_once('$')) else {
        return false;
    };
    let Some((cost, rest)) = rest.split_once('$') else { return false };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    matches!(variant, "2a" | "2b" | "2x" | "2y")
        && cost.len() == 2
        && cost.parse().is_ok_and(|cost| (4_u8..=31).contains(&cost))
        && rest.len() == 53
        && rest.bytes().all(is_base64)
}

/// Reads the limit; an interval of 0 is none.
fn rate_limit(mut section: Section) -> Result<Option<RateLimit>, Fault> {
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
    Ok((!interval.is_zero()).then_some(RateLimit { interval, burst }))
}
