//! Warming up: every pipeline is made before a gift needs it.
//!
//! The program connects at once; gifts whose pipelines are cold wait in the
//! show. The fallback's come first, so that something can be shown early.
//! Effects are visible from the start (a hidden one has no render pipeline);
//! once all that was queued is made, each template fires once into a frame that
//! no output takes, because the first real draw still costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bevy::prelude::*;
use bevy::render::render_resource::{CachedPipelineState, PipelineCache};
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy_hanabi::{EffectSpawner, SpawnerSettings};

use super::models::{self, ModelFiles, Rehearsing};
use super::particles::{EffectPool, FIRST, Workshop};
use super::quad::{QuadMaterial, UnitQuad};
use super::textures::Textures;
use super::video::{VideoKit, VideoMaterial};
use crate::catalog::{FALLBACK, Letters, Recipe, Template};
use crate::stage::{Director, StageSet};

/// Frames in a row without a pipeline in the making before the first firing,
/// and after it: queueing one can make another necessary a frame later.
const QUIET_FRAMES: u32 = 3;
/// After so long the stage opens with what it has; a pipeline that cannot be made
/// must not keep every gift waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// What idle particles wear.
const IDLE: &str = "dot";

/// How far warming up has come.
#[derive(Resource, Debug)]
pub struct Warmup {
    phase: Phase,
    patience: Duration,
    quiet: u32,
    /// Pipelines there were when it was done.
    pipelines: usize,
    /// Frames for which everything stays on stage at the end, too small to see:
    /// a load to measure the machine by.
    linger: u32,
    is_lingering: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Loading,
    /// The fallback's pipelines, then its first draw.
    MakingFirst,
    RehearsingFirst,
    /// All the others'.
    Making,
    Rehearsing,
    Done,
}

impl Default for Warmup {
    fn default() -> Self {
        Self {
            phase: Phase::Loading,
            patience: PATIENCE,
            quiet: 0,
            pipelines: 0,
            linger: 0,
            is_lingering: false,
        }
    }
}

