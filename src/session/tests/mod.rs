//! A session driven by hand, in virtual time.

use std::time::Duration;

use super::*;
use crate::model::{Gift, Outcome, Sender};
use crate::protocol::{
    ClientMessage, ClientType, ConnectionAck, Ping, Pong, ServerMessage, decode_client,
    encode_server,
};

mod connection;
mod gifts;
mod properties;

const SECOND: Duration = Duration::from_secs(1);

/// A session, a clock that stands still until it is moved, and a socket that
/// takes everything unless it is told not to.
struct Rig {
    session: Session,
    now: Moment,
    sent: Vec<ClientMessage>,
    closes: Vec<u16>,
    pings: Vec<[u8; 8]>,
    outputs: Vec<Output>,
    stage: Vec<ToStage>,
    socket_blocked: bool,
    stage_full: bool,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SessionSettings)) -> Self {
        let mut settings = SessionSettings::new("stream", "client", ClientType::Host);
        settings.seed = 7;
        change(&mut settings);
        Self {
            session: Session::new(settings),
            now: 100 * SECOND,
            sent: Vec::new(),
            closes: Vec::new(),
            pings: Vec::new(),
            outputs: Vec::new(),
            stage: Vec::new(),
            socket_blocked: false,
            stage_full: false,
        }
    }

    fn live() -> Self {
        let mut rig = Self::new();
        rig.go_live(&[]);
        rig
    }

    fn input(&mut self, input: Input<'_>) {
        self.session.handle_input(input, self.now, wall(self.now));
        self.settle();
    }

    fn settle(&mut self) {
        self.session.verify_invariants();
        while let Some(output) = self.session.poll_output() {
            self.outputs.push(output);
        }
        while !self.socket_blocked
            && let Some(frame) = self.session.poll_frame()
        {
            match frame {
                Frame::Text(text) => self
                    .sent
                    .push(decode_client(text.as_bytes()).expect("we send what a server can read")),
                Frame::Ping(payload) => self.pings.push(payload),
                Frame::Close { code, .. } => self.closes.push(code),
            }
        }
        while !self.stage_full
            && let Some(message) = self.session.poll_stage()
        {
            self.stage.push(message);
        }
        self.session.verify_invariants();
    }

    fn server(&mut self, message: &ServerMessage) {
        let text = encode_server(message, wall(self.now));
        self.input(Input::Text(text.as_bytes()));
    }

    fn raw(&mut self, text: &str) {
        self.input(Input::Text(text.as_bytes()));
    }

    /// Lets time pass, waking the session whenever it asks.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.session.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Timer);
        }
        self.now = end;
        self.input(Input::Timer);
    }

    fn connect(&mut self) {
        self.input(Input::Timer);
        assert!(self.last_connect().is_some(), "no connection asked for");
        self.outputs.clear();
        self.input(Input::Connected { subprotocol: true });
    }

    fn go_live(&mut self, features: &[&str]) {
        self.connect();
        self.ack(features);
    }

    fn ack(&mut self, features: &[&str]) {
        let config = SessionConfig {
            features: features.iter().map(|f| Arc::from(*f)).collect(),
            ..SessionConfig::default()
        };
        self.server(&ServerMessage::Ack(ConnectionAck {
            session_id: "session".into(),
            server_time: None,
            config,
        }));
    }

    fn gift(&mut self, id: &str) {
        self.server(&ServerMessage::Gift(gift(id, 1, 0)));
    }

    fn played(&mut self, id: &str) {
        self.outcome(id, 1, 0, Verdict::Played);
    }

    fn outcome(&mut self, id: &str, quantity: u32, combo_count: u32, verdict: Verdict) {
        self.input(Input::Outcome(Outcome {
            gift: id.into(),
            combo_count,
            quantity,
            verdict,
        }));
    }

    /// Answers the last ping.
    fn pong(&mut self) {
        let payload = *self.pings.last().expect("a ping to answer");
        self.input(Input::Pong(&payload));
    }

    fn break_connection(&mut self) {
        self.input(Input::Closed {
            code: None,
            reason: "",
        });
    }

    fn last_connect(&self) -> Option<bool> {
        self.outputs.iter().rev().find_map(|output| match output {
            Output::Connect { offer_subprotocol } => Some(*offer_subprotocol),
            _ => None,
        })
    }

    fn last_state(&self) -> &ConnectionState {
        let states = self.outputs.iter().rev().filter_map(|output| match output {
            Output::State(state) => Some(state),
            _ => None,
        });
        states.into_iter().next().expect("a state")
    }

    fn retry_in(&self) -> Duration {
        match self.last_state() {
            ConnectionState::Offline { retry_in, .. } => *retry_in,
            state => panic!("not offline: {state:?}"),
        }
    }

    /// `(giftId, rendered, error)` of every ack sent so far.
    fn acks(&self) -> Vec<(String, bool, Option<String>)> {
        let acks = self.sent.iter().filter_map(|message| match message {
            ClientMessage::GiftAck(ack) => Some((
                ack.gift_id.to_string(),
                ack.rendered,
                ack.error.as_ref().map(ToString::to_string),
            )),
            _ => None,
        });
        acks.collect()
    }

    fn acked_ids(&self) -> Vec<String> {
        self.acks().into_iter().map(|(id, ..)| id).collect()
    }

    fn errors(&self) -> Vec<String> {
        let errors = self.sent.iter().filter_map(|message| match message {
            ClientMessage::Error(error) => Some(error.code.to_string()),
            _ => None,
        });
        errors.collect()
    }

    fn pongs(&self) -> Vec<Pong> {
        let pongs = self.sent.iter().filter_map(|message| match message {
            ClientMessage::Pong(pong) => Some(*pong),
            _ => None,
        });
        pongs.collect()
    }

    fn drawn(&self) -> Vec<String> {
        let gifts = self.stage.iter().filter_map(|message| match message {
            ToStage::Gift(gift) => Some(gift.id.to_string()),
            _ => None,
        });
        gifts.collect()
    }
}

fn wall(now: Moment) -> WallTime {
    let millis = i64::try_from(now.as_millis()).expect("a short test");
    WallTime::from_millisecond(1_700_000_000_000 + millis).expect("a year we know")
}

fn gift(id: &str, quantity: u32, combo_count: u32) -> Gift {
    Gift {
        quantity,
        total_value: 1.0,
        is_streak: combo_count > 0,
        combo_count,
        ..Gift::one(id, "rose", Sender::named("u", "Ada"))
    }
}

fn ping(sequence: u64) -> ServerMessage {
    ServerMessage::Ping(Ping {
        sequence,
        sent_at: None,
    })
}

fn peer_error(code: &str, retryable: bool, retry_after: Option<Duration>) -> ServerMessage {
    ServerMessage::Error(PeerError {
        code: code.into(),
        message: "because".into(),
        retryable,
        retry_after,
    })
}
