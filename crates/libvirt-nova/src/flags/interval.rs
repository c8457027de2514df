//! The pause between two polls, written as Go writes durations.

use std::time::Duration;

use super::error::ValueError;

/// Reads `500ms`, `1.5s`, `1m30s`, or `0` for no polling at all.
///
/// # Errors
///
/// When the text is no duration, or one that the exporter does not take.
pub(super) fn parse(text: &str) -> Result<Duration, ValueError> {
    let Some(interval) = duration(text) else {
        let complaint = if text.starts_with('-') {
            "is negative, expected 0 or 100ms to 1h"
        } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            "has no unit, expected one like 500ms, 15s or 1m30s"
        } else {
            "is not a duration, expected one like 500ms, 15s or 1m30s"
        };
        return Err(ValueError::new(text, complaint));
    };
    if interval.is_zero() || (SHORTEST..=LONGEST).contains(&interval) {
        Ok(interval)
    } else if interval < SHORTEST {
        Err(ValueError::new(text, "is too short, expected 0 or 100ms to 1h"))
    } else {
        Err(ValueError::new(text, "is too long, expected 0 or 100ms to 1h"))
    }
}

/// A poll of a full host takes tens of milliseconds; more than ten a second is a load, not a view.
const SHORTEST: Duration = Duration::from_millis(100);

/// Beyond this, polling only when scraped is what is meant.
const LONGEST: Duration = Duration::from_hours(1);

/// Reads numbers with units, one after another; `None` for anything else.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut sum = Duration::ZERO;
    let mut rest = text;
    loop {
        let (number, tail) = rest.split_at_checked(rest.find(|c| !is_numeric(c))?)?;
        let (unit, tail) = tail.split_at_checked(tail.find(is_numeric).unwrap_or(tail.len()))?;
        // The number is digits and points alone: `f64` would read `inf` and `1e9` as well.
        let seconds = number.parse::<f64>().ok()? * seconds(unit)?;
        sum = sum.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        if tail.is_empty() {
            return Some(sum);
        }
        rest = tail;
    }
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// Go's units, in seconds.
fn seconds(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        // Either of Unicode's two signs for micro.
        "us" | "\u{b5}s" | "\u{3bc}s" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3_600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("0h0m", 0),
            ("100ms", 100),
            ("500ms", 500),
            ("1s", 1_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("2.s", 2_000),
            ("1m30s", 90_000),
            ("30s1m", 90_000),
            ("0.25h", 900_000),
            ("1h", 3_600_000),
            ("200000us", 200),
            ("200000\u{b5}s", 200),
            ("200000\u{3bc}s", 200),
            ("200000000ns", 200),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
    }

    #[test]
    fn what_is_refused_is_named_with_what_is_expected() {
        for (text, message) in [
            ("15", "15 has no unit, expected one like 500ms, 15s or 1m30s"),
            ("-1s", "-1s is negative, expected 0 or 100ms to 1h"),
            ("99ms", "99ms is too short, expected 0 or 100ms to 1h"),
            ("1h1ns", "1h1ns is too long, expected 0 or 100ms to 1h"),
            ("soon", "soon is not a duration, expected one like 500ms, 15s or 1m30s"),
            ("", "\"\" is not a duration, expected one like 500ms, 15s or 1m30s"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn nothing_else_passes_for_a_duration() {
        for text in [
            "s", ".s", "1", "1.s.", "1..5s", "1 s", " 1s", "1s ", "+1s", "1e3s", "infs", "NaNs",
            "1d", "1S", "1s5", "1m-30s", "\u{661}s", "9e99h", "1s\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        let long = format!("{}h", "9".repeat(400));
        assert!(parse(&long).is_err());
    }
}
