//! How a connection begins.

use std::{future::poll_fn, io, net::Shutdown, pin::pin, sync::Arc, task::Poll};

use rustls::{ServerConfig, server::Acceptor};
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    task,
    time::{self, Instant},
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use super::wire::Wire;
use crate::{fault::chain, web_config::WebConfig};

/// How a connection begins: with a handshake where there is TLS.
#[derive(Debug)]
pub(super) struct Door<'a> {
    tls: Option<&'a WebConfig>,
    /// One handshake computes at a time.
    turn: Semaphore,
}

impl<'a> Door<'a> {
    pub(super) fn new(tls: Option<&'a WebConfig>) -> Self {
        Self { tls, turn: Semaphore::new(1) }
    }

    /// Lets a peer in; `None` where there has been no handshake until `until`.
    ///
    /// Why is its own doing, mostly, and can be repeated as often as it likes: the log says it to
    /// who asks for all. What is wrong on our side has been logged.
    pub(super) async fn open(&self, stream: TcpStream, until: Instant) -> Option<Wire> {
        let Some(web) = self.tls else { return Some(Wire::Plain(stream)) };
        let peer = stream.peer_addr().ok()?;
        let fault: &dyn std::error::Error =
            match time::timeout_at(until, self.greet(stream, web)).await {
                Ok(Ok(stream)) => return stream.map(|stream| Wire::Tls(Box::new(stream))),
                Ok(Err(error)) => &{ error },
                Err(elapsed) => &{ elapsed },
            };
        tracing::debug!(%peer, error = %chain(fault), "no TLS handshake");
        None
    }

    async fn greet(
        &self,
        stream: TcpStream,
        web: &WebConfig,
    ) -> io::Result<Option<TlsStream<TcpStream>>> {
        // Every TLS connection begins with a byte that is no letter.
        let mut first = [0];
        if stream.peek(&mut first).await? > 0 && first.iter().all(u8::is_ascii_alphabetic) {
            decline(&stream).await?;
            return Ok(None);
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        // Now, and not when it connected: what is on the disk is what counts.
        let config = web.tls().map_err(io::Error::other)?;
        self.shake_hands(hello, config).await.map(Some)
    }

    /// Computes a signature, which may take milliseconds, then waits for the peer's part.
    ///
    /// The polls of CPU time run on the same thread. Between two signatures they have their turn,
    /// however many peers connect at once.
    async fn shake_hands(
        &self,
        hello: StartHandshake<TcpStream>,
        config: Arc<ServerConfig>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let turn = self.turn.acquire().await.map_err(io::Error::other)?;
        task::yield_now().await;
        let mut accepting = pin!(hello.into_stream(config));
        let computed = poll_fn(|cx| Poll::Ready(accepting.as_mut().poll(cx))).await;
        drop(turn);
        match computed {
            Poll::Ready(accepted) => accepted,
            Poll::Pending => accepting.await,
        }
    }
}

/// Tells a peer that speaks HTTP what is spoken here.
async fn decline(stream: &TcpStream) -> io::Result<()> {
    stream.writable().await?;
    stream.try_write(SPEAK_TLS)?;
    SockRef::from(stream).shutdown(Shutdown::Write)?;
    // Closed with something unread, the connection would take the answer along.
    let mut rest = [0; 1024];
    for _ in 0..READS {
        stream.readable().await?;
        match stream.try_read(&mut rest) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

const SPEAK_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\
    \r\n\
    this port speaks HTTPS and was asked in HTTP, use https://\n";

/// More than a request has.
const READS: usize = 64;
