//! Where to listen, as `--web.listen-address` says it.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use super::error::ValueError;

/// An address and port to listen on.
///
/// Never a name: a program that is linked statically must not ask the C library's resolver,
/// and a listener that waits for DNS at boot is a listener that fails at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress {
    /// `:9100`: this port on every address of the host, of both families.
    Everywhere(u16),
    /// `192.0.2.7:9100` or `[2001:db8::7]:9100`: there and nowhere else.
    At(SocketAddr),
}

impl FromStr for ListenAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::At(address));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(ValueError::new(text, "has no port, expected one like 192.0.2.7:9100"));
        };
        let port = number(port);
        let complaint = match host {
            "" => match port {
                Some(port) => return Ok(Self::Everywhere(port)),
                None => "has no valid port, expected 0 to 65535 after the colon",
            },
            _ if host.parse::<Ipv6Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() => {
                "is ambiguous, expected IPv6 in brackets like [2001:db8::7]:9100"
            }
            _ if host.parse::<Ipv4Addr>().is_ok() => {
                "has no valid port, expected 0 to 65535 after the colon"
            }
            _ if host.starts_with('[') => {
                "is not an IPv6 address and port, expected one like [2001:db8::7]:9100"
            }
            _ => {
                "is not an address: names are not looked up, \
                 expected one like 192.0.2.7:9100, [::1]:9100 or :9100"
            }
        };
        Err(ValueError::new(text, complaint))
    }
}

/// As it was written.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(port) => write!(f, ":{port}"),
            Self::At(address) => write!(f, "{address}"),
        }
    }
}

/// Reads the value of `-port`.
///
/// # Errors
///
/// When the text is not a number, or not that of a port.
pub(super) fn port(text: &str) -> Result<u16, ValueError> {
    match number(text) {
        Some(port) if port != 0 => Ok(port),
        _ => Err(ValueError::new(text, "is not a port, expected 1 to 65535")),
    }
}

/// Reads digits; `u16` itself would take a sign as well.
fn number(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_literal_or_empty() {
        for (text, address) in [
            (":9100", ListenAddress::Everywhere(9100)),
            (":0", ListenAddress::Everywhere(0)),
            ("0.0.0.0:9100", ListenAddress::At(([0, 0, 0, 0], 9100).into())),
            ("192.0.2.7:80", ListenAddress::At(([192, 0, 2, 7], 80).into())),
            ("[::1]:9100", ListenAddress::At((Ipv6Addr::LOCALHOST, 9100).into())),
            ("[::]:65535", ListenAddress::At((Ipv6Addr::UNSPECIFIED, 65535).into())),
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap(), address);
            assert_eq!(address.to_string(), text);
        }
        assert!("[fe80::1%2]:9100".parse::<ListenAddress>().is_ok(), "a scope");
    }

    #[test]
    fn what_is_refused_is_named_with_what_is_expected() {
        let port = "has no valid port, expected 0 to 65535 after the colon";
        let brackets = "is ambiguous, expected IPv6 in brackets like [2001:db8::7]:9100";
        let ipv6 = "is not an IPv6 address and port, expected one like [2001:db8::7]:9100";
        let no_port = "has no port, expected one like 192.0.2.7:9100";
        let name = "is not an address: names are not looked up, \
                    expected one like 192.0.2.7:9100, [::1]:9100 or :9100";
        for (text, complaint) in [
            ("9100", no_port),
            ("192.0.2.7", no_port),
            (":", port),
            (":65536", port),
            (":+80", port),
            (":http", port),
            ("192.0.2.7:", port),
            ("192.0.2.7:70000", port),
            ("::1", brackets),
            ("::1:9100", brackets),
            ("2001:db8::7:9100", brackets),
            ("[::1]:70000", ipv6),
            ("[::1]", ipv6),
            ("[fe80::1%eth0]:9100", ipv6),
            ("localhost:9100", name),
            ("*:9100", name),
            ("http://192.0.2.7:9100", name),
            ("192.0.2.256:9100", name),
            (" :9100", name),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert_eq!(error.to_string(), format!("{text} {complaint}"));
        }
    }

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        assert_eq!(port("1").unwrap(), 1);
        assert_eq!(port("65535").unwrap(), 65535);
        for text in ["0", "65536", "70000", "-1", "+1", "9100 ", "0x10", "http"] {
            let error = port(text).unwrap_err();
            assert_eq!(error.to_string(), format!("{text} is not a port, expected 1 to 65535"));
        }
        assert_eq!(port("").unwrap_err().to_string(), "\"\" is not a port, expected 1 to 65535");
    }
}
