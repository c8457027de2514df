//! The fields of one event, or of what it is part of, taken apart.

use std::fmt;

use tracing::field::{Field, Visit};

use super::escape::VALUE_MAX;

/// What an event says, its well-known fields apart.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The text at the end of the macro; empty where there is none.
    pub(super) message: String,
    /// libvirt's name of the domain that the event is about.
    pub(super) domain: Option<String>,
    /// The fault, with all its causes.
    pub(super) error: Option<String>,
    /// Everything else, in the order of the call site; nothing is called `time`, `level` or `msg`.
    pub(super) others: Vec<(&'static str, Value)>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), Value::Literal(value.to_string())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), Value::Literal(value.to_string())));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), Value::Literal(value.to_string())));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no NaN and no infinity.
        let literal = if value.is_finite() { Value::Literal } else { Value::Text };
        self.others.push((field.name(), literal(value.to_string())));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format_args!("{value:?}"));
    }
}

impl Fields {
    fn record(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = Beginning(String::new());
        // An error says that the beginning is full, or that the value cannot print itself; both
        // leave what there is.
        let _ = fmt::write(&mut text, value);
        let Beginning(text) = text;
        match field.name() {
            "message" => self.message = text,
            "domain" => self.domain = Some(text),
            "error" => self.error = Some(text),
            other => self.others.push((other, Value::Text(text))),
        }
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number, `true` or `false`: a literal in every form, which needs no quotes.
    Literal(String),
    /// Anything else, unescaped.
    Text(String),
}

impl Value {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Text(text) => text,
        }
    }
}

/// The beginning of a text, so that a huge value is neither kept nor printed to its end.
///
/// It takes more than [`VALUE_MAX`] where there is more: the cut and its mark
/// are the printer's.
struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() > VALUE_MAX {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn a_huge_value_is_left_unread() {
        let mut text = Beginning(String::new());
        let pieces = (0..).take_while(|_| text.write_str("0123456789").is_ok()).count();
        assert_eq!(pieces, 204);
        assert_eq!(text.0.len(), VALUE_MAX + 1);
    }
}
