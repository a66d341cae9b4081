//! The listener, a task for each connection, and what they share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, interval, sleep};
use tracing::warn;

use super::channel::{Channel, Channels};
use super::door::{Door, one};
use super::figures::Figures;
use super::hub::Ended;
use super::limits::{
    FAREWELL, MAX_CONNECTIONS, MAX_EVENT_READERS, MAX_GREETING, MAX_HEAD, PATIENCE, Rates,
};
use super::problem::Problem;
use super::store::{Opened, Store, StoreError};
use super::tokens::{Role, Tokens};
use super::{api, events, upgrade};
use crate::model::WallTime;

/// How often what has waited is looked after.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How often history is tidied.
const TIDYING: Duration = Duration::from_secs(60);

/// What every request and every connection shares.
pub(super) struct Core {
    pub store: Box<dyn Store>,
    pub channels: Arc<Channels>,
    pub figures: Figures,
    pub greeting: Arc<Semaphore>,
    pub event_readers: Arc<Semaphore>,
    pub config_turn: Mutex<()>,
    pub stopping: watch::Receiver<bool>,
    /// The hubs' time began here.
    pub clock: Instant,
    tokens: Tokens,
    door: Door,
    rates: Rates,
    history: Duration,
}

/// Whose connection a request came by. The seat is free when every clone of it
/// is gone.
#[derive(Clone)]
pub(super) struct Guest {
    address: IpAddr,
    _seat: Arc<OwnedSemaphorePermit>,
}

impl Core {
    pub fn start(
        mut opened: Opened,
        tokens: Tokens,
        door: Door,
        history: Duration,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, StoreError> {
        let kept = std::mem::take(&mut opened.kept);
        let channels = Arc::new(Channels::restore(kept));
        let fed = channels.clone();
        let store = opened.start(Box::new(move |fresh| fed.deliver(fresh)))?;
        Ok(Arc::new(Self {
            store: Box::new(store),
            channels,
            figures: Figures::default(),
            greeting: Arc::new(Semaphore::new(MAX_GREETING)),
            event_readers: Arc::new(Semaphore::new(MAX_EVENT_READERS)),
            config_turn: Mutex::new(()),
            stopping,
            clock: Instant::now(),
            tokens,
            door,
            rates: Rates::new(),
            history,
        }))
    }

    /// Whether the bearer of a request's token is one of `roles`.
    pub fn authorise(
        &self,
        guest: &Guest,
        headers: &HeaderMap,
        roles: &[Role],
    ) -> Result<Role, Problem> {
        let given = one(headers, header::AUTHORIZATION);
        let token = given.and_then(|given| given.strip_prefix("Bearer "));
        let role = token.and_then(|token| self.tokens.role_of(token.trim().as_bytes()));
        let Some(role) = role else {
            self.figures.unauthorised();
            self.rates.guess(guest.address).map_err(Problem::too_many)?;
            return Err(Problem::unauthorised());
        };
        if roles.contains(&role) {
            return Ok(role);
        }
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let detail = format!("this takes the token of: {}", names.join(", "));
        Err(Problem::forbidden(&detail))
    }

    /// Passes on how gifts ended.
    pub async fn note(&self, channel: &Channel, ended: Vec<Ended>) {
        if ended.is_empty() {
            return;
        }
        for ended in &ended {
            channel.tell_ended(ended);
        }
        self.store.end(&channel.id, ended, WallTime::now()).await;
    }

    /// Notes what ended without anybody's doing, and tidies.
    async fn keep_house(&self) {
        let mut ticks = interval(HOUSEKEEPING);
        let mut tidy_at = Instant::now();
        loop {
            ticks.tick().await;
            for channel in self.channels.all() {
                let ended = channel.hub().take_ended();
                self.note(&channel, ended).await;
            }
            if Instant::now() >= tidy_at {
                tidy_at = Instant::now() + TIDYING;
                self.rates.tidy();
                self.forget().await;
            }
        }
    }

    async fn forget(&self) {
        let before = WallTime::now().checked_sub(self.history);
        // A history longer than time itself keeps everything.
        let Ok(before) = before else { return };
        loop {
            match self.store.forget_before(before).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    warn!(%error, "history was not tidied");
                    return;
                }
            }
        }
    }
}

/// Serves until `core.stopping`, and then a little longer for goodbyes.
pub(super) async fn serve(listener: TcpListener, core: &Arc<Core>) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let router = TowerToHyperService::new(router(core.clone()));
    let house = {
        let core = core.clone();
        tokio::spawn(async move { core.keep_house().await })
    };
    let mut stopping = core.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stopping) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: some will be given back.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(seat) = seats.clone().try_acquire_owned() else {
            core.figures.turned_away();
            continue;
        };
        let guest = Guest {
            address: peer.ip(),
            _seat: Arc::new(seat),
        };
        tokio::spawn(connection(stream, guest, router.clone()));
    }
    drop(listener);
    house.abort();
    let everybody = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    // Who does not leave in time is left.
    let _ = tokio::time::timeout(FAREWELL, seats.acquire_many(everybody)).await;
}

/// Resolves when the relay is told to stop.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Who could still tell has gone with the relay.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn connection(stream: TcpStream, guest: Guest, router: TowerToHyperService<Router>) {
    // A gift is small and waits for nobody.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(guest.clone());
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // What a stranger does to a connection of its own is no news.
    let _ = served.await;
}

fn router(core: Arc<Core>) -> Router {
    let stream = Router::new()
        .route("/gifts", post(api::post_gifts).get(api::get_gifts))
        .route("/status", put(api::put_status))
        .route("/config", get(api::get_config).patch(api::patch_config))
        .route("/control", post(api::post_control))
        .route("/events", get(events::events))
        .route("/history", get(api::get_history));
    Router::new()
        .route("/ws", get(upgrade::upgrade))
        .nest("/v1/streams/{id}", stream)
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/openapi.json", get(api::openapi))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(from_fn_with_state(core.clone(), admit))
        .with_state(core)
}

/// What every request has to pass.
async fn admit(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let guest = request.extensions().get::<Guest>();
    let rate = guest.map_or(Ok(()), |guest| core.rates.request(guest.address));
    if let Err(wait) = rate {
        core.figures.rate_limited();
        return Problem::too_many(wait).into_response();
    }
    match core.door.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
