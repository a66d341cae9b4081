//! One gift at one moment, drawn outside any run: what a preview shows and what
//! the golden images are compared with.
//!
//! The stage is the ordinary one without a network, window or sound. Its clock
//! is moved by hand, so that a still does not depend on how fast the machine
//! draws: the clock stands while the captions' thread paints, while a model's
//! entities are made and until the video's decoder has caught up.

mod board;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bevy::app::PluginsState;
use bevy::prelude::*;
use bevy::render::render_resource::PollType;
use bevy::render::renderer::RenderDevice;
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy::time::TimeUpdateStrategy;
use cpu_time::ProcessTime;
use crossbeam_channel::Receiver;

use super::adapter;
use super::app::{self, Caller};
use super::graphics::{self, GraphicsError};
use crate::catalog::Catalog;
use crate::config::Size;
use crate::model::{Control, Gift, GiftType};
use crate::render::captions::CaptionDesk;
use crate::render::models::ModelFiles;
use crate::render::particles::EffectPool;
use crate::render::present::{Frame, FrameRequest, Frames, Readback};
use crate::render::video::{ActiveVideo, VideoPlayback, VideoStatus};
use crate::render::{Look, Pipelines, Textures, Warmup};
use crate::show::{Show, ShowSettings};
use crate::stage::{Act, Director, StageLink};

/// Stage time from one frame to the next.
const STEP: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// Steps in which what is left of an act passes. It is not looked at; longer
/// ones the stage's clock cuts.
pub(super) const CLEARING: Duration = Duration::from_millis(200);
/// An open streak waits for its end to be said, as long as a show may wait.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// Frames for which the clock stands once an act has begun: a model's entities
/// are there after two, and its nodes have places after another.
pub(super) const SETTLE_FRAMES: u32 = 8;
/// Pause between frames while another thread is waited for.
const NAP: Duration = Duration::from_millis(4);
/// Frames without what is waited for after which it will not come: a minute of
/// naps at the least.
const PATIENCE: u32 = 15_000;

