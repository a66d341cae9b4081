//! The stage of a recording: its clock stands until everything is there, and
//! goes on by one frame at a time.
//!
//! What could differ from one run to the next is taken out: the clocks begin at
//! zero when the stage is warm, and a frame waits for its captions, pictures and
//! sounds ([`Patience`]). Systems run one after the other on every stage.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bevy::app::PluginsState;
use bevy::prelude::*;
use bevy::render::render_resource::PollType;
use bevy::render::renderer::RenderDevice;
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy::time::TimeUpdateStrategy;
use bevy_hanabi::EffectSimulation;
use crossbeam_channel::Receiver;

use crate::catalog::{Catalog, Lane};
use crate::cli::{RecordPlan, show_settings};
use crate::engine::adapter::Gpu;
use crate::engine::app::{self, Caller};
use crate::engine::still::SETTLE_FRAMES;
use crate::engine::{faces, graphics, is_still, look, video_sound};
use crate::model::{Control, Moment};
use crate::net::Link;
use crate::output::Outputs;
use crate::render::models::ModelFiles;
use crate::render::particles::{EffectPool, Order};
use crate::render::present::{Frame, FrameRequest, Frames, Readback};
use crate::render::{Look, Patience, Textures, Warmup};
use crate::show::Show;
use crate::sound::{Mixer, SoundDesk, SoundPlugin};
use crate::stage::{Director, Metrics, Paused, StageLink};

/// From one frame to the next while the stage gets warm: longer than the life of
/// what is fired then, so that nothing of it is left in any run.
const NAP: Duration = Duration::from_millis(12);
/// How long a stage may take to get warm. One that opened half made, because the
/// machine was busy, would show another picture.
const WARM_UP: Duration = Duration::from_secs(15 * 60);
/// How often is looked whether the outputs have room again.
const LOOK: Duration = Duration::from_millis(1);
/// Frames on their way from the GPU or to the outputs: what the present pass and
/// its channel hold without losing one.
const MOST_ON_THE_WAY: usize = 3;
/// Frames that the GPU may be behind.
const MOST_IN_FLIGHT: usize = 1;

pub(super) struct Stage {
    app: App,
    frames: Receiver<Frame>,
    now: Moment,
}

