//! The streams of the running relay: each one's hub, who is woken when it
//! changes, and what its events' readers hear.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use serde_json::{Value, json};
use tokio::sync::{OnceCell, broadcast};

use super::api::config_json;
use super::bell::Bell;
use super::callers::Callers;
use super::courier::Lane;
use super::hub::{ConnectionId, Ended, Ending, Joining, Serial, Stream, Tally};
use super::limits::MAX_STREAMS;
use super::lock::lock;
use super::rates;
use super::roster::Roster;
use super::socket::Frame;
use super::status::{LatestStatus, Moved, goal_of};
use super::store::{Feed, Fresh, Kept, News, StreamId};
use super::wire::StatusParts;
use crate::model::{Gift, GiftId, Moment, SessionConfig, StreamStatus, WallTime};
use crate::protocol::{ServerMessage, decode_server};

/// Events that a slow reader may be behind; then it hears that it missed some.
const EVENTS: usize = 256;

/// The extension by which hosts say how their stages are doing.
pub(super) const TELEMETRY: &str = "x-telemetry";

/// What a stream grants unless its host says otherwise.
pub(super) fn default_config() -> SessionConfig {
    SessionConfig {
        features: ["x-control", "x-ack-interim", TELEMETRY]
            .map(Arc::from)
            .to_vec(),
        ..SessionConfig::default()
    }
}

/// Something that happened on a stream: its name, and JSON.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub name: &'static str,
    pub data: Arc<str>,
}

/// One stream.
pub(super) struct Channel {
    pub id: StreamId,
    hub: Mutex<Stream<Frame>>,
    /// A lock of its own, so that who is woken can ask the hub while the others
    /// still are.
    callers: Mutex<Callers>,
    /// Made with the first reader.
    events: OnceLock<broadcast::Sender<Event>>,
    /// Set by whoever opens it in the store.
    pub opened: OnceCell<()>,
    /// What is kept of it was heard, and what is heard now comes after that.
    is_current: AtomicBool,
    /// Somebody asked for it since it was last looked after.
    was_used: AtomicBool,
    pub roster: Roster,
    /// Held by whoever changes its configuration or its status.
    pub settings_turn: tokio::sync::Mutex<()>,
    pub judged: rates::Latest,
    status: Mutex<Option<LatestStatus>>,
    /// What had been counted when it was told last.
    counted: Mutex<Tally>,
    /// Gifts that are parked, by what the store says; below 0 for as long as what
    /// ended is counted already and what was parked before is not.
    parked: AtomicI64,
}

impl Channel {
    pub fn new(id: StreamId, config: SessionConfig) -> Self {
        Self {
            id,
            hub: Mutex::new(Stream::new(config)),
            callers: Mutex::default(),
            events: OnceLock::new(),
            opened: OnceCell::new(),
            is_current: AtomicBool::new(false),
            was_used: AtomicBool::new(true),
            roster: Roster::default(),
            settings_turn: tokio::sync::Mutex::default(),
            judged: rates::Latest::default(),
            status: Mutex::default(),
            counted: Mutex::default(),
            parked: AtomicI64::new(0),
        }
    }

