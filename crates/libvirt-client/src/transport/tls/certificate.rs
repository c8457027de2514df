//! What there is in a certificate (RFC 5280, 4.1) beside what its verification looks at.

use der::{
    Decode, Reader, Result, SliceReader, Tag, TagNumber, Tagged,
    asn1::{AnyRef, ObjectIdentifier},
};

/// A certificate, as far as a name in its subject is concerned.
pub(super) struct Certificate<'a> {
    /// The name of who has signed it, without its tag, as a trust anchor has its subject.
    pub(super) issuer: &'a [u8],
    /// The common names of its subject; `None` for one that is in no common encoding of text.
    pub(super) common_names: Vec<Option<String>>,
    extensions: Vec<ObjectIdentifier>,
}

impl<'a> Certificate<'a> {
    /// Reads one from DER.
    pub(super) fn read(certificate: &'a [u8]) -> Result<Self> {
        let mut outer = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
        let fields = items(AnyRef::decode(&mut outer)?.value())?;
        // Version, serial number and key have tags of their own, or come after these four.
        let mut names = fields.iter().filter(|field| field.tag() == Tag::Sequence);
        let (Some(_algorithm), Some(issuer), Some(_validity), Some(subject)) =
            (names.next(), names.next(), names.next(), names.next())
        else {
            return Err(Tag::Sequence.value_error().into());
        };
        Ok(Self {
            issuer: issuer.value(),
            common_names: common_names(subject.value())?,
            extensions: match fields.iter().find(|field| field.tag() == EXTENSIONS) {
                Some(extensions) => kinds(extensions.value())?,
                None => Vec::new(),
            },
        })
    }

    /// Whether it has names beside the one in its subject, of whatever kind.
    pub(super) fn has_alternative_names(&self) -> bool {
        self.extensions.contains(&SUBJECT_ALT_NAME)
    }

    /// Whether it says which names it may sign for.
    pub(super) fn has_name_constraints(&self) -> bool {
        self.extensions.contains(&NAME_CONSTRAINTS)
    }
}

fn common_names(subject: &[u8]) -> Result<Vec<Option<String>>> {
    let mut names = Vec::new();
    for set in items(subject)? {
        for attribute in items(set.value())? {
            let mut reader = SliceReader::new(attribute.value())?;
            let kind = ObjectIdentifier::decode(&mut reader)?;
            let value = AnyRef::decode(&mut reader)?;
            if kind == COMMON_NAME {
                let is_text = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
                let text = is_text.contains(&value.tag()).then(|| value.value().to_vec());
                names.push(text.and_then(|text| String::from_utf8(text).ok()));
            }
        }
    }
    Ok(names)
}

/// What kinds of extensions there are.
fn kinds(extensions: &[u8]) -> Result<Vec<ObjectIdentifier>> {
    let kind =
        |extension: AnyRef<'_>| ObjectIdentifier::decode(&mut SliceReader::new(extension.value())?);
    items(AnyRef::from_der(extensions)?.value())?.into_iter().map(kind).collect()
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

const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
