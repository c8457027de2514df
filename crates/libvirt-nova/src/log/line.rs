//! The three forms of a line.
//!
//! Each is one line that ends in its only line feed, is at most [`LINE_MAX`]
//! bytes long, and always gives the time, the message, the domain and the error.
//! Of the other fields it gives those it has room for.

use std::fmt::Write;

use jiff::{Zoned, fmt::temporal::DateTimePrinter};
use tracing::Level;

use super::LogFormat;
use super::escape::{self, Surroundings};
use super::event::{Fields, Value};

/// The longest line, in bytes, its line feed included.
///
/// Four values of full length and their keys would not fit; three always do.
pub(super) const LINE_MAX: usize = 8192;

/// Prints an event in `format`, at `time` in its own time zone.
pub(super) fn print(format: LogFormat, time: &Zoned, level: Level, fields: &Fields) -> String {
    let mut line = String::new();
    // Writing to a `String` fails only where a time cannot be printed, and these can.
    let _ = match format {
        LogFormat::Text => push_text(&mut line, time, fields),
        LogFormat::Logfmt => push_logfmt(&mut line, time, level, fields),
        LogFormat::Json => push_json(&mut line, time, level, fields),
    };
    line.push('\n');
    line
}

/// `2026/11/24 12:24:20 instance-000002bc : message: error key=value`, without a level.
fn push_text(line: &mut String, time: &Zoned, fields: &Fields) -> std::fmt::Result {
    let Fields { message, domain, error, others } = fields;
    // Not by `strftime`: with the texts of its errors it weighs as much as the rest of the time zones.
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    write!(line, "{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02} ")?;
    if let Some(domain) = domain {
        escape::push(line, domain, Surroundings::Prose);
        line.push_str(" : ");
    }
    escape::push(line, message, Surroundings::Prose);
    if let Some(error) = error {
        line.push_str(": ");
        escape::push(line, error, Surroundings::Prose);
    }
    push_others(line, others, |line, key, value| {
        push_pair(line, key, value.text(), Surroundings::Quotes);
    });
    Ok(())
}

/// `time=2026-11-24T12:24:20+01:00 level=warn msg=message domain=… error=… key=value`.
fn push_logfmt(line: &mut String, time: &Zoned, level: Level, fields: &Fields) -> std::fmt::Result {
    let Fields { message, domain, error, others } = fields;
    write!(line, "time={} level={}", rfc_3339(time), level_word(level))?;
    push_pair(line, "msg", message, Surroundings::JsonQuotes);
    for (key, value) in [("domain", domain), ("error", error)] {
        if let Some(value) = value {
            push_pair(line, key, value, Surroundings::JsonQuotes);
        }
    }
    push_others(line, others, |line, key, value| {
        push_pair(line, key, value.text(), Surroundings::JsonQuotes);
    });
    Ok(())
}