    /// The hub, for a moment: nothing waits while holding it.
    pub fn hub(&self) -> MutexGuard<'_, Stream<Frame>> {
        lock(&self.hub)
    }

    fn callers(&self) -> MutexGuard<'_, Callers> {
        lock(&self.callers)
    }

    /// A connection, what it was granted, and the bell that says when to ask the
    /// hub. The older connection of its client is woken to learn that it is over.
    pub fn join(&self, joining: Joining) -> (ConnectionId, SessionConfig, Arc<Bell>) {
        let (id, displaced, config) = {
            let mut hub = self.hub();
            self.count_goal(&mut hub, &mut lock(&self.status));
            let (id, displaced) = hub.join(joining);
            (id, displaced, hub.config().clone())
        };
        let mut callers = self.callers();
        if let Some(displaced) = displaced {
            callers.wake(displaced);
        }
        (id, config, callers.add(id))
    }

    /// Has gifts carried to a viewer who joined, whenever it lends its lane.
    pub fn seat(self: &Arc<Self>, id: ConnectionId, lane: Arc<Lane>) {
        if let Some(row) = self.callers().seat(id, lane) {
            tokio::spawn(row.serve(self.clone()));
        }
    }

    /// A connection ends with the relay. Nothing is judged without it: it is back
    /// when the relay is, and is then asked again.
    pub fn abandon(&self, id: ConnectionId) {
        self.callers().remove(id);
    }

    /// Returns what ended with that.
    pub fn leave(&self, id: ConnectionId, now: Moment) -> Vec<Ended> {
        self.callers().remove(id);
        let mut hub = self.hub();
        hub.leave(id, now);
        hub.take_ended()
    }

    /// Returns what ended without anybody's doing.
    pub fn pass(&self, now: Moment) -> Vec<Ended> {
        let mut hub = self.hub();
        hub.pass(now);
        hub.take_ended()
    }

    /// Has the hub asked for every connection.
    pub fn wake(&self) {
        self.callers().wake_rows_and_others();
    }

    /// Wakes every connection, whatever the hub has for it.
    pub fn wake_everybody(&self) {
        self.callers().wake_everybody();
    }

    pub fn events(&self) -> broadcast::Receiver<Event> {
        let events = self.events.get_or_init(|| broadcast::channel(EVENTS).0);
        events.subscribe()
    }

    /// Tells whoever reads events; what it is is made only then.
    pub fn tell(&self, name: &'static str, data: impl FnOnce() -> Value) {
        if let Some(events) = self.events.get()
            && events.receiver_count() > 0
        {
            let data = data().to_string().into();
            // The last reader may have gone just now.
            let _ = events.send(Event { name, data });
        }
    }

    /// The payload of the latest `stream:status`.
    pub fn status(&self) -> Option<Value> {
        let mut hub = self.hub();
        let mut status = lock(&self.status);
        self.count_goal(&mut hub, &mut status);
        let mut message: Value = serde_json::from_str(status.as_ref()?.given()).ok()?;
        Some(message["payload"].take())
    }

    /// What a status leaves out stays as it was: whoever counts viewers need not know
    /// what the host collects for. The turn is the caller's.
    pub fn complete(&self, told: &mut StreamStatus, says: &StatusParts) {
        let mut hub = self.hub();
        let mut status = lock(&self.status);
        self.count_goal(&mut hub, &mut status);
        if let Some(latest) = status.as_mut() {
            latest.complete(told, says);
        }
    }

    /// A host's stage has said how far the goal has come: the sender of the status may
    /// have told it once and for all. Whoever joins later hears so. Returns what is to be
    /// noted, as [`take_note`](Self::take_note) does.
    pub fn heed_goal(&self) -> Option<(String, String)> {
        let mut hub = self.hub();
        let mut status = lock(&self.status);
        let latest = status.as_mut()?;
        let reached = self.roster.reached(&latest.goal()?)?;
        // What came until now is in that.
        hub.take_progress();
        let moved = latest.advance(reached);
        self.renew(&mut hub, latest, moved);
        latest.take_note()
    }

    /// Counts what came and what ended towards the goal, where no host's stage says how
    /// far that has come: none may be here, or none that can.
    fn count_goal(&self, hub: &mut Stream<Frame>, status: &mut Option<LatestStatus>) {
        if !hub.has_progress() {
            return;
        }
        let Some((goal, latest)) = status.as_mut().and_then(|it| Some((it.goal()?, it))) else {
            return;
        };
        if self.roster.reached(&goal).is_none()
            && let Some(moved) = latest.count(hub.take_progress())
        {
            self.renew(hub, latest, moved);
        }
    }

    fn renew(&self, hub: &mut Stream<Frame>, latest: &LatestStatus, moved: Moved) {
        if moved.given {
            self.tell("status", || parsed(latest.given()));
        }
        if moved.given || moved.settled {
            let (given, settled) = latest.frames();
            hub.renew_status(given, settled);
        }
    }

    /// The status before and after, as the store has it and as it should, if these differ.
    pub fn take_note(&self) -> Option<(String, String)> {
        let mut hub = self.hub();
        let mut status = lock(&self.status);
        self.count_goal(&mut hub, &mut status);
        status.as_mut()?.take_note()
    }

    /// Tells what a second has brought.
    pub fn tell_figures(&self) {
        let (tally, (hosts, viewers), unsettled) = {
            let hub = self.hub();
            (hub.tally(), hub.audience(), hub.unsettled())
        };
        let before = std::mem::replace(&mut *lock(&self.counted), tally);
        self.tell("figures", || {
            json!({
                "at": format!("{:.3}", WallTime::now()),
                "in": tally.published - before.published,
                "out": tally.rendered - before.rendered,
                "unsettled": unsettled,
                "parked": self.parked.load(Ordering::Relaxed).max(0),
                "hosts": hosts,
                "viewers": viewers,
            })
        });
    }

    fn tell_ended(&self, ended: &Ended) {
        self.tell("ended", || {
            let (state, error) = match &ended.ending {
                Ending::Rendered => ("rendered", None),
                Ending::Failed(reason) => ("failed", Some(&**reason)),
                Ending::Parked => ("parked", None),
            };
            json!({ "giftId": &*ended.gift, "state": state, "error": error })
        });
    }

    /// Events first, and then all of it to the hub, at once.
    fn hear(&self, news: Vec<News>) {
        for news in &news {
            self.tell_news(news);
        }
        let mut hub = self.hub();
        for news in news {
            match news {
                News::Kept(kept) => self.take_kept(&mut hub, kept),
                // What is kept is yet to come, and this is among it.
                _ if !self.is_current() => {}
                News::Gift(gift) => {
                    hub.publish(gift.serial, gift.gift, Frame::text(&gift.message));
                    hub.weigh(gift.serial, || gift_in(gift.message.as_bytes()));
                }
                News::Ended(ended) => hub.has_ended(&ended.gift),
                News::Parked(more) => {
                    self.parked.fetch_add(more, Ordering::Relaxed);
                }
                News::Config(config) => hub.set_config(config),
                News::Status(status) => self.take_status(&mut hub, status),
                News::Control(control) => {
                    hub.control(&Frame::text(&control), gift_named_in(&control).as_ref());
                }
            }
        }
        drop(hub);
        self.wake();
    }

    fn is_current(&self) -> bool {
        self.is_current.load(Ordering::Acquire)
    }

    fn take_kept(&self, hub: &mut Stream<Frame>, kept: Kept) {
        if self.is_current.swap(true, Ordering::AcqRel) {
            return;
        }
        self.parked.store(kept.parked as i64, Ordering::Relaxed);
        if let Some(config) = kept.config {
            hub.set_config(config);
        }
        // The status stands for the gifts before it.
        let unsettled = kept.unsettled.into_iter();
        let (before, after): (Vec<_>, Vec<_>) =
            unsettled.partition(|gift| gift.serial <= kept.status_at);
        restore(hub, before);
        if let Some(status) = kept.status {
            self.take_status(hub, status);
        }
        restore(hub, after);
        hub.restored_until(kept.until);
    }

    fn take_status(&self, hub: &mut Stream<Frame>, told: String) {
        let mut status = lock(&self.status);
        let repeated = status.as_ref().and_then(|latest| latest.repeated(&told));
        // What the stages said of the goal holds for as long as it is where they say.
        let latest = repeated.unwrap_or_else(|| {
            self.roster.forget_goals();
            let goal = goal_of(&told);
            let waiting = hub.aim(goal.as_ref().map(|goal| &*goal.kind), |frame| {
                gift_in(frame.payload())
            });
            LatestStatus::new(told, waiting)
        });
        *status = Some(latest);
        self.count_goal(hub, &mut status);
        if let Some(latest) = &*status {
            let (given, settled) = latest.frames();
            hub.set_status(given, settled);
            self.tell("status", || parsed(latest.given()));
        }
    }

    fn tell_news(&self, news: &News) {
        match news {
            News::Gift(gift) => self.tell("gift", || parsed(&gift.message)),
            News::Ended(ended) => self.tell_ended(ended),
            News::Config(config) => self.tell("config", || config_json(config)),
            // That of a status is told as it is then.
            News::Kept(_) | News::Parked(_) | News::Status(_) | News::Control(_) => {}
        }
    }

    /// Whether nobody is here, and nobody is about to come in.
    fn is_left(self: &Arc<Self>) -> bool {
        let readers = self
            .events
            .get()
            .map_or(0, broadcast::Sender::receiver_count);
        // Whoever comes in has it by another reference.
        Arc::strong_count(self) == 1 && readers == 0 && self.hub().audience() == (0, 0)
    }
}

