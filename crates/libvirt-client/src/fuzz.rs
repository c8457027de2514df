//! What holds for any bytes: functions that panic where it does not.
//!
//! They exist for the fuzz targets (`fuzz/fuzz_targets`), which call them with
//! whatever they come up with, and for the tests, which call them with the
//! corpora (`fuzz/corpus`). In the program there is nothing of this.

pub use crate::{address::fuzz::address, credentials::fuzz::auth_file};

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
        replay("address", address);
        replay("auth_file", auth_file);
    }
}
