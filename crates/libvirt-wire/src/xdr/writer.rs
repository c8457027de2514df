//! Writing XDR.

use super::UNIT;

/// A packet under construction.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Writes an `int`, also one that stands for an `enum`.
    pub fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes an `unsigned int`, also one that stands for a shorter type.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes an `unsigned hyper`.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes an `opaque[N]`, where `N` is a multiple of four.
    pub fn array<const N: usize>(&mut self, value: &[u8; N]) {
        self.bytes.extend_from_slice(value);
    }

    /// Writes a count. One that no payload could back is sent as the largest
    /// number, which libvirtd refuses.
    pub fn length(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// Writes a `remote_nonnull_string`.
    pub fn string(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(UNIT), 0);
    }

    /// Writes a `remote_string`, which may be null.
    pub fn optional_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.u32(1);
                self.string(text);
            }
            None => self.u32(0),
        }
    }

    /// Returns what was written.
    pub fn into_bytes(self) -> Vec<u8> {
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
