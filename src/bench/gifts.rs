//! What each gift of the catalogue costs to draw, alone on stage.
//!
//! The stage is the preview's: no network, no window, no sound, its clock moved
//! by hand. A frame counts from the beginning of the app's update until the
//! graphics device is done with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::measure::{Limit, RUNS, Row, median};
use super::{Area, stage};
use crate::catalog::{Catalog, FALLBACK, Lane};
use crate::cli::{Figure, find_catalog};
use crate::config::Size;
use crate::engine::{FrameCost, Rehearsal};
use crate::model::{Gift, Sender};

pub const AREA: Area = Area {
    rows: &[COST, RATE, PIPELINES, ASSETS],
    measure,
};

const COST: Row = Row {
    id: "gifts.cost",
    area: "gifts",
    name: "CPU of a gift's most expensive frame at 1920x1080, against the median of its lane: the worst gift",
    unit: "x",
    limit: Limit::AtMost(2.0),
};
const RATE: Row = Row {
    id: "gifts.rate",
    area: "gifts",
    name: "frames a second at 640x360 over a gift's whole life: the slowest gift",
    unit: "fps",
    limit: Limit::AtLeast(30.0),
};
const PIPELINES: Row = Row {
    id: "gifts.pipelines",
    area: "gifts",
    name: "pipelines made in the first play of any gift",
    unit: "pipelines",
    limit: Limit::AtMost(0.0),
};
const ASSETS: Row = Row {
    id: "gifts.assets",
    area: "gifts",
    name: "the asset folder",
    unit: "MB",
    limit: Limit::Below(40.0),
};

const FULL: Size = Size {
    width: 1920,
    height: 1080,
};
/// Stage time between the frames that are drawn: what a frame costs does not go
/// by it. Each run looks at other moments, so that the five together see every
/// fifth of this.
const STRIDE: Duration = Duration::from_millis(150);
const SHIFT: Duration = Duration::from_millis(30);

fn measure() -> Result<Vec<Figure>> {
    let path = find_catalog(None)?;
    let catalog = Arc::new(Catalog::load(&path)?);
    let mut gifts: Vec<String> = catalog.gifts.keys().map(ToString::to_string).collect();
    gifts.push(FALLBACK.to_owned());

    let mut figures = Vec::new();
    let (rates, pipelines) = rates(&catalog, &gifts)?;
    let slowest = rates
        .into_iter()
        .min_by(|a, b| median(a).total_cmp(&median(b)));
    figures.push(RATE.median(slowest.context("the catalogue has no gifts")?));
    figures.push(PIPELINES.worst(vec![pipelines]));
    figures.push(ASSETS.worst(vec![megabytes(path.parent().unwrap_or(Path::new(".")))?]));
    figures.extend(costs(&catalog, &gifts)?);
    Ok(figures)
}

/// Frames a second of each gift, run by run, and the pipelines that their first
/// plays made.
fn rates(catalog: &Arc<Catalog>, gifts: &[String]) -> Result<(Vec<Vec<f64>>, f64)> {
    let mut rehearsal = Rehearsal::open(catalog.clone(), stage::SIZE)?;
    let mut rates = vec![Vec::new(); gifts.len()];
    let mut pipelines = 0;
    for run in 0..RUNS {
        for (gift, rates) in gifts.iter().zip(&mut rates) {
            let frames = play(&mut rehearsal, catalog, gift, run)?;
            let total: Duration = frames.iter().map(|frame| frame.wall).sum();
            rates.push(frames.len() as f64 / total.as_secs_f64());
        }
        if run == 0 {
            pipelines = rehearsal.pipelines_since_warm();
        }
        eprintln!("  rates {}/{RUNS}", run + 1);
    }
    Ok((rates, pipelines as f64))
}

/// The dearest gift of all against the median of its lane, then each gift's own
/// figure against twice that median.
fn costs(catalog: &Arc<Catalog>, gifts: &[String]) -> Result<Vec<Figure>> {
    let mut rehearsal = Rehearsal::open(catalog.clone(), FULL)?;
    let mut worst = vec![Vec::new(); gifts.len()];
    for run in 0..RUNS {
        for (gift, worst) in gifts.iter().zip(&mut worst) {
            let frames = play(&mut rehearsal, catalog, gift, run)?;
            let dearest = frames.iter().map(|frame| frame.cpu).max();
            worst.push(dearest.unwrap_or_default().as_secs_f64() * 1e3);
        }
        eprintln!("  costs {}/{RUNS}", run + 1);
    }
    let mut lanes: BTreeMap<Lane, Vec<f64>> = BTreeMap::new();
    let lane = |gift: &String| catalog.lane(gift, 0.0);
    for (gift, runs) in gifts.iter().zip(&worst) {
        lanes.entry(lane(gift)).or_default().push(median(runs));
    }
    let typical = |gift: &String| median(&lanes[&lane(gift)]);
    let ratios = |(gift, runs): (&String, &Vec<f64>)| -> Vec<f64> {
        runs.iter().map(|run| run / typical(gift)).collect()
    };
    let dearest = gifts
        .iter()
        .zip(&worst)
        .map(ratios)
        .max_by(|a, b| median(a).total_cmp(&median(b)))
        .context("the catalogue has no gifts")?;
    let mut figures = vec![COST.median(dearest)];
    for (gift, runs) in gifts.iter().zip(&worst) {
        let (value, most) = (median(runs), 2.0 * typical(gift));
        figures.push(Figure {
            id: format!("{}.{gift}", COST.id),
            area: COST.area.to_owned(),
            name: format!("{gift}: CPU of its most expensive frame at 1920x1080"),
            value,
            unit: "ms".to_owned(),
            bar: format!("at most {most:.0} ms, twice its lane's median"),
            holds: value <= most,
            runs: runs.clone(),
            baseline_runs: Vec::new(),
        });
    }
    Ok(figures)
}

/// What frames of a gift's life cost.
fn play(
    rehearsal: &mut Rehearsal,
    catalog: &Catalog,
    gift: &str,
    run: usize,
) -> Result<Vec<FrameCost>> {
    let sender = Sender::named("viewer", "Viewer");
    rehearsal.begin(Gift::one("gift", gift, sender))?;
    rehearsal.step(SHIFT * run as u32);
    let end = catalog.recipe(gift).duration.as_secs_f32();
    let mut frames = Vec::new();
    while rehearsal.act().is_some_and(|act| act.elapsed < end) {
        frames.push(rehearsal.costed_step(STRIDE)?);
    }
    Ok(frames)
}

/// What is in a folder and in those below it.
fn megabytes(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .with_context(|| format!("cannot read the folder {}", folder.display()))?
        {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes as f64 / 1e6)
}
