//! One client session of hyperfocus-protocol-v1, without a socket or a clock.
//!
//! [`Session`] takes inputs ([`Session::handle_input`]) and is polled for what
//! should happen: [`Session::poll_output`] (connect, disconnect, what to say
//! in the log), [`Session::poll_frame`] (what to write, asked only while the
//! socket can take more) and [`Session::poll_stage`] (what the stage should
//! get, asked only while its channel has room). [`Session::next_wake`] says
//! when time alone will change something. Whoever drives it owns the socket,
//! the clock and the seed, and decides nothing.
//!
//! What the session promises:
//! - a heartbeat is answered whether or not anything else can move;
//! - a gift reaches the stage once, and every ack says what became of it;
//! - an ack is kept until the peer has proved that it read it;
//! - nothing grows without a bound, whatever the peer sends. Frames are made
//!   when they are polled, so a socket that takes nothing costs nothing.

#![deny(clippy::unwrap_used)]

mod backoff;
mod held;
mod inbound;
mod ledger;
mod outbound;
mod outbox;
mod pinger;
mod problem;
mod settings;
mod signals;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{
    Control, Moment, RefusalReason, SessionConfig, StreamStatus, Telemetry, Verdict, WallTime,
};
use crate::protocol::{GiftAck, PeerError};

use held::Held;
use ledger::{GiftKey, Ledger, Settled};
use outbox::Outbox;
use pinger::Pinger;
use problem::Reaction;

pub(crate) use backoff::Backoff;
pub use held::MAX_HELD;
pub use ledger::{MAX_REMEMBERED, MAX_UNDECIDED};
pub use outbox::MAX_OUTBOX;
pub use problem::{ConnectFailure, Problem, close_code};
pub use settings::{CAPABILITIES, SessionSettings, Timing};
pub use signals::{ConnectionState, Counts, Frame, Input, Note, Output, ToStage, Violation};

/// Heartbeats that may wait to be answered while the socket takes nothing. A
/// peer that has left as many unread is not waiting for the oldest.
const MAX_PONGS: usize = 64;

/// Controls that may wait for the stage, as many as gifts may wait on it: a script
/// may skip each of them. Past them the oldest is dropped, as a host who presses
/// that often wants the latest.
const MAX_CONTROLS: usize = 10_000;

/// Outputs that may wait for the driver. It polls after every batch and every
/// change of phase; only notes come in numbers, and they give way.
const MAX_OUTPUTS: usize = 64;

/// Interim acks are a courtesy: a gift beyond this many waiting ones gets only
/// its final ack.
const MAX_INTERIM: usize = 100_000;

const INTERIM_ACK: &str = "x-ack-interim";
const CONTROL: &str = "x-control";
const TELEMETRY: &str = "x-telemetry";

/// Where the session is in its life.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// No socket; the next attempt is due at `until`.
    Waiting { until: Moment },
    /// The driver is opening a socket and has until `until`.
    Connecting { until: Moment },
    /// The socket is open and the peer has not acknowledged us. Pings and
    /// gifts are served already.
    Greeting { ack_by: Moment },
    /// The peer has acknowledged us, at `since`.
    Live { since: Moment },
    /// We are leaving the connection: a close frame goes out, then we wait
    /// for the peer's until `until`. Nothing that arrives counts any more.
    Closing {
        code: u16,
        reason: &'static str,
        close_sent: bool,
        /// Whether decided gifts are still acked before the close frame.
        flush: bool,
        until: Moment,
        then: Farewell,
        /// Since when it was live, if it was.
        live_since: Option<Moment>,
    },
    /// Over for good.
    Stopped,
}

/// What follows a close of ours.
#[derive(Debug, Clone, PartialEq)]
enum Farewell {
    /// Whatever the problem calls for.
    Problem(Problem),
    /// The user asked to leave.
    Shutdown,
}

/// Something for the stage that keeps its place behind gifts.
#[derive(Debug)]
struct Behind<T> {
    /// The number of the first held gift that it overtakes; those before it go first.
    gift: u64,
    what: T,
}

