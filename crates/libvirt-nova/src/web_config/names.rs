//! Go's names of what TLS is made of, which the file uses, and what they are here.

use rustls::{
    SupportedCipherSuite,
    crypto::{
        SupportedKxGroup,
        ring::{cipher_suite, kx_group},
    },
};

use crate::config::{Fault, Text};

/// Which certificate a client has to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientAuth {
    #[default]
    None,
    /// Any, or none.
    Request,
    /// Any.
    RequireAny,
    /// One that our CA signed, or none.
    VerifyIfGiven,
    /// One that our CA signed.
    RequireAndVerify,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// 1.0 or 1.1, which no longer exist here.
    Old,
    Tls12,
    Tls13,
}

/// Reads a `client_auth_type`.
pub(super) fn client_auth(name: &Text) -> Result<ClientAuth, Fault> {
    Ok(match name.text.as_str() {
        "NoClientCert" => ClientAuth::None,
        "RequestClientCert" => ClientAuth::Request,
        "RequireAnyClientCert" | "RequireClientCert" => ClientAuth::RequireAny,
        "VerifyClientCertIfGiven" => ClientAuth::VerifyIfGiven,
        "RequireAndVerifyClientCert" => ClientAuth::RequireAndVerify,
        _ => {
            return Err(unknown(
                "client_auth_type",
                name,
                "NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, \
                 RequireAndVerifyClientCert",
            ));
        }
    })
}

/// Reads a `min_version` or `max_version`.
pub(super) fn version(key: &str, name: &Text) -> Result<Version, Fault> {
    match name.text.as_str() {
        "TLS10" | "TLS11" => Ok(Version::Old),
        "TLS12" => Ok(Version::Tls12),
        "TLS13" => Ok(Version::Tls13),
        _ => Err(unknown(key, name, "TLS12, TLS13")),
    }
}

/// A cipher suite of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cipher {
    /// Of TLS 1.2.
    Ours(SupportedCipherSuite),
    /// Of TLS 1.3, whose suites are always on, as they are in Go.
    AlwaysOn,
    /// Go has it, we have not: CBC, for which there have been too many attacks.
    Absent,
}

/// Reads one of `cipher_suites`.
pub(super) fn cipher(name: &Text) -> Result<Cipher, Fault> {
    Ok(match name.text.as_str() {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
        }
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)
        }
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
        }
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
        }
        // Go knows both by a short name as well, but only lists the long one.
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256)
        }
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
            Cipher::Ours(cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256)
        }
        "TLS_AES_128_GCM_SHA256" | "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256" => {
            Cipher::AlwaysOn
        }
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" => Cipher::Absent,
        _ => {
            return Err(unknown(
                "cipher_suites",
                name,
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
                 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
                 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
                 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
                 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ));
        }
    })
}

/// The suites of TLS 1.3, the cheapest first: none is known to be weaker.
pub(super) const TLS13_SUITES: [SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// The suites of TLS 1.2, likewise.
pub(super) const TLS12_SUITES: [SupportedCipherSuite; 6] = [
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// One of TLS 1.2's suites that HTTP/2 cannot do without (RFC 9113, 9.2.2).
pub(super) fn is_for_http2(cipher: Cipher) -> bool {
    [
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ]
    .map(Cipher::Ours)
    .contains(&cipher)
}

/// Reads one of `curve_preferences`; `None` is one that Go has and we have not.
pub(super) fn curve(name: &Text) -> Result<Option<&'static dyn SupportedKxGroup>, Fault> {
    match name.text.as_str() {
        "X25519" => Ok(Some(kx_group::X25519)),
        "CurveP256" => Ok(Some(kx_group::SECP256R1)),
        "CurveP384" => Ok(Some(kx_group::SECP384R1)),
        "CurveP521" => Ok(None),
        _ => Err(unknown("curve_preferences", name, "X25519, CurveP256, CurveP384")),
    }
}

fn unknown(key: &str, name: &Text, choices: &str) -> Fault {
    let Text { line, text } = name;
    Fault::at(
        *line,
        format!("tls_server_config {key}: {text} is not a choice, expected one of {choices}"),
    )
}
