//! The backend of a recording: says what the show file says, and hears the acks.
//!
//! Between it and the stage stand the session and the link of a live show,
//! without a socket: what a renderer would refuse, count or answer, it does here
//! as well.

use std::sync::Arc;

use anyhow::Result;
use tracing::warn;

use crate::model::{Moment, SessionConfig, WallTime};
use crate::net::{FarEnd, FromStage, Link};
use crate::protocol::{ClientType, ConnectionAck, ServerMessage, encode_server};
use crate::session::{Frame, Input, Note, Output, Session, SessionSettings};
use crate::showfile::ShowFile;

/// What a recording speaks beyond the contract: a host's controls play again.
const FEATURES: [&str; 1] = ["x-control"];

/// Nothing that is seen goes by the wall's clock.
const WALL: WallTime = WallTime::UNIX_EPOCH;

pub(super) struct Backend {
    show: ShowFile,
    session: Session,
    far: FarEnd,
}

impl Backend {
    /// A backend that the stage at the other end of the link has just joined.
    pub(super) fn open(show: ShowFile) -> (Self, Link) {
        let settings = SessionSettings::new("recording", "recorder", ClientType::Host);
        let mut session = Session::new(settings);
        let ack = ServerMessage::Ack(ConnectionAck {
            session_id: "recording".into(),
            server_time: None,
            config: SessionConfig {
                features: FEATURES.map(Arc::from).to_vec(),
                ..SessionConfig::default()
            },
        });
        let ack = encode_server(&ack, WALL);
        for input in [
            Input::Timer,
            Input::Connected { subprotocol: true },
            Input::Text(ack.as_bytes()),
        ] {
            session.handle_input(input, Moment::ZERO, WALL);
        }
        let (link, far) = Link::loose();
        (Self { show, session, far }, link)
    }

    /// Says everything that was said by `now`.
    ///
    /// # Errors
    /// When the show file is no longer what it was.
    pub(super) fn say(&mut self, now: Moment) -> Result<()> {
        while let Some(message) = self.show.next_by(now)? {
            let input = Input::Text(&message);
            self.session.handle_input(input, now, WALL);
            self.pass_on(now);
        }
        self.pass_on(now);
        Ok(())
    }

    /// Hears what became of gifts in the frame of `now`.
    pub(super) fn hear(&mut self, now: Moment) {
        while let Ok(said) = self.far.from_stage.try_recv() {
            let input = match said {
                FromStage::Outcome(outcome) => Input::Outcome(outcome),
                FromStage::Telemetry(telemetry) => Input::Telemetry(telemetry),
            };
            self.session.handle_input(input, now, WALL);
        }
        self.pass_on(now);
    }

    /// Whether all was said, and every gift has been answered.
    pub(super) fn is_over(&self) -> bool {
        self.show.is_over() && self.session.undecided() == 0
    }

    /// Whether all was said.
    pub(super) fn has_said_all(&self) -> bool {
        self.show.is_over()
    }

    /// When the last line is said.
    pub(super) fn length(&self) -> Moment {
        self.show.length()
    }

    /// Acks that were heard, and gifts that came twice.
    pub(super) fn counts(&self) -> (u64, u64) {
        let counts = self.session.counts();
        (counts.acks_sent, counts.duplicates)
    }

    fn pass_on(&mut self, now: Moment) {
        while let Some(frame) = self.session.poll_frame() {
            // Who never answered would have every ack kept for it.
            if let Frame::Ping(payload) = frame {
                self.session.handle_input(Input::Pong(&payload), now, WALL);
            }
        }
        while let Some(output) = self.session.poll_output() {
            if let Output::Note(Note::Overloaded { so_far }) = output {
                warn!("{so_far} gifts were more than can be held; the cheapest are refused");
            }
        }
        while let Some(message) = self.session.poll_stage() {
            // Fails only once the stage has gone.
            let _ = self.far.to_stage.send(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Control, Outcome, Verdict};
    use crate::session::{ConnectionState, ToStage};

    fn backend(lines: &[&str]) -> (Backend, Link) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        Backend::open(ShowFile::open(&path).unwrap())
    }

    #[test]
    fn a_gift_that_is_there_twice_is_said_once_and_answered() {
        let gift = r#"{"at": 1, "giftId": "a", "giftType": "rose"}"#;
        let (mut backend, link) = backend(&[gift, gift]);
        backend.say(Duration::ZERO).unwrap();
        let first: Vec<_> = link.drain().collect();
        assert!(
            first.contains(&ToStage::Connection(ConnectionState::Online)),
            "{first:?}"
        );
        backend.say(Duration::from_secs(1)).unwrap();
        let gifts: Vec<_> = link.drain().collect();
        assert!(matches!(&gifts[..], [ToStage::Gift(_)]), "{gifts:?}");
        assert!(backend.has_said_all() && !backend.is_over());
        let outcome = Outcome {
            gift: "a".into(),
            combo_count: 0,
            quantity: 1,
            verdict: Verdict::Played,
        };
        link.send(FromStage::Outcome(outcome)).unwrap();
        backend.hear(Duration::from_secs(2));
        assert!(backend.is_over());
        let (acked, duplicates) = backend.counts();
        assert!(acked >= 1 && duplicates == 1, "{acked} {duplicates}");
    }

    #[test]
    fn a_hosts_controls_are_said_again() {
        let pause =
            r#"{"at": 0, "message": {"type": "x-control", "payload": {"action": "pause"}}}"#;
        let (mut backend, link) = backend(&[pause]);
        backend.say(Duration::ZERO).unwrap();
        let pause = ToStage::Control(Control::Pause);
        assert!(link.drain().any(|said| said == pause));
    }

    #[test]
    fn a_silent_hour_ends_no_session() {
        let late = r#"{"at": 3600, "giftId": "a", "giftType": "rose"}"#;
        let (mut backend, link) = backend(&[late]);
        for second in 0..=3600 {
            backend.say(Duration::from_secs(second)).unwrap();
        }
        let said: Vec<_> = link.drain().collect();
        assert!(matches!(said.last(), Some(ToStage::Gift(_))), "{said:?}");
    }
}
