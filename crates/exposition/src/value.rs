//! The value of a sample.

use std::{fmt::Write, time::Duration};

/// A number as its source gave it.
///
/// An integer is written with all its digits; Prometheus rounds it to 53 bits
/// by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count or an amount.
    Unsigned(u64),
    /// A number that may be below nothing.
    Signed(i64),
    /// A measure.
    Float(f64),
    /// A time, in seconds. Written with all its digits, up to nanoseconds.
    Time(Duration),
}

impl Value {
    pub(crate) fn write(self, text: &mut String) {
        match self {
            Self::Unsigned(value) => text.push_str(itoa::Buffer::new().format(value)),
            Self::Signed(value) => text.push_str(itoa::Buffer::new().format(value)),
            Self::Time(time) => write_seconds(time, text),
            Self::Float(value) if value.is_nan() => text.push_str("NaN"),
            Self::Float(value) if value.is_infinite() => {
                text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
            }
            // Writing to a string cannot fail.
            Self::Float(value) => {
                let _ = write!(text, "{value}");
            }
        }
    }
}

/// Writes the seconds and what is not 0 of their fraction.
fn write_seconds(time: Duration, text: &mut String) {
    text.push_str(itoa::Buffer::new().format(time.as_secs()));
    let fraction = time.subsec_nanos();
    if fraction == 0 {
        return;
    }
    text.push('.');
    // The second more keeps the zeros that the fraction begins with.
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(fraction.saturating_add(1_000_000_000));
    text.push_str(digits.get(1..).unwrap_or_default().trim_end_matches('0'));
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Unsigned(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Time(value)
    }
}

/// 1 for true, 0 for false.
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Unsigned(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_prometheus_reads_them() {
        for (value, text) in [
            (Value::from(u64::MAX), "18446744073709551615"),
            (Value::from(true), "1"),
            (Value::from(i64::MIN), "-9223372036854775808"),
            (Value::from(Duration::ZERO), "0"),
            (Value::from(Duration::from_secs(7)), "7"),
            (Value::from(Duration::from_millis(1_050)), "1.05"),
            (Value::from(Duration::from_millis(1_100)), "1.1"),
            (Value::from(Duration::new(u64::MAX, 999_999_999)), "18446744073709551615.999999999"),
            (Value::from(Duration::new(1, 1)), "1.000000001"),
            (Value::from(Duration::new(1, 10)), "1.00000001"),
            (Value::from(0.1), "0.1"),
            (Value::from(2.0), "2"),
            (Value::from(f64::NAN), "NaN"),
            (Value::from(f64::INFINITY), "+Inf"),
            (Value::from(f64::NEG_INFINITY), "-Inf"),
        ] {
            let mut written = String::new();
            value.write(&mut written);
            assert_eq!(written, text);
        }
    }
}
