//! hyperfocus-protocol-v1: bytes to the model and back.
//!
//! Pure: no socket, no clock. [`decode_server`] and [`encode_client`] are the
//! renderer's side, [`decode_client`] and [`encode_server`] the backend's (the
//! demo's embedded server and the tests speak it). The serde structs are
//! private to `wire`; nothing else depends on the JSON's shape.

#![deny(clippy::unwrap_used)]

mod clean;
mod decode;
mod encode;
mod envelope;
mod error;
mod field;
pub mod limits;
mod locate;
mod surrogates;
mod translate;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use clean::clean_text;
pub use decode::{decode_client, decode_server};
pub use encode::{encode_client, encode_server};
pub use error::DecodeError;

use crate::model::{Control, Gift, GiftId, SessionConfig, StreamStatus, WallTime};

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

/// What a renderer sends to a backend.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    Init(ConnectionInit),
    Pong(Pong),
    GiftAck(GiftAck),
    Error(PeerError),
    Unknown(Arc<str>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionInit {
    pub client_id: Arc<str>,
    pub stream_id: Arc<str>,
    pub client_type: ClientType,
    pub capabilities: Vec<Arc<str>>,
    /// The program's own version, not the protocol's.
    pub version: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientType {
    Host,
    Viewer,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionAck {
    pub session_id: Arc<str>,
    /// For display only; `None` when unreadable.
    pub server_time: Option<WallTime>,
    pub config: SessionConfig,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ping {
    pub sequence: u64,
    pub sent_at: Option<WallTime>,
}

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

#[derive(Debug, Clone, PartialEq)]
pub struct GiftAck {
    pub gift_id: GiftId,
    pub received_at: WallTime,
    pub rendered: bool,
    pub error: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PeerError {
    pub code: Arc<str>,
    pub message: Arc<str>,
    pub retryable: bool,
    /// Clamped to 0 to 5 min.
    pub retry_after: Option<Duration>,
}
