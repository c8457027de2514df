//! The stream of a running exporter, event by event.
//!
//! No input makes this module panic, or keep more than [`EVENT_MAX`].
//! (Server-sent events, WHATWG HTML section 9.2.6.)

use std::{error::Error, fmt, mem};

use super::scene::News;

/// Who puts events together, from bytes however they are cut.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    /// What of a line is here.
    line: Vec<u8>,
    name: String,
    data: Vec<u8>,
}

impl EventReader {
    /// Takes the next bytes, and adds the events that they end to `news`.
    ///
    /// # Errors
    ///
    /// When this is no stream of an exporter: the connection is of no more use.
    pub(super) fn read(&mut self, bytes: &[u8], news: &mut Vec<News>) -> Result<(), EventError> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.keep(line)?;
            let mut line = mem::take(&mut self.line);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            news.extend(self.take(&line)?);
            // With its room, for the next one.
            line.clear();
            self.line = line;
            rest = after.get(1..).unwrap_or_default();
        }
        self.keep(rest)
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), EventError> {
        let held = self.line.len().saturating_add(self.data.len());
        if held.saturating_add(part.len()) > EVENT_MAX {
            return Err(EventError::TooLong);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    /// Takes a line; an empty one ends an event.
    fn take(&mut self, line: &[u8]) -> Result<Option<News>, EventError> {
        if line.is_empty() {
            let (name, data) = (mem::take(&mut self.name), mem::take(&mut self.data));
            return news(&name, &data);
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(at) => line.split_at_checked(at).unwrap_or((line, &[])),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            // Comments, and what a later exporter may add.
            _ => {}
        }
        Ok(None)
    }
}

fn news(name: &str, data: &[u8]) -> Result<Option<News>, EventError> {
    let malformed = |what| move |source| EventError::Malformed { what, source };
    Ok(match name {
        "board" => Some(News::Board(serde_json::from_slice(data).map_err(malformed("board"))?)),
        "pulse" => Some(News::Pulse(serde_json::from_slice(data).map_err(malformed("pulse"))?)),
        _ => None,
    })
}

/// A stream that is not an exporter's, or is damaged.
#[derive(Debug)]
pub(super) enum EventError {
    /// Longer than any exporter's.
    TooLong,
    /// Not what the event's name promises.
    Malformed { what: &'static str, source: serde_json::Error },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "an event of more than {EVENT_MAX} bytes"),
            Self::Malformed { what, .. } => write!(f, "a {what} that cannot be read"),
        }
    }
}

impl Error for EventError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TooLong => None,
            Self::Malformed { source, .. } => Some(source),
        }
    }
}

/// The longest event: 10,000 instances with their last minute are some 8 MB.
const EVENT_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Pulse};

    fn stream() -> (Vec<u8>, Vec<News>) {
        let pulse = Pulse { edition: 7, in_use: vec![Some(0.3), None], ..Pulse::default() };
        let board = Board {
            host: crate::board::Host::default(),
            instances: vec![crate::board::Row {
                name: Some("zürich".into()),
                ..Default::default()
            }],
            recent: vec![vec![None, Some(1.5)]],
            pulse: pulse.clone(),
        };
        let text = format!(
            ": hello\nevent: board\ndata: {}\n\nevent:later\ndata:1\n\nevent: pulse\r\ndata: {}\r\n\r\n",
            serde_json::to_string(&board).unwrap(),
            serde_json::to_string(&pulse).unwrap(),
        );
        (text.into(), vec![News::Board(Box::new(board)), News::Pulse(pulse)])
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let (text, expected) = stream();
        for at in 0..=text.len() {
            let (mut reader, mut news) = (EventReader::default(), Vec::new());
            reader.read(&text[..at], &mut news).unwrap();
            reader.read(&text[at..], &mut news).unwrap();
            assert_eq!(news, expected, "{at}");
        }
        let (mut reader, mut news) = (EventReader::default(), Vec::new());
        text.iter().for_each(|byte| reader.read(&[*byte], &mut news).unwrap());
        assert_eq!(news, expected);
    }

    #[test]
    fn damage_is_an_error_or_survived() {
        let (text, _) = stream();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut damaged = text.clone();
                damaged[at] ^= 1 << bit;
                let _ = EventReader::default().read(&damaged, &mut Vec::new());
            }
            let without: Vec<_> = [&text[..at], &text[at + 1..]].concat();
            let _ = EventReader::default().read(&without, &mut Vec::new());
        }
    }

    #[test]
    fn what_is_no_board_is_an_error() {
        let read = |text: &[u8]| EventReader::default().read(text, &mut Vec::new());
        let nested = [b"event: board\ndata: ", &*b"[".repeat(100_000), b"\n\n"].concat();
        for text in [
            &b"event: board\n\n"[..],
            b"event: pulse\ndata: {}\n\n",
            b"event: board\ndata: \xff\n\n",
            &nested,
        ] {
            assert!(matches!(read(text), Err(EventError::Malformed { .. })));
        }
        assert!(read(b"<html>\n\n\n: x\ndata\n\n").is_ok());
    }

    #[test]
    fn no_more_is_kept_than_an_event() {
        let piece = [b'x'; 1 << 20];
        for begin in [&b""[..], b"data: x\n"] {
            let mut reader = EventReader::default();
            reader.read(begin, &mut Vec::new()).unwrap();
            let read = |_| reader.read(&piece, &mut Vec::new());
            assert_eq!(
                (0..40).map(read).take_while(Result::is_ok).count(),
                if begin.is_empty() { 32 } else { 31 }
            );
        }
        // Nor in many lines.
        let (mut reader, line) = (EventReader::default(), [b"data: ", &piece[..], b"\n"].concat());
        let read = |_| reader.read(&line, &mut Vec::new());
        assert!((0..40).map(read).any(|read| read.is_err()));
    }
}
