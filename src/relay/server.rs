//! The listener, a task for each connection, and what they share.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tracing::{error, warn};

use super::channel::{Channel, Channels, Unused};
use super::desk::Desk;
use super::door::{Door, one};
use super::figures::Figures;
use super::front::Front;
use super::hub::Ended;
use super::limits::{
    FAREWELL, LAST_WORDS, MAX_CONNECTIONS, MAX_EVENT_READERS, MAX_GREETING, MAX_HANDSHAKES,
    MAX_HEAD, PATIENCE, Rates, Seat, Seats, TLS_CHECK,
};
use super::problem::Problem;
use super::sources::Sources;
use super::store::{Store, StoreError};
use super::tls::Tls;
use super::tokens::{Role, Tokens};
use super::transport::{Patient, Stream};
use crate::model::WallTime;
use crate::tune::Judge;

/// How often what has waited is looked after.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Until another connection is tried to be taken in after one could not be.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How often history is tidied.
const TIDYING: Duration = Duration::from_secs(60);

/// The same after a time that failed: a full disk may wait for just that.
const TIDYING_AGAIN: Duration = Duration::from_secs(5);

/// What a running relay is put together from.
pub(super) struct Parts {
    pub store: Box<dyn Store>,
    pub channels: Arc<Channels>,
    pub tokens: Tokens,
    pub desk: Arc<Desk>,
    pub door: Door,
    /// How long settled gifts are kept.
    pub history: Duration,
    pub tls: Option<Arc<Tls>>,
    pub sources: Sources,
    pub judge: Judge,
    /// Closed when it is to stop.
    pub stopping: watch::Receiver<bool>,
}

/// What every request and every connection shares.
pub(super) struct Core {
    pub store: Box<dyn Store>,
    pub channels: Arc<Channels>,
    pub figures: Figures,
    pub sources: Sources,
    pub judge: Arc<Judge>,
    pub greeting: Arc<Semaphore>,
    pub event_readers: Arc<Semaphore>,
    pub stopping: watch::Receiver<bool>,
    /// The hubs' time began here.
    pub clock: Instant,
    tokens: Tokens,
    pub desk: Arc<Desk>,
    pub door: Door,
    rates: Rates,
    history: Duration,
    began: WallTime,
    tls: Option<Arc<Tls>>,
}

/// Why there is no stream of a name.
pub(super) enum Unopened {
    Crowded,
    Store(StoreError),
}

/// Whose connection a request came by. The seat is free when every clone of it
/// is gone.
#[derive(Clone)]
pub(super) struct Guest {
    address: IpAddr,
    /// Whether this request comes from the desk's page.
    pub is_own_page: bool,
    _seat: Arc<(OwnedSemaphorePermit, Seat)>,
}

