//! Which exporter to look at, as `top --connect` says it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use super::error::ValueError;

/// Where a running exporter answers: `http://ADDRESS[:PORT][/PREFIX]`.
///
/// Never a name but `localhost`: a program that is linked statically must not ask the C library's
/// resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExporterUrl {
    authority: String,
    /// To be tried one after another.
    addresses: Vec<SocketAddr>,
    /// What comes before the exporter's own paths; empty, or begins with a slash.
    prefix: String,
}

impl ExporterUrl {
    /// Where to connect to: one after another, until one answers.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The value of `Host`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns a path of the exporter as it is to be requested.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl FromStr for ExporterUrl {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let error = |complaint| Err(ValueError::new(text, complaint));
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return error("is https, which top does not speak, expected http://ADDRESS:PORT");
            }
            Some(_) => return error("is not a URL of HTTP, expected http://ADDRESS:PORT"),
        };
        if rest.contains(|c: char| !c.is_ascii_graphic()) {
            return error("has a blank or a character that is not ASCII's, expected neither");
        }
        if rest.contains(['?', '#', '@']) {
            return error("has a user, query or fragment, expected http://ADDRESS:PORT/PREFIX");
        }
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            // The colon of an address of IPv6.
            Some((host, _)) if host.starts_with('[') && !host.ends_with(']') => (authority, None),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let port = match port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0)) {
            None => DEFAULT_PORT,
            Some(Some(port)) => port,
            Some(None) => {
                return error("has no valid port, expected 1 to 65535 after the colon");
            }
        };
        let hosts: Vec<IpAddr> = if host.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else if let Ok(address) = host.parse::<Ipv4Addr>() {
            vec![address.into()]
        } else if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
            && let Ok(address) = inner.parse::<Ipv6Addr>()
        {
            vec![address.into()]
        } else if authority.parse::<Ipv6Addr>().is_ok() {
            return error("is ambiguous, expected IPv6 in brackets like http://[2001:db8::7]:9100");
        } else {
            return error(
                "is not at an address: names are not looked up, \
                 expected one like http://192.0.2.7:9100, http://[::1]:9100 or http://localhost",
            );
        };
        let addresses = hosts.into_iter().map(|host| SocketAddr::new(host, port)).collect();
        let authority = format!("{host}:{port}");
        Ok(Self { authority, addresses, prefix: path.trim_end_matches('/').to_owned() })
    }
}

/// With its port.
impl fmt::Display for ExporterUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, prefix, .. } = self;
        write!(f, "http://{authority}{prefix}")
    }
}

/// That of `--port`: whoever types no port means an exporter that was told none.
const DEFAULT_PORT: u16 = 9100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_understood() {
        for (text, url, addresses) in [
            ("http://192.0.2.7:9177", "http://192.0.2.7:9177", &["192.0.2.7:9177"][..]),
            ("192.0.2.7", "http://192.0.2.7:9100", &["192.0.2.7:9100"]),
            ("http://[::1]/", "http://[::1]:9100", &["[::1]:9100"]),
            ("[2001:db8::7]:80/a/b/", "http://[2001:db8::7]:80/a/b", &["[2001:db8::7]:80"]),
            ("HTTP://localhost:1", "http://localhost:1", &["127.0.0.1:1", "[::1]:1"]),
        ] {
            let read: ExporterUrl = text.parse().unwrap();
            assert_eq!(read.to_string(), url);
            let found: Vec<_> = read.addresses().iter().map(ToString::to_string).collect();
            assert_eq!(found, addresses, "{text}");
        }
        let url: ExporterUrl = "http://192.0.2.7/nova/".parse().unwrap();
        assert_eq!((url.authority(), &*url.path("/-/live")), ("192.0.2.7:9100", "/nova/-/live"));
    }

    #[test]
    fn what_is_refused_is_named_with_what_is_expected() {
        let name = "is not at an address: names are not looked up, \
                    expected one like http://192.0.2.7:9100, http://[::1]:9100 or http://localhost";
        let port = "has no valid port, expected 1 to 65535 after the colon";
        for (text, complaint) in [
            (
                "https://192.0.2.7",
                "is https, which top does not speak, expected http://ADDRESS:PORT",
            ),
            ("ftp://192.0.2.7", "is not a URL of HTTP, expected http://ADDRESS:PORT"),
            ("http://compute-17:9100", name),
            ("http://", name),
            ("http://[::1", name),
            ("http://[::1]:", port),
            ("http://192.0.2.7:0", port),
            ("192.0.2.7:http", port),
            (
                "http://::1",
                "is ambiguous, expected IPv6 in brackets like http://[2001:db8::7]:9100",
            ),
            (
                "2001:db8::7",
                "is ambiguous, expected IPv6 in brackets like http://[2001:db8::7]:9100",
            ),
            (
                "http://me@192.0.2.7",
                "has a user, query or fragment, expected http://ADDRESS:PORT/PREFIX",
            ),
            (
                "http://192.0.2.7/\r\nX: y",
                "has a blank or a character that is not ASCII's, expected neither",
            ),
        ] {
            let error = text.parse::<ExporterUrl>().unwrap_err();
            assert_eq!(error.to_string(), format!("{text} {complaint}"));
        }
    }
}
