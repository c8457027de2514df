//! Which clients are let in by their certificates.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{self, CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use super::{names::ClientAuth, subject_names};
use crate::config::Fault;

/// Which clients are let in by their certificates.
#[derive(Debug)]
pub(super) struct Clients {
    auth: ClientAuth,
    /// The client CA: what signs certificates, or is one.
    trusted: Vec<CertificateDer<'static>>,
    /// What looks at chains; `None` where nothing is trusted.
    chains: Option<Arc<dyn ClientCertVerifier>>,
    allowed_names: Option<Vec<String>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Clients {
    /// Trusts what `trusted` signed.
    ///
    /// # Errors
    ///
    /// When none of `trusted` is a certificate.
    pub(super) fn new(
        auth: ClientAuth,
        trusted: Vec<CertificateDer<'static>>,
        allowed_names: Option<Vec<String>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        let (valid, _) = roots.add_parsable_certificates(trusted.iter().cloned());
        let chains = match valid {
            0 if !trusted.is_empty() => {
                return Err(Fault::new(
                    "client_ca holds no certificate that can be read, expected X.509",
                ));
            }
            0 => None,
            _ => {
                let builder = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                );
                let chains =
                    builder.build().map_err(|error| Fault::new(format!("client_ca: {error}")))?;
                Some(chains)
            }
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { auth, trusted, chains, allowed_names, algorithms })
    }

    /// Whether our CA vouches for a client.
    fn verify_chain(
        &self,
        client: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let chains = self.chains.as_ref().ok_or(CertificateError::UnknownIssuer)?;
        match chains.verify_client_cert(client, intermediates, now) {
            // OpenSSL by itself makes certificates that sign themselves, and are CAs. Where such
            // a one is trusted by name, nothing has to be signed; its time has been looked at.
            Err(error) if is_about_ca(&error) && self.trusted.iter().any(|it| it == client) => {
                Ok(())
            }
            verified => verified.map(|_| ()),
        }
    }

    fn verify_names(&self, client: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed_names else { return Ok(()) };
        let names = subject_names::of(client).map_err(|_| CertificateError::BadEncoding)?;
        if names.iter().any(|name| allowed.contains(name)) {
            return Ok(());
        }
        Err(CertificateError::NotValidForName.into())
    }
}

/// Whether a client was refused because its certificate is a CA's.
fn is_about_ca(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    let mut error: Option<&(dyn std::error::Error + 'static)> = Some(&**error);
    while let Some(cause) = error {
        if matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) {
            return true;
        }
        error = cause.source();
    }
    false
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        // Who shows none has none of the names either.
        self.allowed_names.is_some()
            || matches!(self.auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.as_ref().map_or(&[], |chains| chains.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        client: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.auth {
            ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
                self.verify_chain(client, intermediates, now)?;
            }
            ClientAuth::None | ClientAuth::Request | ClientAuth::RequireAny => {}
        }
        self.verify_names(client)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
