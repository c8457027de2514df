//! Spans of time, written as Go writes durations.

use std::time::Duration;

use super::error::ValueError;

/// Reads the pause between two polls: `500ms`, `1.5s`, `1m30s`, or `0` for no polling at all.
///
/// # Errors
///
/// When the text is no duration, or one that the exporter does not take.
pub(super) fn interval(text: &str) -> Result<Duration, ValueError> {
    // A poll of a full host takes tens of milliseconds; more than ten a second is a load, not
    // a view. Beyond an hour, polling only when scraped is what is meant.
    let range = Range { least: "100ms", most: "1h", zero: true };
    range.read(text)
}

/// Reads the pause between two polls of `top`, which shows nothing without them.
///
/// # Errors
///
/// When the text is no duration, or one that `top` does not take.
pub(super) fn top_interval(text: &str) -> Result<Duration, ValueError> {
    Range { least: "100ms", most: "1m", zero: false }.read(text)
}

/// Reads for how long a collection serves the scrapes that come after it.
///
/// # Errors
///
/// When the text is no duration, or one that the exporter does not take.
pub(super) fn min_age(text: &str) -> Result<Duration, ValueError> {
    // Numbers older than that are no answer to a scrape of now.
    Range { least: "1ms", most: "1m", zero: true }.read(text)
}

/// Reads how long a scrape may take that names no timeout.
///
/// # Errors
///
/// When the text is no duration, or one that the exporter does not take.
pub(super) fn deadline(text: &str) -> Result<Duration, ValueError> {
    Range { least: "100ms", most: "1m", zero: false }.read(text)
}

/// Reads how long after its last probe a target keeps its session.
///
/// # Errors
///
/// When the text is no duration, or one that the exporter does not take.
pub(super) fn idle(text: &str) -> Result<Duration, ValueError> {
    // Who is looked after each second is not idle in less.
    Range { least: "1s", most: "24h", zero: true }.read(text)
}

/// The durations that a flag takes.
struct Range {
    least: &'static str,
    most: &'static str,
    zero: bool,
}

impl Range {
    fn read(&self, text: &str) -> Result<Duration, ValueError> {
        let Self { least, most, zero } = self;
        let or_zero = if *zero { "0 or " } else { "" };
        let Some(read) = duration(text) else {
            let complaint = if text.starts_with('-') {
                format!("is negative, expected {or_zero}{least} to {most}")
            } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                "has no unit, expected one like 500ms, 15s or 1m30s".to_owned()
            } else {
                "is not a duration, expected one like 500ms, 15s or 1m30s".to_owned()
            };
            return Err(ValueError::new(text, &complaint));
        };
        let is_short = duration(least).is_some_and(|least| read < least);
        let is_long = duration(most).is_some_and(|most| read > most);
        if *zero && read.is_zero() || !is_short && !is_long {
            return Ok(read);
        }
        let which = if is_short { "short" } else { "long" };
        let complaint = format!("is too {which}, expected {or_zero}{least} to {most}");
        Err(ValueError::new(text, &complaint))
    }
}

/// Reads numbers with units, one after another; `None` for anything else.
pub(crate) fn duration(text: &str) -> Option<Duration> {
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
            assert_eq!(interval(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
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
            assert_eq!(interval(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn each_flag_has_a_range_of_its_own() {
        assert_eq!(min_age("0").unwrap(), Duration::ZERO);
        assert_eq!(min_age("1m").unwrap(), Duration::from_mins(1));
        let error = min_age("61s").unwrap_err();
        assert_eq!(error.to_string(), "61s is too long, expected 0 or 1ms to 1m");
        let error = deadline("0").unwrap_err();
        assert_eq!(error.to_string(), "0 is too short, expected 100ms to 1m");
        let error = deadline("-1s").unwrap_err();
        assert_eq!(error.to_string(), "-1s is negative, expected 100ms to 1m");
        assert_eq!(deadline("1m").unwrap(), Duration::from_mins(1));
    }

    #[test]
    fn nothing_else_passes_for_a_duration() {
        for text in [
            "s", ".s", "1", "1.s.", "1..5s", "1 s", " 1s", "1s ", "+1s", "1e3s", "infs", "NaNs",
            "1d", "1S", "1s5", "1m-30s", "\u{661}s", "9e99h", "1s\n",
        ] {
            assert!(interval(text).is_err(), "{text:?}");
        }
        let long = format!("{}h", "9".repeat(400));
        assert!(interval(&long).is_err());
    }
}
