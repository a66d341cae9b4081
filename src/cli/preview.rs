//! `hyperfocus preview`: one gift by itself, as an artist wants to see it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use super::args::ConfigArg;
use super::plan::{check_webm, configure, find_catalog, has_display};
use super::{Engine, Shutdown};
use crate::catalog::{Catalog, FALLBACK, Motion};
use crate::config::{Size, nearest};

/// What stands for every gift of the catalogue.
const ALL: &str = "all";
/// Tiles of one sheet along the gift's life; more could not be told apart.
const MOST_TILES: i64 = 24;
/// The most gifts, growth and moments that one preview takes.
const MOST_QUANTITY: i64 = 1_000_000;
const MOST_GROWTH: i64 = 200;

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    file: ConfigArg,
    /// Gifts of the catalogue, "fallback" or "all"
    #[arg(required = true, value_name = "GIFT")]
    gifts: Vec<String>,
    /// The catalogue to read, and to read again when it changes; without it the
    /// configured one
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Pixels of the stage
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = size)]
    size: Size,
    /// What the gift lies over: checker, black, white, grey, game or a PNG;
    /// pictures take several with commas between, films none for transparency
    #[arg(long, value_name = "GROUND", value_delimiter = ',')]
    over: Vec<Ground>,
    /// How many one message gives
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=MOST_QUANTITY))]
    quantity: u32,
    /// Value of the message, which places gifts that have no lane of their own;
    /// 10 a piece unless given
    #[arg(long, value_name = "V", value_parser = value)]
    value: Option<f64>,
    /// The combo count that the gift comes with; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=MOST_QUANTITY))]
    combo: u32,
    /// So many gifts more make it a streak that grows
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=MOST_GROWTH))]
    streak: u32,
    /// End the streak: its finale
    #[arg(long)]
    climax: bool,
    /// Who gives
    #[arg(long, value_name = "NAME", default_value = "Ana")]
    name: String,
    /// Whether the caption's card is shown
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    captions: Switch,
    /// How much may move
    #[arg(long, value_name = "HOW", default_value = "full", value_parser = motion)]
    motion: Motion,
    /// Write pictures instead of opening a window
    #[arg(long)]
    headless: bool,
    #[command(flatten)]
    pictures: PictureArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Pictures (with --headless)")]
struct PictureArgs {
    /// A picture at these seconds: of the gift's time on stage; with --streak
    /// since its last gift, with --climax since its end
    #[arg(long, value_name = "S,...", value_delimiter = ',', requires = "headless",
          value_parser = moment, allow_hyphen_values = true)]
    at: Vec<f32>,
    /// One sheet of N moments over the gift's life, a row for each ground
    #[arg(long, value_name = "N", requires = "headless",
          value_parser = clap::value_parser!(u32).range(1..=MOST_TILES))]
    sheet: Option<u32>,
    /// Print what a frame costs over the gift's life
    #[arg(long, requires = "headless")]
    cost: bool,
    /// Judge flashing by WCAG 2.3.1 over black and white, with several gifts
    /// also of the fullest stage of them; fails when there is too much
    #[arg(long, requires = "headless")]
    flashes: bool,
    /// A film with alpha, VP9
    #[arg(long, value_name = "FILE", requires = "headless")]
    webm: Option<PathBuf>,
    /// A film as numbered pictures
    #[arg(long, value_name = "DIR", requires = "headless")]
    png_sequence: Option<PathBuf>,
    /// How long a film is; the gift begins again as often as it takes. Once
    /// through it unless given
    #[arg(long, value_name = "N", requires = "headless", value_parser = super::args::seconds)]
    seconds: Option<f64>,
    /// Go on, and draw again whenever the catalogue or a file of it changes
    #[arg(long, requires = "headless")]
    watch: bool,
    /// Where pictures go
    #[arg(long, value_name = "DIR", default_value = "out/preview")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

fn motion(word: &str) -> Result<Motion, String> {
    let found = Motion::WORDS.into_iter().find(|(name, _)| *name == word);
    let names = Motion::WORDS.map(|(name, _)| name).join(", ");
    found
        .map(|(_, motion)| motion)
        .ok_or_else(|| format!("it is one of {names}"))
}

/// What a previewed gift lies over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    Checker,
    Black,
    White,
    Grey,
    /// A busy picture such as a game has.
    Game,
    /// A PNG, scaled to cover the stage.
    File(PathBuf),
}

impl Ground {
    /// Those that need no file, in the order in which a key goes through them.
    pub const BUILT_IN: [Self; 5] = [
        Self::Checker,
        Self::Black,
        Self::White,
        Self::Grey,
        Self::Game,
    ];

    /// What it is called on the command line and in file names.
    pub fn name(&self) -> String {
        match self {
            Self::Checker => "checker".into(),
            Self::Black => "black".into(),
            Self::White => "white".into(),
            Self::Grey => "grey".into(),
            Self::Game => "game".into(),
            Self::File(path) => path
                .file_stem()
                .map_or_else(|| "file".into(), |stem| stem.to_string_lossy().into_owned()),
        }
    }
}

