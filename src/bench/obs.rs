//! What it costs the engine to hand its frames to OBS, at 1920x1080.
//!
//! The stage is the preview's, the ring is the real one, and frames are handed
//! over or not in turns. What the other side costs OBS is measured in a real
//! OBS: see [`super::obs_source`].

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cpu_time::ThreadTime;
use hyperfocus_ring::{Folder, Settings, Writer};

use super::Area;
use super::measure::{Limit, RUNS, Row, Turns};
use crate::catalog::Catalog;
use crate::cli::{Figure, find_catalog};
use crate::config::Size;
use crate::engine::{FrameCost, Rehearsal};
use crate::model::{Gift, Sender};
use crate::output::publish_frame;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_outlet};

pub const AREA: Area = Area {
    rows: &[ADDED, ADDED_IN_ALL, FRAME_TIME],
    measure,
};

const ADDED: Row = Row {
    id: "obs.added_cpu",
    area: "obs",
    name: "CPU that handing a frame to OBS adds to the engine's threads at 1920x1080, readback included, against one memcpy of it",
    unit: "x",
    limit: Limit::AtMost(2.5),
};
const ADDED_IN_ALL: Row = Row {
    id: "obs.added_cpu.in_all",
    area: "obs",
    name: "the same with what draws and copies in place of a GPU, where there is none",
    unit: "x",
    limit: Limit::AtMost(2.5),
};
const FRAME_TIME: Row = Row {
    id: "obs.frame_time",
    area: "obs",
    name: "p95 of a frame's time while every frame goes to OBS, against none going",
    unit: "x",
    limit: Limit::AtMost(1.1),
};

const SIZE: Size = Size {
    width: 1920,
    height: 1080,
};
/// Frames of one turn.
const FRAMES: usize = 40;
const STEP: Duration = Duration::from_millis(33);
/// It fills the stage for as long as a turn takes.
const GIFT: &str = "universe";

/// Takes frames while it is on.
struct Tap {
    writer: Writer,
    is_on: Arc<AtomicBool>,
}

impl Taker for Tap {
    fn wants(&mut self, _: &FrameRequest) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        publish_frame(&mut self.writer, frame)
    }
}

fn measure() -> Result<Vec<Figure>> {
    let catalog = Arc::new(Catalog::load(&find_catalog(None)?)?);
    let is_on = Arc::new(AtomicBool::new(false));
    let tap = Tap {
        writer: ring()?,
        is_on: is_on.clone(),
    };
    let mut rehearsal = Rehearsal::open_on(catalog, SIZE, |app| {
        add_outlet(app, Form::LinearPremultiplied, tap);
    })?;

    let (mut added, mut in_all) = (Vec::new(), Vec::new());
    let mut memory = Memory::new();
    for run in 0..RUNS {
        // CPU seconds of a frame: this thread's, which drives the stage, those of
        // all threads, and those of a copy between two frames.
        let mut turn = |on| -> Result<[f64; 3]> {
            is_on.store(on, Ordering::Relaxed);
            begin(&mut rehearsal)?;
            let [mut own, mut all, mut copy] = [Duration::ZERO; 3];
            for _ in 0..FRAMES {
                let start = ThreadTime::now();
                all += rehearsal.costed_step(STEP)?.cpu;
                own += start.elapsed();
                if !on {
                    copy += memory.copy();
                }
            }
            Ok([own, all, copy].map(|time| time.as_secs_f64() / FRAMES as f64))
        };
        let (without, with) = (turn(false)?, turn(true)?);
        let copy = without[2];
        let [own, all] = [0, 1].map(|which| with[which] - without[which]);
        added.push(own / copy);
        in_all.push(all / copy);
        eprintln!(
            "  {}/{RUNS}: {:.2} ms more, {:.2} ms of all threads; one memcpy {:.2} ms",
            run + 1,
            own * 1e3,
            all * 1e3,
            copy * 1e3
        );
    }

    let mut turns = Turns::default();
    for run in 0..RUNS {
        let mut turn = |on| -> Result<f64> {
            is_on.store(on, Ordering::Relaxed);
            begin(&mut rehearsal)?;
            Ok(p95(&frames(&mut rehearsal)?))
        };
        turns.baseline.push(turn(false)?);
        turns.runs.push(turn(true)?);
        eprintln!(
            "  {}/{RUNS}: {:.1} ms against {:.1} ms",
            run + 1,
            turns.runs[run],
            turns.baseline[run]
        );
    }
    Ok(vec![
        ADDED.median(added),
        ADDED_IN_ALL.median(in_all),
        FRAME_TIME.ratio(turns),
    ])
}

/// A ring of this process's own.
fn ring() -> Result<Writer> {
    let name = format!("bench-{}", std::process::id());
    let settings = Settings {
        name: &name,
        engine: env!("CARGO_PKG_VERSION"),
        width: SIZE.width,
        height: SIZE.height,
    };
    Folder::of_user()
        .and_then(|folder| Writer::create(&folder, &settings))
        .context("no shared memory to be had")
}

/// Puts the gift on stage: a stage at rest would be drawn for OBS alone.
fn begin(rehearsal: &mut Rehearsal) -> Result<()> {
    Ok(rehearsal.begin(Gift::one("gift", GIFT, Sender::named("viewer", "Viewer")))?)
}

fn frames(rehearsal: &mut Rehearsal) -> Result<Vec<FrameCost>> {
    (0..FRAMES).map(|_| rehearsal.costed_step(STEP)).collect()
}

fn p95(frames: &[FrameCost]) -> f64 {
    let mut times: Vec<_> = frames.iter().map(|frame| frame.wall).collect();
    times.sort_unstable();
    times[times.len() * 95 / 100].as_secs_f64() * 1e3
}

/// What one frame's bytes are copied from and to: as many as a ring has, in turns,
/// and with a frame drawn between two copies. What is copied was written by another
/// thread before that frame, so that as much of it is in the caches as of a frame that
/// is handed over, which is mapped a frame after it was drawn.
struct Memory {
    from: [Vec<u8>; 3],
    into: [Vec<u8>; 3],
    turn: usize,
}

impl Memory {
    fn new() -> Self {
        let bytes = SIZE.width as usize * SIZE.height as usize * 4;
        // Nothing but zeroes would be given no memory before it is written.
        let buffers = |byte| std::array::from_fn(|_| vec![byte; bytes]);
        Self {
            from: buffers(1),
            into: buffers(2),
            turn: 0,
        }
    }

    /// CPU time of one copy.
    fn copy(&mut self) -> Duration {
        let into = &mut self.into[self.turn];
        let start = ThreadTime::now();
        into.copy_from_slice(black_box(&self.from[self.turn]));
        black_box(into);
        let copying = start.elapsed();
        self.turn = (self.turn + 1) % 3;
        let next = &mut self.from[self.turn];
        thread::scope(|scope| {
            scope.spawn(|| next.fill(black_box(1)));
        });
        copying
    }
}
