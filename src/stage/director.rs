//! Turns the show's cues into acts, and what became of them into outcomes.

use std::collections::HashMap;
use std::sync::Arc;

use bevy::prelude::*;
use tracing::{error, warn};

use super::act::{Act, AssetFailed, Climaxed, FellBack, Grew, Shrank};
use super::link::StageLink;
use super::metrics::Metrics;
use crate::catalog::{Catalog, FALLBACK};
use crate::show::{ActId, Cue, Event, Show};

/// The show, and which entity each of its acts is.
#[derive(Resource)]
pub struct Director {
    pub show: Show,
    pub catalog: Arc<Catalog>,
    acts: HashMap<ActId, Entity>,
}

impl Director {
    pub fn new(show: Show, catalog: Arc<Catalog>) -> Self {
        Self {
            show,
            catalog,
            acts: HashMap::new(),
        }
    }

    /// Whether no act is on stage; gifts may wait all the same.
    pub fn is_bare(&self) -> bool {
        self.acts.is_empty()
    }

    /// Whether nothing is on stage and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.acts.is_empty() && self.show.is_idle()
    }
}

/// Whether the stage's clock stands still.
#[derive(Resource, Default, Debug, PartialEq)]
pub struct Paused(pub bool);

/// Whether the mix is silent.
#[derive(Resource, Default, Debug, PartialEq)]
pub struct Muted(pub bool);

/// The mix's loudness, 0.0 to 1.0.
#[derive(Resource, Debug, PartialEq)]
pub struct Volume(pub f32);

impl Default for Volume {
    fn default() -> Self {
        Self(1.0)
    }
}

/// An act that a frame has shown; the next frame reports it.
#[derive(Component)]
pub(super) struct NotYetPresented;

/// Acts that the frame before this one drew are presented: with rendering in
/// step, every act that existed when it was drawn was in it.
pub(super) fn report_presented(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut director: ResMut<Director>,
    mut metrics: ResMut<Metrics>,
    fresh: Query<(Entity, &Act), With<NotYetPresented>>,
) {
    for (entity, act) in &fresh {
        director.show.presented(time.elapsed(), act.id);
        metrics.presented(time.elapsed(), act.id);
        commands.entity(entity).remove::<NotYetPresented>();
    }
}

pub(super) fn advance(
    mut commands: Commands,
    real: Res<Time<Real>>,
    time: Res<Time<Virtual>>,
    mut director: ResMut<Director>,
    mut acts: Query<(Entity, &mut Act)>,
) {
    for (entity, mut act) in &mut acts {
        act.advance(time.delta_secs());
        if act.is_over() {
            director.acts.remove(&act.id);
            director.show.finished(real.elapsed(), act.id);
            commands.entity(entity).despawn();
        }
    }
}

pub(super) fn direct(
    mut commands: Commands,
    real: Res<Time<Real>>,
    mut time: ResMut<Time<Virtual>>,
    mut director: ResMut<Director>,
    mut metrics: ResMut<Metrics>,
    mut link: ResMut<StageLink>,
    mut acts: Query<&mut Act>,
    (mut paused, mut muted, mut volume): (ResMut<Paused>, ResMut<Muted>, ResMut<Volume>),
) {
    let now = real.elapsed();
    while let Some(event) = director.show.poll(now) {
        let cue = match event {
            Event::Outcome(outcome) => {
                metrics.count(&outcome.verdict);
                link.report(outcome);
                continue;
            }
            Event::Cue(cue) => cue,
        };
        match cue {
            Cue::Start(start) => {
                let recipe = director.catalog.recipe(&start.gift_type).clone();
                metrics.started(start.arrived, start.act);
                let id = start.act;
                let entity = commands
                    .spawn((Act::new(*start, recipe), NotYetPresented))
                    .id();
                director.acts.insert(id, entity);
            }
            Cue::Grow { act, tally, combo } => {
                if let Some(&entity) = director.acts.get(&act) {
                    commands.queue(move |world: &mut World| {
                        if let Some(mut act) = world.get_mut::<Act>(entity) {
                            act.grow(tally);
                            world.trigger(Grew { entity, combo });
                        }
                    });
                }
            }
            Cue::Climax { act, tally } => {
                if let Some(&entity) = director.acts.get(&act) {
                    commands.queue(move |world: &mut World| {
                        if let Some(mut act) = world.get_mut::<Act>(entity) {
                            act.climax(tally);
                            world.trigger(Climaxed { entity });
                        }
                    });
                }
            }
            Cue::Shrink { act, tally, slot } => {
                if let Some(&entity) = director.acts.get(&act) {
                    commands.queue(move |world: &mut World| {
                        if let Some(mut act) = world.get_mut::<Act>(entity) {
                            act.shrink(tally, slot);
                            world.trigger(Shrank { entity });
                        }
                    });
                }
            }
            Cue::Dismiss { act } => {
                if let Some(mut act) = director
                    .acts
                    .get(&act)
                    .and_then(|&entity| acts.get_mut(entity).ok())
                {
                    act.dismiss();
                }
            }
            Cue::Paused(on) => {
                paused.0 = on;
                if on {
                    time.pause();
                } else {
                    time.unpause();
                }
            }
            Cue::Muted(on) => muted.0 = on,
            Cue::Volume(to) => volume.0 = to,
        }
    }
}

/// An act whose assets fail plays the fallback instead; only when that fails
/// too does its gift count as not rendered.
pub(super) fn replace_failed(
    failed: On<AssetFailed>,
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut director: ResMut<Director>,
    mut acts: Query<&mut Act>,
) {
    let Ok(mut act) = acts.get_mut(failed.entity) else {
        return;
    };
    if &*act.recipe.key == FALLBACK {
        error!("the fallback failed: {}", failed.reason);
        director.acts.remove(&act.id);
        director
            .show
            .failed(time.elapsed(), act.id, failed.reason.clone());
        commands.entity(failed.entity).despawn();
        return;
    }
    warn!(
        "{} plays as the fallback: {}",
        act.recipe.name, failed.reason
    );
    act.fall_back(director.catalog.fallback.clone());
    commands.trigger(FellBack {
        entity: failed.entity,
    });
}
