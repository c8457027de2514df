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
    Provider,
    pem::{certificates, file, items},
    pki::Pki,
    subject,
};
use crate::error::ConnectKind;

/// Trusts what a CA of ours has signed for the host's name; or anybody, where that was asked for.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` where anybody is trusted.
    strict: Option<Strict>,
    provider: Provider,
}

/// Looks at a certificate, and at those above it.
#[derive(Debug)]
struct Strict {
    web_pki: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
}

impl Verifier {
    /// Trusts whom our CAs have signed.
    pub(super) fn new(pki: &Pki, provider: &Provider) -> Result<Self, ConnectKind> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pki.ca)? {
            let added = roots.add(certificate);
            added.map_err(|_| file(&pki.ca, "there is a certificate in it that cannot be read"))?;
        }
        let roots = Arc::new(roots);
        let mut builder =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider));
        if let Some(path) = &pki.crl {
            // Without one in it, it would pass for one that revokes nothing.
            let lists: Vec<CertificateRevocationListDer<'_>> = items(path, "revocation list")?;
            // As GnuTLS has it: every certificate below our CA's is looked up, and of a CA without
            // a list nothing is revoked.
            builder = builder.with_crls(lists).allow_unknown_revocation_status();
        }
        let web_pki = builder.build().map_err(|error| match (error, &pki.crl) {
            (VerifierBuilderError::InvalidCrl(_), Some(path)) => {
                file(path, "there is a revocation list in it that cannot be read")
            }
            (error, _) => file(&pki.ca, error),
        })?;
        let strict = Strict { web_pki, roots };
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
        let Some(Strict { web_pki, roots }) = &self.strict else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            web_pki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Names are looked at last: all else is well.
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented,
                expected,
            })) => {
                subject::verify(end_entity, intermediates, roots, (expected, presented))?;
                Ok(ServerCertVerified::assertion())
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
