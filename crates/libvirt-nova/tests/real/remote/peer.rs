//! Who is no libvirtd, or becomes one.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use socket2::SockRef;

use super::network::inside;
use crate::libvirtd::Libvirtd;

/// Somebody who listens in the network of a libvirtd, on an address that the latter leaves free, until this is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    listener: TcpListener,
    manner: Arc<Mutex<Manner>>,
}

/// How a peer meets who connects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Says nothing, and keeps the connection.
    Silent,
    /// Answers whatever is said as a web server does that does not understand it, and hangs up.
    Http,
    /// Hears what is said, and hangs up.
    Gone,
    /// Is the libvirtd behind it.
    Relay,
}

impl Peer {
    /// Listens on this port of 127.0.0.2; as a relay it leads to the same port of 127.0.0.1.
    pub(crate) fn listen(libvirtd: &Libvirtd, port: u16, manner: Manner) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 2], port));
        let manner = Arc::new(Mutex::new(manner));
        let shared = Arc::clone(&manner);
        let listener = inside(libvirtd, move || {
            let listener = TcpListener::bind(address).unwrap();
            let accepting = listener.try_clone().unwrap();
            thread::spawn(move || {
                let mut silent = Vec::new();
                while let Ok((stream, _)) = accepting.accept() {
                    let manner = *shared.lock().unwrap();
                    match manner {
                        Manner::Silent => silent.push(stream),
                        Manner::Http => drop(thread::spawn(|| hear(stream, Some(REFUSAL)))),
                        Manner::Gone => drop(thread::spawn(|| hear(stream, None))),
                        Manner::Relay => drop(thread::spawn(move || relay(stream, port))),
                    }
                    if !matches!(manner, Manner::Silent) {
                        silent.clear();
                    }
                }
            });
            listener
        });
        Self { listener, manner }
    }

    /// Meets whoever connects from now on in another manner.
    pub(crate) fn become_a(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Where it listens, as a URI has it.
    pub(crate) fn host(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whoever accepts is told, too.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
    }
}

/// Hangs up when it has heard something, and not before: who is told that nobody heard what was said is told otherwise.
fn hear(mut stream: TcpStream, answer: Option<&str>) {
    let mut said = [0; 4096];
    // Who hangs up first has had enough.
    let _ = stream.read(&mut said);
    let _ = stream.write_all(answer.unwrap_or_default().as_bytes());
}

const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

fn relay(near: TcpStream, port: u16) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let carry = |mut from: TcpStream, mut to: TcpStream| {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    let (from, to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
    let back = thread::spawn(move || carry(from, to));
    carry(near, far);
    back.join().unwrap();
}
