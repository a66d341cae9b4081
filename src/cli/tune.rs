//! `hyperfocus tune`: what each rate would do to a recording, and which suits.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueHint};
use serde::Serialize;

use super::args::{ConfigArg, give_path, path, seconds};
use super::plan::{configure, find_catalog};
use super::record::is_same;
use super::show::{configured, load_catalog, show_settings};
use super::stdout::print;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::draft::Draft;
use crate::tune::{Arrival, Crowd, Judge, Judgement, Rates, Recording, Report};

pub(super) const AFTER: &str = "\
The recording is a show file, as `hyperfocus run --keep-show` keeps it and a relay's \
history gives it. It is played in virtual time, as a renderer with this configuration \
would: its pauses and skips are left out, and a rate that it grants is not used. A \
crowd is made of gifts that come at random, with bursts (20 s on average, eight times \
as many) and streaks (eight messages on average, 0.4 s apart); the same seed makes the \
same crowd.";

#[derive(Debug, Args)]
pub(super) struct TuneArgs {
    #[command(flatten)]
    file: ConfigArg,
    /// A recording
    #[arg(
        value_name = "FILE",
        required_unless_present = "crowd",
        conflicts_with = "crowd"
    )]
    recording: Option<PathBuf>,
    /// Rates to judge, acts a second: a range such as 2..60 or a list such as
    /// 5,10,30
    #[arg(long, value_name = "RATES", default_value = "2..60")]
    rates: Rates,
    /// How long after the line before it a line comes that has no time, seconds
    #[arg(long, value_name = "N", value_parser = seconds, default_value = "1")]
    every: f64,
    /// A catalogue of your own
    #[arg(long, value_name = "FILE", value_parser = path, value_hint = ValueHint::AnyPath)]
    catalog: Option<PathBuf>,
    /// Where the picture over the rates goes; without --svg, --html and --json both
    /// are written beside the recording, or here for a crowd, as NAME.rates.svg and
    /// NAME.rates.html
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Where the whole report goes, a page of its own
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the figures as one JSON object, and write only what is named
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    crowd: CrowdArgs,
}

/// A crowd instead of a recording.
#[derive(Debug, Args)]
#[command(next_help_heading = "Crowd")]
struct CrowdArgs {
    /// Judge a made-up crowd that gives so many gifts a minute outside bursts
    #[arg(long, value_name = "N", value_parser = |text: &str| number(text, 0.1, 60_000.0))]
    crowd: Option<f64>,
    /// For how long
    #[arg(long, value_name = "N", conflicts_with = "recording", default_value = "60",
          value_parser = |text: &str| number(text, 0.1, 10_080.0))]
    minutes: f64,
    /// Bursts an hour, on average
    #[arg(long, value_name = "N", conflicts_with = "recording", default_value = "6",
          value_parser = |text: &str| number(text, 0.0, 120.0))]
    bursts: f64,
    /// Share of the small gifts that begin a streak
    #[arg(long, value_name = "SHARE", conflicts_with = "recording", default_value = "0.1",
          value_parser = |text: &str| number(text, 0.0, 1.0))]
    streaks: f64,
    /// Other numbers make another crowd
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "recording",
        default_value_t = 0
    )]
    seed: u64,
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("give a number from {least} to {most}"))
}

pub(super) fn run(args: &TuneArgs) -> Result<ExitCode> {
    let mut given = Vec::new();
    give_path(&mut given, "catalog", args.catalog.as_ref());
    let config = configure(args.file.path(), &given)?;
    let [svg, html] = args.outputs()?;
    let (catalog, is_installed) = catalog(&config)?;
    let (source, arrivals, mut warnings) = args.gifts(&catalog)?;
    if !is_installed {
        warnings.push("no catalogue is installed; the one that the program carries counts".into());
    }
    for warning in &warnings {
        eprintln!("hyperfocus: warning: {warning}");
    }
    let judge = judge(&config, catalog);
    let report = Report::of(source, &judge, &arrivals, args.rates.as_slice(), warnings);
    let text = match args.json {
        true => format!("{}\n", serde_json::to_string(&Figures::of(&report))?),
        false => report.to_string(),
    };
    // First, so that it is there whatever becomes of the files.
    let printed = print(text.as_bytes())?;
    for (path, text) in [
        (&svg, Report::svg as fn(&Report) -> String),
        (&html, Report::html),
    ] {
        if let Some(path) = path {
            write(path, &text(&report))?;
        }
    }
    if let (Some(svg), Some(html), true) = (svg, html, args.names_no_file()) {
        eprintln!(
            "hyperfocus: the report is {}, its picture {}",
            html.display(),
            svg.display()
        );
    }
    Ok(printed)
}

/// Judges as a renderer with this configuration plays.
pub(super) fn judge(config: &Config, catalog: Arc<Catalog>) -> Judge {
    let settings = show_settings(&config.show, &config.on_air, true);
    Judge::new(settings, catalog)
}

/// The configured catalogue; the one that the program was built with where none is
/// installed and none was asked for. Whether it is the former.
pub(super) fn catalog(config: &Config) -> Result<(Arc<Catalog>, bool)> {
    let chosen = config.catalog.as_deref();
    let found = find_catalog(chosen);
    let is_installed = found.is_ok() || chosen.is_some();
    let catalog = if is_installed {
        load_catalog(&found?, &config.show)
    } else {
        configured((*Catalog::shipped()).clone(), &config.show)
    };
    Ok((Arc::new(catalog?), is_installed))
}

