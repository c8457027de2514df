//! `tls_server_config`: what it says, and what rustls makes of it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::{
    clients::Clients,
    names::{self, Cipher, ClientAuth, Version},
};
use crate::config::{self, Fault, Section, Text};

/// What `tls_server_config` says.
#[derive(Debug)]
pub(super) struct TlsSettings {
    cert: Pem,
    key: Pem,
    client_ca: Option<Pem>,
    client_auth: ClientAuth,
    /// The names of which a client's certificate has to have one; `None` for no matter which.
    allowed_names: Option<Vec<String>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    suites: Vec<SupportedCipherSuite>,
    groups: Vec<&'static dyn SupportedKxGroup>,
    /// Whether our order of suites counts, and not the client's.
    is_our_order: bool,
}

/// Where PEM is.
#[derive(Clone, Debug)]
enum Pem {
    Inline(String),
    File(PathBuf),
}

impl Pem {
    /// The file wins where both are given.
    fn read(
        section: &mut Section,
        key: &'static str,
        file: &'static str,
        dir: &Path,
    ) -> Result<Option<Self>, Fault> {
        let inline = section.text(key)?.map(|text| Self::Inline(text.text));
        let file = section.text(file)?.map(|path| Self::File(dir.join(path.text)));
        Ok(file.or(inline))
    }

    fn file(&self) -> Option<&Path> {
        match self {
            Self::Inline(_) => None,
            Self::File(path) => Some(path),
        }
    }

    fn bytes(&self, key: &str) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Inline(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => config::read(&format!("{key}_file"), path),
        }
    }

    /// What it is called in a fault.
    fn name(&self, key: &str) -> String {
        match self {
            Self::Inline(_) => key.to_owned(),
            Self::File(path) => format!("{key}_file {}", path.display()),
        }
    }
}

impl TlsSettings {
    /// Reads the section; `None` where it turns nothing on.
    pub(super) fn read(
        mut section: Section,
        dir: &Path,
        is_http2: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Self>, Fault> {
        let is_empty = section.is_empty();
        let cert = Pem::read(&mut section, "cert", "cert_file", dir)?;
        let key = Pem::read(&mut section, "key", "key_file", dir)?;
        let client_ca = Pem::read(&mut section, "client_ca", "client_ca_file", dir)?;
        let policy = section.text("client_auth_type")?;
        let allowed_names = section.texts("client_allowed_sans")?;
        let min = section.text("min_version")?;
        let max = section.text("max_version")?;
        let ciphers = section.texts("cipher_suites")?.unwrap_or_default();
        let curves = section.texts("curve_preferences")?.unwrap_or_default();
        let is_our_order = section.flag("prefer_server_cipher_suites")?.unwrap_or(true);
        section.end()?;
        let (min, versions) = versions(min.as_ref(), max.as_ref(), warnings)?;
        let suites = suites(&ciphers, min, &versions, is_http2, warnings)?;
        let groups = groups(&curves, warnings)?;
        let client_auth = policy.as_ref().map(names::client_auth).transpose()?;
        let is_on = cert.is_some() || key.is_some() || client_ca.is_some() || policy.is_some();
        if !is_on {
            if allowed_names.is_some() {
                return Err(missing("cert or cert_file"));
            }
            if !is_empty {
                warnings.push(
                    "tls_server_config names no certificate, and so nothing is encrypted".into(),
                );
            }
            return Ok(None);
        }
        let cert = cert.ok_or_else(|| missing("cert or cert_file"))?;
        let key = key.ok_or_else(|| missing("key or key_file"))?;
        let client_auth = client_auth.unwrap_or_default();
        if client_auth == ClientAuth::None {
            let idle = match (&client_ca, &allowed_names) {
                (Some(_), _) => Some("a client CA"),
                (None, Some(_)) => Some("client_allowed_sans"),
                (None, None) => None,
            };
            if let Some(idle) = idle {
                return Err(Fault::new(format!(
                    "tls_server_config has {idle} and asks for no certificate, \
                     expected a client_auth_type, mostly RequireAndVerifyClientCert"
                )));
            }
        }
        if client_auth == ClientAuth::RequireAndVerify && client_ca.is_none() {
            warnings.push(
                "RequireAndVerifyClientCert without client_ca_file: no certificate is trusted, and nobody let in"
                    .into(),
            );
        }
        let allowed_names =
            allowed_names.map(|names| names.into_iter().map(|name| name.text).collect());
        Ok(Some(Self {
            cert,
            key,
            client_ca,
            client_auth,
            allowed_names,
            versions,
            suites,
            groups,
            is_our_order,
        }))
    }

    /// The files that it names.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(Pem::file)
    }

