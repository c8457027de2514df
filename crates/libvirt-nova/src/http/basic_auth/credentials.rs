//! What an `Authorization` header says.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::{HeaderMap, header::AUTHORIZATION};

/// A user's name and password, of any bytes.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct Credentials {
    pub(in super::super) user: Vec<u8>,
    pub(in super::super) password: Vec<u8>,
}

/// No password is printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the header of RFC 7617; `None` where it says anything else, or there are two.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        Self::read(value.as_bytes())
    }

    pub(in super::super) fn read(value: &[u8]) -> Option<Self> {
        let (scheme, token) = value.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let mut user = BASE64_STANDARD.decode(token).ok()?;
        // A password may hold colons, a name may not.
        let colon = user.iter().position(|&byte| byte == b':')?;
        let password = user.split_off(colon.saturating_add(1));
        user.pop();
        Some(Self { user, password })
    }
}

const SCHEME: &[u8] = b"Basic ";

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        Credentials::read(value.as_bytes()).map(|read| (read.user, read.password))
    }

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let aladdin = Some((b"Aladdin".to_vec(), b"open sesame".to_vec()));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
        assert_eq!(read("bASIC QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
    }

    #[test]
    fn the_first_colon_divides_and_all_bytes_are_good() {
        let written = |text: &[u8]| read(&format!("Basic {}", BASE64_STANDARD.encode(text)));
        assert_eq!(written(b"a:b:c"), Some((b"a".to_vec(), b"b:c".to_vec())));
        assert_eq!(written(b":"), Some((vec![], vec![])));
        assert_eq!(written(b"\xff\0:\n"), Some((b"\xff\0".to_vec(), b"\n".to_vec())));
        assert_eq!(written(b"nobody"), None);
    }

    #[test]
    fn all_else_is_no_credentials() {
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic  QTpi",
            "Basic\tQTpi",
            "Basic QTpi ",
            "Basic QTp",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
            "Basic Q-_i",
            "Basic a:b",
            "Bearer QTpi",
            "Basic realm=x",
        ] {
            assert_eq!(read(value), None, "{value:?}");
        }
    }

    #[test]
    fn one_header_counts_and_two_do_not() {
        assert!(Credentials::of(&headers(&["Basic QTpi"])).is_some());
        assert!(Credentials::of(&headers(&["Basic QTpi", "Basic QTpi"])).is_none());
        assert!(Credentials::of(&headers(&[])).is_none());
    }

    #[test]
    fn a_password_is_not_printed() {
        let credentials = Credentials::of(&headers(&["Basic QTpi"])).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials { user: [65], .. }");
    }
}