impl TuneArgs {
    fn names_no_file(&self) -> bool {
        self.svg.is_none() && self.html.is_none() && !self.json
    }

    /// Where the picture and the page go.
    fn outputs(&self) -> Result<[Option<PathBuf>; 2]> {
        if self.names_no_file() {
            let name = self.recording.as_deref().unwrap_or(Path::new("crowd"));
            return Ok(["rates.svg", "rates.html"].map(|kind| Some(name.with_extension(kind))));
        }
        let outputs: Vec<_> = [&self.svg, &self.html].into_iter().flatten().collect();
        for path in &outputs {
            ensure!(
                !self
                    .recording
                    .as_ref()
                    .is_some_and(|read| is_same(read, path)),
                "{} would take the recording's place; name another file",
                path.display()
            );
        }
        if let [svg, html] = outputs[..] {
            ensure!(
                !is_same(svg, html),
                "{} cannot be the picture and the page; name two files",
                svg.display()
            );
        }
        Ok([self.svg.clone(), self.html.clone()])
    }

    /// What is judged: what it is from, the gifts, and what is to be known about
    /// them.
    fn gifts(&self, catalog: &Catalog) -> Result<(String, Vec<Arrival>, Vec<String>)> {
        let Some(path) = &self.recording else {
            return self.crowd.gifts(catalog);
        };
        ensure!(
            path.is_file(),
            "there is no recording at {}; keep one with `hyperfocus run --keep-show`, take a \
             relay's history, or try --crowd 60",
            path.display()
        );
        let recording = Recording::read(path, Duration::from_secs_f64(self.every))?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok((
            name.to_string_lossy().into_owned(),
            recording.arrivals,
            recording.warnings,
        ))
    }
}

impl CrowdArgs {
    fn gifts(&self, catalog: &Catalog) -> Result<(String, Vec<Arrival>, Vec<String>)> {
        let crowd = Crowd {
            per_minute: self
                .crowd
                .context("neither a recording nor --crowd was given")?,
            length: Duration::from_secs_f64(60.0 * self.minutes),
            bursts_per_hour: self.bursts,
            streaks: self.streaks,
            seed: self.seed,
        };
        let arrivals = crowd.arrivals(catalog)?;
        ensure!(
            !arrivals.is_empty(),
            "the crowd gave nothing in its time; try a larger --crowd or more --minutes"
        );
        let name = format!(
            "A made-up crowd of {} gifts a minute with {} bursts an hour, seed {}",
            self.crowd.unwrap_or_default(),
            self.bursts,
            self.seed
        );
        Ok((name, arrivals, Vec::new()))
    }
}

/// Writes a file that is whole or not there.
fn write(path: &Path, text: &str) -> Result<()> {
    let name = path.display();
    let draft = Draft::of(path, "part").with_context(|| format!("cannot write {name}"))?;
    std::fs::write(draft.temporary(), text)
        .and_then(|()| draft.publish())
        .with_context(|| format!("cannot write {name}"))
}

/// What `--json` prints; seconds, and shares from 0 to 1. Fields are added, not
/// renamed, and those of a rate are what the relay calls them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures<'a> {
    gifts: usize,
    /// Until the last gift.
    seconds: f64,
    busiest_minute: Option<Busiest>,
    rates: Vec<RateFigures>,
    recommended: Option<Advice<'a>>,
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct Busiest {
    from: f64,
    gifts: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RateFigures {
    rate: f64,
    answered_share: f64,
    wait_p50: f64,
    wait_p95: f64,
    wait_max: f64,
    busiest_wait_p95: f64,
    played: u64,
    joined_streak: u64,
    joined_bundle: u64,
    refused: u64,
    dismissed: u64,
    folded_share: f64,
    refused_share: f64,
    coverage: f64,
    most_waiting: usize,
}

#[derive(Debug, Serialize)]
struct Advice<'a> {
    rate: f64,
    reason: &'a str,
}

impl<'a> Figures<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            gifts: report.gifts,
            seconds: report.length.as_secs_f64(),
            busiest_minute: report.busiest.map(|(from, gifts)| Busiest {
                from: from.as_secs_f64(),
                gifts,
            }),
            rates: report.judged.iter().map(RateFigures::of).collect(),
            recommended: report.advice.as_ref().map(|advice| Advice {
                rate: advice.rate,
                reason: &advice.reason,
            }),
            warnings: &report.notes,
        }
    }
}

impl RateFigures {
    fn of(judged: &Judgement) -> Self {
        let endings = judged.endings;
        Self {
            rate: judged.rate,
            answered_share: judged.answered_share(),
            wait_p50: judged.wait.p50.as_secs_f64(),
            wait_p95: judged.wait.p95.as_secs_f64(),
            wait_max: judged.wait.max.as_secs_f64(),
            busiest_wait_p95: judged.busiest_wait.p95.as_secs_f64(),
            played: endings.played,
            joined_streak: endings.joined_streak,
            joined_bundle: endings.joined_bundle,
            refused: endings.refused,
            dismissed: endings.dismissed,
            folded_share: judged.folded_share(),
            refused_share: judged.refused_share(),
            coverage: judged.coverage,
            most_waiting: judged.most_waiting,
        }
    }
}
