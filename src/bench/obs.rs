//! What it costs the engine to hand its frames to OBS, at 1920x1080.
//!
//! The stage is the preview's, the ring is the real one, and in turns frames are drawn
//! for nobody, drawn in OBS's form and left on the GPU, and handed to OBS. What the other
//! side costs OBS is measured in a real OBS: see [`super::obs_source`].

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cpu_time::ThreadTime;
use hyperfocus_ring::{Folder, Settings, Writer};

use super::Area;
use super::measure::{Limit, Row, Turns, median};
use crate::catalog::Catalog;
use crate::cli::{Figure, find_catalog};
use crate::config::Size;
use crate::engine::Rehearsal;
use crate::model::{Gift, Sender};
use crate::output::publish_frame;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_outlet};

pub const AREA: Area = Area {
    rows: &[
        ADDED,
        ADDED_WITH_COPY,
        ADDED_IN_ALL,
        FRAME_TIME,
        FRAME_TIME_IN_ALL,
    ],
    measure,
};

const ADDED: Row = Row {
    id: "obs.added_cpu",
    area: "obs",
    name: "CPU that handing a frame to OBS adds to the engine's threads at 1920x1080, readback included, against one memcpy of it",
    unit: "x",
    limit: Limit::AtMost(2.5),
};
const ADDED_WITH_COPY: Row = Row {
    id: "obs.added_cpu.with_copy",
    area: "obs",
    name: "CPU of all threads that reading a frame back and handing it over adds where there is no GPU to copy it",
    unit: "x",
    limit: Limit::AtMost(2.5),
};
const ADDED_IN_ALL: Row = Row {
    id: "obs.added_cpu.in_all",
    area: "obs",
    name: "the same with the pass that draws it in OBS's form, where there is no GPU to draw it",
    unit: "x",
    limit: Limit::AtMost(2.5),
};
const FRAME_TIME: Row = Row {
    id: "obs.frame_time",
    area: "obs",
    name: "p95 of a frame's time while every frame is read back and handed over, against drawn and not read",
    unit: "x",
    limit: Limit::AtMost(1.1),
};
const FRAME_TIME_IN_ALL: Row = Row {
    id: "obs.frame_time.in_all",
    area: "obs",
    name: "the same against none drawn in OBS's form",
    unit: "x",
    limit: Limit::AtMost(1.1),
};

const SIZE: Size = Size {
    width: 1920,
    height: 1080,
};
/// More than other figures have: the slowest two of a run's forty-eight frames decide,
/// and of nine runs four may be disturbed.
const RUNS: usize = 9;
/// Moments of the gift at which frames are drawn for each goal.
const MOMENTS: usize = 16;
const TO_NEXT_MOMENT: Duration = Duration::from_millis(120);
/// Frames of one moment that are counted for each goal.
const ALIKE: usize = 3;
/// It fills the stage at all of them.
const GIFT: &str = "universe";

/// What becomes of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// They stay in the stage's form.
    Nobody,
    /// They are drawn in OBS's form, and stay on the GPU.
    Gpu,
    Obs,
}

/// The goal that is set, for who takes frames.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicU8>);

impl Switch {
    fn set(&self, goal: Goal) {
        self.0.store(goal as u8, Ordering::Relaxed);
    }

    fn is(&self, goal: Goal) -> bool {
        self.0.load(Ordering::Relaxed) == goal as u8
    }
}

/// Has frames drawn for OBS and takes those that go there.
struct Tap {
    writer: Writer,
    switch: Switch,
}

impl Taker for Tap {
    fn wants(&mut self, _: &FrameRequest) -> bool {
        !self.switch.is(Goal::Nobody)
    }

    fn reads(&self) -> bool {
        self.switch.is(Goal::Obs)
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        publish_frame(&mut self.writer, frame)
    }
}

