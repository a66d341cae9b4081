//! `hyperfocus record`: a show from a file, drawn frame by frame into a video.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use super::args::{ConfigArg, ShowArgs};
use super::plan::{configure, find_catalog, make_room_for};
use super::stdout::print_line;
use super::{Engine, LookPlan, Shutdown};
use crate::config::{Config, OnAirSettings, ShowSettings, Size, SoundSettings, nearest};

pub(super) const AFTER: &str = "\
The show file is JSON Lines, a message a line with its time:\n\n  \
{\"at\": 1.25, \"message\": {\"type\": \"gift:received\", \"payload\": {...}}}\n\n\
\"at\" is seconds from the beginning or a date such as 2026-01-31T20:15:00Z. A line may \
also be a message or a gift's payload by itself, whose own timestamp then counts, so \
that a backend's export of gifts can be recorded. `hyperfocus run --keep-show FILE` \
writes such a file.\n\n\
The same show, seed, size and rate give the same pictures, captions and sound. The \
encoder is the program ffmpeg. Ctrl-C ends the recording where it is and leaves it \
whole.";

/// Fewer frames a second than this are not drawn: motion would jump.
const LEAST_FPS: u32 = 10;
/// The files that can be written, as they are told.
const KINDS: &str = "a .webm (VP9 with alpha), a .mov (ProRes 4444 or QuickTime RLE with alpha), \
                     numbered pictures such as frames/%05d.png, or with --background a .mp4 \
                     (H.264) or a .webm";
const ENDINGS: [&str; 4] = ["webm", "mov", "mp4", "png"];

#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    #[command(flatten)]
    file: ConfigArg,
    /// What was given and when, as JSON Lines
    #[arg(long, value_name = "FILE")]
    show: PathBuf,
    /// What to write: .webm, .mov, .mp4 or frames/%05d.png; may be given again
    #[arg(long, value_name = "FILE", required = true)]
    out: Vec<PathBuf>,
    /// Other numbers scatter the same gifts another way
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    /// End after so many seconds instead of with the show
    #[arg(long, value_name = "N", value_parser = super::args::seconds)]
    seconds: Option<f64>,
    /// A video to lie over, from its beginning and again when it ends; the
    /// recording is then opaque. Its own sound is left out
    #[arg(long, value_name = "FILE")]
    background: Option<PathBuf>,
    /// How a .mov keeps its pictures
    #[arg(long, value_name = "NAME", default_value = "prores")]
    codec: MovCodec,
    /// Print the closing summary as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stage: ShowArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MovCodec {
    /// ProRes 4444: for editing, nearly lossless
    Prores,
    /// QuickTime Animation: every pixel as it is, larger
    Qtrle,
}

/// How a film keeps what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmCodec {
    /// VP9 with alpha, in WebM.
    Vp9,
    ProRes4444,
    QuickTimeRle,
    /// VP9 over a background.
    OpaqueVp9,
    /// H.264 over a background.
    H264,
}

/// One output of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilmPlan {
    Film {
        path: PathBuf,
        codec: FilmCodec,
    },
    /// Numbered pictures, by a pattern such as `frames/%05d.png`.
    Pictures(PathBuf),
}

/// A recording with every question answered.
#[derive(Debug, Clone)]
pub struct RecordPlan {
    pub show_file: PathBuf,
    /// At least one; no two of them are the same file.
    pub outputs: Vec<FilmPlan>,
    pub size: Size,
    /// Frames a second, 10 to 240.
    pub fps: u32,
    pub seed: u32,
    /// `None` lasts until the show is over.
    pub time_limit: Option<Duration>,
    /// An existing file, where outputs lie over one.
    pub background: Option<PathBuf>,
    pub look: LookPlan,
    pub show: ShowSettings,
    pub on_air: OnAirSettings,
    /// PEM file of authorities trusted besides the system's, where senders' pictures
    /// come from.
    pub ca_file: Option<PathBuf>,
    pub sound: SoundSettings,
    /// An existing file.
    pub catalog: PathBuf,
    pub shutdown: Shutdown,
}

pub(super) fn run(args: &RecordArgs) -> Result<ExitCode> {
    let config = configure(args.file.path(), &args.stage.given())?;
    let plan = args.plan(&config)?;
    let engine = Engine::of_this_build()?;
    plan.shutdown
        .listen_to_signals()
        .context("cannot listen to signals")?;
    let summary = (engine.record)(plan)?;
    if args.json {
        print_line(summary.to_json())?;
    } else {
        eprint!("{summary}");
    }
    Ok(ExitCode::SUCCESS)
}

impl RecordArgs {
    fn plan(&self, config: &Config) -> Result<RecordPlan> {
        ensure!(
            config.fps >= LEAST_FPS,
            "a recording has at least {LEAST_FPS} frames a second, not {}",
            config.fps
        );
        ensure!(
            self.show.is_file(),
            "there is no show file at {}",
            self.show.display()
        );
        if let Some(background) = &self.background {
            ensure!(
                background.is_file(),
                "there is no background video at {}",
                background.display()
            );
        }
        let outputs: Vec<_> = self
            .out
            .iter()
            .map(|path| self.film(path, config.size))
            .collect::<Result<_>>()?;
        let is_mov = |it: &FilmPlan| {
            let codecs = [FilmCodec::QuickTimeRle, FilmCodec::ProRes4444];
            matches!(it, FilmPlan::Film { codec, .. } if codecs.contains(codec))
        };
        ensure!(
            self.codec == MovCodec::Prores || outputs.iter().any(is_mov),
            "--codec is for a .mov, and no --out is one"
        );
        for (index, path) in self.out.iter().enumerate() {
            let read = [Some(&self.show), self.background.as_ref()];
            ensure!(
                !read.into_iter().flatten().any(|other| is_same(other, path)),
                "{} would be written over while it is read; name another --out",
                path.display()
            );
            ensure!(
                !self.out[..index].iter().any(|other| is_same(other, path)),
                "{} is asked for twice",
                path.display()
            );
        }
        Ok(RecordPlan {
            show_file: self.show.clone(),
            outputs,
            size: config.size,
            fps: config.fps,
            seed: self.seed,
            time_limit: self.seconds.map(Duration::from_secs_f64),
            background: self.background.clone(),
            look: LookPlan::of(config),
            show: config.show.clone(),
            on_air: config.on_air.clone(),
            ca_file: config.ca_file.clone(),
            sound: config.sound.clone(),
            catalog: find_catalog(config.catalog.as_deref())?,
            shutdown: Shutdown::default(),
        })
    }

