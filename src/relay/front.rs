//! The way of a request: what each has to pass, and who answers it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody as _;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;

use super::door::Door;
use super::limits::{FAREWELL, MAX_HEAD, MAX_UNWANTED};
use super::problem::Problem;
use super::server::{Core, Guest};
use super::{api, desk, events, overview, parked, rates, upgrade};

/// Where every request comes in.
pub(super) struct Front {
    core: Arc<Core>,
    router: TowerToHyperService<Router>,
}

impl Front {
    pub fn new(core: Arc<Core>) -> Self {
        let router = TowerToHyperService::new(router(core.clone()));
        Self { core, router }
    }

    /// Answers what somebody asks, once it may be asked here.
    pub async fn answer(&self, mut guest: Guest, request: hyper::Request<Incoming>) -> Response {
        let Self { core, .. } = self;
        guest.is_own_page = Door::is_own_page(request.method(), request.headers());
        if let Err(wait) = core.admit(&guest) {
            return refuse(Problem::too_many(wait), request);
        }
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let origin = core.door.allowed(request.headers());
        let mut response = match core.door.admit(request.uri(), request.headers()) {
            // A browser asks whether its page may, before it asks for the page.
            Ok(()) if origin.is_some() && request.method() == Method::OPTIONS => may_ask(),
            Ok(()) => self.route(guest, request).await,
            Err(problem) => refuse(problem, request),
        };
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if is_chunked {
            // Its length may have been given twice, and a proxy before us may have
            // believed the other: nothing behind it is a request (RFC 9112, 6.1).
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    async fn route(&self, guest: Guest, request: hyper::Request<Incoming>) -> Response {
        let (mut parts, mut body) = request.into_parts();
        // The router's boxes and copies would be a quarter of a gift's work here.
        if parts.method == Method::POST
            && let Some(stream) = gifts_of(parts.uri.path())
        {
            let taken = api::take_gifts(&self.core, &guest, stream, &parts.headers, &mut body);
            return match taken.await {
                Ok(response) => response,
                Err(problem) => refuse(problem, hyper::Request::from_parts(parts, body)),
            };
        }
        parts.extensions.insert(guest);
        let request = hyper::Request::from_parts(parts, body);
        match self.router.call(request).await {
            Ok(response) => told_properly(response).await,
            Err(never) => match never {},
        }
    }
}

/// Answers at once, and reads on: a connection that is closed over unread bytes takes the
/// answer with it.
fn refuse(problem: Problem, request: hyper::Request<Incoming>) -> Response {
    // Who asks first is told in time.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let mut rest = request.into_body();
    if !asks_first && !rest.is_end_stream() {
        let reading = async move {
            let mut read = 0;
            while read < MAX_UNWANTED
                && let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)).await
            {
                read += frame.data_ref().map_or(0, Bytes::len);
            }
        };
        tokio::spawn(timeout(FAREWELL, reading));
    }
    problem.into_response()
}

/// What pages of other origins may send. Never cookies: those are the desk's.
fn may_ask() -> Response {
    let allowed = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

/// The stream whose gifts a path names, when it is written plainly.
fn gifts_of(path: &str) -> Option<&str> {
    let stream = path.strip_prefix("/v1/streams/")?.strip_suffix("/gifts")?;
    (!stream.is_empty() && !stream.contains(['/', '%'])).then_some(stream)
}

fn router(core: Arc<Core>) -> Router {
    let stream = Router::new()
        .route("/gifts", post(api::post_gifts).get(api::get_gifts))
        .route("/gifts/{gift}/resend", post(parked::resend))
        .route("/gifts/{gift}/dismiss", post(parked::dismiss))
        .route("/status", put(api::put_status).get(overview::get_status))
        .route("/renderers", get(overview::get_renderers))
        .route("/rates", get(rates::get_rates))
        .route("/config", get(api::get_config).patch(api::patch_config))
        .route("/control", post(api::post_control))
        .route("/events", get(events::events))
        .route("/history", get(api::get_history));
    Router::new()
        .route("/ws", get(upgrade::upgrade))
        .route("/desk", get(desk::open))
        .route("/desk/desk.js", get(desk::script))
        .route("/desk/desk.css", get(desk::style))
        .route("/desk/session", post(desk::sign_in).delete(desk::sign_out))
        .route("/v1/desk/codes", post(desk::post_code))
        .route("/v1/streams", get(overview::get_streams))
        .nest("/v1/streams/{id}", stream)
        .route("/v1/sources", get(api::get_sources))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/openapi.json", get(api::openapi))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .with_state(core)
}

/// What the router refuses by itself it says in plain words; this makes a
/// problem of them.
async fn told_properly(response: Response) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let is_plain = response.headers().get(header::CONTENT_TYPE) == Some(&plain);
    if !is_plain || response.status() != StatusCode::BAD_REQUEST {
        return response;
    }
    let words = axum::body::to_bytes(response.into_body(), MAX_HEAD).await;
    let words = words.unwrap_or_default();
    Problem::bad_request(String::from_utf8_lossy(&words)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gifts_of_a_plainly_named_stream_pass_by_the_router() {
        assert_eq!(gifts_of("/v1/streams/main/gifts"), Some("main"));
        assert_eq!(gifts_of("/v1/streams/gifts/gifts"), Some("gifts"));
        for other in [
            "/v1/streams//gifts",
            "/v1/streams/gifts",
            "/v1/streams/a%62/gifts",
            "/v1/streams/main/gifts/",
            "/v1/streams/main/gifts/gifts",
            "/v2/streams/main/gifts",
        ] {
            assert_eq!(gifts_of(other), None, "{other}");
        }
    }
}
