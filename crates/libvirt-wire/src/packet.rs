//! Packets: how libvirt frames what it says.
//!
//! A packet is its own length (four bytes, counting themselves), a header of
//! six words, and an XDR payload.

pub use self::{
    header::{Header, Kind, Status},
    splitter::{Packet, Splitter},
};
use crate::{procedure::Procedure, xdr::Writer};

mod header;
mod splitter;

/// `REMOTE_PROGRAM`
pub const REMOTE_PROGRAM: u32 = 0x2000_8086;
/// `KEEPALIVE_PROGRAM`
pub const KEEPALIVE_PROGRAM: u32 = 0x6b65_6570;

/// `KEEPALIVE_PROC_PING`
pub const PING: u32 = 1;
/// `KEEPALIVE_PROC_PONG`
pub const PONG: u32 = 2;

/// Appends the packet that makes a call. `serial` comes back with the reply.
pub fn call(procedure: Procedure, serial: u32, arguments: &[u8], packets: &mut Vec<u8>) {
    let procedure = procedure.number;
    let (program, kind, status) = (REMOTE_PROGRAM, Kind::Call, Status::Ok);
    append(Header { program, procedure, kind, serial, status }, arguments, packets);
}

/// Appends a keepalive PING, for who has said that it answers them.
pub fn ping(packets: &mut Vec<u8>) {
    keepalive(PING, packets);
}

/// Appends the answer to a keepalive PING.
pub fn pong(packets: &mut Vec<u8>) {
    keepalive(PONG, packets);
}

fn keepalive(procedure: u32, packets: &mut Vec<u8>) {
    let (program, kind, status) = (KEEPALIVE_PROGRAM, Kind::Message, Status::Ok);
    append(Header { program, procedure, kind, serial: 0, status }, &[], packets);
}

/// Appends a packet, whatever it is about.
pub fn append(header: Header, payload: &[u8], packets: &mut Vec<u8>) {
    // What a client sends is a few hundred bytes. A packet too long for its length word
    // would be refused by whoever reads it.
    let len = payload.len().saturating_add(PACKET_MIN);
    packets.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    let mut writer = Writer::default();
    header.encode(&mut writer);
    packets.extend_from_slice(&writer.into_bytes());
    packets.extend_from_slice(payload);
}

/// `VIR_NET_MESSAGE_LEN_MAX`: the length word, in bytes.
const LENGTH_LEN: usize = 4;
/// `VIR_NET_MESSAGE_HEADER_MAX`: the header, in bytes.
const HEADER_LEN: usize = 24;
/// A packet without payload, in bytes.
const PACKET_MIN: usize = LENGTH_LEN + HEADER_LEN;
/// `VIR_NET_MESSAGE_MAX` and the length word, in bytes.
const PACKET_MAX: usize = 33_554_432 + LENGTH_LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{AuthList, Call, ConnectOpen};

    #[test]
    fn a_call_is_what_libvirts_own_client_sends() {
        assert_eq!(
            hex(&made(&AuthList, 1)),
            "0000001c200080860000000100000042000000000000000100000000"
        );
        let open = ConnectOpen { name: "test:///default", read_only: false };
        assert_eq!(
            hex(&made(&open, 2)),
            "00000038200080860000000100000001000000000000000200000000000000010000000f746573743a2f2f2f64656661756c740000000000"
        );
    }

    #[test]
    fn a_ping_and_a_pong_are_what_libvirts_own_client_sends() {
        let mut packets = Vec::new();
        ping(&mut packets);
        pong(&mut packets);
        assert_eq!(
            hex(&packets),
            "0000001c6b6565700000000100000001000000020000000000000000\
             0000001c6b6565700000000100000002000000020000000000000000"
        );
    }

    fn made<C: Call>(what: &C, serial: u32) -> Vec<u8> {
        let mut packets = Vec::new();
        call(C::PROCEDURE, serial, &what.arguments(), &mut packets);
        packets
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
