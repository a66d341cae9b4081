//! Where gifts come from besides HTTP: connections that the relay keeps up, and
//! show files that it plays.
//!
//! ```text
//! platform -> its module -> Given -> Rules (which gift is that?) -> Offer
//!                                                                    |
//!                           store, as for HTTP <- intake <- HELD <---+
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `streamerbot`, `tikfinity`, `twitch`, `file` | what each of them says, and when |
//! | `fields`, `given`, `rules` | from a platform's words to a gift |
//! | `streaks` | from running totals to pieces |
//! | `wire` | a WebSocket that notices when its peer is gone |
//! | `intake` | into the store, however long that takes |
//! | `entry` | how a source is, for the desk |
//!
//! # What holds for each
//! - It connects only where the configuration points, and again for ever.
//! - An event is a gift once: its id comes from the platform's own, and the
//!   store keeps one gift under an id.
//! - No gift is dropped. While the store takes nothing, up to [`HELD`] wait,
//!   and then the source is no longer read.
//! - What cannot be read is counted and said once, without its content.

mod entry;
mod fields;
mod file;
mod given;
mod intake;
mod rules;
mod secret;
mod streaks;
mod streamerbot;
mod tikfinity;
mod twitch;
mod wire;

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::channel::{Channel, Channels};
use super::lock::lock;
use super::server::{Core, Unopened, stopped};
use super::store::Offer;
use crate::config::{SourceKind, SourceSettings};
use crate::model::WallTime;
use crate::net::{Dialer, NetError};
use crate::protocol::surrogates;
use crate::session::{Backoff, ConnectFailure, Timing};

use entry::{Entry, State};
use file::Replay;
use given::Given;
use rules::Rules;
use streamerbot::Streamerbot;
use tikfinity::Tikfinity;
use twitch::Twitch;

/// Gifts of one source that may wait for the store; some 2 MB of them. With so
/// many waiting the source is not read until the store takes some, so that its
/// peer keeps the rest.
const HELD: usize = 1_024;

/// Between two attempts to read a stream before its source is connected.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// Every source of a relay, HTTP first.
pub(super) struct Sources {
    http: Arc<Entry>,
    configured: Vec<Arc<Entry>>,
    /// Until they are started.
    plans: Mutex<Vec<Plan>>,
}

struct Plan {
    source: Source,
    rules: Rules,
    entry: Arc<Entry>,
}

enum Source {
    Streamerbot(Streamerbot),
    Tikfinity(Tikfinity),
    Twitch(Box<Twitch>),
    File(Replay),
}

/// Why a source's connection ended.
#[derive(Debug)]
struct Failure {
    text: String,
    /// Trying again soon will not mend it.
    is_lasting: bool,
}

impl Failure {
    fn passing(text: impl ToString) -> Self {
        Self {
            text: text.to_string(),
            is_lasting: false,
        }
    }

    fn lasting(text: impl ToString) -> Self {
        Self {
            text: text.to_string(),
            is_lasting: true,
        }
    }
}

impl From<ConnectFailure> for Failure {
    fn from(failure: ConnectFailure) -> Self {
        let is_passing = matches!(
            failure,
            ConnectFailure::Dns(_)
                | ConnectFailure::Refused
                | ConnectFailure::Unreachable(_)
                | ConnectFailure::TimedOut
                | ConnectFailure::Http {
                    status: 429 | 500..,
                    ..
                }
        );
        Self {
            text: failure.to_string(),
            is_lasting: !is_passing,
        }
    }
}

/// A connection that ends only by failing.
type Session = Result<Infallible, Failure>;

/// A source's way into the relay.
struct Inlet {
    entry: Arc<Entry>,
    channel: Arc<Channel>,
    core: Arc<Core>,
    rules: Rules,
    gifts: mpsc::Sender<Offer>,
}

impl Inlet {
    /// Hands a gift on, after however many wait.
    async fn give(&self, given: &Given<'_>) {
        match given.offer(&self.rules, WallTime::now()) {
            Ok(offer) => self.offer(offer).await,
            Err(error) => self.entry.unreadable(&error.to_string()),
        }
    }

    async fn offer(&self, offer: Offer) {
        // The intake outlives every inlet.
        let _ = self.gifts.send(offer).await;
    }

    /// A message as JSON; one that is none is counted and said.
    fn read(&self, text: &str) -> Option<Value> {
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                // The error's own text may repeat what a viewer wrote.
                let (kind, line, column) = (error.classify(), error.line(), error.column());
                self.entry
                    .unreadable(&format!("not JSON ({kind:?} error, {line}:{column})"));
                None
            }
        }
    }
}

/// What a platform says, also where a name was cut in the middle of an emoji.
fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| match surrogates::repair(text) {
        Some(repaired) => serde_json::from_str(&repaired),
        None => Err(error),
    })
}

impl Sources {
    /// # Errors
    /// The source whose address cannot be used.
    pub fn new(
        settings: Vec<SourceSettings>,
        ca_file: Option<&Path>,
    ) -> Result<Self, (String, NetError)> {
        let mut configured = Vec::new();
        let mut plans = Vec::new();
        for settings in settings {
            let kind = settings.kind.word();
            let source = Source::new(settings.kind, ca_file);
            let source = source.map_err(|error| (settings.name.clone(), error))?;
            let entry = Arc::new(Entry::new(&settings.name, kind, &settings.stream));
            configured.push(entry.clone());
            plans.push(Plan {
                source,
                rules: Rules::new(settings.map),
                entry,
            });
        }
        let http = Entry::new("http", "http", entry::EVERY_STREAM);
        http.set(State::Connected, None);
        Ok(Self {
            http: Arc::new(http),
            configured,
            plans: Mutex::new(plans),
        })
    }