/// Why a still could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    #[error("{gift} is over before second {at:.2}; ask for an earlier moment")]
    Over { gift: GiftType, at: f32 },
    #[error("{0} did not come within {PATIENCE} frames")]
    Stuck(&'static str),
    #[error(transparent)]
    Graphics(#[from] GraphicsError),
}

/// What one frame took, from the beginning of the app's update until the
/// graphics device was done with it.
#[derive(Debug, Clone, Copy)]
pub struct FrameCost {
    pub wall: Duration,
    /// Processor time of all threads.
    pub cpu: Duration,
}

/// A stage on which gifts are looked at one by one.
pub struct Rehearsal {
    app: App,
    frames: Receiver<Frame>,
}

impl Rehearsal {
    /// Opens a stage of `size` and makes everything that `catalog` needs.
    ///
    /// # Errors
    /// When there is no graphics adapter or the catalogue's folder has gone.
    pub fn open(catalog: Arc<Catalog>, size: Size) -> Result<Self> {
        Self::open_with(catalog, size, Look::default())
    }

    /// The same with captions and board of a certain look.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(catalog: Arc<Catalog>, size: Size, look: Look) -> Result<Self> {
        Self::open_on(catalog, size, |app| {
            app.insert_resource(look);
        })
    }

    /// The same with whatever `install` adds to the app before it starts.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_on(
        catalog: Arc<Catalog>,
        size: Size,
        install: impl FnOnce(&mut App),
    ) -> Result<Self> {
        let gpu = adapter::open()?;
        let mut app = app::assemble(
            size,
            settings(),
            gpu,
            catalog,
            StageLink::default(),
            Caller::Us,
        )?;
        app.init_resource::<Look>();
        install(&mut app);
        while app.plugins_state() == PluginsState::Adding {
            tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();
        let frames = app.world().resource::<Frames>().0.clone();
        let mut rehearsal = Self { app, frames };
        // Pipelines take real time, and warming up counts it.
        rehearsal
            .wait_until("a warm stage", |world| world.resource::<Warmup>().is_done())
            .context("the stage did not get warm")?;
        Ok(rehearsal)
    }

    /// Plays `gift` alone from its beginning and returns it as it looks `at`
    /// seconds into its recipe's timeline, in straight alpha.
    ///
    /// # Errors
    /// When it is over by then, or something that it needs never comes.
    pub fn still(&mut self, gift: Gift, at: f32) -> Result<Frame, StillError> {
        self.begin(gift.clone())?;
        self.still_at(&gift, at, STEP)
    }

    /// As [`still`](Self::still), at several moments, of which each is after
    /// the one before, with a frame every `step` between them.
    ///
    /// # Errors
    /// As for [`still`](Self::still).
    pub fn stills(
        &mut self,
        gift: &Gift,
        moments: &[f32],
        step: Duration,
    ) -> Result<Vec<Frame>, StillError> {
        self.begin(gift.clone())?;
        let frames = moments.iter().map(|at| self.still_at(gift, *at, step));
        frames.collect()
    }

    fn still_at(&mut self, gift: &Gift, at: f32, step: Duration) -> Result<Frame, StillError> {
        loop {
            match self.act().map(|act| act.age) {
                Some(age) if age >= at => return self.frame(at),
                Some(_) => self.step(step),
                None => {
                    let gift = gift.gift_type.clone();
                    return Err(StillError::Over { gift, at });
                }
            }
        }
    }

    /// Puts `gift` alone on stage, at its beginning and with everything there
    /// that it needs.
    ///
    /// # Errors
    /// When something that it needs never comes.
    pub fn begin(&mut self, gift: Gift) -> Result<(), StillError> {
        self.clear()?;
        self.offer(gift);
        self.move_clock_by(STEP);
        for _ in 0..PATIENCE {
            self.app.update();
            if self.act().is_some() {
                break;
            }
        }
        self.move_clock_by(Duration::ZERO);
        for _ in 0..SETTLE_FRAMES {
            self.app.update();
        }
        self.let_everything_arrive()
    }

    /// A further message; the next step plays it.
    pub fn offer(&mut self, gift: Gift) {
        let now = self.now();
        self.director().show.offer(now, gift);
    }

    /// Moves the clock by `by` and draws.
    pub fn step(&mut self, by: Duration) {
        self.move_clock_by(by);
        self.app.update();
    }

    /// As [`step`](Self::step), and says what that took.
    ///
    /// # Errors
    /// When the device is lost.
    #[expect(clippy::disallowed_methods, reason = "what a frame costs is real time")]
    pub fn costed_step(&mut self, by: Duration) -> Result<FrameCost> {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        self.step(by);
        self.wait_for_device()?;
        Ok(FrameCost {
            wall: wall.elapsed(),
            cpu: cpu.elapsed(),
        })
    }

    /// Pipelines that were made since the stage was warm.
    pub fn pipelines_since_warm(&self) -> usize {
        let world = self.app.world();
        world
            .resource::<Warmup>()
            .pipelines_since(world.resource::<Pipelines>())
    }

    fn wait_for_device(&self) -> Result<()> {
        graphics::check(self.app.world())?;
        let device = self.app.world().resource::<RenderDevice>();
        device.poll(PollType::wait_indefinitely())?;
        Ok(())
    }

    /// Stands still until what other threads do for the act is done.
    fn let_everything_arrive(&mut self) -> Result<(), StillError> {
        self.move_clock_by(Duration::ZERO);
        self.wait_until("a caption, a texture or a video's picture", has_arrived)
    }

    /// The frame at this moment, stamped `at`: the first of two in a row that
    /// are alike, as what was uploaded last may take a frame to be seen.
    ///
    /// # Errors
    /// When something that it needs never comes.
    pub fn frame(&mut self, at: f32) -> Result<Frame, StillError> {
        self.let_everything_arrive()?;
        self.request(true, at);
        let mut before: Option<Frame> = None;
        for _ in 0..PATIENCE {
            self.app.update();
            graphics::check(self.app.world())?;
            std::thread::sleep(NAP);
            while let Ok(frame) = self.frames.try_recv() {
                if before
                    .as_ref()
                    .is_some_and(|before| before.pixels == frame.pixels)
                {
                    self.request(false, at);
                    return Ok(frame);
                }
                before = Some(frame);
            }
        }
        Err(StillError::Stuck("a frame that stays as it is"))
    }

    /// Takes away what the last still left.
    fn clear(&mut self) -> Result<(), StillError> {
        let now = self.now();
        self.director().show.control(now, Control::Clear);
        self.move_clock_by(CLEARING);
        self.wait_until("an empty stage", |world| {
            is_bare(world) && world.resource::<Readback>().in_flight() == 0
        })?;
        for _ in self.frames.try_iter() {}
        // Chance goes by the acts' numbers: in a show of its own, a gift looks
        // the same whatever was drawn before it.
        let mut director = self.director();
        let catalog = director.catalog.clone();
        *director = Director::new(Show::new(settings(), catalog.clone()), catalog);
        Ok(())
    }

    fn wait_until(
        &mut self,
        what: &'static str,
        mut is_there: impl FnMut(&mut World) -> bool,
    ) -> Result<(), StillError> {
        for _ in 0..PATIENCE {
            self.app.update();
            graphics::check(self.app.world())?;
            if is_there(self.app.world_mut()) {
                return Ok(());
            }
            std::thread::sleep(NAP);
        }
        Err(StillError::Stuck(what))
    }

    fn move_clock_by(&mut self, step: Duration) {
        self.app
            .insert_resource(TimeUpdateStrategy::ManualDuration(step));
    }

    /// Whether frames are read back as they are drawn, and with which time the
    /// next one is stamped.
    pub(super) fn film(&mut self, is_on: bool, at: f32) {
        self.request(is_on, at);
    }

    /// Frames that were read back since the last call, in order, once the device
    /// is done with what it has; their pixels come a frame late.
    ///
    /// # Errors
    /// When the device is lost.
    pub(super) fn develop(&mut self) -> Result<Vec<Frame>> {
        self.wait_for_device()?;
        Ok(self.frames.try_iter().collect())
    }

    fn request(&mut self, readback: bool, at: f32) {
        self.app.insert_resource(FrameRequest {
            readback,
            is_new: true,
            at: f64::from(at),
            ..default()
        });
    }

    fn director(&mut self) -> Mut<'_, Director> {
        self.app.world_mut().resource_mut::<Director>()
    }

    fn now(&self) -> Duration {
        self.app.world().resource::<Time<Real>>().elapsed()
    }

    /// The act on stage, if there is one.
    pub fn act(&mut self) -> Option<&Act> {
        let world = self.app.world_mut();
        let mut acts = world.query::<&Act>();
        acts.iter(world).next()
    }

    pub(super) fn world(&mut self) -> &mut World {
        self.app.world_mut()
    }
}

