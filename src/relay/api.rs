//! What HTTP offers: gifts and status in, settings and controls, and a look at
//! how things stand.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::channel::Channel;
use super::door::one;
use super::hub::Serial;
use super::limits::{MAX_BODY, MAX_GIFTS, MAX_LISTED, PATIENCE};
use super::parked::is_sent_again;
use super::problem::Problem;
use super::server::{Core, Guest, Unopened};
use super::socket::Frame;
use super::store::{
    Admission, Listed, Offer, Order, Page, State as GiftState, StoreError, StreamId,
};
use super::tokens::Role;
use super::wire::{ConfigPatch, GiftsQuery, HistoryQuery, StatusParts};
use crate::model::{SessionConfig, WallTime};
use crate::protocol::{ServerMessage, decode_payload, encode_server, limits};

/// Gifts listed when nobody says how many.
const LISTED: usize = 100;

/// The greatest serial that a gift can have, in any store.
const LAST_SERIAL: Serial = i64::MAX as Serial;

/// What is said to an action that is none; a test holds it against the protocol.
const CONTROLS: &str = "action is pause, resume, clear, skip, replay, hold, release, mute, \
                        do-not-disturb, volume or test";

/// How often a change of settings is tried that another relay was quicker than.
const CONFIG_TRIES: usize = 3;

/// The stream of this name.
pub(super) async fn open(core: &Core, id: &str) -> Result<Arc<Channel>, Problem> {
    if !(1..=limits::MAX_ID_BYTES).contains(&id.len()) || id.chars().any(char::is_control) {
        return Err(Problem::invalid(
            "a stream's id has 1 to 128 bytes and no control characters",
        ));
    }
    core.open(id).await.map_err(|unopened| match unopened {
        Unopened::Crowded => Problem::crowded("the relay has too many streams"),
        Unopened::Store(error) => error.into(),
    })
}

/// The body of a request that says it is JSON.
pub(super) async fn json_body<B>(headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    json_body_within(headers, body, MAX_BODY).await
}

/// The same, of so many bytes at most.
pub(super) async fn json_body_within<B>(
    headers: &HeaderMap,
    mut body: B,
    most: usize,
) -> Result<Bytes, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let kind = one(headers, header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::not_json());
    }
    let whole = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let frame = frame.map_err(|_| Problem::bad_request("the body broke off"))?;
            // What is not data is a trailer, and nobody reads those.
            let chunk = frame.into_data().unwrap_or_default();
            if whole.len() + chunk.len() > most {
                let detail = format!("a body has at most {most} bytes here");
                return Err(Problem::too_large(detail));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    timeout(PATIENCE, whole)
        .await
        .unwrap_or_else(|_| Err(Problem::too_slow()))
}

pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).expect("string keys and finite numbers serialise");
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// `POST gifts`: one or an array.
pub(super) async fn post_gifts(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    take_gifts(&core, &guest, &id, &headers, body).await
}

/// The same, for whoever knows already where the request is going.
pub(super) async fn take_gifts<B>(
    core: &Core,
    guest: &Guest,
    id: &str,
    headers: &HeaderMap,
    body: B,
) -> Result<Response, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    core.authorise(guest, headers, &[Role::Ingest])?;
    let body = json_body(headers, body).await?;
    let now = WallTime::now();
    let (offers, is_list) = offers(&body, now)?;
    let channel = open(core, id).await?;
    let admissions = core.store.accept(&channel.id, offers, now).await?;
    for admission in &admissions {
        match admission {
            Admission::Accepted(_) => core.figures.accepted(),
            Admission::Repeated(_) => core.figures.repeated(),
            Admission::Conflict(_) => core.figures.conflict(),
        }
    }
    let is_conflict = |admission: &Admission| matches!(admission, Admission::Conflict(_));
    let is_new = |admission: &Admission| matches!(admission, Admission::Accepted(_));
    let new = admissions.iter().filter(|it| is_new(it)).count();
    core.sources.http(new);
    let results: Vec<Told> = admissions.iter().map(told).collect();
    if admissions.iter().any(is_conflict) {
        return Err(Problem::conflict().with("results", json!(results)));
    }
    let status = match new {
        0 => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    Ok(match &*results {
        [only] if !is_list => json_response(status, only),
        results => json_response(status, &Results { results }),
    })
}

/// What is said of a gift that was offered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told<'a> {
    gift_id: &'a str,
    status: &'static str,
}

#[derive(Serialize)]
struct Results<'a> {
    results: &'a [Told<'a>],
}

pub(super) fn told(admission: &Admission) -> Told<'_> {
    let (id, status) = match admission {
        Admission::Accepted(id) => (id, "accepted"),
        Admission::Repeated(id) => (id, "repeated"),
        Admission::Conflict(id) => (id, "conflict"),
    };
    Told {
        gift_id: id,
        status,
    }
}

