//! Where a relay's gifts come from: one `[[relay.source]]` for each source.
//!
//! What a secret is stands in a file or in a variable, never in the
//! configuration, which people show each other: `HYPERFOCUS_SOURCE_`, the
//! source's name in capitals, and `_PASSWORD` or `_TOKEN`.

use std::path::{Path, PathBuf};

use toml::de::{DeArray, DeTable, DeValue};

use super::value::{Scope, Taken, Value, check_url, within};
use super::{ConfigFile, Fault, Layers, Origin, Warning, nearest};
use crate::model::Private;

/// Sources of one relay. A streamer has a handful; each is a connection and a
/// task. More are refused.
const MAX_SOURCES: usize = 32;

/// Rules of one source; a platform has some hundred gifts. More are refused.
const MAX_RULES: usize = 1_000;

/// Longest name of a source in bytes, as the desk lists it.
const NAME_LIMIT: usize = 48;

/// Longest gift type, client id or channel id in bytes, as for every label of
/// the protocol.
const LABEL_LIMIT: usize = 128;

/// The section, as a file names it.
pub(super) const SECTION: &str = "relay.source";

/// What a variable that holds a secret begins with.
pub(super) const VARIABLE_PREFIX: &str = "HYPERFOCUS_SOURCE_";

/// One source of gifts.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    /// Its own among the sources: 1 to 48 letters, digits, `-` and `_`.
    pub name: String,
    /// The stream that its gifts go to.
    pub stream: String,
    pub kind: SourceKind,
    /// In the order of their names.
    pub map: Vec<Rule>,
}

/// What a source connects to.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// Streamer.bot's WebSocket server: Twitch, YouTube and Kick.
    Streamerbot {
        url: String,
        password: Option<Secret>,
    },
    /// TikFinity's event API: TikTok.
    Tikfinity { url: String },
    /// Twitch's EventSub over WebSocket.
    Twitch {
        url: String,
        /// Of Helix, `https://`; `http://` only on this machine.
        api: String,
        client_id: String,
        token: Secret,
        /// The broadcaster's user id; the token's own user when absent.
        channel: Option<String>,
    },
    /// A show file, played as often as the relay starts.
    File {
        path: PathBuf,
        /// How much faster than it was recorded, 0.01 to 1000.
        speed: f64,
        /// Begins again when it ends.
        repeats: bool,
    },
}

impl SourceKind {
    /// The file that it reads, if any, and the key that names it.
    pub fn file(&self) -> Option<(&'static str, &Path)> {
        match self {
            Self::Streamerbot {
                password: Some(Secret::File(path)),
                ..
            } => Some(("password_file", path)),
            Self::Twitch {
                token: Secret::File(path),
                ..
            } => Some(("token_file", path)),
            Self::File { path, .. } => Some(("path", path)),
            _ => None,
        }
    }

    /// As the file and the desk call it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Streamerbot { .. } => STREAMERBOT,
            Self::Tikfinity { .. } => TIKFINITY,
            Self::Twitch { .. } => TWITCH,
            Self::File { .. } => FILE,
        }
    }
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// A file that holds it and nothing else.
    File(PathBuf),
    /// From the environment.
    Given(Private<String>),
}

/// Which gift an event of a platform becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The event's kind, such as `cheer`, or the gift's or reward's own name;
    /// lower case.
    pub name: String,
    /// For amounts from here to there, both included.
    pub range: Option<(f64, f64)>,
    /// All of what has a range, lower case: a reward may be called "Timeout 5:00".
    pub whole: Option<String>,
    /// The gift type.
    pub gift: String,
    /// Of one piece, instead of what the platform says.
    pub value: Option<f64>,
}

