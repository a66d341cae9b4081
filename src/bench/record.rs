//! Whether a recording shows the same every time it is made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::measure::{Limit, RUNS, Row};
use super::{Area, process};
use crate::cli::{Figure, TemporaryFolder};

pub const AREA: Area = Area {
    rows: &[PIXELS, BYTES],
    measure,
};

const PIXELS: Row = Row {
    id: "record.difference",
    area: "record",
    name: "mean difference of a pixel between two recordings of one show: the worst frame",
    unit: "levels",
    limit: Limit::AtMost(1.0),
};

const BYTES: Row = Row {
    id: "record.difference.one_thread",
    area: "record",
    name: "frames that differ at all, drawn by one thread of the software rasteriser",
    unit: "frames",
    limit: Limit::AtMost(0.0),
};

/// A rocket's model, a crown's video, a streak, a small crowd and the board.
const SHOW: &str = include_str!("../../docs/show.example.jsonl");
/// Seconds of it that are recorded.
const SECONDS: &str = "9";

/// Longest that a recording of it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of the summary what is looked at.
#[derive(Deserialize, Debug, PartialEq)]
struct Summary {
    gifts: serde_json::Value,
}

/// Numbered pictures and what became of the gifts.
struct Recording {
    folder: TemporaryFolder,
    summary: Summary,
}

fn measure() -> Result<Vec<Figure>> {
    let (mut levels, mut frames) = (Vec::new(), Vec::new());
    let (first, first_alone) = (recorded(None)?, recorded(Some("1"))?);
    for run in 1..=RUNS {
        let (again, again_alone) = (recorded(None)?, recorded(Some("1"))?);
        levels.push(compare(&first, &again)?.0);
        frames.push(compare(&first_alone, &again_alone)?.1 as f64);
        eprintln!(
            "  {run}/{RUNS}: {:.4} levels, {} frames on one thread",
            levels[run - 1],
            frames[run - 1]
        );
    }
    Ok(vec![PIXELS.worst(levels), BYTES.worst(frames)])
}

/// Records the show; the rasteriser has `threads`, or as many as it likes.
fn recorded(threads: Option<&str>) -> Result<Recording> {
    let folder = TemporaryFolder::new("bench-record")?;
    let show = folder.path().join("show.jsonl");
    fs::write(&show, SHOW)?;
    let mut command = Command::new(process::this_program()?);
    command
        .args(["record", "--board", "--json", "--size", "320x180"])
        .args(["--fps", "30", "--seconds", SECONDS, "--show"])
        .arg(&show)
        .arg("--out")
        .arg(folder.path().join("frames/%05d.png"));
    if let Some(threads) = threads {
        command.env("LP_NUM_THREADS", threads);
    }
    let summary = process::ask(command, PATIENCE)?;
    Ok(Recording { folder, summary })
}

/// The mean difference of the worst frame, in levels of 255, and how many frames
/// differ at all.
fn compare(one: &Recording, other: &Recording) -> Result<(f64, u64)> {
    ensure!(
        one.summary == other.summary,
        "the same gifts ended differently: {:?} and {:?}",
        one.summary,
        other.summary
    );
    let (ours, theirs) = (pictures(one.folder.path())?, pictures(other.folder.path())?);
    ensure!(
        ours.len() == theirs.len(),
        "one recording has {} frames and the other {}",
        ours.len(),
        theirs.len()
    );
    let (mut worst, mut different) = (0_f64, 0);
    for (a, b) in ours.iter().zip(&theirs) {
        let (a, b) = (image::open(a)?.into_rgba8(), image::open(b)?.into_rgba8());
        let sum: u64 = a
            .iter()
            .zip(b.iter())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        worst = worst.max(sum as f64 / a.as_raw().len() as f64);
        different += u64::from(sum > 0);
    }
    Ok((worst, different))
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder.join("frames");
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("nothing was recorded into {}", folder.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}
