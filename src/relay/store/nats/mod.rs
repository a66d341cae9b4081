//! The store that several relays share: one JetStream stream, the *log*, that
//! holds gifts, how they ended and the streams' settings, in one order.
//!
//! # Once under its id
//! A gift has a subject of its own, and is sent with the demand that the subject
//! be empty (`Nats-Expected-Last-Subject-Sequence: 0`). JetStream decides that
//! when the message takes its place in the log, whichever relays send at the same
//! time, and the subject stays taken until history forgets the gift. Whoever
//! finds it taken reads what is there: the same gift is a repeat, and is promised
//! because it was read, not because it was sent.
//!
//! `Nats-Msg-Id` is not used. Its window (two minutes) is shorter than the
//! promise, and a clustered server notes an id before its message is kept: what
//! it then says to a second sender is no proof that the first one's gift is
//! there, and if that gift is lost on the way, its id is refused for the rest of
//! the window.
//!
//! # Ended once
//! So has every ending: the first word is final. That a gift was parked stands
//! beside it and does not exclude that it is rendered later. A relay takes a gift
//! from its hosts when the log says that it ended, wherever that was. Until an
//! ending is in the log, its gift is sent to whoever joins elsewhere: a host that
//! changes relays within that moment is sent a gift again that it has shown. It
//! knows its id and answers without drawing it.
//!
//! # Settings
//! They are subjects of the log, and not in a KV bucket: what brings the gifts brings
//! them too, in the same order and with no watcher more, and to change one is the same
//! demand on its subject's last sequence as a bucket's `update` would make.
//!
//! # What a relay reads
//! For each stream that somebody uses there, one consumer in the order of the
//! log, from the first gift that is not settled on: see [`follower`]. However
//! many watch, NATS sends a gift to a relay once.

mod endings;
mod follower;
mod history;
mod log;
mod login;
mod names;
mod wire;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_nats::{ConnectError, Event, Subscriber};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::{info, warn};

use self::endings::Endings;
use self::follower::{Follower, View};
use self::log::{Log, PATIENCE, Refusal};
use self::names::Names;
use super::{
    Admission, Feed, Kinship, LOOKS, Listed, News, Offer, Page, Store, StoreError, StreamId,
    kinship,
};
use crate::model::{GiftId, SessionConfig, WallTime};
use crate::relay::hub::{Ended, Serial};
use crate::relay::limits::MAX_GIFTS;
use crate::relay::lock::lock;

pub use self::login::NatsOptions;

/// Gifts on their way to NATS, of all requests together. Beyond: requests wait
/// for each other.
const MAX_SENDING: usize = 2 * MAX_GIFTS;

/// Between two looks at whether NATS is well.
const PROBE: Duration = Duration::from_secs(1);

/// Before the first and between later tries to connect again.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A connection that has not answered two of these is dead.
const PING: Duration = Duration::from_secs(5);

/// How long an answer waits for the feed; what is kept is kept.
const BEHIND: Duration = Duration::from_secs(1);

/// What the store's tasks share.
pub(super) struct Shared {
    log: Log,
    feed: Arc<dyn Feed>,
    followers: Mutex<HashMap<StreamId, Follower>>,
    endings: Endings,
    sending: Semaphore,
    is_well: AtomicBool,
    connections: watch::Receiver<u64>,
}

