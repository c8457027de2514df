//! Reading XDR.
//!
//! No input makes this module panic, and none makes it allocate more than a
//! small constant times the payload's own length.

use std::borrow::Cow;

use super::{STRING_MAX, UNIT};
use crate::error::{DecodeError, Reason};

/// The part of a payload that has not been read yet.
///
/// Each method takes `what`, the protocol's name for the item, and puts it in
/// the error.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// A structure of the protocol.
pub trait Decode<'a>: Sized {
    /// The fewest bytes that one value takes, at least 1.
    ///
    /// An array's count is a claim; this is what it is held against before
    /// memory is reserved.
    const MIN_LEN: usize;

    /// Reads one value, in the order of the protocol's fields.
    ///
    /// # Errors
    ///
    /// When the payload ends early or holds a value that the protocol forbids.
    /// The reader is then of no further use.
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

impl<'a> Reader<'a> {
    /// A reader at the start of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Result<i32, DecodeError> {
        self.array(what).map(i32::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        self.array(what).map(i64::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(crate) fn f64(&mut self, what: &'static str) -> Result<f64, DecodeError> {
        self.array(what).map(f64::from_be_bytes)
    }

    /// Reads `N` bytes of an `opaque[N]`, where `N` is a multiple of four.
    pub(crate) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let Some((head, rest)) = self.rest.split_first_chunk() else {
            let bytes = N.saturating_sub(self.rest.len());
            return Err(DecodeError::new(what, Reason::Missing { bytes }));
        };
        self.rest = rest;
        Ok(*head)
    }

    /// Reads a `remote_nonnull_string`.
    ///
    /// Bytes that are not UTF-8 become U+FFFD: a guest's disk path must not cost
    /// the host its whole reply.
    pub(crate) fn string(&mut self, what: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        let bytes = self.opaque(what, STRING_MAX)?;
        // What is text as it stands is found to be so in half the time.
        Ok(str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed))
    }

    /// Reads an `opaque<>` of at most `limit` bytes.
    pub(crate) fn opaque(
        &mut self,
        what: &'static str,
        limit: usize,
    ) -> Result<&'a [u8], DecodeError> {
        let len = self.length(what, limit)?;
        let bytes = self.take(what, len)?;
        self.take(what, len.next_multiple_of(UNIT).saturating_sub(len))?;
        Ok(bytes)
    }

    /// Reads a `remote_string`, which may be null.
    pub(crate) fn optional_string(
        &mut self,
        what: &'static str,
    ) -> Result<Option<Cow<'a, str>>, DecodeError> {
        self.optional(what, |reader| reader.string(what))
    }

    /// Reads a pointer: a flag, and the value where the flag is 1.
    pub(crate) fn optional<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.u32(what)? {
            0 => Ok(None),
            1 => read(self).map(Some),
            unknown => Err(DecodeError::new(what, Reason::Discriminant(unknown))),
        }
    }

    /// Reads a counted array of at most `limit` items.
    pub(crate) fn list<T: Decode<'a>>(
        &mut self,
        what: &'static str,
        limit: usize,
    ) -> Result<Vec<T>, DecodeError> {
        let len = self.length(what, limit)?;
        // `len` is the peer's claim. Reserve no more than the bytes left can back.
        let backed = self.rest.len().checked_div(T::MIN_LEN).unwrap_or(0);
        let mut items = Vec::with_capacity(len.min(backed));
        for _ in 0..len {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    fn length(&mut self, what: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let found = self.u32(what)?;
        usize::try_from(found)
            .ok()
            .filter(|len| *len <= limit)
            .ok_or(DecodeError::new(what, Reason::Length { found, limit }))
    }

    fn take(&mut self, what: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            let bytes = len.saturating_sub(self.rest.len());
            return Err(DecodeError::new(what, Reason::Missing { bytes }));
        };
        self.rest = rest;
        Ok(head)
    }
}

/// The reply of a procedure that returns nothing.
impl Decode<'_> for () {
    const MIN_LEN: usize = 1;

    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "item";

    #[test]
    fn integers_are_big_endian() {
        let mut reader = Reader::new(&[0, 0, 1, 2, 255, 255, 255, 254, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(reader.u32(WHAT), Ok(0x0102));
        assert_eq!(reader.i32(WHAT), Ok(-2));
        assert_eq!(reader.u64(WHAT), Ok(0x0100));
        assert!(reader.rest.is_empty());
    }

    #[test]
    fn a_string_takes_its_padding_with_it() {
        let mut reader = Reader::new(b"\0\0\0\x05hello\0\0\0\0\0\0\x07");
        assert_eq!(reader.string(WHAT).unwrap(), "hello");
        assert_eq!(reader.u32(WHAT), Ok(7));
    }

    #[test]
    fn padding_that_is_not_zero_is_ignored() {
        let mut reader = Reader::new(b"\0\0\0\x01axyz");
        assert_eq!(reader.string(WHAT).unwrap(), "a");
        assert!(reader.rest.is_empty());
    }

    #[test]
    fn a_string_without_its_padding_is_short() {
        let error = Reader::new(b"\0\0\0\x05hello\0\0").string(WHAT).unwrap_err();
        assert_eq!(error.to_string(), "item ends 1 bytes early");
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        assert_eq!(Reader::new(b"\0\0\0\x02a\xff\0\0").string(WHAT).unwrap(), "a\u{fffd}");
    }

    #[test]
    fn a_length_beyond_the_protocols_is_refused() {
        let error = Reader::new(&[0xff; 8]).string(WHAT).unwrap_err();
        assert_eq!(error.to_string(), "item has length 4294967295, expected 4194304 at most");
    }

    #[test]
    fn a_flag_other_than_0_and_1_is_refused() {
        let error = Reader::new(&[0, 0, 0, 2]).optional_string(WHAT).unwrap_err();
        assert_eq!(error.to_string(), "item has the unknown value 2");
    }

    #[test]
    fn a_count_reserves_no_more_than_its_bytes_can_back() {
        struct Word;
        impl Decode<'_> for Word {
            const MIN_LEN: usize = 4;
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.u32(WHAT).map(|_| Self)
            }
        }
        // Four thousand million words are announced, one is there.
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        assert!(reader.list::<Word>(WHAT, usize::MAX).is_err());
        // Where the protocol's own limit is smaller, it is what counts.
        let mut reader = Reader::new(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(reader.list::<Word>(WHAT, 1).is_err());
    }
}