/// The client's side of one stream's protocol, across reconnects.
#[derive(Debug)]
pub struct Session {
    settings: SessionSettings,
    phase: Phase,
    now: Moment,
    wall: WallTime,

    outputs: VecDeque<Output>,
    // To the stage: slots where the latest wins, queues where all count.
    connection: Option<ConnectionState>,
    config_for_stage: Option<SessionConfig>,
    status: Option<Behind<StreamStatus>>,
    controls: VecDeque<Behind<Control>>,
    held: Held,
    // To the peer.
    pongs: VecDeque<u64>,
    error: Option<PeerError>,
    next_error: Moment,
    outbox: Outbox,
    /// Whether `connection:init` has not gone out on this connection yet. It
    /// is the first thing that does, even when a peer acknowledges us before a
    /// blocked socket let it through.
    init_due: bool,
    /// Undecided gifts in order of arrival, and when each is due an interim
    /// ack.
    interim: VecDeque<(Moment, GiftKey)>,
    /// What the stage said last of itself and the peer has not heard.
    telemetry: Option<Box<Telemetry>>,
    /// The peer asked us to hold back until then: acks rest, and so does the
    /// next attempt to connect.
    hold_until: Moment,

    ledger: Ledger,
    pinger: Pinger,
    backoff: Backoff,
    /// How long a peer is left alone that wants it and does not say how long; and
    /// when one last did.
    holding: Backoff,
    held_at: Moment,
    /// Why this connection may end before the peer has acknowledged us.
    unwelcome: Option<Problem>,
    config: SessionConfig,
    offer_subprotocol: bool,
    last_heard: Moment,
    last_sequence: Option<u64>,
    memory_bytes: u64,
    next_note: [Moment; Note::KINDS],
    counts: Counts,
}

impl Session {
    /// A session that will ask for a connection at its first
    /// [`Input::Timer`].
    pub fn new(settings: SessionSettings) -> Self {
        Self {
            phase: Phase::Waiting {
                until: Moment::ZERO,
            },
            now: Moment::ZERO,
            wall: WallTime::UNIX_EPOCH,
            outputs: VecDeque::new(),
            connection: None,
            config_for_stage: None,
            status: None,
            controls: VecDeque::new(),
            held: Held::default(),
            pongs: VecDeque::new(),
            error: None,
            next_error: Moment::ZERO,
            outbox: Outbox::default(),
            init_due: false,
            interim: VecDeque::new(),
            telemetry: None,
            hold_until: Moment::ZERO,
            ledger: Ledger::default(),
            pinger: Pinger::default(),
            backoff: Backoff::new(settings.seed),
            holding: Backoff::new(settings.seed ^ 1),
            held_at: Moment::ZERO,
            unwelcome: None,
            config: SessionConfig::default(),
            offer_subprotocol: true,
            last_heard: Moment::ZERO,
            last_sequence: None,
            memory_bytes: 0,
            next_note: [Moment::ZERO; Note::KINDS],
            counts: Counts::default(),
            settings,
        }
    }

    /// Takes in what happened. `now` never runs backwards (an earlier one is
    /// taken as no time having passed); `wall` goes into messages only.
    pub fn handle_input(&mut self, input: Input<'_>, now: Moment, wall: WallTime) {
        self.now = self.now.max(now);
        self.wall = wall;
        match input {
            Input::Timer => self.timers(),
            Input::Connected { subprotocol } => self.connected(subprotocol),
            Input::ConnectFailed(failure) => self.connect_failed(failure),
            Input::Text(bytes) => {
                self.last_heard = self.now;
                if self.is_open() {
                    self.message(bytes);
                }
            }
            Input::Binary => {
                self.last_heard = self.now;
                self.leave(close_code::UNSUPPORTED_DATA, "no binary", Problem::Binary);
            }
            Input::Pong(payload) => {
                self.last_heard = self.now;
                if let Some(written) = self.pinger.pong(payload, self.now) {
                    self.outbox.confirm(written);
                }
            }
            Input::Alive => self.last_heard = self.now,
            Input::Violation(violation) => self.violation(violation),
            Input::Closed { code, reason } => self.closed(code, reason),
            Input::Memory(bytes) => self.memory_bytes = bytes,
            Input::Outcome(outcome) => {
                let key = GiftKey::from(&outcome);
                if !self.settle(key, outcome.verdict) {
                    self.counts.stray_outcomes += 1;
                }
            }
            Input::Telemetry(telemetry) => {
                if self.negotiated(TELEMETRY) {
                    self.telemetry = Some(telemetry);
                }
            }
            Input::Shutdown => self.shutdown(),
        }
    }

