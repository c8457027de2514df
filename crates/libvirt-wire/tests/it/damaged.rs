//! Damaged replies harm nobody.

use std::fs;

use peak_alloc::PeakAlloc;

use crate::replies;

/// A short reply never passes for a whole one.
#[test]
fn every_truncation_is_an_error() {
    for path in replies::all() {
        let payload = fs::read(&path).unwrap();
        for len in 0..payload.len() {
            let outcome = replies::dump(&path, &payload[..len]);
            assert!(outcome.is_err(), "{path:?} cut at {len}");
        }
    }
}

/// No flipped bit makes a decoder panic.
#[test]
fn every_flipped_bit_is_survived() {
    for path in replies::all() {
        let payload = fs::read(&path).unwrap();
        for at in 0..payload.len() {
            for bit in 0..8 {
                let mut damaged = payload.clone();
                damaged[at] ^= 1 << bit;
                let _ = replies::dump(&path, &damaged);
            }
        }
    }
}

/// A count or length that claims more than there is reserves no memory for it.
#[test]
fn no_allocation_by_a_claim() {
    for path in replies::all() {
        let payload = fs::read(&path).unwrap();
        for at in (0..payload.len().saturating_sub(3)).step_by(4) {
            for claim in [u32::MAX, 0x7fff_ffff, 262_144, 16_384] {
                let mut damaged = payload.clone();
                damaged[at..at + 4].copy_from_slice(&claim.to_be_bytes());
                let _ = replies::dump(&path, &damaged);
            }
        }
    }
    // 262,144 typed parameters are 15 MB in memory; the other tests of this
    // process, which run beside this one, need less than one.
    assert!(PEAK.peak_usage_as_mb() < 4.0, "{} MB", PEAK.peak_usage_as_mb());
}

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;