impl std::str::FromStr for Ground {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let built_in = Self::BUILT_IN
            .into_iter()
            .find(|ground| ground.name() == word || (word == "gray" && *ground == Self::Grey));
        if let Some(ground) = built_in {
            return Ok(ground);
        }
        let path = PathBuf::from(word);
        if path.is_file() {
            return Ok(Self::File(path));
        }
        let names = Self::BUILT_IN.map(|ground| ground.name());
        let meant = nearest(word, names.iter().map(String::as_str));
        Err(match meant {
            Some(name) => format!("there is no such file; did you mean {name}?"),
            None => format!("neither a file nor one of {}", names.join(", ")),
        })
    }
}

/// How a previewed gift is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    pub quantity: u32,
    /// `None` is 10 a piece.
    pub value: Option<f64>,
    /// The count it comes with; 0 for none.
    pub combo: u32,
    /// Gifts by which its streak grows.
    pub growth: u32,
    /// Whether the streak ends.
    pub finale: bool,
    pub sender: String,
}

/// A preview with every question answered.
#[derive(Debug, Clone)]
pub struct PreviewPlan {
    /// An existing file that holds a good catalogue.
    pub catalog: PathBuf,
    /// Keys of the catalogue, at least one.
    pub gifts: Vec<String>,
    pub size: Size,
    /// A window begins with the first; none leaves the choice to what is made.
    pub grounds: Vec<Ground>,
    pub occasion: Occasion,
    pub captions: bool,
    pub motion: Motion,
    /// `None` opens a window.
    pub pictures: Option<PicturePlan>,
}

/// What is written without a window.
#[derive(Debug, Clone)]
pub struct PicturePlan {
    /// Seconds, as `--at` has them.
    pub moments: Vec<f32>,
    /// Tiles along the gift's life.
    pub sheet: Option<u32>,
    pub cost: bool,
    pub flashes: bool,
    pub folder: PathBuf,
    pub webm: Option<PathBuf>,
    pub png_sequence: Option<PathBuf>,
    /// How long films are; `None` is once through the gift.
    pub seconds: Option<f64>,
    /// Whether to draw again after every edit, without end.
    pub watch: bool,
    /// Ends them in good order.
    pub shutdown: Shutdown,
}

pub(super) fn run(args: PreviewArgs) -> Result<ExitCode> {
    let engine = Engine::of_this_build()?;
    let plan = args.into_plan()?;
    if let Some(pictures) = &plan.pictures {
        pictures
            .shutdown
            .listen_to_signals()
            .context("cannot listen to signals")?;
    }
    (engine.preview)(plan)?;
    Ok(ExitCode::SUCCESS)
}

impl PreviewArgs {
    fn into_plan(self) -> Result<PreviewPlan> {
        let catalog = match self.catalog {
            Some(catalog) => Some(catalog),
            None => configure(self.file.path(), &[])?.catalog,
        };
        let path = find_catalog(catalog.as_deref())?;
        let catalog = Catalog::load(&path)?;
        ensure!(
            self.headless || has_display(),
            "there is no display to open a window on (neither WAYLAND_DISPLAY nor DISPLAY is \
             set); add --headless"
        );
        let pictures = self.pictures;
        let gifts = chosen(&self.gifts, &catalog)
            .with_context(|| format!("nothing to preview in {}", path.display()))?;
        let films =
            usize::from(pictures.webm.is_some()) + usize::from(pictures.png_sequence.is_some());
        ensure!(
            films == 0 || (gifts.len() == 1 && self.over.len() <= 1),
            "a film shows one gift over one ground; give one of each"
        );
        if let Some(path) = &pictures.webm {
            check_webm(path)?;
        }
        Ok(PreviewPlan {
            gifts,
            catalog: path,
            size: self.size,
            grounds: self.over,
            occasion: Occasion {
                quantity: self.quantity,
                value: self.value,
                combo: self.combo,
                growth: self.streak,
                finale: self.climax,
                sender: self.name,
            },
            captions: self.captions == Switch::On,
            motion: self.motion,
            pictures: self.headless.then_some(PicturePlan {
                moments: pictures.at,
                sheet: pictures.sheet,
                cost: pictures.cost,
                flashes: pictures.flashes,
                folder: pictures.out,
                webm: pictures.webm,
                png_sequence: pictures.png_sequence,
                seconds: pictures.seconds,
                watch: pictures.watch,
                shutdown: Shutdown::default(),
            }),
        })
    }
}

/// The catalogue's keys that were meant.
fn chosen(words: &[String], catalog: &Catalog) -> Result<Vec<String>> {
    let keys = || catalog.gifts.keys().map(|key| &**key).chain([FALLBACK]);
    let mut gifts = Vec::new();
    for word in words {
        if word == ALL {
            gifts.extend(keys().map(str::to_owned));
            continue;
        }
        let hint = || match nearest(word, keys()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", keys().collect::<Vec<_>>().join(", ")),
        };
        ensure!(
            keys().any(|key| key == word),
            "no gift is called {word}; {}",
            hint()
        );
        gifts.push(word.clone());
    }
    Ok(gifts)
}

fn size(text: &str) -> Result<Size, String> {
    Size::parse(text).ok_or_else(|| "write it as 1280x720, each side from 16 to 8192".to_owned())
}

fn value(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("give a number of 0 or more".to_owned()),
    }
}

fn moment(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(at) if at.abs() <= 120.0 => Ok(at),
        _ => Err("give seconds, such as 1.2".to_owned()),
    }
}