    /// Whether the peer wants to know how the stage is doing: the number of the
    /// connection that does, from 1, or 0. A new number has heard nothing yet.
    pub fn telemetry_wanted(&self) -> u64 {
        match self.negotiated(TELEMETRY) {
            true => self.counts.connections,
            false => 0,
        }
    }

    /// What the driver should do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether [`Session::poll_output`] has something: the driver should look
    /// before it feeds in more of the same socket.
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// What the stage should get next. The connection's state and the controls
    /// overtake gifts; a status, which counts those that came before it, and a control
    /// that names one stay behind those. No control overtakes another.
    pub fn poll_stage(&mut self) -> Option<ToStage> {
        if let Some(state) = self.connection.take() {
            return Some(ToStage::Connection(state));
        }
        if let Some(config) = self.config_for_stage.take() {
            return Some(ToStage::Config(config));
        }
        let first = self.held.first();
        if let Some(control) = self.controls.pop_front_if(|it| it.gift <= first) {
            return Some(ToStage::Control(control.what));
        }
        if let Some(status) = self.status.take_if(|it| it.gift <= first) {
            return Some(ToStage::Status(status.what));
        }
        self.held.pop().map(ToStage::Gift)
    }

    /// Whether the session is over for good and needs no socket any more.
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        Counts {
            acks_dropped: self.outbox.dropped(),
            ..self.counts
        }
    }

    /// Gifts received and not yet decided.
    pub fn undecided(&self) -> usize {
        self.ledger.undecided()
    }

    /// Acks not yet proven to have arrived.
    pub fn unconfirmed_acks(&self) -> usize {
        self.outbox.len()
    }

    /// Panics when the session contradicts itself; for tests.
    pub fn verify_invariants(&self) {
        self.ledger.verify_invariants();
        self.outbox.verify_invariants();
        self.held.verify_invariants();
        assert!(self.held.len() <= self.ledger.undecided());
        assert!(self.outputs.len() <= MAX_OUTPUTS);
        assert!(self.controls.len() <= MAX_CONTROLS);
        assert!(self.pongs.len() <= MAX_PONGS);
        assert!(self.interim.len() <= MAX_INTERIM);
        let connected = self.is_open() || matches!(self.phase, Phase::Closing { .. });
        assert!(connected || !self.pinger.is_in_flight());
        assert!(connected || !self.outbox.has_unconfirmed());
        assert!(self.is_open() || self.pongs.is_empty());
        assert_eq!(self.next_wake().is_none(), self.is_stopped());
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Greeting { .. } | Phase::Live { .. })
    }

    fn negotiated(&self, extension: &str) -> bool {
        let names = |list: &[Arc<str>]| list.iter().any(|name| &**name == extension);
        // Asked for every gift: a plain peer names nothing, and that is seen first.
        matches!(self.phase, Phase::Live { .. })
            && names(&self.config.features)
            && names(&self.settings.capabilities)
    }

    fn timers(&mut self) {
        match &self.phase {
            Phase::Waiting { until } if *until <= self.now => self.connect(),
            Phase::Connecting { until } if *until <= self.now => {
                self.output(Output::Disconnect);
                self.lost(ConnectFailure::TimedOut.into(), None);
            }
            Phase::Greeting { ack_by, .. } if *ack_by <= self.now => {
                let no_ack = Problem::NoAck(self.settings.timing.ack);
                let problem = self.unwelcome.take().unwrap_or(no_ack);
                self.leave(close_code::POLICY, "no connection:ack", problem);
            }
            Phase::Greeting { .. } | Phase::Live { .. } if self.silent_at() <= self.now => {
                let silence = self.now.saturating_sub(self.last_heard);
                let since = self.live_since();
                self.output(Output::Disconnect);
                self.lost(Problem::Silent(silence), since);
            }
            Phase::Closing { until, .. } if *until <= self.now => {
                self.output(Output::Disconnect);
                self.farewell();
            }
            _ => {}
        }
    }

    fn connect(&mut self) {
        self.phase = Phase::Connecting {
            until: self.now + self.settings.timing.connect,
        };
        self.state(ConnectionState::Connecting);
        self.output(Output::Connect {
            offer_subprotocol: self.offer_subprotocol,
        });
    }

    fn connected(&mut self, subprotocol: bool) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        self.counts.connections += 1;
        if !subprotocol && self.counts.connections == 1 {
            self.output(Output::Note(Note::NoSubprotocol));
        }
        self.last_heard = self.now;
        self.last_sequence = None;
        self.config = SessionConfig::default();
        self.init_due = true;
        self.phase = Phase::Greeting {
            ack_by: self.now + self.settings.timing.ack,
        };
    }

    fn connect_failed(&mut self, failure: ConnectFailure) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        let refused_offer = matches!(
            failure,
            ConnectFailure::Subprotocol | ConnectFailure::Http { status: 400, .. }
        );
        if refused_offer && self.offer_subprotocol {
            self.offer_subprotocol = false;
            self.connect();
        } else {
            // Whatever comes back may have learnt the subprotocol meanwhile.
            self.offer_subprotocol = self.offer_subprotocol || refused_offer;
            self.lost(failure.into(), None);
        }
    }

    fn violation(&mut self, violation: Violation) {
        let (code, problem) = match violation {
            Violation::TooLarge => (close_code::TOO_BIG, Problem::TooLarge),
            Violation::NotUtf8 => (close_code::NOT_UTF8, Problem::NotUtf8),
            Violation::BadFrames => (close_code::PROTOCOL, Problem::BadFrames),
        };
        self.leave(code, "", problem);
    }

    fn closed(&mut self, code: Option<u16>, reason: &str) {
        match self.phase {
            Phase::Greeting { .. } | Phase::Live { .. } => {
                let since = self.live_since();
                let closed = Problem::closed(code, reason);
                // What it said before is the better reason, unless this one is final.
                let problem = match self.unwelcome.take() {
                    Some(unwelcome) if closed.reaction() != Reaction::Stop => unwelcome,
                    _ => closed,
                };
                self.lost(problem, since);
            }
            Phase::Closing { .. } => self.farewell(),
            Phase::Waiting { .. } | Phase::Connecting { .. } | Phase::Stopped => {}
        }
    }

    fn shutdown(&mut self) {
        match &mut self.phase {
            Phase::Greeting { .. } | Phase::Live { .. } => {
                let live_since = self.live_since();
                self.pongs.clear();
                self.phase = Phase::Closing {
                    code: close_code::NORMAL,
                    reason: "",
                    close_sent: false,
                    flush: live_since.is_some() && !self.init_due,
                    until: self.now + self.settings.timing.close,
                    then: Farewell::Shutdown,
                    live_since,
                };
            }
            Phase::Closing { then, .. } => *then = Farewell::Shutdown,
            Phase::Connecting { .. } => {
                self.output(Output::Disconnect);
                self.stop(None);
            }
            Phase::Waiting { .. } => self.stop(None),
            Phase::Stopped => {}
        }
    }

    /// Leaves the connection with a close frame because of a problem.
    fn leave(&mut self, code: u16, reason: &'static str, problem: Problem) {
        if !self.is_open() {
            return;
        }
        let live_since = self.live_since();
        self.pongs.clear();
        self.phase = Phase::Closing {
            code,
            reason,
            close_sent: false,
            flush: false,
            until: self.now + self.settings.timing.close,
            then: Farewell::Problem(problem),
            live_since,
        };
    }

    /// A close of ours is through, or has waited long enough.
    fn farewell(&mut self) {
        let closing = std::mem::replace(&mut self.phase, Phase::Stopped);
        let Phase::Closing {
            then, live_since, ..
        } = closing
        else {
            self.phase = closing;
            return;
        };
        match then {
            Farewell::Problem(problem) => self.lost(problem, live_since),
            Farewell::Shutdown => self.stop(None),
        }
    }

    /// The connection is over: what comes next depends on why.
    fn lost(&mut self, problem: Problem, live_since: Option<Moment>) {
        self.forget_connection();
        let timing = &self.settings.timing;
        if live_since.is_some_and(|since| self.now.saturating_sub(since) >= timing.health) {
            self.backoff.reset();
        }
        if let Some(asked) = problem.retry_after() {
            self.hold_until = self.now + self.backoff.jittered(asked, settings::RETRY_JITTER);
        }
        let delay = match problem.reaction() {
            Reaction::Retry => self.backoff.delay(timing),
            Reaction::RetrySlowly => self.backoff.slow_delay(timing),
            Reaction::Stop => return self.stop(Some(problem)),
        };
        let retry_in = delay.max(self.hold_until.saturating_sub(self.now));
        self.phase = Phase::Waiting {
            until: self.now + retry_in,
        };
        self.state(ConnectionState::Offline { problem, retry_in });
    }

    fn stop(&mut self, problem: Option<Problem>) {
        self.forget_connection();
        self.phase = Phase::Stopped;
        self.state(ConnectionState::Stopped(problem));
    }

    fn forget_connection(&mut self) {
        self.outbox.rewind();
        self.pinger.reset();
        self.pongs.clear();
        self.error = None;
        self.telemetry = None;
        self.unwelcome = None;
    }

    fn live_since(&self) -> Option<Moment> {
        match self.phase {
            Phase::Live { since } => Some(since),
            _ => None,
        }
    }

    /// Records a verdict and puts its ack in the outbox; false when the gift
    /// was not undecided.
    fn settle(&mut self, key: GiftKey, verdict: Verdict) -> bool {
        let settled = self.settled(verdict);
        let ack = ack_of(&key, &settled);
        let fresh = self.ledger.settle(&key, settled, self.outbox.kept());
        if fresh {
            self.outbox.push(ack);
        }
        fresh
    }

    fn overloaded(&mut self, key: GiftKey) {
        self.counts.overloaded += 1;
        let verdict = Verdict::Refused(RefusalReason::Overloaded);
        if !self.settle(key.clone(), verdict.clone()) {
            self.settle_at_once(key, verdict);
        }
        let so_far = self.counts.overloaded;
        self.note(Note::Overloaded { so_far });
    }

    fn settle_at_once(&mut self, key: GiftKey, verdict: Verdict) {
        let settled = self.settled(verdict);
        self.outbox.push(ack_of(&key, &settled));
        let kept = self.outbox.kept();
        self.ledger.settle_at_once(&key, settled, kept);
    }

    /// Decided now, with the ack that is pushed next.
    fn settled(&self, verdict: Verdict) -> Settled {
        Settled {
            verdict,
            at: self.wall,
            ack: self.outbox.end(),
        }
    }

    /// A gift that is decided came again: so does its ack, unless that is still on
    /// its way out and answers both.
    fn repeat(&mut self, key: &GiftKey, settled: &Settled) {
        self.counts.duplicates += 1;
        if !self.outbox.is_unsent(settled.ack) {
            self.ledger.acked_again(key, self.outbox.end());
            self.outbox.push(ack_of(key, settled));
        }
    }

    fn state(&mut self, state: ConnectionState) {
        self.connection = Some(state.clone());
        self.output(Output::State(state));
    }

    fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// A note, unless one of its kind went out within the last second.
    fn note(&mut self, note: Note) {
        let kind = note.kind();
        if self.next_note[kind] <= self.now && self.outputs.len() < MAX_OUTPUTS / 2 {
            self.next_note[kind] = self.now + self.settings.timing.error_spacing;
            self.output(Output::Note(note));
        }
    }
}

fn ack_of(key: &GiftKey, settled: &Settled) -> GiftAck {
    GiftAck {
        gift_id: key.id.clone(),
        received_at: settled.at,
        rendered: settled.verdict.is_rendered(),
        error: settled.verdict.error().map(Arc::from),
    }
}