/// The gift that a control names.
fn gift_named_in(control: &str) -> Option<GiftId> {
    match decode_server(control.as_bytes()) {
        Ok(ServerMessage::Control(control)) => control.gift().cloned(),
        _ => None,
    }
}

fn restore(hub: &mut Stream<Frame>, gifts: Vec<Fresh>) {
    for gift in gifts {
        hub.restore(gift.serial, gift.gift, Frame::text(&gift.message));
        hub.weigh(gift.serial, || gift_in(gift.message.as_bytes()));
    }
}

fn gift_in(message: &[u8]) -> Option<Gift> {
    match decode_server(message) {
        Ok(ServerMessage::Gift(gift)) => Some(gift),
        _ => None,
    }
}

fn parsed(message: &str) -> Value {
    serde_json::from_str(message).unwrap_or(Value::Null)
}

/// Which of the streams that nobody uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unused {
    /// Those that hold nothing: a name costs nothing, so somebody could take up
    /// every place with names alone.
    Names,
    /// Those too that have to be read from the store when they are opened again.
    All,
}

/// All streams, by name.
#[derive(Default)]
pub(super) struct Channels {
    open: Mutex<HashMap<StreamId, Arc<Channel>>>,
    /// What was counted on streams that were closed.
    past: Mutex<Tally>,
    is_shared: bool,
}

