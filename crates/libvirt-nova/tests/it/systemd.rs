//! What systemd and the program say to each other, with the test in systemd's place.

use std::{
    fs::File,
    io::{Read, Write},
    iter,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram, UnixListener},
    },
    process, str,
};

use crate::program::{Dir, Outcome, PATIENCE, TestCommand};

/// The socket that the program tells how it does.
struct Manager(UnixDatagram);

impl Manager {
    fn at(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// What is told next.
    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).expect("something is told");
        str::from_utf8(&bytes[..length]).unwrap().to_owned()
    }

    /// Waits until something is told that begins like this.
    fn until(&self, beginning: &str) -> String {
        iter::repeat_with(|| self.next()).find(|told| told.starts_with(beginning)).unwrap()
    }
}

#[test]
fn readiness_waits_for_no_libvirtd_and_life_is_shown_until_the_end() {
    let dir = Dir::new();
    let path = dir.path().join("notify");
    let manager = Manager::at(&SocketAddr::from_pathname(&path).unwrap());
    let running = dir
        .command()
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .env("WATCHDOG_USEC", "200000")
        .start();
    manager.until("READY=1");
    // Whoever is told that it is ready can connect.
    TcpStream::connect(running.address).unwrap();
    let status = manager.until("STATUS=without libvirtd");
    assert!(status.contains("/nonexistent/libvirt-sock-ro"), "{status}");
    for _ in 0..3 {
        manager.until("WATCHDOG=1");
    }
    running.signal("TERM");
    manager.until("STOPPING=1");
    assert!(running.wait().0.success());
}

#[test]
fn a_manager_may_have_an_abstract_name() {
    let name = format!("libvirt-nova-it-{}", process::id());
    let manager = Manager::at(&SocketAddr::from_abstract_name(&name).unwrap());
    let _running = Dir::new().command().env("NOTIFY_SOCKET", &format!("@{name}")).start();
    manager.until("READY=1");
}

/// A line of shell that passes its standard streams as systemd passes sockets.
const PASS: &str = r#"exec 3<&0 4<&1 </dev/null >&2; LISTEN_PID=$$ exec "$@""#;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn sockets_that_systemd_passes_are_listened_on_and_nothing_else() {
    let sockets = [listener(), listener()];
    let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    let [first, second] = sockets;
    // To listen there as well would fail.
    let taken = listener();
    let running = Dir::new()
        .shell(PASS)
        .env("LISTEN_FDS", "2")
        .stdin(first)
        .stdout(second)
        .args(["--web.systemd-socket", "--web.listen-address"])
        .arg(taken.local_addr().unwrap().to_string())
        .start_where_told();
    assert_eq!(running.address, addresses[0]);
    for address in addresses {
        let mut peer = TcpStream::connect(address).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        peer.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    }
    running.signal("TERM");
    assert!(running.wait().0.success());
}

#[test]
fn a_socket_that_nobody_asked_for_is_told_of() {
    // A port that is taken ends the run: systemd itself has it, most likely.
    let taken = listener();
    let listen = format!("--web.listen-address={}", taken.local_addr().unwrap());
    let command = Dir::new().shell(PASS).env("LISTEN_FDS", "1").stdin(taken);
    let Outcome { code, stdout: _, stderr } = command.args([&listen, "-log", "-"]).run();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("not used, give --web.systemd-socket"), "{stderr}");
}

/// Asserts that the program does not start, and returns why.
fn refused(command: TestCommand) -> String {
    let Outcome { code, stdout: _, stderr } = command.args(["-log", "-"]).run();
    assert_eq!(code, Some(1), "{stderr}");
    stderr.lines().last().unwrap().to_owned()
}

#[test]
fn without_a_socket_from_systemd_it_says_where_one_would_come_from() {
    let command = || Dir::new().command().arg("--web.systemd-socket");
    // What was passed to somebody else was not passed to us.
    let others = command().env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    for command in [command(), command().env("LISTEN_FDS", "0"), others] {
        let line = refused(command);
        let expected = "systemd has passed no socket, start the .socket unit, \
                        or leave --web.systemd-socket out";
        assert!(line.ends_with(expected), "{line}");
    }
}

#[test]
fn a_socket_of_another_kind_is_refused() {
    let dir = Dir::new();
    let listener = listener();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let kinds: [OwnedFd; 4] = [
        UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        UnixListener::bind(dir.path().join("socket")).unwrap().into(),
        connection.into(),
        File::open("/dev/null").unwrap().into(),
    ];
    for socket in kinds {
        let first = listener.try_clone().unwrap();
        let command = dir.shell(PASS).env("LISTEN_FDS", "2").stdin(first).stdout(socket);
        let line = refused(command.arg("--web.systemd-socket"));
        assert!(line.contains("socket 2 of 2 that systemd has passed is of no use"), "{line}");
        assert!(line.contains("expected ListenStream="), "{line}");
    }
}
