//! The common name in a certificate's subject (RFC 5280, 4.1.2.6).

use der::{
    Decode, Reader, Result, SliceReader, Tag, Tagged,
    asn1::{AnyRef, ObjectIdentifier},
};

/// The last common name of the subject, which is the most specific one; `None` where there is
/// none that is text.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    subject(certificate).ok().flatten()
}

fn subject(certificate: &[u8]) -> Result<Option<String>> {
    let [tbs, ..] = items(AnyRef::from_der(certificate)?.value())?[..] else { return Ok(None) };
    // Among version, serial number, algorithm, issuer, validity, subject and what follows, the
    // third sequence but one of names is the subject: algorithm, issuer, validity, subject.
    let fields = items(tbs.value())?.into_iter().filter(|field| field.tag() == Tag::Sequence);
    let Some(subject) = fields.into_iter().nth(3) else { return Ok(None) };
    let mut name = None;
    for set in items(subject.value())? {
        for attribute in items(set.value())? {
            let mut reader = SliceReader::new(attribute.value())?;
            let kind = ObjectIdentifier::decode(&mut reader)?;
            let value = AnyRef::decode(&mut reader)?;
            let is_text = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
            if kind == COMMON_NAME && is_text.contains(&value.tag()) {
                name = String::from_utf8(value.value().to_vec()).ok();
            }
        }
    }
    Ok(name)
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The items of a sequence, one after another.
fn items(sequence: &[u8]) -> Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(sequence)?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        items.push(AnyRef::decode(&mut reader)?);
    }
    Ok(items)
}
