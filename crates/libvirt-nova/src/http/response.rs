//! The responses there are.

use bytes::Bytes;
use exposition::Format;
use futures_util::{Stream, StreamExt, stream};
use hyper::{
    StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
        HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{body::Body, gzip::gzip, places::Place};
use crate::flags::MetricsPath;

/// A response: one whose length is known has a `Content-Length`, another comes in chunks.
pub(super) type Response = hyper::Response<Body>;

/// The metrics, compressed or not, which keep a place until all is sent.
pub(super) async fn metrics(
    pieces: impl Stream<Item = Bytes> + 'static,
    format: Format,
    is_gzip: bool,
    place: Place,
) -> Response {
    let mut pieces = if is_gzip { gzip(pieces).boxed_local() } else { pieces.boxed_local() };
    let (first, second) = (pieces.next().await, pieces.next().await);
    let body = match second {
        // Of what is here whole, the length is told.
        None => {
            let bytes = first.unwrap_or_default();
            Body::from(Bytes::from_owner(Kept { bytes, _place: place }))
        }
        Some(_) => {
            let pieces = stream::iter(first).chain(stream::iter(second)).chain(pieces);
            Body::Pieces(Box::pin(pieces.inspect(move |_| {
                let _ = &place;
            })))
        }
    };
    let metrics = with(Response::new(body), CONTENT_TYPE, format.content_type());
    let metrics = with(metrics, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let metrics = with(metrics, VARY, "Accept, Accept-Encoding");
    if is_gzip { with(metrics, CONTENT_ENCODING, "gzip") } else { metrics }
}

/// Bytes with the place that they take.
struct Kept {
    bytes: Bytes,
    _place: Place,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A page, which may do what `policy` says.
pub(super) fn page(html: Bytes, policy: &'static str) -> Response {
    let page = response(StatusCode::OK, "text/html; charset=utf-8", html);
    with(with(page, CONTENT_SECURITY_POLICY, policy), CACHE_CONTROL, "no-cache")
}

/// Events that a page takes as they come; `None` for who asks only whether there are any.
pub(super) fn events(events: Option<impl Stream<Item = Bytes> + 'static>) -> Response {
    let body = match events {
        Some(events) => Body::Events(Box::pin(events)),
        None => Body::from(Bytes::new()),
    };
    let events = with(Response::new(body), CONTENT_TYPE, "text/event-stream");
    // A proxy that waits for the end would wait for ever.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    let events = with(with(events, unbuffered, "no"), X_CONTENT_TYPE_OPTIONS, "nosniff");
    with(events, CACHE_CONTROL, "no-store")
}

/// Data for the page.
pub(super) fn json(text: String) -> Response {
    let json = response(StatusCode::OK, "application/json", text);
    with(json, CACHE_CONTROL, "no-store")
}

/// Plain text.
pub(super) fn text(text: impl Into<Bytes>) -> Response {
    with(refusal(StatusCode::OK, text), CACHE_CONTROL, "no-store")
}

/// No instance of that UUID runs here.
pub(super) fn no_instance() -> Response {
    refusal(StatusCode::NOT_FOUND, "no such instance runs on this host\n")
}

/// A scrape would not find libvirtd.
pub(super) fn not_ready(reason: &str) -> Response {
    refusal(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"))
}

/// There is nothing under the path that was asked for.
pub(super) fn not_found(metrics_path: &MetricsPath) -> Response {
    refusal(StatusCode::NOT_FOUND, format!("not found, the metrics are at {metrics_path}\n"))
}

/// There is something, but it can only be read.
pub(super) fn method_not_allowed() -> Response {
    let text = "method not allowed, expected GET or HEAD\n";
    with(refusal(StatusCode::METHOD_NOT_ALLOWED, text), ALLOW, "GET, HEAD")
}

/// There are as many scrapes, or whatever it is, as there may be.
pub(super) fn too_many(what: &str) -> Response {
    let text = format!("too many {what} at once, try again later\n");
    with(refusal(StatusCode::SERVICE_UNAVAILABLE, text), RETRY_AFTER, RETRY_SECONDS)
}

/// Whoever asks has to say who he is, and to be right.
pub(super) fn unauthorized() -> Response {
    let refusal = refusal(StatusCode::UNAUTHORIZED, "Unauthorized\n");
    with(refusal, WWW_AUTHENTICATE, "Basic realm=\"libvirt_nova\", charset=\"UTF-8\"")
}

/// More was asked than the operator allows.
pub(super) fn too_many_requests() -> Response {
    refusal(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n")
}

/// Who may ask is not known at present.
pub(super) fn misconfigured() -> Response {
    let text = "the web configuration is wrong, the exporter's log says where\n";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// The exporter missed its own deadline, and so the scraper's.
pub(super) fn overdue() -> Response {
    let text = "the scrape took longer than it was allowed to\n";
    with(refusal(StatusCode::SERVICE_UNAVAILABLE, text), RETRY_AFTER, RETRY_SECONDS)
}

/// A scrape takes about a second; the next one will find room.
const RETRY_SECONDS: &str = "1";

fn refusal(status: StatusCode, text: impl Into<Bytes>) -> Response {
    response(status, "text/plain; charset=utf-8", text)
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // A browser that guesses types could take a tenant's text for a script.
    with(with(response, CONTENT_TYPE, content_type), X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn with(mut response: Response, name: HeaderName, value: &'static str) -> Response {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
