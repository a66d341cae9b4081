//! What goes into a session and what comes out of it.

use std::time::Duration;

use super::{ConnectFailure, Problem};
use crate::model::{Control, Gift, Outcome, SessionConfig, StreamStatus, Telemetry};
use crate::protocol::PeerError;

/// What happened outside.
#[derive(Debug)]
pub enum Input<'a> {
    /// Nothing but the passing of time; see [`Session::next_wake`](super::Session::next_wake).
    Timer,
    /// The WebSocket that [`Output::Connect`] asked for is open. `subprotocol`:
    /// whether the server named it.
    Connected {
        subprotocol: bool,
    },
    ConnectFailed(ConnectFailure),
    /// A whole text message.
    Text(&'a [u8]),
    /// A whole binary message; its content does not matter.
    Binary,
    /// The answer to a [`Frame::Ping`], or an unsolicited one.
    Pong(&'a [u8]),
    /// Some bytes arrived that are not a whole message yet.
    Alive,
    /// The peer broke the transport's rules; nothing more can be read.
    Violation(Violation),
    /// The connection is gone; `code` is the peer's, if it sent a close frame.
    Closed {
        code: Option<u16>,
        reason: &'a str,
    },
    /// The resident set in bytes, whenever it was measured.
    Memory(u64),
    /// What the stage made of a gift.
    Outcome(Outcome),
    /// How the stage is doing; replaces what it said before.
    Telemetry(Box<Telemetry>),
    /// The user wants to leave.
    Shutdown,
}

/// How a peer can break the transport's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    TooLarge,
    NotUtf8,
    BadFrames,
}

/// What the driver should do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a WebSocket, and answer with [`Input::Connected`] or
    /// [`Input::ConnectFailed`].
    Connect { offer_subprotocol: bool },
    /// Drop the socket, or the attempt to get one; no answer is expected.
    Disconnect,
    /// The connection's state changed; the stage is told too.
    State(ConnectionState),
    /// Something for the log.
    Note(Note),
}

/// What to write to the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Ping([u8; 8]),
    Close { code: u16, reason: &'static str },
}

/// What the stage receives.
#[derive(Debug, Clone, PartialEq)]
pub enum ToStage {
    Gift(Box<Gift>),
    /// What the server grants; replaces the one before.
    Config(SessionConfig),
    /// Replaces the one before.
    Status(StreamStatus),
    Control(Control),
    Connection(ConnectionState),
}

/// The connection as the user sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionState {
    Connecting,
    /// Acknowledged by the server.
    Online,
    /// Broken or refused; the next attempt comes in `retry_in`.
    Offline {
        problem: Problem,
        retry_in: Duration,
    },
    /// For good; `None` when the user asked for it.
    Stopped(Option<Problem>),
}

/// Something worth a line in the log, at most about one a second of each kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// A message could not be read. `so_far` counts all of them.
    Malformed {
        code: &'static str,
        so_far: u64,
    },
    PeerError(PeerError),
    /// The server did not name the subprotocol and is accepted all the same.
    NoSubprotocol,
    /// Gifts were refused because nothing could hold them any more.
    Overloaded {
        so_far: u64,
    },
    /// Controls were dropped because more came than can wait for the stage.
    ControlsDropped {
        so_far: u64,
    },
}

/// What was counted since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub connections: u64,
    pub gifts: u64,
    pub duplicates: u64,
    /// Gifts refused because nothing could hold them.
    pub overloaded: u64,
    /// Controls dropped because too many waited for the stage.
    pub controls_dropped: u64,
    pub acks_sent: u64,
    pub acks_dropped: u64,
    pub pings: u64,
    /// Heartbeats whose sequence did not follow the one before.
    pub ping_gaps: u64,
    pub malformed: u64,
    pub unknown: u64,
    /// Errors not sent because one a second is enough.
    pub errors_suppressed: u64,
    /// Outcomes for gifts that were not undecided: a bug of the stage's.
    pub stray_outcomes: u64,
}

impl Note {
    /// How many kinds there are.
    pub(super) const KINDS: usize = 5;

    /// Notes of one kind are limited together.
    pub(super) fn kind(&self) -> usize {
        match self {
            Self::Malformed { .. } => 0,
            Self::PeerError(_) => 1,
            Self::NoSubprotocol => 2,
            Self::Overloaded { .. } => 3,
            Self::ControlsDropped { .. } => 4,
        }
    }
}