impl Rule {
    /// `Rose`, `cheer`, `cheer:100`, `cheer:100..999`, `cheer:1000..` or
    /// `cheer:..99`, also with blanks around the colon. A colon that no range
    /// follows belongs to the name.
    ///
    /// # Errors
    /// What looks like a range and is none, in words.
    pub fn read(key: &str, gift: &str) -> Result<Self, String> {
        let split = key
            .rsplit_once(':')
            .map(|(name, after)| (name, after.trim()));
        let split = split.filter(|(_, after)| is_meant_as_range(after));
        let (name, range) = match split {
            Some((name, range)) => (name, Some(read_range(range)?)),
            None => (key, None),
        };
        let whole = range.map(|_| key.trim().to_lowercase());
        let name = name.trim().to_lowercase();
        if name.is_empty() || name.len() > LABEL_LIMIT {
            return Err("a name has 1 to 128 bytes".to_owned());
        }
        Ok(Self {
            name,
            range,
            whole,
            gift: gift.to_owned(),
            value: None,
        })
    }

    /// Whether `other` is for the same events: then only one of them would count.
    fn is_alike(&self, other: &Self) -> bool {
        self.name == other.name && self.range == other.range
    }
}

/// Words after a number are no range: "Re: 4 Roses".
fn is_meant_as_range(text: &str) -> bool {
    let begins_so = text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with("..");
    begins_so && (text.contains("..") || !text.contains(char::is_whitespace))
}

fn read_range(text: &str) -> Result<(f64, f64), String> {
    let bound = |text: &str, open: f64| match text.trim() {
        "" => Some(open),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    };
    let bounds = match text.split_once("..") {
        Some((low, high)) => bound(low, 0.0).zip(bound(high, f64::INFINITY)),
        None => bound(text, 0.0).map(|only| (only, only)),
    };
    bounds
        .filter(|(low, high)| low <= high)
        .ok_or_else(|| format!("{text:?} is no range; write 100..999, 1000.. or ..99"))
}

const STREAMERBOT: &str = "streamerbot";
const TIKFINITY: &str = "tikfinity";
const TWITCH: &str = "twitch";
const FILE: &str = "file";
const KINDS: [&str; 4] = [STREAMERBOT, TIKFINITY, TWITCH, FILE];

/// One key of a source.
struct Key {
    name: &'static str,
    /// The kinds that have it.
    kinds: &'static [&'static str],
    accepts: &'static str,
    set: fn(&mut Draft, &Value<'_>, &Scope<'_>) -> Taken<()>,
}

const KEYS: &[Key] = &[
    Key {
        name: "kind",
        kinds: &KINDS,
        accepts: "\"streamerbot\", \"tikfinity\", \"twitch\" or \"file\"",
        set: |draft, value, _| {
            draft.kind = value.one_of(&KINDS.map(|kind| (kind, kind)))?;
            Ok(())
        },
    },
    Key {
        name: "name",
        kinds: &KINDS,
        accepts: "1 to 48 letters, digits, - and _",
        set: |draft, value, _| {
            let name = value.text()?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            within((1..=NAME_LIMIT).contains(&name.len()) && name.chars().all(is_plain))?;
            draft.name = Some(name.to_owned());
            Ok(())
        },
    },
    Key {
        name: "stream",
        kinds: &KINDS,
        accepts: "a stream id of 1 to 128 bytes",
        set: |draft, value, _| label(value).map(|stream| draft.stream = Some(stream)),
    },
    Key {
        name: "url",
        kinds: &[STREAMERBOT, TIKFINITY, TWITCH],
        accepts: "a ws:// or wss:// address",
        set: |draft, value, _| {
            let url = value.text()?;
            check_url(url)?;
            draft.url = Some(url.to_owned());
            Ok(())
        },
    },
    Key {
        name: "password_file",
        kinds: &[STREAMERBOT],
        accepts: "the path of a file that holds the password",
        set: |draft, value, scope| {
            draft.password = Some(Secret::File(value.path(scope)?));
            Ok(())
        },
    },
    Key {
        name: "token_file",
        kinds: &[TWITCH],
        accepts: "the path of a file that holds the token",
        set: |draft, value, scope| {
            draft.token = Some(Secret::File(value.path(scope)?));
            Ok(())
        },
    },
    Key {
        name: "client_id",
        kinds: &[TWITCH],
        accepts: "the client id of an application that Twitch knows",
        set: |draft, value, _| label(value).map(|id| draft.client_id = Some(id)),
    },
    Key {
        name: "channel",
        kinds: &[TWITCH],
        accepts: "a broadcaster's user id",
        set: |draft, value, _| label(value).map(|id| draft.channel = Some(id)),
    },
    Key {
        name: "api",
        kinds: &[TWITCH],
        accepts: "an https:// address, or an http:// one on this machine",
        set: |draft, value, _| {
            let url = value.text()?;
            check_api(url)?;
            draft.api = Some(url.trim_end_matches('/').to_owned());
            Ok(())
        },
    },
    Key {
        name: "path",
        kinds: &[FILE],
        accepts: "the path of a show file",
        set: |draft, value, scope| {
            draft.path = Some(value.path(scope)?);
            Ok(())
        },
    },
    Key {
        name: "speed",
        kinds: &[FILE],
        accepts: "a number, 0.01 to 1000",
        set: |draft, value, _| {
            draft.speed = Some(value.number(0.01, 1000.0)?);
            Ok(())
        },
    },
    Key {
        name: "loop",
        kinds: &[FILE],
        accepts: "true or false",
        set: |draft, value, _| {
            draft.repeats = value.flag()?;
            Ok(())
        },
    },
];

