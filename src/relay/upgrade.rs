//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role as End, WebSocketConfig};

use super::client;
use super::door::one;
use super::limits::PATIENCE;
use super::problem::Problem;
use super::server::{Core, Guest};
use super::tokens::Role;
use crate::protocol::limits;

/// What a viewer says fits, and a longer message makes the buffer grow; the
/// library's own 128 KiB would be most of a viewer's memory.
const READ_BUFFER: usize = 2 * 1024;

/// Nothing is written before a flush; a batch of frames is less.
const WRITE_BUFFER: usize = 256 * 1024;

/// `GET /ws`.
pub(super) async fn upgrade(
    State(core): State<Arc<Core>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let guest = request.extensions_mut().remove::<Guest>();
    let guest = guest.ok_or_else(Problem::not_an_upgrade)?;
    let headers = request.headers();
    let role = core.authorise(&guest, headers, &[Role::Host, Role::Viewer])?;
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
            && let Some(socket) = websocket(upgraded).await
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

/// The bare socket again, without the HTTP server's wrapping.
async fn websocket(upgraded: Upgraded) -> Option<WebSocketStream<TcpStream>> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(limits::MAX_TRANSPORT_BYTES)
        .max_message_size(Some(limits::MAX_TRANSPORT_BYTES))
        .max_frame_size(Some(limits::MAX_TRANSPORT_BYTES));
    let stream = parts.io.into_inner();
    let read = parts.read_buf.to_vec();
    Some(WebSocketStream::from_partially_read(stream, read, End::Server, Some(config)).await)
}
