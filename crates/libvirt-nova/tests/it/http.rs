//! What goes over the wire, byte by byte.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use crate::program::{Dir, Outcome, PATIENCE, Running};

fn start() -> Running {
    Dir::new().command().start()
}

/// A client that says what it likes.
struct Peer(TcpStream);

/// What came back.
#[derive(Debug)]
struct Response {
    status: String,
    /// In lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Peer {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Reads one response and not a byte more; `method` says whether it has a body.
    fn response(&mut self, method: &str) -> Response {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().to_owned();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response { status, headers, body: String::new() };
        let length = response.header("content-length").parse().unwrap();
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.0.read_exact(&mut body).unwrap();
        response.body = String::from_utf8(body).unwrap();
        response
    }

    fn get(&mut self, target: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).response("GET")
    }

    /// Reads until the server closes the connection.
    fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // There was something that the server had not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(rest).unwrap()
    }
}

impl Response {
    fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let value = values.next().map_or("", |(_, value)| value);
        assert!(values.next().is_none(), "{name} twice");
        value
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let running = start();
    let mut peer = Peer::connect(running.address);
    for _ in 0..3 {
        let metrics = peer.get("/metrics?x=1");
        assert_eq!(metrics.status, "HTTP/1.1 200 OK");
        assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(metrics.header("x-content-type-options"), "nosniff");
        assert_eq!(peer.get("/x").status, "HTTP/1.1 404 Not Found");
        assert!(peer.get("/").body.contains("<a href=\"./metrics\">"));
    }
    let last = peer.send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").rest();
    assert!(last.starts_with("HTTP/1.1 404 "), "{last}");
}

#[test]
fn neither_a_connection_nor_a_scrape_leaves_a_task_behind() {
    let running = start();
    for _ in 0..3 {
        let body = Peer::connect(running.address).get("/metrics").body;
        // Without libvirtd, all there is waits for it.
        assert!(body.contains("\nlibvirt_nova_exporter_tasks 1\n"), "{body}");
    }
}

#[test]
fn http_1_0_is_served_and_closed() {
    let running = start();
    let answer = Peer::connect(running.address).send("GET /metrics HTTP/1.0\r\n\r\n").rest();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\ncontent-length: "), "{answer}");
}

