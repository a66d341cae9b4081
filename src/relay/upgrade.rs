//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::client::{self, Socket};
use super::door::one;
use super::limits::PATIENCE;
use super::problem::Problem;
use super::server::{Core, Guest};
use super::tokens::Role;
use super::transport::Patient;
use crate::protocol::limits;

/// `GET /ws`.
pub(super) async fn upgrade(
    State(core): State<Arc<Core>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let guest = request.extensions_mut().remove::<Guest>();
    let guest = guest.ok_or_else(Problem::not_an_upgrade)?;
    let headers = request.headers();
    let role = core.authorise_bearer(&guest, headers, &[Role::Host, Role::Viewer])?;
    let key = websocket_key(headers).ok_or_else(Problem::not_an_upgrade)?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| Problem::not_an_upgrade())?;
    let offers_ours = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .any(|value| lists(value, limits::SUBPROTOCOL));
    let greeting = core.greeting.clone().try_acquire_owned();
    let greeting = greeting
        .map_err(|_| Problem::crowded("too many connections have not said who they are"))?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let upgrade = upgrade.ok_or_else(Problem::not_an_upgrade)?;

    tokio::spawn(async move {
        // The place in the house is kept to the connection's end.
        let _seat = guest;
        if let Ok(Ok(upgraded)) = timeout(PATIENCE, upgrade).await
            && let Some(socket) = websocket(upgraded)
        {
            client::serve(core, socket, role, greeting).await;
        }
    });

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if offers_ours {
        let ours = HeaderValue::from_static(limits::SUBPROTOCOL);
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, ours);
    }
    Ok(response)
}

/// The key of a request that asks for a WebSocket.
fn websocket_key(headers: &HeaderMap) -> Option<&str> {
    let names = |name, value: &str| {
        let mut values = headers.get_all(name).iter();
        values.any(|own| lists(own, value))
    };
    let asks = names(header::CONNECTION, "upgrade") && names(header::UPGRADE, "websocket");
    let speaks = one(headers, header::SEC_WEBSOCKET_VERSION) == Some("13");
    (asks && speaks).then(|| one(headers, header::SEC_WEBSOCKET_KEY))?
}

/// Whether a comma-separated header names something.
fn lists(value: &HeaderValue, name: &str) -> bool {
    let names = value.to_str().unwrap_or_default().split(',');
    names
        .into_iter()
        .any(|own| own.trim().eq_ignore_ascii_case(name))
}

/// The bare connection again, without the HTTP server's wrapping.
fn websocket(upgraded: Upgraded) -> Option<Socket> {
    let parts = upgraded.downcast::<TokioIo<Patient>>().ok()?;
    let stream = parts.io.into_inner().into_inner();
    Some(Socket::new(stream, parts.read_buf))
}
