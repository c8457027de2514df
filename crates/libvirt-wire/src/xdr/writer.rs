//! Writing XDR.

use super::UNIT;

/// A packet under construction.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes an `opaque[N]`, where `N` is a multiple of four.
    pub(crate) fn array<const N: usize>(&mut self, value: &[u8; N]) {
        self.bytes.extend_from_slice(value);
    }

    /// Writes a count. One that no payload could back is sent as the largest
    /// number, which libvirtd refuses.
    pub(crate) fn length(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(UNIT), 0);
    }

    pub(crate) fn optional_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.u32(1);
                self.string(text);
            }
            None => self.u32(0),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_padded_with_zeros() {
        let mut writer = Writer::default();
        writer.string("hello");
        writer.optional_string(None);
        assert_eq!(writer.into_bytes(), b"\0\0\0\x05hello\0\0\0\0\0\0\0");
    }
}
