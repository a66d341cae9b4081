//! Ten thousand gifts within a second, on a stage whose lanes are full.
//!
//! The baseline is the same stage without the flood. Both begin with a steady
//! stream that fills the lanes; what is compared is the same part of their
//! time. Once that is seen the host clears what waits, so that a run ends; the
//! last flood is left to play out as long as it likes within a minute.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::plan;
use crate::bench::measure::{Limit, RUNS, Row, Turns};
use crate::bench::process::resident_mb;
use crate::bench::{Area, child};
use crate::catalog::Catalog;
use crate::cli::{Figure, Shutdown, TemporaryFolder};
use crate::demo::{Beat, DemoServer, Line, Script, ServerOptions};
use crate::engine;
use crate::model::{Control, SessionConfig};
use crate::stage::{Director, Metrics, StageLink};

pub const AREA: Area = Area {
    rows: &[PONGS, FRAME, ACKS, MEMORY],
    measure,
};

const PONGS: Row = Row {
    id: "stage.flood.pong",
    area: "flood",
    name: "longest wait for a pong, 10,000 gifts within a second",
    unit: "ms",
    limit: Limit::AtMost(100.0),
};

const FRAME: Row = Row {
    id: "stage.flood.frame_p95",
    area: "flood",
    name: "frame time p95 in the flood, against full lanes without one",
    unit: "x",
    limit: Limit::AtMost(1.25),
};

const ACKS: Row = Row {
    id: "stage.flood.acks",
    area: "flood",
    name: "gifts of a flood that were not acked exactly once",
    unit: "gifts",
    limit: Limit::AtMost(0.0),
};

const MEMORY: Row = Row {
    id: "stage.flood.memory",
    area: "flood",
    name: "memory after a flood, above what it was before",
    unit: "MB",
    limit: Limit::AtMost(64.0),
};

const GIFTS: usize = 10_000;
/// Gifts a second that keep the lanes full.
const STEADY: f64 = 30.0;
/// When the flood comes, counted from the first gift.
const FLOOD_AT: Duration = Duration::from_secs(10);
/// The part of a run that is compared, from the flood's beginning.
const COMPARED: Duration = Duration::from_secs(5);
/// How long a flood may play out.
const PLAYING_OUT: Duration = Duration::from_secs(60);
/// From the last gift's end to the last look at the memory.
const SETTLE: Duration = Duration::from_secs(2);

/// What one run plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// No flood.
    Full,
    /// A flood that is cleared away.
    Flood,
    /// A flood that plays out.
    PlayedOut,
}

