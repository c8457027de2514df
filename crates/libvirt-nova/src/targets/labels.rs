//! Labels that a target gives to its samples: which names they may have.

use exposition::Labels;

use crate::{
    config::{Fault, Section},
    families,
};

/// Reads the labels of a target, a mapping of texts.
///
/// # Errors
///
/// When one has a name that Prometheus does not take, or that a sample has already.
pub(super) fn read(section: Section) -> Result<Labels, Fault> {
    let labels = section.all_texts()?;
    for (name, value) in &labels {
        let complaint = complaint(&name.text).or(value.is_empty().then_some(EMPTY));
        if let Some(complaint) = complaint {
            return Err(Fault::at(name.line, format!("label {} {complaint}", name.text)));
        }
    }
    let pairs: Vec<_> = labels.iter().map(|(name, value)| (&*name.text, &**value)).collect();
    Ok(Labels::new(&pairs))
}

/// What is wrong with the name of a label, and what is expected.
fn complaint(name: &str) -> Option<&'static str> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let mut bytes = name.bytes();
    let is_name = bytes.next().is_some_and(|byte| is_letter(&byte))
        && bytes.all(|byte| is_letter(&byte) || byte.is_ascii_digit());
    if !is_name {
        return Some("is no name of a label, expected letters, digits and _, and no digit first");
    }
    if name.starts_with("__") {
        return Some("begins with __, expected a name that Prometheus does not keep for itself");
    }
    if matches!(name, "instance" | "job") {
        return Some("is Prometheus' own, expected another name: its scrape_configs set it");
    }
    if families::has_label(name) {
        return Some("is a label of the metrics themselves, expected another name");
    }
    None
}

const EMPTY: &str = "is empty, expected text: to Prometheus, an empty label is none";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn labels(text: &str) -> Result<Labels, String> {
        let section = Section::new("labels ", config::read_yaml(text).unwrap()).unwrap();
        read(section).map_err(|fault| fault.to_string())
    }

    #[test]
    fn labels_are_taken_as_they_are_written() {
        let expected = Labels::new(&[("az", "nova"), ("rack", "1"), ("_x9", "a\"b\\\n")]);
        let text = "az: nova\nrack: 1\n_x9: \"a\\\"b\\\\\\n\"\n";
        assert_eq!(labels(text), Ok(expected));
        assert_eq!(labels(""), Ok(Labels::default()));
    }

    #[test]
    fn a_name_that_a_sample_cannot_have_is_told_with_its_line() {
        for (name, complaint) in [
            ("9az", "is no name of a label, expected letters, digits and _, and no digit first"),
            ("a-z", "is no name of a label, expected letters, digits and _, and no digit first"),
            ("\"\"", "is no name of a label, expected letters, digits and _, and no digit first"),
            (
                "\u{e4}z",
                "is no name of a label, expected letters, digits and _, and no digit first",
            ),
            (
                "__address__",
                "begins with __, expected a name that Prometheus does not keep for itself",
            ),
            ("instance", "is Prometheus' own, expected another name: its scrape_configs set it"),
            ("job", "is Prometheus' own, expected another name: its scrape_configs set it"),
            ("le", "is a label of the metrics themselves, expected another name"),
            ("uuid", "is a label of the metrics themselves, expected another name"),
            ("novaproject", "is a label of the metrics themselves, expected another name"),
            ("source_file", "is a label of the metrics themselves, expected another name"),
        ] {
            let said = labels(&format!("az: x\n{name}: y\n")).unwrap_err();
            assert_eq!(said, format!("line 2: label {} {complaint}", name.trim_matches('"')));
        }
    }

    #[test]
    fn a_label_without_a_value_is_none_and_so_refused() {
        for text in ["az:\n", "az: ''\n", "az: ~\n"] {
            let said = labels(text).unwrap_err();
            let expected =
                "line 1: label az is empty, expected text: to Prometheus, an empty label is none";
            assert_eq!(said, expected, "{text}");
        }
        let said = labels("az: [a]\n").unwrap_err();
        assert_eq!(said, "line 1: labels is a list, expected text for each");
    }
}
