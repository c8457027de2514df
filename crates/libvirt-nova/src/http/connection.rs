//! One connection, which waits for its peer only so long.

use std::{
    cell::Cell,
    convert::Infallible,
    future::poll_fn,
    io::{self, IoSlice},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Request,
    body::{Body as _, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{self, Instant},
};

use super::{body::Body, origin::Origin, response::Response};

/// How long a connection waits for its peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a whole request head, from its first byte; for the first, from the connection.
    pub(super) head: Duration,
    /// For the peer to take a whole response.
    pub(super) response: Duration,
    /// For the next request.
    pub(super) idle: Duration,
    /// For the peer to catch up with a stream.
    pub(super) stream: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A head is one packet. Ten seconds let three be lost.
            head: Duration::from_secs(10),
            // 10 MB of metrics at 3 Mbit/s; Prometheus itself gives up sooner.
            response: Duration::from_secs(30),
            // Prometheus closes its idle connections after five minutes. It must be the one who
            // does, or else a scrape could meet a connection that is being closed.
            idle: Duration::from_secs(330),
            // A board of ten thousand instances at 2 Mbit/s. Who is dropped asks for all of it again
            // as soon as it can.
            stream: Duration::from_secs(20),
        }
    }
}

/// Whose a connection is, what it is doing, and since when.
#[derive(Debug)]
pub(super) struct Seat {
    origin: Origin,
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// Since when the peer of a stream has not taken all that there is for it.
    stalled: Cell<Option<Instant>>,
    /// Whether the system keeps little for the peer.
    is_short: Cell<bool>,
    /// Whether hyper has not got all yet that is to be sent.
    has_more: Cell<bool>,
    /// Whether there was a whole request, and a response to it.
    is_known: Cell<bool>,
    leaving: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The peer has part of a request to send, or has just connected.
    Head,
    /// The peer waits for us.
    Answering,
    /// The peer has part of a response to take.
    Response,
    /// The peer takes events as they come.
    Stream,
    /// The peer has its response.
    Idle,
}

impl Seat {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            phase: Cell::new(Phase::Head),
            since: Cell::new(Instant::now()),
            stalled: Cell::new(None),
            is_short: Cell::new(false),
            has_more: Cell::new(false),
            is_known: Cell::new(false),
            leaving: Cell::new(false),
        }
    }

    /// Where its peer comes from.
    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether its peer has sent a whole request before, and taken the response.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.get()
    }

    /// Since when the connection has been waiting for its peer; `None` if its peer waits for us, as
    /// that of a stream always does: of those there are only so many.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let is_waiting = !matches!(self.phase.get(), Phase::Answering | Phase::Stream);
        is_waiting.then(|| self.since.get())
    }

    /// Whether the peer is owed a response, or the rest of one.
    pub(super) fn owes_response(&self) -> bool {
        matches!(self.phase.get(), Phase::Answering | Phase::Response)
    }

    /// Makes the connection end with the response that it owes.
    pub(super) fn leave(&self) {
        self.leaving.set(true);
    }

    /// Until when a first request has to be here; the handshake before it counts.
    pub(super) fn first_head_until(&self, limits: Limits) -> Instant {
        let since = self.since.get();
        since.checked_add(limits.head).unwrap_or(since)
    }

    fn note_stalled(&self) {
        if self.stalled.get().is_none() {
            self.stalled.set(Some(Instant::now()));
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
    }

    /// Until when the connection waits for its peer; `None` if its peer waits for us.
    fn until(&self, limits: Limits) -> Option<Instant> {
        let limit = match self.phase.get() {
            Phase::Answering => return None,
            Phase::Head => limits.head,
            Phase::Response => limits.response,
            Phase::Idle => limits.idle,
            Phase::Stream => return self.stalled.get()?.checked_add(limits.stream),
        };
        self.since.get().checked_add(limit)
    }
}

