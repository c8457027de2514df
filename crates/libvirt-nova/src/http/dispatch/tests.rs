//! Requests, and what answers them.

use std::{future, net::IpAddr};

use exposition::Format;
use futures_util::{future::FutureExt, stream};
use http_body_util::BodyExt;
use hyper::{StatusCode, header};

use super::{
    super::{gzip::gzipped, probes::MAX_PROBES},
    *,
};

fn request(method: &str, target: &str) -> Request<()> {
    Request::builder().method(method).uri(target).body(()).unwrap()
}

/// Answers with a `scrape` that is done at once and tells its deadline.
fn answer(path: &str, request: &Request<()>) -> Response {
    let path = path.parse().unwrap();
    let scrape = |wanted: Wanted| future::ready(format!("deadline {:?}\n", wanted.deadline));
    runtime()
        .block_on(Dispatch::new(&path, Duration::from_secs(5), scrape).answer(request, origin(1)))
}

fn origin(number: u8) -> Origin {
    Origin::from(IpAddr::from([192, 0, 2, number]))
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
    assert_eq!(bytes, gzipped(["deadline 5s\n".to_owned()]));
}

#[test]
fn the_page_is_at_the_root_unless_the_metrics_are() {
    let page = answer("/m", &request("GET", "/"));
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(header(&page, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
    assert!(body(page).contains("href=\"./m\""));

    assert_eq!(body(answer("/", &request("GET", "/"))), "deadline 5s\n");
    assert_eq!(body(answer("/", &request("GET", "http://host"))), "deadline 5s\n");
}

/// What an exporter serves besides metrics; it is ready where it says so.
struct Everything {
    ready: Result<(), String>,
    /// Whether there is a file with the target `a`, which takes for ever, and `b`.
    has_targets: bool,
    is_watching: bool,
}

impl Default for Everything {
    fn default() -> Self {
        Self { ready: Ok(()), has_targets: true, is_watching: true }
    }
}

impl Content for Everything {
    async fn scrape(&self, _: Wanted) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        stream::empty()
    }

    fn targets(&self) -> Option<usize> {
        self.has_targets.then_some(2)
    }

    fn probe(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>> {
        let (is_slow, text) = (name == "a", format!("up 1\ndeadline {:?}\n", wanted.deadline));
        ["a", "b"].contains(&name).then_some(async move {
            if is_slow {
                future::pending::<()>().await;
            }
            stream::iter([Ok(Bytes::from(text))])
        })
    }

    fn listing(&self) -> Option<Vec<(String, String)>> {
        let targets = || vec![("a".to_owned(), "not probed lately".to_owned())];
        (!self.is_watching).then(targets)
    }

    fn live(&self) -> Option<impl Stream<Item = Bytes> + 'static> {
        let events = stream::iter(["event: board\n\n", "event: pulse\n\n"]).map(Bytes::from);
        self.is_watching.then_some(events)
    }

    fn instance(&self, uuid: &str) -> Option<String> {
        (uuid == "1b").then(|| "{}".to_owned())
    }

    fn ready(&self) -> Result<(), String> {
        self.ready.clone()
    }

    fn debug(&self) -> String {
        "facts\n".to_owned()
    }
}

fn answer_of(content: Everything, method: &str, target: &str) -> Response {
    let path = "/m".parse().unwrap();
    let dispatch = Dispatch::new(&path, Duration::from_secs(5), content);
    runtime().block_on(dispatch.answer(&request(method, target), origin(1)))
}

#[test]
fn each_route_has_its_content() {
    for (target, status, content_type, text) in [
        ("/-/healthy", 200, "text/plain; charset=utf-8", "healthy\n"),
        ("/-/ready", 200, "text/plain; charset=utf-8", "ready\n"),
        ("/debug", 200, "text/plain; charset=utf-8", "facts\n"),
        ("/-/live", 200, "text/event-stream", "event: board\n\nevent: pulse\n\n"),
        ("/-/instance/1b", 200, "application/json", "{}"),
        (
            "/-/instance/1c",
            404,
            "text/plain; charset=utf-8",
            "no such instance runs on this host\n",
        ),
    ] {
        let response = answer_of(Everything::default(), "GET", target);
        assert_eq!(response.status(), status, "{target}");
        assert_eq!(header(&response, header::CONTENT_TYPE), content_type, "{target}");
        assert_eq!(body(response), text, "{target}");
    }
    let events = answer_of(Everything::default(), "HEAD", "/-/live");
    assert_eq!(header(&events, header::CONTENT_TYPE), "text/event-stream");
    assert_eq!(body(events), "");
}

#[test]
fn a_probe_says_which_target_is_meant() {
    let no_target = "no target, expected one as in /probe?target=compute-1\n";
    let several = "several targets, expected one as in /probe?target=compute-1\n";
    for (target, status, text) in [
        ("/probe?target=b", 200, "up 1\ndeadline 5s\n"),
        ("/probe?module=x&target=%62", 200, "up 1\ndeadline 5s\n"),
        ("/probe", 400, no_target),
        ("/probe?target=", 400, no_target),
        ("/probe?target=a&target=b", 400, several),
        ("/probe?target=<script>", 404, "no such target in the targets file\n"),
        ("/probe/?target=b", 404, "not found, the metrics are at /m\n"),
    ] {
        let target = target.replace('<', "%3C").replace('>', "%3E");
        let response = answer_of(Everything::default(), "GET", &target);
        assert_eq!(response.status(), status, "{target}");
        assert_eq!(body(response), text, "{target}");
    }
    let content = Everything { has_targets: false, ..Everything::default() };
    let response = answer_of(content, "GET", "/probe?target=b");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(body(response), "there are no targets, --targets.file names a file of them\n");
}

#[test]
fn a_probe_is_wanted_as_a_scrape_is() {
    let path = "/m".parse().unwrap();
    let dispatch = Dispatch::new(&path, Duration::from_secs(5), Everything::default());
    let mut request = request("GET", "/probe?target=b");
    for (name, value) in [
        ("X-Prometheus-Scrape-Timeout-Seconds", "2"),
        ("Accept", "application/openmetrics-text;version=1.0.0"),
        ("Accept-Encoding", "gzip"),
    ] {
        request.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    let response = runtime().block_on(dispatch.answer(&request, origin(1)));
    assert!(header(&response, header::CONTENT_TYPE).starts_with("application/openmetrics"));
    assert_eq!(header(&response, header::CONTENT_ENCODING), "gzip");
    request.headers_mut().remove(header::ACCEPT_ENCODING);
    let response = runtime().block_on(dispatch.answer(&request, origin(1)));
    assert_eq!(body(response), "up 1\ndeadline 1.8s\n");
}

#[test]
fn probes_of_a_slow_target_take_no_place_of_another_nor_of_scrapes() {
    let path = "/m".parse().unwrap();
    let dispatch = Dispatch::new(&path, Duration::from_secs(5), Everything::default());
    let (slow, other, scrape) = (
        request("GET", "/probe?target=a"),
        request("GET", "/probe?target=b"),
        request("GET", "/m"),
    );
    let runtime = runtime();
    let _context = runtime.enter();
    let mut running: Vec<_> =
        (0..MAX_PROBES / 2).map(|_| Box::pin(dispatch.answer(&slow, origin(1)))).collect();
    assert!(running.iter_mut().all(|probe| probe.now_or_never().is_none()));
    let refused = dispatch.answer(&slow, origin(1)).now_or_never().unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body(refused), "too many probes of this target at once, try again later\n");
    for request in [&other, &scrape] {
        let response = dispatch.answer(request, origin(1)).now_or_never().unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    // Nor is another scraper kept out, nor this one for ever.
    assert!(dispatch.answer(&slow, origin(2)).now_or_never().is_none());
    running.pop();
    assert!(dispatch.answer(&slow, origin(1)).now_or_never().is_none());
}

#[test]
fn where_only_targets_are_asked_the_page_lists_them() {
    let only_targets = || Everything { is_watching: false, ..Everything::default() };
    let response = answer_of(only_targets(), "GET", "/");
    assert_eq!(header(&response, header::CONTENT_SECURITY_POLICY), listing::POLICY);
    assert!(body(response).contains("<a href=\"./probe?target=a\">a</a>"));
    let response = answer_of(only_targets(), "GET", "/-/live");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let expected = "no libvirtd is watched here, targets are probed at /probe?target=NAME\n";
    assert_eq!(body(response), expected);
}

#[test]
fn who_is_not_ready_says_why_and_is_healthy_nevertheless() {
    let ready = Err("cannot connect to /run/x".to_owned());
    let response =
        answer_of(Everything { ready: ready.clone(), ..Everything::default() }, "GET", "/-/ready");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body(response), "not ready: cannot connect to /run/x\n");
    let response = answer_of(Everything { ready, ..Everything::default() }, "GET", "/-/healthy");
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn one_stream_too_many_is_turned_away_until_another_ends() {
    let path = "/m".parse().unwrap();
    let content = Everything::default();
    let dispatch = Dispatch::new(&path, Duration::from_secs(5), content);
    let live = |number| {
        dispatch.answer(&request("GET", "/-/live"), origin(number)).now_or_never().unwrap()
    };
    let mut open: Vec<_> = (0..MAX_STREAMS / 2).map(|_| live(1)).collect();
    assert!(open.iter().all(|response| response.status() == StatusCode::OK));
    assert_eq!(live(1).status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(live(2).status(), StatusCode::OK);
    open.pop();
    assert_eq!(live(1).status(), StatusCode::OK);
}

#[test]
fn everything_else_is_not_found_by_any_method() {
    for target in ["/x", "/m/", "/metrics", "//", "/-/x", "/-/instance", "/m%00", "*", "host:443"] {
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
    for target in ["/", "/m", "/probe", "/-/live", "/-/ready", "/-/instance/1b", "/debug"] {
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
    let response = runtime().block_on(dispatch.answer(&request, origin(1)));
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(dispatch.scrapes.taken(), 0);
}

#[test]
fn one_scrape_too_many_is_turned_away_until_another_ends() {
    let path = "/m".parse().unwrap();
    let dispatch = Dispatch::new(&path, Duration::from_secs(5), |_| future::pending());
    let request = request("GET", "/m");
    let runtime = runtime();
    let _context = runtime.enter();
    let mut running: Vec<_> =
        (0..MAX_SCRAPES / 2).map(|_| Box::pin(dispatch.answer(&request, origin(1)))).collect();
    for scrape in &mut running {
        assert!(scrape.now_or_never().is_none());
    }

    let response = dispatch.answer(&request, origin(1)).now_or_never().unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&response, header::RETRY_AFTER), "1");
    // Other routes are not concerned.
    let other = self::request("GET", "/");
    assert_eq!(dispatch.answer(&other, origin(1)).now_or_never().unwrap().status(), StatusCode::OK);
    // Nor is another origin.
    assert!(dispatch.answer(&request, origin(2)).now_or_never().is_none());

    // A peer hung up: its future is dropped.
    running.pop();
    assert!(dispatch.answer(&request, origin(1)).now_or_never().is_none());
}

#[test]
fn a_response_has_its_place_until_it_is_taken() {
    for coding in ["gzip", "identity"] {
        let path = "/m".parse().unwrap();
        let scrape = |_| future::ready("up 1\n".to_owned());
        let dispatch = Dispatch::new(&path, Duration::from_secs(5), scrape);
        let mut request = request("GET", "/m");
        let value = header::HeaderValue::from_static(coding);
        request.headers_mut().insert(header::ACCEPT_ENCODING, value);
        let runtime = runtime();
        let response = runtime.block_on(dispatch.answer(&request, origin(1)));
        let sent = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        // As long as a byte of it is left to be written.
        let rest = sent.slice(1..);
        drop(sent);
        assert_eq!(dispatch.scrapes.taken(), 1);
        drop(rest);
        assert_eq!(dispatch.scrapes.taken(), 0);
    }
}
