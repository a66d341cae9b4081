//! Turns the show's cues into acts, and what became of them into outcomes.

use std::collections::HashMap;
use std::sync::Arc;

use bevy::prelude::*;
use tracing::{error, warn};

use super::act::{Act, AssetFailed, Climaxed, FellBack, Grew, Shrank, Swelled};
use super::link::StageLink;
use super::metrics::Metrics;
use super::telemetry::Reports;
use crate::catalog::{Catalog, FALLBACK};
use crate::model::Moment;
use crate::show::{ActId, Cue, Event, Show};

/// The show, and which entity each of its acts is.
#[derive(Resource)]
pub struct Director {
    pub show: Show,
    /// What acts are made by; replaced through [`Director::set_catalog`], so
    /// that the show keeps the same one.
    pub catalog: Arc<Catalog>,
    /// Varies what is random in every act; 0 as the acts' numbers have it.
    pub seed: u32,
    /// As many as the show has acts: its lanes bound them.
    acts: HashMap<ActId, Entity>,
}

impl Director {
    pub fn new(show: Show, catalog: Arc<Catalog>) -> Self {
        Self {
            show,
            catalog,
            seed: 0,
            acts: HashMap::new(),
        }
    }

    /// A reloaded catalogue. What is on stage plays as it began.
    pub fn set_catalog(&mut self, now: Moment, catalog: Arc<Catalog>) {
        self.show.set_catalog(now, catalog.clone());
        self.catalog = catalog;
    }

    /// The act's entity. What is done to it is done in the order in which the
    /// cues came, to one that this very frame starts as well.
    fn entity<'a>(&self, commands: &'a mut Commands, act: ActId) -> Option<EntityCommands<'a>> {
        commands.get_entity(*self.acts.get(&act)?).ok()
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

/// An act that no frame before this one has shown.
#[derive(Component)]
pub(super) struct NotYetPresented {
    /// When its first gift arrived.
    arrived: Moment,
}

/// Acts that the frame before this one drew are presented: with rendering in
/// step, every act that existed when it was drawn was in it.
pub(super) fn report_presented(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut director: ResMut<Director>,
    mut metrics: ResMut<Metrics>,
    fresh: Query<(Entity, &Act, &NotYetPresented)>,
) {
    let now = time.elapsed();
    for (entity, act, fresh) in &fresh {
        director.show.presented(now, act.id);
        metrics
            .gift_to_frame
            .push(now.saturating_sub(fresh.arrived));
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
        act.advance(time.delta_secs(), real.delta_secs());
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
    mut reports: ResMut<Reports>,
    (mut paused, mut muted, mut volume): (ResMut<Paused>, ResMut<Muted>, ResMut<Volume>),
) {
    let now = real.elapsed();
    while let Some(event) = director.show.poll(now) {
        match event {
            Event::Outcome(outcome) => link.report(outcome),
            Event::Cue(Cue::Paused(on)) => {
                paused.0 = on;
                if on {
                    time.pause();
                } else {
                    time.unpause();
                }
            }
            Event::Cue(Cue::Muted(on)) => muted.0 = on,
            Event::Cue(Cue::Volume(to)) => volume.0 = to,
            Event::Cue(Cue::Start(start)) => {
                reports.started(now, &start);
                let recipe = director.catalog.recipe(&start.gift_type).clone();
                metrics.acts += 1;
                let id = start.act;
                let fresh = NotYetPresented {
                    arrived: start.arrived,
                };
                let mut act = Act::new(*start, recipe);
                act.seed ^= director.seed;
                let entity = commands.spawn((act, fresh)).id();
                director.acts.insert(id, entity);
            }
            Event::Cue(Cue::Grow { act, tally, combo }) => {
                if let Some(mut act) = director.entity(&mut commands, act) {
                    act.entry::<Act>()
                        .and_modify(move |mut act| act.grow(tally, combo));
                    act.trigger(|entity| Grew { entity, combo });
                }
            }
            Event::Cue(Cue::Climax { act, tally }) => {
                if let Some(mut act) = director.entity(&mut commands, act) {
                    act.entry::<Act>()
                        .and_modify(move |mut act| act.climax(tally));
                    act.trigger(|entity| Climaxed { entity });
                }
            }
            Event::Cue(Cue::Shrink { act, tally, slot }) => {
                if let Some(mut act) = director.entity(&mut commands, act) {
                    act.entry::<Act>()
                        .and_modify(move |mut act| act.shrink(tally, slot));
                    act.trigger(|entity| Shrank { entity });
                }
            }
            Event::Cue(Cue::Dismiss { act }) => {
                if let Some(mut act) = director.entity(&mut commands, act) {
                    act.entry::<Act>().and_modify(|mut act| act.dismiss());
                }
            }
        }
    }
    link.flush();
}

/// Lets the pictures answer what their acts have grown by.
pub(super) fn swell(mut commands: Commands, mut acts: Query<(Entity, &mut Act)>) {
    for (entity, mut act) in &mut acts {
        if let Some(combo) = act.swell() {
            commands.trigger(Swelled { entity, combo });
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
    let name = act.recipe.name.clone();
    if act.fall_back(director.catalog.fallback.clone()) {
        warn!("{name} plays as the fallback: {}", failed.reason);
        commands.trigger(FellBack {
            entity: failed.entity,
        });
    }
}
