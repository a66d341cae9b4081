//! Bytes to messages.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeSeed;

use super::clean::clean_label;
use super::envelope::{Body, Envelope, EnvelopeInto, Head, Kind, Origin, Payload};
use super::field::Field;
use super::{ClientMessage, DecodeError, ServerMessage, limits, locate, surrogates, translate};

/// Reads what a renderer receives.
///
/// # Errors
/// See [`DecodeError`]; the [module documentation](super) says what is
/// forgiven instead.
pub fn decode_server(bytes: &[u8]) -> Result<ServerMessage, DecodeError> {
    decode(bytes)
}

/// Reads what a backend receives.
///
/// A time that cannot be read (`gift:ack`, `heartbeat:pong`) is taken from the
/// message's own timestamp, and is the Unix epoch when that is unreadable too.
///
/// # Errors
/// See [`DecodeError`]; the [module documentation](super) says what is
/// forgiven instead.
pub fn decode_client(bytes: &[u8]) -> Result<ClientMessage, DecodeError> {
    decode(bytes)
}

/// Reads a server's payload that came without its envelope, as HTTP carries
/// it. `message_type` is what the envelope would have said.
///
/// # Errors
/// See [`DecodeError`]; its paths begin at the payload.
pub fn decode_payload(message_type: &str, json: &[u8]) -> Result<ServerMessage, DecodeError> {
    let text = admit(json, Origin::Server)?;
    match read_payload(message_type, text) {
        Err(error @ DecodeError::Malformed { .. }) => match surrogates::repair(text) {
            Some(repaired) => read_payload(message_type, &repaired),
            None => Err(error),
        },
        done => done,
    }
}

