//! What the desk reads besides gifts and settings: the streams, who is connected,
//! and the latest status.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::api::{json_response, open};
use super::problem::Problem;
use super::server::{Core, Guest};
use super::tokens::Role;

/// `GET /v1/streams`, by name.
pub(super) async fn get_streams(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let mut channels = core.channels.all();
    channels.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let streams = channels.iter().map(|channel| {
        let hub = channel.hub();
        let (hosts, viewers) = hub.audience();
        json!({
            "id": &*channel.id,
            "hosts": hosts,
            "viewers": viewers,
            "unsettled": hub.unsettled(),
        })
    });
    let streams: Vec<Value> = streams.collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "streams": streams }),
    ))
}

/// `GET status`: the payload of the latest `stream:status`.
pub(super) async fn get_status(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Ingest, Role::Host])?;
    let channel = open(&core, &id).await?;
    Ok(match channel.status() {
        Some(status) => json_response(StatusCode::OK, &status),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `GET renderers`
pub(super) async fn get_renderers(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let channel = open(&core, &id).await?;
    let body = json!({ "renderers": channel.roster.listed() });
    Ok(json_response(StatusCode::OK, &body))
}
