//! What settings are given, and what each may be read as.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeValue;

use super::{Anchor, LiveOutput, Size};

/// Smallest and largest side of the stage in pixels: below, nothing can be
/// recognised; above, most GPUs refuse a texture.
const SIDES: std::ops::RangeInclusive<u32> = 16..=8192;

/// Most entries of a list: more than anyone keeps by hand, and still matched
/// in microseconds.
const LIST_LIMIT: usize = 2_000;

/// Against what a relative path is meant.
pub(super) struct Scope<'a> {
    /// The file's own folder; `None` for the working folder.
    pub folder: Option<&'a Path>,
    pub home: Option<&'a Path>,
}

/// A value as it was given.
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
    /// Texts in a row.
    List(Vec<&'a str>),
    /// From a variable or a flag: whatever it can be read as.
    Word(&'a str),
    /// Something no setting takes: a table, a date, a mixed array.
    Other(&'static str),
}

pub(super) type Taken<T> = Result<T, Option<String>>;

pub(super) fn within(holds: bool) -> Taken<()> {
    if holds { Ok(()) } else { Err(None) }
}

impl<'a> Value<'a> {
    pub fn from_toml(value: &'a DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Self::Other("so large a number"), |number| {
                    Self::Number(number as f64)
                }),
            DeValue::Float(float) => float
                .as_str()
                .parse()
                .map_or(Self::Other("such a number"), Self::Number),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(&**text),
                    _ => None,
                });
                texts.collect::<Option<_>>().map_or(
                    Self::Other("an array of other things than texts"),
                    Self::List,
                )
            }
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    pub fn text(&self) -> Taken<&'a str> {
        match self {
            Self::Text(text) | Self::Word(text) => Ok(text),
            _ => Err(None),
        }
    }

    pub fn some_of<T: Copy>(&self, choices: &[(&'static str, T)]) -> Taken<Vec<T>> {
        let words = self.some()?;
        let chosen = words.iter().map(|word| Value::Text(word).one_of(choices));
        chosen.collect()
    }

    /// From a variable or a flag: separated by commas.
    pub fn list(&self) -> Taken<Vec<String>> {
        let texts: Vec<&str> = match self {
            Self::List(texts) => texts.clone(),
            Self::Word(word) => word.split(',').collect(),
            Self::Text(_) => return Err(Some("write it in [brackets]".to_owned())),
            _ => return Err(None),
        };
        let texts = texts.into_iter().map(str::trim);
        let list: Vec<_> = texts
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect();
        within(list.len() <= LIST_LIMIT)?;
        Ok(list)
    }

    /// A list with something in it.
    pub fn some(&self) -> Taken<Vec<String>> {
        let list = self.list()?;
        match list.is_empty() {
            true => Err(Some("name at least one".to_owned())),
            false => Ok(list),
        }
    }

    pub fn types(&self) -> Taken<BTreeSet<Arc<str>>> {
        Ok(self.list()?.into_iter().map(Arc::from).collect())
    }

    /// Finite and from `least` to `most`, both included.
    pub fn number(&self, least: f64, most: f64) -> Taken<f64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Word(word) => word.trim().parse().map_err(|_| None)?,
            _ => return Err(None),
        };
        within(number.is_finite() && (least..=most).contains(&number))?;
        Ok(number)
    }

    pub fn flag(&self) -> Taken<bool> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Word(word) => match word.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err(None),
            },
            _ => Err(None),
        }
    }

    pub fn one_of<T: Copy>(&self, choices: &[(&'static str, T)]) -> Taken<T> {
        let word = self.text()?.trim();
        let found = choices
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        match found {
            Some((_, choice)) => Ok(*choice),
            None => Err(super::nearest(word, choices.iter().map(|(name, _)| *name))
                .map(|near| format!("did you mean {near}?"))),
        }
    }

    pub fn anchor(&self) -> Taken<Option<Anchor>> {
        self.one_of(&[
            ("off", None),
            ("top-left", Some(Anchor::TopLeft)),
            ("top", Some(Anchor::Top)),
            ("top-right", Some(Anchor::TopRight)),
            ("left", Some(Anchor::Left)),
            ("center", Some(Anchor::Center)),
            ("right", Some(Anchor::Right)),
            ("bottom-left", Some(Anchor::BottomLeft)),
            ("bottom", Some(Anchor::Bottom)),
            ("bottom-right", Some(Anchor::BottomRight)),
        ])
    }

    pub fn rows(&self) -> Taken<usize> {
        let rows = self.number(1.0, 10.0)?;
        within(rows.fract() == 0.0)?;
        Ok(rows as usize)
    }

    pub fn path(&self, scope: &Scope<'_>) -> Taken<PathBuf> {
        let text = self.text()?;
        within(!text.is_empty())?;
        if let (Some(rest), Some(home)) = (text.strip_prefix("~/"), scope.home) {
            return Ok(home.join(rest));
        }
        Ok(scope
            .folder
            .map_or_else(|| text.into(), |folder| folder.join(text)))
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // An address with a password or a token in it: not into a terminal or a log.
            Self::Text(text) | Self::Word(text) if text.contains(['@', '?', '#']) => {
                f.write_str("that")
            }
            Self::Text(text) | Self::Word(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            // Its entries may be words that nobody wants to read again.
            Self::List(list) => write!(f, "a list of {}", list.len()),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// Whether it looks like a language tag (BCP 47): a language of two or three
/// letters, then parts of two to eight letters and digits. `_` is taken for `-`,
/// as `LANG` has it.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let is_word = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && is_word(part))
}

impl Size {
    /// "1280x720"; `None` for anything else, and beyond 16 to 8192 a side.
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.trim().split_once(['x', 'X', '\u{d7}'])?;
        let side = |text: &str| text.trim().parse().ok().filter(|side| SIDES.contains(side));
        Some(Self {
            width: side(width)?,
            height: side(height)?,
        })
    }
}

/// Enough to tell a mistake from an address; the connection finds out the rest.
pub(super) fn check_url(url: &str) -> Taken<()> {
    let no = |reason: &str| Err(Some(reason.to_owned()));
    let Some((scheme, rest)) = url.split_once("://") else {
        return no("it has no scheme; begin with wss://");
    };
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "wss" => {}
        "http" => return no("for http:// write ws://"),
        "https" => return no("for https:// write wss://"),
        _ => return Err(None),
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return no("user names and passwords do not belong there; the token goes into a file");
    }
    let (host, port) = split_port(authority);
    if host.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return no("the host is missing or has a blank in it");
    }
    if port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)) || port.is_none() {
        Ok(())
    } else {
        no("the port must be 1 to 65535")
    }
}

