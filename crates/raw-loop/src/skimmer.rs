//! The replies, as far as they are looked at: their headers.

use std::io;

/// Where in a packet the stream is.
#[derive(Debug, Default)]
pub(crate) struct Skimmer {
    header: [u8; HEADER_LEN],
    /// Bytes of the header that are here.
    filled: usize,
    /// Bytes of the payload that are to come.
    left: usize,
}

/// A reply that is here whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replied {
    pub(crate) procedure: u32,
    pub(crate) is_refused: bool,
}

impl Skimmer {
    /// Reads on, and hands over each reply that ends in `bytes`.
    ///
    /// # Errors
    ///
    /// Where it is no stream of packets.
    pub(crate) fn skim(
        &mut self,
        mut bytes: &[u8],
        mut replied: impl FnMut(Replied),
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.filled < HEADER_LEN {
                let room = self.header.get_mut(self.filled..).unwrap_or_default();
                let taken = room.len().min(bytes.len());
                let (here, rest) = bytes.split_at(taken);
                room.iter_mut().zip(here).for_each(|(to, from)| *to = *from);
                self.filled = self.filled.saturating_add(taken);
                bytes = rest;
                if self.filled < HEADER_LEN {
                    return Ok(());
                }
                self.left = self.payload_len()?;
            }
            let (_, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left = self.left.saturating_sub(bytes.len());
            bytes = rest;
            if self.left == 0 {
                self.filled = 0;
                let [_, _, _, procedure, kind, _, status] = self.words();
                // An event is nobody's reply.
                if kind == REPLY {
                    replied(Replied { procedure, is_refused: status != 0 });
                }
            }
        }
        Ok(())
    }

    fn payload_len(&self) -> io::Result<usize> {
        let [len, program, ..] = self.words();
        let len = usize::try_from(len).ok().and_then(|len| len.checked_sub(HEADER_LEN));
        match len {
            Some(len) if program == libvirt_wire::packet::REMOTE_PROGRAM => Ok(len),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "libvirtd sent no packet")),
        }
    }

    /// Length, program, version, procedure, type, serial, status.
    fn words(&self) -> [u32; HEADER_LEN / 4] {
        let mut words = [0; HEADER_LEN / 4];
        for (word, bytes) in words.iter_mut().zip(self.header.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        words
    }
}

/// The length word and the header, in bytes.
const HEADER_LEN: usize = 28;
/// `VIR_NET_REPLY`
const REPLY: u32 = 1;

#[cfg(test)]
mod tests {
    use libvirt_wire::packet::{Header, Kind, REMOTE_PROGRAM, Status, append};

    use super::*;

    fn stream() -> Vec<u8> {
        let mut bytes = Vec::new();
        for (procedure, kind, status, payload) in [
            (344, Kind::Reply, Status::Ok, &[7; 4000][..]),
            (318, Kind::Message, Status::Ok, &[1; 8]),
            (281, Kind::Reply, Status::Error, &[]),
        ] {
            let header = Header { program: REMOTE_PROGRAM, procedure, kind, serial: 1, status };
            append(header, payload, &mut bytes);
        }
        bytes
    }

    #[test]
    fn replies_are_counted_however_their_bytes_arrive() {
        let stream = stream();
        for step in [1, 3, 28, 29, 4028, stream.len()] {
            let (mut skimmer, mut replies) = (Skimmer::default(), Vec::new());
            for piece in stream.chunks(step) {
                skimmer.skim(piece, |replied| replies.push(replied)).unwrap();
            }
            let expected = [(344, false), (281, true)]
                .map(|(procedure, is_refused)| Replied { procedure, is_refused });
            assert_eq!(replies, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for at in [3, 4] {
            let mut stream = stream();
            stream[at] = 0;
            stream[2] = 0;
            assert!(Skimmer::default().skim(&stream, |_| {}).is_err());
        }
    }
}
