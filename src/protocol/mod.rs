//! hyperfocus-protocol-v1: bytes to the model and back.
//!
//! Pure: no socket, no clock. [`decode_server`] and [`encode_client`] are the
//! renderer's side, [`decode_client`] and [`encode_server`] the backend's (the
//! relay, the demo's embedded server and the tests speak it).
//!
//! # A message's way in
//! Size, UTF-8 and depth are checked before anything is parsed (`decode`). The
//! envelope is read in one pass: its `type` decides into which struct the
//! `payload` goes, borrowed from the bytes (`envelope`, `wire`, `field`). What
//! must be there is asked for, the rest gets its default or is clamped
//! (`translate`, [`limits`]), and what strangers wrote is made safe to draw
//! (`clean`). A refusal says where and what was expected (`locate`,
//! [`DecodeError`]) and repeats no value, since its text is logged and sent.
//!
//! # What is forgiven
//! Somebody paid for a gift, so it is refused only when it cannot be shown or
//! acknowledged.
//!
//! | what | how it is read |
//! |---|---|
//! | unknown field, unknown type, a type that the other side would send | ignored; [`ServerMessage::Unknown`] |
//! | `version` missing | 1.0.0; any 1.x is accepted, another major refused before the payload is looked at |
//! | field missing or `null`, string `""` | absent: the default |
//! | `payload.quantity` missing | 1; otherwise floored, above 1,000,000 clamped; 0 or less is [`DecodeError::InvalidGift`] |
//! | `sender`, `animation`, `metadata`, `config`, `stats` missing | all their defaults; an absent `userId` is empty |
//! | timestamp that cannot be read, of whatever type | absent |
//! | number with a fraction where a count is meant | floored; negative is 0 |
//! | URL that is not http(s), or too long | absent |
//! | half a surrogate pair in a string | U+FFFD |
//! | byte order mark at the start | passed over |
//! | a goal whose target is not above 0 | no goal |
//! | `maxGiftsPerSecond` missing, 0 or less | 30; otherwise clamped to 0.01 to 1,000 |
//! | `pingInterval` missing, 0 or less | 30 s; otherwise clamped to 1 s to 120 s |
//!
//! # What is not
//! `MALFORMED` are: text that is not JSON, NaN and numbers beyond a float, a
//! field of the wrong type, a known key that is there twice (peers disagree
//! about which one counts), a missing `giftId`, `giftType`, `clientId`,
//! `streamId`, `clientType`, `rendered` or `isLive`, an id of more than 128
//! bytes or with control characters in it, and nesting deeper than 32.
//!
//! # Extensions
//! Used only when both sides named them, so a plain peer never sees them.
//!
//! `x-control`, server to renderer, has the payload `{"action": ...}` with:
//!
//! | action | further fields |
//! |---|---|
//! | `pause`, `resume`, `clear` | |
//! | `skip` | `giftId`: string, a waiting gift; when absent, what plays in the dearest lane |
//! | `replay` | `giftId`: string, of one of the last 100 acts; the last, when absent |
//! | `hold`, `release` | `giftId`: string |
//! | `mute`, `do-not-disturb` | `on`: boolean |
//! | `volume` | `level`: number, clamped to 0.0 to 1.0 |
//! | `test` | `giftType`: string; `quantity`: number, 1 when absent; or `streak`: number, the messages of a streak, at most 1,000 |
//!
//! An unknown action is [`ServerMessage::Unknown`] with `x-control/` before it.
//!
//! `x-telemetry`, renderer to server, says how the stage is doing: at most once
//! a second, and only when something has changed since. What a server heard last
//! holds until it hears more.
//!
//! | member | what it is |
//! |---|---|
//! | `frameTime` | `p50` and `p95` of what the frames since the last message took, ms |
//! | `fps` | frames drawn a second; 0 when nothing is on stage |
//! | `lanes` | acts in `headline`, `feature` and `ambient` |
//! | `waitTime` | `p50` and `p95` of the waits of the last minute's acts, s |
//! | `waiting` | `count`, and of the first 100 `gifts`: `giftId`, `giftType`, `sender` (empty for many `people`), `quantity`, `held`, `waited` (s) |
//! | `outcomes` | `played`, `joinedStreak`, `joinedBundle`, `refused`, `failed`, `dismissed`: totals of the run |
//! | `paused`, `doNotDisturb`, `muted` | boolean |
//! | `volume` | 0.0 to 1.0 |
//! | `goal` | as `currentGoal`, with what was given since it was told |
//! | `goalWaiting` | how much of its `current` is of gifts without a terminal ack |

#![deny(clippy::unwrap_used)]

mod clean;
mod decode;
mod encode;
mod envelope;
mod error;
mod field;
pub mod limits;
mod locate;
pub(crate) mod surrogates;
mod translate;
mod wire;

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "relay")]
pub(crate) use clean::clean_label;
pub use clean::clean_text;
pub use decode::{decode_client, decode_payload, decode_server};
pub use encode::{encode_client, encode_server};
pub use error::DecodeError;

use crate::model::{Control, Gift, GiftId, SessionConfig, StreamStatus, Telemetry, WallTime};

/// What a backend sends to a renderer.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage {
    Ack(ConnectionAck),
    Ping(Ping),
    Gift(Gift),
    Status(StreamStatus),
    Error(PeerError),
    /// `x-control`, only meaningful when both sides named it.
    Control(Control),
    /// A type we do not know: counted, never an error.
    Unknown(Arc<str>),
}

impl ServerMessage {
    /// An error that trying again does not mend: a client that is told to retry
    /// holds back its acks for a while.
    pub fn refusal(code: &str, message: &str) -> Self {
        Self::Error(PeerError {
            code: code.into(),
            message: message.into(),
            retryable: false,
            retry_after: None,
        })
    }
}

/// What a renderer sends to a backend.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    Init(ConnectionInit),
    Pong(Pong),
    GiftAck(GiftAck),
    Error(PeerError),
    /// `x-telemetry`, only meaningful when both sides named it.
    Telemetry(Box<Telemetry>),
    Unknown(Arc<str>),
}

/// `connection:init`: who connects, and what it can do.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionInit {
    pub client_id: Arc<str>,
    pub stream_id: Arc<str>,
    pub client_type: ClientType,
    pub capabilities: Vec<Arc<str>>,
    /// The program's own version, not the protocol's.
    pub version: Arc<str>,
}

/// What a renderer joins as. A viewer's acks are statistics only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientType {
    Host,
    Viewer,
}

/// `connection:ack`: the session and what it grants.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionAck {
    pub session_id: Arc<str>,
    /// For display only; `None` when unreadable.
    pub server_time: Option<WallTime>,
    pub config: SessionConfig,
}

/// `heartbeat:ping`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ping {
    pub sequence: u64,
    pub sent_at: Option<WallTime>,
}

/// `heartbeat:pong`, with the renderer's state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pong {
    pub sequence: u64,
    pub at: WallTime,
    /// Round trip in ms, 0 until measured.
    pub latency_ms: f64,
    /// Resident set in MB (10^6 bytes).
    pub memory_mb: f64,
    /// Gifts received and not yet decided.
    pub queue_size: u64,
}

/// `gift:ack`: where one gift ended.
#[derive(Debug, Clone, PartialEq)]
pub struct GiftAck {
    pub gift_id: GiftId,
    pub received_at: WallTime,
    pub rendered: bool,
    pub error: Option<Arc<str>>,
}

/// `error`, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerError {
    pub code: Arc<str>,
    pub message: Arc<str>,
    pub retryable: bool,
    /// Clamped to 0 to 5 min.
    pub retry_after: Option<Duration>,
}
