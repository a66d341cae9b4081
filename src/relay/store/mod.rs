//! Where accepted gifts are kept, and what became of them.
//!
//! One trait, so that the same relay runs on a file or on a cluster, and one
//! suite of tests that every store must pass.
//!
//! # What a store promises
//! - [`Store::accept`] returns when the gifts will survive a loss of power, and
//!   not before.
//! - A gift is kept once under its id, however often it is offered, for as long
//!   as history lasts: see [`Admission`].
//! - The [`Feed`] gets every accepted gift once, in the order of its serial,
//!   before its `accept` returns.
//! - What is not settled is never deleted.

mod sqlite;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::hub::{Ended, Serial};
use crate::model::{Gift, GiftId, SessionConfig, WallTime};
use crate::protocol::{ServerMessage, decode_server, encode_server, limits};

pub(super) use sqlite::{Opened, SqliteOptions};

/// A stream's name; 1 to 128 bytes.
pub(super) type StreamId = Arc<str>;

/// A gift that somebody wants delivered, with the message that would do it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub gift: Gift,
    /// `gift:received`, as every renderer gets it.
    pub message: String,
}

impl Offer {
    /// `now` is when the gift came in.
    pub fn new(gift: Gift, now: WallTime) -> Self {
        let message = ServerMessage::Gift(gift);
        let text = encode_server(&message, now);
        let ServerMessage::Gift(gift) = message else {
            unreachable!("it was made just now")
        };
        Self {
            gift,
            message: text,
        }
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
    pub stream: StreamId,
    pub serial: Serial,
    pub gift: GiftId,
    pub message: String,
}

/// Gets what was accepted, on the store's own thread, and must not block it.
pub(super) type Feed = Box<dyn FnMut(Vec<Fresh>) + Send>;

/// What an earlier run left of one stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub stream: StreamId,
    pub config: Option<SessionConfig>,
    /// The latest `stream:status`, as it was sent.
    pub status: Option<String>,
    /// In the order of their serials.
    pub unsettled: Vec<(Serial, GiftId, String)>,
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

/// Which gifts to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Any, when absent.
    pub state: Option<State>,
    /// Those after this serial.
    pub after: Serial,
    pub limit: usize,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    #[error("the disk, or the room that the relay may use, is full; make room and send it again")]
    Full,
    #[error(
        "the database {} is damaged ({reason}); it was left as it is. Restore it from a copy, or \
         start with --start-clean to put it aside and begin with an empty one",
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
}

/// Where gifts, their outcomes and the streams' settings are kept.
pub(super) trait Store: Send + Sync {
    /// Keeps gifts, all or none. Resolves when they are safe.
    fn accept(
        &self,
        stream: &StreamId,
        offers: Vec<Offer>,
        now: WallTime,
    ) -> BoxFuture<'static, Result<Vec<Admission>, StoreError>>;

    /// Notes how gifts ended. Resolves when that is in the store's hands; it is
    /// safe with the next gift that is, and a gift whose ending was lost is
    /// sent again.
    fn end(&self, stream: &StreamId, ended: Vec<Ended>, now: WallTime) -> BoxFuture<'static, ()>;

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

    /// In the order of their serials.
    fn list(
        &self,
        stream: &StreamId,
        page: Page,
    ) -> BoxFuture<'static, Result<Vec<Listed>, StoreError>>;

    /// Deletes what ended before a time; returns how many.
    fn forget_before(&self, time: WallTime) -> BoxFuture<'static, Result<u64, StoreError>>;

    /// Whether the last thing it did went well.
    fn is_well(&self) -> bool;
}

/// What a second gift under a known id is to the first.
#[derive(Debug, PartialEq)]
enum Kinship {
    Same,
    /// The next message of a streak, under an id that its platform reuses; it
    /// goes out under this one.
    Update(GiftId),
    Other,
}

/// Compares an offer with the gift that has its id. When each says it was sent
/// does not matter: who sends again may stamp again.
fn kinship(offered: &Gift, kept: &str) -> Kinship {
    let Ok(ServerMessage::Gift(mut kept)) = decode_server(kept.as_bytes()) else {
        return Kinship::Other;
    };
    kept.sent_at = offered.sent_at;
    if kept == *offered {
        return Kinship::Same;
    }
    let id = format!("{}:{}", offered.id, offered.combo_count);
    match offered.combo_count > kept.combo_count && id.len() <= limits::MAX_ID_BYTES {
        true => Kinship::Update(id.into()),
        false => Kinship::Other,
    }
}
