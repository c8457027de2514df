//! Compressed answers.

use std::{
    io::{self, Write},
    mem,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{Stream, StreamExt, stream};

/// Compresses what comes, in pieces of at least [`PIECE`] but for the last one.
///
/// At the fastest level: the text repeats itself so much that this makes it small. A piece of
/// it takes a third of a millisecond, in which nothing else is answered.
pub(super) fn gzip(
    pieces: impl Stream<Item = io::Result<Bytes>>,
) -> impl Stream<Item = io::Result<Bytes>> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    stream::unfold((Box::pin(pieces), Some(encoder)), async |(mut pieces, encoder)| {
        let mut encoder = encoder?;
        while let Some(piece) = pieces.next().await {
            let written = match piece {
                Ok(piece) => encoder.write_all(&piece),
                // What is cut short has no end that could be read.
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                return Some((Err(error), (pieces, None)));
            }
            if encoder.get_ref().len() >= PIECE {
                let compressed = mem::take(encoder.get_mut());
                return Some((Ok(Bytes::from(compressed)), (pieces, Some(encoder))));
            }
        }
        Some((encoder.finish().map(Bytes::from), (pieces, None)))
    })
}

/// Returns what is here already compressed.
#[cfg(any(test, fuzzing, feature = "bench"))]
pub(crate) fn gzipped(pieces: impl IntoIterator<Item = String>) -> Vec<u8> {
    use futures_util::{FutureExt, TryStreamExt};

    let pieces = gzip(stream::iter(pieces.into_iter().map(|piece| Ok(piece.into()))));
    let pieces = pieces.try_collect::<Vec<_>>().now_or_never();
    pieces.and_then(Result::ok).unwrap_or_default().concat()
}

/// Bytes that are worth a write of their own.
const PIECE: usize = 16_384;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use futures_util::{FutureExt, TryStreamExt};

    use super::*;

    #[test]
    fn what_is_compressed_is_read_again_whatever_the_pieces() {
        let text: String = (0..60_000).map(|number| format!("libvirt_up {number}\n")).collect();
        for len in [1000, 65_536, text.len()] {
            let pieces = text.as_bytes().chunks(len).map(Bytes::copy_from_slice).map(Ok);
            let compressed = gzip(stream::iter(pieces)).try_collect::<Vec<_>>().now_or_never();
            let compressed = compressed.unwrap().unwrap();
            let (last, others) = compressed.split_last().unwrap();
            assert!(!last.is_empty() && others.iter().all(|piece| piece.len() >= PIECE));
            assert!(len == text.len() || others.len() > 3, "{} pieces of {len}", others.len());
            let compressed = compressed.concat();
            assert!(compressed.len() < text.len() / 3, "{} bytes", compressed.len());
            let mut again = String::new();
            GzDecoder::new(&*compressed).read_to_string(&mut again).unwrap();
            assert_eq!(again, text);
        }
    }

    #[test]
    fn what_is_cut_short_has_no_end() {
        let text = Bytes::from_static(b"libvirt_up 1\n");
        let pieces = [Ok(text), Err(io::Error::other("cut short"))];
        let pieces = gzip(stream::iter(pieces)).collect::<Vec<_>>().now_or_never().unwrap();
        assert!(matches!(&pieces[..], [Err(_)]), "{pieces:?}");
    }
}
