//! Settings: a TOML file, overridden by the environment, then by flags.
//!
//! Every setting stands once in [`settings::ALL`]; the file's key, the
//! variable's name, what it accepts and what a mistake is told follow from
//! that entry. The result is a [`Config`] and what looked odd; a value that
//! cannot be meant is an error, and all errors of a run are told at once.

mod board;
mod device;
mod overlay;
mod settings;
mod source;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use toml::de::{DeTable, DeValue};

use crate::catalog::{Lane, Motion};
use crate::governor::Wish;
use crate::on_air::{Blocked, Policy};
use crate::show::Counting;
use crate::vault::WebOrigin;

pub use board::{Anchor, BoardSettings};
pub use device::{SoundDevice, unknown_device};
pub use overlay::{Monitors, OverlaySettings, Place};
use settings::{ALL, Setting};
pub use source::{Rule, Secret, SourceKind, SourceSettings};
use value::{Scope, Value};

/// Longest configuration file that is read; a real one has some hundred lines.
/// A longer one is refused unread.
const FILE_LIMIT: u64 = 1024 * 1024;

const ENVIRONMENT_PREFIX: &str = "HYPERFOCUS_";

/// Variables under our prefix that are no settings: the file's own place, the
/// log filter, options of one command and what the build passes around.
pub(crate) const NOT_SETTINGS: [&str; 8] = [
    "HYPERFOCUS_BENCH_VIDEO",
    "HYPERFOCUS_CONFIG",
    "HYPERFOCUS_LOG",
    "HYPERFOCUS_NO_SKIP",
    "HYPERFOCUS_RING_DIR",
    "HYPERFOCUS_STORE",
    "HYPERFOCUS_STORE_CREDENTIALS",
    "HYPERFOCUS_VENV",
];
const NOT_SETTINGS_PREFIX: &str = "HYPERFOCUS_TEST_";

/// What the user wants, whole and within range.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `ws://` or `wss://`, with a host and without user info.
    pub url: Option<String>,
    /// 1 to 128 bytes.
    pub stream: Option<String>,
    pub token_file: Option<PathBuf>,
    /// PEM file of authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    pub role: Role,
    pub size: Size,
    /// Frames per second, 1 to 240.
    pub fps: u32,
    /// How much the picture may cost.
    pub quality: Wish,
    pub headless: bool,
    /// Gifts play even when no live output would show them.
    pub play_unseen: bool,
    /// `None` is the catalogue that the program carries.
    pub catalog: Option<PathBuf>,
    /// Where identities and caches are kept between runs.
    pub state_dir: PathBuf,
    /// Of texts and numbers on the stage, such as "de" or "de-AT"; `None` is
    /// the environment's.
    pub language: Option<String>,
    pub captions: CaptionSettings,
    pub board: BoardSettings,
    pub show: ShowSettings,
    pub on_air: OnAirSettings,
    pub sound: SoundSettings,
    pub output: OutputSettings,
    pub overlay: OverlaySettings,
    /// Where a relay's gifts come from besides HTTP.
    pub sources: Vec<SourceSettings>,
    /// The sources that are not among them, since their secret is not in this
    /// environment. Only a relay needs it.
    pub lacking: Vec<Fault>,
}

/// As what we join a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its acks decide what the backend sends again.
    Host,
    /// Its acks are statistics.
    Viewer,
}

/// Pixels of the stage, each side 16 to 8192.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// How captions look, and the board with them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptionSettings {
    pub theme: Theme,
    /// How much larger than designed, 0.75 to 1.6.
    pub text_scale: f32,
}

impl Default for CaptionSettings {
    fn default() -> Self {
        Self {
            theme: Theme::Glass,
            text_scale: 1.0,
        }
    }
}

/// A design of captions and board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Glass,
    Neon,
    HighContrast,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ShowSettings {
    pub motion: Motion,
    /// Silence that ends a streak, 1 s to 10 s.
    pub streak_silence: Duration,
    pub counting: Counting,
    /// `totalValue` from which a gift without a lane of its own plays in the
    /// feature lane; `None` leaves it to the catalogue.
    pub feature_from: Option<f64>,
    /// Likewise for the headline lane.
    pub headline_from: Option<f64>,
    /// The lanes whose gifts are drawn.
    pub lanes: Vec<Lane>,
}

/// What is shown of the gifts and of those who give them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnAirSettings {
    pub blocked: Blocked,
    pub policy: Policy,
    /// Web servers that senders' pictures are fetched from; none fetches none.
    pub avatars_from: Vec<WebOrigin>,
}

/// Volumes are linear, 0.0 (silent) to 1.0.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundSettings {
    pub muted: bool,
    /// Of everything.
    pub volume: f32,
    /// Of the headline lane; likewise below.
    pub headline: f32,
    pub feature: f32,
    pub ambient: f32,
    /// Name or id of the output; `None` is the system's default.
    pub device: Option<String>,
}

impl Default for SoundSettings {
    fn default() -> Self {
        Self {
            muted: false,
            volume: 1.0,
            headline: 1.0,
            feature: 1.0,
            ambient: 1.0,
            device: None,
        }
    }
}

