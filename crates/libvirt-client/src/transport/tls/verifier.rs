//! Whether a server's certificate is to be trusted.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime},
};

use super::{
    Provider, common_name,
    pem::{certificates, file, items},
    pki::Pki,
};
use crate::error::ConnectKind;

/// Trusts what a CA of ours has signed for the host's name; or anybody, where that was asked for.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` where anybody is trusted.
    strict: Option<Arc<WebPkiServerVerifier>>,
    provider: Provider,
}

impl Verifier {
    /// Trusts whom our CAs have signed.
    pub(super) fn new(pki: &Pki, provider: &Provider) -> Result<Self, ConnectKind> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pki.ca)? {
            let added = roots.add(certificate);
            added.map_err(|_| file(&pki.ca, "there is a certificate in it that cannot be read"))?;
        }
        let (roots, of_provider) = (Arc::new(roots), Arc::clone(provider));
        let mut builder = WebPkiServerVerifier::builder_with_provider(roots, of_provider);
        if let Some(path) = &pki.crl {
            // Without one in it, it would pass for one that revokes nothing.
            let lists: Vec<CertificateRevocationListDer<'_>> = items(path, "revocation list")?;
            // As GnuTLS has it: every certificate below our CA's is looked up, and of a CA without
            // a list nothing is revoked.
            builder = builder.with_crls(lists).allow_unknown_revocation_status();
        }
        let strict = builder.build().map_err(|error| match (error, &pki.crl) {
            (VerifierBuilderError::InvalidCrl(_), Some(path)) => {
                file(path, "there is a revocation list in it that cannot be read")
            }
            (error, _) => file(&pki.ca, error),
        })?;
        Ok(Self { strict: Some(strict), provider: Arc::clone(provider) })
    }

    /// `no_verify=1`
    pub(super) fn of_anybody(provider: &Provider) -> Self {
        Self { strict: None, provider: Arc::clone(provider) }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(strict) = &self.strict else { return Ok(ServerCertVerified::assertion()) };
        let verified =
            strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Names are looked at last: all else is well. libvirt's documentation has long made
            // certificates whose only name is in the subject, and libvirt's client takes them.
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented,
                expected,
            })) if presented.is_empty() => {
                let name = common_name::of(end_entity);
                match (&expected, &name) {
                    (ServerName::DnsName(dns), Some(name)) if matches(name, dns.as_ref()) => {
                        Ok(ServerCertVerified::assertion())
                    }
                    _ => {
                        let presented = name.into_iter().collect();
                        Err(CertificateError::NotValidForNameContext { expected, presented }.into())
                    }
                }
            }
            // By a CA of that name, with another key: such as the one before it was made anew.
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(CertificateError::UnknownIssuer.into())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
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
