//! Which request gets which response.

use std::{cell::Cell, time::Duration};

use hyper::{Method, Request};
use tokio::time;

use super::{
    deadline::deadline,
    landing,
    response::{self, Response},
    wanted::{self, Wanted},
};
use crate::flags::MetricsPath;

/// The routes, and the scrapes that are under way on them.
#[derive(Debug)]
pub(super) struct Dispatch<'a, S> {
    metrics_path: &'a MetricsPath,
    deadline: Duration,
    scrape: S,
    running: Cell<usize>,
}

impl<'a, S, F> Dispatch<'a, S>
where
    S: Fn(Wanted) -> F,
    F: Future<Output = String>,
{
    /// Makes the routes; `scrape` returns an exposition within the time it is given, which
    /// is `deadline` where the request names none.
    pub(super) fn new(metrics_path: &'a MetricsPath, deadline: Duration, scrape: S) -> Self {
        Self { metrics_path, deadline, scrape, running: Cell::new(0) }
    }

    /// Answers a request, whatever it is.
    ///
    /// When the future is dropped, so is its scrape.
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response {
        let path = request.uri().path();
        let metrics = self.metrics_path.matches(path);
        if !metrics && path != "/" {
            return response::not_found(self.metrics_path);
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return response::method_not_allowed();
        }
        if metrics {
            let headers = request.headers();
            let deadline = deadline(headers, self.deadline);
            let wanted = Wanted { deadline, format: wanted::format(headers) };
            self.scrape(wanted, wanted::takes_gzip(headers)).await
        } else {
            response::page(landing::page(self.metrics_path))
        }
    }

    async fn scrape(&self, wanted: Wanted, is_gzip: bool) -> Response {
        let Some(_running) = Running::start(&self.running) else {
            return response::too_many_scrapes();
        };
        // The exporter answers at its deadline with what it has. If ever it did not, its peer
        // would be gone, and the place must be free again.
        let limit = wanted.deadline.saturating_add(OVERRUN);
        match time::timeout(limit, (self.scrape)(wanted)).await {
            Ok(exposition) if is_gzip => response::gzipped_metrics(&exposition, wanted.format),
            Ok(exposition) => response::metrics(exposition, wanted.format),
            Err(_) => response::overdue(),
        }
    }
}

/// What writing a large exposition may take beyond the deadline.
const OVERRUN: Duration = Duration::from_secs(1);

/// A scrape that is under way.
struct Running<'a>(&'a Cell<usize>);