/// One JSON object with the keys of [`push_logfmt`].
fn push_json(line: &mut String, time: &Zoned, level: Level, fields: &Fields) -> std::fmt::Result {
    let Fields { message, domain, error, others } = fields;
    let level = level_word(level);
    write!(line, r#"{{"time":"{}","level":"{level}","msg":"#, rfc_3339(time))?;
    push_quoted(line, message, Surroundings::JsonQuotes);
    for (key, value) in [("domain", domain), ("error", error)] {
        if let Some(value) = value {
            push_key(line, key);
            push_quoted(line, value, Surroundings::JsonQuotes);
        }
    }
    push_others(line, others, |line, key, value| {
        push_key(line, key);
        match value {
            Value::Literal(literal) => line.push_str(literal),
            Value::Text(text) => push_quoted(line, text, Surroundings::JsonQuotes),
        }
    });
    line.push('}');
    Ok(())
}

/// Returns a time with its offset, so that the hour that a summer ends with twice is told apart.
fn rfc_3339(time: &Zoned) -> String {
    let seconds = DateTimePrinter::new().precision(Some(0));
    seconds.timestamp_with_offset_to_string(&time.timestamp(), time.offset())
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// Appends each field by `push`, and takes it back where the line would get too long.
fn push_others(
    line: &mut String,
    others: &[(&'static str, Value)],
    push: impl Fn(&mut String, &str, &Value),
) {
    for (key, value) in others {
        let before = line.len();
        push(line, key, value);
        if line.len() > LINE_MAX.saturating_sub("}\n".len()) {
            line.truncate(before);
        }
    }
}

/// Appends ` key=value`, the value quoted where it would not be one word.
fn push_pair(line: &mut String, key: &str, value: &str, surroundings: Surroundings) {
    line.push(' ');
    line.push_str(key);
    line.push('=');
    // A `=` cannot end a value, but some readers of logfmt take it for the next key's.
    let splits = |character| {
        matches!(character, ' ' | '"' | '\\')
            || (character == '=' && surroundings == Surroundings::JsonQuotes)
            || !escape::is_printable(character)
    };
    if value.is_empty() || value.contains(splits) {
        push_quoted(line, value, surroundings);
    } else {
        escape::push(line, value, surroundings);
    }
}

fn push_quoted(line: &mut String, value: &str, surroundings: Surroundings) {
    line.push('"');
    escape::push(line, value, surroundings);
    line.push('"');
}

/// Appends the key of a JSON object's further member; keys are identifiers of our own.
fn push_key(line: &mut String, key: &str) {
    line.push_str(",\"");
    line.push_str(key);
    line.push_str("\":");
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use jiff::civil;
    use jiff::tz::TimeZone;

    use super::*;

    const FORMATS: [LogFormat; 3] = [LogFormat::Text, LogFormat::Logfmt, LogFormat::Json];

    /// What tenants are known to type, and what they might.
    const HOSTILE: [&str; 12] = [
        "two\nlines\r\n2026/11/24 12:24:20 forged : line",
        "tab\there",
        "\"quoted\"",
        "back\\slash\\",
        "\\n is no line feed",
        "🦀 emoji",
        "</script><script>alert(1)</script>",
        "a ]]> b",
        "x\" level=error msg=forged y=\"",
        "escape \u{1b}[31m red, \u{0} and \u{7f}",
        "separators \u{85}\u{2028}\u{2029}, overrides \u{202e}\u{2066}\u{200f}, tag \u{e0041}",
        "",
    ];

    /// The zone of Berlin by its rule, whether or not the machine has zone files.
    fn noon_in_berlin() -> Zoned {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        civil::date(2026, 11, 24).at(12, 24, 20, 987_654_321).to_zoned(berlin).unwrap()
    }

    fn check(fields: &Fields, expected: &Expect) {
        let time = noon_in_berlin();
        let lines = FORMATS.map(|format| print(format, &time, Level::WARN, fields));
        expected.assert_eq(&lines.concat());
    }

    fn text(key: &'static str, value: &str) -> (&'static str, Value) {
        (key, Value::Text(value.to_owned()))
    }

    #[test]
    fn the_line_of_the_first_exporter() {
        let fields = Fields {
            message: "DomainGetCPUStats".to_owned(),
            domain: Some("instance-000002bc".to_owned()),
            error: Some(
                "virError(Code=55, Domain=10, Message='Requested operation is not valid: domain \
                 is not running')"
                    .to_owned(),
            ),
            others: vec![],
        };
        check(
            &fields,
            &expect![[r#"
                2026/11/24 12:24:20 instance-000002bc : DomainGetCPUStats: virError(Code=55, Domain=10, Message='Requested operation is not valid: domain is not running')
                time=2026-11-24T12:24:20+01:00 level=warn msg=DomainGetCPUStats domain=instance-000002bc error="virError(Code=55, Domain=10, Message='Requested operation is not valid: domain is not running')"
                {"time":"2026-11-24T12:24:20+01:00","level":"warn","msg":"DomainGetCPUStats","domain":"instance-000002bc","error":"virError(Code=55, Domain=10, Message='Requested operation is not valid: domain is not running')"}
            "#]],
        );
    }

    #[test]
    fn other_fields_follow_in_the_order_of_the_call_site() {
        let fields = Fields {
            message: "connected".to_owned(),
            others: vec![
                text("uri", "qemu:///system?socket=/run/x"),
                text("name", "Anna's \"rack\" 14"),
                ("domains", Value::Literal("50".to_owned())),
                text("socket", ""),
                text("path", "C:\\nova\n"),
            ],
            ..Fields::default()
        };
        check(
            &fields,
            &expect![[r#"
                2026/11/24 12:24:20 connected uri=qemu:///system?socket=/run/x name="Anna's \"rack\" 14" domains=50 socket="" path="C:\\nova\n"
                time=2026-11-24T12:24:20+01:00 level=warn msg=connected uri="qemu:///system?socket=/run/x" name="Anna's \"rack\" 14" domains=50 socket="" path="C:\\nova\n"
                {"time":"2026-11-24T12:24:20+01:00","level":"warn","msg":"connected","uri":"qemu:///system?socket=/run/x","name":"Anna's \"rack\" 14","domains":50,"socket":"","path":"C:\\nova\n"}
            "#]],
        );
    }

    #[test]
    fn both_hours_at_the_end_of_a_summer_are_told_apart() {
        let zone = noon_in_berlin().time_zone().clone();
        let lines = [1_792_888_200, 1_792_891_800].map(|second| {
            let time = jiff::Timestamp::from_second(second).unwrap().to_zoned(zone.clone());
            print(LogFormat::Logfmt, &time, Level::INFO, &Fields::default())
        });
        expect![[r#"
            time=2026-10-25T02:30:00+02:00 level=info msg=""
            time=2026-10-25T02:30:00+01:00 level=info msg=""
        "#]]
        .assert_eq(&lines.concat());
    }

    /// Whatever a value holds and wherever it stands, the line is one, and reads back as that value.
    #[test]
    fn hostile_values_stay_one_value_in_one_line() {
        let long = "n".repeat(255);
        for value in HOSTILE.into_iter().chain([long.as_str()]) {
            let fields = Fields {
                message: value.to_owned(),
                domain: Some(value.to_owned()),
                error: Some(value.to_owned()),
                others: vec![text("name", value), text("project", value)],
            };
            for format in FORMATS {
                let line = print(format, &noon_in_berlin(), Level::WARN, &fields);
                let (content, rest) = line.split_once('\n').unwrap();
                assert_eq!(rest, "", "{line:?}");
                assert!(content.chars().all(escape::is_printable), "{line:?}");
                let read = match format {
                    LogFormat::Text => continue,
                    LogFormat::Logfmt => read_logfmt(content),
                    LogFormat::Json => read_json(content),
                };
                let [time, level, values @ ..] = read.as_slice() else { panic!("{line}") };
                assert_eq!(time.0, "time");
                assert_eq!(*level, ("level".to_owned(), "warn".to_owned()));
                assert_eq!(
                    values,
                    ["msg", "domain", "error", "name", "project"]
                        .map(|key| (key.to_owned(), value.to_owned()))
                );
            }
        }
    }

    #[test]
    fn a_line_is_bounded_and_whole() {
        let long = "\u{1b}".repeat(100_000);
        let mut others: Vec<_> = ["a", "b", "c", "d"].map(|key| text(key, &long)).into();
        others.push(text("last", "short"));
        let fields =
            Fields { message: long.clone(), domain: Some(long.clone()), error: Some(long), others };
        for format in FORMATS {
            let line = print(format, &noon_in_berlin(), Level::WARN, &fields);
            assert!(line.len() <= LINE_MAX, "{} bytes", line.len());
            assert!(line.len() > 3 * escape::VALUE_MAX, "{} bytes", line.len());
            assert!(line.contains('…') && line.contains("last") && line.contains("short"));
            let keys = match format {
                LogFormat::Text => continue,
                LogFormat::Logfmt => read_logfmt(line.trim_end()),
                LogFormat::Json => read_json(line.trim_end()),
            };
            let keys: Vec<_> = keys.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["time", "level", "msg", "domain", "error", "last"]);
        }
    }

    /// Reads `key=value`s as Go's logfmt does, with JSON's escapes inside quotes.
    fn read_logfmt(mut line: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        while !line.is_empty() {
            let (key, rest) = line.split_once('=').unwrap();
            let (value, rest) = match rest.strip_prefix('"') {
                Some(rest) => read_string(rest),
                None => {
                    let end = rest.find(' ').unwrap_or(rest.len());
                    let (word, rest) = rest.split_at(end);
                    assert!(!word.contains(['"', '=']), "{word}");
                    (word.to_owned(), rest)
                }
            };
            assert!(key.chars().all(|character| character.is_ascii_lowercase()), "{key}");
            pairs.push((key.to_owned(), value));
            line = rest.strip_prefix(' ').unwrap_or_else(|| {
                assert_eq!(rest, "");
                rest
            });
        }
        pairs
    }

    /// Reads a JSON object whose values are strings.
    fn read_json(line: &str) -> Vec<(String, String)> {
        let mut members = Vec::new();
        let mut rest = line.strip_prefix('{').unwrap();
        loop {
            let (key, after) = read_string(rest.strip_prefix('"').unwrap());
            let (value, after) = read_string(after.strip_prefix(":\"").unwrap());
            members.push((key, value));
            match after {
                "}" => return members,
                _ => rest = after.strip_prefix(',').unwrap(),
            }
        }
    }

    /// Reads to the closing quote, and returns what follows it.
    fn read_string(text: &str) -> (String, &str) {
        let mut units = Vec::new();
        let mut rest = text.chars();
        loop {
            match rest.next().unwrap() {
                '"' => return (String::from_utf16(&units).unwrap(), rest.as_str()),
                '\\' => units.push(match rest.next().unwrap() {
                    'n' => u16::from(b'\n'),
                    't' => u16::from(b'\t'),
                    'r' => u16::from(b'\r'),
                    '"' => u16::from(b'"'),
                    '\\' => u16::from(b'\\'),
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        u16::from_str_radix(&digits, 16).unwrap()
                    }
                    other => panic!("{other:?} is no escape of JSON"),
                }),
                plain => units.extend_from_slice(plain.encode_utf16(&mut [0; 2])),
            }
        }
    }
}
