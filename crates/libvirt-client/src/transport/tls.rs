//! TLS with libvirtd: the handshake, and the byte after it.
//!
//! * [`pki`]: where the certificates and keys are
//! * [`verifier`]: whether the server's certificate is to be trusted
//! * [`common_name`]: the name in certificates that have no others

use std::{error::Error, io, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, InvalidMessage,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use self::{pki::Pki, verifier::Verifier};
use super::tcp;
use crate::{
    address::{TLS_PORT, Tls},
    error::{ConnectKind, Unfit},
};

mod common_name;
mod pki;
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
        Ok(_) | Err(_) => {
            let certificate = pki.identity.map(|(certificate, _)| certificate);
            Err(ConnectKind::NotConfirmed { certificate })
        }
    }
}

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
    let builder = builder.with_safe_default_protocol_versions().map_err(unfit)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &pki.identity {
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, error))?;
            let made = builder.with_client_auth_cert(chain, private);
            made.map_err(|error| file(key, error))?
        }
        None => builder.with_no_client_auth(),
    };
    // A connection lasts for days.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn unfit(error: rustls::Error) -> ConnectKind {
    ConnectKind::Tls(io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// The certificates in a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectKind> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| file(path, error))?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| file(path, error))?;
    if read.is_empty() { Err(file(path, "there is no certificate in it")) } else { Ok(read) }
}

fn file(path: &Path, error: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectKind {
    ConnectKind::File { path: path.to_owned(), error: error.into() }
}

/// What went wrong with a handshake.
fn refused(error: io::Error, host: &str, pki: &Pki) -> ConnectKind {
    let Some(found) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>())
    else {
        return ConnectKind::Tls(error);
    };
    let rustls::Error::InvalidCertificate(certificate) = found else {
        return match found {
            rustls::Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => {
                let said = "it does not speak TLS";
                ConnectKind::Tls(io::Error::new(io::ErrorKind::InvalidData, said))
            }
            _ => ConnectKind::Tls(error),
        };
    };
    let name = |names| Unfit::Name { expected: host.to_owned(), names };
    let unfit = match certificate {
        CertificateError::UnknownIssuer => Unfit::Unsigned(pki.ca.clone()),
        CertificateError::NotValidForNameContext { presented, .. } => name(presented.clone()),
        CertificateError::NotValidForName => name(Vec::new()),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Unfit::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Unfit::Early,
        CertificateError::Revoked => Unfit::Revoked,
        _ => Unfit::Other,
    };
    ConnectKind::Certificate { unfit, error: found.clone() }
}

type Provider = Arc<CryptoProvider>;