    /// Gifts came over HTTP, and so many of them were new.
    pub fn http(&self, new: usize) {
        self.http.event();
        self.http.accepted(new);
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        std::iter::once(&self.http).chain(&self.configured)
    }

    /// `GET /v1/sources`
    pub fn listed(&self) -> Vec<Value> {
        self.entries().map(|entry| entry.listed()).collect()
    }

    /// Tells the readers of events what has changed since the last time.
    pub fn tell(&self, channels: &Channels) {
        let changed = self.entries().filter(|entry| entry.take_changed());
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() {
            return;
        }
        let all = channels.all();
        for entry in changed {
            for channel in all.iter().filter(|channel| entry.is_of(&channel.id)) {
                channel.tell("source", || entry.listed());
            }
        }
    }

    /// Starts what is configured; it ends when the relay stops.
    pub fn start(core: &Arc<Core>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for plan in lock(&core.sources.plans).drain(..) {
            tasks.spawn(plan.run(core.clone()));
        }
        tasks
    }
}

impl Plan {
    async fn run(self, core: Arc<Core>) {
        let Some(channel) = core.channels.open(self.entry.stream()) else {
            let full = "the relay has too many streams; restart it without those it needs no more";
            return self.entry.set(State::Waiting, Some(full.to_owned()));
        };
        let (gifts, held) = mpsc::channel(HELD);
        let inlet = Inlet {
            entry: self.entry.clone(),
            channel: channel.clone(),
            core: core.clone(),
            rules: self.rules,
            gifts,
        };
        let mut stopping = core.stopping.clone();
        let reading = async {
            // What is held when the inlet goes is still the intake's.
            tokio::select! {
                () = keep_up(self.source, inlet) => {}
                () = stopped(&mut stopping) => {}
            }
        };
        let taking = intake::run(&core, &channel, &self.entry, held);
        tokio::join!(reading, taking);
    }
}

/// Connects, again and again.
async fn keep_up(mut source: Source, inlet: Inlet) {
    let entry = &inlet.entry;
    let timing = Timing::default();
    let mut backoff = Backoff::new(fastrand::u64(..));
    source.begin(&inlet).await;
    loop {
        entry.set(State::Connecting, None);
        let begun = Instant::now();
        let Err(failure) = source.session(&inlet).await else {
            info!(source = entry.name(), "played to its end");
            return entry.set(State::Ended, None);
        };
        if begun.elapsed() >= timing.health {
            backoff.reset();
        }
        let wait = match failure.is_lasting {
            true => backoff.slow_delay(&timing),
            false => backoff.delay(&timing),
        };
        if entry.is_news(&failure.text) {
            warn!(
                source = entry.name(),
                "{}; trying again until it works", failure.text
            );
        }
        entry.set(State::Waiting, Some(failure.text));
        sleep(wait).await;
    }
}

impl Source {
    fn new(kind: SourceKind, ca_file: Option<&Path>) -> Result<Self, NetError> {
        Ok(match kind {
            SourceKind::Streamerbot { url, password } => {
                Self::Streamerbot(Streamerbot::new(Dialer::new(&url, ca_file)?, password))
            }
            SourceKind::Tikfinity { url } => {
                Self::Tikfinity(Tikfinity::new(Dialer::new(&url, ca_file)?))
            }
            SourceKind::Twitch {
                url,
                api,
                client_id,
                token,
                channel,
            } => {
                let dialer = Dialer::new(&url, ca_file)?;
                let helix = twitch::Helix::new(&api, ca_file, client_id, token, channel)?;
                Self::Twitch(Box::new(Twitch::new(dialer, helix)))
            }
            SourceKind::File {
                path,
                speed,
                repeats,
            } => Self::File(Replay::new(path, speed, repeats)),
        })
    }

    /// Opens the stream in the store, so that its gifts are counted and bounded here even
    /// if nobody watches, and looks up what an earlier run knew, however long that
    /// takes: without it what that run has counted would be counted again.
    async fn begin(&mut self, inlet: &Inlet) {
        let entry = &inlet.entry;
        while let Err(failure) = self.try_to_begin(inlet).await {
            if entry.is_news(&failure.text) {
                warn!(
                    source = entry.name(),
                    "{}; it is not connected before its stream can be read", failure.text
                );
            }
            entry.set(State::Waiting, Some(failure.text));
            sleep(BEGIN_AGAIN).await;
        }
    }

    async fn try_to_begin(&mut self, inlet: &Inlet) -> Result<(), Failure> {
        let opened = inlet.core.open(&inlet.channel.id).await;
        opened.map_err(|unopened| match unopened {
            Unopened::Crowded => Failure::passing("the relay has too many streams"),
            Unopened::Store(error) => Failure::passing(error),
        })?;
        match self {
            Self::Tikfinity(tikfinity) => tikfinity.recall(inlet).await,
            _ => Ok(()),
        }
    }

    /// One connection, to its end; `Ok` when nothing will ever follow.
    async fn session(&mut self, inlet: &Inlet) -> Result<(), Failure> {
        let session = match self {
            Self::Streamerbot(streamerbot) => streamerbot.session(inlet).await,
            Self::Tikfinity(tikfinity) => tikfinity.session(inlet).await,
            Self::Twitch(twitch) => twitch.session(inlet).await,
            Self::File(replay) => return replay.session(inlet).await,
        };
        session.map(|never| match never {})
    }
}
