//! Packets, however their bytes arrive.

use crate::packet::{Header, Kind, Splitter, Status};

/// Cuts a stream into packets: all at once, in pieces, and by a reading of its own.
///
/// The first byte, modulo 16, says how many bytes after it are the sizes of the
/// pieces, over and over; the rest is the stream.
pub fn splitter(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (sizes, stream) = rest.split_at(rest.len().min(usize::from(count % 16)));
    let expected = expected(stream);
    assert_eq!(split(stream, &[]), expected, "all at once");
    assert_eq!(split(stream, sizes), expected, "in pieces of {sizes:?}");
}

/// The packets of a stream, and whether what follows them has an impossible length.
type Outcome = (Vec<Packet>, bool);

/// The words of a header but for the version, and the payload.
type Packet = (Option<[u32; 5]>, Vec<u8>);

fn split(mut stream: &[u8], sizes: &[u8]) -> Outcome {
    let most = (2 * stream.len()).max(64);
    let mut sizes = sizes.iter().map(|size| usize::from(*size).max(1)).cycle();
    let mut splitter = Splitter::default();
    let mut packets = Vec::new();
    while !stream.is_empty() {
        let size = sizes.next().unwrap_or(usize::MAX).min(stream.len());
        let (piece, rest) = stream.split_at(size);
        stream = rest;
        let buffer = splitter.buffer();
        buffer.extend_from_slice(piece);
        assert!(buffer.capacity() <= most, "{} bytes are reserved", buffer.capacity());
        loop {
            match splitter.next_packet() {
                Ok(Some(packet)) => packets.push((packet.header.ok().map(words), packet.payload)),
                Ok(None) => break,
                Err(_) => {
                    assert!(splitter.next_packet().is_err(), "what is impossible stays so");
                    return (packets, true);
                }
            }
        }
    }
    (packets, false)
}

fn words(header: Header) -> [u32; 5] {
    let kind = match header.kind {
        Kind::Call => 0,
        Kind::Reply => 1,
        Kind::Message => 2,
    };
    let status = match header.status {
        Status::Ok => 0,
        Status::Error => 1,
    };
    [header.program, header.procedure, kind, header.serial, status]
}

/// What libvirt's description of a packet makes of a stream.
fn expected(mut stream: &[u8]) -> Outcome {
    let mut packets = Vec::new();
    while stream.len() >= 4 {
        let len = word(stream, 0);
        if !(28..=33_554_436).contains(&len) {
            return (packets, true);
        }
        let Ok(len) = usize::try_from(len) else { return (packets, true) };
        if stream.len() < len {
            break;
        }
        // Length, program, version, procedure, type, serial, status.
        let [program, procedure, kind, serial, status] =
            [1, 3, 4, 5, 6].map(|index| word(stream, index));
        let header =
            (kind <= 2 && status <= 1).then_some([program, procedure, kind, serial, status]);
        packets.push((header, stream[28..len].to_vec()));
        stream = &stream[len..];
    }
    (packets, false)
}

fn word(stream: &[u8], index: usize) -> u32 {
    stream[4 * index..4 * index + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
