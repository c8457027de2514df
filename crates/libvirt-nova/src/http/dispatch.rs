//! Which request gets which response.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::{Method, Request, Version};
use tokio::time;

use super::{
    Content,
    deadline::deadline,
    listing,
    origin::Origin,
    page::{self, Page},
    places::{Place, Places},
    probes::Probes,
    query,
    response::{self, Response},
    wanted::{self, Wanted},
};
use crate::flags::MetricsPath;

/// The routes, and who is being served on them.
#[derive(Debug)]
pub(super) struct Dispatch<'a, C> {
    metrics_path: &'a MetricsPath,
    deadline: Duration,
    content: C,
    page: Page,
    scrapes: Places,
    probes: Probes,
    streams: Places,
}

impl<'a, C: Content> Dispatch<'a, C> {
    /// Makes the routes; a scrape gets `deadline` where the request names none.
    pub(super) fn new(metrics_path: &'a MetricsPath, deadline: Duration, content: C) -> Self {
        let (scrapes, streams) = (Places::new(MAX_SCRAPES), Places::new(MAX_STREAMS));
        let page = Page::new(metrics_path);
        let probes = Probes::default();
        Self { metrics_path, deadline, content, page, scrapes, probes, streams }
    }

    /// Answers a request from somewhere, whatever it is.
    ///
    /// When the future is dropped, so is its scrape.
    pub(super) async fn answer<B>(&self, request: &Request<B>, origin: Origin) -> Response {
        let Some(route) = Route::of(request.uri().path(), self.metrics_path) else {
            return response::not_found(self.metrics_path);
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return response::method_not_allowed();
        }
        match route {
            Route::Metrics => {
                let Some(place) = self.scrapes.take(origin) else {
                    return response::too_many("scrapes");
                };
                let wanted = self.wanted(request);
                self.expose(self.content.scrape(wanted), wanted, request, place).await
            }
            Route::Probe => self.probe(request, origin).await,
            Route::Page => match self.content.listing() {
                None => response::page(self.page.html(), page::POLICY),
                Some(targets) => {
                    let html = listing::html(&targets, self.metrics_path);
                    response::page(html.into(), listing::POLICY)
                }
            },
            Route::Live => self.live(request.method() == Method::HEAD, origin),
            Route::Instance(uuid) => match self.content.instance(uuid) {
                Some(json) => response::json(json),
                None => response::no_instance(),
            },
            Route::Healthy => response::text("healthy\n"),
            Route::Ready => match self.content.ready() {
                Ok(()) => response::text("ready\n"),
                Err(reason) => response::not_ready(&reason),
            },
            Route::Debug => response::text(self.content.debug()),
        }
    }

    async fn probe<B>(&self, request: &Request<B>, origin: Origin) -> Response {
        if self.content.targets().is_none() {
            return response::no_targets();
        }
        let target = match query::target(request.uri().query()) {
            Ok(target) => target,
            Err(fault) => return response::bad_request(fault.text()),
        };
        let Some(place) = self.probes.take(&target, origin) else {
            return response::too_many("probes of this target");
        };
        let wanted = self.wanted(request);
        match self.content.probe(&target, wanted) {
            Some(probe) => self.expose(probe, wanted, request, place).await,
            None => response::no_target(),
        }
    }

    /// What a request wants of the metrics.
    fn wanted<B>(&self, request: &Request<B>) -> Wanted {
        let headers = request.headers();
        let deadline = deadline(headers, self.deadline);
        Wanted { deadline, format: wanted::format(headers) }
    }

    async fn expose<B>(
        &self,
        exposition: impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>,
        wanted: Wanted,
        request: &Request<B>,
        place: Place,
    ) -> Response {
        let is_gzip = wanted::takes_gzip(request.headers());
        // Older ones would not see where it is cut.
        let takes_chunks = request.version() >= Version::HTTP_11;
        // The exporter answers at its deadline with what it has. If ever it did not, its peer
        // would be gone, and the place must be free again.
        let limit = wanted.deadline.saturating_add(OVERRUN);
        match time::timeout(limit, exposition).await {
            // It is kept until the peer has taken the response: of whoever takes none, there is
            // only so much in memory.
            Ok(pieces) => {
                response::metrics(pieces, wanted.format, is_gzip, takes_chunks, place).await
            }
            Err(_) => response::overdue(),
        }
    }

    /// How many targets can be probed.
    pub(super) fn targets(&self) -> usize {
        self.content.targets().unwrap_or_default()
    }

    fn live(&self, is_head: bool, origin: Origin) -> Response {
        let Some(events) = self.content.live() else { return response::no_page() };
        let Some(place) = self.streams.take(origin) else {
            return response::too_many("open pages");
        };
        // It is kept as long as the response is being sent.
        let events = events.inspect(move |_| {
            let _ = &place;
        });
        response::events((!is_head).then_some(events))
    }
}

/// What may pass beyond the deadline until there is something to be said.
const OVERRUN: Duration = Duration::from_secs(1);

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
enum Route<'p> {
    Metrics,
    /// The metrics of a target, which the query names.
    Probe,
    Page,
    /// The events that the page, or `top`, lives on.
    Live,
    /// An instance, by its UUID.
    Instance(&'p str),
    Healthy,
    Ready,
    Debug,
}

impl<'p> Route<'p> {
    fn of(path: &'p str, metrics_path: &MetricsPath) -> Option<Self> {
        // It may be any of the others, which is then not to be reached.
        if metrics_path.matches(path) {
            return Some(Self::Metrics);
        }
        match path {
            "/" => Some(Self::Page),
            "/probe" => Some(Self::Probe),
            "/-/live" => Some(Self::Live),
            "/-/healthy" => Some(Self::Healthy),
            "/-/ready" => Some(Self::Ready),
            "/debug" => Some(Self::Debug),
            _ => path.strip_prefix("/-/instance/").map(Self::Instance),
        }
    }
}

/// As many at once as other exporters allow (node_exporter's `--web.max-requests`); an origin
/// alone, half of them.
pub(super) const MAX_SCRAPES: usize = 40;
/// Pages and `top`s that are open at once; from an origin alone, half of them.
pub(super) const MAX_STREAMS: usize = 50;

#[cfg(test)]
mod tests;
