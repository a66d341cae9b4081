//! Every setting, once: its key, what it accepts and where it goes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

use super::{Anchor, Config, Counting, ENVIRONMENT_PREFIX, Motion, Role, Size, Theme};

/// Smallest and largest side of the stage in pixels: below, nothing can be
/// recognised; above, most GPUs refuse a texture.
const SIDES: std::ops::RangeInclusive<u32> = 16..=8192;

/// Longest stream id in bytes, as for every id of the protocol.
const STREAM_ID_LIMIT: usize = 128;

/// Most entries of a list: more than anyone keeps by hand, and still matched
/// in microseconds.
const LIST_LIMIT: usize = 2_000;

/// Longest name of a sound device in bytes; systems keep to some dozens.
const DEVICE_NAME_LIMIT: usize = 256;

/// One setting.
pub(super) struct Setting {
    /// As in the file: `section.name`, or `name` alone.
    pub key: &'static str,
    /// What it takes, to follow "must be".
    pub accepts: &'static str,
    /// Puts a value into the configuration; a refusal may say more than
    /// `accepts` does.
    pub set: fn(&mut Config, &Value<'_>, &Scope<'_>) -> Result<(), Option<String>>,
}

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

pub(super) const ALL: &[Setting] = &[
    Setting {
        key: "url",
        accepts: "a ws:// or wss:// address",
        set: |config, value, _| {
            let url = value.text()?;
            check_url(url)?;
            config.url = Some(url.to_owned());
            Ok(())
        },
    },
    Setting {
        key: "stream",
        accepts: "a stream id of 1 to 128 bytes",
        set: |config, value, _| {
            let stream = value.text()?.trim();
            within(!stream.is_empty() && stream.len() <= STREAM_ID_LIMIT)?;
            config.stream = Some(stream.to_owned());
            Ok(())
        },
    },
    Setting {
        key: "token_file",
        accepts: "the path of a file that holds the token",
        set: |config, value, scope| {
            config.token_file = Some(value.path(scope)?);
            Ok(())
        },
    },
    Setting {
        key: "ca_file",
        accepts: "the path of a PEM file with certificates to trust",
        set: |config, value, scope| {
            config.ca_file = Some(value.path(scope)?);
            Ok(())
        },
    },
    Setting {
        key: "role",
        accepts: "\"host\" or \"viewer\"",
        set: |config, value, _| {
            config.role = value.one_of(&[("host", Role::Host), ("viewer", Role::Viewer)])?;
            Ok(())
        },
    },
    Setting {
        key: "size",
        accepts: "a size such as \"1920x1080\", each side 16 to 8192",
        set: |config, value, _| {
            config.size = Size::parse(value.text()?).ok_or(None)?;
            Ok(())
        },
    },
    Setting {
        key: "fps",
        accepts: "a whole number of frames per second, 1 to 240",
        set: |config, value, _| {
            let fps = value.number(1.0, 240.0)?;
            within(fps.fract() == 0.0)?;
            config.fps = fps as u32;
            Ok(())
        },
    },
    Setting {
        key: "headless",
        accepts: "true or false",
        set: |config, value, _| {
            config.headless = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "play_unseen",
        accepts: "true or false",
        set: |config, value, _| {
            config.play_unseen = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "catalog",
        accepts: "the path of a catalogue (TOML)",
        set: |config, value, scope| {
            config.catalog = Some(value.path(scope)?);
            Ok(())
        },
    },
    Setting {
        key: "state_dir",
        accepts: "the path of a folder",
        set: |config, value, scope| {
            config.state_dir = value.path(scope)?;
            Ok(())
        },
    },
    Setting {
        key: "show.motion",
        accepts: "\"full\", \"reduced\" or \"calm\"",
        set: |config, value, _| {
            config.show.motion = value.one_of(&[
                ("full", Motion::Full),
                ("reduced", Motion::Reduced),
                ("calm", Motion::Calm),
            ])?;
            Ok(())
        },
    },
    Setting {
        key: "language",
        accepts: "a language such as \"en\", \"de\" or \"de-AT\"",
        set: |config, value, _| {
            let language = value.text()?.trim();
            within(is_language(language))?;
            config.language = Some(language.to_owned());
            Ok(())
        },
    },
    Setting {
        key: "captions.theme",
        accepts: "\"glass\", \"neon\" or \"high-contrast\"",
        set: |config, value, _| {
            config.captions.theme = value.one_of(&[
                ("glass", Theme::Glass),
                ("neon", Theme::Neon),
                ("high-contrast", Theme::HighContrast),
            ])?;
            Ok(())
        },
    },
    Setting {
        key: "captions.text_scale",
        accepts: "a number, 0.75 to 1.6",
        set: |config, value, _| {
            config.captions.text_scale = value.number(0.75, 1.6)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "board.show",
        accepts: "true or false",
        set: |config, value, _| {
            config.board.show = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "board.margin",
        accepts: "a percentage of the stage's shorter side, 0 to 20",
        set: |config, value, _| {
            config.board.margin = value.number(0.0, 20.0)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "board.live",
        accepts: ANCHORS,
        set: |config, value, _| {
            config.board.live = value.anchor()?;
            Ok(())
        },
    },
    Setting {
        key: "board.goal",
        accepts: ANCHORS,
        set: |config, value, _| {
            config.board.goal = value.anchor()?;
            Ok(())
        },
    },
    Setting {
        key: "board.gifters",
        accepts: ANCHORS,
        set: |config, value, _| {
            config.board.gifters = value.anchor()?;
            Ok(())
        },
    },
    Setting {
        key: "board.recent",
        accepts: ANCHORS,
        set: |config, value, _| {
            config.board.recent = value.anchor()?;
            Ok(())
        },
    },
    Setting {
        key: "board.connection",
        accepts: ANCHORS,
        set: |config, value, _| {
            config.board.connection = value.anchor()?;
            Ok(())
        },
    },
    Setting {
        key: "board.gifters_shown",
        accepts: "a whole number of rows, 1 to 10",
        set: |config, value, _| {
            config.board.gifters_shown = value.rows()?;
            Ok(())
        },
    },
    Setting {
        key: "board.recent_shown",
        accepts: "a whole number of rows, 1 to 10",
        set: |config, value, _| {
            config.board.recent_shown = value.rows()?;
            Ok(())
        },
    },
    Setting {
        key: "show.streak_silence",
        accepts: "a number of seconds, 1 to 10",
        set: |config, value, _| {
            config.show.streak_silence = Duration::from_secs_f64(value.number(1.0, 10.0)?);
            Ok(())
        },
    },
    Setting {
        key: "show.counting",
        accepts: "\"auto\", \"delta\" or \"cumulative\"",
        set: |config, value, _| {
            config.show.counting = value.one_of(&[
                ("auto", Counting::Auto),
                ("delta", Counting::Delta),
                ("cumulative", Counting::Cumulative),
            ])?;
            Ok(())
        },
    },
    Setting {
        key: "show.feature_from",
        accepts: "a value of 0 or more",
        set: |config, value, _| {
            config.show.feature_from = Some(value.number(0.0, f64::MAX)?);
            Ok(())
        },
    },
    Setting {
        key: "show.headline_from",
        accepts: "a value of 0 or more",
        set: |config, value, _| {
            config.show.headline_from = Some(value.number(0.0, f64::MAX)?);
            Ok(())
        },
    },
    Setting {
        key: "on_air.blocked_names",
        accepts: "a list of up to 2000 texts",
        set: |config, value, _| {
            config.on_air.blocked_names = value.list()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.blocked_words",
        accepts: "a list of up to 2000 texts",
        set: |config, value, _| {
            config.on_air.blocked_words = value.list()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.blocked_parts",
        accepts: "a list of up to 2000 texts",
        set: |config, value, _| {
            config.on_air.blocked_parts = value.list()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.hide_names",
        accepts: "true or false",
        set: |config, value, _| {
            config.on_air.hide_names = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.hide_avatars",
        accepts: "true or false",
        set: |config, value, _| {
            config.on_air.hide_avatars = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.least_value",
        accepts: "a value of 0 or more",
        set: |config, value, _| {
            config.on_air.least_value = value.number(0.0, f64::MAX)?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.off_types",
        accepts: "a list of up to 2000 gift types",
        set: |config, value, _| {
            config.on_air.off_types = value.list()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.only_types",
        accepts: "a list of up to 2000 gift types",
        set: |config, value, _| {
            config.on_air.only_types = value.list()?;
            Ok(())
        },
    },
    Setting {
        key: "on_air.cool_down",
        accepts: "a number of seconds, 0 to 600",
        set: |config, value, _| {
            config.on_air.cool_down = Duration::from_secs_f64(value.number(0.0, 600.0)?);
            Ok(())
        },
    },
    Setting {
        key: "sound.muted",
        accepts: "true or false",
        set: |config, value, _| {
            config.sound.muted = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "sound.volume",
        accepts: "a number, 0 (silent) to 1",
        set: |config, value, _| {
            config.sound.volume = value.number(0.0, 1.0)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "sound.headline",
        accepts: "a number, 0 (silent) to 1",
        set: |config, value, _| {
            config.sound.headline = value.number(0.0, 1.0)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "sound.feature",
        accepts: "a number, 0 (silent) to 1",
        set: |config, value, _| {
            config.sound.feature = value.number(0.0, 1.0)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "sound.ambient",
        accepts: "a number, 0 (silent) to 1",
        set: |config, value, _| {
            config.sound.ambient = value.number(0.0, 1.0)? as f32;
            Ok(())
        },
    },
    Setting {
        key: "sound.device",
        accepts: "the name of a sound device, as `hyperfocus devices` lists it",
        set: |config, value, _| {
            let device = value.text()?.trim();
            within(!device.is_empty() && device.len() <= DEVICE_NAME_LIMIT)?;
            config.sound.device = Some(device.to_owned());
            Ok(())
        },
    },
    Setting {
        key: "output.png",
        accepts: "the path of a PNG file",
        set: |config, value, scope| {
            config.output.png = Some(value.path(scope)?);
            Ok(())
        },
    },
    Setting {
        key: "output.png_sequence",
        accepts: "the path of a folder",
        set: |config, value, scope| {
            config.output.png_sequence = Some(value.path(scope)?);
            Ok(())
        },
    },
    Setting {
        key: "output.raw",
        accepts: "true or false",
        set: |config, value, _| {
            config.output.raw = value.flag()?;
            Ok(())
        },
    },
    Setting {
        key: "output.webm",
        accepts: "the path of a WebM file",
        set: |config, value, scope| {
            config.output.webm = Some(value.path(scope)?);
            Ok(())
        },
    },
];

impl Setting {
    pub fn find(key: &str) -> Option<&'static Self> {
        ALL.iter().find(|setting| setting.key == key)
    }

    /// Whether keys begin with `name` and a dot.
    pub fn is_section(name: &str) -> bool {
        ALL.iter().any(|setting| {
            setting
                .key
                .split_once('.')
                .is_some_and(|(section, _)| section == name)
        })
    }

    /// `show.counting` is `HYPERFOCUS_SHOW_COUNTING`.
    pub fn variable(&self) -> String {
        format!(
            "{ENVIRONMENT_PREFIX}{}",
            self.key.replace('.', "_").to_uppercase()
        )
    }

    /// `output.png_sequence` is `--png-sequence`.
    pub fn flag(&self) -> String {
        let name = match self.key {
            "sound.muted" => "mute",
            "board.show" => "board",
            "sound.device" => "sound-device",
            key => key.rsplit('.').next().unwrap_or(key),
        };
        format!("--{}", name.replace('_', "-"))
    }
}

const ANCHORS: &str = "\"off\" or a place: \"top-left\", \"top\", \"top-right\", \"left\", \"center\", \
                       \"right\", \"bottom-left\", \"bottom\" or \"bottom-right\"";

type Taken<T> = Result<T, Option<String>>;

fn within(holds: bool) -> Taken<()> {
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

    fn text(&self) -> Taken<&'a str> {
        match self {
            Self::Text(text) | Self::Word(text) => Ok(text),
            _ => Err(None),
        }
    }

    /// From a variable or a flag: separated by commas.
    fn list(&self) -> Taken<Vec<String>> {
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

    /// Finite and from `least` to `most`, both included.
    fn number(&self, least: f64, most: f64) -> Taken<f64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Word(word) => word.trim().parse().map_err(|_| None)?,
            _ => return Err(None),
        };
        within(number.is_finite() && (least..=most).contains(&number))?;
        Ok(number)
    }

    fn flag(&self) -> Taken<bool> {
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

    fn one_of<T: Copy>(&self, choices: &[(&'static str, T)]) -> Taken<T> {
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

    fn anchor(&self) -> Taken<Option<Anchor>> {
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

    fn rows(&self) -> Taken<usize> {
        let rows = self.number(1.0, 10.0)?;
        within(rows.fract() == 0.0)?;
        Ok(rows as usize)
    }

    fn path(&self, scope: &Scope<'_>) -> Taken<PathBuf> {
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
            // An address with a password in it: not into a terminal or a log.
            Self::Text(text) | Self::Word(text) if text.contains('@') => f.write_str("that"),
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
fn is_language(text: &str) -> bool {
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
fn check_url(url: &str) -> Taken<()> {
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