impl Channels {
    /// Of a store that other relays share, or not.
    pub fn of(is_shared: bool) -> Self {
        Self {
            is_shared,
            ..Self::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Arc<Channel>>> {
        lock(&self.open)
    }

    fn past(&self) -> MutexGuard<'_, Tally> {
        lock(&self.past)
    }

    /// The stream of this name, made when there is none; `None` when there are
    /// too many.
    pub fn open(&self, id: &str) -> Option<Arc<Channel>> {
        let mut channels = self.lock();
        if let Some(channel) = channels.get(id) {
            channel.was_used.store(true, Ordering::Relaxed);
            return Some(channel.clone());
        }
        if channels.len() >= MAX_STREAMS {
            return None;
        }
        let channel = Arc::new(Channel::new(id.into(), default_config()));
        if self.is_shared {
            channel.hub().share();
        }
        channels.insert(id.into(), channel.clone());
        Some(channel)
    }

    pub fn all(&self) -> Vec<Arc<Channel>> {
        self.lock().values().cloned().collect()
    }

    /// Closes streams that nobody uses and that were not used at the call before;
    /// `close` tells the store of each. What is unsettled there comes back when it
    /// is opened again.
    pub fn close_unused(&self, which: Unused, close: impl Fn(&StreamId)) {
        let mut past = self.past();
        // Nobody opens one of them meanwhile.
        self.lock().retain(|stream, channel| {
            let is_meant = which == Unused::All || channel.hub().is_idle();
            let is_unused = is_meant && channel.is_left();
            let stays = !is_unused || channel.was_used.swap(false, Ordering::Relaxed);
            if !stays {
                close(stream);
                *past += channel.hub().tally();
            }
            stays
        });
    }

    /// Connected hosts and viewers, unsettled gifts, and what was counted.
    pub fn sum(&self) -> Sum {
        let (tally, open) = {
            // Together: none is closed in between and counted twice, or never.
            let past = self.past();
            (*past, self.all())
        };
        let mut sum = Sum {
            tally,
            ..Sum::default()
        };
        for channel in open {
            let hub = channel.hub();
            let (hosts, viewers) = hub.audience();
            sum.streams += 1;
            sum.hosts += hosts;
            sum.viewers += viewers;
            sum.unsettled += hub.unsettled();
            sum.tally += hub.tally();
        }
        sum
    }
}

impl Feed for Channels {
    fn hear(&self, stream: &StreamId, news: Vec<News>) {
        let channel = self.lock().get(stream).cloned();
        if let Some(channel) = channel {
            channel.hear(news);
        }
    }

    fn may_render(&self, stream: &StreamId, serial: Serial) -> bool {
        let channel = self.lock().get(stream).cloned();
        channel.is_some_and(|it| it.is_current() && it.hub().may_render(serial))
    }
}

/// All streams together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub streams: usize,
    pub hosts: usize,
    pub viewers: usize,
    pub unsettled: usize,
    pub tally: Tally,
}

#[cfg(test)]
mod tests;
