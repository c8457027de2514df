//! The responses there are.

use std::{io, sync::Arc};

use bytes::Bytes;
use exposition::Format;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use hyper::{
    StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
        HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{
    body::{Body, Pieces},
    gzip::gzip,
    places::Place,
};
use crate::flags::MetricsPath;

/// A response: one whose length is known has a `Content-Length`, another comes in chunks.
pub(super) type Response = hyper::Response<Body>;

/// The metrics, compressed or not, which keep a place until the last byte is sent; in chunks only
/// to who `takes_chunks`.
pub(super) async fn metrics(
    pieces: impl Stream<Item = io::Result<Bytes>> + 'static,
    format: Format,
    is_gzip: bool,
    takes_chunks: bool,
    place: Place,
) -> Response {
    let pieces = if is_gzip { gzip(pieces).boxed_local() } else { pieces.boxed_local() };
    let Ok(body) = body(pieces, takes_chunks, place).await else { return cut_short() };
    let metrics = with(Response::new(body), CONTENT_TYPE, format.content_type());
    let metrics = with(metrics, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let metrics = with(metrics, VARY, "Accept, Accept-Encoding");
    if is_gzip { with(metrics, CONTENT_ENCODING, "gzip") } else { metrics }
}

async fn body(mut pieces: Pieces, takes_chunks: bool, place: Place) -> io::Result<Body> {
    let place = Arc::new(place);
    let mut first = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        first.push(piece);
        if takes_chunks && first.len() > 1 {
            let pieces = stream::iter(first).map(Ok).chain(pieces);
            return Ok(Body::Pieces(Box::pin(pieces.map_ok(move |piece| kept(piece, &place)))));
        }
    }
    // Of what is here whole, the length is told.
    Ok(Body::from(kept(first.concat().into(), &place)))
}

/// Bytes that take a place until they are sent.
fn kept(bytes: Bytes, place: &Arc<Place>) -> Bytes {
    Bytes::from_owner(Kept { bytes, _place: Arc::clone(place) })
}

struct Kept {
    bytes: Bytes,
    _place: Arc<Place>,
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
        Some(events) => Body::Events(Box::pin(events.map(Ok))),
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

/// Which target is to be probed is not said, or not as it should be.
pub(super) fn bad_request(text: &'static str) -> Response {
    refusal(StatusCode::BAD_REQUEST, text)
}

/// There is no target of that name.
pub(super) fn no_target() -> Response {
    refusal(StatusCode::NOT_FOUND, "no such target in the targets file\n")
}

/// There is no file of targets.
pub(super) fn no_targets() -> Response {
    let text = "there are no targets, --targets.file names a file of them\n";
    refusal(StatusCode::NOT_FOUND, text)
}

/// There are no events, for only targets are asked.
pub(super) fn no_page() -> Response {
    let text = "no libvirtd is watched here, targets are probed at /probe?target=NAME\n";
    refusal(StatusCode::NOT_FOUND, text)
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

/// The exposition could not be written.
fn cut_short() -> Response {
    let text = "the exposition could not be written, the exporter's output says why\n";
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures_util::FutureExt;
    use http_body_util::{BodyExt, Collected};
    use hyper::{body::Body as _, header::CONTENT_LENGTH};

    use super::*;
    use crate::http::places::Places;

    /// A response to a scrape of such pieces, `None` for where it is cut, and its place.
    fn scrape(pieces: &[Option<&'static str>], takes_chunks: bool) -> (Response, Places) {
        let places = Places::new(4);
        let place = places.take(IpAddr::from([192, 0, 2, 1]).into()).unwrap();
        let piece = |piece: &Option<&'static str>| {
            let piece = piece.map(|text| Bytes::from_static(text.as_bytes()));
            piece.ok_or_else(|| io::Error::other("cut short"))
        };
        let pieces = stream::iter(pieces.iter().map(piece).collect::<Vec<_>>());
        let response = metrics(pieces, Format::Text, false, takes_chunks, place);
        (response.now_or_never().unwrap(), places)
    }

    fn text(response: Response) -> io::Result<Bytes> {
        response.into_body().collect().now_or_never().unwrap().map(Collected::to_bytes)
    }

    #[test]
    fn of_what_is_here_whole_the_length_is_told() {
        let chunks = [Some("a 1\n"), Some("b 2\n"), Some("c 3\n")];
        for (pieces, takes_chunks, length) in
            [(&chunks[..1], true, Some(4)), (&chunks, true, None), (&chunks, false, Some(12))]
        {
            let (response, _) = scrape(pieces, takes_chunks);
            assert_eq!(response.body().size_hint().exact(), length);
            assert_eq!(response.headers().get(CONTENT_LENGTH), None, "hyper writes it");
            let whole: String = pieces.iter().flatten().copied().collect();
            assert_eq!(text(response).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_cut_short_passes_for_whole_nowhere() {
        for (pieces, takes_chunks) in [
            (&[None][..], true),
            (&[Some("a 1\n"), None], true),
            (&[Some("a 1\n"), Some("b 2\n"), None], false),
        ] {
            let (response, places) = scrape(pieces, takes_chunks);
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{pieces:?}");
            assert_eq!(places.taken(), 0);
        }
        let (response, _) = scrape(&[Some("a 1\n"), Some("b 2\n"), None], true);
        assert_eq!(response.status(), StatusCode::OK);
        text(response).unwrap_err();
    }

    #[test]
    fn a_place_is_taken_until_the_last_byte_is_sent() {
        for pieces in [&[Some("a 1\n")][..], &[Some("a 1\n"), Some("b 2\n"), Some("c 3\n")]] {
            let (response, places) = scrape(pieces, true);
            let mut body = response.into_body();
            let mut last = Bytes::new();
            while let Some(frame) = body.frame().now_or_never().unwrap() {
                last = frame.unwrap().into_data().unwrap();
            }
            drop(body);
            assert_eq!(places.taken(), 1, "hyper has it still");
            drop(last);
            assert_eq!(places.taken(), 0);
        }
    }
}