impl FromStr for Way {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "full" => Self::Full,
            "cleared" => Self::Flood,
            "played-out" => Self::PlayedOut,
            _ => bail!("{text:?} is no flood"),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub struct Run {
    pong_ms: f64,
    frame_p95_ms: f64,
    not_acked_once: u64,
    memory_mb: f64,
}

fn measure() -> Result<Vec<Figure>> {
    let mut frames = Turns::default();
    let (mut pongs, mut acks, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=RUNS {
        let full: Run = child::ask(&["flood", "full"])?;
        let way = if run == RUNS { "played-out" } else { "cleared" };
        let flood: Run = child::ask(&["flood", way])?;
        eprintln!(
            "  {run}/{RUNS}: p95 {:.1} ms against {:.1} ms, pong {:.1} ms, {} wrong acks, {:.1} MB more",
            flood.frame_p95_ms,
            full.frame_p95_ms,
            flood.pong_ms,
            flood.not_acked_once,
            flood.memory_mb
        );
        frames.baseline.push(full.frame_p95_ms);
        frames.runs.push(flood.frame_p95_ms);
        pongs.push(flood.pong_ms);
        acks.push(flood.not_acked_once as f64);
        memory.push(flood.memory_mb);
    }
    Ok(vec![
        PONGS.worst(pongs),
        FRAME.ratio(frames),
        ACKS.worst(acks),
        MEMORY.worst(memory),
    ])
}

/// Follows a run from its first gift on and notes what is to be known.
#[derive(Resource)]
struct Course {
    way: Way,
    shutdown: Shutdown,
    first_gift: Option<Instant>,
    part: Part,
    before_mb: f64,
    frame_p95_ms: f64,
    memory_mb: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Steady,
    Compared,
    PlayingOut,
    Emptied(Instant),
}

/// One run in this process.
///
/// # Errors
/// When the stage or its backend cannot be opened.
pub fn one_run(way: Way) -> Result<Run> {
    let state = TemporaryFolder::new("bench-state")?;
    let mut plan = plan(&state)?;
    let catalog = Catalog::load(&plan.catalog)?;
    let server = DemoServer::start(
        script(way, &catalog),
        ServerOptions {
            session: SessionConfig {
                // Often enough that many fall into the flood's second.
                ping_interval: Duration::from_millis(50),
                ..SessionConfig::default()
            },
            ..ServerOptions::default()
        },
    )?;
    plan.connection.url = server.url();
    let (tell, told) = std::sync::mpsc::channel();
    let shutdown = plan.shutdown.clone();
    engine::run_with(plan, Vec::new(), move |app| {
        app.insert_resource(Course {
            way,
            shutdown,
            first_gift: None,
            part: Part::Steady,
            before_mb: 0.0,
            frame_p95_ms: 0.0,
            memory_mb: 0.0,
        })
        .add_systems(Last, move |mut course: ResMut<Course>, world: Follow| {
            if follow(&mut course, world) {
                // The receiver outlives the run.
                let _ = tell.send((course.frame_p95_ms, course.memory_mb));
            }
        });
    })?;
    let report = server.stop();
    let (frame_p95_ms, memory_mb) = told.try_recv().context("the run ended too early")?;
    ensure!(
        frame_p95_ms > 0.0,
        "the stage was not warm when the flood came; measure on a quieter machine"
    );
    Ok(Run {
        pong_ms: report.pong_delay.max.as_secs_f64() * 1e3,
        frame_p95_ms,
        not_acked_once: report.unacked() + report.acked_twice + report.acked_unknown,
        memory_mb,
    })
}

type Follow<'w> = (
    ResMut<'w, Director>,
    ResMut<'w, Metrics>,
    Res<'w, StageLink>,
    Res<'w, Time<Real>>,
);

/// Moves the run on; true when everything is known and it may end.
fn follow(course: &mut Course, (mut director, mut metrics, link, time): Follow) -> bool {
    if director.show.offered() == 0 {
        return false;
    }
    let now = Instant::now();
    let since = now - *course.first_gift.get_or_insert(now);
    match course.part {
        Part::Steady if since >= FLOOD_AT => {
            course.before_mb = resident_mb();
            metrics.frame = default();
            course.part = Part::Compared;
        }
        Part::Compared if since >= FLOOD_AT + COMPARED => {
            let [p95] = metrics.frame.quantiles([0.95]);
            course.frame_p95_ms = p95.into();
            course.part = Part::PlayingOut;
        }
        Part::PlayingOut => {
            let patience = match course.way {
                Way::PlayedOut => PLAYING_OUT,
                Way::Full | Way::Flood => Duration::ZERO,
            };
            if since >= FLOOD_AT + COMPARED + patience && director.show.waiting() > 0 {
                director.show.control(time.elapsed(), Control::Clear);
            }
            if director.is_idle() && link.is_flushed() {
                course.part = Part::Emptied(now);
            }
        }
        Part::Emptied(at) if now - at >= SETTLE => {
            course.memory_mb = resident_mb() - course.before_mb;
            course.shutdown.request();
            return true;
        }
        Part::Steady | Part::Compared | Part::Emptied(_) => {}
    }
    false
}

/// A steady stream, and the flood on top of it.
fn script(way: Way, catalog: &Catalog) -> Script {
    let length = FLOOD_AT + COMPARED;
    let count = (length.as_secs_f64() * STEADY) as usize;
    let mut script = Script::flood(catalog, count, length);
    if way != Way::Full {
        let flood = Script::flood(catalog, GIFTS, Duration::from_secs(1));
        script.beats.extend(flood.beats.into_iter().map(|beat| {
            let Line::Gift(mut gift) = beat.line else {
                return beat;
            };
            gift.id = format!("flood-{}", gift.id).into();
            Beat {
                at: FLOOD_AT + beat.at,
                line: Line::Gift(gift),
            }
        }));
        script.beats.sort_by_key(|beat| beat.at);
    }
    script
}
