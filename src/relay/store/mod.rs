//! Where accepted gifts are kept, and what became of them.
//!
//! One trait, so that the same relay runs on a file or on a cluster, and one
//! suite of tests that every store must pass.
//!
//! # What a store promises
//! - [`Store::accept`] returns when the gifts are kept, and not before.
//! - A gift is kept once under its id, however often it is offered, for as long
//!   as history lasts: see [`Admission`].
//! - A [`Feed`] hears of an open stream whatever this relay or another did to
//!   it: what is kept when it is opened, and then each change once, gifts in the
//!   order of their serials. What this relay asked for it hears before the answer.
//! - What is not settled is never deleted.

mod nats;
mod sqlite;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::hub::{Ended, Serial};
use crate::model::{Gift, GiftId, SessionConfig, WallTime};
use crate::protocol::{
    DecodeError, ServerMessage, decode_payload, decode_server, encode_server, limits,
};

pub use nats::NatsOptions;
pub(super) use nats::NatsStore;
pub(super) use sqlite::{Opened, SqliteOptions};

/// Takes a data folder, which is made when it is not there, for as long as what it
/// returns is held.
///
/// # Errors
/// When another relay has it, or it cannot be used.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let unusable = |error: std::io::Error| StoreError::Unusable {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let lock = File::create(lock_path(folder)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// The file that a running relay has locked.
pub(super) fn lock_path(folder: &Path) -> PathBuf {
    folder.join("relay.lock")
}

/// A stream's name; 1 to 128 bytes.
pub(super) type StreamId = Arc<str>;

/// A gift that somebody wants delivered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub id: GiftId,
    /// `gift:received`, as every renderer gets it.
    pub message: String,
}

impl Offer {
    /// A gift as its sender writes it: the payload of `gift:received`.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(json: &[u8], now: WallTime) -> Result<Self, DecodeError> {
        match decode_payload("gift:received", json)? {
            ServerMessage::Gift(gift) => Ok(Self::new(gift, now)),
            _ => unreachable!("it was read as a gift"),
        }
    }

    /// `now` is when the gift came in.
    pub fn new(gift: Gift, now: WallTime) -> Self {
        let id = gift.id.clone();
        let message = encode_server(&ServerMessage::Gift(gift), now);
        Self { id, message }
    }
}

/// What became of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    /// Kept, and on its way under this id.
    Accepted(GiftId),
    /// The same gift was accepted before; nothing was sent again.
    Repeated(GiftId),
    /// Another gift has this id.
    Conflict(GiftId),
}

/// A gift that was accepted just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fresh {
    pub serial: Serial,
    pub gift: GiftId,
    pub message: String,
}

/// What there is of a stream when it is opened.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kept {
    pub config: Option<SessionConfig>,
    /// The latest `stream:status`.
    pub status: Option<String>,
    /// Unsettled gifts up to this serial are in its goal; none where that was
    /// [noted](Store::note_status).
    pub status_at: Serial,
    /// In the order of their serials.
    pub unsettled: Vec<Fresh>,
    /// How many gifts are parked; 0 where they are yet to be counted, and then
    /// [`News::Parked`] tells.
    pub parked: u64,
    /// Every gift up to this serial is among them, or has ended.
    pub until: Serial,
}

/// Something that happened to a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    /// It was opened; nothing comes before this.
    Kept(Kept),
    Gift(Fresh),
    /// It is noted in the store that a gift ended, here or elsewhere.
    Ended(Ended),
    /// So many more gifts are parked than before, or fewer.
    Parked(i64),
    Config(SessionConfig),
    /// The message `stream:status`.
    Status(String),
    /// The message `x-control`, posted to another relay.
    Control(String),
}

/// Who hears of the streams that are open, and is asked about their hosts. It is
/// called on the store's own threads, and must not block them.
pub(super) trait Feed: Send + Sync {
    fn hear(&self, stream: &StreamId, news: Vec<News>);

    /// Whether a host that is connected here may still render a gift.
    fn may_render(&self, stream: &StreamId, serial: Serial) -> bool;
}

/// A gift's state in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Unacked = 0,
    Rendered = 1,
    Failed = 2,
    Parked = 3,
}

/// A gift as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub serial: Serial,
    pub gift: GiftId,
    pub state: State,
    /// Milliseconds since the Unix epoch.
    pub accepted_at: i64,
    pub reason: Option<String>,
    pub message: String,
}

/// In which order gifts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// By serial.
    #[default]
    Oldest,
    /// The other way round.
    Latest,
}

/// How the reason begins of a gift that is sent again under another id.
pub(super) const SENT_AGAIN: &str = "sent again as ";

/// The reason of a gift that is not to be shown.
pub(super) const DISMISSED: &str = "dismissed by the host";

/// Whether a gift that failed for this reason may turn out to be shown after all: what
/// hosts could not do one of them may have done, and what was decided at the desk holds.
fn is_hosts_word(reason: &str) -> bool {
    reason != DISMISSED && !reason.starts_with(SENT_AGAIN)
}

/// Which gifts to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Any, when absent.
    pub state: Option<State>,
    pub order: Order,
    /// Those that come after this serial in the order; 0 for the first page.
    pub after: Serial,
    pub limit: usize,
}

