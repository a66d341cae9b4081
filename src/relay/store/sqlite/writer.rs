//! The one thread that writes.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, ToSql, Transaction, params};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::error;

use super::file::{Opened, explain, used_pages};
use super::read::load;
use crate::model::{GiftId, SessionConfig, WallTime};
use crate::relay::hub::{Ended, Ending, Serial};
use crate::relay::store::{
    Admission, Feed, Fresh, Kinship, LOOKS, News, Offer, State, StoreError, StreamId,
    is_hosts_word, kinship,
};

/// How long a transaction may gather what is waiting before it is committed.
const GATHERING: Duration = Duration::from_millis(10);

/// Endings that are kept for another try while the disk is full. Beyond: the
/// oldest are forgotten, and those gifts are sent again after a restart.
const MAX_UNSAVED: usize = 200_000;

/// How long the database counts as full after something found no room. That an ending
/// goes through is no sign of any, since it may need none; gifts that go in are one. But
/// whoever gives none for as long as it is full has to be told to try again.
const FULL_FOR: Duration = Duration::from_secs(60);

/// Gifts that go in with one statement at most. What a statement costs is theirs
/// together: that halves the work for each, and more would save little.
const MAX_ROWS: usize = 16;

/// Statements that are kept prepared: all there are here.
const STATEMENTS: usize = 32;

/// Pages of the log from which it is written into the database as soon as nobody waits;
/// SQLite itself would do it at as many, while all wait for the answer to a commit.
const LOG_PAGES: u32 = 1000;

/// Pages of the log from which it is done whoever waits: 32 MiB.
const MAX_LOG_PAGES: u32 = 8192;

/// Deleted in one transaction, so that gifts do not wait long for it.
const MAX_FORGOTTEN: usize = 10_000;

