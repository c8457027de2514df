//! What a request for the metrics wants of them.

use std::time::Duration;

use exposition::Format;
use hyper::{
    HeaderMap,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderName},
};

/// What a request for the metrics wants of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Within which time.
    pub(crate) deadline: Duration,
    pub(crate) format: Format,
}

/// Returns the format that a request with these headers prefers.
pub(super) fn format(headers: &HeaderMap) -> Format {
    Format::negotiate(&joined(headers, ACCEPT))
}

/// Whether a request with these headers takes a compressed answer.
///
/// Only for who says so; `*` is nobody's way to ask for gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    joined(headers, ACCEPT_ENCODING).split(',').any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.trim().strip_prefix("q=").unwrap_or("1");
        let is_meant = weight.trim().parse().is_ok_and(|weight: f64| weight > 0.0);
        name.trim().eq_ignore_ascii_case("gzip") && is_meant
    })
}

/// Returns what a header says, on however many lines; nothing where it is no text.
fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let values: Vec<_> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&'static [u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn gzip_is_for_who_names_it() {
        for (values, takes) in [
            (&[&b"gzip"[..]][..], true),
            (&[b"deflate, GZIP;q=0.5"], true),
            (&[b"br", b"gzip ; q=1"], true),
            (&[b"gzip;q=0"], false),
            (&[b"gzip;q=x"], false),
            (&[b"gzip;q=NaN"], false),
            (&[b"xgzip, deflate"], false),
            (&[b"*"], false),
            (&[b"\xff, gzip"], false),
            (&[], false),
        ] {
            assert_eq!(takes_gzip(&headers(&ACCEPT_ENCODING, values)), takes, "{values:?}");
        }
    }

    #[test]
    fn a_header_on_two_lines_is_one() {
        let openmetrics = b"application/openmetrics-text;version=1.0.0";
        assert_eq!(
            format(&headers(&ACCEPT, &[b"text/plain;q=0.5", openmetrics])),
            Format::OpenMetrics
        );
        assert_eq!(format(&HeaderMap::new()), Format::Text);
    }
}
