//! Every setting, once: its key, what it accepts and where it goes.

use std::time::Duration;

use super::value::{Scope, Taken, Value, check_url, is_language, live_output, within};
use super::{Config, ENVIRONMENT_PREFIX, Monitors, Place, Role, Size, Theme};
use crate::catalog::{Lane, Motion};
use crate::governor::Wish;
use crate::show::Counting;
use crate::vault::WebOriginError;

/// Longest stream id in bytes, as for every id of the protocol.
const STREAM_ID_LIMIT: usize = 128;

/// Longest name of a sound device in bytes; systems keep to some dozens.
const DEVICE_NAME_LIMIT: usize = 256;

/// Longest name of a monitor in bytes; desktops keep to some dozens.
const MONITOR_NAME_LIMIT: usize = 128;

/// Longest name of an engine in bytes, as the source in OBS lists it.
const ENGINE_NAME_LIMIT: usize = 48;

/// One setting.
pub(super) struct Setting {
    /// As in the file: `section.name`, or `name` alone.
    pub key: &'static str,
    /// What it takes, to follow "must be".
    pub accepts: &'static str,
    /// Puts a value into the configuration; a refusal may say more than
    /// `accepts` does.
    pub set: Set,
}

type Set = fn(&mut Config, &Value<'_>, &Scope<'_>) -> Taken<()>;

const fn setting(key: &'static str, accepts: &'static str, set: Set) -> Setting {
    Setting { key, accepts, set }
}

fn put<T>(place: &mut T, value: Taken<T>) -> Taken<()> {
    *place = value?;
    Ok(())
}