impl Shared {
    fn followers(&self) -> MutexGuard<'_, HashMap<StreamId, Follower>> {
        lock(&self.followers)
    }

    /// What is known of a stream that is open.
    fn view(&self, stream: &StreamId) -> Option<Arc<View>> {
        self.followers().get(stream).map(|it| it.view.clone())
    }

    /// Waits until the feed has heard of a serial, if it hears of the stream.
    async fn reach(&self, stream: &StreamId, serial: Serial, patience: Duration) {
        if let Some(view) = self.view(stream) {
            view.reach(serial, patience).await;
        }
    }

    /// Starts to follow a stream; resolves when what is kept was heard of.
    async fn open(self: Arc<Self>, stream: StreamId) -> Result<(), StoreError> {
        let view = {
            let mut followers = self.followers();
            let follower = followers.entry(stream.clone()).or_insert_with(|| {
                let (log, feed) = (self.log.clone(), self.feed.clone());
                Follower::start(stream, log, feed, self.connections.clone())
            });
            follower.view.clone()
        };
        match view.reach(0, PATIENCE).await {
            true => Ok(()),
            false => Err(StoreError::Away("the stream's log cannot be read".into())),
        }
    }

    async fn accept(
        self: Arc<Self>,
        stream: StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> Result<Vec<Admission>, StoreError> {
        let names = Names::of(&stream);
        let places = u32::try_from(offers.len().min(MAX_SENDING)).unwrap_or(u32::MAX);
        let sending = self.sending.acquire_many(places).await;
        let _sending = sending.map_err(|_| StoreError::Closed)?;
        let mut sent = Vec::with_capacity(offers.len());
        for offer in offers {
            let subject = names.gift(&offer.id);
            let waiting = self.log.send(subject, offer.message.clone(), Some(0));
            sent.push((offer, waiting.await?));
        }
        let mut admissions = Vec::with_capacity(sent.len());
        let mut last = 0;
        for (offer, waiting) in sent {
            admissions.push(match waiting.kept().await {
                Ok(serial) => {
                    last = last.max(serial);
                    Admission::Accepted(offer.id)
                }
                Err(Refusal::Taken) => self.admit_known(&names, offer, now, &mut last).await?,
                Err(Refusal::Store(error)) => return Err(error),
            });
        }
        self.reach(&stream, last, BEHIND).await;
        Ok(admissions)
    }

    /// There is a gift of this id.
    async fn admit_known(
        &self,
        names: &Names,
        mut offer: Offer,
        now: WallTime,
        last: &mut Serial,
    ) -> Result<Admission, StoreError> {
        let mut further = 1..LOOKS;
        loop {
            offer = match kinship(&offer, &self.kept(names, &offer.id).await?, now) {
                Kinship::Same => return Ok(Admission::Repeated(offer.id)),
                Kinship::Update(update) if further.next().is_some() => update,
                Kinship::Other | Kinship::Update(_) => return Ok(Admission::Conflict(offer.id)),
            };
            let subject = names.gift(&offer.id);
            let sent = self.log.send(subject, offer.message.clone(), Some(0));
            match sent.await?.kept().await {
                Ok(serial) => {
                    *last = serial.max(*last);
                    return Ok(Admission::Accepted(offer.id));
                }
                Err(Refusal::Taken) => {}
                Err(Refusal::Store(error)) => return Err(error),
            }
        }
    }

    async fn kept(&self, names: &Names, gift: &GiftId) -> Result<String, StoreError> {
        let kept = self.log.last(&names.gift(gift)).await?;
        // History has forgotten it just now.
        let gone = || StoreError::Away("a gift came and went; send it again".into());
        kept.map(|entry| entry.text()).ok_or_else(gone)
    }

    async fn keep(
        &self,
        stream: &StreamId,
        subject: String,
        payload: Vec<u8>,
        expected: Option<Serial>,
    ) -> Result<(), StoreError> {
        let sent = self.log.send(subject.clone(), payload, expected).await?;
        match sent.kept().await {
            Ok(serial) => {
                self.reach(stream, serial, BEHIND).await;
                Ok(())
            }
            Err(Refusal::Taken) => {
                // Whoever looks again shall see what was quicker.
                if let Some(entry) = self.log.last(&subject).await? {
                    self.reach(stream, entry.serial, BEHIND).await;
                }
                Err(StoreError::Overtaken)
            }
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    async fn flush(self: Arc<Self>) {
        // What cannot be written while NATS is away is sent again.
        tokio::select! {
            () = self.endings.idle() => {}
            () = sleep(PATIENCE) => {}
        }
    }

    /// Looks after NATS until it is aborted, and says when it goes and comes.
    async fn probe(self: Arc<Self>) {
        loop {
            let looked = self.log.last_serial().await;
            let is_well = looked.is_ok();
            match (self.is_well.swap(is_well, Ordering::Relaxed), looked) {
                (true, Err(problem)) => warn!("gifts are refused: {problem}"),
                (false, Ok(_)) => info!("NATS is back, gifts are accepted"),
                (true, Ok(_)) | (false, Err(_)) => {}
            }
            sleep(PROBE).await;
        }
    }

    async fn hear_controls(self: Arc<Self>, mut controls: Subscriber) {
        while let Some(control) = controls.next().await {
            if let Some(stream) = names::stream_of(&control.subject) {
                let text = String::from_utf8_lossy(&control.payload).into_owned();
                self.feed.hear(&stream.into(), vec![News::Control(text)]);
            }
        }
    }
}

/// A store in NATS. Dropping it leaves NATS as it is.
pub(in crate::relay) struct NatsStore {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl NatsStore {
    /// # Errors
    /// When NATS cannot be reached, does not let us in, or cannot do what is
    /// needed.
    pub async fn connect(options: &NatsOptions, feed: Arc<dyn Feed>) -> Result<Self, StoreError> {
        let servers = login::servers(&options.servers)?;
        let (connected, connections) = watch::channel(0);
        let connecting = login::options(options)?
            .name("hyperfocus relay")
            // What a relay tells the others it knows itself.
            .no_echo()
            .ping_interval(PING)
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .reconnect_delay_callback(|tries| {
                let doublings = u32::try_from(tries.min(16)).unwrap_or(16);
                RECONNECT.1.min(RECONNECT.0 * 2_u32.pow(doublings))
            })
            .event_callback(move |event| {
                if matches!(event, Event::Connected) {
                    connected.send_modify(|times| *times += 1);
                }
                std::future::ready(())
            });
        let named = options.servers.clone();
        let foreign = |reason: String| StoreError::Foreign {
            server: named.clone(),
            reason,
        };
        let unreachable = |error: ConnectError| foreign(error.to_string());
        let client = connecting.connect(servers).await.map_err(unreachable)?;
        let log = Log::open(client.clone(), &options.servers, options.replicas).await?;
        let controls = client.subscribe(names::ALL_CONTROLS).await;
        let controls = controls.map_err(|error| foreign(error.to_string()))?;
        let questions = client.subscribe(names::ALL_QUESTIONS).await;
        let questions = questions.map_err(|error| foreign(error.to_string()))?;
        let shared = Arc::new(Shared {
            log,
            feed,
            followers: Mutex::default(),
            endings: Endings::default(),
            sending: Semaphore::new(MAX_SENDING),
            is_well: AtomicBool::new(true),
            connections,
        });
        let tasks = vec![
            tokio::spawn(shared.clone().hear_controls(controls)),
            tokio::spawn(endings::answer(shared.clone(), questions)),
            tokio::spawn(endings::write(shared.clone())),
            tokio::spawn(shared.clone().probe()),
        ];
        Ok(Self { shared, tasks })
    }
}

impl Drop for NatsStore {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.followers().clear();
    }
}

impl Store for NatsStore {
    fn open(&self, stream: &StreamId) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(self.shared.clone().open(stream.clone()))
    }

    fn close(&self, stream: &StreamId) {
        self.shared.followers().remove(stream);
    }

    fn accept(
        &self,
        stream: &StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> BoxFuture<'static, Result<Vec<Admission>, StoreError>> {
        Box::pin(self.shared.clone().accept(stream.clone(), offers, now))
    }

    fn end(&self, stream: &StreamId, ended: Vec<Ended>, now: WallTime) -> BoxFuture<'static, ()> {
        self.shared.endings.add(stream, ended, now.as_millisecond());
        Box::pin(std::future::ready(()))
    }

    fn flush(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.shared.clone().flush())
    }

    fn keep_config(
        &self,
        stream: &StreamId,
        config: &SessionConfig,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (shared, stream) = (self.shared.clone(), stream.clone());
        let config = serde_json::to_vec(&wire::Config::from(config));
        Box::pin(async move {
            let config = config.map_err(|error| StoreError::Failed(error.to_string()))?;
            let expected = shared.view(&stream).map(|view| view.config());
            let subject = Names::of(&stream).config();
            shared.keep(&stream, subject, config, expected).await
        })
    }

    fn keep_status(
        &self,
        stream: &StreamId,
        status: &str,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (shared, stream, status) = (self.shared.clone(), stream.clone(), status.into());
        Box::pin(async move {
            let subject = Names::of(&stream).status();
            shared.keep(&stream, subject, status, None).await
        })
    }

    fn control(&self, stream: &StreamId, control: &str) -> BoxFuture<'static, ()> {
        let client = self.shared.log.client.clone();
        let (subject, control) = (Names::of(stream).control(), control.to_owned());
        let is_connected = self.shared.log.is_connected();
        Box::pin(async move {
            if !is_connected {
                warn!("a control went to this relay's renderers only: NATS is away");
            } else if let Err(error) = client.publish(subject, control.into()).await {
                warn!(%error, "a control went to this relay's renderers only");
            }
        })
    }

    fn list(
        &self,
        stream: &StreamId,
        page: Page,
    ) -> BoxFuture<'static, Result<Vec<Listed>, StoreError>> {
        let (shared, stream) = (self.shared.clone(), stream.clone());
        Box::pin(async move {
            let view = shared.view(&stream).ok_or(StoreError::Closed)?;
            history::list(&shared.log, &view.names, &view, page).await
        })
    }

    fn find(
        &self,
        stream: &StreamId,
        gift: &GiftId,
    ) -> BoxFuture<'static, Result<Option<Listed>, StoreError>> {
        let (shared, names, gift) = (self.shared.clone(), Names::of(stream), gift.clone());
        Box::pin(async move { history::find(&shared.log, &names, &gift).await })
    }

    fn forget_before(&self, time: WallTime) -> BoxFuture<'static, Result<u64, StoreError>> {
        let shared = self.shared.clone();
        Box::pin(async move { history::forget_before(&shared.log, time).await })
    }

    fn is_well(&self) -> bool {
        self.shared.is_well.load(Ordering::Relaxed) && self.shared.log.is_connected()
    }
}