fn settings() -> ShowSettings {
    ShowSettings {
        silence: SILENCE,
        ..ShowSettings::default()
    }
}

/// Whether nothing is left of what played.
pub(super) fn is_bare(world: &World) -> bool {
    world.resource::<Director>().is_idle() && world.resource::<EffectPool>().in_use() == 0
}

/// Whether what other threads do for the acts on stage is done.
pub(super) fn has_arrived(world: &mut World) -> bool {
    let assets = world.resource::<AssetServer>();
    world.resource::<CaptionDesk>().pending() == 0
        && world.resource::<Textures>().settled(assets)
        && world.resource::<ModelFiles>().settled(assets)
        && are_videos_in_time(world)
}

/// Whether every video shows the picture that its clock asks for.
fn are_videos_in_time(world: &mut World) -> bool {
    let mut videos = world.query::<(&VideoPlayback, &VideoStatus, Option<&ActiveVideo>)>();
    videos.iter(world).all(|(playback, status, active)| {
        let shown = active.and_then(|active| Some((active.index()?, active.info()?.frame_rate)));
        match (status, shown) {
            (VideoStatus::Ended | VideoStatus::Failed(_), _) => true,
            (_, Some((index, rate))) => (index + 1) as f64 >= (playback.clock * rate).floor(),
            (_, None) => false,
        }
    })
}