impl<'a> Running<'a> {
    fn start(running: &'a Cell<usize>) -> Option<Self> {
        let others = running.get();
        if others >= MAX_SCRAPES {
            return None;
        }
        running.set(others.saturating_add(1));
        Some(Self(running))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// As many at once as other exporters allow (node_exporter's `--web.max-requests`).
pub(super) const MAX_SCRAPES: usize = 40;

#[cfg(test)]
mod tests {
    use std::future;

    use exposition::Format;
    use futures_util::future::FutureExt;
    use http_body_util::BodyExt;
    use hyper::{StatusCode, header};

    use super::{super::gzip::gzip, *};

    fn request(method: &str, target: &str) -> Request<()> {
        Request::builder().method(method).uri(target).body(()).unwrap()
    }

    /// Answers with a `scrape` that is done at once and tells its deadline.
    fn answer(path: &str, request: &Request<()>) -> Response {
        let path = path.parse().unwrap();
        let scrape = |wanted: Wanted| future::ready(format!("deadline {:?}\n", wanted.deadline));
        runtime().block_on(Dispatch::new(&path, Duration::from_secs(5), scrape).answer(request))
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    fn header(response: &Response, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn body(response: Response) -> String {
        let collected = response.into_body().collect().now_or_never().unwrap().unwrap();
        String::from_utf8(collected.to_bytes().into()).unwrap()
    }

    #[test]
    fn the_metrics_are_at_their_path_whatever_the_query() {
        for target in ["/m", "/m?", "/m?name[]=x&/y", "/%6d", "http://host:1/m", "http://h/m?x"] {
            for method in ["GET", "HEAD"] {
                let response = answer("/m", &request(method, target));
                assert_eq!(response.status(), StatusCode::OK, "{target}");
                assert_eq!(
                    header(&response, header::CONTENT_TYPE),
                    "text/plain; version=0.0.4; charset=utf-8"
                );
                assert_eq!(body(response), "deadline 5s\n");
            }
        }
    }

    #[test]
    fn the_deadline_is_the_peers() {
        let mut request = request("GET", "/m");
        let value = header::HeaderValue::from_static("2");
        request.headers_mut().insert("X-Prometheus-Scrape-Timeout-Seconds", value);
        assert_eq!(body(answer("/m", &request)), "deadline 1.8s\n");
    }

    #[test]
    fn the_form_is_the_peers() {
        let mut request = request("GET", "/m");
        let plain = answer("/m", &request);
        assert_eq!(header(&plain, header::CONTENT_TYPE), Format::Text.content_type());
        assert_eq!(header(&plain, header::CONTENT_ENCODING), "");
        for (name, value) in [
            (header::ACCEPT, "application/openmetrics-text;version=1.0.0"),
            (header::ACCEPT_ENCODING, "gzip"),
        ] {
            request.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        let response = answer("/m", &request);
        assert_eq!(header(&response, header::CONTENT_TYPE), Format::OpenMetrics.content_type());
        assert_eq!(header(&response, header::CONTENT_ENCODING), "gzip");
        assert_eq!(header(&response, header::VARY), "Accept, Accept-Encoding");
        let bytes = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        assert_eq!(bytes, gzip("deadline 5s\n"));
    }

    #[test]
    fn the_landing_page_is_at_the_root_unless_the_metrics_are() {
        let page = answer("/m", &request("GET", "/"));
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(header(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(header(&page, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
        assert!(body(page).contains("href=\"/m\""));

        assert_eq!(body(answer("/", &request("GET", "/"))), "deadline 5s\n");
        assert_eq!(body(answer("/", &request("GET", "http://host"))), "deadline 5s\n");
    }

    #[test]
    fn everything_else_is_not_found_by_any_method() {
        for target in ["/x", "/m/", "/metrics", "//", "/-/healthy", "/m%00", "*", "host:443"] {
            for method in ["GET", "POST", "CONNECT", "OPTIONS"] {
                let response = answer("/m", &request(method, target));
                assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {target}");
                assert_eq!(header(&response, header::CONTENT_TYPE), "text/plain; charset=utf-8");
                assert_eq!(body(response), "not found, the metrics are at /m\n");
            }
        }
    }

    #[test]
    fn what_is_there_can_only_be_read() {
        for target in ["/", "/m"] {
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "BREW"] {
                let response = answer("/m", &request(method, target));
                assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
                assert_eq!(header(&response, header::ALLOW), "GET, HEAD");
            }
        }
    }

    #[test]
    fn no_response_is_guessed_at() {
        for (method, target) in [("GET", "/"), ("GET", "/m"), ("GET", "/x"), ("PUT", "/m")] {
            let response = answer("/m", &request(method, target));
            assert_eq!(header(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
    }

    #[test]
    fn a_scrape_that_misses_its_deadline_is_given_up() {
        let path = "/m".parse().unwrap();
        let dispatch = Dispatch::new(&path, Duration::from_secs(5), |_| future::pending());
        let mut request = request("GET", "/m");
        let value = header::HeaderValue::from_static("0.1");
        request.headers_mut().insert("X-Prometheus-Scrape-Timeout-Seconds", value);
        let response = runtime().block_on(dispatch.answer(&request));
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(dispatch.running.get(), 0);
    }

    #[test]
    fn one_scrape_too_many_is_turned_away_until_another_ends() {
        let path = "/m".parse().unwrap();
        let dispatch = Dispatch::new(&path, Duration::from_secs(5), |_| future::pending());
        let request = request("GET", "/m");
        let runtime = runtime();
        let _context = runtime.enter();
        let mut running: Vec<_> =
            (0..MAX_SCRAPES).map(|_| Box::pin(dispatch.answer(&request))).collect();
        for scrape in &mut running {
            assert!(scrape.now_or_never().is_none());
        }

        let response = dispatch.answer(&request).now_or_never().unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&response, header::RETRY_AFTER), "1");
        // Other routes are not concerned.
        let other = self::request("GET", "/");
        assert_eq!(dispatch.answer(&other).now_or_never().unwrap().status(), StatusCode::OK);

        // A peer hung up: its future is dropped.
        running.pop();
        assert!(dispatch.answer(&request).now_or_never().is_none());
    }
}