/// Answers a peer until it hangs up, or keeps the connection waiting for too long.
///
/// When the future is dropped, the connection is closed and its scrape, if any, abandoned.
pub(super) async fn attend<T, A>(stream: T, seat: Rc<Seat>, limits: Limits, answer: A)
where
    T: Transport,
    A: AsyncFn(&Request<Incoming>) -> Response,
{
    let whose = Rc::clone(&seat);
    let seat = &*seat;
    let service = service_fn(async |request: Request<Incoming>| {
        seat.enter(Phase::Answering);
        let mut response = answer(&request).await;
        let is_endless = response.body().is_endless();
        seat.enter(if is_endless { Phase::Stream } else { Phase::Response });
        // Nothing here wants a body. Having read one, hyper looks for the next request before it
        // has written the response, and writes the refusal of a malformed one into its midst.
        if !request.body().is_end_stream() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        seat.has_more.set(true);
        let seat = Rc::clone(&whose);
        Ok::<_, Infallible>(response.map(|body| Sent { body, seat }))
    });
    let mut connection = pin!(
        http1::Builder::new()
            .max_buf_size(HEAD_MAX)
            // A peer that hangs up half-way through ends its scrape.
            .half_close(false)
            .serve_connection(TokioIo::new(Watched { stream, seat }), service)
    );
    let mut timer = pin!(time::sleep(limits.head));
    poll_fn(|cx| {
        if seat.leaving.get() {
            connection.as_mut().graceful_shutdown();
        }
        // What ends a connection is its peer's doing, and so nothing to log.
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(until) = seat.until(limits) else { return Poll::Pending };
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    })
    .await;
}

/// Largest request head, in bytes. Prometheus sends 500; a browser's cookies can be 8,000.
const HEAD_MAX: usize = 16_384;

/// A body that tells its seat when hyper has all of it, and so drops it.
struct Sent {
    body: Body,
    seat: Rc<Seat>,
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.seat.has_more.set(false);
    }
}

/// A stream that tells its seat when the peer gives or has taken something.
struct Watched<'a, T> {
    stream: T,
    seat: &'a Seat,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before && self.seat.phase.get() == Phase::Idle {
            self.seat.enter(Phase::Head);
        }
        result
    }
}

impl<T: Transport> Watched<'_, T> {
    fn before_write(&self) {
        if self.seat.phase.get() == Phase::Stream && !self.seat.is_short.replace(true) {
            self.stream.shorten_queue();
        }
    }

    /// Takes note of a peer that has not taken all. A byte now and then does not help it.
    fn note_written(&self, written: &Poll<io::Result<usize>>) {
        if written.is_pending() {
            self.seat.note_stalled();
        }
    }
}

/// What a connection is made of.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Makes the system keep little of what the peer has not taken: of a peer that takes nothing
    /// any more nobody would hear for an hour.
    fn shorten_queue(&self);
}

impl Transport for TcpStream {
    fn shorten_queue(&self) {
        // Where it cannot be had, the peer is found out later.
        let _ = SockRef::from(self).set_send_buffer_size(STREAM_QUEUE);
    }
}

#[cfg(any(test, fuzzing))]
impl Transport for tokio::io::DuplexStream {
    fn shorten_queue(&self) {}
}

/// Bytes of a stream that the system keeps for its peer; Linux doubles it.
const STREAM_QUEUE: usize = 16_384;

