//! The page itself, as it was built into the program.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// How to get a page where there is none.
pub(in crate::relay) const HOW_TO_BUILD: &str =
    "this program was built without the desk; install Node.js, run `make desk` and build it again";

/// Nothing but what comes from here, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

#[cfg(desk)]
macro_rules! part {
    ($name:literal) => {
        Some(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/web/dist/",
            $name
        )))
    };
}

#[cfg(not(desk))]
macro_rules! part {
    ($name:literal) => {
        None
    };
}

const PAGE: Option<&str> = part!("index.html");
const SCRIPT: Option<&str> = part!("desk.js");
const STYLE: Option<&str> = part!("desk.css");

/// Whether there is one.
pub(in crate::relay) const IS_BUILT: bool = PAGE.is_some();

/// `GET /desk`
pub(super) fn page() -> Response {
    answer(PAGE, "text/html; charset=utf-8")
}

/// `GET /desk/desk.js`
pub(in crate::relay) async fn script() -> Response {
    answer(SCRIPT, "text/javascript; charset=utf-8")
}

/// `GET /desk/desk.css`
pub(in crate::relay) async fn style() -> Response {
    answer(STYLE, "text/css; charset=utf-8")
}

fn answer(part: Option<&'static str>, kind: &'static str) -> Response {
    let mut response = match part {
        Some(part) => {
            let kind = HeaderValue::from_static(kind);
            ([(header::CONTENT_TYPE, kind)], part).into_response()
        }
        None => (StatusCode::NOT_IMPLEMENTED, format!("{HOW_TO_BUILD}\n")).into_response(),
    };
    let headers = response.headers_mut();
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (resource_policy, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
