//! What a SASL mechanism is told, whatever it holds.

use super::replies::prefix;
use crate::call::{AuthSaslStep, Call, SaslReply};

/// Reads a payload as the answer to a mechanism's message, and word by word.
pub(super) fn sasl(payload: &[u8]) {
    let read = AuthSaslStep::decode(payload).ok();
    assert_eq!(read, plain(payload));
    prefix(payload, |payload| AuthSaslStep::decode(payload).ok());
    let Some(SaslReply { is_complete, data }) = read else { return };
    // What was said comes back as it is sent.
    let sent = AuthSaslStep { data: data.as_deref() }.arguments();
    let again = [&i32::from(is_complete).to_be_bytes(), &sent[..]].concat();
    assert_eq!(AuthSaslStep::decode(&again).ok(), Some(SaslReply { is_complete, data }));
}

/// A second reading: four bytes a word, a word a byte.
fn plain(payload: &[u8]) -> Option<SaslReply> {
    let (words, _) = payload.as_chunks::<4>();
    let [is_complete, is_nil, len, bytes @ ..] = words else { return None };
    let len = usize::try_from(u32::from_be_bytes(*len)).ok().filter(|len| *len <= 65_536)?;
    let bytes = bytes.get(..len)?.iter().map(|word| word[3]).collect();
    let data = (*is_nil == [0; 4]).then_some(bytes);
    Some(SaslReply { is_complete: *is_complete != [0; 4], data })
}
