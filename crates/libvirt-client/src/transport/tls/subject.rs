//! The host's name where it is in a certificate's subject alone (RFC 6125, 6.4.4).
//!
//! libvirt's documentation has long made such certificates, and libvirt's client takes them, by
//! GnuTLS's rules.

use std::{error::Error, fmt, sync::Arc};

use rustls::{
    CertificateError, OtherError, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};

use super::certificate::Certificate;

/// Whether a certificate in which all else is well, but for names, is the host's by its subject.
///
/// `between` is what the server has shown beside it; the names are those that were compared: the
/// host's with the alternative ones.
pub(super) fn verify(
    end_entity: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
    roots: &RootCertStore,
    (expected, presented): (ServerName<'static>, Vec<String>),
) -> Result<(), CertificateError> {
    let unfit = |presented| CertificateError::NotValidForNameContext {
        expected: expected.clone(),
        presented,
    };
    let certificate = match Certificate::read(end_entity) {
        // Whoever has named his hosts where they belong has named them all.
        Ok(certificate) if !certificate.has_alternative_names() => certificate,
        _ => return Err(unfit(presented)),
    };
    let name = match &certificate.common_names[..] {
        [Some(name)] => name,
        [] | [None] => return Err(unfit(Vec::new())),
        [_, _, ..] => return Err(Ambiguous::Names.into()),
    };
    match &expected {
        ServerName::DnsName(dns) if matches(name, dns.as_ref()) => {}
        _ => return Err(unfit(vec![name.clone()])),
    }
    match is_bound(&certificate, between, roots) {
        true => Err(Ambiguous::Bound.into()),
        false => Ok(()),
    }
}

/// Whether a CA above a certificate may sign for some names and not for others. Verification
/// compares the alternative names alone with them.
fn is_bound(
    certificate: &Certificate<'_>,
    between: &[CertificateDer<'_>],
    roots: &RootCertStore,
) -> bool {
    let between = between.iter().map(|certificate| Certificate::read(certificate));
    // One that cannot be read may say anything.
    let Ok(between) = between.collect::<Result<Vec<_>, _>>() else { return true };
    let has_signed = |name: &[u8]| {
        certificate.issuer == name || between.iter().any(|certificate| certificate.issuer == name)
    };
    between.iter().any(Certificate::has_name_constraints)
        || roots
            .roots
            .iter()
            .any(|root| root.name_constraints.is_some() && has_signed(root.subject.as_ref()))
}

/// Whether a subject's name is that of a host (RFC 6125, 6.4): case does not count, and a star
/// stands for the first label.
fn matches(name: &str, host: &str) -> bool {
    let is_same = |name: &str, host: &str| name.eq_ignore_ascii_case(host);
    match name.strip_prefix("*.") {
        Some(domain) if domain.contains('.') => {
            host.split_once('.').is_some_and(|(_, of_host)| is_same(domain, of_host))
        }
        _ => is_same(name, host),
    }
}

/// Why a name in the subject is not taken though it may be the host's.
#[derive(Debug)]
pub(super) enum Ambiguous {
    /// There are others.
    Names,
    /// A CA above may not sign for every name.
    Bound,
}

impl Error for Ambiguous {}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Names => {
                "its subject has several common names, expected one, or an alternative name"
            }
            Self::Bound => {
                "its name is in its subject alone, and a CA above it is bound to names, expected an \
                 alternative name"
            }
        })
    }
}

impl From<Ambiguous> for CertificateError {
    fn from(ambiguous: Ambiguous) -> Self {
        Self::Other(OtherError(Arc::new(ambiguous)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label_of_a_domain() {
        assert!(matches("Compute-1.example.org", "compute-1.EXAMPLE.org"));
        assert!(matches("*.example.org", "compute-1.example.org"));
        for (name, host) in [
            ("*.example.org", "example.org"),
            ("*.example.org", "a.b.example.org"),
            ("*.org", "example.org"),
            ("*", "compute-1"),
            ("compute-1", "compute-10"),
        ] {
            assert!(!matches(name, host), "{name} {host}");
        }
    }
}
