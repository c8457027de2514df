//! What a request has to pass before it is answered.

use hyper::HeaderMap;
use ring::error::Unspecified;

use super::{
    basic_auth::{BasicAuth, Users, Verdict},
    origin::Origin,
    rate_limit::RateLimit,
    response::{self, Response},
};

/// What a request has to pass before it is answered: the rate limit, and then the question who
/// asks, since answering that one is what costs.
#[derive(Debug)]
pub(crate) struct Gate {
    limit: Option<RateLimit>,
    auth: BasicAuth,
}

impl Gate {
    /// Makes a gate; what it remembers of who was admitted is its own.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes.
    pub(crate) fn new(limit: Option<RateLimit>) -> Result<Self, Unspecified> {
        Ok(Self { limit, auth: BasicAuth::new()? })
    }

    /// Returns what is answered to a request with these headers that may not pass.
    ///
    /// Where there are no users, nobody is asked who he is.
    pub(super) async fn refusal(
        &self,
        users: &Users,
        headers: &HeaderMap,
        origin: Origin,
    ) -> Option<Response> {
        if self.limit.as_ref().is_some_and(|limit| !limit.allows()) {
            return Some(response::too_many_requests());
        }
        if users.is_empty() {
            return None;
        }
        match self.auth.check(users, headers, origin).await {
            Verdict::Admitted => None,
            Verdict::Refused => Some(response::unauthorized()),
            Verdict::Busy => Some(response::too_many("passwords to check")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use base64::{Engine, prelude::BASE64_STANDARD};
    use futures_util::FutureExt;
    use http_body_util::BodyExt;
    use hyper::{
        StatusCode,
        header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    };

    use super::*;

    /// The password is `a`.
    const ALICE: (&str, &str) =
        ("alice", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe");

    async fn refusal(gate: &Gate, users: &Users, headers: &HeaderMap) -> Option<Response> {
        gate.refusal(users, headers, Origin::from(IpAddr::from([192, 0, 2, 1]))).await
    }

    fn body(response: Response) -> String {
        let collected = response.into_body().collect().now_or_never().unwrap().unwrap();
        String::from_utf8(collected.to_bytes().into()).unwrap()
    }

    #[tokio::test]
    async fn where_nothing_is_configured_all_pass() {
        let gate = Gate::new(None).unwrap();
        for _ in 0..1_000 {
            assert!(refusal(&gate, &Users::default(), &HeaderMap::new()).await.is_none());
        }
    }

    #[tokio::test]
    async fn who_does_not_say_who_he_is_is_asked() {
        let gate = Gate::new(None).unwrap();
        let users = Users::new([ALICE]).unwrap();
        let response = refusal(&gate, &users, &HeaderMap::new()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let asked = &response.headers()[WWW_AUTHENTICATE];
        assert_eq!(asked, "Basic realm=\"libvirt_nova\", charset=\"UTF-8\"");
        assert_eq!(body(response), "Unauthorized\n");

        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic YWxpY2U6YQ=="));
        assert!(refusal(&gate, &users, &headers).await.is_none());
    }

    #[tokio::test]
    async fn too_many_are_refused_before_they_are_asked() {
        let gate = Gate::new(RateLimit::new(Duration::from_hours(1), 2)).unwrap();
        let users = Users::new([ALICE]).unwrap();
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let response = refusal(&gate, &users, &HeaderMap::new()).await.unwrap();
            statuses.push(response.status().as_u16());
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(body(response), "Too Many Requests\n");
            }
        }
        assert_eq!(statuses, [401, 401, 429]);
    }

    #[tokio::test]
    async fn as_many_as_wait_for_a_check_are_told_to_come_again() {
        let gate = Gate::new(None).unwrap();
        // Of a cost that nobody's turn comes to its end meanwhile.
        let dear = ALICE.1.replace("$06$", "$14$");
        let users = Users::new([("alice", &*dear)]).unwrap();
        let headers = |number: u8| {
            let token = BASE64_STANDARD.encode([b'a', b':', number]);
            let value = HeaderValue::from_str(&format!("Basic {token}")).unwrap();
            HeaderMap::from_iter([(AUTHORIZATION, value)])
        };
        let headers: Vec<_> = (0..20).map(headers).collect();
        let mut requests: Vec<_> =
            headers.iter().map(|headers| Box::pin(refusal(&gate, &users, headers))).collect();
        let refused: Vec<_> =
            requests.iter_mut().filter_map(|request| request.now_or_never()?).collect();
        assert_eq!(refused.len(), 12);
        for response in refused {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(body(response), "too many passwords to check at once, try again later\n");
        }
    }
}
