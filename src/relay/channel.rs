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
use super::status::LatestStatus;
use super::store::{Feed, Kept, News, StreamId};
use super::wire::StatusParts;
use crate::model::{SessionConfig, StreamStatus, WallTime};

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
    pub fn leave(&self, id: ConnectionId) -> Vec<Ended> {
        self.callers().remove(id);
        let mut hub = self.hub();
        hub.leave(id);
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
        let status = lock(&self.status);
        let mut message: Value = serde_json::from_str(status.as_ref()?.given()).ok()?;
        Some(message["payload"].take())
    }

    /// What a status leaves out stays as it was: whoever counts viewers need not know
    /// what the host collects for. The turn is the caller's.
    pub fn complete(&self, told: &mut StreamStatus, says: &StatusParts) {
        if let Some(latest) = lock(&self.status).as_mut() {
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
        let moved = latest.advance(reached);
        if moved.given {
            self.tell("status", || parsed(latest.given()));
        }
        if moved.given || moved.settled {
            let (given, settled) = latest.frames();
            hub.renew_status(given, settled);
        }
        latest.take_note()
    }

    /// The status before and after, as the store has it and as it should, if these differ.
    pub fn take_note(&self) -> Option<(String, String)> {
        lock(&self.status).as_mut()?.take_note()
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
                }
                News::Ended(ended) => hub.has_ended(&ended.gift),
                News::Parked(more) => {
                    self.parked.fetch_add(more, Ordering::Relaxed);
                }
                News::Config(config) => hub.set_config(config),
                News::Status(status) => self.take_status(&mut hub, status),
                News::Control(control) => {
                    hub.control(&Frame::text(&control));
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
        if let Some(status) = kept.status {
            self.take_status(hub, status);
        }
        for gift in kept.unsettled {
            hub.restore(gift.serial, gift.gift, Frame::text(&gift.message));
        }
        hub.restored_until(kept.until);
    }

    fn take_status(&self, hub: &mut Stream<Frame>, told: String) {
        let mut status = lock(&self.status);
        let repeated = status.as_ref().and_then(|latest| latest.repeated(&told));
        // What the stages said of the goal holds for as long as it is where they say.
        if repeated.is_none() {
            self.roster.forget_goals();
        }
        let latest = status.insert(repeated.unwrap_or_else(|| LatestStatus::new(told)));
        let (given, settled) = latest.frames();
        hub.set_status(given, settled);
        self.tell("status", || parsed(latest.given()));
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
mod tests {
    use super::*;
    use crate::model::Telemetry;
    use crate::protocol::ClientType;
    use crate::relay::roster::Renderer;
    use crate::relay::status::goal_of;
    use crate::relay::store::Fresh;

    fn kept(serials: &[Serial]) -> Vec<News> {
        let unsettled = serials.iter().map(|serial| fresh(*serial)).collect();
        let until = serials.last().copied().unwrap_or(0);
        vec![News::Kept(Kept {
            unsettled,
            until,
            ..Kept::default()
        })]
    }

    fn fresh(serial: Serial) -> Fresh {
        Fresh {
            serial,
            gift: serial.to_string().into(),
            message: "{}".into(),
        }
    }

    #[test]
    fn nothing_is_heard_before_what_is_kept_and_nothing_twice() {
        let channels = Channels::default();
        let (stream, channel) = ("s".into(), channels.open("s").unwrap());
        channels.hear(&stream, vec![News::Gift(fresh(1))]);
        assert!(!channels.may_render(&stream, 1));
        assert_eq!(channel.hub().unsettled(), 0);
        channels.hear(&stream, kept(&[1, 2]));
        channels.hear(&stream, vec![News::Gift(fresh(2)), News::Gift(fresh(3))]);
        channels.hear(&stream, kept(&[9]));
        assert_eq!(channel.hub().unsettled(), 3);
        // Nobody has that one open.
        channels.hear(&"other".into(), kept(&[1]));
        assert_eq!(channels.sum().unsettled, 3);
    }

    #[test]
    fn the_figures_say_how_many_gifts_are_parked_whenever_that_was() {
        let channels = Channels::default();
        let (stream, channel) = ("s".into(), channels.open("s").unwrap());
        let mut events = channel.events();
        let mut parked = |news| {
            channels.hear(&stream, news);
            channel.tell_figures();
            let figures: Value = serde_json::from_str(&events.try_recv().unwrap().data).unwrap();
            figures["parked"].as_i64()
        };
        let before = Kept {
            parked: 2,
            ..Kept::default()
        };
        assert_eq!(parked(vec![News::Parked(7)]), Some(0), "not open yet");
        assert_eq!(parked(vec![News::Kept(before)]), Some(2));
        assert_eq!(parked(vec![News::Parked(1)]), Some(3));
        assert_eq!(parked(vec![News::Parked(-3)]), Some(0));
        // Of what the store is still counting one was shown just now.
        assert_eq!(parked(vec![News::Parked(-1)]), Some(0));
        assert_eq!(parked(vec![News::Parked(4)]), Some(3));
    }

    fn status(current: u32) -> String {
        let goal = json!({ "type": "gifts", "target": 8, "current": current, "description": "" });
        json!({
            "type": "stream:status",
            "payload": { "isLive": true, "viewerCount": 9, "currentGoal": goal },
        })
        .to_string()
    }

    /// A host's stage says how far it has come, and how much of that waits.
    fn say(channel: &Channel, id: ConnectionId, current: u32, waiting: u32) -> Option<String> {
        let mut goal = goal_of(&status(0)).unwrap();
        goal.current = current.into();
        let telemetry = Telemetry {
            goal: Some(goal),
            goal_waiting: waiting.into(),
            ..Telemetry::default()
        };
        channel.roster.told(id, Box::new(telemetry));
        channel.heed_goal().map(|(_, kept)| kept)
    }

    #[test]
    fn whoever_joins_hears_of_a_goal_without_the_gifts_that_are_sent_again() {
        let channels = Channels::default();
        let channel = channels.open("s").unwrap();
        channels.hear(&"s".into(), kept(&[]));
        channels.hear(&"s".into(), vec![News::Status(status(0))]);
        for id in [1, 2] {
            let host = Renderer::new(id.to_string().into(), ClientType::Host, true);
            channel.roster.join(id, host);
        }
        let shown = |channel: &Channel| channel.status().unwrap()["currentGoal"]["current"].clone();
        let current = |kept: Option<String>| Some(goal_of(&kept?)?.current);
        assert_eq!(current(say(&channel, 1, 5, 5)), None, "all of it waits");
        assert_eq!(shown(&channel), 5);
        assert_eq!(current(say(&channel, 1, 6, 2)), Some(4.0));
        assert_eq!(shown(&channel), 6);
        // One that lags behind was given the same.
        assert_eq!(current(say(&channel, 2, 6, 5)), None);
        assert_eq!(shown(&channel), 6);
        assert_eq!(current(say(&channel, 1, 6, 0)), Some(6.0));
        assert_eq!(current(say(&channel, 2, 5, 0)), None);
        // Set anew, it may be less, and what was said before does not count.
        channels.hear(&"s".into(), vec![News::Status(status(1))]);
        assert_eq!(current(say(&channel, 2, 2, 0)), Some(2.0));
        assert_eq!(shown(&channel), 2);
    }

    /// A stream whose goal has come to 20, of which 5 wait for the host's stage.
    fn waiting() -> (Channels, Arc<Channel>) {
        let channels = Channels::default();
        let channel = channels.open("s").unwrap();
        channels.hear(&"s".into(), kept(&[]));
        channels.hear(&"s".into(), vec![News::Status(status(0))]);
        let host = Renderer::new("h".into(), ClientType::Host, true);
        channel.roster.join(1, host);
        say(&channel, 1, 20, 5).unwrap();
        (channels, channel)
    }

    #[test]
    fn gifts_that_wait_are_not_in_a_goal_twice_when_its_figure_is_told_back() {
        let (channels, channel) = waiting();
        channel.roster.leave(1);
        channels.hear(&"s".into(), vec![News::Status(status(20))]);
        assert_eq!(channel.status().unwrap()["currentGoal"]["current"], 20);
        let (before, after) = channel.take_note().unwrap();
        let current = |kept: &str| goal_of(kept).unwrap().current;
        assert_eq!((current(&before), current(&after)), (20.0, 15.0));
        assert_eq!(channel.take_note(), None, "it is noted");
        // One that it has not come to is somebody's own.
        channels.hear(&"s".into(), vec![News::Status(status(19))]);
        assert_eq!(channel.take_note(), None);
    }

    #[test]
    fn a_status_that_leaves_the_goal_out_takes_nothing_off_it() {
        let (channels, channel) = waiting();
        let mut told = StreamStatus::default();
        channel.complete(&mut told, &StatusParts::default());
        assert_eq!(told.goal.as_ref().unwrap().current, 20.0);
        // Until it is kept the goal goes on, and what stages have said holds.
        say(&channel, 1, 22, 6);
        channels.hear(&"s".into(), vec![News::Status(status(20))]);
        assert_eq!(channel.status().unwrap()["currentGoal"]["current"], 22);
        let (_, after) = channel.take_note().unwrap();
        assert_eq!(goal_of(&after).unwrap().current, 16.0);
        let said = StatusParts {
            goal: true,
            ..StatusParts::default()
        };
        let mut none = StreamStatus::default();
        channel.complete(&mut none, &said);
        assert_eq!(none.goal, None, "it was said that there is none");
    }

    #[test]
    fn a_stream_is_closed_when_nobody_uses_it_and_its_count_stays() {
        let channels = Channels::default();
        let closed = Mutex::new(Vec::new());
        let close = |which| {
            channels.close_unused(which, |stream| {
                closed.lock().unwrap().push(stream.to_string());
            });
            std::mem::take(&mut *closed.lock().unwrap())
        };
        let close_twice = |which| close(which).len() + close(which).len();
        let channel = channels.open("s").unwrap();
        channels.hear(&"s".into(), kept(&[1]));
        let joining = Joining {
            client_id: "h".into(),
            role: ClientType::Host,
            hears_controls: false,
        };
        let (id, _, _) = channel.join(joining);
        channel
            .hub()
            .acked(id, &"1".into(), crate::relay::hub::Word::Rendered);
        assert_eq!(close_twice(Unused::All), 0, "it is in use");
        channel.leave(id);
        let events = channel.events();
        drop(channel);
        assert_eq!(close_twice(Unused::All), 0, "it is read");
        drop(events);
        channels.open("s");
        assert_eq!(close(Unused::All).len(), 0, "it was asked for just now");
        assert_eq!(close(Unused::All), ["s"]);
        assert_eq!(channels.sum().streams, 0);
        assert_eq!(channels.sum().tally.rendered, 1);
    }

    #[test]
    fn names_alone_go_first_and_what_a_stream_holds_keeps_it() {
        let channels = Channels::default();
        let settings = News::Kept(Kept {
            config: Some(default_config()),
            ..Kept::default()
        });
        let status = News::Status("{}".into());
        for (name, news) in [
            ("name", kept(&[])),
            ("gift", kept(&[1])),
            ("settings", vec![settings]),
            ("status", kept(&[]).into_iter().chain([status]).collect()),
        ] {
            channels.open(name).unwrap();
            channels.hear(&name.into(), news);
        }
        for _ in 0..2 {
            channels.close_unused(Unused::Names, |stream| assert_eq!(&**stream, "name"));
        }
        assert_eq!(channels.sum().streams, 3);
    }
}
