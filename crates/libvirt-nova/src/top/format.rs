//! Numbers, short enough for a column.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

/// What stands for a number that is not known: never 0.
pub(super) const ABSENT: &str = "-";

/// Returns a number by `write`, or what stands for one that is not known.
pub(super) fn known<T>(number: Option<T>, write: impl FnOnce(T) -> String) -> String {
    number.map_or_else(|| ABSENT.to_owned(), write)
}

/// Returns a number with three digits or so: `0.30`, `12.3`, `128`.
pub(super) fn vcpus(number: f64) -> String {
    match number {
        _ if number < 9.995 => format!("{number:.2}"),
        _ if number < 99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// Returns a part of a whole: `0.0%`, `12%`.
pub(super) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent < 9.95 { format!("{percent:.1}%") } else { format!("{percent:.0}%") }
}

/// Returns bytes, or bytes a second, in four characters or five: `0`, `980`, `1.5K`, `1020M`.
pub(super) fn bytes(number: f64) -> String {
    let mut number = number;
    let mut units = ["", "K", "M", "G", "T", "P"].into_iter().peekable();
    while let Some(unit) = units.next() {
        if number < 1023.5 || units.peek().is_none() {
            let digits = usize::from(!unit.is_empty() && number < 9.95);
            return format!("{number:.digits$}{unit}");
        }
        number /= 1024.0;
    }
    ABSENT.to_owned()
}

/// Returns bytes of memory as [`bytes()`] does.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn size(number: u64) -> String {
    bytes(number as f64)
}

/// Returns a span of time in its two largest units: `0.4s`, `45s`, `2m05s`, `3h07m`, `12d04h`.
pub(super) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..10 => format!("{:.1}s", age.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m{:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// Returns the time of day of a moment, in seconds since the unix epoch.
pub(super) fn clock(at: f64, zone: &TimeZone) -> String {
    let since = Duration::try_from_secs_f64(at).ok();
    let at = since.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok());
    known(at, |at| {
        let time = zone.to_datetime(at).time();
        format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_their_columns() {
        for (number, text) in
            [(0.0, "0.00"), (0.3, "0.30"), (9.994, "9.99"), (9.996, "10.0"), (127.6, "128")]
        {
            assert_eq!(vcpus(number), text);
        }
        for (number, text) in [(0.0, "0.0%"), (0.004, "0.4%"), (0.0996, "10%"), (1.0, "100%")] {
            assert_eq!(percent(number), text);
        }
        for (number, text) in [
            (0.0, "0"),
            (0.4, "0"),
            (1023.0, "1023"),
            (1024.0, "1.0K"),
            (1536.0, "1.5K"),
            (10_240.0, "10K"),
            (1_048_500.0, "1.0M"),
            (1_073_741_824.0, "1.0G"),
            (1e21, "888178P"),
        ] {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(known(None, size), "-");
    }

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in [
            (0.44, "0.4s"),
            (45.9, "45s"),
            (125.0, "2m05s"),
            (11_220.0, "3h07m"),
            (1_051_200.0, "12d04h"),
        ] {
            assert_eq!(age(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(clock(1_764_057_151.5, &TimeZone::UTC), "07:52:31");
        for at in [f64::NAN, -1.0, 1e15, 1e30] {
            assert_eq!(clock(at, &TimeZone::UTC), "-");
        }
    }
}
