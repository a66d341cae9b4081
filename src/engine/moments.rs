//! What is asked of each frame: whether the outputs want it, and whether it is
//! one of the contact sheet's moments (each gift type at its best, found by
//! watching the acts rather than by a stopwatch).

use std::collections::BTreeSet;

use bevy::prelude::*;

use super::{CLEAN_FRAMES, acts_are_over};
use crate::cli::{OutputPlan, RunPlan};
use crate::render::present::FrameRequest;
use crate::stage::{Act, StageSet};

/// Which gift types have had their moment.
#[derive(Resource, Default)]
struct Moments(BTreeSet<String>);

/// Frames without anything in them that the outputs have had since the last one
/// with something.
#[derive(Resource, Default)]
struct CleanFrames(u32);

/// Makes every frame carry its time, and its tags where a sheet is wanted.
pub(super) fn install(app: &mut App, plan: &RunPlan) {
    app.add_systems(Update, stamp.in_set(StageSet::Report));
    if app.world().resource::<FrameRequest>().readback {
        app.init_resource::<CleanFrames>()
            .add_systems(PostUpdate, ask);
    }
    let sheet = |output: &OutputPlan| matches!(output, OutputPlan::ContactSheet(_));
    if plan.outputs.iter().any(sheet) {
        app.init_resource::<Moments>()
            .add_systems(Update, watch.after(StageSet::Direct).after(stamp));
    }
}

/// An empty stage is read back only until every output has seen it empty: a
/// frame on its way from the GPU keeps the loop from sleeping, and each frame
/// drawn meanwhile would send another.
fn ask(world: &mut World) {
    let is_empty = acts_are_over(world);
    let mut clean = world.resource_mut::<CleanFrames>();
    clean.0 = if is_empty {
        clean.0.saturating_add(1)
    } else {
        0
    };
    let wanted = clean.0 <= CLEAN_FRAMES;
    world.resource_mut::<FrameRequest>().readback = wanted;
}

fn stamp(time: Res<Time<Real>>, mut request: ResMut<FrameRequest>) {
    request.at = time.elapsed_secs_f64();
    request.tags.clear();
}

/// A gift that has the stage to itself is caught as it reaches its best.
fn watch(acts: Query<&Act>, mut seen: ResMut<Moments>, mut request: ResMut<FrameRequest>) {
    let Ok(act) = acts.single() else { return };
    let recipe = &act.recipe;
    if act.age >= recipe.best && !seen.0.contains(&*recipe.key) {
        seen.0.insert(recipe.key.to_string());
        request.tags.push(recipe.key.to_string());
    }
}