pub(super) enum Request {
    Open {
        stream: StreamId,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    Accept {
        stream: StreamId,
        offers: Vec<Offer>,
        now: WallTime,
        reply: oneshot::Sender<Result<Vec<Admission>, StoreError>>,
    },
    End {
        stream: StreamId,
        ended: Vec<Ended>,
        now: WallTime,
    },
    Config {
        stream: StreamId,
        config: SessionConfig,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    Status {
        stream: StreamId,
        status: String,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// As `Status`, in place of that `before` only, and nobody is told.
    NoteStatus {
        stream: StreamId,
        before: String,
        status: String,
    },
    Forget {
        before: WallTime,
        reply: oneshot::Sender<Result<u64, StoreError>>,
    },
    Flush {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// What a transaction has to tell when it is through.
type Told = Vec<(StreamId, News)>;

/// What is said to whom once the transaction is through.
enum Answer {
    Opened(oneshot::Sender<Result<(), StoreError>>, StreamId),
    Admitted(
        oneshot::Sender<Result<Vec<Admission>, StoreError>>,
        Vec<Admission>,
    ),
    Done(oneshot::Sender<Result<(), StoreError>>),
    Forgotten(oneshot::Sender<Result<u64, StoreError>>, u64),
}

impl Answer {
    /// Whether something is gone that took room.
    fn made_room(&self) -> bool {
        matches!(self, Self::Forgotten(_, 1..))
    }

    fn say(self, outcome: Result<(), StoreError>) {
        // Who asked may have gone; what was done stays done.
        match self {
            Self::Admitted(reply, admissions) => drop(reply.send(outcome.map(|()| admissions))),
            Self::Done(reply) | Self::Opened(reply, _) => drop(reply.send(outcome)),
            Self::Forgotten(reply, count) => drop(reply.send(outcome.map(|()| count))),
        }
    }
}

/// What goes into one transaction, and what there is to say of it once it is through.
#[derive(Default)]
struct Batch {
    answers: Vec<Answer>,
    told: Told,
    /// Gifts that are yet to go in, in the order in which they came.
    waiting: Vec<Waiting>,
}

/// A gift on its way into the transaction.
struct Waiting {
    stream: StreamId,
    offer: Offer,
    now: WallTime,
    /// Which of the answers hears of it.
    answer: usize,
}

struct Unsaved {
    stream: StreamId,
    ended: Ended,
    at: i64,
}

pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    inbox: mpsc::Receiver<Request>,
    feed: Arc<dyn Feed>,
    /// Pages at which gifts are refused, where there is such a bound.
    max_pages: Option<u64>,
    /// Endings that are not yet in the database.
    unsaved: VecDeque<Unsaved>,
    /// When there was no room last, until there is some.
    full_at: Option<Instant>,
    is_well: Arc<AtomicBool>,
    /// Pages of the log at the last commit.
    log_pages: Arc<AtomicU32>,
    _lock: File,
}

impl Writer {
    /// `is_well` is kept at whether the last transaction went through, and gifts would
    /// find room.
    ///
    /// # Errors
    /// When SQLite has no memory left.
    pub fn new(
        mut opened: Opened,
        inbox: mpsc::Receiver<Request>,
        feed: Arc<dyn Feed>,
        is_well: Arc<AtomicBool>,
    ) -> rusqlite::Result<Self> {
        let log_pages = Arc::new(AtomicU32::new(0));
        let noted = log_pages.clone();
        let note = move |_: &mut Wal, pages| {
            noted.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        opened.connection.wal_hook(Some(note))?;
        opened
            .connection
            .set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self {
            connection: opened.connection,
            path: opened.path,
            max_pages: opened.max_pages,
            inbox,
            feed,
            unsaved: VecDeque::new(),
            full_at: None,
            is_well,
            log_pages,
            _lock: opened.lock,
        })
    }

    /// Until every sender is gone.
    pub fn run(&mut self) {
        while let Some(first) = self.inbox.blocking_recv() {
            let mut batch = Batch::default();
            let outcome = self.commit(first, &mut batch);
            let outcome = outcome.map_err(|error| explain(&self.path, &error));
            let Batch { answers, told, .. } = batch;
            let has_room = told.iter().any(is_gift) || answers.iter().any(Answer::made_room);
            self.full_at = match &outcome {
                Err(StoreError::Full) => Some(Instant::now()),
                Err(_) => self.full_at,
                Ok(()) => self
                    .full_at
                    .filter(|at| !has_room && at.elapsed() < FULL_FOR),
            };
            let is_well = outcome.is_ok() && self.full_at.is_none();
            let was_well = self.is_well.swap(is_well, Ordering::Relaxed);
            match &outcome {
                Ok(()) => {
                    self.unsaved.clear();
                    self.tell(told);
                }
                Err(problem) => {
                    if matches!(problem, StoreError::Full) && !self.unsaved.is_empty() {
                        // What finds no room now is tried with the next.
                        let _ = self.save_endings();
                    }
                    let surplus = self.unsaved.len().saturating_sub(MAX_UNSAVED);
                    self.unsaved.drain(..surplus);
                    if was_well {
                        error!("{problem}");
                    }
                }
            }
            for answer in answers {
                match (&outcome, &answer) {
                    (Err(_), Answer::Opened(_, stream)) => {
                        let opened = self.read(stream);
                        answer.say(opened.map_err(|error| explain(&self.path, &error)));
                    }
                    _ => answer.say(outcome.clone()),
                }
            }
            self.shorten_log();
        }
    }

    /// Writes a long log into the database, so that the next commit begins it anew.
    fn shorten_log(&self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        let is_due = pages >= LOG_PAGES && self.inbox.is_empty();
        if is_due || pages >= MAX_LOG_PAGES {
            self.log_pages.store(0, Ordering::Relaxed);
            // What cannot be written, or is still read by somebody, is tried after the
            // next commit; nothing is lost meanwhile.
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            let _ = self.connection.query_row(checkpoint, [], |_| Ok(()));
        }
    }

    /// Tells what is kept of a stream. That takes no room: on a full disk the show
    /// goes on.
    fn read(&mut self, stream: &StreamId) -> rusqlite::Result<()> {
        let mut kept = load(&self.connection.transaction()?, stream)?;
        let unsaved = self.unsaved.iter().filter(|it| it.stream == *stream);
        let ended: HashSet<&GiftId> = unsaved.map(|it| &it.ended.gift).collect();
        kept.unsettled.retain(|fresh| !ended.contains(&fresh.gift));
        self.feed.hear(stream, vec![News::Kept(kept)]);
        Ok(())
    }

    /// What happened to one stream goes out together.
    fn tell(&self, told: Told) {
        let mut streams: Vec<(StreamId, Vec<News>)> = Vec::new();
        for (stream, news) in told {
            match streams.iter_mut().find(|(own, _)| *own == stream) {
                Some((_, all)) => all.push(news),
                None => streams.push((stream, vec![news])),
            }
        }
        for (stream, news) in streams {
            self.feed.hear(&stream, news);
        }
    }

    /// One transaction with what is waiting.
    fn commit(&mut self, first: Request, batch: &mut Batch) -> rusqlite::Result<()> {
        let deadline = Instant::now() + GATHERING;
        let mut failed = Ok(());
        let transaction = match self.connection.transaction() {
            Ok(transaction) => Some(transaction),
            Err(error) => {
                failed = Err(error);
                None
            }
        };
        let mut next = Some(first);
        while let Some(request) = next {
            let done = match &transaction {
                Some(transaction) if failed.is_ok() => Some(transaction),
                _ => None,
            };
            failed = failed.and(batch.take(request, done, &mut self.unsaved));
            next = match Instant::now() < deadline {
                true => self.inbox.try_recv().ok(),
                false => None,
            };
        }
        failed?;
        let Some(transaction) = transaction else {
            return Ok(());
        };
        batch.admit_waiting(&transaction)?;
        if let Some(pages) = self.max_pages
            && batch.told.iter().any(is_gift)
            && used_pages(&transaction)? > pages
        {
            let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
            return Err(rusqlite::Error::SqliteFailure(full, None));
        }
        end_all(&transaction, &self.unsaved, &mut batch.told)?;
        transaction.commit()
    }

    /// Notes what ended in a transaction of its own, when there was no room for what else
    /// was asked: gifts that come all the time would keep it from ever being noted.
    fn save_endings(&mut self) -> rusqlite::Result<()> {
        let mut told = Told::new();
        let transaction = self.connection.transaction()?;
        end_all(&transaction, &self.unsaved, &mut told)?;
        transaction.commit()?;
        self.unsaved.clear();
        self.tell(told);
        Ok(())
    }
}

fn end_all(
    transaction: &Transaction,
    unsaved: &VecDeque<Unsaved>,
    told: &mut Told,
) -> rusqlite::Result<()> {
    for ending in unsaved {
        let Some(parked) = end(transaction, ending)? else {
            continue;
        };
        let news = News::Ended(ending.ended.clone());
        told.push((ending.stream.clone(), news));
        if parked != 0 {
            told.push((ending.stream.clone(), News::Parked(parked)));
        }
    }
    Ok(())
}

fn is_gift((_, news): &(StreamId, News)) -> bool {
    matches!(news, News::Gift(_))
}

impl Batch {
    /// Does one request in a transaction, or, when that has failed already, only
    /// sees to it that somebody is told.
    fn take(
        &mut self,
        request: Request,
        transaction: Option<&Transaction>,
        unsaved: &mut VecDeque<Unsaved>,
    ) -> rusqlite::Result<()> {
        // Whatever else is asked comes after the gifts before it. What ended is looked at
        // last.
        if let Some(transaction) = transaction
            && !matches!(request, Request::Accept { .. } | Request::End { .. })
            && let Err(error) = self.admit_waiting(transaction)
        {
            self.take(request, None, unsaved)?;
            return Err(error);
        }
        match request {
            Request::Open { stream, reply } => {
                self.answers.push(Answer::Opened(reply, stream.clone()));
                let Some(transaction) = transaction else {
                    return Ok(());
                };
                // What this transaction accepted before is among it.
                let kept = News::Kept(load(transaction, &stream)?);
                self.told.push((stream, kept));
                Ok(())
            }
            Request::Accept {
                stream,
                offers,
                now,
                reply,
            } => {
                let answer = self.answers.len();
                let admissions = Vec::with_capacity(offers.len());
                self.answers.push(Answer::Admitted(reply, admissions));
                let Some(transaction) = transaction else {
                    return Ok(());
                };
                self.waiting.extend(offers.into_iter().map(|offer| Waiting {
                    stream: stream.clone(),
                    offer,
                    now,
                    answer,
                }));
                match self.waiting.len() < MAX_ROWS {
                    true => Ok(()),
                    false => self.admit_waiting(transaction),
                }
            }
            Request::End { stream, ended, now } => {
                unsaved.extend(ended.into_iter().map(|ended| Unsaved {
                    stream: stream.clone(),
                    ended,
                    at: now.as_millisecond(),
                }));
                Ok(())
            }
            Request::Config {
                stream,
                config,
                reply,
            } => {
                self.answers.push(Answer::Done(reply));
                transaction.map_or(Ok(()), |it| keep_config(it, &stream, &config))?;
                self.told.push((stream, News::Config(config)));
                Ok(())
            }
            Request::Status {
                stream,
                status,
                reply,
            } => {
                self.answers.push(Answer::Done(reply));
                let keep = |it: &Transaction| {
                    it.prepare_cached(
                        "INSERT INTO streams (id, status) VALUES (?1, ?2)
                         ON CONFLICT (id) DO UPDATE SET status = ?2",
                    )?
                    .execute(params![&*stream, status])
                };
                transaction.map_or(Ok(()), |it| keep(it).map(drop))?;
                self.told.push((stream, News::Status(status)));
                Ok(())
            }
            Request::NoteStatus {
                stream,
                before,
                status,
            } => {
                let note = |it: &Transaction| {
                    it.prepare_cached(
                        "UPDATE streams SET status = ?3 WHERE id = ?1 AND status = ?2",
                    )?
                    .execute([&*stream, &*before, &*status])
                };
                transaction.map_or(Ok(()), |it| note(it).map(drop))
            }
            Request::Flush { reply } => {
                self.answers.push(Answer::Done(reply));
                Ok(())
            }
            Request::Forget { before, reply } => {
                let forget = |it: &Transaction| {
                    it.prepare_cached(
                        "DELETE FROM gifts WHERE serial IN (SELECT serial FROM gifts
                         WHERE state IN (1, 2) AND ended_at < ?1 LIMIT ?2)",
                    )?
                    .execute(params![before.as_millisecond(), MAX_FORGOTTEN])
                };
                let count = transaction.map_or(Ok(0), forget);
                let said = count.as_ref().map_or(0, |count| *count as u64);
                self.answers.push(Answer::Forgotten(reply, said));
                count.map(drop)
            }
        }
    }

    /// Puts the waiting gifts into the transaction.
    fn admit_waiting(&mut self, transaction: &Transaction) -> rusqlite::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting).into_iter();
        while let Some(rows) = waiting.len().checked_ilog2() {
            // A statement for each number of rows would be many to keep.
            let rows = (1 << rows).min(MAX_ROWS);
            let gifts: Vec<_> = waiting.by_ref().take(rows).collect();
            match insert(transaction, &gifts)? {
                Some(serials) => {
                    for (serial, gift) in serials.zip(gifts) {
                        self.accepted(serial, gift);
                    }
                }
                None => {
                    for gift in gifts {
                        self.admit(transaction, gift)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A gift that may have come before.
    fn admit(&mut self, transaction: &Transaction, mut gift: Waiting) -> rusqlite::Result<()> {
        let mut further = 1..LOOKS;
        loop {
            if let Some(mut serials) = insert(transaction, std::slice::from_ref(&gift))? {
                self.accepted(serials.next().unwrap_or_default(), gift);
                return Ok(());
            }
            let Waiting { offer, now, .. } = &gift;
            let kept = kept(transaction, &gift.stream, &offer.id)?;
            let admission = match kinship(offer, &kept, *now) {
                Kinship::Update(update) if further.next().is_some() => {
                    gift.offer = update;
                    continue;
                }
                Kinship::Same => Admission::Repeated,
                Kinship::Other | Kinship::Update(_) => Admission::Conflict,
            };
            self.admitted(gift.answer, admission(gift.offer.id));
            return Ok(());
        }
    }

    fn accepted(&mut self, serial: Serial, gift: Waiting) {
        let Offer { id, message } = gift.offer;
        self.admitted(gift.answer, Admission::Accepted(id.clone()));
        let fresh = Fresh {
            serial,
            gift: id,
            message,
        };
        self.told.push((gift.stream, News::Gift(fresh)));
    }

    fn admitted(&mut self, answer: usize, admission: Admission) {
        if let Some(Answer::Admitted(_, admissions)) = self.answers.get_mut(answer) {
            admissions.push(admission);
        }
    }
}

/// Puts gifts in with one statement, if all of them are new: their serials, which follow
/// each other. Otherwise nothing has changed.
fn insert(transaction: &Transaction, gifts: &[Waiting]) -> rusqlite::Result<Option<Range<Serial>>> {
    let rows = vec!["(?, ?, ?, ?)"; gifts.len()].join(", ");
    let mut insert = transaction.prepare_cached(&format!(
        "INSERT INTO gifts (stream, gift, accepted_at, message) VALUES {rows}"
    ))?;
    let mut parameters = 1..;
    let mut bind = |value: &dyn ToSql| {
        let parameter = parameters.next().unwrap_or_default();
        insert.raw_bind_parameter(parameter, value)
    };
    for gift in gifts {
        bind(&&*gift.stream)?;
        bind(&&*gift.offer.id)?;
        bind(&gift.now.as_millisecond())?;
        bind(&gift.offer.message)?;
    }
    match insert.raw_execute() {
        Ok(rows) => {
            let end = transaction.last_insert_rowid() as Serial + 1;
            Ok(Some(end - rows as Serial..end))
        }
        // SQLite has taken back what this statement did, and nothing else.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(None),
        Err(error) => Err(error),
    }
}

fn kept(transaction: &Transaction, stream: &StreamId, gift: &GiftId) -> rusqlite::Result<String> {
    let message = transaction
        .prepare_cached("SELECT message FROM gifts WHERE stream = ?1 AND gift = ?2")?
        .query_row(params![&**stream, &**gift], |row| row.get(0))
        .optional()?;
    Ok(message.unwrap_or_default())
}

/// The first word is final; but a gift that is parked, or that hosts could not show, may
/// still turn out to be shown. How many more gifts are parked by that, -1 for one that
/// was; nothing when nothing changed.
fn end(transaction: &Transaction, ending: &Unsaved) -> rusqlite::Result<Option<i64>> {
    let (state, reason) = match &ending.ended.ending {
        Ending::Rendered => (State::Rendered, None),
        Ending::Failed(reason) => (State::Failed, Some(&**reason)),
        Ending::Parked => (State::Parked, None),
    };
    let mut update = transaction.prepare_cached(
        "UPDATE gifts SET state = ?3, reason = ?4, ended_at = ?5
         WHERE stream = ?1 AND gift = ?2 AND state = ?6",
    )?;
    let mut has_changed = |before: State| -> rusqlite::Result<bool> {
        let changed = update.execute(params![
            &*ending.stream,
            &*ending.ended.gift,
            state as i64,
            reason,
            ending.at,
            before as i64
        ])?;
        Ok(changed > 0)
    };
    for before in [State::Unacked, State::Parked] {
        if has_changed(before)? {
            let is_parked = |it: State| i64::from(it == State::Parked);
            return Ok(Some(is_parked(state) - is_parked(before)));
        }
    }
    let is_shown_late = state == State::Rendered && has_failed_at_hosts(transaction, ending)?;
    Ok((is_shown_late && has_changed(State::Failed)?).then_some(0))
}

fn has_failed_at_hosts(transaction: &Transaction, ending: &Unsaved) -> rusqlite::Result<bool> {
    let reason: Option<String> = transaction
        .prepare_cached(
            "SELECT reason FROM gifts
             WHERE stream = ?1 AND gift = ?2 AND state = 2 AND reason IS NOT NULL",
        )?
        .query_row([&*ending.stream, &*ending.ended.gift], |row| row.get(0))
        .optional()?;
    Ok(reason.is_some_and(|it| is_hosts_word(&it)))
}

fn keep_config(
    transaction: &Transaction,
    stream: &StreamId,
    config: &SessionConfig,
) -> rusqlite::Result<()> {
    let features: Vec<&str> = config.features.iter().map(|name| &**name).collect();
    transaction
        .prepare_cached(
            "INSERT INTO streams (id, rate, ping_ms, features) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET rate = ?2, ping_ms = ?3, features = ?4",
        )?
        .execute(params![
            &**stream,
            config.max_gifts_per_second,
            config.ping_interval.as_millis() as u64,
            serde_json::json!(features).to_string(),
        ])
        .map(drop)
}
