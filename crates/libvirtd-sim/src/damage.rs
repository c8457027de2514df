//! Replies whose bytes are wrong.

use crate::fault::Damage;

/// Damages a packet, which may change its length.
pub(crate) fn apply(damage: Damage, packet: &mut Vec<u8>) {
    match damage {
        Damage::Word(at, value) => put(packet, at, value),
        Damage::Count(value) => put(packet, HEADER_END, value),
        Damage::ValueType(value) => {
            if let Some(at) = first_type(packet) {
                put(packet, at, value);
            }
        }
        Damage::Pad(len) => {
            packet.resize(len.max(packet.len()), 0);
            let len = u32::try_from(packet.len()).unwrap_or(u32::MAX);
            put(packet, 0, len);
        }
        Damage::Utf8 => spoil_text(packet),
    }
}

/// Where the procedure's number is in a packet, in bytes.
const PROCEDURE: usize = 12;
/// Where the payload begins, in bytes.
const HEADER_END: usize = 28;

fn put(packet: &mut [u8], at: usize, value: u32) {
    if let Some(word) = packet.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *word = value.to_be_bytes();
    }
}

fn word(packet: &[u8], at: usize) -> Option<usize> {
    let word = packet.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*word)).ok()
}

/// Where the string at `at` ends, its padding included.
fn string_end(packet: &[u8], at: usize) -> Option<usize> {
    at.checked_add(4)?.checked_add(word(packet, at)?.checked_next_multiple_of(4)?)
}

/// Where the type of the first typed parameter is, in a reply that has one.
fn first_type(packet: &[u8]) -> Option<usize> {
    let first = HEADER_END.checked_add(4)?;
    match word(packet, PROCEDURE)? {
        // A count, then a domain (name, 16 bytes of UUID, id) and its own count.
        344 => string_end(packet, string_end(packet, first)?.checked_add(24)?),
        262 => string_end(packet, first),
        // A job's type, a count.
        298 => string_end(packet, first.checked_add(4)?),
        _ => None,
    }
}

/// Puts a byte that no UTF-8 has into every name of a domain, a tap and a file.
fn spoil_text(packet: &mut [u8]) {
    const NAMES: [&[u8]; 3] = [b"instance-0", b"tap0", b"/var/lib/nova"];
    let found: Vec<_> = packet
        .windows(4)
        .enumerate()
        .filter(|(at, _)| {
            let rest = packet.get(*at..).unwrap_or_default();
            NAMES.iter().any(|name| rest.starts_with(name))
        })
        .map(|(at, _)| at)
        .collect();
    for at in found {
        if let Some(byte) = packet.get_mut(at) {
            *byte = 0xff;
        }
    }
}