fn measure() -> Result<Vec<Figure>> {
    let catalog = Arc::new(Catalog::load(&find_catalog(None)?)?);
    let switch = Switch::default();
    let tap = Tap {
        writer: ring()?,
        switch: switch.clone(),
    };
    let mut rehearsal = Rehearsal::open_on(catalog, SIZE, |app| {
        add_outlet(app, Form::LinearPremultiplied, tap);
    })?;
    // The outlet's textures and buffers are made when it is first wanted.
    switch.set(Goal::Obs);
    begin(&mut rehearsal)?;
    cost(&mut rehearsal)?;

    let goals = [Goal::Nobody, Goal::Gpu, Goal::Obs];
    let (mut added, mut p95s) = ([(); 3].map(|()| Vec::new()), goals.map(|_| Vec::new()));
    let mut memory = Memory::new();
    for run in 0..RUNS {
        begin(&mut rehearsal)?;
        let (mut copies, mut more) = (Vec::new(), [(); 3].map(|()| Vec::new()));
        let mut walls = goals.map(|_| Vec::new());
        for moment in 0..MOMENTS {
            rehearsal.costed_step(TO_NEXT_MOMENT)?;
            let mut costs = [Cost::default(); 3];
            // Whoever came first last time comes later.
            for turn in 0..goals.len() {
                let at = (run + moment + turn) % goals.len();
                switch.set(goals[at]);
                costs[at] = cost(&mut rehearsal)?;
                walls[at].extend(costs[at].walls);
            }
            copies.push(memory.copy());
            let [nobody, gpu, obs] = costs;
            more[0].push(obs.own - nobody.own);
            more[1].push(obs.all - gpu.all);
            more[2].push(obs.all - nobody.all);
        }
        let copy = median(&copies);
        let more = more.map(|more| median(&more));
        for (added, more) in added.iter_mut().zip(more) {
            added.push(more / copy);
        }
        let [own, with_copy, in_all] = more;
        eprintln!(
            "  {}/{RUNS}: {own:.2} ms more, {with_copy:.2} ms of all threads, {in_all:.2} ms with \
             the pass; one memcpy {copy:.2} ms",
            run + 1,
        );
        let [nobody, gpu, obs] = walls.map(p95);
        eprintln!("    p95 {obs:.1} ms against {gpu:.1} ms not read, and {nobody:.1} ms not drawn");
        for (p95s, p95) in p95s.iter_mut().zip([nobody, gpu, obs]) {
            p95s.push(p95);
        }
    }

    let [own, with_copy, in_all] = added;
    let [nobody, gpu, obs] = p95s;
    let against = |baseline| Turns {
        runs: obs.clone(),
        baseline,
    };
    Ok(vec![
        ADDED.median(own),
        ADDED_WITH_COPY.median(with_copy),
        ADDED_IN_ALL.median(in_all),
        FRAME_TIME.ratio(against(gpu)),
        FRAME_TIME_IN_ALL.ratio(against(nobody)),
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

/// What frames of one moment took on their way to one goal, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// CPU of this thread, which drives the stage, for each.
    own: f64,
    /// CPU of all threads for each.
    all: f64,
    walls: [f64; ALIKE],
}

/// Draws this moment for the goal that is set. A frame is handed over in the next
/// one's time: the first is not counted, and the last one's comes after those that are.
fn cost(rehearsal: &mut Rehearsal) -> Result<Cost> {
    rehearsal.costed_step(Duration::ZERO)?;
    let mut cost = Cost::default();
    let own = ThreadTime::now();
    for wall in &mut cost.walls {
        let frame = rehearsal.costed_step(Duration::ZERO)?;
        cost.all += millis(frame.cpu) / ALIKE as f64;
        *wall = millis(frame.wall);
    }
    cost.own = millis(own.elapsed()) / ALIKE as f64;
    Ok(cost)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn p95(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 95 / 100]
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

    /// CPU time of one copy, in milliseconds.
    fn copy(&mut self) -> f64 {
        let into = &mut self.into[self.turn];
        let start = ThreadTime::now();
        into.copy_from_slice(black_box(&self.from[self.turn]));
        black_box(into);
        let copying = millis(start.elapsed());
        self.turn = (self.turn + 1) % 3;
        let next = &mut self.from[self.turn];
        thread::scope(|scope| {
            scope.spawn(|| next.fill(black_box(1)));
        });
        copying
    }
}
