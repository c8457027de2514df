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
    pub(crate) fn read(bytes: Vec<u8>, began: Instant) -> Self {
        let ended = Instant::now();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().to_owned();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let response = Self { status, headers, body: body.to_owned(), began, ended };
        // Whole: nothing is chunked here, so the length is told.
        assert_eq!(response.header("content-length"), response.body.len().to_string());
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
    Response::read(bytes, began)
}