fn label(value: &Value<'_>) -> Taken<String> {
    let text = value.text()?.trim();
    within((1..=LABEL_LIMIT).contains(&text.len()) && !text.contains(char::is_control))?;
    Ok(text.to_owned())
}

/// A token goes there, so it has to be encrypted unless it leaves the machine
/// never.
fn check_api(url: &str) -> Taken<()> {
    let no = |reason: &str| Err(Some(reason.to_owned()));
    let as_socket = match url.split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}"),
        Some(("http", rest)) => {
            let is_here = ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .filter_map(|host| rest.strip_prefix(host))
                .any(|after| after.is_empty() || after.starts_with([':', '/']));
            if !is_here {
                return no("a token goes there; use https://");
            }
            format!("ws://{rest}")
        }
        _ => return Err(None),
    };
    check_url(&as_socket)
}

/// A source as far as it has been read.
pub(super) struct Draft {
    origin: Origin,
    /// One of [`KINDS`].
    kind: &'static str,
    name: Option<String>,
    stream: Option<String>,
    url: Option<String>,
    password: Option<Secret>,
    token: Option<Secret>,
    client_id: Option<String>,
    channel: Option<String>,
    api: Option<String>,
    path: Option<PathBuf>,
    speed: Option<f64>,
    repeats: bool,
    map: Vec<Rule>,
}

impl Draft {
    /// # Errors
    /// What is missing.
    fn finish(self, name: String) -> Result<SourceSettings, Missing> {
        let url = |default: &str| self.url.clone().unwrap_or_else(|| default.to_owned());
        let kind = match self.kind {
            STREAMERBOT => SourceKind::Streamerbot {
                url: url("ws://127.0.0.1:8080/"),
                password: self.password,
            },
            TIKFINITY => SourceKind::Tikfinity {
                url: url("ws://localhost:21213/"),
            },
            TWITCH => SourceKind::Twitch {
                url: url("wss://eventsub.wss.twitch.tv/ws"),
                api: self
                    .api
                    .unwrap_or_else(|| "https://api.twitch.tv/helix".to_owned()),
                client_id: self.client_id.ok_or(Missing::Key(
                    "a source of kind \"twitch\" needs a client_id",
                ))?,
                token: self.token.ok_or_else(|| {
                    Missing::Secret(format!(
                        "a source of kind \"twitch\" needs a token: give token_file, or the \
                         variable {}",
                        variable(&name, "TOKEN")
                    ))
                })?,
                channel: self.channel,
            },
            _ => SourceKind::File {
                path: self.path.ok_or(Missing::Key(
                    "a source of kind \"file\" needs a path: the show file to play",
                ))?,
                speed: self.speed.unwrap_or(1.0),
                repeats: self.repeats,
            },
        };
        Ok(SourceSettings {
            name,
            stream: self.stream.unwrap_or_else(|| "main".to_owned()),
            kind,
            map: self.map,
        })
    }
}

