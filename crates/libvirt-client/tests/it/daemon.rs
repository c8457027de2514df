//! Where a daemon listens: a Unix socket, a TCP port, or TLS on one.

use std::{error::Error, fmt::Write, fs, io, net, path::PathBuf, sync::Arc};

use libvirt_client::{Access, ConnectError, Obstacle, Session};
use libvirt_wire::call::EventId;
use rustls::ServerConfig;
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream, UnixListener},
    time::Duration,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::peer::{OK, Peer, SECOND, string};

/// A daemon that is about to accept connections.
pub(crate) struct Daemon {
    listener: Listener,
    /// How it is reached.
    uri: String,
    dir: TempDir,
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
    Tls(TcpListener, TlsAcceptor),
}

/// What came of an attempt that failed: the whole line, and what follows from it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) line: String,
    pub(crate) obstacle: Obstacle,
    pub(crate) is_refusal: bool,
    /// The error as programmers see it, which is in no comparison.
    pub(crate) debug: String,
}

impl Refused {
    pub(crate) fn new(line: &str, obstacle: Obstacle, is_refusal: bool) -> Self {
        Self { line: line.to_owned(), obstacle, is_refusal, debug: String::new() }
    }
}

impl PartialEq for Refused {
    fn eq(&self, other: &Self) -> bool {
        let of = |refused: &Self| (refused.line.clone(), refused.obstacle, refused.is_refusal);
        of(self) == of(other)
    }
}

impl Daemon {
    /// On a Unix socket.
    pub(crate) fn listen() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sock");
        let listener = Listener::Unix(UnixListener::bind(&path).unwrap());
        Self { listener, uri: path.to_str().unwrap().to_owned(), dir }
    }

    /// On a TCP port of this host, under that name or address of it.
    pub(crate) fn on_tcp(host: &str) -> Self {
        let (listener, port) = bind();
        let uri = format!("qemu+tcp://{host}:{port}/system");
        Self { listener: Listener::Tcp(listener), uri, dir: tempfile::tempdir().unwrap() }
    }

    /// The same with TLS, for a client with a directory of certificates.
    pub(crate) fn on_tls(host: &str, config: ServerConfig, pki: &TempDir) -> Self {
        let (listener, port) = bind();
        let pkipath = pki.path().display();
        let uri = format!("qemu+tls://{host}:{port}/system?pkipath={pkipath}");
        let listener = Listener::Tls(listener, TlsAcceptor::from(Arc::new(config)));
        Self { listener, uri, dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("sock")
    }

    /// How it is reached, with the usual credentials.
    pub(crate) fn access(&self) -> Access {
        self.access_with("")
    }

    /// The same, with more in the query of the URI.
    pub(crate) fn access_with(&self, query: &str) -> Access {
        let address: libvirt_client::Address = format!("{}{query}", self.uri).parse().unwrap();
        address.into()
    }

    /// What a client calls it: the path of its socket, or `host:port`.
    pub(crate) fn peer(&self) -> String {
        self.access().address.peer()
    }

    /// Lets the next client in as far as its transport goes.
    pub(crate) async fn accept(&self) -> Peer {
        match &self.listener {
            Listener::Unix(listener) => Peer::of(listener.accept().await.unwrap().0),
            Listener::Tcp(listener) => Peer::of(listener.accept().await.unwrap().0),
            Listener::Tls(..) => {
                let mut stream = self.shake().await.unwrap();
                stream.write_all(&[1]).await.unwrap();
                stream.flush().await.unwrap();
                Peer::of(stream)
            }
        }
    }

    /// Shakes hands with the next client, and says nothing yet.
    pub(crate) async fn shake(&self) -> io::Result<TlsStream<TcpStream>> {
        match &self.listener {
            Listener::Tls(listener, acceptor) => acceptor.accept(listener.accept().await?.0).await,
            Listener::Unix(_) | Listener::Tcp(_) => panic!("it has no TLS"),
        }
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        match &self.listener {
            Listener::Tcp(listener) | Listener::Tls(listener, _) => {
                listener.local_addr().unwrap().port()
            }
            Listener::Unix(_) => panic!("it is no TCP"),
        }
    }

    /// The next client, of whom nothing is known but its TCP connection.
    pub(crate) async fn accept_raw(&self) -> TcpStream {
        match &self.listener {
            Listener::Tcp(listener) | Listener::Tls(listener, _) => {
                listener.accept().await.unwrap().0
            }
            Listener::Unix(_) => panic!("it is no TCP"),
        }
    }

    /// A session, and the daemon's ends of its connections for lookups and for events.
    pub(crate) async fn session(&self) -> (Session, Peer, Peer) {
        self.session_of(&self.access(), SECOND, Peer::let_in).await
    }

    /// The same for a client who may be asked who it is. `let_in` serves each handshake.
    pub(crate) async fn session_of(
        &self,
        access: &Access,
        deadline: Duration,
        let_in: impl AsyncFn(&mut Peer),
    ) -> (Session, Peer, Peer) {
        let serve = async {
            let mut client = self.accept().await;
            let_in(&mut client).await;
            // These two come in any order, and the one that asks for events is the feed.
            let mut monitor = self.accept().await;
            let_in(&mut monitor).await;
            let mut feed = self.accept().await;
            let_in(&mut feed).await;
            let first = tokio::select! {
                call = monitor.called() => {
                    std::mem::swap(&mut monitor, &mut feed);
                    call
                }
                call = feed.called() => call,
            };
            drop(monitor);
            feed.reply(&first.unwrap(), OK, &[0, 0, 0, 3]).await;
            for _ in 1..EventId::ALL.len() {
                feed.answer(316, OK, &[0, 0, 0, 3]).await;
            }
            client.answer(59, OK, &string("host")).await;
            (client, feed)
        };
        let (session, (client, feed)) =
            tokio::join!(Session::open(access, deadline, Arc::new(())), serve);
        let session = session.unwrap();
        assert_eq!(session.hostname.as_deref(), Some("host"));
        (session, client, feed)
    }

    /// What comes of an attempt to open a session while `serve` plays the daemon.
    pub(crate) async fn refused(&self, serve: impl Future<Output = ()>) -> ConnectError {
        let access = self.access();
        let (opened, ()) = tokio::join!(Session::open(&access, SECOND, Arc::new(())), serve);
        opened.map(|_| ()).unwrap_err()
    }

    /// Stops listening; the socket file stays, as after a crash.
    pub(crate) fn crash(self) -> TempDir {
        drop(self.listener);
        assert!(fs::exists(self.dir.path().join("sock")).unwrap());
        self.dir
    }
}

