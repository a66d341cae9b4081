//! What the peer says, and what each message changes.

use super::ledger::{Arrival, GiftKey};
use super::problem::{is_auth_code, quote};
use super::{
    Behind, CONTROL, ConnectionState, INTERIM_ACK, MAX_CONTROLS, MAX_INTERIM, MAX_PONGS, Note,
    Phase, Problem, Session, close_code, settings,
};
use crate::model::{Control, Gift, RefusalReason, StreamStatus, Verdict};
use crate::protocol::{ConnectionAck, DecodeError, PeerError, Ping, ServerMessage, decode_server};

const UNSUPPORTED_VERSION: &str = "UNSUPPORTED_VERSION";

/// Whether it is about a gift that may have come just before it.
fn names_a_gift(control: &Control) -> bool {
    use Control::{Dismiss, Hold, Release, ReplayOf};
    matches!(control, Hold(_) | Release(_) | Dismiss(_) | ReplayOf(_))
}

/// Whether the stage needs not hear of the earlier control when this one is the next.
fn replaces(control: &Control, earlier: &Control) -> bool {
    use Control::{DoNotDisturb, Mute, Pause, Resume, Volume};
    match (earlier, control) {
        (Volume(_), Volume(_)) | (Mute(_), Mute(_)) | (Pause | Resume, Pause | Resume) => true,
        // Off and on again plays the recap between.
        (DoNotDisturb(was_on), DoNotDisturb(on)) => *was_on || !on,
        _ => false,
    }
}

impl Session {
    pub(super) fn message(&mut self, bytes: &[u8]) {
        match decode_server(bytes) {
            Ok(ServerMessage::Gift(gift)) => self.gift(gift),
            Ok(ServerMessage::Ping(ping)) => self.ping(ping),
            Ok(ServerMessage::Ack(ack)) => self.acknowledged(ack),
            Ok(ServerMessage::Status(status)) => self.status(status),
            Ok(ServerMessage::Error(error)) => self.peer_error(error),
            Ok(ServerMessage::Control(control)) => self.control(control),
            Ok(ServerMessage::Unknown(_)) => self.counts.unknown += 1,
            Err(error) => self.unreadable(&error),
        }
    }

    fn gift(&mut self, gift: Gift) {
        self.counts.gifts += 1;
        match self.ledger.arrive(GiftKey::of(&gift)) {
            Arrival::New => {
                self.expect_interim(&gift);
                if let Some(refused) = self.held.push(Box::new(gift)) {
                    self.overloaded(GiftKey::of(&refused));
                }
            }
            // A server that sends it again has not heard that it is here.
            Arrival::Waiting => {
                self.counts.duplicates += 1;
                self.expect_interim(&gift);
            }
            Arrival::Settled(settled) => self.repeat(&GiftKey::of(&gift), &settled),
            Arrival::Full => self.overloaded(GiftKey::of(&gift)),
        }
    }

    /// Before the ack we do not know whether the server wants interim acks, so
    /// the gift is noted; after it we do.
    fn expect_interim(&mut self, gift: &Gift) {
        let wanted = matches!(self.phase, Phase::Greeting { .. }) || self.negotiated(INTERIM_ACK);
        if wanted && self.interim.len() < MAX_INTERIM {
            let due = self.now + self.settings.timing.interim_after;
            self.interim.push_back((due, GiftKey::of(gift)));
        }
    }

    fn ping(&mut self, ping: Ping) {
        self.counts.pings += 1;
        if self
            .last_sequence
            .is_some_and(|last| ping.sequence != last.wrapping_add(1))
        {
            self.counts.ping_gaps += 1;
        }
        self.last_sequence = Some(ping.sequence);
        if self.pongs.len() >= MAX_PONGS {
            self.pongs.pop_front();
        }
        self.pongs.push_back(ping.sequence);
    }

    /// The first ack of a connection makes it live; a later one is how the
    /// host's change of a setting reaches a running renderer.
    fn acknowledged(&mut self, ack: ConnectionAck) {
        self.config = ack.config;
        self.config_for_stage = Some(self.config.clone());
        if matches!(self.phase, Phase::Greeting { .. }) {
            self.unwelcome = None;
            self.phase = Phase::Live { since: self.now };
            self.state(ConnectionState::Online);
        }
        if !self.negotiated(INTERIM_ACK) {
            self.interim.clear();
        }
    }

