//! Any text in a line of the log.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what must not happen here is meant to panic"
)]

use jiff::{Timestamp, tz::TimeZone};
use tracing::Level;

use super::{
    LogFormat,
    event::{Fields, Value},
    line::{self, LINE_MAX},
};

/// Prints an event in every form: one line, nothing in it that a terminal obeys, and all of its
/// text where a program reads it.
///
/// The event's texts end at the byte 0xff: message, domain, error, others.
pub fn log_line(data: &[u8]) {
    let mut texts = data.split(|byte| *byte == 0xff).map(|text| {
        // No text of an event is longer than what is printed of it.
        String::from_utf8_lossy(text.get(..1000).unwrap_or(text)).into_owned()
    });
    let message = texts.next().unwrap_or_default();
    let (domain, error) = (texts.next(), texts.next());
    let others: Vec<_> = ["a", "b", "c"].into_iter().zip(texts).collect();
    let mut expected = vec![("msg", message.clone())];
    expected.extend(domain.clone().map(|text| ("domain", text)));
    expected.extend(error.clone().map(|text| ("error", text)));
    expected.extend(others.clone());
    let others = others.into_iter().map(|(key, text)| (key, Value::Text(text))).collect();
    let fields = Fields { message, domain, error, others };

    let print = |format| {
        let time = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let line = line::print(format, &time, Level::WARN, &fields);
        assert!(line.len() <= LINE_MAX, "{} bytes", line.len());
        let line = line.strip_suffix('\n').expect("a line ends").to_owned();
        assert!(!line.contains(is_obeyed), "{line:?}");
        line
    };
    let text = print(LogFormat::Text);
    assert!(text.starts_with("1970/01/01 00:00:00 "), "{text:?}");
    for (format, read) in [
        (LogFormat::Logfmt, read_logfmt as fn(&str) -> Option<Vec<(&str, String)>>),
        (LogFormat::Json, read_json),
    ] {
        let line = print(format);
        let found = read(&line).unwrap_or_else(|| panic!("not {format:?}: {line:?}"));
        let [("time", _), ("level", _), found @ ..] = &found[..] else { panic!("{line:?}") };
        same(found, &expected);
    }
}

/// Whether a terminal or an editor does something else with a character than to show it.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Asserts that the fields found are the fields expected, but for those cut short or left out for
/// want of room.
fn same(found: &[(&str, String)], expected: &[(&str, String)]) {
    let mut found = found.iter().peekable();
    for (key, text) in expected {
        let Some((_, value)) = found.next_if(|(name, _)| name == key) else {
            assert!(["a", "b", "c"].contains(key), "no {key}");
            continue;
        };
        let is_cut = || {
            let beginning = value.strip_suffix('…').unwrap_or_default();
            beginning.len() > 100 && text.starts_with(beginning)
        };
        assert!(value == text || is_cut(), "{key}: {value:?} for {text:?}");
    }
    assert!(found.next().is_none(), "more than there is");
}

fn read_logfmt(line: &str) -> Option<Vec<(&str, String)>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (key, value) = rest.split_once('=')?;
        let (value, after) = if value.starts_with('"') {
            read_string(value)?
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            let (value, after) = value.split_at(end);
            if value.contains(['"', '=', '\\']) {
                return None;
            }
            (value.to_owned(), after)
        };
        fields.push((key, value));
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(' ')?;
    }
}

fn read_json(line: &str) -> Option<Vec<(&str, String)>> {
    let mut fields = Vec::new();
    let mut rest = line.strip_prefix('{')?;
    loop {
        let (key, value) = rest.strip_prefix('"')?.split_once("\":")?;
        let (value, after) = read_string(value)?;
        fields.push((key, value));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (after == "}").then_some(fields),
        }
    }
}

/// Reads a string of JSON. Returns it, and what follows it.
fn read_string(text: &str) -> Option<(String, &str)> {
    let mut units = Vec::new();
    let mut rest = text.strip_prefix('"')?.chars();
    loop {
        let character = match rest.next()? {
            '"' => return Some((String::from_utf16(&units).ok()?, rest.as_str())),
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                itself @ ('\\' | '"') => itself,
                'u' => {
                    let (digits, after) = rest.as_str().split_at_checked(4)?;
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    rest = after.chars();
                    continue;
                }
                _ => return None,
            },
            itself => itself,
        };
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
}
