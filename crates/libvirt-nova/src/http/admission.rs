//! What the web configuration asks of requests.

use hyper::HeaderMap;
use ring::error::Unspecified;

use super::{
    gate::Gate,
    origin::Origin,
    rate_limit::RateLimit,
    response::{self, Response},
};
use crate::web_config::WebConfig;

/// What the web configuration asks of a request before it is answered, whatever it is for; nothing
/// where there is none.
#[derive(Debug, Default)]
pub(crate) struct Admission(Option<(WebConfig, Gate)>);

impl Admission {
    /// Lets in whom a web configuration lets in.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new(web: Option<WebConfig>) -> Result<Self, Unspecified> {
        let Some(web) = web else { return Ok(Self(None)) };
        let (interval, burst) = web.rate_limit();
        let gate = Gate::new(RateLimit::new(interval, burst))?;
        Ok(Self(Some((web, gate))))
    }

    /// What handshakes are made with; `None` where nothing is encrypted.
    pub(super) fn tls(&self) -> Option<&WebConfig> {
        self.0.as_ref().map(|(web, _)| web).filter(|web| web.is_tls())
    }

    /// Answers a request, by `answer` where it is let in.
    pub(super) async fn pass(
        &self,
        headers: &HeaderMap,
        origin: Origin,
        answer: impl Future<Output = Response>,
    ) -> Response {
        let Some((web, gate)) = &self.0 else { return answer.await };
        let Ok(settings) = web.settings() else { return response::misconfigured() };
        let mut response = match gate.refusal(&settings.users, headers, origin).await {
            Some(refusal) => refusal,
            None => answer.await,
        };
        settings.headers.add_to(response.headers_mut());
        response
    }
}
