//! From launch to the first gift on screen, and that nothing is made on the
//! way once the stage is warm: the demo, run as a process of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::measure::{Limit, RUNS, Row};
use super::{Area, process};
use crate::cli::{Figure, TemporaryFolder};

pub const AREA: Area = Area {
    rows: &[EMPTY_CACHE, FULL_CACHE, PIPELINES],
    measure,
};

const EMPTY_CACHE: Row = Row {
    id: "launch.first_gift.empty_cache",
    area: "launch",
    name: "launch to first gift drawn, headless, with an empty shader cache",
    unit: "s",
    limit: Limit::Below(4.0),
};

const FULL_CACHE: Row = Row {
    id: "launch.first_gift.full_cache",
    area: "launch",
    name: "launch to first gift drawn, headless, with a full shader cache",
    unit: "s",
    limit: Limit::Below(2.0),
};

const PIPELINES: Row = Row {
    id: "pipelines.after_warmup",
    area: "pipelines",
    name: "pipelines created after warm-up, over the whole demo",
    unit: "pipelines",
    limit: Limit::AtMost(0.0),
};

/// Length of a demo of which only the beginning counts.
const SHORT: &str = "8";
/// Length of a demo that counts as a whole.
const WHOLE: &str = "12";

/// Longest that a demo of those lengths may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of the demo's summary what is looked at.
#[derive(Deserialize)]
struct Summary {
    launch_to_first_gift_ms: Option<f64>,
    pipelines_after_warmup: u64,
}

fn measure() -> Result<Vec<Figure>> {
    let full = TemporaryFolder::new("bench-cache")?;
    demo(SHORT, full.path())?;
    let (mut cold, mut warm, mut pipelines) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=RUNS {
        let empty = TemporaryFolder::new("bench-cache")?;
        cold.push(first_gift(&demo(SHORT, empty.path())?)?);
        let whole = demo(WHOLE, full.path())?;
        warm.push(first_gift(&whole)?);
        pipelines.push(whole.pipelines_after_warmup as f64);
        eprintln!(
            "  {run}/{RUNS}: {:.2} s empty, {:.2} s full, {} pipelines",
            cold[run - 1],
            warm[run - 1],
            pipelines[run - 1]
        );
    }
    Ok(vec![
        EMPTY_CACHE.median(cold),
        FULL_CACHE.median(warm),
        PIPELINES.worst(pipelines),
    ])
}

fn first_gift(summary: &Summary) -> Result<f64> {
    let ms = summary
        .launch_to_first_gift_ms
        .context("the demo drew no gift at all")?;
    Ok(ms / 1e3)
}

/// Runs the demo with its shaders cached in `cache` alone.
fn demo(seconds: &str, cache: &Path) -> Result<Summary> {
    let out = TemporaryFolder::new("bench-out")?;
    let mut command = Command::new(process::this_program()?);
    let out_path: OsString = out.path().into();
    command
        .args([
            "demo",
            "--headless",
            "--no-sheet",
            "--json",
            "--seconds",
            seconds,
            "--out",
        ])
        .arg(out_path)
        .env("MESA_SHADER_CACHE_DIR", cache)
        .env("__GL_SHADER_DISK_CACHE_PATH", cache);
    process::ask(command, PATIENCE)
}
