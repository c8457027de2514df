//! Compressed answers.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// Returns the text compressed.
///
/// At the fastest level: the text repeats itself so much that this makes it small, and
/// nothing else is answered meanwhile.
pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_is_compressed_is_read_again() {
        let text = "libvirt_up 1\n".repeat(1000);
        let compressed = gzip(&text);
        assert!(compressed.len() < text.len() / 10, "{} bytes", compressed.len());
        let mut again = String::new();
        GzDecoder::new(&*compressed).read_to_string(&mut again).unwrap();
        assert_eq!(again, text);
    }
}
