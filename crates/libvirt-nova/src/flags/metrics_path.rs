//! The path of the metrics, as `-path` says it.

use std::{fmt, iter, str::FromStr};

use super::error::ValueError;

/// Path under which the metrics are found.
///
/// Begins with one `/` and holds nothing that would end a path in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricsPath(String);

impl MetricsPath {
    /// Whether a request for `path` asks for the metrics.
    ///
    /// Characters and their percent-encoded forms are the same, on both sides.
    pub(crate) fn matches(&self, path: &str) -> bool {
        decoded(&self.0).eq(decoded(path))
    }
}

impl FromStr for MetricsPath {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let complaint = if !text.starts_with('/') {
            "is not a path, expected one that begins with / like /metrics"
        } else if text.starts_with("//") {
            // As a link, it would name a host.
            "begins with two slashes, expected one"
        } else if text.contains(['?', '#']) {
            "has a query or fragment, expected a path alone like /metrics"
        } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            "has a blank or control character, expected none: a blank is %20"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(ValueError::new(text, complaint))
    }
}

/// As it was written.
impl fmt::Display for MetricsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bytes that a part of a URL stands for; a percent sign without two digits is itself.
pub(crate) fn decoded(part: &str) -> impl Iterator<Item = u8> {
    let mut rest = part.as_bytes();
    iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        if let [b'%', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
        {
            rest = after;
            return Some((high << 4) | low);
        }
        rest = after;
        Some(*first)
    })
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> MetricsPath {
        text.parse().unwrap()
    }

    #[test]
    fn encoded_characters_are_the_characters() {
        assert!(path("/metrics").matches("/metrics"));
        assert!(path("/metrics").matches("/%6detrics"));
        assert!(path("/metrics").matches("/%6Detrics"));
        assert!(path("/m\u{e9}trique").matches("/m%C3%A9trique"));
        assert!(path("/a%20b").matches("/a%20b"));
        assert!(path("/100%").matches("/100%"));
        assert!(path("/100%").matches("/100%25"));
        assert!(path("/%zz").matches("/%zz"));
    }

    #[test]
    fn a_path_matches_as_a_whole() {
        for other in
            ["", "/", "/metric", "/metricss", "/metrics/", "//metrics", "/Metrics", "/metrics%00"]
        {
            assert!(!path("/metrics").matches(other), "{other}");
        }
        assert!(path("/").matches("/"));
        assert!(!path("/").matches("/metrics"));
        // Decoded once, not twice.
        assert!(!path("/metrics").matches("/%256detrics"));
    }

    #[test]
    fn what_is_refused_is_named_with_what_is_expected() {
        for (text, message) in [
            ("metrics", "metrics is not a path, expected one that begins with / like /metrics"),
            ("", "\"\" is not a path, expected one that begins with / like /metrics"),
            ("//host/x", "//host/x begins with two slashes, expected one"),
            ("/m?x=1", "/m?x=1 has a query or fragment, expected a path alone like /metrics"),
            ("/m#x", "/m#x has a query or fragment, expected a path alone like /metrics"),
            ("/a b", "/a b has a blank or control character, expected none: a blank is %20"),
        ] {
            assert_eq!(text.parse::<MetricsPath>().unwrap_err().to_string(), message);
        }
        for text in ["/a\tb", "/a\nb", "/a\0", "/a\u{7f}", "/a\u{a0}", "/a\u{2028}", "/a\u{85}"] {
            assert!(text.parse::<MetricsPath>().is_err(), "{text:?}");
        }
    }
}
