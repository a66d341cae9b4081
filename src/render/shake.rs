//! Tremors: the stage's camera is moved, and what is read stands still.

use bevy::prelude::*;

use super::camera::StageCamera;
use crate::catalog::{Shake, Trigger};
use crate::stage::{Act, Climaxed, StageSet, Swelled};

/// Tremors of one act that can be under way; more would not be told apart.
const MAX_TREMORS: usize = 8;

pub struct ShakePlugin;

impl Plugin for ShakePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Trembling>()
            .add_observer(shake_at_growth)
            .add_observer(shake_at_climax)
            .add_systems(
                Update,
                tremble
                    .in_set(StageSet::Animate)
                    .before(super::pictures::place_pictures),
            );
    }
}

/// How the stage trembles at the moment.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct Trembling {
    /// Share of what the recipes ask for that is done, 0 to 1; 0 keeps the
    /// stage still.
    pub share: f32,
    /// Where the camera is, stage units from its place.
    offset: Vec2,
}

impl Default for Trembling {
    fn default() -> Self {
        Self {
            share: 1.0,
            offset: Vec2::ZERO,
        }
    }
}

impl Trembling {
    /// What has to be added to a place on stage for it to stand still on screen.
    pub fn offset(&self) -> Vec2 {
        self.offset
    }
}

/// Tremors that something other than the timeline set off.
#[derive(Component, Default)]
struct Tremors(Vec<Tremor>);

struct Tremor {
    shake: Shake,
    /// Seconds the act had been on stage.
    began: f32,
}

fn shake_at_growth(
    swelled: On<Swelled>,
    mut commands: Commands,
    mut acts: Query<(&Act, Option<&mut Tremors>)>,
) {
    if let Ok((act, tremors)) = acts.get_mut(swelled.entity) {
        let combo = swelled.combo.is_some();
        begin(&mut commands, swelled.entity, act, tremors, |on| {
            on == Trigger::Grow || (combo && on == Trigger::Combo)
        });
    }
}

fn shake_at_climax(
    climaxed: On<Climaxed>,
    mut commands: Commands,
    mut acts: Query<(&Act, Option<&mut Tremors>)>,
) {
    if let Ok((act, tremors)) = acts.get_mut(climaxed.entity) {
        begin(&mut commands, climaxed.entity, act, tremors, |on| {
            on == Trigger::Climax
        });
    }
}

fn begin(
    commands: &mut Commands,
    entity: Entity,
    act: &Act,
    tremors: Option<Mut<Tremors>>,
    is_meant: impl Fn(Trigger) -> bool,
) {
    let meant = act.recipe.shakes.iter().filter(|shake| is_meant(shake.on));
    let begun = meant.map(|&shake| Tremor {
        shake,
        began: act.elapsed,
    });
    match tremors {
        Some(mut tremors) => {
            let all = &mut tremors.0;
            all.extend(begun);
            all.drain(..all.len().saturating_sub(MAX_TREMORS));
        }
        None => {
            commands.entity(entity).insert(Tremors(begun.collect()));
        }
    }
}

/// The strongest tremor of all acts moves the camera; they do not add up.
fn tremble(
    mut trembling: ResMut<Trembling>,
    acts: Query<(&Act, Option<&Tremors>)>,
    mut camera: Single<&mut Transform, With<StageCamera>>,
) {
    let mut strongest = 0.0;
    let mut offset = Vec2::ZERO;
    let mut feel = |shake: &Shake, since: f32, act: &Act, seed: u32| {
        let amplitude = shake.amplitude(since);
        if amplitude > strongest {
            strongest = amplitude;
            offset = Vec2::from(shake.offset(since, seed)) * act.presence();
        }
    };
    for (act, tremors) in &acts {
        for shake in &act.recipe.shakes {
            // A held timeline would hold the tremor too: it moves with the age,
            // and a still stage is what is left of it.
            if shake.on == Trigger::Start && !act.is_sustained() {
                feel(shake, act.age - shake.at, act, act.seed);
            }
        }
        for tremor in tremors.iter().flat_map(|tremors| &tremors.0) {
            let since = act.elapsed - tremor.began - tremor.shake.at;
            let seed = act.seed ^ tremor.began.to_bits();
            feel(&tremor.shake, since, act, seed);
        }
    }
    let offset = offset * trembling.share.clamp(0.0, 1.0);
    if trembling.offset != offset {
        trembling.offset = offset;
        camera.translation.x = offset.x;
        camera.translation.y = offset.y;
    }
}