    /// A newer one waits for more gifts, since it counts them, too.
    fn status(&mut self, status: StreamStatus) {
        self.status = Some(Behind {
            gift: self.held.end(),
            what: status,
        });
    }

    fn control(&mut self, control: Control) {
        if !self.negotiated(CONTROL) {
            self.counts.unknown += 1;
            return;
        }
        // Clear means everything that waits, and some of it waits here.
        if control == Control::Clear {
            while let Some(gift) = self.held.pop() {
                self.settle(GiftKey::of(&gift), Verdict::Dismissed);
            }
        }
        let gift = match names_a_gift(&control) {
            true => self.held.end(),
            false => 0,
        };
        let control = Behind {
            gift,
            what: control,
        };
        if let Some(last) = self.controls.back_mut()
            && replaces(&control.what, &last.what)
        {
            *last = control;
            return;
        }
        if self.controls.len() >= MAX_CONTROLS {
            self.controls.pop_front();
            self.counts.controls_dropped += 1;
            let so_far = self.counts.controls_dropped;
            self.note(Note::ControlsDropped { so_far });
        }
        self.controls.push_back(control);
    }

    /// An error from the peer is heeded and never answered.
    fn peer_error(&mut self, error: PeerError) {
        let fatal = !error.retryable
            && (error.code.eq_ignore_ascii_case(UNSUPPORTED_VERSION) || is_auth_code(&error.code));
        if fatal {
            let problem = Problem::Refused {
                code: quote(&error.code),
                message: quote(&error.message),
            };
            self.leave(close_code::NORMAL, "", problem);
            return;
        }
        if error.retryable {
            if self.now.saturating_sub(self.held_at) >= self.settings.timing.health {
                self.holding.reset();
            }
            self.held_at = self.now;
            let pause = match error.retry_after {
                Some(asked) => self.backoff.jittered(asked, settings::RETRY_JITTER),
                None => self.holding.delay(&self.settings.timing),
            };
            self.hold_until = self.hold_until.max(self.now + pause);
        }
        let (code, message) = (quote(&error.code), quote(&error.message));
        if !error.retryable && matches!(self.phase, Phase::Greeting { .. }) {
            self.unwelcome = Some(Problem::Unwelcome {
                code: code.clone(),
                message: message.clone(),
            });
        }
        self.note(Note::PeerError(PeerError {
            code,
            message,
            ..error
        }));
    }

    fn unreadable(&mut self, error: &DecodeError) {
        if let DecodeError::InvalidGift {
            gift_id,
            combo_count,
            quantity,
            ..
        } = error
        {
            let key = GiftKey {
                id: gift_id.clone(),
                quantity: *quantity,
                combo_count: *combo_count,
            };
            return self.invalid_gift(key);
        }
        self.counts.malformed += 1;
        let code = error.code();
        let so_far = self.counts.malformed;
        self.note(Note::Malformed { code, so_far });
        if error.is_about_an_error() {
            return;
        }
        if code == UNSUPPORTED_VERSION && matches!(self.phase, Phase::Greeting { .. }) {
            self.error = Some(error.to_peer_error());
            self.leave(close_code::NORMAL, "", Problem::UnsupportedVersion);
        } else if self.error.is_some() {
            self.counts.errors_suppressed += 1;
        } else {
            self.error = Some(error.to_peer_error());
        }
    }

    /// Readable, but not a gift that can be shown: acked, so that it does not
    /// come again.
    fn invalid_gift(&mut self, key: GiftKey) {
        self.counts.gifts += 1;
        match self.ledger.arrive(key.clone()) {
            Arrival::New => {
                self.settle(key, Verdict::Refused(RefusalReason::Invalid));
            }
            Arrival::Full => self.settle_at_once(key, Verdict::Refused(RefusalReason::Invalid)),
            Arrival::Waiting => self.counts.duplicates += 1,
            Arrival::Settled(settled) => self.repeat(&key, &settled),
        }
    }
}