impl Core {
    pub fn start(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            store: parts.store,
            channels: parts.channels,
            figures: Figures::default(),
            sources: parts.sources,
            judge: Arc::new(parts.judge),
            greeting: Arc::new(Semaphore::new(MAX_GREETING)),
            event_readers: Arc::new(Semaphore::new(MAX_EVENT_READERS)),
            stopping: parts.stopping,
            clock: Instant::now(),
            tokens: parts.tokens,
            desk: parts.desk,
            door: parts.door,
            rates: Rates::new(),
            history: parts.history,
            began: WallTime::now(),
            tls: parts.tls,
        })
    }

    /// Costs nothing to ask.
    pub fn is_stopping(&self) -> bool {
        // Nothing else is ever told this way.
        self.stopping.has_changed().unwrap_or(true)
    }

    /// Whether who comes here comes by TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The stream of this name, opened when it is not.
    pub async fn open(&self, id: &str) -> Result<Arc<Channel>, Unopened> {
        let channel = self.channels.open(id).ok_or(Unopened::Crowded)?;
        let opened = channel
            .opened
            .get_or_try_init(|| self.store.open(&channel.id));
        opened.await.map_err(Unopened::Store)?;
        Ok(channel)
    }

    /// Whether whoever asks is one of `roles`: by a token, or, as a host, by
    /// being signed in at the desk and asking from its page.
    pub fn authorise(
        &self,
        guest: &Guest,
        headers: &HeaderMap,
        roles: &[Role],
    ) -> Result<Role, Problem> {
        let at_desk = || guest.is_own_page && self.desk.is_signed_in(headers);
        let role = self
            .bearer(headers)
            .or_else(|| at_desk().then_some(Role::Host));
        self.judge(guest, role, roles)
    }

    /// The same by a token only.
    pub fn authorise_bearer(
        &self,
        guest: &Guest,
        headers: &HeaderMap,
        roles: &[Role],
    ) -> Result<Role, Problem> {
        self.judge(guest, self.bearer(headers), roles)
    }

    /// Whether an authorised request is so by the desk's cookie.
    pub fn is_by_cookie(&self, headers: &HeaderMap) -> bool {
        self.bearer(headers).is_none()
    }

    fn bearer(&self, headers: &HeaderMap) -> Option<Role> {
        let token = one(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
        self.tokens.role_of(token.trim().as_bytes())
    }

    /// Whether a request still fits what its address may send, or how long that takes.
    pub fn admit(&self, guest: &Guest) -> Result<(), Duration> {
        let rate = self.rates.request(guest.address);
        rate.inspect_err(|_| self.figures.rate_limited())
    }

    /// Somebody gave a wrong secret.
    pub fn wrong_guess(&self, guest: &Guest) -> Result<(), Problem> {
        self.figures.unauthorised();
        self.rates.guess(guest.address).map_err(Problem::too_many)
    }

    fn judge(&self, guest: &Guest, role: Option<Role>, roles: &[Role]) -> Result<Role, Problem> {
        let Some(role) = role else {
            self.wrong_guess(guest)?;
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
        self.store.end(&channel.id, ended, WallTime::now()).await;
    }

    /// Notes how far a goal has come that no host's stage tells of.
    async fn note_goal(&self, channel: &Channel) {
        if let Some((before, now)) = channel.take_note() {
            self.store.note_status(&channel.id, &before, &now).await;
        }
    }

    /// Notes what ended without anybody's doing, and forgets who has gone.
    async fn keep_house(&self) {
        let mut ticks = interval(HOUSEKEEPING);
        // What a second has brought is told once a second, also after a hold-up.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidy_at = Instant::now();
        loop {
            ticks.tick().await;
            self.sources.tell(&self.channels);
            for channel in self.channels.all() {
                let ended = channel.pass(self.clock.elapsed());
                self.note(&channel, ended).await;
                self.note_goal(&channel).await;
                channel.tell_figures();
            }
            self.close_unused(Unused::Names);
            if self.rates.is_crowded() {
                self.rates.tidy();
            }
            if Instant::now() >= tidy_at {
                tidy_at = Instant::now() + TIDYING;
                self.rates.tidy();
                self.close_unused(Unused::All);
            }
        }
    }

    /// Deletes what has become history. Much of that takes minutes, for which
    /// nothing else may wait.
    async fn tidy(&self) {
        loop {
            let is_done = self.forget().await;
            sleep(if is_done { TIDYING } else { TIDYING_AGAIN }).await;
        }
    }

    fn close_unused(&self, which: Unused) {
        self.channels
            .close_unused(which, |stream| self.store.close(stream));
    }

    /// Looks whether there is a new certificate.
    async fn watch_certificate(tls: Option<Arc<Tls>>) {
        let Some(tls) = tls else { return };
        let mut ticks = interval(TLS_CHECK);
        loop {
            ticks.tick().await;
            let tls = tls.clone();
            // It says itself how it went.
            let _ = tokio::task::spawn_blocking(move || tls.renew()).await;
        }
    }

    /// Deletes what has become history; false when it is to be tried again.
    async fn forget(&self) -> bool {
        let now = by_both_clocks(self.began, self.clock.elapsed(), WallTime::now());
        // A history longer than time itself keeps everything.
        let Ok(before) = now.checked_sub(self.history) else {
            return true;
        };
        loop {
            match self.store.forget_before(before).await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    warn!(%error, "history was not tidied");
                    return false;
                }
            }
        }
    }
}

/// The time of day, unless the clock was put forward since we began: then it is
/// as late as it would be without that. What is kept for days must not go because
/// somebody set the clock. Put back, it keeps things for longer.
fn by_both_clocks(began: WallTime, elapsed: Duration, says: WallTime) -> WallTime {
    let counted = began.checked_add(elapsed).unwrap_or(says);
    counted.min(says)
}

