//! The value of a sample.

use std::fmt::Write;

/// A number as its source gave it.
///
/// An integer is written with all its digits; Prometheus rounds it to 53 bits
/// by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count or an amount.
    Unsigned(u64),
    /// A measure.
    Float(f64),
}

impl Value {
    pub(crate) fn write(self, text: &mut String) {
        match self {
            Self::Unsigned(value) => text.push_str(itoa::Buffer::new().format(value)),
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
