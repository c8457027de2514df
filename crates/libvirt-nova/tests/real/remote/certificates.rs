//! Certificates of every kind, right and wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RevocationReason, RevokedCertParams, SanType, SerialNumber,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::{
    fixture::{new_dir, next_number},
    process::output,
};

/// Who signs.
#[derive(Debug)]
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    make_key: fn() -> KeyPair,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
    serial: u64,
}

/// What a server's certificate calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Called<'n> {
    /// By its subject's alternative names, as is right.
    Names(&'n [&'n str]),
    /// By its common name alone, as libvirt's guide made them for ten years.
    CommonName(&'n str),
}

/// What a server here is called by.
pub(crate) const HERE: Called<'static> = Called::Names(&["localhost", "127.0.0.1", "127.0.0.2"]);

impl Authority {
    /// One whose keys are on P-256.
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, || KeyPair::generate().unwrap())
    }

    /// One whose keys are RSA's, as libvirt's guide makes them.
    pub(crate) fn of_rsa(name: &str) -> Self {
        Self::with(name, || {
            let bits = "rsa_keygen_bits:2048";
            let made = output(Command::new("openssl").args([
                "genpkey",
                "-quiet",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                bits,
            ]));
            let lines = made.lines().filter(|line| !line.starts_with('-'));
            let der = STANDARD.decode(lines.collect::<String>()).unwrap();
            let key = PrivatePkcs8KeyDer::from(der);
            KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap()
        })
    }

    fn with(name: &str, make_key: fn() -> KeyPair) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = make_key();
        let certificate = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
        Self { certificate, issuer: Issuer::new(params, key), make_key }
    }

    /// Its own certificate, as PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Signs a server's.
    pub(crate) fn server(&self, called: Called<'_>) -> Issued {
        self.server_until(called, SystemTime::now() + DAY)
    }

    /// The same with one that expires.
    pub(crate) fn server_until(&self, called: Called<'_>, end: SystemTime) -> Issued {
        let mut params = match called {
            Called::Names(names) => {
                let mut params = named("libvirtd");
                let name = |name: &&str| match name.parse() {
                    Ok(address) => SanType::IpAddress(address),
                    Err(_) => SanType::DnsName((*name).try_into().unwrap()),
                };
                params.subject_alt_names = names.iter().map(name).collect();
                params
            }
            Called::CommonName(name) => named(name),
        };
        params.not_after = end.into();
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Signs a client's.
    pub(crate) fn client(&self) -> Issued {
        self.sign(named("exporter"), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Issued {
        // libvirt wants both, whatever the key.
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![purpose];
        let serial = next_number().into();
        params.serial_number = Some(SerialNumber::from(serial));
        let key = (self.make_key)();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
            serial,
        }
    }

    /// The list of what it has revoked, as PEM: these.
    pub(crate) fn revoked(&self, revoked: &[&Issued]) -> String {
        let now = SystemTime::now();
        let entry = |issued: &&Issued| RevokedCertParams {
            serial_number: SerialNumber::from(issued.serial),
            revocation_time: now.into(),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: (now - DAY).into(),
            next_update: (now + DAY).into(),
            crl_number: SerialNumber::from(u64::from(next_number())),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        pem("X509 CRL", params.signed_by(&self.issuer).unwrap().der())
    }
}

/// Makes a directory as `pkipath=` wants it: whom the client trusts, and who it says that it is.
pub(crate) fn client_place(trusted: &str, client: Option<&Issued>) -> PathBuf {
    let place = new_dir("pki");
    fs::write(place.join("cacert.pem"), trusted).unwrap();
    if let Some(client) = client {
        identify(&place, client);
    }
    place
}

/// Makes the client of a directory another one.
pub(crate) fn identify(place: &Path, client: &Issued) {
    fs::write(place.join("clientcert.pem"), &client.certificate).unwrap();
    fs::write(place.join("clientkey.pem"), &client.key).unwrap();
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = (SystemTime::now() - DAY).into();
    params.not_after = (SystemTime::now() + DAY).into();
    params
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: String =
        base64.as_bytes().chunks(64).map(|line| format!("{}\n", line.escape_ascii())).collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}
