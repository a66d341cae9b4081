//! What drawing particles costs, against a bare Bevy app that draws the same.
//!
//! Both hold a thousand soft particles of sixteen pixels on 640x360 and are
//! driven at 60 frames a second, each in a process of its own; neither reads
//! its frames back. Ours is the stage as it ships for the adapter, glow and
//! present pass included; the bare one is what `DefaultPlugins`, a 3D camera
//! and bevy_hanabi make without a thought.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bevy::app::{PluginsState, TerminalCtrlCHandlerPlugin};
use bevy::asset::AssetPlugin;
use bevy::camera::RenderTarget;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy_hanabi::prelude::*;
use cpu_time::ProcessTime;

use super::backend::Backend;
use super::measure::{Limit, Row, take_turns};
use super::stage::{FPS, SIZE, plan};
use super::{Area, child};
use crate::catalog::{Emitter, texture_path};
use crate::cli::{Figure, Shutdown, TemporaryFolder, find_catalog};
use crate::engine;
use crate::render::layout::{Placement, SHORT_SIDE};
use crate::render::particles::{EffectPool, properties};
use crate::render::{Textures, Warmup};

pub const AREA: Area = Area {
    rows: &[THOUSAND],
    measure,
};

const THOUSAND: Row = Row {
    id: "particles.1000",
    area: "particles",
    name: "CPU of 1,000 soft 16-pixel particles at 640x360, 60 fps, against a bare DefaultPlugins scene",
    unit: "x",
    limit: Limit::AtMost(0.8),
};

const COUNT: u32 = 1_000;
const PIXELS: f32 = 16.0;
/// Frames before the clock starts, and those that it counts.
const WARM_UP: u32 = 60;
const FRAMES: u32 = 240;
/// Seconds each particle lives: longer than any run.
const LIFE: f32 = 600.0;

fn measure() -> Result<Vec<Figure>> {
    let spent = |who| move || child::ask::<f64>(&["particles", who]);
    Ok(vec![
        THOUSAND.ratio(take_turns(spent("ours"), spent("bare"))?),
    ])
}

/// Counts frames and the CPU they take.
#[derive(Resource)]
struct Meter {
    frames: u32,
    start: Option<ProcessTime>,
}

impl Meter {
    const NEW: Self = Self {
        frames: 0,
        start: None,
    };

    /// One more frame; CPU seconds once all are counted.
    fn count(&mut self) -> Option<f64> {
        self.frames += 1;
        if self.frames == WARM_UP {
            self.start = Some(ProcessTime::now());
        }
        (self.frames == WARM_UP + FRAMES)
            .then(|| self.start.map(|start| start.elapsed().as_secs_f64()))
            .flatten()
    }
}

/// CPU seconds of our stage, in this process.
///
/// # Errors
/// When the stage cannot be opened.
pub fn our_run() -> Result<f64> {
    let state = TemporaryFolder::new("bench-state")?;
    let backend = Backend::start(|_| Ok(()))?;
    let mut plan = plan(&state)?;
    plan.connection.url = backend.url().to_owned();
    plan.time_limit = Some(Duration::from_secs(100));
    let (tell, told) = std::sync::mpsc::channel();
    let shutdown = plan.shutdown.clone();
    engine::run_with(plan, Vec::new(), move |app| {
        app.insert_resource(Meter::NEW).add_systems(
            Update,
            (
                light.run_if(|warmup: Res<Warmup>| warmup.is_done()),
                move |mut meter: ResMut<Meter>, pool: Res<EffectPool>| {
                    if pool.in_use() > 0
                        && let Some(seconds) = meter.count()
                    {
                        finish(&shutdown, &tell, seconds);
                    }
                },
            )
                .chain(),
        );
    })?;
    told.try_recv().context("the run ended too early")
}

fn finish(shutdown: &Shutdown, tell: &std::sync::mpsc::Sender<f64>, seconds: f64) {
    // The receiver outlives the run.
    let _ = tell.send(seconds);
    shutdown.request();
}