/// What comes of an attempt while `serve` plays the daemon, for as long as the attempt takes.
pub(crate) async fn attempt(access: &Access, serve: impl Future<Output = ()>) -> Refused {
    let serve = async {
        serve.await;
        std::future::pending::<()>().await;
    };
    let opened = tokio::select! {
        opened = Session::open(access, PATIENCE, Arc::new(())) => opened,
        () = serve => unreachable!(),
    };
    told(opened)
}

/// The same, and sees `serve` to its end.
pub(crate) async fn attempt_whole(access: &Access, serve: impl Future<Output = ()>) -> Refused {
    let opening = Session::open(access, PATIENCE, Arc::new(()));
    let (opened, ()) = tokio::join!(opening, serve);
    told(opened)
}

fn told(opened: Result<Session, ConnectError>) -> Refused {
    let error = opened.map(|_| ()).unwrap_err();
    let (line, obstacle, is_refusal) = (chain(&error), error.obstacle(), error.is_refusal());
    assert!(!line.contains('\n'), "more than a line: {line}");
    Refused { line, obstacle, is_refusal, debug: format!("{error:?}") }
}

/// An error with what it comes from, as the log has it.
pub(crate) fn chain(error: &ConnectError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, ": {error}").unwrap();
        source = error.source();
    }
    text
}

/// Far more than anything takes here, on a clock that goes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

fn bind() -> (TcpListener, u16) {
    let listener = net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (TcpListener::from_std(listener).unwrap(), port)
}
