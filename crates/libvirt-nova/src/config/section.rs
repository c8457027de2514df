//! A mapping, taken apart key by key; what is left in the end is a fault.

use std::{borrow::Cow, error::Error};

use super::{
    fault::Fault,
    yaml::{Node, Value},
};
use crate::fault::chain;

/// A mapping that is being taken apart.
#[derive(Debug)]
pub(crate) struct Section {
    /// What leads to it, with a blank at its end; empty for the document itself.
    path: Cow<'static, str>,
    entries: Vec<(Node, Node)>,
    /// The keys that were asked for: those that there may be.
    known: Vec<&'static str>,
}

/// Text, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Text {
    /// The fault that somebody else found in it.
    pub(crate) fn fault(&self, error: &dyn Error) -> Fault {
        Fault::at(self.line, chain(error).to_string())
    }
}

impl Section {
    /// Begins to take a mapping apart; where there is nothing, one without keys.
    pub(crate) fn new(path: impl Into<Cow<'static, str>>, node: Node) -> Result<Self, Fault> {
        let path = path.into();
        let entries = match node.value {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries,
            _ => {
                let place = if path.is_empty() { "the document" } else { path.trim_end() };
                return Err(expected(&node, place, "a mapping"));
            }
        };
        Ok(Self { path, entries, known: Vec::new() })
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let is_it = |(found, _): &(Node, Node)| matches!(&found.value, Value::Text { text, .. } if text == key);
        let at = self.entries.iter().position(is_it)?;
        let (_, node) = self.entries.remove(at);
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// A mapping in this one; `path` is what leads to it.
    pub(crate) fn section(
        &mut self,
        key: &'static str,
        path: impl Into<Cow<'static, str>>,
    ) -> Result<Self, Fault> {
        let nothing = Node { line: 0, value: Value::Null };
        Self::new(path, self.take(key).unwrap_or(nothing))
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<Text>, Fault> {
        let Some(node) = self.take(key) else { return Ok(None) };
        let text = self.as_text(key, node)?;
        Ok((!text.text.is_empty()).then_some(text))
    }

    /// A list of texts; `None` where there is no list, which is not an empty one.
    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<Text>>, Fault> {
        let Some(node) = self.take(key) else { return Ok(None) };
        match node.value {
            Value::List(nodes) => nodes
                .into_iter()
                .map(|node| self.as_text(key, node))
                .collect::<Result<_, _>>()
                .map(Some),
            _ => Err(expected(&node, &self.place(key), "a list")),
        }
    }

    /// Yes or no, in YAML 1.1's words as in 1.2's.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.take(key) else { return Ok(None) };
        if let Value::Text { text, is_plain: true } = &node.value {
            match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => return Ok(Some(true)),
                "false" | "no" | "off" | "n" => return Ok(Some(false)),
                _ => {}
            }
        }
        Err(expected(&node, &self.place(key), "true or false"))
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&mut self, key: &'static str) -> Result<Option<u32>, Fault> {
        let Some(node) = self.take(key) else { return Ok(None) };
        let wanted = "a whole number, 0 or more";
        let Value::Text { text, is_plain: true } = &node.value else {
            return Err(expected(&node, &self.place(key), wanted));
        };
        let fault =
            |_| Fault::at(node.line, format!("{}{key} is {text}, expected {wanted}", self.path));
        text.parse().map(Some).map_err(fault)
    }

    /// The line of a key that is not to be there, where it is.
    pub(crate) fn line_of(&self, key: &str) -> Option<usize> {
        let is_it = |(found, _): &&(Node, Node)| matches!(&found.value, Value::Text { text, .. } if text == key);
        self.entries.iter().find(is_it).map(|(key, _)| key.line)
    }

    /// All keys with the mappings that they have, whatever they are called.
    pub(crate) fn all_sections(self) -> Result<Vec<(Text, Self)>, Fault> {
        let path = self.path;
        let section = |(key, node): (Node, Node)| {
            let Value::Text { text, .. } = key.value else {
                return Err(expected(&key, path.trim_end(), "text for each key"));
            };
            let below = format!("{path}{text} ");
            Ok((Text { line: key.line, text }, Self::new(below, node)?))
        };
        self.entries.into_iter().map(section).collect()
    }

    /// All keys with their texts, whatever they are called.
    pub(crate) fn all_texts(self) -> Result<Vec<(Text, String)>, Fault> {
        let path = self.path;
        let text = |(key, node): (Node, Node)| match (key.value, node.value) {
            (Value::Text { text: key_text, .. }, Value::Text { text, .. }) => {
                Ok((Text { line: key.line, text: key_text }, text))
            }
            (Value::Text { text: key_text, .. }, Value::Null) => {
                Ok((Text { line: key.line, text: key_text }, String::new()))
            }
            (_, value) => {
                let node = Node { line: key.line, value };
                Err(expected(&node, path.trim_end(), "text for each"))
            }
        };
        self.entries.into_iter().map(text).collect()
    }

    /// Asserts that nothing is left.
    pub(crate) fn end(self) -> Result<(), Fault> {
        let Some((key, _)) = self.entries.first() else { return Ok(()) };
        let Value::Text { text, .. } = &key.value else { return Ok(()) };
        let known = self.known.join(", ");
        let what = format!("{}{text}: no such key, expected one of {known}", self.path);
        Err(Fault::at(key.line, what))
    }

    fn as_text(&self, key: &str, node: Node) -> Result<Text, Fault> {
        match node.value {
            Value::Text { text, .. } => Ok(Text { line: node.line, text }),
            _ => Err(expected(&node, &self.place(key), "text")),
        }
    }

    fn place(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }
}

/// The fault of a node that is something else; a text is named only by what it is, it may be secret.
fn expected(node: &Node, place: &str, expected: &str) -> Fault {
    Fault::at(node.line, format!("{place} is {}, expected {expected}", node.kind()))
}