#[test]
fn head_is_get_without_the_body() {
    let running = start();
    for target in ["/", "/x"] {
        let mut peer = Peer::connect(running.address);
        let get = peer.get(target);
        let head = peer.send(format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n")).response("HEAD");
        assert_eq!(head.status, get.status);
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        assert_eq!(head.header("content-type"), get.header("content-type"));
        // Nothing of a body came: the next response begins where it should.
        assert_eq!(peer.get("/x").status, "HTTP/1.1 404 Not Found");
    }
    let mut peer = Peer::connect(running.address);
    let head = peer.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").response("HEAD");
    assert_eq!(head.status, "HTTP/1.1 200 OK");
    assert_eq!(peer.get("/metrics").status, "HTTP/1.1 200 OK");
}

#[test]
fn other_methods_are_told_which_there_are() {
    let running = start();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let mut peer = Peer::connect(running.address);
        let request = format!("{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let response = peer.send(request).response(method);
        assert_eq!(response.status, "HTTP/1.1 405 Method Not Allowed");
        assert_eq!(response.header("allow"), "GET, HEAD");
        assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
    }
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let running = start();
    let mut peer = Peer::connect(running.address);
    let request = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nx";
    assert_eq!(peer.send(request).response("POST").status, "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(peer.rest(), "");
}

#[test]
fn the_path_is_the_one_that_was_chosen() {
    let running = Dir::new().command().args(["-path", "/a/b"]).start();
    let mut peer = Peer::connect(running.address);
    assert_eq!(peer.get("/a/b").status, "HTTP/1.1 200 OK");
    assert_eq!(peer.get("/a/%62").status, "HTTP/1.1 200 OK");
    assert_eq!(peer.get("http://x/a/b").status, "HTTP/1.1 200 OK");
    assert_eq!(peer.get("/metrics").body, "not found, the metrics are at /a/b\n");
    assert!(peer.get("/").body.contains("<a href=\"./a/b\">"));

    let running = Dir::new().command().args(["-path", "/"]).start();
    let metrics = Peer::connect(running.address).get("/");
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let running = start();
    let mut peer = Peer::connect(running.address);
    let targets = ["/x", "/metrics", "/", "/x"];
    let requests = targets.map(|target| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
    peer.send(requests.concat());
    let types = targets.map(|_| peer.response("GET").header("content-type").to_owned());
    assert_eq!(
        types,
        [
            "text/plain; charset=utf-8",
            "text/plain; version=0.0.4; charset=utf-8",
            "text/html; charset=utf-8",
            "text/plain; charset=utf-8",
        ]
    );
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let running = start();
    let filler = "x".repeat(20_000);
    for head in [
        format!("GET /{filler} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {filler}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(200)),
    ] {
        let answer = Peer::connect(running.address).send(head).rest();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert_eq!(Peer::connect(running.address).get("/metrics").status, "HTTP/1.1 200 OK");
}

#[test]
fn garbage_is_refused() {
    let running = start();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], // TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /met\0rics HTTP/1.1\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b": x\r\n\r\n",
    ] {
        let answer = Peer::connect(running.address).send(garbage).rest();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{garbage:?}: {answer}");
    }
    assert_eq!(Peer::connect(running.address).get("/metrics").status, "HTTP/1.1 200 OK");
}

#[test]
fn half_a_request_and_silence_ends_the_connection() {
    let running = start();
    let begun = Instant::now();
    let mut silent = Peer::connect(running.address);
    let mut half = Peer::connect(running.address);
    half.send("GET /metrics HTTP/1.1\r\nHost");
    assert_eq!(silent.rest(), "");
    assert_eq!(half.rest(), "");
    // The limit is ten seconds, and nothing else ends these connections.
    let elapsed = begun.elapsed();
    assert!((9..20).contains(&elapsed.as_secs()), "{elapsed:?}");
}

#[test]
fn idle_connections_do_not_keep_a_scrape_out() {
    let running = start();
    let _idle: Vec<_> = (0..200).map(|_| Peer::connect(running.address)).collect();
    let begun = Instant::now();
    assert_eq!(Peer::connect(running.address).get("/metrics").status, "HTTP/1.1 200 OK");
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}: sooner than any idle one times out");
}

#[test]
fn want_of_descriptors_is_waited_out() {
    let running = Dir::new().shell("ulimit -n 32; exec \"$@\"").start();
    let _idle: Vec<_> = (0..60).map(|_| Peer::connect(running.address)).collect();
    let begun = Instant::now();
    assert_eq!(Peer::connect(running.address).get("/metrics").status, "HTTP/1.1 200 OK");
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(8), "{elapsed:?}: sooner than any idle one times out");

    running.signal("TERM");
    let (status, log) = running.wait();
    assert_eq!(status.code(), Some(0));
    let complaints = log.iter().filter(|line| line.contains("cannot accept")).count();
    assert_eq!(complaints, 1, "{log:?}");
}

#[test]
fn a_port_in_use_is_status_1_and_one_line() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let Outcome { code, stdout, stderr } = Dir::new()
        .command()
        .args(["-uri", "/nonexistent/libvirt-sock-ro", "-log", "-", "--log.level=error"])
        .arg(format!("--web.listen-address={address}"))
        .run();
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {address}")), "{stderr}");
    assert!(stderr.contains("Address already in use"), "{stderr}");
}

#[test]
fn why_it_could_not_start_is_in_the_log_in_its_format() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let dir = Dir::new();
    let Outcome { code, stdout: _, stderr } = dir
        .command()
        .args(["-uri", "/nonexistent/libvirt-sock-ro", "-log", "log", "--log.format=json"])
        .arg(format!("--web.listen-address={address}"))
        .run();
    assert_eq!(code, Some(1), "{stderr}");
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    for text in [&stderr, &log] {
        let last = text.lines().next_back().unwrap();
        assert!(last.starts_with('{') && last.contains("cannot listen on"), "{text}");
    }
}

#[test]
fn a_signal_ends_the_program_whoever_is_connected() {
    let mut took = Vec::new();
    for signal in ["TERM", "INT", "HUP"] {
        let running = start();
        let mut kept = Peer::connect(running.address);
        kept.get("/");
        let mut silent = Peer::connect(running.address);
        let mut half = Peer::connect(running.address);
        half.send("GET /metrics");
        let begun = Instant::now();
        running.signal(signal);
        for peer in [&mut kept, &mut silent, &mut half] {
            assert_eq!(peer.rest(), "");
        }
        let (status, log) = running.wait();
        assert_eq!(status.code(), Some(0), "{log:?}");
        took.push(begun.elapsed());
    }
    // A busy machine may be late now and then, but not for each of them.
    let soonest = took.iter().min().unwrap();
    assert!(*soonest < Duration::from_secs(2), "{took:?}: there was nothing to wait for");
}
