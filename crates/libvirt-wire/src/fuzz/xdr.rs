//! XDR items, read in any order.

use std::fmt::Debug;

use crate::xdr::Reader;

/// Reads one item after the other, and the same items by a reading of its own.
///
/// The first byte, modulo 32, says how many bytes after it each choose an item;
/// the rest is the payload.
pub fn xdr(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (items, payload) = rest.split_at(rest.len().min(usize::from(count % 32)));
    let mut reader = Reader::new(payload);
    let mut plain = Plain(payload);
    for item in items {
        if !agree(*item, &mut reader, &mut plain) {
            // After an error a reader is of no further use.
            return;
        }
    }
    let mut left = 0;
    while reader.array::<1>("byte").is_ok() {
        left += 1;
    }
    assert_eq!(left, plain.0.len(), "bytes left");
}

/// Reads one item both ways. Returns whether it was there.
fn agree(item: u8, reader: &mut Reader<'_>, plain: &mut Plain<'_>) -> bool {
    match item % 10 {
        0 => same(reader.u32("u32").ok(), plain.word()),
        1 => same(reader.i32("i32").ok(), plain.word().map(u32::cast_signed)),
        2 => same(reader.u64("u64").ok(), plain.long()),
        3 => same(reader.i64("i64").ok(), plain.long().map(u64::cast_signed)),
        4 => same(reader.f64("f64").ok().map(f64::to_bits), plain.long()),
        5 => same(reader.array::<16>("uuid").ok().map(Vec::from), plain.take(16).map(Vec::from)),
        6 => same(reader.string("string").ok().map(String::from), plain.string()),
        7 => same(
            reader.optional_string("optional").ok().map(|text| text.map(String::from)),
            match plain.word() {
                Some(0) => Some(None),
                Some(1) => plain.string().map(Some),
                _ => None,
            },
        ),
        8 => same(
            reader.list::<i32>("numbers", LIMIT).ok(),
            plain.list(LIMIT, |plain| plain.word().map(u32::cast_signed)),
        ),
        _ => same(reader.list("texts", LIMIT).ok(), plain.list(LIMIT, Plain::string)),
    }
}

/// The most items in a list of this target: too many for the memory that `scripts/fuzz` grants.
const LIMIT: usize = 4_000_000;

fn same<T: Debug + PartialEq>(read: Option<T>, expected: Option<T>) -> bool {
    assert_eq!(read, expected);
    read.and(expected).is_some()
}

/// RFC 4506 in the fewest words.
pub(super) struct Plain<'a>(pub(super) &'a [u8]);

impl<'a> Plain<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        Some(self.take(4)?.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
    }

    pub(super) fn long(&mut self) -> Option<u64> {
        Some(u64::from(self.word()?) << 32 | u64::from(self.word()?))
    }

    pub(super) fn string(&mut self) -> Option<String> {
        let len = self.word().filter(|len| *len <= 4_194_304)?;
        let len = usize::try_from(len).ok()?;
        let padded = self.take(len.div_ceil(4) * 4)?;
        Some(String::from_utf8_lossy(&padded[..len]).into_owned())
    }

    pub(super) fn list<T>(
        &mut self,
        limit: usize,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let len = usize::try_from(self.word()?).ok().filter(|len| *len <= limit)?;
        (0..len).map(|_| read(self)).collect()
    }
}
