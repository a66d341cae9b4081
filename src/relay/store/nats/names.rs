//! What things are called in NATS. Streams and gifts have names of any bytes;
//! a part of a subject has not.
//!
//! | subject | what it holds |
//! |---|---|
//! | `hyperfocus.log.STREAM.gift.GIFT` | a gift: the message that delivers it |
//! | `hyperfocus.log.STREAM.parked.GIFT` | that it is sent no more |
//! | `hyperfocus.log.STREAM.ended.GIFT` | how it ended |
//! | `hyperfocus.log.STREAM.config` | what the stream grants |
//! | `hyperfocus.log.STREAM.status` | the latest `stream:status` |
//! | `hyperfocus.log.STREAM.low` | where a relay that opens the stream begins to read |
//! | `hyperfocus.control.STREAM` | not kept: a control for renderers elsewhere |
//! | `hyperfocus.ask.STREAM` | not kept: whether a host elsewhere may still render |

use std::fmt::Write as _;

/// The JetStream stream that holds all of it.
pub(super) const LOG: &str = "HYPERFOCUS";

/// Every subject of the log.
pub(super) const ALL: &str = "hyperfocus.log.>";

/// The endings of all streams.
pub(super) const ALL_ENDED: &str = "hyperfocus.log.*.ended.*";

pub(super) const ALL_CONTROLS: &str = "hyperfocus.control.*";

pub(super) const ALL_QUESTIONS: &str = "hyperfocus.ask.*";

/// A name as one part of a subject: letters, digits, `-` and `_` as they are,
/// every other byte as `=` and two hexadecimal digits.
pub(super) fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => token.push(byte.into()),
            // Writing to a string cannot fail.
            _ => drop(write!(token, "={byte:02X}")),
        }
    }
    token
}

/// The name that a [`token`] stands for.
pub(super) fn name(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'=', high, low, after @ ..] => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                after
            }
            [b'=', ..] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).ok()
}

/// What a subject of the log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Gift(String),
    Parked(String),
    Ended(String),
    Config,
    Status,
    Low,
}

/// The kind of a log's subject; `None` for what we did not write.
pub(super) fn kind(subject: &str) -> Option<Kind> {
    let mut parts = subject.strip_prefix("hyperfocus.log.")?.split('.');
    let (_stream, kind) = (parts.next()?, parts.next()?);
    let kind = match (kind, parts.next()) {
        ("gift", Some(gift)) => Kind::Gift(name(gift)?),
        ("parked", Some(gift)) => Kind::Parked(name(gift)?),
        ("ended", Some(gift)) => Kind::Ended(name(gift)?),
        ("config", None) => Kind::Config,
        ("status", None) => Kind::Status,
        ("low", None) => Kind::Low,
        _ => return None,
    };
    parts.next().is_none().then_some(kind)
}

/// The stream that a subject outside of the log is about.
pub(super) fn stream_of(subject: &str) -> Option<String> {
    name(subject.rsplit('.').next()?)
}

/// The subjects of one stream.
#[derive(Debug, Clone)]
pub(super) struct Names(String);

impl Names {
    pub fn of(stream: &str) -> Self {
        Self(token(stream))
    }

    fn log(&self, rest: &str) -> String {
        format!("hyperfocus.log.{}.{rest}", self.0)
    }

    pub fn all(&self) -> String {
        self.log(">")
    }

    pub fn gift(&self, gift: &str) -> String {
        self.log(&format!("gift.{}", token(gift)))
    }

    pub fn parked(&self, gift: &str) -> String {
        self.log(&format!("parked.{}", token(gift)))
    }

    pub fn ended(&self, gift: &str) -> String {
        self.log(&format!("ended.{}", token(gift)))
    }

    pub fn every_gift(&self) -> String {
        self.log("gift.*")
    }

    pub fn every_parked(&self) -> String {
        self.log("parked.*")
    }

    pub fn every_ended(&self) -> String {
        self.log("ended.*")
    }

    pub fn config(&self) -> String {
        self.log("config")
    }

    pub fn status(&self) -> String {
        self.log("status")
    }

    pub fn low(&self) -> String {
        self.log("low")
    }

    pub fn control(&self) -> String {
        format!("hyperfocus.control.{}", self.0)
    }

    pub fn ask(&self) -> String {
        format!("hyperfocus.ask.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_is_one_part_of_a_subject_and_comes_back(own in "\\PC{1,40}|[. *>=]{1,40}") {
            let token = token(&own);
            prop_assert!(!token.is_empty());
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=".contains(&b);
            prop_assert!(token.bytes().all(is_plain), "{token}");
            prop_assert_eq!(name(&token), Some(own.clone()));
            let subject = Names::of("main").gift(&own);
            prop_assert_eq!(kind(&subject), Some(Kind::Gift(own)));
        }
    }

    #[test]
    fn what_nobody_of_us_wrote_is_no_name_and_no_kind() {
        for token in ["=", "=4", "=zz", "=FF"] {
            assert_eq!(name(token), None, "{token}");
        }
        let odd = ["config.more", "gift", "gift.a.b", "other", ""];
        for rest in odd {
            let subject = format!("hyperfocus.log.main.{rest}");
            assert_eq!(kind(&subject), None, "{subject}");
        }
        assert_eq!(stream_of("hyperfocus.ask.a=2Eb").as_deref(), Some("a.b"));
    }
}