/// Borrows one effect and fills it, once.
fn light(
    mut commands: Commands,
    mut pool: ResMut<EffectPool>,
    mut textures: ResMut<Textures>,
    assets: Res<AssetServer>,
) {
    if pool.in_use() > 0 {
        return;
    }
    let unit = SHORT_SIDE / SIZE.height as f32;
    let size = PIXELS * unit;
    let emitter = Emitter {
        count: COUNT,
        life: [LIFE, LIFE],
        size: [size, size, size],
        vary: [1.0, 1.0],
        extent: [
            SIZE.width as f32 * unit * 0.45,
            SIZE.height as f32 * unit * 0.45,
            0.0,
        ],
        opacity: 0.5,
        ..Emitter::default()
    };
    let Some(effect) = pool.borrow(emitter.template) else {
        return;
    };
    commands.entity(effect).insert((
        properties(&emitter, &Placement::MIDDLE, 1, 1.0),
        EffectSpawner::new(&SpawnerSettings::once((COUNT as f32).into())),
        EffectMaterial {
            images: vec![textures.get(&assets, &emitter.texture)],
        },
        Visibility::Visible,
        Transform::default(),
    ));
}

/// CPU seconds of the bare scene, in this process.
///
/// # Errors
/// When the catalogue, whose texture it borrows, is not found.
pub fn bare_run() -> Result<f64> {
    let root = std::path::absolute(find_catalog(None)?)?;
    let root = root.parent().context("a file is in a folder")?;
    let mut app = App::new();
    let plugins = DefaultPlugins
        .build()
        .disable::<LogPlugin>()
        .disable::<TerminalCtrlCHandlerPlugin>()
        .set(AssetPlugin {
            file_path: root.to_string_lossy().into_owned(),
            ..default()
        })
        .set(WindowPlugin {
            primary_window: None,
            exit_condition: bevy::window::ExitCondition::DontExit,
            ..default()
        });
    #[cfg(feature = "desktop")]
    let plugins = plugins.disable::<bevy::winit::WinitPlugin>();
    app.add_plugins((plugins, HanabiPlugin))
        .add_systems(Startup, bare_scene);
    while app.plugins_state() == PluginsState::Adding {
        tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    let period = Duration::from_secs(1) / FPS;
    let mut next = Instant::now();
    let mut meter = Meter::NEW;
    loop {
        app.update();
        // As many seconds to warm up as ours may take, and more.
        if app.world().resource::<Time<Real>>().elapsed_secs() > 3.0
            && let Some(seconds) = meter.count()
        {
            return Ok(seconds);
        }
        next = (next + period).max(Instant::now());
        std::thread::sleep(next - Instant::now());
    }
}

fn bare_scene(
    mut commands: Commands,
    assets: Res<AssetServer>,
    mut images: ResMut<Assets<Image>>,
    mut effects: ResMut<Assets<EffectAsset>>,
) {
    let target =
        Image::new_target_texture(SIZE.width, SIZE.height, TextureFormat::Rgba8UnormSrgb, None);
    commands.spawn((
        Camera3d::default(),
        Tonemapping::None,
        Projection::Orthographic(OrthographicProjection::default_3d()),
        Transform::from_xyz(0.0, 0.0, 500.0),
        RenderTarget::Image(images.add(target).into()),
    ));
    let writer = ExprWriter::new();
    let half = Vec3::new(SIZE.width as f32, SIZE.height as f32, 0.0) * 0.45;
    let place = (writer.rand(VectorType::VEC3F) * writer.lit(half * 2.0) - writer.lit(half)).expr();
    let place = SetAttributeModifier::new(Attribute::POSITION, place);
    let life = SetAttributeModifier::new(Attribute::LIFETIME, writer.lit(LIFE).expr());
    let texture_slot = writer.lit(0_u32).expr();
    let mut module = writer.finish();
    module.add_texture_slot("soft");
    let effect = EffectAsset::new(COUNT, SpawnerSettings::once((COUNT as f32).into()), module)
        .with_alpha_mode(bevy_hanabi::AlphaMode::Add)
        .with_motion_integration(MotionIntegration::None)
        .init(place)
        .init(life)
        .render(ParticleTextureModifier {
            texture_slot,
            sample_mapping: ImageSampleMapping::Modulate,
        })
        .render(SetColorModifier::new(Vec4::new(1.0, 1.0, 1.0, 0.5)))
        .render(SetSizeModifier {
            size: Vec3::splat(PIXELS).into(),
        });
    commands.spawn((
        ParticleEffect::new(effects.add(effect)),
        EffectMaterial {
            images: vec![assets.load(texture_path(&Emitter::default().texture))],
        },
    ));
}
