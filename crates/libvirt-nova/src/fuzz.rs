//! What holds for any bytes: functions that panic where it does not.
//!
//! They exist for the fuzz targets (`fuzz/fuzz_targets`), which call them with
//! whatever they come up with, and for the tests, which call them with the
//! corpora (`fuzz/corpus`). In the program there is nothing of this.

pub use self::{
    command_line::command_line, domain_xml::domain_xml, nova_element::nova_element,
    statistics::statistics,
};
pub use crate::{
    http::fuzz::{authorization, web_request},
    log::fuzz::log_line,
};

mod command_line;
mod domain_xml;
mod nova_element;
mod statistics;

/// Text that XML can hold.
fn xml_text(data: &[u8]) -> String {
    let is_legal = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    String::from_utf8_lossy(data).chars().filter(is_legal).collect()
}

/// Escapes text for the inside of an element or of double quotes.
fn xml_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // Unescaped, these become line feeds in text and blanks in quotes.
            '\r' => escaped.push_str("&#13;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            other => escaped.push(other),
        }
    }
    escaped
}

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
        replay("authorization", authorization);
        replay("command_line", command_line);
        replay("domain_xml", domain_xml);
        replay("log_line", log_line);
        replay("nova_element", nova_element);
        replay("statistics", statistics);
        replay("web_request", web_request);
    }
}
