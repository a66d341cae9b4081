//! The store that needs no set-up: one SQLite file, one thread that writes it.
//!
//! Requests that are waiting go into one transaction (*group commit*), so that
//! the disk is asked once for many of them; nobody is made to wait for others
//! to come. SQLite writes ahead and syncs at every commit (`synchronous =
//! FULL`). Lists are read on connections of their own, beside the writer.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, params};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{error, warn};

use super::{
    Admission, Feed, Fresh, Kept, Kinship, Listed, Offer, Page, State, Store, StoreError, StreamId,
    kinship,
};
use crate::model::{Gift, GiftId, SessionConfig, WallTime};
use crate::protocol::{ServerMessage, encode_server};
use crate::relay::hub::{Ended, Ending, Serial};

/// The layout below; a file with a greater number is not touched.
const LAYOUT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE streams (
        id TEXT PRIMARY KEY,
        rate REAL,
        ping_ms INTEGER,
        features TEXT,
        status TEXT
    ) STRICT;
    CREATE TABLE gifts (
        serial INTEGER PRIMARY KEY AUTOINCREMENT,
        stream TEXT NOT NULL,
        gift TEXT NOT NULL,
        accepted_at INTEGER NOT NULL,
        state INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        ended_at INTEGER,
        message TEXT NOT NULL,
        UNIQUE (stream, gift)
    ) STRICT;
    CREATE INDEX unfinished ON gifts (stream, state, serial) WHERE state IN (0, 3);
    CREATE INDEX finished ON gifts (ended_at) WHERE state IN (1, 2);
";

/// Requests that may wait for the writer. Beyond: who asks waits.
const REQUESTS: usize = 1024;

/// How long a transaction may gather what is waiting before it is committed.
const GATHERING: Duration = Duration::from_millis(10);

/// Endings that are kept for another try while the disk is full. Beyond: the
/// oldest are forgotten, and those gifts are sent again after a restart.
const MAX_UNSAVED: usize = 200_000;

/// Deleted in one transaction, so that gifts do not wait long for it.
const MAX_FORGOTTEN: usize = 10_000;

const MIB: u64 = 1024 * 1024;

/// Where the database lies and how large it may grow.
#[derive(Debug, Clone)]
pub(in crate::relay) struct SqliteOptions {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// At this size gifts are refused until there is room; only the disk's
    /// when absent.
    pub max_mib: Option<u64>,
    /// Put a damaged database aside and begin with an empty one.
    pub start_clean: bool,
}

/// A database that was found well, and what is in it.
pub(in crate::relay) struct Opened {
    connection: Connection,
    path: PathBuf,
    lock: File,
    pub kept: Vec<Kept>,
    /// Where a damaged one was put.
    pub put_aside: Option<PathBuf>,
}

impl Opened {
    /// # Errors
    /// When the folder cannot be used, another relay uses it, or the database
    /// is damaged and `start_clean` does not say what to do.
    pub fn open(options: &SqliteOptions) -> Result<Self, StoreError> {
        let unusable = |reason: String| StoreError::Unusable {
            path: options.folder.clone(),
            reason,
        };
        fs::create_dir_all(&options.folder).map_err(|error| unusable(error.to_string()))?;
        let lock = File::create(options.folder.join("relay.lock"))
            .map_err(|error| unusable(error.to_string()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(options.folder.clone())),
            Err(TryLockError::Error(error)) => return Err(unusable(error.to_string())),
        }
        let path = options.folder.join("relay.sqlite");
        let (connection, put_aside) = match open(&path) {
            Err(StoreError::Damaged { reason, .. }) if options.start_clean => {
                let aside = put_aside(&path).map_err(|error| unusable(error.to_string()))?;
                warn!(database = %path.display(), aside = %aside.display(), reason,
                    "the database was damaged and was put aside");
                (open(&path)?, Some(aside))
            }
            opened => (opened?, None),
        };
        if let Some(mib) = options.max_mib {
            bound(&connection, mib).map_err(|error| explain(&path, &error))?;
        }
        let kept = load(&connection).map_err(|error| explain(&path, &error))?;
        Ok(Self {
            connection,
            path,
            lock,
            kept,
            put_aside,
        })
    }

