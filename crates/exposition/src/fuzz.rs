//! What holds for any label: a function that panics where it does not.
//!
//! It exists for the fuzz target of the same name (`fuzz/fuzz_targets`) and for
//! the test, which calls it with the target's corpus (`fuzz/corpus`).

#![expect(clippy::panic, reason = "what must not happen here is meant to panic")]

use crate::{Exposition, Family, Kind, Labels, Value};

/// Writes samples whose labels hold any text, and reads them back.
///
/// The first eight bytes are the samples' value; the rest is the labels' text,
/// with the byte 0xff between two of them.
pub fn exposition(data: &[u8]) {
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let Some((number, texts)) = data.split_first_chunk() else { return };
    let texts: Vec<_> = texts.split(|byte| *byte == 0xff).map(String::from_utf8_lossy).collect();
    let labels: Vec<_> = NAMES.into_iter().zip(texts.iter().map(AsRef::as_ref)).collect();
    let integer = u64::from_be_bytes(*number);
    let float = f64::from_bits(integer);

    for value in [Value::Unsigned(integer), Value::Float(float)] {
        check(&labels, value);
    }
}

fn check(labels: &[(&str, &str)], value: Value) {
    let mut exposition = Exposition::default();
    let mut samples = exposition.family(&FAMILY);
    samples.push(labels, value);
    samples.push_with(&Labels::new(&[("z", "")]), labels, value);
    samples.push_with(&Labels::default(), &[], Value::Unsigned(0));
    let text = exposition.into_text();

    let lines: Vec<_> = text.split('\n').collect();
    let [help, kind, first, second, third, ""] = lines[..] else { panic!("lines: {text:?}") };
    assert_eq!(help, "# HELP tank_level_metres Height.");
    assert_eq!(kind, "# TYPE tank_level_metres gauge");
    assert_eq!(third, "tank_level_metres 0");
    let with_z = [&[("z", "")], labels].concat();
    for (line, labels) in [(first, labels), (second, &*with_z)] {
        let (found, number) = read(line).unwrap_or_else(|| panic!("no sample: {line:?}"));
        let found: Vec<_> = found.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(found, labels, "{line:?}");
        match value {
            Value::Unsigned(value) => assert_eq!(number.parse(), Ok(value)),
            Value::Float(value) if value.is_nan() => assert_eq!(number, "NaN"),
            Value::Float(value) if value.is_infinite() => {
                assert_eq!(number, if value > 0.0 { "+Inf" } else { "-Inf" });
            }
            Value::Float(value) => {
                assert_eq!(number.parse().map(f64::to_bits), Ok(value.to_bits()));
            }
            Value::Signed(_) | Value::Time(_) => panic!("nobody wrote it: {line:?}"),
        }
    }
}

const FAMILY: Family = Family { name: "tank_level_metres", kind: Kind::Gauge, help: "Height." };

type Read<'a> = Vec<(&'a str, String)>;

/// Reads `tank_level_metres{name="text",…} number`.
fn read(line: &str) -> Option<(Read<'_>, &str)> {
    let mut rest = line.strip_prefix("tank_level_metres{")?;
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut characters = after.chars();
        loop {
            text.push(match characters.next()? {
                '"' => break,
                '\\' => match characters.next()? {
                    'n' => '\n',
                    itself @ ('\\' | '"') => itself,
                    _ => return None,
                },
                itself => itself,
            });
        }
        labels.push((name, text));
        rest = characters.as_str();
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((labels, rest.strip_prefix("} ")?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_corpus_holds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/exposition");
        let inputs = fs::read_dir(corpus).unwrap().map(|input| input.unwrap().path());
        let inputs: Vec<_> = inputs.collect();
        assert!(!inputs.is_empty(), "there is no corpus");
        for path in inputs {
            println!("{}", path.display());
            exposition(&fs::read(path).unwrap());
        }
    }
}
