//! Any text as a file of the form of `auth.conf`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what must not happen here is meant to panic"
)]

use std::fmt::Write;

use super::{Kind, groups};

/// Reads a text as such a file: groups with items, which are read again from what is written of
/// them; or the number of the line that is wrong.
pub fn auth_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let found = match groups(&text) {
        Ok(found) => found,
        Err(Kind::Line(line)) => {
            let lines: Vec<_> = text.split('\n').collect();
            assert!((1..=lines.len()).contains(&line), "line {line} of {}", lines.len());
            // What comes before it is well, and it is not.
            let before = lines.get(..line.saturating_sub(1)).unwrap_or_default();
            assert!(groups(&before.join("\n")).is_ok(), "line {line} is not the first");
            return;
        }
        Err(other) => panic!("{other:?}"),
    };
    let mut again = String::new();
    for (group, items) in &found {
        assert!(text.contains(&format!("[{group}]")), "{group:?}");
        writeln!(again, "[{group}]").expect("it is memory");
        for (name, value) in items {
            assert!(text.contains(&**name), "{name:?}");
            writeln!(again, "  {name} = {}\r", escaped(value)).expect("it is memory");
        }
    }
    match groups(&again) {
        Ok(read) => assert_eq!(read, found, "{again:?}"),
        Err(error) => panic!("{error:?} in {again:?}"),
    }
}

/// A value as it is written, so that nothing of it is lost.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r");
    match value.strip_prefix([' ', '\t', '\x0c']) {
        // Where it begins with a blank, there is an escape for two of the three.
        Some(rest) if value.starts_with(' ') => format!(r"\s{rest}"),
        Some(rest) if value.starts_with('\t') => format!(r"\t{rest}"),
        _ => value,
    }
}