impl Stage {
    /// Puts the stage together.
    ///
    /// # Errors
    /// When the catalogue's folder has gone.
    pub(super) fn open(
        plan: &RecordPlan,
        gpu: Gpu,
        catalog: Arc<Catalog>,
        link: Link,
        mixer: Option<Arc<Mixer>>,
    ) -> Result<Self> {
        let settings = show_settings(&plan.show, &plan.on_air, true);
        let link = StageLink::new(link);
        let mut app = app::assemble(plan.size, settings, gpu, catalog, link, Caller::Us)?;
        let mut look = look::look(&plan.look, plan.show.motion);
        // Its time begins with the show's.
        look.board.visible = false;
        app.insert_resource(look);
        // Each frame waits for them.
        let origins = &plan.on_air.avatars_from;
        faces::install(&mut app, origins, plan.ca_file.as_deref(), || {});
        let mut effects = app.world_mut().resource_mut::<EffectPool>();
        effects.seed = plan.seed;
        effects.order = Order::OfBirth;
        app.world_mut().resource_mut::<Warmup>().wait_for(WARM_UP);
        if let Some(mixer) = mixer {
            mixer.set_lane_volume(Lane::Headline, plan.sound.headline);
            mixer.set_lane_volume(Lane::Feature, plan.sound.feature);
            mixer.set_lane_volume(Lane::Ambient, plan.sound.ambient);
            app.add_plugins(SoundPlugin {
                mixer: mixer.clone(),
            });
            video_sound::install(&mut app, mixer);
        }
        while app.plugins_state() == PluginsState::Adding {
            tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();
        let frames = app.world().resource::<Frames>().0.clone();
        Ok(Self {
            app,
            frames,
            now: Moment::ZERO,
        })
    }

    /// Where frames arrive.
    pub(super) fn frames(&self) -> Receiver<Frame> {
        self.frames.clone()
    }

    /// Makes everything that the catalogue needs, until that is done or `is_over`.
    ///
    /// # Errors
    /// When the graphics card fails.
    pub(super) fn warm_up(&mut self, is_over: impl Fn() -> bool) -> Result<()> {
        while !is_over() {
            self.app.update();
            let world = self.app.world();
            graphics::check(world)?;
            let assets = world.resource::<AssetServer>();
            let is_ready = world.resource::<Warmup>().is_done()
                && world.resource::<Textures>().settled(assets)
                && world.resource::<ModelFiles>().settled(assets)
                && world
                    .get_resource::<SoundDesk>()
                    .is_none_or(|desk| !desk.is_loading());
            if is_ready {
                self.let_particles_die();
                break;
            }
            std::thread::sleep(NAP);
        }
        Ok(())
    }

    /// What was fired to get warm may still be there in an effect that was hidden
    /// too soon on a busy machine: it would take a place in the first burst.
    fn let_particles_die(&mut self) {
        for seen in [Visibility::Visible, Visibility::Hidden] {
            let world = self.app.world_mut();
            let effects: Vec<_> = world.resource::<EffectPool>().all().collect();
            for (effect, _) in effects {
                world.entity_mut(effect).insert(seen);
            }
            for _ in 0..SETTLE_FRAMES {
                self.app.update();
                std::thread::sleep(NAP);
            }
        }
    }

    /// Sets every clock to zero and the stage to the beginning of a show.
    #[expect(
        clippy::disallowed_methods,
        reason = "where a clock that stands begins"
    )]
    pub(super) fn begin(&mut self, plan: &RecordPlan) {
        let catalog = self.app.world().resource::<Director>().catalog.clone();
        let settings = show_settings(&plan.show, &plan.on_air, true);
        let mut show = Show::new(settings, catalog.clone());
        show.control(Moment::ZERO, Control::Volume(plan.sound.volume));
        let mut director = Director::new(show, catalog);
        // Spread over all bits, as acts have theirs; no seed changes nothing.
        director.seed = plan.seed.wrapping_mul(0x85EB_CA6B);
        self.app
            .insert_resource(director)
            .insert_resource(Metrics::default())
            .insert_resource(Patience::OF_A_RECORDING)
            .insert_resource(Time::<Real>::new(std::time::Instant::now()))
            .insert_resource(Time::<Virtual>::default())
            .insert_resource(Time::<EffectSimulation>::default())
            .insert_resource(Time::<()>::default());
        let mut look = self.app.world_mut().resource_mut::<Look>();
        look.board.visible = plan.look.board.show;
    }

    /// Draws the frame of `at`, which is read back.
    pub(super) fn draw(&mut self, at: Moment) {
        self.step(at.saturating_sub(self.now), Some(at));
        self.now = at;
    }

    fn step(&mut self, by: Duration, at: Option<Moment>) {
        self.app
            .insert_resource(TimeUpdateStrategy::ManualDuration(by))
            .insert_resource(FrameRequest {
                readback: at.is_some(),
                is_new: true,
                is_bare: false,
                at: at.unwrap_or(self.now).as_secs_f64(),
            });
        self.app.update();
    }

    /// Waits until there is room for another frame all the way to the outputs,
    /// or nobody takes frames any more.
    ///
    /// # Errors
    /// When the graphics device is lost.
    pub(super) fn make_room(&self, outputs: &Outputs) -> Result<()> {
        graphics::check(self.app.world())?;
        let readback = self.app.world().resource::<Readback>();
        if readback.in_flight() > MOST_IN_FLIGHT {
            self.wait_for_device()?;
        }
        while self.frames.len() + readback.in_flight() > MOST_ON_THE_WAY && outputs.open() > 0 {
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Has the frames that were drawn last arrive.
    ///
    /// # Errors
    /// When the graphics device is lost.
    pub(super) fn flush(&mut self, outputs: &Outputs) -> Result<()> {
        while self.app.world().resource::<Readback>().in_flight() > 0 && outputs.open() > 0 {
            self.wait_for_device()?;
            self.make_room(outputs)?;
            self.step(Duration::ZERO, None);
        }
        Ok(())
    }

    fn wait_for_device(&self) -> Result<()> {
        let device = self.app.world().resource::<RenderDevice>();
        device
            .poll(PollType::wait_indefinitely())
            .context("the graphics device does not answer")?;
        Ok(())
    }

    pub(super) fn world(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// Whether nothing plays, moves or waits.
    pub(super) fn is_empty(&self) -> bool {
        is_still(self.app.world()) && self.app.world().resource::<Director>().is_idle()
    }

    /// How soon something may come on stage if nobody says anything any more;
    /// `None` when nothing would.
    pub(super) fn wakes_in(&self, now: Moment) -> Option<Duration> {
        let director = self.app.world().resource::<Director>();
        let wake = director.show.next_wake(now)?;
        Some(wake.saturating_sub(now))
    }

    /// Whether nothing moves, be it that nothing is there or that a host paused
    /// the show; gifts may wait.
    pub(super) fn stands_still(&self) -> bool {
        let world = self.app.world();
        is_still(world) || world.resource::<Paused>().0
    }
}
