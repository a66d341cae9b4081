//! Where the engine stands: every figure that has a bar, measured.
//!
//! A [`Row`] is one line of the table: an id that stays the same from version
//! to version, what is measured, and the bar. An [`Area`] measures some rows at
//! once. What has a baseline is measured in turns with it, in the same run, so
//! that a busy machine slows down both; the raw figures of every run are kept.
//!
//! A build without a renderer or without the relay measures what it has.
//!
//! What needs a process of its own (a cold launch, a memory reading, a scene
//! that owns the GPU) runs in a child of this program: see [`child`].

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark owns the clock it reads"
)]

mod backend;
pub mod child;
#[cfg(feature = "render")]
mod gifts;
#[cfg(feature = "render")]
mod launch;
mod measure;
#[cfg(feature = "render")]
mod obs;
#[cfg(feature = "render")]
mod obs_source;
#[cfg(feature = "render")]
mod particles;
mod process;
mod protocol;
#[cfg(feature = "render")]
mod record;
#[cfg(feature = "relay")]
mod relay;
mod show;
mod socket;
#[cfg(feature = "render")]
mod stage;
mod tune;
#[cfg(feature = "render")]
mod video;

use anyhow::Result;

use crate::cli::{BenchPlan, Figure};

pub use measure::{Limit, Row};

/// Rows that are measured together.
pub struct Area {
    pub rows: &'static [Row],
    measure: fn() -> Result<Vec<Figure>>,
}

/// The table of this build, cheapest first.
pub fn areas() -> Vec<Area> {
    let areas = [protocol::AREA, socket::AREA, show::AREA, tune::AREA].into_iter();
    #[cfg(feature = "relay")]
    let areas = areas.chain(relay::AREAS);
    #[cfg(feature = "render")]
    let areas = areas.chain([
        video::AREA,
        launch::AREA,
        stage::IDLE,
        stage::GIFT_TO_FRAME,
        stage::FLOOD,
        particles::AREA,
        gifts::AREA,
        obs::AREA,
        obs_source::TORN_AREA,
        obs_source::AREA,
        record::AREA,
    ]);
    areas.collect()
}

/// Measures what the plan asks for. A figure that cannot be had on this machine
/// is left out, with a line about it on standard error.
///
/// # Errors
/// When nothing of what was asked for could be measured.
pub fn run(plan: &BenchPlan) -> Result<Vec<Figure>> {
    let asked = |row: &Row| plan.includes(row.id, row.area);
    let mut figures = Vec::new();
    let mut trouble = None;
    for area in areas() {
        let names: Vec<_> = area.rows.iter().filter(|row| asked(row)).collect();
        if names.is_empty() {
            continue;
        }
        for row in &names {
            eprintln!("{}: {}", row.id, row.name);
        }
        match (area.measure)() {
            Ok(measured) => {
                let kept = measured
                    .into_iter()
                    .filter(|figure| plan.includes(&figure.id, &figure.area));
                figures.extend(kept.inspect(measure::report));
            }
            Err(error) => {
                eprintln!("  not measured: {error:#}");
                trouble = Some(error);
            }
        }
    }
    match trouble {
        Some(error) if figures.is_empty() => Err(error),
        _ => Ok(figures),
    }
}