    /// Reads certificate and key.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or they do not belong together: as when one of them has been
    /// replaced, and the other not yet.
    pub(super) fn load_pair(&self) -> Result<Arc<CertifiedKey>, Fault> {
        let Self { cert, key, .. } = self;
        let chain = certificates(&cert.bytes("cert")?, &cert.name("cert"))?;
        let private = PrivateKeyDer::from_pem_slice(&key.bytes("key")?).map_err(|_| {
            Fault::new(format!(
                "{} holds no private key, expected one in PEM, not encrypted",
                key.name("key")
            ))
        })?;
        let pair = CertifiedKey::from_der(chain, private, &ring::default_provider());
        pair.map(Arc::new).map_err(|error| {
            let (cert, key) = (cert.name("cert"), key.name("key"));
            let what = match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!(
                        "{key} is not the key of {cert}, expected that of its first certificate"
                    )
                }
                rustls::Error::InvalidCertificate(error) => {
                    format!("{cert} is no certificate: {error}")
                }
                _ => {
                    format!("{key} is of no use, expected RSA, ECDSA on P-256 or P-384, or Ed25519")
                }
            };
            Fault::new(what)
        })
    }

    /// Whether a client is asked for a certificate.
    pub(super) fn asks_clients(&self) -> bool {
        self.client_auth != ClientAuth::None
    }

    /// Makes the configuration of connections, with a pair that was loaded before.
    ///
    /// # Errors
    ///
    /// When the client CA cannot be read.
    pub(super) fn config(&self, pair: &CertifiedKey) -> Result<ServerConfig, Fault> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: self.suites.clone(),
            kx_groups: self.groups.clone(),
            ..ring::default_provider()
        });
        let what = |error: rustls::Error| Fault::new(format!("tls_server_config: {error}"));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .map_err(what)?;
        let builder = match self.clients(&provider)? {
            Some(clients) => builder.with_client_cert_verifier(Arc::new(clients)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair.clone())));
        config.ignore_client_order = self.is_our_order;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn clients(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Clients>, Fault> {
        if self.client_auth == ClientAuth::None {
            return Ok(None);
        }
        let trusted = match &self.client_ca {
            Some(ca) => certificates(&ca.bytes("client_ca")?, &ca.name("client_ca"))?,
            None => Vec::new(),
        };
        Clients::new(self.client_auth, trusted, self.allowed_names.clone(), provider).map(Some)
    }
}

/// Reads the certificates of a PEM, of which there has to be one.
fn certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates =
        certificates.map_err(|error| Fault::new(format!("{name} is no PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Fault::new(format!("{name} holds no certificate, expected PEM")));
    }
    Ok(certificates)
}

fn missing(what: &str) -> Fault {
    Fault::new(format!("tls_server_config has no {what}, expected one of them"))
}

/// The versions between two, and the lower one.
fn versions(
    min: Option<&Text>,
    max: Option<&Text>,
    warnings: &mut Vec<String>,
) -> Result<(Version, Vec<&'static SupportedProtocolVersion>), Fault> {
    let read = |key, text: Option<&Text>, default| {
        text.map_or(Ok(default), |text| names::version(key, text))
    };
    let least = read("min_version", min, Version::Tls12)?;
    let most = read("max_version", max, Version::Tls13)?;
    if least == Version::Old {
        warnings.push("min_version is below TLS12, which is the oldest that is served".into());
    }
    if let Some(Text { line, text }) = max
        && (most == Version::Old || most < least)
    {
        let expected =
            if least == Version::Tls13 { "TLS13, as min_version is" } else { "TLS12 or TLS13" };
        let what = format!("tls_server_config max_version is {text}, expected {expected}");
        return Err(Fault::at(*line, what));
    }
    let all = [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)];
    let between = all.into_iter().filter(|(version, _)| (least..=most).contains(version));
    Ok((least, between.map(|(_, version)| version).collect()))
}

/// The suites of a list, in its order; of TLS 1.3 all, which no list decides on.
fn suites(
    list: &[Text],
    min: Version,
    versions: &[&SupportedProtocolVersion],
    is_http2: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<SupportedCipherSuite>, Fault> {
    let mut suites = names::TLS13_SUITES.to_vec();
    if list.is_empty() {
        suites.extend(names::TLS12_SUITES);
        return Ok(suites);
    }
    let ciphers: Vec<_> = list.iter().map(names::cipher).collect::<Result<_, _>>()?;
    let line = list.first().map_or(0, |first| first.line);
    // HTTP/2 is not served, but who asks for both is told the same everywhere.
    if is_http2 && min < Version::Tls13 && !ciphers.iter().copied().any(names::is_for_http2) {
        return Err(Fault::at(
            line,
            "tls_server_config cipher_suites has none that HTTP/2 requires, expected \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 \
             among them, or http2: false in http_server_config",
        ));
    }
    for (cipher, Text { text, .. }) in ciphers.into_iter().zip(list) {
        match cipher {
            Cipher::Ours(suite) => suites.push(suite),
            Cipher::AlwaysOn => {}
            Cipher::Absent => warnings.push(format!("{text} is not implemented and left out")),
        }
    }
    let serves = |version: &&SupportedProtocolVersion| {
        suites.iter().any(|suite| suite.version().version == version.version)
    };
    if !versions.iter().all(serves) && !versions.iter().any(|version| **version == TLS13) {
        return Err(Fault::at(
            line,
            "tls_server_config cipher_suites has none that is implemented, expected one with GCM or CHACHA20",
        ));
    }
    Ok(suites)
}

/// The groups of a list, in its order.
fn groups(
    list: &[Text],
    warnings: &mut Vec<String>,
) -> Result<Vec<&'static dyn SupportedKxGroup>, Fault> {
    let Some(first) = list.first() else { return Ok(ring::ALL_KX_GROUPS.to_vec()) };
    let mut groups = Vec::new();
    for name in list {
        match names::curve(name)? {
            Some(group) => groups.push(group),
            None => warnings.push(format!("{} is not implemented and left out", name.text)),
        }
    }
    if groups.is_empty() {
        return Err(Fault::at(
            first.line,
            "tls_server_config curve_preferences has none that is implemented, expected one of \
             X25519, CurveP256, CurveP384",
        ));
    }
    Ok(groups)
}