pub(super) fn live_output(word: &str) -> Taken<LiveOutput> {
    let known = [
        ("window", LiveOutput::Window),
        ("overlay", LiveOutput::Overlay),
        ("obs", LiveOutput::Obs),
    ];
    match word.split_once("://") {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("nut") => {
            Ok(LiveOutput::Nut(loopback(address)?))
        }
        _ => Value::Text(word).one_of(&known),
    }
}

/// An address of this machine that no other machine can reach.
fn loopback(address: &str) -> Taken<SocketAddr> {
    let no = |reason: &str| Err(Some(reason.to_owned()));
    let (host, port) = split_port(address.trim_end_matches('/'));
    let port = match port.map(str::parse::<u16>) {
        Some(Ok(port @ 1..)) => port,
        _ => return no("give a port, 1 to 65535, as in nut://127.0.0.1:7878"),
    };
    let host = match host {
        "localhost" => Ipv4Addr::LOCALHOST.to_string(),
        host => host.trim_matches(['[', ']']).to_owned(),
    };
    match host.parse() {
        Ok(host) if std::net::IpAddr::is_loopback(&host) => Ok(SocketAddr::new(host, port)),
        _ => {
            no("whoever can reach another address would see the stage; write nut://127.0.0.1:PORT")
        }
    }
}

/// Host and port; an IPv6 address keeps its brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_address = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[after_address..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(after_address + colon);
            (host, Some(&port[1..]))
        }
        None => (authority, None),
    }
}