impl Page {
    /// Whether a gift comes after what was listed already.
    fn is_beyond(&self, serial: Serial) -> bool {
        match self.order {
            Order::Oldest => serial > self.after,
            Order::Latest => self.after == 0 || serial < self.after,
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    #[error("the disk, or the room that the relay may use, is full; make room")]
    Full,
    #[error(
        "the database {0} is damaged ({reason}); it was left as it is. Start with --start-clean to \
         put it aside and begin with an empty one. Or restore it from a copy: first move {0}, \
         {0}-wal and {0}-shm away, all three, since what is in an old -wal would be written into \
         the copy and damage it",
        .path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("the database {} was written by a newer version of hyperfocus", .0.display())]
    TooNew(PathBuf),
    #[error("another relay uses {}; stop it, or name another --data-dir", .0.display())]
    InUse(PathBuf),
    #[error("cannot use {}: {reason}", .path.display())]
    Unusable { path: PathBuf, reason: String },
    #[error("the store does not work: {0}")]
    Failed(String),
    #[error("the store is closed")]
    Closed,
    #[error("NATS cannot be reached: {0}")]
    Away(String),
    #[error("the setting was changed at the same time; look at it and send it again")]
    Overtaken,
    #[error("cannot use NATS at {server}: {reason}")]
    Foreign { server: String, reason: String },
    #[error("{}: {reason}", .path.display())]
    Credentials { path: PathBuf, reason: String },
}

/// Where gifts, their outcomes and the streams' settings are kept.
pub(super) trait Store: Send + Sync {
    /// From now on the feed hears of a stream: of what is kept before this
    /// resolves. Opening what is open changes nothing.
    fn open(&self, stream: &StreamId) -> BoxFuture<'static, Result<(), StoreError>>;

    /// The feed need not hear of a stream any more.
    fn close(&self, stream: &StreamId);

    /// Keeps gifts. Resolves when they are safe. After an error some of them may
    /// be kept, or all: who sends them again under the same ids loses none and
    /// doubles none.
    fn accept(
        &self,
        stream: &StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> BoxFuture<'static, Result<Vec<Admission>, StoreError>>;

    /// Notes how gifts ended. Resolves when that is in the store's hands, which
    /// is not yet safe; a gift whose ending was lost is sent again.
    fn end(&self, stream: &StreamId, ended: Vec<Ended>, now: WallTime) -> BoxFuture<'static, ()>;

    /// Resolves when the endings that were noted are safe, as far as they can be
    /// made so now.
    fn flush(&self) -> BoxFuture<'static, ()>;

    /// # Errors
    /// [`StoreError::Overtaken`] when the setting is no more what the feed last
    /// heard.
    fn keep_config(
        &self,
        stream: &StreamId,
        config: &SessionConfig,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// `status` is the message `stream:status`.
    fn keep_status(
        &self,
        stream: &StreamId,
        status: &str,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Keeps the message `stream:status` in place of that `before`, for the relay's next
    /// start, if the store can. Nobody is told, and one that somebody has set meanwhile
    /// stays.
    fn note_status(
        &self,
        _stream: &StreamId,
        _before: &str,
        _status: &str,
    ) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Passes the message `x-control` to the other relays, as far as they can be
    /// reached.
    fn control(&self, _stream: &StreamId, _control: &str) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Gifts of an open stream, in the page's order.
    fn list(
        &self,
        stream: &StreamId,
        page: Page,
    ) -> BoxFuture<'static, Result<Vec<Listed>, StoreError>>;

    /// A gift of an open stream; none when it was never accepted, or is forgotten.
    fn find(
        &self,
        stream: &StreamId,
        gift: &GiftId,
    ) -> BoxFuture<'static, Result<Option<Listed>, StoreError>>;

    /// Gifts of all streams that nobody has settled, if the store can tell.
    fn unsettled(&self) -> BoxFuture<'static, Option<u64>> {
        Box::pin(std::future::ready(None))
    }

    /// Deletes what ended before a time; returns how many.
    fn forget_before(&self, time: WallTime) -> BoxFuture<'static, Result<u64, StoreError>>;

    /// Whether gifts would be accepted, as far as it is known.
    fn is_well(&self) -> bool;
}

/// Ids that an offer is tried under: its own, that of the count it has come to, and that
/// of the end.
const LOOKS: usize = 3;

/// What a second gift under a known id is to the first.
#[derive(Debug, PartialEq)]
enum Kinship {
    Same,
    /// The next message of a streak, or its last, under an id that its platform reuses;
    /// it goes out as this one.
    Update(Offer),
    Other,
}

/// Compares an offer with the message that was kept under its id. When each says it
/// was sent does not matter: who sends again may stamp again.
fn kinship(offer: &Offer, kept: &str, now: WallTime) -> Kinship {
    let (Some(offered), Some(mut kept)) = (gift_in(&offer.message), gift_in(kept)) else {
        return Kinship::Other;
    };
    kept.sent_at = offered.sent_at;
    if kept == offered {
        return Kinship::Same;
    }
    let id = match (offered.combo_count, ends(&offered, &kept)) {
        (count, _) if count > kept.combo_count => format!("{}:{count}", offered.id),
        (_, true) => format!("{}:end", offered.id),
        (_, false) => return Kinship::Other,
    };
    match id.len() <= limits::MAX_ID_BYTES {
        true => {
            let id = id.into();
            Kinship::Update(Offer::new(Gift { id, ..offered }, now))
        }
        false => Kinship::Other,
    }
}

/// Whether a gift says no more than that the streak is over whose latest is `kept`: it
/// repeats the count, and so adds nothing.
fn ends(gift: &Gift, kept: &Gift) -> bool {
    let is_its = gift.gift_type == kept.gift_type && gift.sender.user_id == kept.sender.user_id;
    let repeats = gift.combo_count > 0 && gift.combo_count == kept.combo_count;
    is_its && repeats && kept.is_streak && !gift.is_streak
}

/// The gift of a `gift:received`.
fn gift_in(message: &str) -> Option<Gift> {
    match decode_server(message.as_bytes()) {
        Ok(ServerMessage::Gift(gift)) => Some(gift),
        _ => None,
    }
}
