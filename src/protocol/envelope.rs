//! The message around the payload: one pass over the bytes.
//!
//! `type` decides how `payload` is read. Peers write `type` first, so the
//! payload is read straight into its struct when the reader reaches it. When
//! the payload comes first it is set aside as a slice and read afterwards.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::{Field, ReadInto, Stamp, Text};
use super::wire;

/// Who sent the message. A type that the other side would send is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Server,
    Client,
}

/// The message types of the contract, `x-control` and `x-telemetry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Init,
    Ack,
    Ping,
    Pong,
    Gift,
    GiftAck,
    Status,
    Problem,
    Control,
    Telemetry,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Gift,
        Self::GiftAck,
        Self::Ping,
        Self::Pong,
        Self::Init,
        Self::Ack,
        Self::Status,
        Self::Problem,
        Self::Control,
        Self::Telemetry,
    ];

    /// What `type` says.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Init => "connection:init",
            Self::Ack => "connection:ack",
            Self::Ping => "heartbeat:ping",
            Self::Pong => "heartbeat:pong",
            Self::Gift => "gift:received",
            Self::GiftAck => "gift:ack",
            Self::Status => "stream:status",
            Self::Problem => "error",
            Self::Control => "x-control",
            Self::Telemetry => "x-telemetry",
        }
    }

    fn comes_from(self, origin: Origin) -> bool {
        match self {
            Self::Ack | Self::Ping | Self::Gift | Self::Status | Self::Control => {
                origin == Origin::Server
            }
            Self::Init | Self::Pong | Self::GiftAck | Self::Telemetry => origin == Origin::Client,
            Self::Problem => true,
        }
    }

    pub(super) fn of(name: &str, origin: Origin) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name && kind.comes_from(origin))
    }
}

/// A payload in its own shape.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    Init(wire::Init<'a>),
    Ack(wire::Ack<'a>),
    Ping(wire::Ping<'a>),
    Pong(wire::Pong<'a>),
    Gift(wire::GiftReceived<'a>),
    GiftAck(wire::GiftAck<'a>),
    Status(wire::Status<'a>),
    Problem(wire::Problem<'a>),
    Control(wire::Control<'a>),
    Telemetry(wire::Telemetry<'a>),
}

impl Payload<'_> {
    /// One of which nothing is known yet; what `null` says.
    pub(super) fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Init => Self::Init(wire::Init::default()),
            Kind::Ack => Self::Ack(wire::Ack::default()),
            Kind::Ping => Self::Ping(wire::Ping::default()),
            Kind::Pong => Self::Pong(wire::Pong::default()),
            Kind::Gift => Self::Gift(wire::GiftReceived::default()),
            Kind::GiftAck => Self::GiftAck(wire::GiftAck::default()),
            Kind::Status => Self::Status(wire::Status::default()),
            Kind::Problem => Self::Problem(wire::Problem::default()),
            Kind::Control => Self::Control(wire::Control::default()),
            Kind::Telemetry => Self::Telemetry(wire::Telemetry::default()),
        }
    }
}

impl<'de> Field<'de> for Payload<'de> {
    fn read<D: Deserializer<'de>>(&mut self, from: D) -> Result<(), D::Error> {
        match self {
            Self::Init(init) => init.read(from),
            Self::Ack(ack) => ack.read(from),
            Self::Ping(ping) => ping.read(from),
            Self::Pong(pong) => pong.read(from),
            Self::Gift(gift) => gift.read(from),
            Self::GiftAck(ack) => ack.read(from),
            Self::Status(status) => status.read(from),
            Self::Problem(problem) => problem.read(from),
            Self::Control(control) => control.read(from),
            Self::Telemetry(telemetry) => telemetry.read(from),
        }
    }
}

#[derive(Debug, Default)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack; a box would cost more than the copy"
)]
pub(super) enum Body<'a> {
    #[default]
    Absent,
    Read(Payload<'a>),
    /// It came before the type, or the type is unknown.
    Unread(&'a RawValue),
}

impl<'a> Body<'a> {
    /// Makes room for a payload.
    fn begin(&mut self, kind: Kind) -> &mut Payload<'a> {
        *self = Self::Read(Payload::empty(kind));
        match self {
            Self::Read(payload) => payload,
            Self::Absent | Self::Unread(_) => unreachable!("it was made just now"),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) message_type: Text<'a>,
    pub(super) kind: Option<Kind>,
    pub(super) body: Body<'a>,
    pub(super) timestamp: Stamp<'a>,
    pub(super) version: Text<'a>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    Payload,
    Timestamp,
    Version,
    #[serde(other)]
    Other,
}

/// Reads an envelope into its place.
pub(super) struct EnvelopeInto<'e, 'a> {
    pub(super) envelope: &'e mut Envelope<'a>,
    pub(super) origin: Origin,
}

impl<'de> DeserializeSeed<'de> for EnvelopeInto<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeInto<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let envelope = self.envelope;
        let mut seen = [false; 4];
        while let Some(key) = map.next_key::<Key>()? {
            if let Some(seen) = seen.get_mut(key as usize)
                && std::mem::replace(seen, true)
            {
                let names = ["type", "payload", "timestamp", "version"];
                return Err(serde::de::Error::duplicate_field(names[key as usize]));
            }
            match key {
                Key::Type => {
                    envelope.message_type = map.next_value()?;
                    let name = envelope.message_type.as_deref();
                    envelope.kind = name.and_then(|name| Kind::of(name, self.origin));
                }
                Key::Payload => match envelope.kind {
                    Some(kind) => {
                        let payload = envelope.body.begin(kind);
                        map.next_value_seed(ReadInto(payload))?;
                    }
                    None => envelope.body = Body::Unread(map.next_value()?),
                },
                Key::Timestamp => envelope.timestamp = map.next_value()?,
                Key::Version => envelope.version = map.next_value()?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// As much of the envelope as can be read although the message is bad.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) kind: Option<Kind>,
    pub(super) version: Option<String>,
}

impl Head {
    /// Never fails: what cannot be read is not there.
    pub(super) fn read(bytes: &[u8], origin: Origin) -> Self {
        let mut head = Self::default();
        let seed = HeadInto {
            head: &mut head,
            origin,
        };
        // What was read before an error is kept, the error itself is known.
        let _ = seed.deserialize(&mut serde_json::Deserializer::from_slice(bytes));
        head
    }
}

struct HeadInto<'h> {
    head: &'h mut Head,
    origin: Origin,
}

impl<'de> DeserializeSeed<'de> for HeadInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeadInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            match key {
                Key::Type => {
                    let text: Text = map.next_value()?;
                    self.head.kind = text.as_deref().and_then(|name| Kind::of(name, self.origin));
                }
                Key::Version => {
                    let text: Text = map.next_value()?;
                    self.head.version = text.as_deref().map(str::to_owned);
                }
                Key::Payload | Key::Timestamp | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