/// Where the stage is shown live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveOutput {
    Window,
    /// The source in OBS.
    Obs,
    /// Over the desktop.
    Overlay,
    /// Players on this machine, OBS's own Media Source among them, at a loopback
    /// address.
    Nut(SocketAddr),
}

/// Where frames go; any of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSettings {
    /// A window where nothing is said.
    pub to: Vec<LiveOutput>,
    /// What the source in OBS calls this engine.
    pub name: String,
    pub png: Option<PathBuf>,
    pub png_sequence: Option<PathBuf>,
    /// RGBA on standard output.
    pub raw: bool,
    pub webm: Option<PathBuf>,
}

impl Config {
    /// What holds where nothing is said.
    pub fn with_defaults(folders: &Folders) -> Self {
        Self {
            url: None,
            stream: None,
            token_file: None,
            ca_file: None,
            role: Role::Host,
            size: Size {
                width: 1920,
                height: 1080,
            },
            fps: 60,
            quality: Wish::Auto,
            headless: false,
            play_unseen: false,
            catalog: None,
            state_dir: folders.state.clone(),
            language: None,
            captions: CaptionSettings::default(),
            board: BoardSettings::default(),
            show: ShowSettings {
                motion: Motion::Full,
                streak_silence: Duration::from_secs(3),
                counting: Counting::Auto,
                feature_from: None,
                headline_from: None,
                lanes: vec![Lane::Headline, Lane::Feature, Lane::Ambient],
            },
            on_air: OnAirSettings::default(),
            sound: SoundSettings::default(),
            output: OutputSettings {
                to: vec![LiveOutput::Window],
                name: "main".to_owned(),
                png: None,
                png_sequence: None,
                raw: false,
                webm: None,
            },
            overlay: OverlaySettings::default(),
            sources: Vec::new(),
            lacking: Vec::new(),
        }
    }

    /// Puts file, environment and flags over the defaults, in that order.
    ///
    /// `environment` may be the whole process's: what does not begin with
    /// `HYPERFOCUS_` is passed over. `flags` are pairs of a setting's key and
    /// what the command line said for it.
    ///
    /// # Errors
    /// Every value that is of the wrong type or out of range, and a file that
    /// is not TOML.
    pub fn resolve(
        file: Option<&ConfigFile>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&'static str, String)],
        folders: &Folders,
    ) -> Result<(Self, Vec<Warning>), ConfigError> {
        let mut layers = Layers {
            config: Self::with_defaults(folders),
            warnings: Vec::new(),
            faults: Vec::new(),
            given: BTreeMap::new(),
            drafts: Vec::new(),
            home: folders.home.clone(),
        };
        if let Some(file) = file {
            layers.take_file(file);
        }
        for (name, value) in environment {
            layers.take_variable(&name, &value);
        }
        for (key, value) in flags {
            layers.take_flag(key, value);
        }
        layers.finish_sources();
        if layers.faults.is_empty() {
            layers.check_together();
        }
        if layers.faults.is_empty() {
            Ok((layers.config, layers.warnings))
        } else {
            Err(ConfigError::Invalid {
                faults: layers.faults,
                warnings: layers.warnings,
            })
        }
    }
}

/// Where the platform keeps an application's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    pub home: Option<PathBuf>,
    /// The folder that holds our `config.toml`; `None` without a home.
    pub config: Option<PathBuf>,
    /// A folder of ours among the temporary files when there is no home.
    pub state: PathBuf,
}

impl Folders {
    pub fn of_this_machine() -> Self {
        match etcetera::choose_base_strategy() {
            Ok(base) => Self {
                home: Some(base.home_dir().to_owned()),
                config: Some(base.config_dir().join("hyperfocus")),
                state: base
                    .state_dir()
                    .unwrap_or_else(|| base.data_dir())
                    .join("hyperfocus"),
            },
            Err(_) => Self {
                home: None,
                config: None,
                state: std::env::temp_dir().join("hyperfocus"),
            },
        }
    }
}

/// Every setting's key, as a file names it.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|setting| setting.key)
}

/// A configuration file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    pub path: PathBuf,
    pub text: String,
}