fn read_payload(message_type: &str, text: &str) -> Result<ServerMessage, DecodeError> {
    let Some(kind) = Kind::of(message_type, Origin::Server) else {
        return Ok(ServerMessage::Unknown(message_type.into()));
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let mut payload = Payload::empty(kind);
    payload
        .read(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| refusal(text, 0, &error, Origin::Server))?;
    ServerMessage::from_payload(&payload, &Envelope::default())
}

/// One direction of the protocol.
trait Message: Sized {
    const ORIGIN: Origin;

    fn unknown(message_type: Arc<str>) -> Self;

    fn from_payload(payload: &Payload, envelope: &Envelope) -> Result<Self, DecodeError>;
}

impl Message for ServerMessage {
    const ORIGIN: Origin = Origin::Server;

    fn unknown(message_type: Arc<str>) -> Self {
        Self::Unknown(message_type)
    }

    fn from_payload(payload: &Payload, envelope: &Envelope) -> Result<Self, DecodeError> {
        Ok(match payload {
            Payload::Gift(gift) => Self::Gift(translate::gift(gift)?),
            Payload::Ping(ping) => Self::Ping(translate::ping(ping)),
            Payload::Ack(ack) => Self::Ack(translate::connection_ack(ack)),
            Payload::Status(status) => Self::Status(translate::stream_status(status)?),
            Payload::Problem(problem) => Self::Error(translate::peer_error(problem)),
            Payload::Control(control) => match translate::control(control)? {
                Some(control) => Self::Control(control),
                None => Self::Unknown(translate::unknown_action(control)),
            },
            Payload::Init(_) | Payload::Pong(_) | Payload::GiftAck(_) | Payload::Telemetry(_) => {
                Self::Unknown(translate::unknown_type(envelope))
            }
        })
    }
}

impl Message for ClientMessage {
    const ORIGIN: Origin = Origin::Client;

    fn unknown(message_type: Arc<str>) -> Self {
        Self::Unknown(message_type)
    }

    fn from_payload(payload: &Payload, envelope: &Envelope) -> Result<Self, DecodeError> {
        Ok(match payload {
            Payload::GiftAck(ack) => Self::GiftAck(translate::gift_ack(ack, envelope)?),
            Payload::Pong(pong) => Self::Pong(translate::pong(pong, envelope)),
            Payload::Init(init) => Self::Init(translate::connection_init(init)?),
            Payload::Problem(problem) => Self::Error(translate::peer_error(problem)),
            Payload::Telemetry(telemetry) => {
                Self::Telemetry(Box::new(translate::telemetry(telemetry)?))
            }
            Payload::Ack(_)
            | Payload::Ping(_)
            | Payload::Gift(_)
            | Payload::Status(_)
            | Payload::Control(_) => Self::Unknown(translate::unknown_type(envelope)),
        })
    }
}

fn decode<M: Message>(bytes: &[u8]) -> Result<M, DecodeError> {
    let text = admit(bytes, M::ORIGIN)?;
    match read(text) {
        Err(error @ DecodeError::Malformed { .. }) => match surrogates::repair(text) {
            Some(repaired) => read(&repaired),
            None => Err(error),
        },
        done => done,
    }
}

/// Size, encoding and depth: what must hold before anything is parsed.
fn admit(bytes: &[u8], origin: Origin) -> Result<&str, DecodeError> {
    if bytes.len() > limits::MAX_MESSAGE_BYTES {
        return Err(DecodeError::TooLarge {
            size: bytes.len(),
            limit: limits::MAX_MESSAGE_BYTES,
            message_type: Head::read(&bytes[..limits::MAX_MESSAGE_BYTES], origin)
                .kind
                .map(Kind::name),
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::Malformed {
        path: "$".to_owned(),
        offset: Some(error.valid_up_to()),
        reason: Cow::Borrowed("not UTF-8; send JSON as a text frame in UTF-8"),
        message_type: None,
    })?;
    // RFC 8259 lets a reader pass over a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match too_deep_at(text.as_bytes()) {
        None => Ok(text),
        Some(offset) => Err(DecodeError::Malformed {
            path: "$".to_owned(),
            offset: Some(offset),
            reason: Cow::Owned(format!("nested deeper than {} levels", limits::MAX_DEPTH)),
            message_type: None,
        }),
    }
}

/// Where the nesting exceeds the limit. A message with no more brackets than
/// levels cannot, and that is nearly every message: one vectorised search.
fn too_deep_at(json: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'{', b'[', json).nth(limits::MAX_DEPTH)?;
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in json.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > limits::MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn read<M: Message>(text: &str) -> Result<M, DecodeError> {
    let refused = |base, error| refusal(text, base, &error, M::ORIGIN);
    let mut json = serde_json::Deserializer::from_str(text);
    let mut envelope = Envelope::default();
    let into = EnvelopeInto {
        envelope: &mut envelope,
        origin: M::ORIGIN,
    };
    into.deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| refused(0, error))?;
    if let Some(version) = envelope.version.as_deref() {
        check_version(version, envelope.kind)?;
    }
    let Some(kind) = envelope.kind else {
        return match envelope.message_type.as_deref() {
            Some(_) => Ok(M::unknown(translate::unknown_type(&envelope))),
            None => Err(translate::malformed(
                "type",
                None,
                "missing; say which message this is",
            )),
        };
    };
    let late;
    let payload = match &envelope.body {
        Body::Read(payload) => payload,
        Body::Unread(raw) => {
            let base = raw.get().as_ptr() as usize - text.as_ptr() as usize;
            let mut payload = Payload::empty(kind);
            payload
                .read(&mut serde_json::Deserializer::from_str(raw.get()))
                .map_err(|error| refused(base, error))?;
            late = payload;
            &late
        }
        Body::Absent => {
            late = Payload::empty(kind);
            &late
        }
    };
    M::from_payload(payload, &envelope)
}

/// What serde_json's error means to the peer. A message of another major
/// version is refused as such, whatever else about it is strange to us.
fn refusal(text: &str, base: usize, error: &serde_json::Error, origin: Origin) -> DecodeError {
    let head = Head::read(text.as_bytes(), origin);
    if let Some(Err(unsupported)) = head
        .version
        .as_deref()
        .map(|version| check_version(version, head.kind))
    {
        return unsupported;
    }
    let offset = base + locate::offset_of(&text[base..], error);
    DecodeError::Malformed {
        path: locate::path_at(text, offset),
        offset: Some(offset),
        reason: locate::reason_of(error),
        message_type: head.kind.map(Kind::name),
    }
}

fn check_version(version: &str, kind: Option<Kind>) -> Result<(), DecodeError> {
    let major = version.split('.').next().unwrap_or(version).trim();
    if major == "1" {
        return Ok(());
    }
    Err(DecodeError::UnsupportedVersion {
        found: clean_label(version).into(),
        message_type: kind.map(Kind::name),
    })
}
