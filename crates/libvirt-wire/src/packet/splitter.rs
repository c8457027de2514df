//! The stream of bytes cut into packets.

use super::{HEADER_LEN, Header, LENGTH_LEN, PACKET_MAX, PACKET_MIN};
use crate::{
    error::{DecodeError, Reason},
    xdr::Reader,
};

/// Bytes received, not yet a packet.
///
/// Memory grows with what has arrived, never with what a length word announces.
#[derive(Debug, Default)]
pub struct Splitter {
    bytes: Vec<u8>,
    /// Bytes at the front that have been handed out as packets.
    taken: usize,
    /// How long a packet may be where that is less than the protocol's limit.
    limit: Option<usize>,
}

/// One packet.
#[derive(Debug)]
pub struct Packet {
    /// What the packet is about; an error where the header makes no sense.
    ///
    /// The packets after it are good all the same, since its length was.
    pub header: Result<Header, DecodeError>,
    /// What the header describes, in XDR.
    pub payload: Vec<u8>,
}

impl Splitter {
    /// One that takes packets of so many bytes at most, until it is told of more.
    ///
    /// For a peer that has not shown yet who it is: what of a packet has arrived has to be kept, and
    /// the protocol's limit is 32 MiB.
    pub fn limited(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// Takes packets of any length that the protocol allows, from now on.
    pub fn unlimit(&mut self) {
        self.limit = None;
    }

    /// Returns the buffer to append received bytes to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            // One 16 MB reply must not hold 16 MB for ever.
            self.bytes.shrink_to(IDLE_CAPACITY);
        } else {
            self.bytes.drain(..self.taken);
        }
        self.taken = 0;
        &mut self.bytes
    }

    /// Takes the next packet out, `None` where it has not arrived whole.
    ///
    /// # Errors
    ///
    /// When the length is impossible. Where the next packet begins is then
    /// unknown: the connection is of no further use.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        if rest.len() < LENGTH_LEN {
            return Ok(None);
        }
        let found = Reader::new(rest).u32("packet length")?;
        let limit = self.limit.unwrap_or(PACKET_MAX);
        let len = usize::try_from(found)
            .ok()
            .filter(|len| (PACKET_MIN..=limit).contains(len))
            .ok_or(DecodeError::new("packet", Reason::Length { found, limit }))?;
        let Some(packet) = rest.get(LENGTH_LEN..len) else { return Ok(None) };

        let mut reader = Reader::new(packet);
        let header = Header::decode(&mut reader);
        let payload = packet.get(HEADER_LEN..).unwrap_or_default().to_vec();
        self.taken = self.taken.saturating_add(len);
        Ok(Some(Packet { header, payload }))
    }
}

/// What an empty buffer may keep, in bytes: the reply for some 40 domains.
const IDLE_CAPACITY: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{self, Kind};

    #[test]
    fn a_stranger_announces_no_more_than_it_may() {
        let mut splitter = Splitter::limited(64);
        splitter.buffer().extend([0, 0, 0, 65]);
        assert!(splitter.next_packet().is_err());
        splitter.unlimit();
        assert!(splitter.next_packet().unwrap().is_none(), "the rest of it has not come");
    }

    fn pong() -> Vec<u8> {
        let mut packets = Vec::new();
        packet::pong(&mut packets);
        packets
    }

    #[test]
    fn packets_come_out_whole_however_the_bytes_arrive() {
        let stream = [pong(), pong(), pong()].concat();
        for step in 1..=stream.len() {
            let mut splitter = Splitter::default();
            let mut packets = 0;
            for piece in stream.chunks(step) {
                splitter.buffer().extend_from_slice(piece);
                while let Some(packet) = splitter.next_packet().unwrap() {
                    assert_eq!(packet.header.unwrap().kind, Kind::Message);
                    assert!(packet.payload.is_empty());
                    packets += 1;
                }
            }
            assert_eq!(packets, 3, "in pieces of {step}");
        }
    }

    #[test]
    fn an_impossible_length_is_refused() {
        for len in [0, 4, 27, 0x0200_0005, 0x8000_0000, u32::MAX] {
            let mut splitter = Splitter::default();
            splitter.buffer().extend_from_slice(&len.to_be_bytes());
            assert!(splitter.next_packet().is_err(), "{len}");
        }
    }

    #[test]
    fn the_largest_length_is_waited_for_without_reserving_it() {
        let mut splitter = Splitter::default();
        splitter.buffer().extend_from_slice(&0x0200_0004_u32.to_be_bytes());
        assert!(splitter.next_packet().unwrap().is_none());
        assert!(splitter.buffer().capacity() < 64);
    }

    #[test]
    fn a_header_that_makes_no_sense_spoils_one_packet() {
        let mut odd = pong();
        odd[19] = 9;
        let mut splitter = Splitter::default();
        splitter.buffer().extend_from_slice(&[odd, pong()].concat());
        let error = splitter.next_packet().unwrap().unwrap().header.unwrap_err();
        assert_eq!(error.to_string(), "packet type has the unknown value 9");
        assert!(splitter.next_packet().unwrap().unwrap().header.is_ok());
    }
}
