//! YAML, with the line of everything in it.
//!
//! Strict: a key that is there twice is a fault. Text stays as it was written, so that `1` can be
//! a header's value and `on` somebody's name; whoever wants a number or a yes reads it as one.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::fault::Fault;

/// A part of a document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing: `~`, or no text at all.
    Null,
    /// Text; `is_plain` where it was written without quotes, and may mean a number.
    Text {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    /// Keys are unique.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// What it is called where something else was expected.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text { .. } => "text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the one document that `text` holds; an empty one is [`Value::Null`].
///
/// # Errors
///
/// When it is no YAML, has a key twice, or is beyond any reason: deeper or larger than a person
/// writes, as aliases of aliases make it.
pub(crate) fn read(text: &str) -> Result<Node, Fault> {
    let mut reader =
        Reader { events: Parser::new_from_str(text), anchors: HashMap::new(), left: NODES };
    let mut document = None;
    loop {
        match reader.event()? {
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => break,
            (_, span) if document.is_some() => {
                return Err(Fault::at(line(&span), "a second document begins, expected one"));
            }
            first => document = Some(reader.node(first, DEPTH)?),
        }
    }
    Ok(document.unwrap_or(Node { line: 1, value: Value::Null }))
}

/// Levels of a document: four are used.
const DEPTH: usize = 16;

/// Nodes of a document, counting those that aliases repeat: some for each user, or target.
const NODES: usize = 100_000;

struct Reader<'t> {
    events: Parser<'t, granit_parser::StrInput<'t>>,
    /// What aliases stand for, with how many nodes that is.
    anchors: HashMap<usize, (Node, usize)>,
    /// Nodes that there may still be.
    left: usize,
}

type Spanned<'t> = (Event<'t>, Span);

impl<'t> Reader<'t> {
    fn event(&mut self) -> Result<Spanned<'t>, Fault> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                Err(Fault::at(error.marker().line(), format!("is no YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Reads the node that begins with `first`.
    fn node(&mut self, first: Spanned<'t>, depth: usize) -> Result<Node, Fault> {
        let (event, span) = first;
        let line = line(&span);
        let too_much = || Fault::at(line, "the document is larger or deeper than a person writes");
        let depth = depth.checked_sub(1).ok_or_else(too_much)?;
        let before = self.left;
        self.left = self.left.checked_sub(1).ok_or_else(too_much)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(_, anchor, _) => {
                let mut list = Vec::new();
                loop {
                    match self.event()? {
                        (Event::SequenceEnd, _) => break,
                        first => list.push(self.node(first, depth)?),
                    }
                }
                (Value::List(list), anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => {
                // An alias inside of what it stands for is not known yet.
                let (node, count) = self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| Fault::at(line, "an alias stands for what it is in"))?;
                self.left = self.left.checked_sub(*count).ok_or_else(too_much)?;
                return Ok(Node { line, value: node.value.clone() });
            }
            _ => return Err(Fault::at(line, "is no YAML: a value is missing")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            let count = before.saturating_sub(self.left);
            self.anchors.insert(anchor, (node.clone(), count));
        }
        Ok(node)
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let first = match self.event()? {
                (Event::MappingEnd, _) => return Ok(Value::Mapping(entries)),
                first => first,
            };
            let key = self.node(first, depth)?;
            let Value::Text { text, .. } = &key.value else {
                return Err(Fault::at(key.line, format!("a key is {}, expected text", key.kind())));
            };
            if !seen.insert(text.clone()) {
                return Err(Fault::at(key.line, format!("{text} is there twice")));
            }
            let first = self.event()?;
            let value = self.node(first, depth)?;
            entries.push((key, value));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_plain = style == ScalarStyle::Plain;
    if is_plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Text { text: text.to_owned(), is_plain }
}

fn line(span: &Span) -> usize {
    span.start.line()
}
