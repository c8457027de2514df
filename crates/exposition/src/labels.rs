//! Labels, rendered.

/// Labels as they stand between the braces of a sample, rendered once for all the samples
/// that have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    text: String,
}

impl Labels {
    /// Renders labels in the order given.
    pub fn new(labels: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(length(labels));
        Self::append(true, labels, &mut text);
        Self { text }
    }

    /// Renders `more` labels behind these.
    #[must_use]
    pub fn with(&self, more: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(self.text.len().saturating_add(length(more)));
        text.push_str(&self.text);
        Self::append(text.is_empty(), more, &mut text);
        Self { text }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn append(mut is_first: bool, labels: &[(&str, &str)], text: &mut String) {
        for (name, value) in labels {
            if !is_first {
                text.push(',');
            }
            is_first = false;
            text.push_str(name);
            text.push_str("=\"");
            escape(value, true, text);
            text.push('"');
        }
    }
}

/// How long labels are at least, rendered: as long as that where nothing is to be escaped.
fn length(labels: &[(&str, &str)]) -> usize {
    let quotes = "=\"\",".len();
    let lengths = labels.iter().flat_map(|(name, value)| [name.len(), value.len(), quotes]);
    lengths.fold(0, usize::saturating_add)
}

/// Escapes what would end a line, an escape, or (in a label's value) the quotes.
pub(crate) fn escape(text: &str, quoted: bool, into: &mut String) {
    // Labels are much of what a scrape writes, and nearly all are plain. Without a branch a byte,
    // many bytes are looked at together.
    let is_special = |byte| matches!(byte, b'\\' | b'\n') || (quoted && byte == b'"');
    if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        into.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '"' if quoted => into.push_str("\\\""),
            plain => into.push(plain),
        }
    }
}