/// What a source cannot do without, in words.
enum Missing {
    Key(&'static str),
    /// It may be in the environment of who connects the source, and there alone.
    Secret(String),
}

/// The variable that holds a source's secret.
fn variable(name: &str, what: &str) -> String {
    let name = name.to_ascii_uppercase().replace('-', "_");
    format!("{VARIABLE_PREFIX}{name}_{what}")
}

impl Layers {
    /// `[[relay.source]]`, all of them.
    pub(super) fn take_sources(&mut self, file: &ConfigFile, items: &DeArray<'_>, origin: Origin) {
        if items.len() > MAX_SOURCES {
            return self.fault(origin, format!("more than {MAX_SOURCES} [[{SECTION}]]"));
        }
        for item in items {
            let origin = file.origin(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => self.take_source(file, table, origin),
                _ => self.fault(origin, not_a_section()),
            }
        }
    }

    fn take_source(&mut self, file: &ConfigFile, table: &DeTable<'_>, origin: Origin) {
        let said = table.iter().find(|(key, _)| &**key.get_ref() == "kind");
        let mut draft = Draft {
            origin: origin.clone(),
            kind: "",
            name: None,
            stream: None,
            url: None,
            password: None,
            token: None,
            client_id: None,
            channel: None,
            api: None,
            path: None,
            speed: None,
            repeats: false,
            map: Vec::new(),
        };
        match said {
            Some((key, value)) => {
                let at = file.origin(key.span().start);
                self.take_source_key(file, &mut draft, "kind", value.get_ref(), at);
            }
            None => self.fault(
                origin,
                format!("{SECTION}.kind is missing: {}", KEYS[0].accepts),
            ),
        }
        if draft.kind.is_empty() {
            return;
        }
        for (key, value) in table {
            let at = file.origin(key.span().start);
            match (&**key.get_ref(), value.get_ref()) {
                ("kind", _) => {}
                ("map", DeValue::Table(rules)) => self.take_map(file, &mut draft, rules),
                (name, value) => self.take_source_key(file, &mut draft, name, value, at),
            }
        }
        self.drafts.push(draft);
    }