/// Serves until `core.stopping`, and then a little longer for goodbyes.
pub(super) async fn serve(listener: TcpListener, core: &Arc<Core>, per_address: Option<usize>) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    let addresses = Seats::new(per_address);
    let front = Arc::new(Front::new(core.clone()));
    let house = {
        let core = core.clone();
        tokio::spawn(async move { core.keep_house().await })
    };
    let tidying = {
        let core = core.clone();
        tokio::spawn(async move { core.tidy().await })
    };
    let certificate = tokio::spawn(Core::watch_certificate(core.tls.clone()));
    let mut sources = Sources::start(core);
    let mut stopping = core.stopping.clone();
    let mut has_said = false;
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener, &core.figures, &mut has_said) => accepted,
            () = stopped(&mut stopping) => break,
        };
        // A gift is small and waits for nobody.
        let _ = stream.set_nodelay(true);
        let address = peer.ip();
        let (Ok(seat), Some(own)) = (seats.clone().try_acquire_owned(), addresses.take(address))
        else {
            core.figures.turned_away();
            continue;
        };
        let guest = Guest {
            address,
            is_own_page: false,
            _seat: Arc::new((seat, own)),
        };
        let Some(tls) = core.tls.clone() else {
            tokio::spawn(connection(Stream::plain(stream), guest, front.clone()));
            continue;
        };
        let Ok(handshake) = handshakes.clone().try_acquire_owned() else {
            core.figures.turned_away();
            continue;
        };
        let front = front.clone();
        tokio::spawn(async move {
            let secure = tls.accept(stream).await;
            drop(handshake);
            if let Some(stream) = secure {
                // On a task of its own, since this one is as large as a handshake.
                tokio::spawn(connection(stream, guest, front));
            }
        });
    }
    drop(listener);
    house.abort();
    tidying.abort();
    certificate.abort();
    core.channels
        .all()
        .iter()
        .for_each(|channel| channel.wake_everybody());
    let everybody = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    // What the sources hold is stored, if it can be: nobody says it again.
    let stored = timeout(LAST_WORDS, async {
        while sources.join_next().await.is_some() {}
    });
    // Who does not leave in time is left.
    let left = timeout(FAREWELL, seats.acquire_many(everybody));
    let (stored, _) = tokio::join!(stored, left);
    if stored.is_err() {
        error!("the store took nothing any more: what sources still held is lost");
    }
    // What is not safe by then is sent again.
    let safe = async {
        for channel in core.channels.all() {
            core.note_goal(&channel).await;
        }
        core.store.flush().await;
    };
    let _ = timeout(FAREWELL, safe).await;
}

/// The next connection, however long the system lets none be taken in.
async fn accept(
    listener: &TcpListener,
    figures: &Figures,
    has_said: &mut bool,
) -> (TcpStream, SocketAddr) {
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // It has gone again while it waited.
        if error.kind() == ErrorKind::ConnectionAborted {
            continue;
        }
        figures.not_taken_in();
        if !std::mem::replace(has_said, true) {
            warn!(
                %error,
                "connections have to wait; with too many files open, raise the limit: ulimit -n, \
                 or LimitNOFILE in systemd's unit"
            );
        }
        // Whoever leaves makes room.
        sleep(ACCEPT_AGAIN).await;
    }
}

/// Resolves when the relay is told to stop.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Who could still tell has gone with the relay.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn connection(stream: Stream, guest: Guest, front: Arc<Front>) {
    let service = service_fn(move |request| {
        let (front, guest) = (front.clone(), guest.clone());
        async move { Ok::<_, Infallible>(front.answer(guest, request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream)), service)
        .with_upgrades();
    // What a stranger does to a connection of its own is no news.
    let _ = served.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_put_forward_makes_nothing_old() {
        let at = |second| WallTime::from_second(second).expect("a time");
        let hour = Duration::from_secs(3600);
        let began = at(1_800_000_000);
        let fair = at(1_800_003_600);
        assert_eq!(by_both_clocks(began, hour, fair), fair);
        let years_on = at(1_900_000_000);
        assert_eq!(by_both_clocks(began, hour, years_on), fair);
        let years_ago = at(0);
        assert_eq!(by_both_clocks(began, hour, years_ago), years_ago);
    }
}
