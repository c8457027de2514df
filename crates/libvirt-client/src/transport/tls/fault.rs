//! What went wrong with a handshake, and whose doing it is.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use super::{pki::Pki, subject::Ambiguous};
use crate::error::{ConnectKind, Unfit};

/// What went wrong with a handshake.
pub(super) fn refused(error: io::Error, host: &str, pki: &Pki) -> ConnectKind {
    if let Some(alert) = alert(&error).filter(is_of_certificate) {
        return not_confirmed(format!("it says {alert:?}"), pki);
    }
    let said = |kind, text| ConnectKind::Tls(io::Error::new(kind, text));
    match of_rustls(&error) {
        Some(rustls::Error::InvalidCertificate(unfit)) => {
            let error = rustls::Error::InvalidCertificate(unfit.clone());
            ConnectKind::Certificate { unfit: self::unfit(unfit, host, pki), error }
        }
        Some(rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        )) => said(io::ErrorKind::InvalidData, "it does not speak TLS"),
        Some(_) => ConnectKind::Tls(error),
        None => match error.kind() {
            kind @ (io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset) => said(kind, "it hung up in the handshake"),
            _ => ConnectKind::Tls(error),
        },
    }
}

fn of_rustls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What the server says is wrong.
pub(super) fn alert(error: &io::Error) -> Option<AlertDescription> {
    match of_rustls(error) {
        Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

/// Whether the server means our certificate (RFC 8446, 6.2). A server that is no libvirtd looks at
/// it in the handshake: one that stands before libvirtd.
fn is_of_certificate(alert: &AlertDescription) -> bool {
    use AlertDescription as Alert;

    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
    )
}

/// That the server does not take our certificate, or wants one.
pub(super) fn not_confirmed(
    error: impl Into<Box<dyn Error + Send + Sync>>,
    pki: &Pki,
) -> ConnectKind {
    let certificate = pki.identity.clone().map(|(certificate, _)| certificate);
    ConnectKind::NotConfirmed { certificate, error: error.into() }
}

/// Why a server's certificate is not trusted.
fn unfit(error: &CertificateError, host: &str, pki: &Pki) -> Unfit {
    let name = |names| Unfit::Name { expected: host.to_owned(), names };
    match error {
        CertificateError::UnknownIssuer => Unfit::Unsigned(pki.ca.clone()),
        CertificateError::NotValidForNameContext { presented, .. } => name(names(presented)),
        CertificateError::NotValidForName => name(Vec::new()),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Unfit::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Unfit::Early,
        CertificateError::Revoked => Unfit::Revoked,
        CertificateError::Other(other) if other.0.is::<Ambiguous>() => {
            Unfit::Subject(other.to_string())
        }
        _ => Unfit::Other,
    }
}

/// The hosts' names in a certificate as people write them, a few of them.
fn names(presented: &[String]) -> Vec<String> {
    // The others are no hosts', and have no text.
    let is_other = |name: &str| OTHER_NAMES.into_iter().any(|kind| name.starts_with(kind));
    let presented: Vec<_> = presented.iter().filter(|name| !is_other(name)).collect();
    let plain = |name: &String| {
        let of = |kind| name.strip_prefix(kind).and_then(|name| name.strip_suffix(')'));
        let dns = of("DnsName(").map(|name| name.trim_matches('"'));
        dns.or_else(|| of("IpAddress(")).unwrap_or(name).chars().take(NAME_MAX).collect()
    };
    let mut names: Vec<String> = presented.iter().take(NAMES_MAX).copied().map(plain).collect();
    match presented.len().saturating_sub(NAMES_MAX) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    names
}

/// What webpki calls names that are neither DNS nor an address.
const OTHER_NAMES: [&str; 3] = ["DirectoryName", "UniformResourceIdentifier(", "Unsupported("];
/// How many names of a certificate are told, and how much of one.
const NAMES_MAX: usize = 4;
const NAME_MAX: usize = 64;
