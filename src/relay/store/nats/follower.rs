//! One open stream as the log tells it: one task that reads, however many
//! watch.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, sleep, timeout};
use tracing::{debug, error, warn};

use super::history;
use super::log::{Entry, Log, Tail};
use super::names::{Kind, Names, kind};
use super::wire::{Config, End};
use crate::model::{GiftId, SessionConfig};
use crate::relay::hub::{Ended, Ending, Serial};
use crate::relay::lock::lock;
use crate::relay::store::{Feed, Fresh, Kept, News, Order, Page, StoreError, StreamId};

/// What is heard of at once.
const BATCH: usize = 256;

/// A tail that should not be at its end and yields nothing for so long is
/// looked after.
const QUIET: Duration = Duration::from_millis(500);

/// Between two tries to read, doubling.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How often the place is kept where a relay that opens the stream begins.
const LOW_INTERVAL: Duration = Duration::from_secs(30);

/// Messages that it may read in vain; some milliseconds' worth.
const LOW_STEP: u64 = 1_000;

/// An open stream.
pub(super) struct Follower {
    pub view: Arc<View>,
    task: JoinHandle<()>,
}

impl Follower {
    pub fn start(
        stream: StreamId,
        log: Log,
        feed: Arc<dyn Feed>,
        connections: watch::Receiver<u64>,
    ) -> Self {
        let view = Arc::new(View {
            names: Names::of(&stream),
            known: Mutex::default(),
            reached: watch::Sender::new(None),
            is_behind: Notify::new(),
        });
        let reader = Reader {
            stream,
            view: view.clone(),
            log,
            feed,
            connections,
            low: 0,
            counting: JoinSet::new(),
        };
        Self {
            view,
            task: tokio::spawn(reader.run()),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the reader knows of its stream.
pub(super) struct View {
    pub names: Names,
    known: Mutex<Known>,
    /// Everything up to this serial was heard of; nothing before what is kept
    /// was.
    reached: watch::Sender<Option<Serial>>,
    /// Something that is in the log was waited for in vain.
    is_behind: Notify,
}

#[derive(Default)]
struct Known {
    /// Gifts that have neither ended nor were parked, by the log; the hubs park
    /// what is too many.
    open: BTreeMap<Serial, GiftId>,
    serials: HashMap<GiftId, Serial>,
    /// The serial of the settings that were heard of last; 0 for none.
    config: Serial,
}

impl Known {
    fn add(&mut self, serial: Serial, gift: GiftId) {
        self.serials.insert(gift.clone(), serial);
        self.open.insert(serial, gift);
    }

    /// Notes an ending, or one in place of another (`instead`). How many more gifts are
    /// parked by that, -1 for one that was: of what is not open, the log holds one
    /// ending only if it was parked.
    fn end(&mut self, ended: &Ended, instead: bool) -> i64 {
        let serial = self.serials.remove(&ended.gift);
        let was_open = serial.is_some_and(|serial| self.open.remove(&serial).is_some());
        match (was_open, &ended.ending) {
            (true, Ending::Parked) => 1,
            (false, Ending::Rendered | Ending::Failed(_)) if !instead => -1,
            // It was open and is no more, or had ended or was parked after another word.
            _ => 0,
        }
    }
}

impl View {
    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    pub fn serial_of(&self, gift: &GiftId) -> Option<Serial> {
        self.known().serials.get(gift).copied()
    }

    pub fn is_open(&self, serial: Serial) -> bool {
        self.known().open.contains_key(&serial)
    }

    /// The unsettled gifts of a page.
    pub fn open_in(&self, page: Page) -> Vec<Serial> {
        let known = self.known();
        let open = known.open.keys().copied();
        match page.order {
            Order::Oldest => {
                let open = open.skip_while(|serial| !page.is_beyond(*serial));
                open.take(page.limit).collect()
            }
            Order::Latest => {
                let open = open.rev().skip_while(|serial| !page.is_beyond(*serial));
                open.take(page.limit).collect()
            }
        }
    }

    pub fn config(&self) -> Serial {
        self.known().config
    }

    /// Resolves when everything up to a serial was heard of, which is in the log.
    /// False when that takes longer than `patience`; then the log is read anew.
    pub async fn reach(&self, serial: Serial, patience: Duration) -> bool {
        let mut reached = self.reached.subscribe();
        let there = reached.wait_for(|reached| reached.is_some_and(|it| it >= serial));
        let is_there = matches!(timeout(patience, there).await, Ok(Ok(_)));
        if !is_there {
            self.is_behind.notify_one();
        }
        is_there
    }
}

struct Reader {
    stream: StreamId,
    view: Arc<View>,
    log: Log,
    feed: Arc<dyn Feed>,
    /// Changes with each new connection to NATS.
    connections: watch::Receiver<u64>,
    /// What was last kept as the place to begin.
    low: Serial,
    /// Counts what was parked before; goes with the reader.
    counting: JoinSet<()>,
}

impl Reader {
    /// Until it is aborted.
    async fn run(mut self) {
        let mut wait = RETRY.0;
        loop {
            self.connections.mark_unchanged();
            let before = *self.view.reached.borrow();
            let Err(problem) = self.follow().await;
            debug!(%problem, "reading a stream again");
            if *self.view.reached.borrow() != before {
                wait = RETRY.0;
            }
            tokio::select! {
                () = sleep(wait) => wait = RETRY.1.min(wait * 2),
                _ = self.connections.changed() => {}
            }
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, StoreError> {
        let reached = *self.view.reached.borrow();
        let mut tail = match reached {
            None => self.catch_up().await?,
            Some(reached) => {
                let last = self.log.last_serial().await?;
                if last < reached {
                    error!(
                        last,
                        reached,
                        "NATS has lost the end of its log, which it had acknowledged; restart the \
                         relays, and let it sync before it acknowledges"
                    );
                }
                let all = self.view.names.all();
                self.log.follow(all, reached + 1).await?
            }
        };
        let mut ticks = interval(LOW_INTERVAL);
        loop {
            tokio::select! {
                first = tail.next() => {
                    let mut entries = vec![first?];
                    while entries.len() < BATCH && let Some(entry) = tail.next_here() {
                        entries.push(entry?);
                    }
                    self.hear(entries);
                }
                // The consumer may have gone with the connection.
                _ = self.connections.changed() => {
                    return Err(StoreError::Away("connected anew".into()));
                }
                () = self.view.is_behind.notified() => {
                    return Err(StoreError::Away("the consumer is behind".into()));
                }
                _ = ticks.tick() => self.keep_low().await?,
            }
        }
    }

    /// Reads what there is of the stream, and tells it.
    async fn catch_up(&mut self) -> Result<Tail, StoreError> {
        let names = &self.view.names;
        let low = self.log.last(&names.low()).await?;
        let low = low.and_then(|entry| entry.text().parse().ok());
        self.low = low.unwrap_or(0);
        let mut past = Past::default();
        for subject in [names.config(), names.status()] {
            if let Some(entry) = self.log.last(&subject).await? {
                past.take(entry);
            }
        }
        past.until = self.low.saturating_sub(1);
        let mut tail = self.log.follow(names.all(), self.low).await?;
        while !tail.is_at_the_end() {
            match timeout(QUIET, tail.next()).await {
                Ok(entry) => past.take(entry?),
                Err(_) => tail.look_for_the_end().await?,
            }
        }
        let mut known = self.view.known();
        for (serial, fresh) in &past.unsettled {
            known.add(*serial, fresh.gift.clone());
        }
        known.config = past.config;
        drop(known);
        let until = past.until;
        self.feed.hear(&self.stream, vec![News::Kept(past.kept())]);
        self.view.reached.send_replace(Some(until));
        self.count_parked(until);
        Ok(tail)
    }

    /// Counts what is parked by what the log said up to a serial, and tells it. Of
    /// each parked gift it has to be asked whether it has ended since, so this is
    /// done beside the reading; what is parked or ends meanwhile comes on top.
    fn count_parked(&mut self, until: Serial) {
        let (stream, view) = (self.stream.clone(), self.view.clone());
        let (log, feed) = (self.log.clone(), self.feed.clone());
        self.counting.spawn(async move {
            let parked = loop {
                match history::parked(&log, &view.names, until).await {
                    Ok(parked) => break parked,
                    Err(problem) => debug!(%problem, "counting again what is parked"),
                }
                sleep(RETRY.1).await;
            };
            if parked > 0 {
                feed.hear(&stream, vec![News::Parked(parked)]);
            }
        });
    }

    fn hear(&self, entries: Vec<Entry>) {
        let last = entries.last().map(|entry| entry.serial);
        let mut news = Vec::with_capacity(entries.len() + 1);
        let mut parked = 0;
        let mut known = self.view.known();
        for entry in entries {
            let serial = entry.serial;
            let instead = is_instead(&entry);
            let told = told(entry);
            match &told {
                Some(News::Gift(fresh)) => known.add(serial, fresh.gift.clone()),
                Some(News::Ended(ended)) => parked += known.end(ended, instead),
                Some(News::Config(_)) => known.config = serial,
                _ => {}
            }
            news.extend(told);
        }
        drop(known);
        if parked != 0 {
            news.push(News::Parked(parked));
        }
        self.feed.hear(&self.stream, news);
        self.view.reached.send_replace(last);
    }

    /// Keeps where the first gift lies that is not settled, once that is far
    /// from where it was. Whatever another relay kept is as true: what has ended
    /// has ended.
    async fn keep_low(&mut self) -> Result<(), StoreError> {
        let Some(reached) = *self.view.reached.borrow() else {
            return Ok(());
        };
        let first = self.view.known().open.keys().next().copied();
        let low = first.unwrap_or(reached + 1);
        if low >= self.low + LOW_STEP {
            let subject = self.view.names.low();
            let sent = self.log.send(subject, low.to_string(), None).await?;
            // It is a matter of time only, and there is a next time.
            if sent.kept().await.is_ok() {
                self.low = low;
            }
        }
        Ok(())
    }
}

/// Whether it is the ending of a gift that had one before.
fn is_instead(entry: &Entry) -> bool {
    matches!(kind(&entry.subject), Some(Kind::Ended(_)))
        && serde_json::from_slice::<End>(&entry.payload).is_ok_and(|end| end.instead)
}

/// What an entry says; nothing if it is not for the feed.
fn told(entry: Entry) -> Option<News> {
    let unreadable = |error: serde_json::Error| {
        warn!(serial = entry.serial, %error, "cannot read a message of the log");
    };
    match kind(&entry.subject)? {
        Kind::Gift(gift) => Some(News::Gift(Fresh {
            serial: entry.serial,
            gift: gift.into(),
            message: entry.text(),
        })),
        Kind::Ended(gift) | Kind::Parked(gift) => {
            let end: End = serde_json::from_slice(&entry.payload)
                .map_err(unreadable)
                .ok()?;
            Some(News::Ended(Ended {
                gift: gift.into(),
                ending: end.ending(),
            }))
        }
        Kind::Config => {
            let config: Config = serde_json::from_slice(&entry.payload)
                .map_err(unreadable)
                .ok()?;
            Some(News::Config(config.into()))
        }
        Kind::Status => Some(News::Status(entry.text())),
        Kind::Low => None,
    }
}

/// What was before the stream was opened.
#[derive(Default)]
struct Past {
    unsettled: BTreeMap<Serial, Fresh>,
    serials: HashMap<GiftId, Serial>,
    config: Serial,
    settings: Option<SessionConfig>,
    status: (Serial, Option<String>),
    until: Serial,
}

impl Past {
    fn take(&mut self, entry: Entry) {
        let serial = entry.serial;
        self.until = serial;
        match told(entry) {
            Some(News::Gift(fresh)) => {
                self.serials.insert(fresh.gift.clone(), serial);
                self.unsettled.insert(serial, fresh);
            }
            Some(News::Ended(ended)) => {
                if let Some(serial) = self.serials.remove(&ended.gift) {
                    self.unsettled.remove(&serial);
                }
            }
            // What lies before the place to begin was looked up, and may be newer.
            Some(News::Config(config)) if serial >= self.config => {
                self.config = serial;
                self.settings = Some(config);
            }
            Some(News::Status(status)) if serial >= self.status.0 => {
                self.status = (serial, Some(status));
            }
            _ => {}
        }
    }

    fn kept(self) -> Kept {
        Kept {
            config: self.settings,
            status: self.status.1,
            status_at: self.status.0,
            unsettled: self.unsettled.into_values().collect(),
            parked: 0,
            until: self.until,
        }
    }
}
