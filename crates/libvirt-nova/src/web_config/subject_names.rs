//! The names in a certificate (RFC 5280, 4.2.1.6), as Go prints them.

use std::net::{Ipv4Addr, Ipv6Addr};

use der::{
    Decode, Reader, Result, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};

/// The DNS names, e-mail and IP addresses and URIs of a certificate.
///
/// # Errors
///
/// When it is no certificate.
pub(super) fn of(certificate: &[u8]) -> Result<Vec<String>> {
    let [tbs, ..] = items(AnyRef::from_der(certificate)?.value())?[..] else {
        return Ok(Vec::new());
    };
    let extensions = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };
    let mut names = Vec::new();
    for item in items(tbs.value())?.into_iter().filter(|item| item.tag() == extensions) {
        for extension in items(AnyRef::from_der(item.value())?.value())? {
            names.extend(of_extension(extension.value())?);
        }
    }
    Ok(names)
}

/// The names of an extension: its kind, whether it is critical, and the rest as DER of its own.
fn of_extension(extension: &[u8]) -> Result<Vec<String>> {
    let mut reader = SliceReader::new(extension)?;
    if ObjectIdentifier::decode(&mut reader)? != SUBJECT_ALT_NAME {
        return Ok(Vec::new());
    }
    let value = match AnyRef::decode(&mut reader)? {
        critical if critical.tag() == Tag::Boolean => <&OctetStringRef>::decode(&mut reader)?,
        value => value.decode_as()?,
    };
    let names = items(AnyRef::from_der(value.as_bytes())?.value())?;
    Ok(names.into_iter().filter_map(name).collect())
}

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// A name of the kinds that may be allowed; of those, only what is well-formed.
fn name(name: AnyRef<'_>) -> Option<String> {
    let Tag::ContextSpecific { constructed: false, number: TagNumber(number) } = name.tag() else {
        return None;
    };
    let bytes = name.value();
    match number {
        // An e-mail address, a DNS name, a URI.
        1 | 2 | 6 if bytes.is_ascii() => String::from_utf8(bytes.to_vec()).ok(),
        // An IP address.
        7 => match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok().map(|ip| Ipv4Addr::from(ip).to_string()),
            16 => <[u8; 16]>::try_from(bytes).ok().map(|ip| Ipv6Addr::from(ip).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// The items of a sequence, one after another.
fn items(sequence: &[u8]) -> Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(sequence)?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        items.push(AnyRef::decode(&mut reader)?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    use super::*;

    fn client() -> CertificateDer<'static> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/web-config/client.crt");
        CertificateDer::from_pem_file(dir).unwrap()
    }

    #[test]
    fn names_of_every_kind_are_read() {
        assert_eq!(
            of(&client()).unwrap(),
            [
                "scraper.example",
                "metrics@example.org",
                "192.0.2.7",
                "2001:db8::7",
                "spiffe://example.org/prometheus"
            ]
        );
    }

    /// Who shows it has signed it, mostly, but anybody can write anything.
    #[test]
    fn damaged_certificates_are_survived() {
        let good = client();
        for length in 0..good.len() {
            assert!(of(&good[..length]).is_err(), "{length}");
        }
        let mut read = 0;
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.to_vec();
                bytes[at] ^= 1 << bit;
                read += usize::from(of(&bytes).is_ok());
            }
        }
        assert!(read > 0);
        assert!(of(b"").is_err() && of(b"\x30\x00").unwrap().is_empty());
    }
}
