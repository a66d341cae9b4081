//! `GET /v1/streams/{id}/rates`: what other rates would have done to the last
//! minutes' gifts, so that a host does not turn that knob blindly. Judged by the
//! relay's own configuration, since no renderer tells what it is configured to.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{json_response, open};
use super::limits::MAX_LISTED;
use super::parked::is_sent_again;
use super::problem::Problem;
use super::server::{Core, Guest};
use super::store::{Listed, Order, Page, StoreError, StreamId};
use super::tokens::Role;
use super::wire::RatesQuery;
use crate::model::WallTime;
use crate::protocol::{ServerMessage, decode_server};
use crate::tune::{Arrival, Judgement, Rates, recommend};

/// How far back gifts are judged.
const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// Gifts that are judged, some 20 MB of them: as many as 33 a second make. Beyond:
/// the latest are, and the answer says how far back they reach.
const MAX_JUDGED: usize = 20_000;

/// Milliseconds by which gifts may have been accepted in another order than that in
/// which they are kept. Where an older gift is later than that, the clock was set back
/// in between, and nobody can say how long ago it came.
const DISORDER: i64 = 10_000;

/// Rates that are judged when nobody says which.
const USUAL: &str = "2,5,10,30";

/// An answer serves for so long: a page that asks again and again, or several
/// pages, cost one judgement.
const FRESH: Duration = Duration::from_secs(1);

/// The latest answer of a stream. Who judges has it locked, so that there is one
/// judgement at a time.
pub(super) type Latest = Arc<Mutex<Option<Judged>>>;

pub(super) struct Judged {
    at: Instant,
    rates: Rates,
    answer: Value,
}

pub(super) async fn get_rates(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    query: Result<Query<RatesQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    let Query(query) = query.map_err(|error| Problem::invalid(error.body_text()))?;
    let rates = query.rates.as_deref().unwrap_or(USUAL).parse::<Rates>();
    let rates = rates.map_err(|error| Problem::invalid(error.to_string()))?;
    let channel = open(&core, &id).await?;
    let mut latest = channel.judged.clone().lock_owned().await;
    if let Some(judged) = &*latest
        && judged.rates == rates
        && judged.at.elapsed() < FRESH
    {
        return Ok(json_response(StatusCode::OK, &judged.answer));
    }
    // A task of its own: when who asked has gone, the lock must not be free
    // before this is through.
    let judging = tokio::spawn(async move {
        let answer = judge(&core, &channel.id, rates.clone()).await?;
        *latest = Some(Judged {
            at: Instant::now(),
            rates,
            answer: answer.clone(),
        });
        Ok::<_, StoreError>(answer)
    });
    let answer = judging.await.map_err(|error| failed(&error))??;
    Ok(json_response(StatusCode::OK, &answer))
}

fn failed(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Failed(error.to_string())
}

async fn judge(core: &Core, stream: &StreamId, rates: Rates) -> Result<Value, StoreError> {
    let now = WallTime::now().as_millisecond();
    let since = now - LOOK_BACK.as_millis() as i64;
    let (gifts, since) = latest_gifts(core, stream, since, now).await?;
    let judge = core.judge.clone();
    // It takes milliseconds to seconds of a processor.
    let judging = tokio::task::spawn_blocking(move || {
        let arrivals = arrivals(gifts, since);
        let judged = rates.as_slice().iter();
        let judged: Vec<_> = judged.map(|rate| judge.judge(&arrivals, *rate)).collect();
        answer(&arrivals, &judged, (now - since) as f64 / 1e3)
    });
    judging.await.map_err(|error| failed(&error))
}

/// The gifts that were accepted since a time until now, newest first, and since when
/// these are all.
async fn latest_gifts(
    core: &Core,
    stream: &StreamId,
    since: i64,
    now: i64,
) -> Result<(Vec<Listed>, i64), StoreError> {
    let mut latest = now;
    let mut is_within = |gift: &Listed| {
        let is_older = gift.accepted_at <= latest.saturating_add(DISORDER);
        latest = gift.accepted_at;
        is_older && gift.accepted_at >= since
    };
    let mut gifts: Vec<Listed> = Vec::new();
    loop {
        let page = Page {
            state: None,
            order: Order::Latest,
            after: gifts.last().map_or(0, |last| last.serial),
            limit: MAX_LISTED,
        };
        let listed = core.store.list(stream, page).await?;
        let is_all = listed.len() < MAX_LISTED;
        let before = gifts.len();
        gifts.extend(listed.into_iter().take_while(&mut is_within));
        if is_all || gifts.len() < before + MAX_LISTED {
            return Ok((gifts, since));
        }
        if gifts.len() >= MAX_JUDGED {
            let since = gifts.last().map_or(since, |oldest| oldest.accepted_at);
            return Ok((gifts, since));
        }
    }
}

fn arrivals(gifts: Vec<Listed>, since: i64) -> Vec<Arrival> {
    let arrival = |listed: Listed| match decode_server(listed.message.as_bytes()) {
        Ok(ServerMessage::Gift(gift)) => Some(Arrival {
            at: Duration::from_millis(listed.accepted_at.saturating_sub(since).unsigned_abs()),
            gift,
        }),
        // We wrote it ourselves; a newer version may have written otherwise.
        _ => None,
    };
    let given = gifts.into_iter().rev().filter(|it| !is_sent_again(it));
    given.filter_map(arrival).collect()
}

fn answer(arrivals: &[Arrival], judged: &[Judgement], seconds: f64) -> Value {
    let rates = judged.iter().map(|judged| {
        json!({
            "rate": judged.rate,
            "waitP50": judged.wait.p50.as_secs_f64(),
            "waitP95": judged.wait.p95.as_secs_f64(),
            "waitMax": judged.wait.max.as_secs_f64(),
            "answeredShare": judged.answered_share(),
            "foldedShare": judged.folded_share(),
            "refusedShare": judged.refused_share(),
            "coverage": judged.coverage,
        })
    });
    let recommended = recommend(judged);
    json!({
        "gifts": arrivals.len(),
        "seconds": seconds,
        "rates": rates.collect::<Vec<_>>(),
        "recommended": recommended.map(|it| json!({ "rate": it.rate, "reason": it.reason })),
    })
}
