//! Decoding a gift's video, against the ffmpeg program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Area;
use super::measure::{Limit, Row, take_turns};
use crate::cli::{Figure, find_catalog};
use crate::render::video;
use crate::render::video::Halves;

pub const AREA: Area = Area {
    rows: &[DECODE],
    measure,
};

const DECODE: Row = Row {
    id: "video.decode",
    area: "video",
    name: "frames a second of a gift's video, against `ffmpeg -threads 2 -f null`",
    unit: "x",
    limit: Limit::AtLeast(0.8),
};

/// Times the clip is decoded in one run: it is short, and what the baseline's
/// process takes to start must not count.
const PASSES: u64 = 8;

fn measure() -> Result<Vec<Figure>> {
    let clip = clip()?;
    let frames = video::verify(&clip, Halves::default())?;
    let rate = |seconds: f64| (PASSES * frames) as f64 / seconds;
    let turns = take_turns(
        || {
            let start = Instant::now();
            for _ in 0..PASSES {
                video::verify(&clip, Halves::default())?;
            }
            Ok(rate(start.elapsed().as_secs_f64()))
        },
        || {
            let start = Instant::now();
            ffmpeg(&clip)?;
            Ok(rate(start.elapsed().as_secs_f64()))
        },
    )?;
    Ok(vec![DECODE.ratio(turns)])
}

/// The largest video of the catalogue's folder, or what `HYPERFOCUS_BENCH_VIDEO`
/// names.
fn clip() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("HYPERFOCUS_BENCH_VIDEO") {
        return Ok(named.into());
    }
    let catalog = find_catalog(None)?;
    let folder = catalog.with_file_name("video");
    let clips = std::fs::read_dir(&folder)
        .with_context(|| format!("there are no videos in {}", folder.display()))?;
    clips
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "mp4"))
        .max_by_key(|entry| entry.metadata().map_or(0, |metadata| metadata.len()))
        .map(|entry| entry.path())
        .with_context(|| format!("there are no videos in {}", folder.display()))
}

fn ffmpeg(clip: &Path) -> Result<()> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-stream_loop"])
        .arg((PASSES - 1).to_string())
        .args(["-threads", "2", "-i"])
        .arg(clip)
        .args(["-map", "0:v:0", "-f", "null", "-"])
        .stdin(Stdio::null())
        .status()
        .context("the baseline is the program ffmpeg; install it")?;
    ensure!(status.success(), "ffmpeg cannot decode {}", clip.display());
    Ok(())
}
