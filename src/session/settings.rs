//! Who the session is, and how patient.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::ClientType;

/// More than `retryAfter` asked for, at most: keeps a crowd that was told the
/// same number from coming back in one instant.
pub(super) const RETRY_JITTER: f64 = 0.2;

/// What this renderer can do, as `connection:init` says it: the kinds of
/// animation, and the extensions it speaks with a server that knows them.
pub const CAPABILITIES: [&str; 8] = [
    "webgpu",
    "particle",
    "3d-model",
    "video",
    "audio",
    "x-control",
    "x-ack-interim",
    "x-telemetry",
];

/// Who the session is to the backend.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    pub stream_id: Arc<str>,
    /// Unique among the programs connected to a backend.
    pub client_id: Arc<str>,
    pub client_type: ClientType,
    /// At most 32 names.
    pub capabilities: Vec<Arc<str>>,
    /// The program's own version.
    pub version: Arc<str>,
    /// Spreads reconnects; the same seed gives the same delays.
    pub seed: u64,
    pub timing: Timing,
}

impl SessionSettings {
    /// This program, with every capability it has and the default patience.
    pub fn new(
        stream_id: impl Into<Arc<str>>,
        client_id: impl Into<Arc<str>>,
        client_type: ClientType,
    ) -> Self {
        Self {
            stream_id: stream_id.into(),
            client_id: client_id.into(),
            client_type,
            capabilities: CAPABILITIES.map(Arc::from).to_vec(),
            version: env!("CARGO_PKG_VERSION").into(),
            seed: 0,
            timing: Timing::default(),
        }
    }
}

/// Every wait of the session. The defaults are what ships; tests that use real
/// sockets shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Name resolution, TCP, TLS and the upgrade together. 10 s: a phone's
    /// hotspot can need most of it.
    pub connect: Duration,
    /// From the open socket to `connection:ack`. 10 s.
    pub ack: Duration,
    /// From our close frame to giving up on the peer's. 2 s: nobody wants to
    /// wait longer after ctrl-C.
    pub close: Duration,
    /// Between our pings when nothing hangs on them. 10 s.
    pub ping_every: Duration,
    /// Between our pings while acks wait for proof of arrival. 1 s, so that a
    /// reconnect repeats about a second's worth of acks.
    pub ping_for_acks: Duration,
    /// How long a ping may stay unanswered before another is sent. 30 s.
    pub ping_patience: Duration,
    /// Undecided gifts get an interim ack after this, where negotiated. 5 s.
    pub interim_after: Duration,
    /// Ceiling of the first reconnect delay. 0.5 s.
    pub backoff_first: Duration,
    /// Ceiling of every later one. 30 s: a backend that returns is found
    /// before the streamer worries.
    pub backoff_cap: Duration,
    /// A connection this old starts the backoff afresh when it breaks. 60 s.
    pub health: Duration,
    /// Between errors sent to the peer, and between notes of one kind. 1 s.
    pub error_spacing: Duration,
    /// Silence allowed beyond two ping intervals. 5 s.
    pub silence_grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            ack: Duration::from_secs(10),
            close: Duration::from_secs(2),
            ping_every: Duration::from_secs(10),
            ping_for_acks: Duration::from_secs(1),
            ping_patience: Duration::from_secs(30),
            interim_after: Duration::from_secs(5),
            backoff_first: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            health: Duration::from_secs(60),
            error_spacing: Duration::from_secs(1),
            silence_grace: Duration::from_secs(5),
        }
    }
}

impl Timing {
    /// How long a peer with this heartbeat may be silent.
    pub fn silence_after(&self, ping_interval: Duration) -> Duration {
        2 * ping_interval + self.silence_grace
    }
}
