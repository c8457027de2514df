//! From a running exporter: its stream of events.

use std::{
    error::Error,
    fmt, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
    time::{self, Instant},
};

use super::{
    events::{EventError, EventReader},
    scene::{Lost, News},
};
use crate::{fault::chain, flags::ExporterUrl};

/// A running exporter, and its stream.
#[derive(Debug)]
pub(super) struct Remote {
    url: ExporterUrl,
    stream: Stream,
}

/// A stream that has begun; dropping it hangs up.
#[derive(Debug)]
struct Stream {
    body: Incoming,
    connection: JoinHandle<()>,
}

impl Remote {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody answers there, or not as an exporter does.
    pub(super) async fn start(url: ExporterUrl) -> Result<Self, RemoteError> {
        let stream = open(&url).await?;
        Ok(Self { url, stream })
    }

    /// Tells what the exporter tells, connecting again as often as need be, until nobody listens.
    pub(super) async fn tell(self, news: &mpsc::Sender<News>) {
        let Self { url, mut stream } = self;
        loop {
            let Err(mut why) = follow(stream, news).await else { return };
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let since_instant = Instant::now();
            stream = loop {
                let lost = Lost {
                    whom: url.to_string(),
                    since: since.as_secs_f64(),
                    since_instant,
                    why: chain(&why).to_string(),
                };
                if news.send(News::Lost(lost)).await.is_err() {
                    return;
                }
                time::sleep(PAUSE).await;
                match open(&url).await {
                    Ok(stream) => break stream,
                    Err(error) => why = error,
                }
            };
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

async fn open(url: &ExporterUrl) -> Result<Stream, RemoteError> {
    let mut error = RemoteError::Silent(PATIENCE);
    for address in url.addresses() {
        match time::timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                let asked = time::timeout(PATIENCE, ask(url, socket)).await;
                return asked.unwrap_or(Err(RemoteError::Silent(PATIENCE)));
            }
            Ok(Err(refused)) => error = RemoteError::Connect(refused),
            Err(_) => error = RemoteError::Silent(PATIENCE),
        }
    }
    Err(error)
}

async fn ask(url: &ExporterUrl, socket: TcpStream) -> Result<Stream, RemoteError> {
    let mut builder = http1::Builder::new();
    let builder = builder.max_buf_size(BUFFER_MAX);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(socket)).await.map_err(RemoteError::Http)?;
    let connection = tokio::spawn(async move {
        // Whoever reads the body is told.
        let _ = connection.await;
    });
    let path = url.path("/-/live");
    let request = Request::get(&path)
        .header(HOST, url.authority())
        .header(ACCEPT, EVENT_STREAM)
        .header(USER_AGENT, concat!("libvirt_nova-top/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new());
    let request = request.map_err(|_| RemoteError::Path(path.clone()))?;
    let response = match sender.send_request(request).await {
        Ok(response) => response,
        Err(error) => {
            connection.abort();
            return Err(RemoteError::Http(error));
        }
    };
    let (status, headers) = (response.status(), response.headers());
    let is_stream = headers
        .get(CONTENT_TYPE)
        .is_some_and(|it| it.as_bytes().starts_with(EVENT_STREAM.as_bytes()));
    let stream = Stream { body: response.into_body(), connection };
    match (status, is_stream) {
        (StatusCode::OK, true) => Ok(stream),
        (StatusCode::OK, false) => Err(RemoteError::Foreign(path)),
        _ => Err(RemoteError::Status(status, path)),
    }
}

/// Tells what comes until that ends, which is an error; returns without one where nobody listens.
async fn follow(mut stream: Stream, news: &mpsc::Sender<News>) -> Result<(), RemoteError> {
    let (mut reader, mut found) = (EventReader::default(), Vec::new());
    let mut heard = Instant::now();
    loop {
        let Ok(frame) = time::timeout(PATIENCE, stream.body.frame()).await else {
            return Err(RemoteError::Silent(PATIENCE));
        };
        let frame = frame.ok_or(RemoteError::Ended)?.map_err(RemoteError::Http)?;
        let Ok(bytes) = frame.into_data() else { continue };
        reader.read(&bytes, &mut found).map_err(RemoteError::Event)?;
        if !found.is_empty() {
            heard = Instant::now();
        } else if heard.elapsed() > EVENT_PATIENCE {
            return Err(RemoteError::Silent(EVENT_PATIENCE));
        }
        for told in found.drain(..) {
            if news.send(told).await.is_err() {
                return Ok(());
            }
        }
    }
}

const EVENT_STREAM: &str = "text/event-stream";
/// How long an exporter may say nothing: events come each second or so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a whole event may take: 10 MB at 3 Mbit/s.
const EVENT_PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// What of a response is read at once.
const BUFFER_MAX: usize = 64 << 10;

/// An exporter that does not answer, or not as one.
#[derive(Debug)]
pub(super) enum RemoteError {
    /// Nobody listens there.
    Connect(io::Error),
    /// Nothing was heard for so long.
    Silent(Duration),
    /// It hung up.
    Ended,
    /// It does not speak HTTP, or no more.
    Http(hyper::Error),
    /// It has no such stream, or no room for one more to look at it.
    Status(StatusCode, String),
    /// It answers with something else.
    Foreign(String),
    /// No request can be made of the prefix.
    Path(String),
    /// The stream is damaged.
    Event(EventError),
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(_) => f.write_str("cannot connect"),
            Self::Silent(patience) => write!(f, "no answer within {patience:?}"),
            Self::Ended => f.write_str("it hung up"),
            Self::Http(_) => f.write_str("no answer in HTTP"),
            Self::Status(StatusCode::NOT_FOUND, path) => {
                write!(
                    f,
                    "nothing is at {path}, expected the URL of a libvirt_nova without /metrics"
                )
            }
            Self::Status(status, path) => write!(f, "{status} at {path}, expected 200 OK"),
            Self::Foreign(path) => write!(f, "{path} is no stream of a libvirt_nova"),
            Self::Path(path) => write!(f, "{path} cannot be asked for"),
            Self::Event(_) => f.write_str("the stream is damaged"),
        }
    }
}

impl Error for RemoteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::Http(error) => Some(error),
            Self::Event(error) => Some(error),
            Self::Silent(_) | Self::Ended | Self::Status(..) | Self::Foreign(_) | Self::Path(_) => {
                None
            }
        }
    }
}
