//! What holds for any bytes: functions that panic where it does not.
//!
//! They exist for the fuzz targets (`fuzz/fuzz_targets`), which call them with
//! whatever they come up with, and for the tests, which call them with the
//! corpora (`fuzz/corpus`).

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "what must not happen here is meant to panic"
)]

pub use self::{replies::replies, splitter::splitter, xdr::xdr};

mod replies;
mod sasl;
mod splitter;
mod xdr;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn replay(target: &str, check: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        let inputs = fs::read_dir(corpus).unwrap().map(|input| input.unwrap().path());
        let inputs: Vec<_> = inputs.collect();
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for path in inputs {
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
        }
    }

    #[test]
    fn the_corpora_hold() {
        replay("replies", replies);
        replay("splitter", splitter);
        replay("xdr", xdr);
    }
}
