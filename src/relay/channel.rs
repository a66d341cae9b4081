//! The streams of the running relay: each one's hub, who is woken when it
//! changes, and what its events' readers hear.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::hub::{Ended, Ending, Stream, Tally};
use super::limits::MAX_STREAMS;
use super::store::{Fresh, Kept, StreamId};
use crate::model::SessionConfig;

/// Events that a slow reader may be behind; then it hears that it missed some.
const EVENTS: usize = 256;

/// What a stream grants unless its host says otherwise.
pub(super) fn default_config() -> SessionConfig {
    SessionConfig {
        features: vec!["x-control".into(), "x-ack-interim".into()],
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
    hub: Mutex<Stream<Utf8Bytes>>,
    changed: watch::Sender<()>,
    /// Made with the first reader.
    events: OnceLock<broadcast::Sender<Event>>,
}

impl Channel {
    fn new(id: StreamId, config: SessionConfig) -> Self {
        Self {
            id,
            hub: Mutex::new(Stream::new(config)),
            changed: watch::Sender::new(()),
            events: OnceLock::new(),
        }
    }

    /// The hub, for a moment: nothing waits while holding it.
    pub fn hub(&self) -> MutexGuard<'_, Stream<Utf8Bytes>> {
        // A panic elsewhere leaves it as good as it was.
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes every connection to ask the hub.
    pub fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Resolves after each [`wake`](Self::wake).
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
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

    pub fn tell_ended(&self, ended: &Ended) {
        self.tell("ended", || {
            let (state, error) = match &ended.ending {
                Ending::Rendered => ("rendered", None),
                Ending::Failed(reason) => ("failed", Some(&**reason)),
                Ending::Parked => ("parked", None),
            };
            json!({ "giftId": &*ended.gift, "state": state, "error": error })
        });
    }

    fn deliver(&self, fresh: Vec<Fresh>) {
        for gift in &fresh {
            self.tell("gift", || {
                serde_json::from_str(&gift.message).unwrap_or(Value::Null)
            });
        }
        let mut hub = self.hub();
        for gift in fresh {
            hub.publish(gift.serial, gift.gift, gift.message.into());
        }
        drop(hub);
        self.wake();
    }
}

/// All streams, by name.
#[derive(Default)]
pub(super) struct Channels(Mutex<HashMap<StreamId, Arc<Channel>>>);

impl Channels {
    /// Those of an earlier run.
    pub fn restore(kept: Vec<Kept>) -> Self {
        let channels = Self::default();
        for stream in kept {
            let config = stream.config.unwrap_or_else(default_config);
            let channel = Channel::new(stream.stream.clone(), config);
            let mut hub = channel.hub();
            if let Some(status) = stream.status {
                hub.set_status(status.into());
            }
            for (serial, gift, message) in stream.unsettled {
                hub.restore(serial, gift, message.into());
            }
            drop(hub);
            channels.lock().insert(stream.stream, Arc::new(channel));
        }
        channels
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamId, Arc<Channel>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of this name, made when there is none; `None` when there are
    /// too many.
    pub fn open(&self, id: &str) -> Option<Arc<Channel>> {
        let mut channels = self.lock();
        if let Some(channel) = channels.get(id) {
            return Some(channel.clone());
        }
        if channels.len() >= MAX_STREAMS {
            return None;
        }
        let channel = Arc::new(Channel::new(id.into(), default_config()));
        channels.insert(id.into(), channel.clone());
        Some(channel)
    }

    pub fn all(&self) -> Vec<Arc<Channel>> {
        self.lock().values().cloned().collect()
    }

    /// The store's feed.
    pub fn deliver(&self, fresh: Vec<Fresh>) {
        let mut streams: Vec<(StreamId, Vec<Fresh>)> = Vec::new();
        for gift in fresh {
            match streams
                .iter_mut()
                .find(|(stream, _)| *stream == gift.stream)
            {
                Some((_, gifts)) => gifts.push(gift),
                None => streams.push((gift.stream.clone(), vec![gift])),
            }
        }
        for (stream, gifts) in streams {
            // Opened before its gifts were offered to the store.
            if let Some(channel) = self.open(&stream) {
                channel.deliver(gifts);
            }
        }
    }

    /// Connected hosts and viewers, unsettled gifts, and what was counted.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for channel in self.all() {
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

/// All streams together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub streams: usize,
    pub hosts: usize,
    pub viewers: usize,
    pub unsettled: usize,
    pub tally: Tally,
}
