//! Peers who mean harm: whatever they do, scrapes are answered in their time and memory has a bound.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::{
    bench::Bench,
    http::body,
    said::Said,
    wait::{PATIENCE, wait_until},
};

/// Where scrapers come from that have not just connected.
const SCRAPER: [u8; 4] = [127, 0, 0, 2];
/// Where attackers come from, who are not the scraper's neighbours.
const STRANGER: [u8; 4] = [127, 0, 0, 3];
/// Where attackers come from who are.
const NEIGHBOUR: [u8; 4] = [127, 0, 0, 1];

/// Connects from a host; `None` where the exporter, or this one, has no more of what it takes.
fn connect(address: SocketAddr, host: [u8; 4]) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    // So that a port is free again at once.
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    socket.bind(&SocketAddr::from((host, 0)).into()).ok()?;
    socket.connect(&address.into()).ok()?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Some(stream)
}

/// An attack: what each of its threads does again and again, from its host.
struct Attack<'a> {
    hosts: &'a [[u8; 4]],
    /// How often they have to have done it before it is an attack.
    rounds: usize,
    /// Says whether there is to be another.
    round: &'a (dyn Fn(SocketAddr, [u8; 4]) -> bool + Sync),
}

impl Attack<'_> {
    /// Does something while the attack goes on.
    fn during<T>(&self, address: SocketAddr, act: impl FnOnce() -> T) -> T {
        let (is_over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        let over = Over(&is_over);
        thread::scope(|scope| {
            for &host in self.hosts {
                let (is_over, rounds) = (&is_over, &rounds);
                scope.spawn(move || {
                    let mut goes_on = true;
                    while goes_on && !is_over.load(Ordering::Relaxed) {
                        goes_on = (self.round)(address, host);
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            // Also where `act` panics, or nobody would ever hear of it.
            let _over = over;
            wait_until(PATIENCE, "an attack", || {
                (rounds.load(Ordering::Relaxed) >= self.rounds).then_some(())
            });
            act()
        })
    }
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A scraper that keeps its connection, and sends its first request a while after it connected.
struct Kept(TcpStream);

impl Kept {
    fn connect(bench: &Bench) -> Self {
        let stream = connect(bench.exporter.address, SCRAPER).unwrap();
        // From another continent.
        thread::sleep(Duration::from_millis(200));
        Self(stream)
    }

    fn scrape(&mut self) -> String {
        self.scrape_as("")
    }

    /// Scrapes with one more line in the head of the request, or none.
    fn scrape_as(&mut self, line: &str) -> String {
        let head = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{line}\r\n");
        self.0.write_all(head.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        body(&mut self.0, |name| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
            head.lines().find_map(value).unwrap_or_default()
        })
    }
}

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// Domains of which scrapes are made.
const DOMAINS: u32 = 12;
/// Scrapes of each kind during an attack.
const SCRAPES: usize = 5;
/// The most memory that the exporter may take whatever happens.
const MEMORY: u64 = 48 << 20;

/// Asserts that scrapes are whole and in time during an attack, whether their connections are new,
/// old, or were made in the midst of it and used later; and that it leaves nothing behind.
fn withstand(attack: &Attack<'_>) {
    let mut bench = Bench::new(DOMAINS);
    let whole = bench.whole(DOMAINS);
    let descriptors = bench.exporter.descriptors();
    let mut old = Kept::connect(&bench);
    old.scrape();
    attack.during(bench.exporter.address, || {
        for _ in 0..SCRAPES {
            assert_eq!(Said::of(&bench.scrape()), whole);
            assert!(old.scrape().contains("\nlibvirt_up 1\n"));
            assert!(Kept::connect(&bench).scrape().contains("\nlibvirt_up 1\n"));
        }
    });
    bench.exporter.assert_alive();
    let peak = bench.exporter.memory_peak();
    println!("peak {} KiB", peak >> 10);
    assert!(peak < MEMORY, "{} KiB", peak >> 10);
    drop(old);
    wait_until(PATIENCE, "all connections closed", || {
        (bench.exporter.descriptors() <= descriptors).then_some(())
    });
    assert_eq!(bench.whole(DOMAINS), whole);
}

/// Lets this process have so many descriptors.
pub(crate) fn want_descriptors(number: u64) {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.map(|hard| hard.max(number));
    let wanted = Rlimit { current: hard.map(|_| number).or(Some(number)), maximum: hard };
    if limit.current.is_some_and(|current| current < number) {
        setrlimit(Resource::Nofile, wanted).expect("ten thousand descriptors");
    }
}

/// Half of an attack comes from the scraper's own host, half from another.
const BOTH: [[u8; 4]; 4] = [NEIGHBOUR, STRANGER, NEIGHBOUR, STRANGER];

#[test]
fn ten_thousand_connections_that_say_nothing() {
    want_descriptors(12_000);
    let open = Mutex::new(Vec::new());
    withstand(&Attack {
        hosts: &BOTH,
        rounds: 10_000,
        // All of them are open at this end, whatever the exporter thinks of it.
        round: &|address, host| {
            let stream = connect(address, host).unwrap();
            let mut open = open.lock().unwrap();
            open.push(stream);
            open.len() < 10_000
        },
    });
}

#[test]
fn requests_that_come_in_drops() {
    withstand(&Attack {
        hosts: &BOTH,
        rounds: 8,
        round: &|address, host| {
            let mut open: Vec<_> = (0..64).filter_map(|_| connect(address, host)).collect();
            for byte in b"GET /metrics HTTP/1.1\r\nX: " {
                open.retain_mut(|stream| stream.write_all(&[*byte]).is_ok());
            }
            true
        },
    });
}

#[test]
fn connections_that_come_and_go() {
    withstand(&Attack {
        hosts: &BOTH,
        rounds: 10_000,
        round: &|address, host| {
            drop(connect(address, host));
            true
        },
    });
}

#[test]
fn heads_without_end() {
    let line = "x".repeat(1 << 20);
    let bombs = [
        format!("GET /{line} HTTP/1.1\r\n"),
        format!("GET / HTTP/1.1\r\nX: {line}\r\n"),
        format!("GET / HTTP/1.1\r\n{line}: x\r\n"),
        format!("GET / HTTP/1.1\r\n{}", "X: x\r\n".repeat(100_000)),
        format!("GET / HTTP/1.1\r\n{}", "x:\r\n".repeat(100_000)),
        format!("{line}{line}"),
        "\r\n".repeat(500_000),
    ];
    let next = AtomicUsize::new(0);
    withstand(&Attack {
        hosts: &BOTH,
        rounds: 100,
        round: &|address, host| {
            let at = next.fetch_add(1, Ordering::Relaxed) % bombs.len();
            let Some(mut stream) = connect(address, host) else { return true };
            // The exporter need not take all of it.
            if stream.write_all(bombs[at].as_bytes()).is_ok() {
                let _ = stream.read(&mut [0; 1024]);
            }
            true
        },
    });
}

#[test]
fn bodies_that_nobody_wants() {
    let megabyte = vec![b'x'; 1 << 20];
    let chunk = [b"100000\r\n", &*megabyte, b"\r\n"].concat();
    let bombs = [
        ("POST /metrics HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", &megabyte),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", &chunk),
        ("GET /x HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", &megabyte),
    ];
    let next = AtomicUsize::new(0);
    withstand(&Attack {
        hosts: &BOTH,
        rounds: 100,
        round: &|address, host| {
            let (head, piece) = bombs[next.fetch_add(1, Ordering::Relaxed) % bombs.len()];
            let Some(mut stream) = connect(address, host) else { return true };
            let _ = stream.write_all(head.as_bytes());
            // Until it is closed.
            let _ = (0..16).try_for_each(|_| stream.write_all(piece));
            true
        },
    });
}

/// They ask for scrapes, of which an origin has only so many: neighbours would take each other's.
#[test]
fn a_thousand_requests_at_once_on_each_connection() {
    let three = [GET, b"GET / HTTP/1.1\r\n\r\n", b"GET /debug HTTP/1.1\r\n\r\n"].concat();
    let thousand = three.repeat(333);
    withstand(&Attack {
        hosts: &[STRANGER; 48],
        rounds: 48,
        round: &|address, host| {
            let Some(mut stream) = connect(address, host) else { return true };
            stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let _ = stream.write_all(&thousand);
            let _ = stream.read_exact(&mut [0; 100_000]);
            true
        },
    });
}

/// Passwords cost a tenth of a second each; whoever was admitted pays none, and whoever comes
/// finds a place to pay.
#[test]
fn wrong_passwords() {
    // Both have the password `a`.
    const USERS: &str = "basic_auth_users:
  alice: $2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe
  bob: $2y$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe
";
    let authorization = |user: &str, password: &str| {
        let token = BASE64_STANDARD.encode(format!("{user}:{password}"));
        format!("Authorization: Basic {token}\r\n")
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("web.yml");
    fs::write(&file, USERS).unwrap();
    let file = format!("--web.config.file={}", file.display());
    let bench = Bench::with(DOMAINS, &[], &["--min-age=0", "-interval=0", &file]);
    let mut alice = Kept::connect(&bench);
    let (alices, bobs) = (authorization("alice", "a"), authorization("bob", "a"));
    alice.scrape_as(&alices);
    let (next, admitted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Attack {
        hosts: &[STRANGER; 16],
        rounds: 1_000,
        round: &|address, host| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let line = authorization(["alice", "bob", "eve"][number % 3], &number.to_string());
            let Some(mut stream) = connect(address, host) else { return true };
            let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{line}\r\n");
            let mut status = [0; 12];
            if stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.read_exact(&mut status))
                .is_ok()
                && ![b"HTTP/1.1 401", b"HTTP/1.1 503"].contains(&&status)
            {
                admitted.fetch_add(1, Ordering::Relaxed);
            }
            true
        },
    }
    .during(bench.exporter.address, || {
        // He was never here before.
        assert!(Kept::connect(&bench).scrape_as(&bobs).contains("\nlibvirt_up 1\n"));
        for _ in 0..SCRAPES {
            assert!(alice.scrape_as(&alices).contains("\nlibvirt_up 1\n"));
            assert!(Kept::connect(&bench).scrape_as(&bobs).contains("\nlibvirt_up 1\n"));
        }
    });
    assert_eq!(admitted.into_inner(), 0);
    let peak = bench.exporter.memory_peak();
    println!("peak {} KiB", peak >> 10);
    assert!(peak < MEMORY, "{} KiB", peak >> 10);
}

/// Answers that nobody takes: so many as there are places for scrapes are begun, and memory holds
/// what they are made of and a few pieces of each.
#[test]
fn answers_that_nobody_takes() {
    const DOMAINS: u32 = 200;
    let bench = Bench::new(DOMAINS);
    bench.whole(DOMAINS);
    let answer = u64::try_from(bench.scrape().response.body.len()).unwrap();
    let before = bench.exporter.memory_peak();
    let greedy: Vec<_> = (0..120)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            // The less it takes, the more is left to the exporter.
            socket.set_recv_buffer_size(4096).unwrap();
            socket.bind(&SocketAddr::from((STRANGER, 0)).into()).unwrap();
            socket.connect(&bench.exporter.address.into()).unwrap();
            let mut stream = TcpStream::from(socket);
            stream.write_all(GET).unwrap();
            stream
        })
        .collect();
    let is_refused = |stream: &&TcpStream| {
        // Each has begun to come, or been refused.
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut begin = [0; 12];
        let len = stream.peek(&mut begin).unwrap();
        begin[..len] == *b"HTTP/1.1 503"
    };
    // Half the places are one origin's.
    assert_eq!(greedy.iter().filter(is_refused).count(), 100);
    Said::of(&bench.scrape());
    let peak = bench.exporter.memory_peak();
    println!("answer {} KiB, before {} KiB, peak {} KiB", answer >> 10, before >> 10, peak >> 10);
    assert!(peak < before + 10 * answer, "{} KiB", peak >> 10);
    drop(greedy);
}