pub(super) const ALL: &[Setting] = &[
    setting("url", "a ws:// or wss:// address", |config, value, _| {
        let url = value.text()?;
        check_url(url)?;
        config.url = Some(url.to_owned());
        Ok(())
    }),
    setting(
        "stream",
        "a stream id of 1 to 128 bytes",
        |config, value, _| {
            let stream = value.text()?.trim();
            within(!stream.is_empty() && stream.len() <= STREAM_ID_LIMIT)?;
            within(!stream.chars().any(char::is_control))?;
            config.stream = Some(stream.to_owned());
            Ok(())
        },
    ),
    setting(
        "token_file",
        "the path of a file that holds the token",
        |config, value, scope| put(&mut config.token_file, value.path(scope).map(Some)),
    ),
    setting(
        "ca_file",
        "the path of a PEM file with certificates to trust",
        |config, value, scope| put(&mut config.ca_file, value.path(scope).map(Some)),
    ),
    setting("role", "\"host\" or \"viewer\"", |config, value, _| {
        put(
            &mut config.role,
            value.one_of(&[("host", Role::Host), ("viewer", Role::Viewer)]),
        )
    }),
    setting(
        "size",
        "a size such as \"1920x1080\", each side 16 to 8192",
        |config, value, _| {
            config.size = Size::parse(value.text()?).ok_or(None)?;
            Ok(())
        },
    ),
    setting(
        "fps",
        "a whole number of frames per second, 1 to 240",
        |config, value, _| {
            let fps = value.number(1.0, 240.0)?;
            within(fps.fract() == 0.0)?;
            config.fps = fps as u32;
            Ok(())
        },
    ),
    setting(
        "quality",
        "\"auto\", \"low\", \"medium\", \"high\" or \"ultra\"",
        |config, value, _| put(&mut config.quality, value.one_of(&Wish::WORDS)),
    ),
    setting("headless", SWITCH, |config, value, _| {
        put(&mut config.headless, value.flag())
    }),
    setting("play_unseen", SWITCH, |config, value, _| {
        put(&mut config.play_unseen, value.flag())
    }),
    setting(
        "catalog",
        "the path of a catalogue (TOML)",
        |config, value, scope| put(&mut config.catalog, value.path(scope).map(Some)),
    ),
    setting(
        "state_dir",
        "the path of a folder",
        |config, value, scope| put(&mut config.state_dir, value.path(scope)),
    ),
    setting(
        "show.motion",
        "\"full\", \"reduced\" or \"calm\"",
        |config, value, _| put(&mut config.show.motion, value.one_of(&Motion::WORDS)),
    ),
    setting(
        "language",
        "a language such as \"en\", \"de\" or \"de-AT\"",
        |config, value, _| {
            let language = value.text()?.trim();
            within(is_language(language))?;
            config.language = Some(language.to_owned());
            Ok(())
        },
    ),
    setting(
        "captions.theme",
        "\"glass\", \"neon\" or \"high-contrast\"",
        |config, value, _| {
            put(
                &mut config.captions.theme,
                value.one_of(&[
                    ("glass", Theme::Glass),
                    ("neon", Theme::Neon),
                    ("high-contrast", Theme::HighContrast),
                ]),
            )
        },
    ),
    setting(
        "captions.text_scale",
        "a number, 0.75 to 1.6",
        |config, value, _| {
            config.captions.text_scale = value.number(0.75, 1.6)? as f32;
            Ok(())
        },
    ),
    setting("board.show", SWITCH, |config, value, _| {
        put(&mut config.board.show, value.flag())
    }),
    setting(
        "board.margin",
        "a percentage of the stage's shorter side, 0 to 20",
        |config, value, _| {
            config.board.margin = value.number(0.0, 20.0)? as f32;
            Ok(())
        },
    ),
    setting("board.live", ANCHORS, |config, value, _| {
        put(&mut config.board.live, value.anchor())
    }),
    setting("board.goal", ANCHORS, |config, value, _| {
        put(&mut config.board.goal, value.anchor())
    }),
    setting("board.gifters", ANCHORS, |config, value, _| {
        put(&mut config.board.gifters, value.anchor())
    }),
    setting("board.recent", ANCHORS, |config, value, _| {
        put(&mut config.board.recent, value.anchor())
    }),
    setting("board.connection", ANCHORS, |config, value, _| {
        put(&mut config.board.connection, value.anchor())
    }),
    setting(
        "board.gifters_shown",
        "a whole number of rows, 1 to 10",
        |config, value, _| put(&mut config.board.gifters_shown, value.rows()),
    ),
    setting(
        "board.recent_shown",
        "a whole number of rows, 1 to 10",
        |config, value, _| put(&mut config.board.recent_shown, value.rows()),
    ),
    setting(
        "show.streak_silence",
        "a number of seconds, 1 to 10",
        |config, value, _| {
            config.show.streak_silence = Duration::from_secs_f64(value.number(1.0, 10.0)?);
            Ok(())
        },
    ),
    setting(
        "show.counting",
        "\"auto\", \"delta\" or \"cumulative\"",
        |config, value, _| {
            put(
                &mut config.show.counting,
                value.one_of(&[
                    ("auto", Counting::Auto),
                    ("delta", Counting::Delta),
                    ("cumulative", Counting::Cumulative),
                ]),
            )
        },
    ),
    setting(
        "show.feature_from",
        "a value of 0 or more",
        |config, value, _| {
            put(
                &mut config.show.feature_from,
                value.number(0.0, f64::MAX).map(Some),
            )
        },
    ),
    setting(
        "show.headline_from",
        "a value of 0 or more",
        |config, value, _| {
            put(
                &mut config.show.headline_from,
                value.number(0.0, f64::MAX).map(Some),
            )
        },
    ),
    setting(
        "show.lanes",
        "a list of \"headline\", \"feature\" and \"ambient\"",
        |config, value, _| {
            put(
                &mut config.show.lanes,
                value.some_of(&[
                    ("headline", Lane::Headline),
                    ("feature", Lane::Feature),
                    ("ambient", Lane::Ambient),
                ]),
            )
        },
    ),
    setting("on_air.blocked_names", TEXTS, |config, value, _| {
        put(&mut config.on_air.blocked.names, value.list())
    }),
    setting("on_air.blocked_words", TEXTS, |config, value, _| {
        put(&mut config.on_air.blocked.words, value.list())
    }),
    setting("on_air.blocked_parts", TEXTS, |config, value, _| {
        put(&mut config.on_air.blocked.parts, value.list())
    }),
    setting("on_air.hide_names", SWITCH, |config, value, _| {
        put(&mut config.on_air.blocked.hide_names, value.flag())
    }),
    setting("on_air.hide_avatars", SWITCH, |config, value, _| {
        put(&mut config.on_air.blocked.hide_avatars, value.flag())
    }),
    setting(
        "on_air.avatars_from",
        "a list of up to 2000 web servers, such as \"cdn.example\", \"*.cdn.example\" or \
         \"http://127.0.0.1:8080\"",
        |config, value, _| {
            let origins = value.list()?;
            // One may hold a password, and is not repeated.
            let origins = (1..).zip(origins.iter()).map(|(entry, text)| {
                let wrong = |error: WebOriginError| Some(format!("entry {entry}: {error}"));
                text.parse().map_err(wrong)
            });
            put(&mut config.on_air.avatars_from, origins.collect())
        },
    ),
    setting(
        "on_air.least_value",
        "a value of 0 or more",
        |config, value, _| {
            put(
                &mut config.on_air.policy.least_value,
                value.number(0.0, f64::MAX),
            )
        },
    ),
    setting("on_air.off_types", TEXTS, |config, value, _| {
        put(&mut config.on_air.policy.off_types, value.types())
    }),
    setting("on_air.only_types", TEXTS, |config, value, _| {
        put(&mut config.on_air.policy.only_types, value.types())
    }),
    setting(
        "on_air.cool_down",
        "a number of seconds, 0 to 600",
        |config, value, _| {
            config.on_air.policy.cool_down = Duration::from_secs_f64(value.number(0.0, 600.0)?);
            Ok(())
        },
    ),
    setting("sound.muted", SWITCH, |config, value, _| {
        put(&mut config.sound.muted, value.flag())
    }),
    setting("sound.volume", VOLUME, |config, value, _| {
        config.sound.volume = value.number(0.0, 1.0)? as f32;
        Ok(())
    }),
    setting("sound.headline", VOLUME, |config, value, _| {
        config.sound.headline = value.number(0.0, 1.0)? as f32;
        Ok(())
    }),
    setting("sound.feature", VOLUME, |config, value, _| {
        config.sound.feature = value.number(0.0, 1.0)? as f32;
        Ok(())
    }),
    setting("sound.ambient", VOLUME, |config, value, _| {
        config.sound.ambient = value.number(0.0, 1.0)? as f32;
        Ok(())
    }),
    setting(
        "sound.device",
        "the name of a sound device, as `hyperfocus devices` lists it",
        |config, value, _| {
            let device = value.text()?.trim();
            within(!device.is_empty() && device.len() <= DEVICE_NAME_LIMIT)?;
            config.sound.device = Some(device.to_owned());
            Ok(())
        },
    ),
    setting(
        "output.to",
        "a list of \"window\", \"overlay\", \"obs\" and \"nut://127.0.0.1:PORT\"",
        |config, value, _| {
            let words = value.some()?;
            let outputs = words.iter().map(|word| live_output(word));
            put(&mut config.output.to, outputs.collect())
        },
    ),
    setting(
        "output.name",
        "1 to 48 letters, digits, -, _ or ., and no dot at the beginning",
        |config, value, _| {
            let name = value.text()?.trim();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            within(name.len() <= ENGINE_NAME_LIMIT && !name.is_empty())?;
            within(name.chars().all(is_plain) && !name.starts_with('.'))?;
            config.output.name = name.to_owned();
            Ok(())
        },
    ),
    setting(
        "output.png",
        "the path of a PNG file",
        |config, value, scope| put(&mut config.output.png, value.path(scope).map(Some)),
    ),
    setting(
        "output.png_sequence",
        "the path of a folder",
        |config, value, scope| put(&mut config.output.png_sequence, value.path(scope).map(Some)),
    ),
    setting("output.raw", SWITCH, |config, value, _| {
        put(&mut config.output.raw, value.flag())
    }),
    setting(
        "output.webm",
        "the path of a WebM file",
        |config, value, scope| put(&mut config.output.webm, value.path(scope).map(Some)),
    ),
    setting(
        "overlay.monitor",
        "\"main\", \"all\" or a monitor's name, such as \"DP-1\"",
        |config, value, _| {
            let name = value.text()?.trim();
            within(!name.is_empty() && name.len() <= MONITOR_NAME_LIMIT)?;
            config.overlay.monitors = match name {
                "main" => Monitors::Main,
                "all" => Monitors::All,
                name => Monitors::Named(name.to_owned()),
            };
            Ok(())
        },
    ),
    setting(
        "overlay.place",
        "\"full\", \"right-third\" or \"lower-band\"",
        |config, value, _| {
            put(
                &mut config.overlay.place,
                value.one_of(&[
                    ("full", Place::Full),
                    ("right-third", Place::RightThird),
                    ("lower-band", Place::LowerBand),
                ]),
            )
        },
    ),
    setting(
        "overlay.scale",
        "a number, 0.25 to 1",
        |config, value, _| {
            config.overlay.scale = value.number(0.25, 1.0)? as f32;
            Ok(())
        },
    ),
    setting(
        "overlay.opacity",
        "a number, 0.1 to 1",
        |config, value, _| {
            config.overlay.opacity = value.number(0.1, 1.0)? as f32;
            Ok(())
        },
    ),
    setting("overlay.full_screen_first", SWITCH, |config, value, _| {
        put(&mut config.overlay.yields_to_full_screen, value.flag())
    }),
    setting("overlay.keys", SWITCH, |config, value, _| {
        put(&mut config.overlay.has_keys, value.flag())
    }),
    setting("overlay.tray", SWITCH, |config, value, _| {
        put(&mut config.overlay.has_tray, value.flag())
    }),
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
            "output.to" => "output",
            key => key.rsplit('.').next().unwrap_or(key),
        };
        format!("--{}", name.replace('_', "-"))
    }
}

const SWITCH: &str = "true or false";
const VOLUME: &str = "a number, 0 (silent) to 1";
const TEXTS: &str = "a list of up to 2000 texts";
const ANCHORS: &str = "\"off\" or a place: \"top-left\", \"top\", \"top-right\", \"left\", \"center\", \
                       \"right\", \"bottom-left\", \"bottom\" or \"bottom-right\"";