/// The gifts of a body, and whether they came in an array. One that cannot be
/// a gift refuses them all.
fn offers(body: &[u8], now: WallTime) -> Result<(Vec<Offer>, bool), Problem> {
    let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    if !is_list {
        let offer = Offer::read(body, now).map_err(|error| Problem::decode(&error))?;
        return Ok((vec![offer], false));
    }
    let listed: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("not a list of gifts: {error}")))?;
    if listed.len() > MAX_GIFTS {
        let detail = format!("send at most {MAX_GIFTS} gifts at once");
        return Err(Problem::too_large(detail));
    }
    let offers = listed.iter().enumerate().map(|(index, gift)| {
        Offer::read(gift.get().as_bytes(), now)
            .map_err(|error| Problem::decode(&error).with("index", index.into()))
    });
    Ok((offers.collect::<Result<_, _>>()?, true))
}

/// `PUT status`
pub(super) async fn put_status(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Ingest, Role::Host])?;
    let body = json_body(&headers, body).await?;
    let mut told =
        decode_payload("stream:status", &body).map_err(|error| Problem::decode(&error))?;
    let says = StatusParts::read(&body).map_err(Problem::bad_request)?;
    let channel = open(&core, &id).await?;
    // One after the other, so that none puts back what another has changed.
    let _turn = channel.settings_turn.lock().await;
    if let ServerMessage::Status(status) = &mut told {
        channel.complete(status, &says);
    }
    let message = encode_server(&told, WallTime::now());
    core.store.keep_status(&channel.id, &message).await?;
    if let Some((before, now)) = channel.take_note() {
        core.store.note_status(&channel.id, &before, &now).await;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET config`
pub(super) async fn get_config(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let channel = open(&core, &id).await?;
    let config = channel.hub().config().clone();
    Ok(json_response(StatusCode::OK, &config_json(&config)))
}

/// `PATCH config`
pub(super) async fn patch_config(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let body = json_body(&headers, body).await?;
    let patch: ConfigPatch =
        serde_json::from_slice(&body).map_err(|error| Problem::invalid(error.to_string()))?;
    let channel = open(&core, &id).await?;
    // One change after the other, so that none is lost.
    let _turn = channel.settings_turn.lock().await;
    let mut tries = CONFIG_TRIES;
    loop {
        let mut config = channel.hub().config().clone();
        patch.apply(&mut config).map_err(Problem::invalid)?;
        tries -= 1;
        match core.store.keep_config(&channel.id, &config).await {
            Ok(()) => return Ok(json_response(StatusCode::OK, &config_json(&config))),
            Err(StoreError::Overtaken) if tries > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn config_json(config: &SessionConfig) -> Value {
    let features: Vec<&str> = config.features.iter().map(|name| &**name).collect();
    json!({
        "maxGiftsPerSecond": config.max_gifts_per_second,
        "pingInterval": config.ping_interval.as_millis() as u64,
        "features": features,
    })
}

/// `POST control`: the payload of `x-control`.
pub(super) async fn post_control(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let body = json_body(&headers, body).await?;
    let control = match decode_payload("x-control", &body) {
        Ok(ServerMessage::Control(control)) => control,
        Ok(_) => return Err(Problem::invalid(CONTROLS)),
        Err(error) => return Err(Problem::decode(&error)),
    };
    let channel = open(&core, &id).await?;
    let gift = control.gift().cloned();
    let message = encode_server(&ServerMessage::Control(control), WallTime::now());
    core.store.control(&channel.id, &message).await;
    let told = channel.hub().control(&Frame::text(&message), gift.as_ref());
    channel.wake();
    Ok(json_response(StatusCode::OK, &json!({ "renderers": told })))
}

/// `GET gifts`
pub(super) async fn get_gifts(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    query: Result<Query<GiftsQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let Query(query) = query.map_err(|error| Problem::invalid(error.body_text()))?;
    let state = query.state.as_deref().map(state_of).transpose()?;
    let order = query.order.as_deref().map(order_of).transpose()?;
    let order = order.unwrap_or_default();
    if query.after > LAST_SERIAL {
        let detail = "after is the `next` of the page before, and no gift has so great a serial";
        return Err(Problem::invalid(detail));
    }
    let channel = open(&core, &id).await?;
    let limit = query.limit.unwrap_or(LISTED).clamp(1, MAX_LISTED);
    let page = Page {
        state,
        order,
        after: query.after,
        limit,
    };
    let listed = core.store.list(&channel.id, page).await?;
    let full = listed.len() == limit;
    let next = listed.last().filter(|_| full).map(|last| last.serial);
    let gifts: Vec<Value> = listed.iter().map(listed_json).collect();
    let body = json!({ "gifts": gifts, "next": next });
    Ok(json_response(StatusCode::OK, &body))
}

fn state_of(name: &str) -> Result<GiftState, Problem> {
    match name {
        "unacked" => Ok(GiftState::Unacked),
        "rendered" => Ok(GiftState::Rendered),
        "failed" => Ok(GiftState::Failed),
        "parked" => Ok(GiftState::Parked),
        _ => Err(Problem::invalid(
            "state is unacked, rendered, failed or parked",
        )),
    }
}

fn order_of(name: &str) -> Result<Order, Problem> {
    match name {
        "oldest" => Ok(Order::Oldest),
        "latest" => Ok(Order::Latest),
        _ => Err(Problem::invalid("order is oldest or latest")),
    }
}

fn listed_json(listed: &Listed) -> Value {
    let state = match listed.state {
        GiftState::Unacked => "unacked",
        GiftState::Rendered => "rendered",
        GiftState::Failed => "failed",
        GiftState::Parked => "parked",
    };
    let accepted = WallTime::from_millisecond(listed.accepted_at).unwrap_or_default();
    let message: Value = serde_json::from_str(&listed.message).unwrap_or_default();
    json!({
        "serial": listed.serial,
        "giftId": &*listed.gift,
        "state": state,
        "error": listed.reason,
        "acceptedAt": accepted.to_string(),
        "gift": message["payload"],
    })
}

/// `GET history`: every gift that is kept, or those of its last hours or days, as a
/// show file that can be recorded and judged: when it was accepted, and the message
/// that was sent.
pub(super) async fn get_history(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    query: Result<Query<HistoryQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let Query(query) = query.map_err(|error| Problem::invalid(error.body_text()))?;
    let span = query.span().map_err(Problem::invalid)?;
    let channel = open(&core, &id).await?;
    let now = WallTime::now();
    let (after, until) = match span {
        Some(span) => {
            // One longer than time itself is all that is kept.
            let since = now.checked_sub(span).unwrap_or(WallTime::MIN);
            // With what comes meanwhile it would become longer than was asked for.
            let until = last_before(&core, &channel.id, i64::MAX).await?;
            let after = last_before(&core, &channel.id, since.as_millisecond()).await?;
            (after, until)
        }
        None => (0, LAST_SERIAL),
    };
    let first = (core, channel, after);
    let pages = try_unfold(first, move |(core, channel, after)| async move {
        let page = Page {
            state: None,
            order: Order::Oldest,
            after,
            limit: MAX_LISTED,
        };
        let mut listed = core.store.list(&channel.id, page).await?;
        listed.retain(|gift| gift.serial <= until);
        let Some(last) = listed.last().map(|last| last.serial) else {
            return Ok(None);
        };
        let given = listed.iter().filter(|gift| !is_sent_again(gift));
        let lines: String = given.map(history_line).collect();
        Ok::<_, StoreError>(Some((lines, (core, channel, last))))
    });
    let kind = HeaderValue::from_static("application/jsonl");
    let body = Body::from_stream(pages);
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// The serial of the latest gift that was accepted before a time (Unix milliseconds),
/// 0 without any; looked for from the end, which is nearer.
async fn last_before(core: &Core, stream: &StreamId, time: i64) -> Result<Serial, StoreError> {
    let mut after = 0;
    loop {
        let page = Page {
            state: None,
            order: Order::Latest,
            after,
            limit: MAX_LISTED,
        };
        let listed = core.store.list(stream, page).await?;
        if let Some(earlier) = listed.iter().find(|gift| gift.accepted_at < time) {
            return Ok(earlier.serial);
        }
        match listed.last() {
            Some(last) => after = last.serial,
            None => return Ok(0),
        }
    }
}

fn history_line(listed: &Listed) -> String {
    let accepted = WallTime::from_millisecond(listed.accepted_at).unwrap_or_default();
    format!("{{\"at\":\"{accepted}\",\"message\":{}}}\n", listed.message)
}

/// `GET /v1/sources`
pub(super) async fn get_sources(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let body = json!({ "sources": core.sources.listed() });
    Ok(json_response(StatusCode::OK, &body))
}

/// `GET /healthz`: the process serves.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: gifts would be accepted.
pub(super) async fn readyz(State(core): State<Arc<Core>>) -> Response {
    match core.store.is_well() {
        true => "ok\n".into_response(),
        false => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not work; the log says why\n",
        )
            .into_response(),
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(core): State<Arc<Core>>) -> Response {
    let mut sum = core.channels.sum();
    // Of streams that nobody has open, too.
    if let Some(unsettled) = core.store.unsettled().await {
        sum.unsettled = unsettled as usize;
    }
    let text = core.figures.text(&sum, core.store.is_well());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    let document = include_str!("openapi.json");
    ([(header::CONTENT_TYPE, kind)], document).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_is_named_is_one() {
        let actions = CONTROLS.strip_prefix("action is ").unwrap();
        for action in actions.replace(" or ", ", ").split(", ") {
            let control = json!({
                "action": action, "giftId": "g", "giftType": "rose", "level": 1, "on": true,
            });
            let read = decode_payload("x-control", control.to_string().as_bytes());
            assert!(matches!(read, Ok(ServerMessage::Control(_))), "{action}");
        }
    }
}
