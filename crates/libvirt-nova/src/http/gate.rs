//! What the web configuration asks of a request before it is answered.

use hyper::HeaderMap;
use ring::error::Unspecified;

use super::{
    basic_auth::{BasicAuth, Users, Verdict},
    origin::Origin,
    rate_limit::RateLimit,
    response::{self, Response},
};
use crate::web_config::WebConfig;

/// What the web configuration asks of a request before it is answered, whatever it is for.
#[derive(Debug, Default)]
pub(crate) struct Gate(Option<Configured>);

#[derive(Debug)]
struct Configured {
    web: WebConfig,
    auth: BasicAuth,
    limit: Option<RateLimit>,
}

impl Gate {
    /// Stands where a file says so.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new(web: Option<WebConfig>) -> Result<Self, Unspecified> {
        let Some(web) = web else { return Ok(Self(None)) };
        let (interval, burst) = web.rate_limit();
        let limit = RateLimit::new(interval, burst);
        Ok(Self(Some(Configured { web, auth: BasicAuth::new()?, limit })))
    }

    /// What handshakes are made with; `None` where nothing is encrypted.
    pub(super) fn tls(&self) -> Option<&WebConfig> {
        self.0.as_ref().map(|configured| &configured.web).filter(|web| web.is_tls())
    }

    /// Answers a request, by `answer` where it is let in.
    pub(super) async fn pass(
        &self,
        headers: &HeaderMap,
        origin: Origin,
        answer: impl Future<Output = Response>,
    ) -> Response {
        let Some(Configured { web, auth, limit }) = &self.0 else { return answer.await };
        let Ok(settings) = web.settings() else { return response::misconfigured() };
        let mut response = if !limit.as_ref().is_none_or(RateLimit::allows) {
            response::rate_limited()
        } else {
            match admit(auth, &settings.users, headers, origin).await {
                Verdict::Admitted => answer.await,
                Verdict::Refused => response::unauthorized(),
                Verdict::Busy => response::too_many("checks of passwords"),
            }
        };
        settings.headers.add_to(response.headers_mut());
        response
    }
}

async fn admit(auth: &BasicAuth, users: &Users, headers: &HeaderMap, origin: Origin) -> Verdict {
    if users.is_empty() { Verdict::Admitted } else { auth.check(users, headers, origin).await }
}
