//! One line: what is said, and when.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::config::nearest;
use crate::model::{Moment, WallTime};
use crate::protocol::{DecodeError, ServerMessage, decode_server};

/// What a line that brings its own message may say beside it.
const KEYS: [&str; 2] = ["at", "message"];
/// What the first key of a line may be.
const FIRST_KEYS: [&str; 5] = ["at", "message", "type", "giftId", "giftType"];
/// What a backend says, and what of it is passed over; see [`super`].
const PLAYED: [&str; 4] = [
    "gift:received",
    "stream:status",
    "x-control",
    "connection:ack",
];
const PASSED_OVER: [&str; 5] = [
    "heartbeat:ping",
    "heartbeat:pong",
    "error",
    "gift:ack",
    "connection:init",
];

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("not a JSON object: {0}")]
    Json(String),
    #[error("unknown key {found:?}{}", hint(.meant))]
    Key {
        found: String,
        meant: Option<&'static str>,
    },
    #[error("neither \"message\", \"type\" nor \"giftType\" is there: say what was sent")]
    NothingSaid,
    #[error("no message is called {found:?}{}", hint(.meant))]
    Type {
        found: String,
        meant: Option<&'static str>,
    },
    #[error("{0}")]
    Message(#[from] DecodeError),
    #[error("\"at\" is {0}; give seconds of 0 or more, or a date as 2026-01-31T20:15:00Z")]
    At(String),
    #[error("it has no time: give \"at\" in seconds")]
    NoTime,
    #[error("this line has {this} and those before have {before}; give all of them {before}")]
    Mixed {
        this: &'static str,
        before: &'static str,
    },
    #[error(
        "it comes more than a week before or after another, and one show is at most so long: cut \
         the file into parts, or take less of a relay's history, as in .../history?last=7d"
    )]
    TooFar,
    #[error("a line of more than {0} bytes; no message is so long")]
    TooLong(usize),
    #[error("not UTF-8")]
    NotUtf8,
}

fn hint(meant: &Option<&'static str>) -> String {
    meant.map_or(String::new(), |meant| format!("; did you mean {meant:?}?"))
}

/// When a line was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// From the show's beginning.
    Moment(Moment),
    Wall(WallTime),
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// `None` where neither the line nor its message says.
    pub at: Option<At>,
    /// The message as the backend sends it.
    pub bytes: Cow<'a, [u8]>,
    /// What it says; `None` for what is passed over.
    pub message: Option<ServerMessage>,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` for an empty one.
    ///
    /// # Errors
    /// See [`LineError`].
    pub fn read(text: &'a str) -> Result<Option<Self>, LineError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|error| LineError::Json(error.to_string()))?;
        let at = fields.get("at").map(|raw| read_at(raw)).transpose()?;
        let (bytes, envelope) = if let Some(message) = fields.get("message") {
            if let Some(found) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
                return Err(unknown_key(found, &KEYS));
            }
            let inner = serde_json::from_str::<BTreeMap<String, &RawValue>>(message.get());
            let inner = inner.map_err(|error| LineError::Json(format!("message: {error}")))?;
            (Cow::Borrowed(message.get().as_bytes()), inner)
        } else if fields.contains_key("type") {
            (Cow::Borrowed(text.as_bytes()), fields)
        } else if fields.contains_key("giftType") || fields.contains_key("giftId") {
            // A gift by itself, as a backend's export has it.
            let message = format!("{{\"type\":\"gift:received\",\"payload\":{text}}}");
            (Cow::Owned(message.into_bytes()), fields)
        } else {
            let strange = fields.keys().find(|key| *key != "at");
            return Err(strange.map_or(LineError::NothingSaid, |key| unknown_key(key, &FIRST_KEYS)));
        };
        let message = match decode_server(&bytes)? {
            ServerMessage::Unknown(found) if PASSED_OVER.contains(&&*found) => None,
            ServerMessage::Unknown(found) => {
                let known = PLAYED.iter().chain(&PASSED_OVER).copied();
                return Err(LineError::Type {
                    meant: nearest(&found, known),
                    found: found.to_string(),
                });
            }
            ServerMessage::Ping(_) | ServerMessage::Error(_) => None,
            message => Some(message),
        };
        let own = || match &message {
            Some(ServerMessage::Gift(gift)) => gift.sent_at,
            _ => None,
        };
        let sent = || {
            let stamp = envelope.get("timestamp")?;
            serde_json::from_str::<&str>(stamp.get()).ok()?.parse().ok()
        };
        Ok(Some(Self {
            at: at.or_else(|| own().or_else(sent).map(At::Wall)),
            bytes,
            message,
        }))
    }
}

fn unknown_key(found: &str, known: &[&'static str]) -> LineError {
    LineError::Key {
        found: found.to_owned(),
        meant: nearest(found, known.iter().copied()),
    }
}

fn read_at(raw: &RawValue) -> Result<At, LineError> {
    let refused = || LineError::At(raw.get().chars().take(40).collect());
    if let Ok(seconds) = serde_json::from_str::<f64>(raw.get()) {
        return Duration::try_from_secs_f64(seconds)
            .map(At::Moment)
            .map_err(|_| refused());
    }
    let text: String = serde_json::from_str(raw.get()).map_err(|_| refused())?;
    text.parse().map(At::Wall).map_err(|_| refused())
}
