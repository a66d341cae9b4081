//! `GET /v1/streams/{id}/events`: what happens on a stream, as server-sent
//! events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use tokio::sync::broadcast::error::RecvError;

use super::api::open;
use super::problem::Problem;
use super::server::{Core, Guest, stopped};
use super::tokens::Role;

/// A proxy before us passes each event on at once (nginx gathers them otherwise).
const UNBUFFERED: [(HeaderName, &str); 1] = [(HeaderName::from_static("x-accel-buffering"), "no")];

/// A comment at this interval keeps proxies from giving up the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn events(
    State(core): State<Arc<Core>>,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    core.authorise(&guest, &headers, &[Role::Host])?;
    // Whoever came by a cookie reads on while that is good for something.
    let signed_in = core
        .is_by_cookie(&headers)
        .then_some((core.clone(), headers));
    let channel = open(&core, &id).await?;
    let place = core.event_readers.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::crowded("too many readers of events"))?;
    let stopping = core.stopping.clone();
    let state = (channel.events(), stopping, place, guest, signed_in);
    let events = unfold(
        state,
        |(mut events, mut stopping, place, guest, signed_in)| async {
            let event = tokio::select! {
                event = events.recv() => event,
                () = stopped(&mut stopping) => Err(RecvError::Closed),
            };
            let event = match event {
                // They come once a second.
                Ok(event)
                    if event.name == "figures"
                        && let Some((core, headers)) = &signed_in
                        && !core.desk.is_signed_in(headers) =>
                {
                    return None;
                }
                Ok(event) => Event::default().event(event.name).data(&*event.data),
                Err(RecvError::Lagged(missed)) => {
                    Event::default().event("missed").data(missed.to_string())
                }
                Err(RecvError::Closed) => return None,
            };
            let state = (events, stopping, place, guest, signed_in);
            Some((Ok::<_, Infallible>(event), state))
        },
    );
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok((UNBUFFERED, events))
}
