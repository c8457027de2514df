//! The responses there are.

use bytes::Bytes;
use exposition::Format;
use http_body_util::Full;
use hyper::{
    StatusCode,
    header::{
        ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::gzip::gzip;
use crate::flags::MetricsPath;

/// A response whose length is known, so that `Content-Length` is always sent.
pub(super) type Response = hyper::Response<Full<Bytes>>;

/// The metrics.
pub(super) fn metrics(text: impl Into<Bytes>, format: Format) -> Response {
    let metrics = response(StatusCode::OK, format.content_type(), text);
    with(metrics, VARY, "Accept, Accept-Encoding")
}

/// The metrics, compressed.
pub(super) fn gzipped_metrics(text: &str, format: Format) -> Response {
    with(metrics(gzip(text), format), CONTENT_ENCODING, "gzip")
}

/// A page that needs nothing but itself.
pub(super) fn page(html: String) -> Response {
    let page = response(StatusCode::OK, "text/html; charset=utf-8", html);
    with(page, CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")
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

/// There are as many scrapes under way as there may be.
pub(super) fn too_many_scrapes() -> Response {
    let text = "too many scrapes at once, try again later\n";
    with(refusal(StatusCode::SERVICE_UNAVAILABLE, text), RETRY_AFTER, RETRY_SECONDS)
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
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    // A browser that guesses types could take a tenant's text for a script.
    with(with(response, CONTENT_TYPE, content_type), X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn with(mut response: Response, name: HeaderName, value: &'static str) -> Response {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