impl<T: Transport> AsyncWrite for Watched<'_, T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.before_write();
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.before_write();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all it had: a whole response, or what there is of one.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TCP has nothing to flush, TLS what the peer has not taken.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_pending() {
            self.seat.note_stalled();
            return flushed;
        }
        self.seat.stalled.set(None);
        if self.seat.phase.get() == Phase::Response && !self.seat.has_more.get() {
            self.seat.is_known.set(true);
            self.seat.enter(Phase::Idle);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures_util::{Stream, StreamExt, stream};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::{
        flags::MetricsPath,
        http::{Content, Wanted, dispatch::Dispatch},
    };

    /// An event each second, for ever.
    struct Events;

    impl Events {
        fn each_second() -> impl Stream<Item = Bytes> + 'static {
            stream::repeat(()).then(async |()| {
                time::sleep(Duration::from_secs(1)).await;
                Bytes::from_static(EVENT)
            })
        }
    }

    impl Content for Events {
        /// A piece each second, and after some of them no more.
        async fn scrape(&self, _: Wanted) -> impl Stream<Item = io::Result<Bytes>> + 'static {
            Self::each_second().take(5).map(Ok).chain(stream::pending())
        }

        fn targets(&self) -> Option<usize> {
            None
        }

        fn probe(
            &self,
            _: &str,
            wanted: Wanted,
        ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>> {
            Some(self.scrape(wanted))
        }

        fn listing(&self) -> Option<Vec<(String, String)>> {
            None
        }

        fn live(&self) -> Option<impl Stream<Item = Bytes> + 'static> {
            Some(Self::each_second())
        }

        fn instance(&self, _: &str) -> Option<String> {
            None
        }

        fn ready(&self) -> Result<(), String> {
            Ok(())
        }

        fn debug(&self) -> String {
            String::new()
        }
    }

    const EVENT: &[u8] = b"data: 1\n\n";

    /// How long a connection to a stream lasts whose peer does as `peer` does.
    async fn lasts(peer: impl AsyncFnOnce(DuplexStream)) -> Duration {
        lasts_at("/-/live", peer).await
    }

    async fn lasts_at(path: &str, peer: impl AsyncFnOnce(DuplexStream)) -> Duration {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let path: MetricsPath = "/metrics".parse().unwrap();
        let dispatch = Dispatch::new(&path, Duration::from_secs(5), Events);
        // Room for the head and some events.
        let (mut client, server) = duplex(1024);
        client.write_all(request.as_bytes()).await.unwrap();
        let began = Instant::now();
        let seat = Rc::new(Seat::new(Origin::from(IpAddr::from([192, 0, 2, 1]))));
        let served = async {
            let origin = seat.origin();
            let answer = async |request: &Request<Incoming>| dispatch.answer(request, origin).await;
            attend(server, Rc::clone(&seat), Limits::default(), answer).await;
            began.elapsed()
        };
        tokio::join!(served, peer(client)).0
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_no_more_events_is_dropped() {
        let lasted = lasts(async |client| {
            time::sleep(Duration::from_secs(3600)).await;
            drop(client);
        })
        .await;
        // Events fill the room first.
        assert!(lasted > Limits::default().stream, "{lasted:?}");
        assert!(lasted < Duration::from_secs(600), "{lasted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_in_pieces_is_one_until_its_end() {
        let lasted =
            lasts_at("/metrics", async |mut client| while client.read_u8().await.is_ok() {}).await;
        // The first two pieces are awaited before it begins.
        let begun = Duration::from_secs(2);
        assert_eq!(lasted, begun + Limits::default().response, "the peer is taken for idle");
    }

    #[tokio::test(start_paused = true)]
    async fn nor_does_a_byte_now_and_then_keep_a_peer() {
        let lasted = lasts(async |mut client| {
            // Until it is closed.
            while client.read_u8().await.is_ok() {
                time::sleep(Duration::from_secs(5)).await;
            }
        })
        .await;
        assert!(lasted < Duration::from_secs(600), "{lasted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_its_events_is_kept_for_as_long_as_it_does() {
        let patience = Duration::from_secs(24 * 3600);
        let lasted = lasts(async |mut client| {
            let began = Instant::now();
            let mut events = Vec::new();
            while began.elapsed() < patience {
                events.clear();
                client.read_buf(&mut events).await.unwrap();
            }
        })
        .await;
        assert!((patience..patience + Duration::from_secs(5)).contains(&lasted), "{lasted:?}");
    }
}