impl ConfigFile {
    /// Reads `chosen`, or the one in the configuration folder where there is
    /// one.
    ///
    /// # Errors
    /// A chosen file that is not there; any that cannot be read, is not UTF-8
    /// or is longer than 1 MiB.
    pub fn find(chosen: Option<&Path>, folders: &Folders) -> Result<Option<Self>, ConfigError> {
        let path = match (chosen, &folders.config) {
            (Some(path), _) => path.to_owned(),
            (None, Some(folder)) => folder.join("config.toml"),
            (None, None) => return Ok(None),
        };
        match read_bounded(&path) {
            Ok(text) => Ok(Some(Self { path, text })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && chosen.is_none() => {
                Ok(None)
            }
            Err(error) => Err(ConfigError::Unreadable { path, error }),
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(FILE_LIMIT + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            "longer than 1 MiB, which no configuration is",
        ));
    }
    Ok(text)
}

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `line` counts from 1.
    File {
        path: PathBuf,
        line: usize,
    },
    Variable(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Odd, but the show goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub origin: Origin,
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// A value that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub origin: Origin,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}: {error}", path.display())]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{}", lines(.faults))]
    Invalid {
        faults: Vec<Fault>,
        /// What is odd besides.
        warnings: Vec<Warning>,
    },
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Of `candidates`, the one that `word` was probably meant to be: at most a
/// third of it mistyped, or the right name in the wrong section.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(word, candidate);
            let misplaced = last(word) == last(candidate);
            (
                if misplaced { distance.min(1) } else { distance },
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The work of [`Config::resolve`].
struct Layers {
    config: Config,
    warnings: Vec<Warning>,
    faults: Vec<Fault>,
    /// Where each setting got its present value; at most one entry for each.
    given: BTreeMap<&'static str, Origin>,
    drafts: Vec<source::Draft>,
    home: Option<PathBuf>,
}

impl Layers {
    fn take_file(&mut self, file: &ConfigFile) {
        match DeTable::parse(&file.text) {
            Ok(table) => self.take_table(file, "", table.get_ref()),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.faults.push(Fault {
                    origin: file.origin(at),
                    message: format!("not TOML: {}", error.message()),
                });
            }
        }
    }

    fn take_table(&mut self, file: &ConfigFile, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = if section.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{section}.{}", name.get_ref())
            };
            let origin = file.origin(name.span().start);
            let setting = Setting::find(&key);
            match (setting, value.get_ref()) {
                (None, DeValue::Array(items)) if key == source::SECTION => {
                    self.take_sources(file, items, origin);
                }
                (None, _) if key == source::SECTION => self.faults.push(Fault {
                    origin,
                    message: source::not_a_section(),
                }),
                (None, DeValue::Table(inner)) => self.take_table(file, &key, inner),
                (None, _) if Setting::is_section(&key) => self.faults.push(Fault {
                    origin,
                    message: format!("{key} is a section: write [{key}], then its keys below"),
                }),
                (None, _) => self.unknown(origin, "key", &key, keys()),
                (Some(setting), value) => {
                    let folder = file.path.parent();
                    self.set(setting, &Value::from_toml(value), origin, folder);
                }
            }
        }
    }

    fn take_variable(&mut self, name: &str, value: &str) {
        if !name.starts_with(ENVIRONMENT_PREFIX)
            || NOT_SETTINGS.contains(&name)
            || name.starts_with(NOT_SETTINGS_PREFIX)
        {
            return;
        }
        if name.starts_with(source::VARIABLE_PREFIX) {
            return self.take_secret(name, value);
        }
        let origin = Origin::Variable(name.to_owned());
        let names: Vec<String> = ALL.iter().map(Setting::variable).collect();
        match ALL.iter().find(|setting| setting.variable() == name) {
            Some(setting) => self.set(setting, &Value::Word(value), origin, None),
            None => self.unknown(origin, "variable", name, names.iter().map(String::as_str)),
        }
    }

    fn take_flag(&mut self, key: &'static str, value: &str) {
        let setting = Setting::find(key).expect("flags are named after settings");
        let origin = Origin::Flag(setting.flag());
        self.set(setting, &Value::Word(value), origin, None);
    }

    fn set(
        &mut self,
        setting: &'static Setting,
        value: &Value<'_>,
        origin: Origin,
        folder: Option<&Path>,
    ) {
        let scope = Scope {
            folder,
            home: self.home.as_deref(),
        };
        match (setting.set)(&mut self.config, value, &scope) {
            Ok(()) => {
                self.given.insert(setting.key, origin);
            }
            Err(reason) => {
                let hint = reason
                    .map(|reason| format!(" ({reason})"))
                    .unwrap_or_default();
                self.faults.push(Fault {
                    origin,
                    message: format!(
                        "{} must be {}, not {value}{hint}",
                        setting.key, setting.accepts
                    ),
                });
            }
        }
    }

    fn unknown<'a>(
        &mut self,
        origin: Origin,
        what: &str,
        word: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let hint = match nearest(word, known) {
            Some(near) => format!("; did you mean {near}?"),
            None => "; docs/config.example.toml lists all".to_owned(),
        };
        self.warnings.push(Warning {
            origin,
            message: format!("unknown {what} {word} is ignored{hint}"),
        });
    }

    /// What no single setting can see.
    fn check_together(&mut self) {
        let show = &self.config.show;
        if let (Some(feature), Some(headline)) = (show.feature_from, show.headline_from)
            && feature > headline
            && let Some(origin) = self.given.get("show.feature_from")
        {
            self.faults.push(Fault {
                origin: origin.clone(),
                message: format!(
                    "show.feature_from ({feature}) is above show.headline_from ({headline}): \
                     no gift would reach the feature lane"
                ),
            });
        }
    }
}

impl ConfigFile {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        Origin::File {
            path: self.path.clone(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        }
    }
}
