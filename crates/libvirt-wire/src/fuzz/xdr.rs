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
        8 => {
            let most = plain.0.len() / 4;
            let list = reader.list::<i32>("numbers", LIMIT).ok();
            assert!(list.as_ref().is_none_or(|list| list.capacity() <= most), "over-reserved");
            let numbers: Option<Vec<_>> = plain
                .count()
                .and_then(|count| (0..count).map(|_| plain.word().map(u32::cast_signed)).collect());

            same(list, numbers)
        }
        _ => {
            let most = plain.0.len() / 4;
            let list = reader.list::<String>("texts", LIMIT).ok();
            assert!(list.as_ref().is_none_or(|list| list.capacity() <= most), "over-reserved");
            let texts =
                plain.count().and_then(|count| (0..count).map(|_| plain.string()).collect());
            same(list, texts)
        }
    }
}

/// The most items in a list of this target.
const LIMIT: usize = 1000;

fn same<T: Debug + PartialEq>(read: Option<T>, expected: Option<T>) -> bool {
    assert_eq!(read, expected);
    read.and(expected).is_some()
}

/// RFC 4506 in the fewest words.
struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.0.get(..len)?;
        self.0 = &self.0[len..];
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        Some(self.take(4)?.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
    }

    fn long(&mut self) -> Option<u64> {
        let bytes = self.take(8)?;
        Some(bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
    }

    fn count(&mut self) -> Option<u32> {
        self.word().filter(|count| *count <= 1000)
    }

    fn string(&mut self) -> Option<String> {
        let len = self.word().filter(|len| *len <= 4_194_304)?;
        let len = usize::try_from(len).ok()?;
        let padded = self.take(len.div_ceil(4) * 4)?;
        Some(String::from_utf8_lossy(&padded[..len]).into_owned())
    }
}
