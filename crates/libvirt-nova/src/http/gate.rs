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

#[cfg(test)]
mod tests {
    use std::{future, net::IpAddr};

    use base64::{Engine, prelude::BASE64_STANDARD};
    use futures_util::FutureExt;
    use hyper::{
        StatusCode,
        header::{AUTHORIZATION, HeaderValue, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE},
    };

    use super::*;

    /// A user whose password is `a`.
    const ALICE: &str = "basic_auth_users: {alice: \
        $2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe}\n";

    /// A gate, and the directory of the file that it stands for.
    fn gate(text: &str) -> (Gate, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("web.yml");
        std::fs::write(&path, text).unwrap();
        (Gate::new(Some(WebConfig::open(&path).unwrap())).unwrap(), dir)
    }

    async fn pass(gate: &Gate, headers: &HeaderMap) -> Response {
        let origin = Origin::from(IpAddr::from([192, 0, 2, 1]));
        gate.pass(headers, origin, future::ready(response::text("in\n"))).await
    }

    fn credentials(text: &[u8]) -> HeaderMap {
        let token = BASE64_STANDARD.encode(text);
        let value = HeaderValue::from_str(&format!("Basic {token}")).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[tokio::test]
    async fn where_nothing_is_configured_all_pass() {
        let gate = Gate::new(None).unwrap();
        for _ in 0..1_000 {
            assert_eq!(pass(&gate, &HeaderMap::new()).await.status(), StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn who_does_not_say_who_he_is_is_asked() {
        let (gate, _dir) = gate(ALICE);
        let response = pass(&gate, &HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers()[WWW_AUTHENTICATE].as_bytes().starts_with(b"Basic "));
        assert_eq!(pass(&gate, &credentials(b"alice:a")).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn too_many_are_refused_before_they_are_asked() {
        let (gate, _dir) = gate(&format!("{ALICE}rate_limit: {{interval: 1h, burst: 2}}\n"));
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(pass(&gate, &HeaderMap::new()).await.status().as_u16());
        }
        assert_eq!(statuses, [401, 401, 429]);
    }

    #[tokio::test]
    async fn refusals_have_the_headers_too() {
        let (gate, _dir) = gate(&format!(
            "{ALICE}rate_limit: {{interval: 1h, burst: 2}}\n\
             http_server_config: {{headers: {{Strict-Transport-Security: max-age=1}}}}\n"
        ));
        for (headers, status) in [
            (HeaderMap::new(), StatusCode::UNAUTHORIZED),
            (credentials(b"alice:a"), StatusCode::OK),
            (credentials(b"alice:a"), StatusCode::TOO_MANY_REQUESTS),
        ] {
            let response = pass(&gate, &headers).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[STRICT_TRANSPORT_SECURITY], "max-age=1");
        }
    }

    #[tokio::test]
    async fn as_many_as_wait_for_a_check_are_told_to_come_again() {
        // Of a cost that nobody's turn comes to its end meanwhile.
        let (gate, _dir) = gate(&ALICE.replace("$06$", "$14$"));
        let headers: Vec<_> = (0..20).map(|number| credentials(&[b'a', b':', number])).collect();
        let mut requests: Vec<_> =
            headers.iter().map(|headers| Box::pin(pass(&gate, headers))).collect();
        let refused: Vec<_> = requests.iter_mut().filter_map(FutureExt::now_or_never).collect();
        assert_eq!(refused.len(), 12);
        for response in refused {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}
