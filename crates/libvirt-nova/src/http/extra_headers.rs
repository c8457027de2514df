//! Headers that the operator wants on every response.

use std::{error::Error, fmt};

use hyper::{
    HeaderMap,
    header::{
        CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
    },
};

/// Headers that the operator wants on every response, refusals too: those of Prometheus' web
/// configuration and no others.
///
/// A response that has one of them itself keeps its own.
/// That matters for `Content-Security-Policy` on the live page: the page's policy names the
/// hashes of the one script and the one style that may run and allows nothing else, so it is
/// stricter than any that could be configured; while one that somebody writes for all his
/// exporters (`default-src 'self'`) would leave an empty page.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtraHeaders(Vec<(HeaderName, HeaderValue)>);

impl ExtraHeaders {
    /// Takes headers as they were written, names in their usual spelling.
    ///
    /// # Errors
    ///
    /// When a header may not be configured, or not with this value.
    pub(crate) fn new<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, HeaderError> {
        headers
            .into_iter()
            .map(|(name, value)| header(name, value))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Adds them to a response's own.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let known = KNOWN.iter().find(|(spelling, ..)| *spelling == name);
    let Some((_, header, legal)) = known else {
        return Err(HeaderError::Unknown { name: name.to_owned() });
    };
    if !legal.is_empty() && !legal.contains(&value) {
        let value = value.to_owned();
        return Err(HeaderError::Illegal { name: name.to_owned(), value, legal });
    }
    match HeaderValue::from_str(value) {
        Ok(value) => Ok((header.clone(), value)),
        Err(_) => Err(HeaderError::Unsendable { name: name.to_owned() }),
    }
}

/// What may be configured, and with which values where they are few.
const KNOWN: [(&str, HeaderName, &[&str]); 5] = [
    ("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY, &[]),
    ("X-Content-Type-Options", X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    ("X-Frame-Options", X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    ("X-XSS-Protection", X_XSS_PROTECTION, &[]),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY, &[]),
];

/// A header that cannot be configured so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It is none of those that may be configured.
    Unknown { name: String },
    /// It has other values.
    Illegal { name: String, value: String, legal: &'static [&'static str] },
    /// It holds characters that no header can.
    Unsendable { name: String },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                let known = KNOWN.map(|(spelling, ..)| spelling).join(", ");
                write!(f, "the header {name:?} cannot be configured, expected one of {known}")
            }
            Self::Illegal { name, value, legal } => {
                let legal = legal.join(" or ");
                write!(f, "the header {name} is {value:?}, expected {legal}")
            }
            Self::Unsendable { name } => {
                write!(f, "the header {name} holds control characters or other than ASCII")
            }
        }
    }
}

impl Error for HeaderError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, value: &str) -> String {
        ExtraHeaders::new([(name, value)]).unwrap_err().to_string()
    }

    #[test]
    fn the_five_are_added() {
        let configured = [
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "sameorigin"),
            ("X-XSS-Protection", "1"),
            ("Content-Security-Policy", "default-src 'self' *.test.example.net"),
        ];
        let extra = ExtraHeaders::new(configured).unwrap();
        let mut headers = HeaderMap::new();
        extra.add_to(&mut headers);
        assert_eq!(headers.len(), 5);
        for (name, value) in configured {
            assert_eq!(headers[name], value);
        }
    }

    #[test]
    fn a_response_keeps_its_own() {
        let extra = ExtraHeaders::new([("Content-Security-Policy", "default-src 'self'")]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
        extra.add_to(&mut headers);
        let values: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(values, ["default-src 'none'"]);
    }

    #[test]
    fn no_other_is_taken_nor_another_spelling() {
        assert_eq!(
            error("Content-Type", "foo"),
            "the header \"Content-Type\" cannot be configured, expected one of \
             Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, \
             X-XSS-Protection, Content-Security-Policy"
        );
        assert!(error("x-frame-options", "deny").contains("cannot be configured"));
        assert!(error("", "").contains("cannot be configured"));
    }

    #[test]
    fn a_value_is_one_that_the_header_has() {
        assert_eq!(
            error("X-Frame-Options", "DENY"),
            "the header X-Frame-Options is \"DENY\", expected deny or sameorigin"
        );
        assert_eq!(
            error("X-Content-Type-Options", "sniff"),
            "the header X-Content-Type-Options is \"sniff\", expected nosniff"
        );
        for value in ["a\r\nSet-Cookie: b", "a\0", "\u{7f}"] {
            assert_eq!(
                error("X-XSS-Protection", value),
                "the header X-XSS-Protection holds control characters or other than ASCII"
            );
        }
    }
}