impl Warmup {
    /// Waits so long for what is slow to be made, from the start of the stage.
    pub fn wait_for(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Draws the last frames before the stage is warm so many times more.
    pub fn linger(&mut self, frames: u32) {
        self.linger = frames;
    }

    /// Whether the frame just drawn was one of those.
    pub fn is_lingering(&self) -> bool {
        self.is_lingering
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.quiet = 0;
    }

    /// Pipelines made since the stage was warm; 0 is as it should be.
    pub fn pipelines_since(&self, pipelines: &Pipelines) -> usize {
        if self.is_done() {
            pipelines.all().saturating_sub(self.pipelines)
        } else {
            0
        }
    }
}

/// Counts of the render world's pipelines.
#[derive(Resource, Clone, Default)]
pub struct Pipelines(Arc<PipelineCounts>);

#[derive(Default)]
struct PipelineCounts {
    all: AtomicUsize,
    unfinished: AtomicUsize,
    failed: AtomicUsize,
}

impl Pipelines {
    pub fn all(&self) -> usize {
        self.0.all.load(Ordering::Relaxed)
    }
}

pub struct WarmupPlugin;

impl Plugin for WarmupPlugin {
    fn build(&self, app: &mut App) {
        let pipelines = Pipelines::default();
        app.init_resource::<Warmup>()
            .insert_resource(pipelines.clone())
            .add_systems(PostStartup, prepare)
            .add_systems(Update, warm_up.in_set(StageSet::Animate));
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .insert_resource(pipelines)
            .add_systems(Render, count_pipelines.in_set(RenderSystems::Cleanup));
    }
}

fn count_pipelines(cache: Res<PipelineCache>, counts: Res<Pipelines>) {
    let mut unfinished = 0;
    let mut failed = 0;
    let mut all = 0;
    for pipeline in cache.pipelines() {
        all += 1;
        match &pipeline.state {
            CachedPipelineState::Queued | CachedPipelineState::Creating(_) => unfinished += 1,
            CachedPipelineState::Err(_) => failed += 1,
            CachedPipelineState::Ok(_) => {}
        }
    }
    counts.0.all.store(all, Ordering::Relaxed);
    counts.0.unfinished.store(unfinished, Ordering::Relaxed);
    counts.0.failed.store(failed, Ordering::Relaxed);
}

/// Puts one of everything the catalogue needs on stage, too small to see.
fn prepare(
    mut commands: Commands,
    director: Res<Director>,
    assets: Res<AssetServer>,
    mut textures: ResMut<Textures>,
    mut files: ResMut<ModelFiles>,
    quad: Res<UnitQuad>,
    mut quads: ResMut<Assets<QuadMaterial>>,
) {
    let catalog = director.catalog.clone();
    let dot = textures.get(&assets, IDLE);
    commands.spawn((
        Mesh2d(quad.0.clone()),
        MeshMaterial2d(quads.add(QuadMaterial::straight(dot))),
        Rehearsing,
    ));
    // The fallback's first: it is ready early.
    for recipe in [&catalog.fallback]
        .into_iter()
        .chain(catalog.gifts.values())
    {
        for stem in textures_of(recipe) {
            textures.get(&assets, stem);
        }
        if let Some(model) = &recipe.model {
            files.get(&assets, &model.file);
        }
    }
}

fn textures_of(recipe: &Recipe) -> impl Iterator<Item = &str> {
    let emitters = recipe.emitters.iter().map(|emitter| &*emitter.texture);
    let pictures = recipe.pictures.iter().map(|picture| &*picture.texture);
    let letters = recipe.letters.iter().flat_map(Letters::textures);
    emitters.chain(pictures).chain(letters.map(|stem| &**stem))
}

/// What the fallback does without: the other effects, models and videos.
fn prepare_rest(
    mut commands: Commands,
    director: Res<Director>,
    assets: Res<AssetServer>,
    (mut pool, mut workshop): (ResMut<EffectPool>, Workshop),
    mut files: ResMut<ModelFiles>,
    video: Res<VideoKit>,
    mut videos: ResMut<Assets<VideoMaterial>>,
) {
    let catalog = director.catalog.clone();
    let missing = pool.missing(&catalog);
    pool.stock(&mut workshop, &missing);
    for recipe in catalog.gifts.values().chain([&catalog.fallback]) {
        if recipe.video.is_some() {
            for bundle in video.warm_up(&mut videos) {
                commands.spawn((bundle, Rehearsing));
            }
        }
        if let Some(model) = &recipe.model {
            let entity = models::spawn_model(&mut commands, &assets, &mut files, model);
            commands.entity(entity).insert(Rehearsing);
        }
    }
}

/// Whether the first template is all that the recipe needs.
fn is_ready_early(recipe: &Recipe) -> bool {
    recipe.model.is_none()
        && recipe.video.is_none()
        && recipe.emitters.iter().all(|e| e.template == FIRST)
}

fn warm_up(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut warmup: ResMut<Warmup>,
    mut director: ResMut<Director>,
    pipelines: Res<Pipelines>,
    pool: Res<EffectPool>,
    assets: Res<AssetServer>,
    textures: Res<Textures>,
    files: Res<ModelFiles>,
    rehearsing: Query<Entity, With<Rehearsing>>,
) {
    if warmup.is_done() {
        return;
    }
    let unfinished = pipelines.0.unfinished.load(Ordering::Relaxed);
    warmup.quiet = if unfinished == 0 && pipelines.all() > 0 {
        warmup.quiet + 1
    } else {
        0
    };
    let out_of_patience = time.elapsed() > warmup.patience;
    let before = warmup.phase;
    let quiet = warmup.quiet >= QUIET_FRAMES || out_of_patience;
    match warmup.phase {
        Phase::Loading => {
            // The others are read while pipelines are made.
            let mut first = textures_of(&director.catalog.fallback).chain([IDLE]);
            if first.all(|stem| textures.has_settled(&assets, stem)) || out_of_patience {
                warmup.enter(Phase::MakingFirst);
            }
        }
        Phase::MakingFirst => {
            if quiet {
                rehearse(&mut commands, &pool, |template| template == FIRST);
                warmup.enter(Phase::RehearsingFirst);
            }
        }
        Phase::RehearsingFirst => {
            if quiet {
                hide(&mut commands, &pool, |template| template == FIRST);
                if is_ready_early(&director.catalog.fallback) {
                    director.show.set_ready(FALLBACK);
                }
                commands.run_system_cached(prepare_rest);
                warmup.enter(Phase::Making);
            }
        }
        Phase::Making => {
            let loaded = files.settled(&assets) && textures.settled(&assets);
            if quiet && (loaded || out_of_patience) {
                rehearse(&mut commands, &pool, |template| template != FIRST);
                warmup.enter(Phase::Rehearsing);
            }
        }
        Phase::Rehearsing => {
            warmup.is_lingering = quiet && warmup.linger > 0 && !out_of_patience;
            if warmup.is_lingering {
                warmup.linger -= 1;
            } else if quiet {
                hide(&mut commands, &pool, |template| template != FIRST);
                for entity in &rehearsing {
                    commands.entity(entity).despawn();
                }
                warmup.phase = Phase::Done;
                warmup.pipelines = pipelines.all();
                let failed = pipelines.0.failed.load(Ordering::Relaxed);
                if failed > 0 {
                    warn!("{failed} pipelines could not be made; some gifts will look poorer");
                }
                if out_of_patience {
                    warn!("warming up was cut short after {:?}", warmup.patience);
                }
                director.show.set_all_ready();
                info!(
                    "the stage is warm after {:.1} s: {} pipelines",
                    time.elapsed_secs(),
                    warmup.pipelines
                );
            }
        }
        Phase::Done => {}
    }
    if warmup.phase != before {
        let now = time.elapsed_secs();
        debug!("warming up: {:?} after {now:.2} s", warmup.phase);
    }
}

/// Fires every effect of the chosen templates once.
fn rehearse(commands: &mut Commands, pool: &EffectPool, chosen: impl Fn(Template) -> bool) {
    for (effect, _) in pool.all().filter(|&(_, template)| chosen(template)) {
        commands
            .entity(effect)
            .insert(EffectSpawner::new(&SpawnerSettings::once(1.0.into())));
    }
}

fn hide(commands: &mut Commands, pool: &EffectPool, chosen: impl Fn(Template) -> bool) {
    for (effect, _) in pool.all().filter(|&(_, template)| chosen(template)) {
        commands.entity(effect).insert(Visibility::Hidden);
    }
}
