//! The one thread that writes.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::error;

use super::file::{Opened, explain};
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
    /// Endings that are not yet in the database.
    unsaved: VecDeque<Unsaved>,
    /// When there was no room last, until there is some.
    full_at: Option<Instant>,
    is_well: Arc<AtomicBool>,
    _lock: File,
}

impl Writer {
    /// `is_well` is kept at whether the last transaction went through, and gifts would
    /// find room.
    pub fn new(
        opened: Opened,
        inbox: mpsc::Receiver<Request>,
        feed: Arc<dyn Feed>,
        is_well: Arc<AtomicBool>,
    ) -> Self {
        Self {
            connection: opened.connection,
            path: opened.path,
            inbox,
            feed,
            unsaved: VecDeque::new(),
            full_at: None,
            is_well,
            _lock: opened.lock,
        }
    }

    /// Until every sender is gone.
    pub fn run(&mut self) {
        while let Some(first) = self.inbox.blocking_recv() {
            let mut answers = Vec::new();
            let mut told = Told::new();
            let outcome = self.commit(first, &mut answers, &mut told);
            let outcome = outcome.map_err(|error| explain(&self.path, &error));
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
    fn commit(
        &mut self,
        first: Request,
        answers: &mut Vec<Answer>,
        told: &mut Told,
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
            let done = take(request, done, answers, told, &mut self.unsaved);
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
            let Some(parked) = end(&transaction, ending)? else {
                continue;
            };
            let news = News::Ended(ending.ended.clone());
            told.push((ending.stream.clone(), news));
            if parked != 0 {
                told.push((ending.stream.clone(), News::Parked(parked)));
            }
        }
        transaction.commit()
    }
}

fn is_gift((_, news): &(StreamId, News)) -> bool {
    matches!(news, News::Gift(_))
}

/// Does one request in a transaction, or, when that has failed already, only
/// sees to it that somebody is told.
fn take(
    request: Request,
    transaction: Option<&Transaction>,
    answers: &mut Vec<Answer>,
    told: &mut Told,
    unsaved: &mut VecDeque<Unsaved>,
) -> rusqlite::Result<()> {
    match request {
        Request::Open { stream, reply } => {
            answers.push(Answer::Opened(reply, stream.clone()));
            let Some(transaction) = transaction else {
                return Ok(());
            };
            // What this transaction accepted before is among it.
            let kept = News::Kept(load(transaction, &stream)?);
            told.push((stream, kept));
            Ok(())
        }
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
                    match admit(transaction, &stream, offer, now, told) {
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
            transaction.map_or(Ok(()), |it| keep_config(it, &stream, &config))?;
            told.push((stream, News::Config(config)));
            Ok(())
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
            transaction.map_or(Ok(()), |it| keep(it).map(drop))?;
            told.push((stream, News::Status(status)));
            Ok(())
        }
        Request::NoteStatus {
            stream,
            before,
            status,
        } => {
            let note = |it: &Transaction| {
                it.prepare_cached("UPDATE streams SET status = ?3 WHERE id = ?1 AND status = ?2")?
                    .execute([&*stream, &*before, &*status])
            };
            transaction.map_or(Ok(()), |it| note(it).map(drop))
        }
        Request::Flush { reply } => {
            answers.push(Answer::Done(reply));
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
            answers.push(Answer::Forgotten(reply, said));
            count.map(drop)
        }
    }
}

fn admit(
    transaction: &Transaction,
    stream: &StreamId,
    mut offer: Offer,
    now: WallTime,
    told: &mut Told,
) -> rusqlite::Result<Admission> {
    let mut further = 1..LOOKS;
    loop {
        let id = offer.id.clone();
        let Some(refused) = insert(transaction, stream, offer, now, told)? else {
            return Ok(Admission::Accepted(id));
        };
        offer = match kinship(&refused, &kept(transaction, stream, &id)?, now) {
            Kinship::Same => return Ok(Admission::Repeated(id)),
            Kinship::Update(update) if further.next().is_some() => update,
            Kinship::Other | Kinship::Update(_) => return Ok(Admission::Conflict(id)),
        };
    }
}

/// Gives the offer back when there is a gift of its id.
fn insert(
    transaction: &Transaction,
    stream: &StreamId,
    offer: Offer,
    now: WallTime,
    told: &mut Told,
) -> rusqlite::Result<Option<Offer>> {
    let Offer { id, message } = &offer;
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO gifts (stream, gift, accepted_at, message) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (stream, gift) DO NOTHING",
        )?
        .execute(params![&**stream, &**id, now.as_millisecond(), message])?;
    if inserted == 0 {
        return Ok(Some(offer));
    }
    let fresh = Fresh {
        serial: transaction.last_insert_rowid() as Serial,
        gift: offer.id,
        message: offer.message,
    };
    told.push((stream.clone(), News::Gift(fresh)));
    Ok(None)
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
