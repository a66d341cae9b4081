//! What goes to the peer, and when. Every frame is made when it is polled.

use super::{Frame, INTERIM_ACK, Phase, Session};
use crate::model::Moment;
use crate::protocol::{ClientMessage, ConnectionInit, GiftAck, Pong, encode_client};

impl Session {
    /// The next frame to write; ask only when the socket can take one, because
    /// what is polled counts as written.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        match &mut self.phase {
            Phase::Greeting { .. } | Phase::Live { .. } => {
                if std::mem::take(&mut self.init_due) {
                    return Some(self.text(&ClientMessage::Init(ConnectionInit {
                        client_id: self.settings.client_id.clone(),
                        stream_id: self.settings.stream_id.clone(),
                        client_type: self.settings.client_type,
                        capabilities: self.settings.capabilities.clone(),
                        version: self.settings.version.clone(),
                    })));
                }
                self.poll_open_frame()
            }
            Phase::Closing {
                close_sent: true, ..
            } => None,
            Phase::Closing { flush, .. } => {
                if *flush && let Some(ack) = self.outbox.pop_unsent().cloned() {
                    self.counts.acks_sent += 1;
                    return Some(self.text(&ClientMessage::GiftAck(ack)));
                }
                // The error that explains the close goes ahead of it.
                if self.next_error <= self.now
                    && let Some(error) = self.error.take()
                {
                    return Some(self.text(&ClientMessage::Error(error)));
                }
                let Phase::Closing {
                    code,
                    reason,
                    close_sent,
                    ..
                } = &mut self.phase
                else {
                    return None;
                };
                *close_sent = true;
                Some(Frame::Close {
                    code: *code,
                    reason,
                })
            }
            Phase::Waiting { .. } | Phase::Connecting { .. } | Phase::Stopped => None,
        }
    }

    /// When [`Input::Timer`] is next worth sending; `None` when only another
    /// input can change anything.
    pub fn next_wake(&self) -> Option<Moment> {
        match &self.phase {
            Phase::Waiting { until }
            | Phase::Connecting { until }
            | Phase::Closing { until, .. } => Some(*until),
            Phase::Greeting { ack_by, .. } => {
                let until = self.silent_at().min(*ack_by);
                Some(self.frames_due().map_or(until, |due| due.min(until)))
            }
            Phase::Live { .. } => {
                let until = self.silent_at();
                Some(self.frames_due().map_or(until, |due| due.min(until)))
            }
            Phase::Stopped => None,
        }
    }

    /// When the peer counts as dead for having been silent.
    pub(super) fn silent_at(&self) -> Moment {
        self.last_heard
            + self
                .settings
                .timing
                .silence_after(self.config.ping_interval)
    }

    /// When the next frame falls due that is not due yet; what is due already
    /// waits for the socket, not for the clock.
    fn frames_due(&self) -> Option<Moment> {
        let acks_unconfirmed = self.outbox.has_unconfirmed();
        let live = matches!(self.phase, Phase::Live { .. });
        let held = live && (self.outbox.has_unsent() || self.telemetry.is_some());
        [
            Some(self.pinger.due(&self.settings.timing, acks_unconfirmed)),
            self.error.as_ref().map(|_| self.next_error),
            held.then_some(self.hold_until),
            self.interim.front().filter(|_| live).map(|(at, _)| *at),
        ]
        .into_iter()
        .flatten()
        .filter(|at| *at > self.now)
        .min()
    }

    fn poll_open_frame(&mut self) -> Option<Frame> {
        if let Some(sequence) = self.pongs.pop_front() {
            let pong = Pong {
                sequence,
                at: self.wall,
                latency_ms: self.pinger.latency_ms(),
                memory_mb: self.memory_bytes as f64 / 1e6,
                queue_size: self.ledger.undecided() as u64,
            };
            return Some(self.text(&ClientMessage::Pong(pong)));
        }
        let timing = &self.settings.timing;
        if self.pinger.due(timing, self.outbox.has_unconfirmed()) <= self.now {
            let covers = self.outbox.written();
            return Some(Frame::Ping(self.pinger.send(self.now, covers)));
        }
        if self.next_error <= self.now
            && let Some(error) = self.error.take()
        {
            self.next_error = self.now + self.settings.timing.error_spacing;
            return Some(self.text(&ClientMessage::Error(error)));
        }
        // Acks wait for the server's own: before it, a server may still be
        // looking us up and drop what it cannot place.
        if !matches!(self.phase, Phase::Live { .. }) {
            return None;
        }
        if self.hold_until <= self.now
            && let Some(ack) = self.outbox.pop_unsent().cloned()
        {
            self.counts.acks_sent += 1;
            return Some(self.text(&ClientMessage::GiftAck(ack)));
        }
        let interim = self.poll_interim();
        if interim.is_some() || self.hold_until > self.now {
            return interim;
        }
        let telemetry = self.telemetry.take()?;
        Some(self.text(&ClientMessage::Telemetry(telemetry)))
    }

    /// "Received, waiting", to a server that asked to hear it.
    fn poll_interim(&mut self) -> Option<Frame> {
        let negotiated = self.negotiated(INTERIM_ACK);
        while self.interim.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, key) = self.interim.pop_front()?;
            if negotiated && self.ledger.is_undecided(&key) {
                return Some(self.text(&ClientMessage::GiftAck(GiftAck {
                    gift_id: key.id,
                    received_at: self.wall,
                    rendered: false,
                    error: None,
                })));
            }
        }
        None
    }

    fn text(&self, message: &ClientMessage) -> Frame {
        Frame::Text(encode_client(message, self.wall))
    }
}
