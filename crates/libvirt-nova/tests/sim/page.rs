//! A page that is open: the events that it lives on, as a browser takes them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use crate::wait::PATIENCE;

/// A page that is open.
#[derive(Debug)]
pub(crate) struct Page {
    stream: BufReader<TcpStream>,
    /// What has come and is not yet a whole event.
    rest: String,
    /// The board, as far as it is known now.
    pub(crate) board: Value,
}

impl Page {
    /// Opens one, and takes its board.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET /-/live HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
            assert!(!line.starts_with("HTTP/1.1 ") || line.contains(" 200 "), "{line}");
        }
        let mut page = Self { stream, rest: String::new(), board: Value::Null };
        assert_eq!(page.next(), "board");
        page
    }

    /// Takes the next event; returns its name.
    pub(crate) fn next(&mut self) -> String {
        let end = loop {
            match self.rest.find("\n\n") {
                Some(end) => break end,
                None => self.take_chunk(),
            }
        };
        let event: String = self.rest.drain(..end + 2).collect();
        let (name, data) = event.trim_end().split_once('\n').unwrap();
        let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        match name.strip_prefix("event: ").unwrap() {
            "board" => self.board = data,
            "pulse" => {
                assert_eq!(data["edition"], self.board["pulse"]["edition"]);
                self.board["pulse"] = data;
            }
            other => panic!("{other}"),
        }
        name["event: ".len()..].to_owned()
    }

    /// Takes events until the board is as wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let began = std::time::Instant::now();
        while !wanted(&self.board) {
            assert!(began.elapsed() < PATIENCE, "no {what}: {:#}", self.board);
            self.next();
        }
    }

    fn take_chunk(&mut self) {
        let mut size = String::new();
        self.stream.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        assert!(size > 0, "the stream ended");
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        self.rest.push_str(&String::from_utf8(chunk).unwrap());
    }
}