    /// Starts the writer.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(self, feed: Feed) -> Result<SqliteStore, StoreError> {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let is_well = Arc::new(AtomicBool::new(true));
        let mut writer = Writer {
            connection: self.connection,
            path: self.path.clone(),
            inbox,
            feed,
            unsaved: VecDeque::new(),
            is_well: is_well.clone(),
            _lock: self.lock,
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(SqliteStore {
            requests: Some(requests),
            path: self.path,
            is_well,
            thread: Some(thread),
        })
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    keep_to_its_owner(path);
    let make = || -> rusqlite::Result<Result<Connection, i64>> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let layout: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if layout > LAYOUT {
            return Ok(Err(layout));
        }
        if layout == 0 {
            connection.execute_batch(&format!(
                "BEGIN; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"
            ))?;
        }
        Ok(Ok(connection))
    };
    let connection = make()
        .map_err(|error| explain(path, &error))?
        .map_err(|_| StoreError::TooNew(path.to_owned()))?;
    let verdict: rusqlite::Result<String> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(connection),
        Ok(verdict) => Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: verdict.replace('\n', " "),
        }),
        Err(error) => Err(explain(path, &error)),
    }
}

/// Renames the database and what lies beside it, so that nothing is lost.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let stamp = WallTime::now().as_second();
    let renamed = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = renamed(&format!(".damaged-{stamp}"));
    fs::rename(path, &aside)?;
    for part in ["-wal", "-shm"] {
        match fs::rename(renamed(part), renamed(&format!(".damaged-{stamp}{part}"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

fn bound(connection: &Connection, mib: u64) -> rusqlite::Result<()> {
    let page: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = (mib * MIB / page).max(1);
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

fn load(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut kept: Vec<Kept> = connection
        .prepare("SELECT id, rate, ping_ms, features, status FROM streams ORDER BY id")?
        .query_map([], |row| {
            let rate: Option<f64> = row.get(1)?;
            let ping_ms: Option<u64> = row.get(2)?;
            let features: Option<String> = row.get(3)?;
            let features = features.and_then(|text| serde_json::from_str(&text).ok());
            let features: Vec<String> = features.unwrap_or_default();
            Ok(Kept {
                stream: row.get::<_, String>(0)?.into(),
                config: rate.zip(ping_ms).map(|(rate, ping_ms)| SessionConfig {
                    ping_interval: Duration::from_millis(ping_ms),
                    max_gifts_per_second: rate,
                    features: features.into_iter().map(Into::into).collect(),
                }),
                status: row.get(4)?,
                unsettled: Vec::new(),
            })
        })?
        .collect::<Result<_, _>>()?;
    let mut unsettled = connection.prepare(
        "SELECT stream, serial, gift, message FROM gifts WHERE state = 0 ORDER BY stream, serial",
    )?;
    let mut rows = unsettled.query([])?;
    while let Some(row) = rows.next()? {
        let stream: String = row.get(0)?;
        let at = kept.iter().rposition(|own| *own.stream == *stream);
        let at = at.unwrap_or_else(|| {
            kept.push(Kept {
                stream: stream.into(),
                config: None,
                status: None,
                unsettled: Vec::new(),
            });
            kept.len() - 1
        });
        let gift: String = row.get(2)?;
        kept[at]
            .unsettled
            .push((row.get(1)?, gift.into(), row.get(3)?));
    }
    Ok(kept)
}

/// What SQLite's complaint means to us.
fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        _ => StoreError::Failed(error.to_string()),
    }
}

enum Request {
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
    Forget {
        before: WallTime,
        reply: oneshot::Sender<Result<u64, StoreError>>,
    },
}

/// What is said to whom once the transaction is through.
enum Answer {
    Admitted(
        oneshot::Sender<Result<Vec<Admission>, StoreError>>,
        Vec<Admission>,
    ),
    Done(oneshot::Sender<Result<(), StoreError>>),
    Forgotten(oneshot::Sender<Result<u64, StoreError>>, u64),
}

impl Answer {
    fn say(self, outcome: Result<(), StoreError>) {
        // Who asked may have gone; what was done stays done.
        match self {
            Self::Admitted(reply, admissions) => drop(reply.send(outcome.map(|()| admissions))),
            Self::Done(reply) => drop(reply.send(outcome)),
            Self::Forgotten(reply, count) => drop(reply.send(outcome.map(|()| count))),
        }
    }
}

struct Unsaved {
    stream: StreamId,
    ended: Ended,
    at: i64,
}

struct Writer {
    connection: Connection,
    path: PathBuf,
    inbox: mpsc::Receiver<Request>,
    feed: Feed,
    /// Endings that are not yet in the database.
    unsaved: VecDeque<Unsaved>,
    is_well: Arc<AtomicBool>,
    _lock: File,
}

impl Writer {
    /// Until every sender is gone.
    fn run(&mut self) {
        while let Some(first) = self.inbox.blocking_recv() {
            let mut answers = Vec::new();
            let mut fresh = Vec::new();
            let outcome = self.commit(first, &mut answers, &mut fresh);
            let outcome = outcome.map_err(|error| explain(&self.path, &error));
            let was_well = self.is_well.swap(outcome.is_ok(), Ordering::Relaxed);
            match &outcome {
                Ok(()) => {
                    self.unsaved.clear();
                    if !fresh.is_empty() {
                        (self.feed)(fresh);
                    }
                }
                Err(problem) => {
                    let surplus = self.unsaved.len().saturating_sub(MAX_UNSAVED);
                    self.unsaved.drain(..surplus);
                    if was_well {
                        error!("{problem}");
                    }
                }
            }
            for answer in answers {
                answer.say(outcome.clone());
            }
        }
    }

    /// One transaction with what is waiting.
    fn commit(
        &mut self,
        first: Request,
        answers: &mut Vec<Answer>,
        fresh: &mut Vec<Fresh>,
    ) -> rusqlite::Result<()> {
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
            let done = take(request, done, answers, fresh, &mut self.unsaved);
            failed = failed.and(done);
            next = match Instant::now() < deadline {
                true => self.inbox.try_recv().ok(),
                false => None,
            };
        }
        failed?;
        let Some(transaction) = transaction else {
            return Ok(());
        };
        for ending in &self.unsaved {
            end(&transaction, ending)?;
        }
        transaction.commit()
    }
}

/// Does one request in a transaction, or, when that has failed already, only
/// sees to it that somebody is told.
fn take(
    request: Request,
    transaction: Option<&Transaction>,
    answers: &mut Vec<Answer>,
    fresh: &mut Vec<Fresh>,
    unsaved: &mut VecDeque<Unsaved>,
) -> rusqlite::Result<()> {
    match request {
        Request::Accept {
            stream,
            offers,
            now,
            reply,
        } => {
            let mut admissions = Vec::with_capacity(offers.len());
            let mut done = Ok(());
            if let Some(transaction) = transaction {
                for offer in offers {
                    match admit(transaction, &stream, offer, now, fresh) {
                        Ok(admission) => admissions.push(admission),
                        Err(error) => {
                            done = Err(error);
                            break;
                        }
                    }
                }
            }
            answers.push(Answer::Admitted(reply, admissions));
            done
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
            answers.push(Answer::Done(reply));
            transaction.map_or(Ok(()), |it| keep_config(it, &stream, &config))
        }
        Request::Status {
            stream,
            status,
            reply,
        } => {
            answers.push(Answer::Done(reply));
            let keep = |it: &Transaction| {
                it.prepare_cached(
                    "INSERT INTO streams (id, status) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET status = ?2",
                )?
                .execute(params![&*stream, status])
            };
            transaction.map_or(Ok(()), |it| keep(it).map(drop))
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
            answers.push(Answer::Forgotten(reply, said));
            count.map(drop)
        }
    }
}

fn admit(
    transaction: &Transaction,
    stream: &StreamId,
    offer: Offer,
    now: WallTime,
    fresh: &mut Vec<Fresh>,
) -> rusqlite::Result<Admission> {
    let Offer { gift, message } = offer;
    let offered = gift.id.clone();
    if insert(transaction, stream, &offered, message, now, fresh)? {
        return Ok(Admission::Accepted(offered));
    }
    match kinship(&gift, &kept(transaction, stream, &offered)?) {
        Kinship::Same => Ok(Admission::Repeated(offered)),
        Kinship::Other => Ok(Admission::Conflict(offered)),
        Kinship::Update(id) => {
            let gift = Gift {
                id: id.clone(),
                ..gift
            };
            let message = ServerMessage::Gift(gift.clone());
            let message = encode_server(&message, now);
            if insert(transaction, stream, &id, message, now, fresh)? {
                return Ok(Admission::Accepted(id));
            }
            match kinship(&gift, &kept(transaction, stream, &id)?) {
                Kinship::Same => Ok(Admission::Repeated(id)),
                Kinship::Other | Kinship::Update(_) => Ok(Admission::Conflict(id)),
            }
        }
    }
}

/// False when there is a gift of this id.
fn insert(
    transaction: &Transaction,
    stream: &StreamId,
    gift: &GiftId,
    message: String,
    now: WallTime,
    fresh: &mut Vec<Fresh>,
) -> rusqlite::Result<bool> {
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO gifts (stream, gift, accepted_at, message) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (stream, gift) DO NOTHING",
        )?
        .execute(params![&**stream, &**gift, now.as_millisecond(), message])?;
    if inserted == 0 {
        return Ok(false);
    }
    fresh.push(Fresh {
        stream: stream.clone(),
        serial: transaction.last_insert_rowid() as Serial,
        gift: gift.clone(),
        message,
    });
    Ok(true)
}

fn kept(transaction: &Transaction, stream: &StreamId, gift: &GiftId) -> rusqlite::Result<String> {
    let message = transaction
        .prepare_cached("SELECT message FROM gifts WHERE stream = ?1 AND gift = ?2")?
        .query_row(params![&**stream, &**gift], |row| row.get(0))
        .optional()?;
    Ok(message.unwrap_or_default())
}

/// A host's word is final; a parked gift may still turn out to be shown.
fn end(transaction: &Transaction, ending: &Unsaved) -> rusqlite::Result<()> {
    let (state, reason) = match &ending.ended.ending {
        Ending::Rendered => (State::Rendered, None),
        Ending::Failed(reason) => (State::Failed, Some(&**reason)),
        Ending::Parked => (State::Parked, None),
    };
    transaction
        .prepare_cached(
            "UPDATE gifts SET state = ?3, reason = ?4, ended_at = ?5
             WHERE stream = ?1 AND gift = ?2 AND state IN (0, 3)",
        )?
        .execute(params![
            &*ending.stream,
            &*ending.ended.gift,
            state as i64,
            reason,
            ending.at
        ])
        .map(drop)
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

/// A running store. Dropping it finishes what was asked and closes the file.
pub(in crate::relay) struct SqliteStore {
    requests: Option<mpsc::Sender<Request>>,
    path: PathBuf,
    is_well: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.send(request(reply));
        async move {
            if !sent.await {
                return Err(StoreError::Closed);
            }
            answer.await.unwrap_or(Err(StoreError::Closed))
        }
        .boxed()
    }

    fn send(&self, request: Request) -> impl Future<Output = bool> + Send + 'static {
        let requests = self.requests.clone();
        async move {
            match requests {
                Some(requests) => requests.send(request).await.is_ok(),
                None => false,
            }
        }
    }
}

