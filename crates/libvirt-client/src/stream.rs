//! The bytes to libvirtd and from it, whichever way they take.

use std::{future, io, pin::Pin, pin::pin, task::Poll};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::client::TlsStream;

use crate::{Ending, transport::Program};

/// An open way to libvirtd.
#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Program(Box<Program>),
}

/// What came of waiting for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many bytes were read; none where the other end has closed.
    Read(usize),
    /// So many bytes were written; none where the stream takes no more.
    Wrote(usize),
}

impl Stream {
    /// Whether a cable lies between that can be cut without anybody telling.
    pub(crate) fn is_remote(&self) -> bool {
        !matches!(self, Self::Unix(_))
    }

    /// Writes some of `outgoing`, where there is any, or reads something into `incoming`,
    /// whichever can be done first. Dropping the future loses nothing.
    pub(crate) async fn progress(
        &mut self,
        incoming: &mut Vec<u8>,
        outgoing: &[u8],
    ) -> io::Result<Progress> {
        let (stream, is_buffered) = match self {
            Self::Unix(stream) => (stream as &mut dyn Duplex, false),
            Self::Tcp(stream) => (stream as &mut dyn Duplex, false),
            // It may have taken bytes that the socket has not.
            Self::Tls(stream) => (&mut **stream as &mut dyn Duplex, true),
            Self::Program(program) => (program.stream() as &mut dyn Duplex, false),
        };
        future::poll_fn(|context| {
            if !outgoing.is_empty()
                && let Poll::Ready(wrote) = Pin::new(&mut *stream).poll_write(context, outgoing)
            {
                return Poll::Ready(wrote.map(Progress::Wrote));
            }
            if is_buffered
                && let Poll::Ready(Err(error)) = Pin::new(&mut *stream).poll_flush(context)
            {
                return Poll::Ready(Err(error));
            }
            let read = pin!(stream.read_buf(incoming)).poll(context);
            read.map_ok(Progress::Read)
        })
        .await
    }

    /// Why the other end has closed, as far as it can be known.
    pub(crate) async fn ending(&mut self) -> Ending {
        match self {
            Self::Unix(_) | Self::Tcp(_) | Self::Tls(_) => Ending::HungUp,
            Self::Program(program) => program.ending().await,
        }
    }

    /// Writes all of `bytes`, closes, and waits until whatever carries them has done so.
    pub(crate) async fn finish(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => finish(stream, bytes).await,
            Self::Tcp(stream) => finish(stream, bytes).await,
            Self::Tls(stream) => finish(&mut **stream, bytes).await,
            Self::Program(program) => {
                finish(program.stream(), bytes).await?;
                program.ended().await;
                Ok(())
            }
        }
    }
}

async fn finish(stream: &mut (dyn Duplex + Send), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    stream.shutdown().await
}

/// A stream of both directions.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}
