//! One request of HTTP/1.1, by hand.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{
    stall::{stalled, watch},
    wait::PATIENCE,
};

/// An answer, and when it was asked for and there.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: String,
    /// In lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

impl Response {
    /// Reads what came back to a request that was made when it `began`.
    pub(crate) fn read(bytes: &[u8], began: Instant) -> Self {
        let ended = Instant::now();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, mut rest) = bytes.split_at(end);
        let head = std::str::from_utf8(head).unwrap().trim_end();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().to_owned();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Self { status, headers, body: String::new(), began, ended };
        response.body = body(&mut rest, |name| response.header(name).to_owned());
        assert_eq!(rest, b"", "behind the end");
        response
    }

    pub(crate) fn took(&self) -> Duration {
        self.ended - self.began
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Reads a whole body and not a byte more: as long as its header says, or in chunks.
pub(crate) fn body(stream: &mut impl Read, header: impl Fn(&str) -> String) -> String {
    let mut body = Vec::new();
    if header("transfer-encoding") == "chunked" {
        loop {
            let length = usize::from_str_radix(&line(stream), 16).unwrap();
            read(stream, length, &mut body);
            assert_eq!(line(stream), "", "the end of a chunk");
            if length == 0 {
                break;
            }
        }
    } else {
        read(stream, header("content-length").parse().unwrap(), &mut body);
    }
    String::from_utf8(body).unwrap()
}

fn read(stream: &mut impl Read, length: usize, into: &mut Vec<u8>) {
    let before = into.len();
    into.resize(before + length, 0);
    stream.read_exact(&mut into[before..]).unwrap();
}

fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        read(stream, 1, &mut line);
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).unwrap()
}

/// Gets `path` with one more line in the head of the request, or none; again where the machine
/// stood still meanwhile, a few times.
pub(crate) fn get(address: SocketAddr, path: &str, header: &str) -> Response {
    watch();
    let mut attempts = (0..ATTEMPTS).map(|_| request(address, path, header));
    let last = attempts.next().unwrap();
    if !stalled(last.began, last.ended) {
        return last;
    }
    attempts.find(|response| !stalled(response.began, response.ended)).unwrap_or(last)
}

const ATTEMPTS: usize = 5;

fn request(address: SocketAddr, path: &str, header: &str) -> Response {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Response::read(&bytes, began)
}
