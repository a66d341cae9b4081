//! What it costs the engine to hand its frames to OBS, at 1920x1080.
//!
//! The stage is the preview's, the ring is the real one, and frames go to nobody, to
//! a window and to OBS in turns. What the other side costs OBS is measured in a real
//! OBS: see [`super::obs_source`].

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use bevy::camera::RenderTarget;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use cpu_time::ThreadTime;
use hyperfocus_ring::{Folder, Settings, Writer};

use super::Area;
use super::measure::{Limit, RUNS, Row, Turns, median};
use crate::catalog::Catalog;
use crate::cli::{Figure, find_catalog};
use crate::config::Size;
use crate::engine::{FrameCost, Rehearsal};
use crate::model::{Gift, Sender};
use crate::output::publish_frame;
use crate::render::present::{
    Form, FrameRequest, MappedFrame, Taker, WindowCamera, add_outlet, window_camera,
};

pub const AREA: Area = Area {
    rows: &[ADDED, ADDED_IN_ALL, FRAME_TIME, OVER_WINDOW],
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

const OVER_WINDOW: Row = Row {
    id: "obs.frame_time.over_window",
    area: "obs",
    name: "the same against every frame going to a window",
    unit: "x",
    limit: Limit::AtMost(1.1),
};

const SIZE: Size = Size {
    width: 1920,
    height: 1080,
};
/// Frames of one turn.
const FRAMES: usize = 40;
/// Turns of each goal for the slowest frames, of which two of forty decide: of nine,
/// four may be disturbed.
const TURNS: usize = 9;
const STEP: Duration = Duration::from_millis(33);
/// A window's camera comes after those of the stage, and sees nothing of its own.
const AFTER_STAGE: isize = 2;
const EMPTY_LAYER: usize = 30;
/// It fills the stage for as long as a turn takes.
const GIFT: &str = "universe";

/// Where frames go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Nobody,
    Window,
    Obs,
}

/// The goal that is set, seen by all who draw.
#[derive(Resource, Clone, Default)]
struct Switch(Arc<AtomicU8>);

impl Switch {
    fn set(&self, goal: Goal) {
        self.0.store(goal as u8, Ordering::Relaxed);
    }

    fn is(&self, goal: Goal) -> bool {
        self.0.load(Ordering::Relaxed) == goal as u8
    }
}

/// Takes frames that go to OBS.
struct Tap {
    writer: Writer,
    switch: Switch,
}

impl Taker for Tap {
    fn wants(&mut self, _: &FrameRequest) -> bool {
        self.switch.is(Goal::Obs)
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        publish_frame(&mut self.writer, frame)
    }
}

/// A window of the stage's size, but that nothing brings it to a screen.
fn open_window(mut commands: Commands, mut images: ResMut<Assets<Image>>) {
    let format = TextureFormat::Bgra8UnormSrgb;
    let surface = Image::new_target_texture(SIZE.width, SIZE.height, format, None);
    let camera = WindowCamera {
        ground: LinearRgba::BLACK,
        ..default()
    };
    commands.spawn((
        window_camera(camera, AFTER_STAGE, RenderLayers::layer(EMPTY_LAYER)),
        RenderTarget::Image(images.add(surface).into()),
    ));
}

fn switch_window(switch: Res<Switch>, mut camera: Single<&mut Camera, With<WindowCamera>>) {
    camera.is_active = switch.is(Goal::Window);
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
        app.insert_resource(switch.clone())
            .add_systems(Startup, open_window)
            .add_systems(Update, switch_window);
    })?;
    // What each is drawn by is made when it is first drawn.
    for goal in [Goal::Window, Goal::Obs] {
        switch.set(goal);
        begin(&mut rehearsal)?;
        frames(&mut rehearsal)?;
    }

    let (mut added, mut in_all) = (Vec::new(), Vec::new());
    let mut memory = Memory::new();
    for run in 0..RUNS {
        let mut copies = Vec::new();
        // CPU seconds of each frame: this thread's, which drives the stage, and those
        // of all threads.
        let mut turn = |goal| -> Result<Vec<[f64; 2]>> {
            switch.set(goal);
            begin(&mut rehearsal)?;
            let frame = |_| {
                let start = ThreadTime::now();
                let all = rehearsal.costed_step(STEP)?.cpu;
                let own = start.elapsed();
                if goal == Goal::Nobody {
                    copies.push(memory.copy().as_secs_f64());
                }
                Ok([own, all].map(|time| time.as_secs_f64()))
            };
            (0..FRAMES).map(frame).collect()
        };
        let (without, with) = (turn(Goal::Nobody)?, turn(Goal::Obs)?);
        // Each against that of the same moment of the gift.
        let [own, all] = [0, 1].map(|which| {
            let pairs = with.iter().zip(&without);
            let more: Vec<_> = pairs
                .map(|(with, less)| with[which] - less[which])
                .collect();
            median(&more)
        });
        let copy = median(&copies);
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

    let goals = [Goal::Nobody, Goal::Window, Goal::Obs];
    let mut p95s = goals.map(|_| Vec::new());
    for turn in 0..TURNS {
        // Whoever came first last time comes later.
        for step in 0..goals.len() {
            let at = (turn + step) % goals.len();
            switch.set(goals[at]);
            begin(&mut rehearsal)?;
            p95s[at].push(p95(&frames(&mut rehearsal)?));
        }
        let [without, window, with] = p95s.each_ref().map(|p95s| p95s[turn]);
        eprintln!(
            "  {}/{TURNS}: {with:.1} ms against {without:.1} ms, and {window:.1} ms for a window",
            turn + 1,
        );
    }
    let [without, window, with] = p95s;
    let against = |baseline| Turns {
        runs: with.clone(),
        baseline,
    };
    Ok(vec![
        ADDED.median(added),
        ADDED_IN_ALL.median(in_all),
        FRAME_TIME.ratio(against(without)),
        OVER_WINDOW.ratio(against(window)),
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

/// In milliseconds.
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
