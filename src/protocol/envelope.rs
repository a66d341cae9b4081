//! The message around the payload: one pass over the bytes.
//!
//! `type` decides how `payload` is read. Peers write `type` first, so the
//! payload is read straight into its struct when the reader reaches it. When
//! the payload comes first it is set aside as a slice and read afterwards.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::field::{Object, Stamp, Text};
use super::wire;

/// Who sent the message. A type that the other side would send is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Server,
    Client,
}

/// The message types of the contract, and `x-control`.
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
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Gift,
        Self::GiftAck,
        Self::Ping,
        Self::Pong,
        Self::Init,
        Self::Ack,
        Self::Status,
        Self::Problem,
        Self::Control,
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
        }
    }

    fn comes_from(self, origin: Origin) -> bool {
        match self {
            Self::Ack | Self::Ping | Self::Gift | Self::Status | Self::Control => {
                origin == Origin::Server
            }
            Self::Init | Self::Pong | Self::GiftAck => origin == Origin::Client,
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
}

/// Reads a payload of the given kind; `null` is an object without fields.
pub(super) struct PayloadOf(pub(super) Kind);

impl<'de> DeserializeSeed<'de> for PayloadOf {
    type Value = Payload<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Payload<'de>, D::Error> {
        fn object<'de, T, D>(from: D) -> Result<T, D::Error>
        where
            T: Deserialize<'de> + Default,
            D: Deserializer<'de>,
        {
            Object::deserialize(from).map(Object::or_default)
        }
        match self.0 {
            Kind::Init => object(from).map(Payload::Init),
            Kind::Ack => object(from).map(Payload::Ack),
            Kind::Ping => object(from).map(Payload::Ping),
            Kind::Pong => object(from).map(Payload::Pong),
            Kind::Gift => object(from).map(Payload::Gift),
            Kind::GiftAck => object(from).map(Payload::GiftAck),
            Kind::Status => object(from).map(Payload::Status),
            Kind::Problem => object(from).map(Payload::Problem),
            Kind::Control => object(from).map(Payload::Control),
        }
    }
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack; a box would cost more than the copy"
)]
pub(super) enum Body<'a> {
    Absent,
    Read(Payload<'a>),
    /// It came before the type, or the type is unknown.
    Unread(&'a RawValue),
}

#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) message_type: Text<'a>,
    pub(super) kind: Option<Kind>,
    pub(super) body: Body<'a>,
    pub(super) timestamp: Stamp<'a>,
    pub(super) version: Text<'a>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    Payload,
    Timestamp,
    Version,
    #[serde(other)]
    Other,
}

/// Reads an envelope.
pub(super) struct EnvelopeFrom(pub(super) Origin);

impl<'de> DeserializeSeed<'de> for EnvelopeFrom {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Envelope<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeFrom {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
        let mut message_type = None;
        let mut kind = None;
        let mut body = None;
        let mut timestamp = None;
        let mut version = None;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Type => {
                    let text: Text = map.next_value()?;
                    kind = text.as_deref().and_then(|name| Kind::of(name, self.0));
                    once(&mut message_type, text, "type")?;
                }
                Key::Payload => {
                    let read = match kind {
                        Some(kind) => Body::Read(map.next_value_seed(PayloadOf(kind))?),
                        None => Body::Unread(map.next_value()?),
                    };
                    once(&mut body, read, "payload")?;
                }
                Key::Timestamp => once(&mut timestamp, map.next_value()?, "timestamp")?,
                Key::Version => once(&mut version, map.next_value()?, "version")?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Envelope {
            message_type: message_type.unwrap_or_default(),
            kind,
            body: body.unwrap_or(Body::Absent),
            timestamp: timestamp.unwrap_or_default(),
            version: version.unwrap_or_default(),
        })
    }
}

fn once<T, E: serde::de::Error>(
    place: &mut Option<T>,
    value: T,
    key: &'static str,
) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(key)),
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