    fn take_source_key(
        &mut self,
        file: &ConfigFile,
        draft: &mut Draft,
        name: &str,
        value: &DeValue<'_>,
        origin: Origin,
    ) {
        let kind = draft.kind;
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            let known = KEYS.iter().filter(|key| key.kinds.contains(&kind));
            let known: Vec<&str> = known.map(|key| key.name).chain(["map"]).collect();
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("it may be {}", known.join(", ")),
            };
            let message = format!("unknown key {SECTION}.{name} is ignored; {hint}");
            return self.warnings.push(Warning { origin, message });
        };
        if !kind.is_empty() && !key.kinds.contains(&kind) {
            let message =
                format!("{SECTION}.{name} is ignored: a source of kind {kind:?} has none");
            return self.warnings.push(Warning { origin, message });
        }
        let home = self.home.clone();
        let scope = Scope {
            folder: file.path.parent(),
            home: home.as_deref(),
        };
        let value = Value::from_toml(value);
        if let Err(reason) = (key.set)(draft, &value, &scope) {
            let hint = reason.map_or(String::new(), |reason| format!(" ({reason})"));
            let accepts = key.accepts;
            self.fault(
                origin,
                format!("{SECTION}.{name} must be {accepts}, not {value}{hint}"),
            );
        }
    }

    /// `[relay.source.map]`
    fn take_map(&mut self, file: &ConfigFile, draft: &mut Draft, rules: &DeTable<'_>) {
        if rules.len() > MAX_RULES {
            let origin = draft.origin.clone();
            return self.fault(
                origin,
                format!("{SECTION}.map has more than {MAX_RULES} rules"),
            );
        }
        for (key, value) in rules {
            let origin = file.origin(key.span().start);
            let key = &**key.get_ref();
            match read_rule(key, value.get_ref()) {
                Ok(rule) if draft.map.iter().any(|other| rule.is_alike(other)) => self.fault(
                    origin,
                    format!("{SECTION}.map, {key:?}: another rule is for the same name and range"),
                ),
                Ok(rule) => draft.map.push(rule),
                Err(reason) => self.fault(origin, format!("{SECTION}.map, {key:?}: {reason}")),
            }
        }
    }

    /// A variable that begins with [`VARIABLE_PREFIX`].
    pub(super) fn take_secret(&mut self, variable_name: &str, value: &str) {
        let names = source_names(&self.drafts);
        let secret = || Some(Secret::Given(Private(value.to_owned())));
        for (draft, name) in self.drafts.iter_mut().zip(&names) {
            let place = match draft.kind {
                STREAMERBOT if variable(name, "PASSWORD") == variable_name => &mut draft.password,
                TWITCH if variable(name, "TOKEN") == variable_name => &mut draft.token,
                _ => continue,
            };
            *place = secret();
            return;
        }
        let known = self.drafts.iter().zip(&names).filter_map(|(draft, name)| {
            let what = match draft.kind {
                STREAMERBOT => "PASSWORD",
                TWITCH => "TOKEN",
                _ => return None,
            };
            Some(variable(name, what))
        });
        let known: Vec<String> = known.collect();
        let hint = nearest(variable_name, known.iter().map(String::as_str)).map_or_else(
            || "no source has that name".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        self.warnings.push(Warning {
            origin: Origin::Variable(variable_name.to_owned()),
            message: format!("unknown variable {variable_name} is ignored; {hint}"),
        });
    }

    /// When everything has been read.
    pub(super) fn finish_sources(&mut self) {
        let drafts = std::mem::take(&mut self.drafts);
        let names = source_names(&drafts);
        for (index, (draft, name)) in drafts.into_iter().zip(&names).enumerate() {
            let origin = draft.origin.clone();
            // That one is the relay's own.
            if name == "http" || names[..index].contains(name) {
                self.fault(origin, format!("two sources are called {name:?}"));
                continue;
            }
            match draft.finish(name.clone()) {
                Ok(source) => self.config.sources.push(source),
                Err(Missing::Key(reason)) => self.fault(origin, reason.to_owned()),
                Err(Missing::Secret(message)) => {
                    self.config.lacking.push(Fault { origin, message });
                }
            }
        }
    }

    fn fault(&mut self, origin: Origin, message: String) {
        self.faults.push(Fault { origin, message });
    }
}

/// What each source is called: as it says, or by its kind, with a number from
/// the second on.
fn source_names(drafts: &[Draft]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let before = drafts[..index]
            .iter()
            .filter(|other| other.name.is_none() && other.kind == draft.kind)
            .count();
        names.push(match (&draft.name, before) {
            (Some(name), _) => name.clone(),
            (None, 0) => draft.kind.to_owned(),
            (None, before) => format!("{}-{}", draft.kind, before + 1),
        });
    }
    names
}

pub(super) fn not_a_section() -> String {
    format!("write [[{SECTION}]] with two brackets, then the source's keys below")
}

/// `"Rose" = "rose"` or `"sub" = { gift = "crown", value = 500 }`.
fn read_rule(key: &str, value: &DeValue<'_>) -> Result<Rule, String> {
    const SHAPE: &str = "give a gift type, or { gift = \"rose\", value = 10 }";
    let (gift, worth) = match value {
        DeValue::Table(table) => {
            let mut gift = None;
            let mut worth = None;
            for (name, value) in table {
                match (&**name.get_ref(), Value::from_toml(value.get_ref())) {
                    ("gift", Value::Text(text)) => gift = Some(text.to_owned()),
                    ("value", number) => {
                        worth = Some(number.number(0.0, 1e15).map_err(|_| SHAPE)?);
                    }
                    _ => return Err(SHAPE.to_owned()),
                }
            }
            (gift.ok_or(SHAPE)?, worth)
        }
        other => match Value::from_toml(other) {
            Value::Text(text) => (text.to_owned(), None),
            _ => return Err(SHAPE.to_owned()),
        },
    };
    let gift = gift.trim();
    if gift.is_empty() || gift.len() > LABEL_LIMIT || gift.contains(char::is_control) {
        return Err("a gift type has 1 to 128 bytes".to_owned());
    }
    let mut rule = Rule::read(key, gift)?;
    rule.value = worth;
    Ok(rule)
}