impl Store for SqliteStore {
    fn accept(
        &self,
        stream: &StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> BoxFuture<'static, Result<Vec<Admission>, StoreError>> {
        let stream = stream.clone();
        self.ask(|reply| Request::Accept {
            stream,
            offers,
            now,
            reply,
        })
    }

    fn end(&self, stream: &StreamId, ended: Vec<Ended>, now: WallTime) -> BoxFuture<'static, ()> {
        let stream = stream.clone();
        let sent = self.send(Request::End { stream, ended, now });
        // A store that is gone has said so; the gifts are sent again.
        async move {
            sent.await;
        }
        .boxed()
    }

    fn keep_config(
        &self,
        stream: &StreamId,
        config: &SessionConfig,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (stream, config) = (stream.clone(), config.clone());
        self.ask(|reply| Request::Config {
            stream,
            config,
            reply,
        })
    }

    fn keep_status(
        &self,
        stream: &StreamId,
        status: &str,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (stream, status) = (stream.clone(), status.to_owned());
        self.ask(|reply| Request::Status {
            stream,
            status,
            reply,
        })
    }

    fn list(
        &self,
        stream: &StreamId,
        page: Page,
    ) -> BoxFuture<'static, Result<Vec<Listed>, StoreError>> {
        let (path, stream) = (self.path.clone(), stream.clone());
        let listing = tokio::task::spawn_blocking(move || {
            list(&path, &stream, page).map_err(|error| explain(&path, &error))
        });
        async move {
            let listed = listing.await;
            listed.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
        }
        .boxed()
    }

    fn forget_before(&self, time: WallTime) -> BoxFuture<'static, Result<u64, StoreError>> {
        self.ask(|reply| Request::Forget {
            before: time,
            reply,
        })
    }

    fn is_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

/// Makes the file before SQLite would, which lets everybody read it. What SQLite
/// puts beside it has the same mode.
fn keep_to_its_owner(path: &Path) {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Where this fails SQLite says why.
    let _ = options.open(path);
}

fn list(path: &Path, stream: &StreamId, page: Page) -> rusqlite::Result<Vec<Listed>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let states = match page.state {
        Some(state) => format!("state = {}", state as i64),
        None => "TRUE".to_owned(),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT serial, gift, state, accepted_at, reason, message FROM gifts
         WHERE stream = ?1 AND serial > ?2 AND {states} ORDER BY serial LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![&**stream, page.after, page.limit], |row| {
        Ok(Listed {
            serial: row.get(0)?,
            gift: row.get::<_, String>(1)?.into(),
            state: match row.get(2)? {
                0_i64 => State::Unacked,
                1 => State::Rendered,
                2 => State::Failed,
                _ => State::Parked,
            },
            accepted_at: row.get(3)?,
            reason: row.get(4)?,
            message: row.get(5)?,
        })
    })?;
    rows.collect()
}
