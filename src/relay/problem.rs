//! What goes wrong over HTTP, as RFC 9457 problem details.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::store::StoreError;
use crate::protocol::DecodeError;

/// One problem; answers a request.
#[derive(Debug)]
pub(super) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    /// The last part of `type`.
    kind: &'static str,
    title: &'static str,
    detail: String,
    retry_after: Option<Duration>,
    /// Further members.
    more: Option<(&'static str, Value)>,
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner {
            status,
            kind,
            title,
            detail: detail.into(),
            retry_after: None,
            more: None,
        }))
    }

    #[cfg(test)]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn with(mut self, member: &'static str, value: Value) -> Self {
        self.0.more = Some((member, value));
        self
    }

    fn again_in(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    pub fn wrong_host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong-host",
            "Not this relay's name",
            "the Host header names another machine; allow a name with --allow-host",
        )
    }

    pub fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "A page from elsewhere",
            "pages of this origin may not use the relay; allow one with --allow-origin. If it is \
             the relay's own page, behind a proxy: have the proxy pass the Host header on, and \
             allow that name with --allow-host",
        )
    }

    pub fn unauthorised() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorised",
            "Wrong or missing token",
            "send Authorization: Bearer with the content of the role's .token file, or sign in at \
             the desk",
        )
    }

    pub fn wrong_code() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "wrong-code",
            "Not a code of now",
            "it was used, is older than ten minutes or is another relay's; run `hyperfocus desk` \
             for a new link",
        )
    }

    pub fn forbidden(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Not with this token",
            detail,
        )
    }

    pub fn too_many(wait: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limited",
            "Too many requests",
            "this address sends more than the relay takes; wait and send it again",
        )
        .again_in(wait)
    }

    pub fn crowded(detail: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "crowded",
            "No place left",
            detail,
        )
        .again_in(Duration::from_secs(1))
    }

    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Nothing here",
            "see /openapi.json for what there is",
        )
    }

    pub fn no_such_gift() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-gift",
            "No gift has this giftId",
            "history has forgotten it, or it was never accepted on this stream",
        )
    }

    pub fn not_parked() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "not-parked",
            "Not a parked gift",
            "only what is parked is sent again or dismissed: this one is on its way, or has ended",
        )
    }

    pub fn unreadable_gift() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unreadable",
            "Cannot be sent again",
            "what is kept of this gift is no message that this relay reads",
        )
    }

    pub fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "wrong-method",
            "Method not allowed",
            "see /openapi.json for what there is",
        )
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "Cannot be read",
            detail,
        )
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Invalid request",
            detail,
        )
    }

    pub fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "Not JSON",
            "send Content-Type: application/json",
        )
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "Too large",
            detail,
        )
    }

    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "Too slow",
            "the body did not come in time",
        )
    }

    pub fn conflict() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "Another gift has this giftId",
            "a giftId was used before for a gift that differs; `results` says which, the others \
             are accepted",
        )
    }

    pub fn not_an_upgrade() -> Self {
        Self::new(
            StatusCode::UPGRADE_REQUIRED,
            "not-a-websocket",
            "Not a WebSocket",
            "connect with a WebSocket client, version 13",
        )
    }

    pub fn decode(error: &DecodeError) -> Self {
        match error {
            DecodeError::TooLarge { .. } => Self::too_large(error.to_string()),
            DecodeError::Malformed { .. }
            | DecodeError::UnsupportedVersion { .. }
            | DecodeError::InvalidGift { .. } => Self::invalid(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "full",
                "No room left",
                format!("{error} and send it again"),
            )
            .again_in(Duration::from_secs(10)),
            StoreError::Overtaken => Self::new(
                StatusCode::CONFLICT,
                "overtaken",
                "Changed at the same time",
                error.to_string(),
            ),
            // What is in the way is the log's business, and not the sender's.
            _ => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store",
                "The store does not work",
                "this was not accepted; send it again, under the same ids. The relay's log says why",
            )
            .again_in(Duration::from_secs(5)),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:hyperfocus:problem:{}", self.0.kind),
            "title": self.0.title,
            "status": self.0.status.as_u16(),
            "detail": self.0.detail,
        });
        if let Some((member, value)) = self.0.more {
            body[member] = value;
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.0.status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if let Some(wait) = self.0.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
