//! The connections there are, how many, and how they end.

use std::{collections::HashMap, hash::Hash, net::Ipv4Addr, pin::pin, rc::Rc, time::Duration};

use futures_util::{
    future::{AbortHandle, Abortable},
    stream::{self, FuturesUnordered, StreamExt},
};
use hyper::{Request, body::Incoming};
use tokio::{
    net::TcpStream,
    time::{self, Instant},
};

use super::{
    Admission, Content,
    basic_auth::MAX_WAITING,
    connection::{self, Limits, Seat},
    dispatch::{Dispatch, MAX_SCRAPES, MAX_STREAMS},
    door::Door,
    listener::Listener,
    origin::Origin,
};
use crate::flags::MetricsPath;

/// Answers requests until `until` is done.
///
/// A scrape gets `deadline` where the request names none.
/// In the end nothing more is accepted, idle connections are closed, and responses that are
/// owed get two seconds.
///
/// When the future is dropped, all connections are closed and their scrapes abandoned.
pub(crate) async fn serve(
    listeners: Vec<Listener>,
    admission: &Admission,
    metrics_path: &MetricsPath,
    deadline: Duration,
    content: impl Content,
    until: impl Future<Output = ()>,
) {
    let dispatch = Dispatch::new(metrics_path, deadline, content);
    serve_within(Limits::default(), listeners, admission, &dispatch, until).await;
}

async fn serve_within(
    limits: Limits,
    listeners: Vec<Listener>,
    admission: &Admission,
    dispatch: &Dispatch<'_, impl Content>,
    until: impl Future<Output = ()>,
) {
    let door = Door::new(admission.tls());
    let attend = async |stream: TcpStream, seat: Rc<Seat>| {
        let until = seat.first_head_until(limits);
        let Some(wire) = door.open(stream, until).await else { return };
        let origin = seat.origin();
        let answer = async |request: &Request<Incoming>| {
            admission.pass(request.headers(), origin, dispatch.answer(request, origin)).await
        };
        connection::attend(wire, seat, limits, answer).await;
    };
    let mut connections = Connections::default();
    let arrivals = listeners.into_iter().map(|listener| Box::pin(listener.arrivals()));
    let mut arrivals = stream::select_all(arrivals);
    let mut until = pin!(until);
    loop {
        tokio::select! {
            // Whoever was turned out is gone before the next one comes: a flood fills no memory.
            biased;
            () = &mut until => break,
            Some(_) = connections.running.next() => {}
            Some(arrival) = arrivals.next() => match arrival {
                Ok(stream) => {
                    connections.admit(origin(&stream), |seat| attend(stream, seat));
                }
                // For want of descriptors, most likely: an idle connection has one.
                Err(_) => connections.turn_one_out(),
            },
        }
    }
    drop(arrivals);
    connections.dismiss();
    let rest = async { while connections.running.next().await.is_some() {} };
    // Whoever is not done by then is cut off.
    let _ = time::timeout(GRACE, rest).await;
}

/// Time for responses that are owed at the end.
const GRACE: Duration = Duration::from_secs(2);

/// Where a peer comes from. One that is gone already comes from nowhere.
fn origin(stream: &TcpStream) -> Origin {
    let address = stream.peer_addr().map(|address| address.ip());
    address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()).into()
}

/// The connections there are, at most [`MAX_CONNECTIONS`].
///
/// A newcomer always gets a place, if need be that of another: connections that are merely open
/// must not keep a scrape out.
struct Connections<C> {
    running: FuturesUnordered<Abortable<C>>,
    seats: Vec<(Rc<Seat>, AbortHandle)>,
}

/// A few scrapers and browsers with several connections each, at some 20 KB a connection.
const MAX_CONNECTIONS: usize = 128;

// There is always one to turn out: those that cannot be are the scrapes, the streams
// and those whose passwords are to be checked.
const _: () = assert!(
    MAX_SCRAPES + MAX_STREAMS + MAX_WAITING < MAX_CONNECTIONS,
    "they can take all connections"
);

impl<C> Default for Connections<C> {
    fn default() -> Self {
        Self { running: FuturesUnordered::new(), seats: Vec::new() }
    }
}

impl<C: Future<Output = ()>> Connections<C> {
    fn admit(&mut self, origin: Origin, attend: impl FnOnce(Rc<Seat>) -> C) {
        // The connection holds its seat as long as it lasts.
        self.seats.retain(|(seat, _)| Rc::strong_count(seat) > 1);
        if self.seats.len() >= MAX_CONNECTIONS {
            self.turn_one_out();
        }
        let seat = Rc::new(Seat::new(origin));
        let (handle, registration) = AbortHandle::new_pair();
        self.running.push(Abortable::new(attend(Rc::clone(&seat)), registration));
        self.seats.push((seat, handle));
    }

    /// Closes one of the connections that keep us waiting.
    fn turn_one_out(&mut self) {
        if let Some(at) = self.one_to_go() {
            self.seats.swap_remove(at).1.abort();
        }
    }

    /// Says which connection is to go: the one that has kept us waiting longest, of the largest
    /// crowd.
    ///
    /// A flood is the largest crowd, so it displaces itself: those of the origin that has most;
    /// among them, or among all where no origin has more than another, whichever are more, those
    /// that have sent a whole request before or those that have not.
    /// So neither a scraper's connection between two scrapes nor one that was just made goes for
    /// what others do.
    fn one_to_go(&self) -> Option<usize> {
        let waiting = |(at, (seat, _)): (usize, &(Rc<Seat>, _))| {
            Some(Waiting {
                since: seat.waiting_since()?,
                at,
                origin: seat.origin(),
                is_known: seat.is_known(),
            })
        };
        let mut crowd: Vec<_> = self.seats.iter().enumerate().filter_map(waiting).collect();
        keep_most(&mut crowd, |one| one.origin);
        keep_most(&mut crowd, |one| one.is_known);
        crowd.iter().min_by_key(|one| (one.since, one.at)).map(|one| one.at)
    }

    /// Closes what is idle, and lets the rest end with the response that is owed.
    fn dismiss(&self) {
        for (seat, handle) in &self.seats {
            if seat.owes_response() {
                seat.leave();
            } else {
                handle.abort();
            }
        }
    }
}

/// A connection that has been waiting for its peer.
struct Waiting {
    since: Instant,
    at: usize,
    origin: Origin,
    is_known: bool,
}

/// Keeps those of the kinds that have most.
fn keep_most<K: Copy + Eq + Hash>(crowd: &mut Vec<Waiting>, kind: impl Fn(&Waiting) -> K) {
    let mut counts = HashMap::<K, usize>::new();
    for one in crowd.iter() {
        let count = counts.entry(kind(one)).or_default();
        *count = count.saturating_add(1);
    }
    let most = counts.values().copied().max();
    crowd.retain(|one| counts.get(&kind(one)).copied() == most);
}

#[cfg(test)]
mod tests {
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
}