    /// What a path asks for by its ending.
    fn film(&self, path: &Path, size: Size) -> Result<FilmPlan> {
        let shown = path.display();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let ending = ending.to_ascii_lowercase();
        let has_background = self.background.is_some();
        let codec = match (ending.as_str(), has_background) {
            ("webm", false) => FilmCodec::Vp9,
            ("webm", true) => FilmCodec::OpaqueVp9,
            ("mov", false) if self.codec == MovCodec::Qtrle => FilmCodec::QuickTimeRle,
            ("mov", false) => FilmCodec::ProRes4444,
            ("mp4", true) => FilmCodec::H264,
            ("png", false) => {
                ensure!(
                    path.file_name()
                        .is_some_and(|name| name.to_string_lossy().contains('%')),
                    "{shown} names one picture; number them, as in {}",
                    path.with_file_name("%05d.png").display()
                );
                return Ok(FilmPlan::Pictures(path.to_owned()));
            }
            ("mp4", false) => bail!(
                "{shown}: MP4 has no alpha; give --background FILE to lie over, or write a .webm \
                 or a .mov"
            ),
            ("mov" | "png", true) => bail!(
                "{shown}: over a background a recording is a .mp4 or a .webm; leave --background \
                 out for a .mov or pictures with alpha"
            ),
            _ => {
                let hint = match nearest(&ending, ENDINGS) {
                    Some(meant) => format!(" (did you mean .{meant}?)"),
                    None => String::new(),
                };
                bail!("{shown}: cannot write a file of that kind{hint}; there can be {KINDS}");
            }
        };
        ensure!(
            codec != FilmCodec::H264
                || (size.width.is_multiple_of(2) && size.height.is_multiple_of(2)),
            "{shown}: H.264 needs a stage of even sides, not {}x{}",
            size.width,
            size.height
        );
        make_room_for(path)?;
        Ok(FilmPlan::Film {
            path: path.to_owned(),
            codec,
        })
    }
}

/// Whether two paths are one file, as far as that can be known before it exists.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    match (whole(one), whole(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Folders;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: RecordArgs,
    }

    fn plan(words: &str) -> Result<RecordPlan> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["show.jsonl", "game.mp4"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let words = words.replace("@", &format!("{}/", folder.path().display()));
        let line = Line::try_parse_from(format!("record {words}").split(' '))?;
        let folders = Folders::of_this_machine();
        let (config, _) = Config::resolve(None, [], &line.args.stage.given(), &folders)?;
        line.args.plan(&config)
    }

    fn codecs(words: &str) -> Vec<Option<FilmCodec>> {
        let codec = |output: FilmPlan| match output {
            FilmPlan::Film { codec, .. } => Some(codec),
            FilmPlan::Pictures(_) => None,
        };
        plan(words)
            .unwrap()
            .outputs
            .into_iter()
            .map(codec)
            .collect()
    }

    #[test]
    fn a_films_ending_says_what_it_is() {
        use FilmCodec::{H264, OpaqueVp9, ProRes4444, QuickTimeRle, Vp9};
        assert_eq!(
            codecs("--show @show.jsonl --out @a.webm --out @b.MOV --out @c/%05d.png"),
            [Some(Vp9), Some(ProRes4444), None]
        );
        assert_eq!(
            codecs("--show @show.jsonl --out @b.mov --codec qtrle"),
            [Some(QuickTimeRle)]
        );
        assert_eq!(
            codecs("--show @show.jsonl --background @game.mp4 --out @a.webm --out @b.mp4"),
            [Some(OpaqueVp9), Some(H264)]
        );
    }

    #[test]
    fn what_cannot_be_recorded_is_refused_with_what_can() {
        for (words, told) in [
            ("--show @none --out @a.webm", "there is no show file at"),
            ("--show @show.jsonl --out @a.wbm", "did you mean .webm?"),
            ("--show @show.jsonl --out @a.gif", "ProRes 4444"),
            ("--show @show.jsonl --out @a.mp4", "give --background"),
            ("--show @show.jsonl --out @a.png", "%05d.png"),
            (
                "--show @show.jsonl --out @a.mov --background @game.mp4",
                "is a .mp4 or a .webm",
            ),
            (
                "--show @show.jsonl --out @a.webm --background @no.mp4",
                "no background video",
            ),
            (
                "--show @show.jsonl --out @a.webm --out @./a.webm",
                "is asked for twice",
            ),
            (
                "--show @show.jsonl --out @game.mp4 --background @game.mp4",
                "while it is read",
            ),
            (
                "--show @show.jsonl --out @a.webm --fps 5",
                "at least 10 frames",
            ),
            (
                "--show @show.jsonl --out @a.mp4 --size 101x64 --background @game.mp4",
                "even sides",
            ),
        ] {
            let error = format!("{:#}", plan(words).unwrap_err());
            assert!(error.contains(told), "{words}: {error}");
        }
    }
}
