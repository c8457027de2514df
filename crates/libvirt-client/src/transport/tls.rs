//! TLS with libvirtd: the handshake, and the byte after it.
//!
//! * [`pki`]: where the certificates and keys are
//! * [`pem`]: what is in their files
//! * [`fault`]: what went wrong with a handshake
//! * [`verifier`]: whether the server's certificate is to be trusted
//! * [`subject`]: the name in certificates that have no others
//! * [`certificate`]: what there is in a certificate

use std::{io, sync::Arc};

use rustls::{
    ClientConfig,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{PrivateKeyDer, ServerName},
};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use self::{
    fault::{not_confirmed, refused},
    pem::{certificates, file, items},
    pki::Pki,
    verifier::Verifier,
};
use super::tcp;
use crate::{
    address::{TLS_PORT, Tls},
    error::ConnectKind,
};

mod certificate;
mod fault;
mod pem;
mod pki;
mod subject;
mod verifier;

/// Connects, and is let in as far as certificates go.
pub(super) async fn connect(tls: &Tls) -> Result<TlsStream<TcpStream>, ConnectKind> {
    let Tls { host, pkipath, verifies } = tls;
    // Read anew at each attempt: certificates are renewed while we run.
    let pki = Pki::find(pkipath.as_deref());
    let config = config(&pki, *verifies)?;
    let name = ServerName::try_from(host.name.clone());
    let name = name.map_err(|error| ConnectKind::Name(error.into()))?;
    let stream = tcp::connect(host, TLS_PORT).await?;
    let connector = TlsConnector::from(Arc::new(config));
    let shaken = connector.connect(name, stream).await;
    let mut stream = shaken.map_err(|error| refused(error, &host.name, &pki))?;
    // libvirtd looks at our certificate after the handshake, and says with one byte that it takes
    // it (`virNetTLSSession`, `remoteDispatch`): else it hangs up.
    match stream.read_u8().await {
        Ok(CONFIRMED) => Ok(stream),
        Ok(other) => Err(not_confirmed(format!("it sent the byte {other}, expected 1"), &pki)),
        Err(error) if fault::alert(&error).is_some() => Err(refused(error, &host.name, &pki)),
        Err(_) => Err(not_confirmed("it hung up after the TLS handshake", &pki)),
    }
}

/// GnuTLS writes some keys of curves with a zero before them, which nobody else reads.
const NO_KEY: &str = "it is no key of RSA, nor of ECDSA on P-256 or P-384 as OpenSSL writes it (what certtool \
                      wrote, openssl pkcs8 -topk8 -nocrypt mends)";
/// What libvirtd sends when it takes our certificate.
const CONFIRMED: u8 = 1;

/// What TLS is to be like.
fn config(pki: &Pki, verifies: bool) -> Result<ClientConfig, ConnectKind> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match verifies {
        true => Verifier::new(pki, &provider)?,
        false => Verifier::of_anybody(&provider),
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(no_versions)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &pki.identity {
        Ok((certificate, key)) => {
            let chain = certificates(certificate)?;
            let keys: Vec<PrivateKeyDer<'_>> = items(key, "private key")?;
            let Some(private) = keys.into_iter().next() else {
                return Err(file(key, "there is no private key in it"));
            };
            let made = builder.with_client_auth_cert(chain, private);
            made.map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    file(key, format!("it is not the key of {}", certificate.display()))
                }
                // All that it says is which kinds of keys it tried.
                rustls::Error::General(_) => file(key, NO_KEY),
                error => file(key, error),
            })?
        }
        Err(_) => builder.with_no_client_auth(),
    };
    // A connection lasts for days.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn no_versions(error: rustls::Error) -> ConnectKind {
    ConnectKind::Tls(io::Error::new(io::ErrorKind::InvalidInput, error))
}

type Provider = Arc<CryptoProvider>;
