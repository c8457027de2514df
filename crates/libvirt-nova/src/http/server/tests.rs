//! Peers as they come: in time, late, many, and never to an end.

use std::{
    future,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use socket2::{Domain, Socket, Type};
use tokio::sync::{Semaphore, oneshot};

use super::{
    super::{Wanted, listener},
    *,
};
use crate::{flags::ListenAddress, web_config::WebConfig};

mod tls;

/// A server on a thread of its own.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    fn start<S, F>(limits: Limits, scrape: S) -> Self
    where
        S: Fn(Wanted) -> F + Send + 'static,
        F: Future<Output = String>,
    {
        Self::start_with(Admission::default, limits, scrape)
    }

    /// The same by a web configuration of `testdata`.
    fn start_tls<S, F>(limits: Limits, scrape: S) -> Self
    where
        S: Fn(Wanted) -> F + Send + 'static,
        F: Future<Output = String>,
    {
        let admission = || {
            let web = WebConfig::open(&tls::testdata("ecdsa.yml")).unwrap();
            Admission::new(Some(web)).unwrap()
        };
        Self::start_with(admission, limits, scrape)
    }

    fn start_with<S, F>(
        admission: impl FnOnce() -> Admission + Send + 'static,
        limits: Limits,
        scrape: S,
    ) -> Self
    where
        S: Fn(Wanted) -> F + Send + 'static,
        F: Future<Output = String>,
    {
        let (stop, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let thread = thread::spawn(move || {
            let builder = &mut tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap().block_on(async {
                let any = ListenAddress::At(([127, 0, 0, 1], 0).into());
                let listeners = listener::bind(&[any]).await.unwrap();
                bound.send(listeners[0].local_addr().unwrap()).unwrap();
                let until = async { stopped.await.unwrap() };
                let path = "/metrics".parse().unwrap();
                let dispatch = Dispatch::new(&path, Duration::from_secs(5), scrape);
                let admission = admission();
                serve_within(limits, listeners, &admission, &dispatch, until).await;
            });
        });
        Self { address: address.recv().unwrap(), stop, thread }
    }

    fn connect(&self) -> TcpStream {
        self.connect_from([127, 0, 0, 1])
    }

    /// Connects from another host, as far as anybody can tell.
    fn connect_from(&self, host: [u8; 4]) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((host, 0)).into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let peer = TcpStream::from(socket);
        // No test waits for ever.
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        peer
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

/// Limits that no test reaches unless it sets its own.
const PATIENT: Limits = Limits {
    head: Duration::from_secs(60),
    response: Duration::from_secs(60),
    idle: Duration::from_secs(60),
    stream: Duration::from_secs(60),
};

const SHORT: Duration = Duration::from_millis(500);

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

fn at_once(_: Wanted) -> future::Ready<String> {
    future::ready("up 1\n".to_owned())
}

fn read_response(peer: &mut TcpStream) -> String {
    let mut response = Vec::new();
    while !response.ends_with(b"up 1\n") {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        response.push(byte[0]);
    }
    String::from_utf8(response).unwrap()
}

/// Reads until the server closes the connection.
fn read_to_end(peer: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match peer.read_to_end(&mut all) {
        Ok(_) => all,
        // There was something that the server had not read.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => all,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_peer_that_sends_no_whole_request_is_dropped() {
    let server = Server::start(Limits { head: SHORT, ..PATIENT }, at_once);
    for beginning in [&b""[..], b"G", b"\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\n"] {
        let mut peer = server.connect();
        peer.write_all(beginning).unwrap();
        assert_eq!(read_to_end(&mut peer), b"");
    }
    server.stop();
}

#[test]
fn a_peer_that_sends_a_byte_now_and_then_is_dropped_too() {
    let server = Server::start(Limits { head: SHORT, ..PATIENT }, at_once);
    let mut peer = server.connect();
    // The first request is whole, to see that the limit holds for those after it as well.
    peer.write_all(GET).unwrap();
    read_response(&mut peer);
    peer.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let begun = Instant::now();
    peer.write_all(b"GET /").unwrap();
    loop {
        match peer.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => break,
            Ok(_) => panic!("an answer to half a request"),
        }
        let _ = peer.write(b"x");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    assert!(begun.elapsed() >= SHORT - Duration::from_millis(20));
    server.stop();
}

#[test]
fn a_peer_is_kept_between_requests_but_not_for_ever() {
    let server = Server::start(Limits { head: SHORT, idle: 5 * SHORT, ..PATIENT }, at_once);
    let mut peer = server.connect();
    for _ in 0..2 {
        peer.write_all(GET).unwrap();
        read_response(&mut peer);
        // Longer than for a head, and still open.
        peer.set_read_timeout(Some(2 * SHORT)).unwrap();
        assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(read_to_end(&mut peer), b"");
    server.stop();
}

#[test]
fn a_request_with_a_body_is_the_last_of_its_connection() {
    let server = Server::start(PATIENT, at_once);
    for head in
        ["POST / HTTP/1.1\r\nContent-Length: 1\r\n", "GET /x HTTP/1.1\r\nContent-Length: 1\r\n"]
    {
        let mut peer = server.connect();
        peer.write_all(&[head.as_bytes(), b"Host: x\r\n\r\nx", GET].concat()).unwrap();
        let responses = String::from_utf8(read_to_end(&mut peer)).unwrap();
        assert_eq!(responses.matches("HTTP/1.1").count(), 1, "{responses}");
        assert!(responses.contains("\r\nconnection: close\r\n"), "{responses}");
    }
    server.stop();
}

#[test]
fn a_peer_that_takes_no_response_is_dropped() {
    const LENGTH: usize = 64 << 20;
    let (events, happened) = mpsc::channel();
    let server = Server::start(Limits { response: SHORT, ..PATIENT }, move |_| {
        events.send(()).unwrap();
        future::ready("x".repeat(LENGTH))
    });
    let mut plain = server.connect();
    plain.write_all(GET).unwrap();
    // Nor does a second request, unread behind the first, make it busy.
    let mut pipelining = server.connect();
    pipelining.write_all(&GET.repeat(2)).unwrap();
    for _ in 0..2 {
        happened.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    // What is tested is that nothing is taken for a while.
    thread::sleep(4 * SHORT);
    for peer in [&mut plain, &mut pipelining] {
        let length = read_to_end(peer).len();
        assert!((1..LENGTH).contains(&length), "{length}");
    }
    server.stop();
}

#[test]
fn a_peer_that_hangs_up_takes_its_scrape_along() {
    struct Guard(mpsc::Sender<&'static str>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (events, happened) = mpsc::channel();
    let server = Server::start(PATIENT, move |_| {
        let guard = Guard(events.clone());
        async move {
            guard.0.send("begun").unwrap();
            future::pending().await
        }
    });
    let mut peer = server.connect();
    // Without the timeout, the deadline would do what the hanging up is to do.
    let request = "GET /metrics HTTP/1.1\r\nX-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n";
    peer.write_all(request.as_bytes()).unwrap();
    assert_eq!(happened.recv_timeout(Duration::from_secs(20)).unwrap(), "begun");
    drop(peer);
    assert_eq!(happened.recv_timeout(Duration::from_secs(20)).unwrap(), "dropped");
    server.stop();
}

#[test]
fn a_newcomer_takes_the_place_of_the_one_who_waits_longest() {
    let (events, happened) = mpsc::channel();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let server = Server::start(PATIENT, move |_| {
        let (events, gate) = (events.clone(), Arc::clone(&gate));
        async move {
            events.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            "up 1\n".to_owned()
        }
    });
    let mut scrape = server.connect();
    scrape.write_all(GET).unwrap();
    happened.recv_timeout(Duration::from_secs(20)).unwrap();
    let mut idle: Vec<_> = (0..MAX_CONNECTIONS).map(|_| server.connect()).collect();
    // One had to go: not the scrape, though it is the oldest.
    assert_eq!(read_to_end(&mut idle[0]), b"");

    let mut newcomer = server.connect();
    newcomer.write_all(GET).unwrap();
    happened.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(read_to_end(&mut idle[1]), b"");
    opened.add_permits(2);
    read_response(&mut scrape);
    read_response(&mut newcomer);
    // The others still have their places.
    idle[2].write_all(b"GET /x HTTP/1.0\r\n\r\n").unwrap();
    assert!(read_to_end(&mut idle[2]).starts_with(b"HTTP/1.0 404"));
    server.stop();
}

/// Whether a connection is open: a request on it is answered.
fn is_served(peer: &mut TcpStream) -> bool {
    peer.write_all(GET).is_ok() && peer.read(&mut [0]).is_ok_and(|read| read == 1)
}

#[test]
fn a_crowd_displaces_itself_and_no_other_origin() {
    let server = Server::start(PATIENT, at_once);
    let mut fresh = server.connect_from([127, 0, 0, 2]);
    let mut kept = server.connect_from([127, 0, 0, 3]);
    kept.write_all(GET).unwrap();
    read_response(&mut kept);
    let mut crowd: Vec<_> = (0..3 * MAX_CONNECTIONS).map(|_| server.connect()).collect();
    assert!(crowd[..2 * MAX_CONNECTIONS].iter_mut().all(|peer| read_to_end(peer).is_empty()));
    assert!(is_served(&mut fresh) && is_served(&mut kept));
    server.stop();
}

#[test]
fn those_who_never_asked_displace_nobody_who_did() {
    let server = Server::start(PATIENT, at_once);
    let mut kept = server.connect();
    kept.write_all(GET).unwrap();
    read_response(&mut kept);
    let mut crowd: Vec<_> = (0..2 * MAX_CONNECTIONS).map(|_| server.connect()).collect();
    assert!(crowd[..MAX_CONNECTIONS].iter_mut().all(|peer| read_to_end(peer).is_empty()));
    assert!(is_served(&mut kept));
    server.stop();
}

#[test]
fn those_who_asked_displace_nobody_who_is_about_to() {
    let server = Server::start(PATIENT, at_once);
    let mut fresh = server.connect();
    let mut crowd: Vec<_> = (0..2 * MAX_CONNECTIONS)
        .map(|_| {
            let mut peer = server.connect();
            peer.write_all(GET).unwrap();
            read_response(&mut peer);
            peer
        })
        .collect();
    assert!(crowd[..MAX_CONNECTIONS].iter_mut().all(|peer| read_to_end(peer).is_empty()));
    assert!(is_served(&mut fresh));
    server.stop();
}

#[test]
fn in_the_end_what_is_owed_is_sent_and_all_else_is_closed() {
    let (events, happened) = mpsc::channel();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let server = Server::start(PATIENT, move |_| {
        let (events, gate) = (events.clone(), Arc::clone(&gate));
        async move {
            events.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            "up 1\n".to_owned()
        }
    });
    let mut scrape = server.connect();
    scrape.write_all(GET).unwrap();
    happened.recv_timeout(Duration::from_secs(20)).unwrap();
    let mut silent = server.connect();
    let mut half = server.connect();
    half.write_all(b"GET").unwrap();
    let mut kept = server.connect();
    kept.write_all(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    kept.read_exact(&mut [0; 10]).unwrap();

    let Server { address, stop, thread } = server;
    stop.send(()).unwrap();
    for peer in [&mut silent, &mut half, &mut kept] {
        read_to_end(peer);
    }
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    opened.add_permits(1);
    let response = read_to_end(&mut scrape);
    assert!(response.ends_with(b"up 1\n"));
    assert!(String::from_utf8(response).unwrap().contains("connection: close"));
    thread.join().unwrap();
}

#[test]
fn in_the_end_a_scrape_is_not_waited_for_long() {
    let (events, happened) = mpsc::channel();
    let server = Server::start(PATIENT, move |_| {
        events.send(()).unwrap();
        future::pending()
    });
    let mut peer = server.connect();
    peer.write_all(GET).unwrap();
    happened.recv_timeout(Duration::from_secs(20)).unwrap();
    let begun = Instant::now();
    server.stop();
    let elapsed = begun.elapsed();
    // More than the grace allows for a machine that is busy with other tests.
    assert!((GRACE..5 * GRACE).contains(&elapsed), "{elapsed:?}");
    assert_eq!(read_to_end(&mut peer), b"");
}
