//! A WebSocket to a platform, which notices when its peer is gone.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::Failure;
use crate::net::{Dialer, Stream};
use crate::protocol::clean_text;
use crate::protocol::limits::MAX_ERROR_GRAPHEMES;
use crate::session::{ConnectFailure, Problem};

/// For an address, TCP, TLS and the upgrade together; and for one answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Between our pings; as the protocol's own heartbeats.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Two pings unanswered, and a little.
const SILENCE: Duration = Duration::from_secs(65);

/// An open connection.
pub(super) struct Wire {
    stream: Stream,
    /// When something last came.
    heard: Instant,
    /// How long nothing may come.
    silence: Duration,
    /// When we ping next; `None` where only the peer may.
    ping_at: Option<Instant>,
}

impl Wire {
    /// Connects. Messages of more than 2 MiB end the connection.
    pub async fn open(dialer: &Dialer) -> Result<Self, Failure> {
        let dialled = timeout(PATIENCE, dialer.dial(false)).await;
        let (stream, _) = dialled.unwrap_or(Err(ConnectFailure::TimedOut))?;
        let now = Instant::now();
        Ok(Self {
            stream,
            heard: now,
            silence: SILENCE,
            ping_at: Some(now + PING_EVERY),
        })
    }

    /// From now on the peer speaks at least this often, and we only listen.
    pub fn listen(&mut self, silence: Duration) {
        self.silence = silence;
        self.ping_at = None;
    }

    /// The next message. May be dropped and asked again.
    pub async fn next(&mut self) -> Result<Utf8Bytes, Failure> {
        loop {
            let ping_at = self.ping_at;
            let item = tokio::select! {
                // What came while nobody asked counts before the clock does.
                biased;
                item = self.stream.next() => item,
                () = sleep_until(self.heard + self.silence) => {
                    return Err(Failure::passing(Problem::Silent(self.silence)));
                }
                () = sleep_until(ping_at.unwrap_or(self.heard)), if ping_at.is_some() => {
                    self.ping_at = Some(Instant::now() + PING_EVERY);
                    self.send(Message::Ping(Bytes::new())).await?;
                    continue;
                }
            };
            self.heard = Instant::now();
            match item {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    let reason = frame.map_or_else(Utf8Bytes::default, |frame| frame.reason);
                    return Err(closed(code, &reason));
                }
                // None of the platforms says anything in binary.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(closed(None, "")),
            }
        }
    }

    pub async fn say(&mut self, message: &Value) -> Result<(), Failure> {
        self.send(Message::text(message.to_string())).await
    }

    /// Says goodbye; what the peer has sent before it does so can still be read.
    pub async fn leave(&mut self) {
        self.ping_at = None;
        // Whoever is gone needs no goodbye.
        let _ = self.send(Message::Close(None)).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), Failure> {
        let sent = timeout(PATIENCE, self.stream.send(message)).await;
        match sent {
            Ok(sent) => sent.map_err(|error| broken(&error)),
            Err(_) => Err(Failure::passing(Problem::Silent(PATIENCE))),
        }
    }
}

fn closed(code: Option<u16>, reason: &str) -> Failure {
    Failure::passing(Problem::Closed {
        code,
        reason: clean_text(reason, MAX_ERROR_GRAPHEMES).into(),
    })
}

fn broken(error: &Error) -> Failure {
    match error {
        Error::Capacity(_) => Failure::lasting(Problem::TooLarge),
        Error::Utf8(_) => Failure::lasting(Problem::NotUtf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => closed(None, ""),
        Error::Protocol(_) => Failure::lasting(Problem::BadFrames),
        _ => closed(None, ""),
    }
}
