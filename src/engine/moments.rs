//! What is asked of each frame: whether the outputs want it, and whether it is
//! one of the contact sheet's moments (each gift type at its best, found by
//! watching the acts rather than by a stopwatch).

use std::collections::BTreeSet;

use bevy::prelude::*;

use super::{CLEAN_FRAMES, is_still};
use crate::cli::{OutputPlan, RunPlan};
use crate::render::present::FrameRequest;
use crate::stage::{Act, StageSet};

/// Seconds past its best in which a gift is still worth a picture of its own.
const STILL_GOOD: f32 = 0.75;

/// Which gift types have had their moment, and whether they had it alone.
#[derive(Resource, Default)]
struct Moments {
    caught: BTreeSet<String>,
    alone: BTreeSet<String>,
}

/// Frames in which nothing moved that the outputs have had since the last one
/// in which something did.
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

/// A still stage is read back only until every output has seen it still: a
/// frame on its way from the GPU keeps the loop from sleeping, and each frame
/// drawn meanwhile would send another.
fn ask(world: &mut World) {
    let is_still = is_still(world);
    let mut clean = world.resource_mut::<CleanFrames>();
    clean.0 = if is_still {
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

/// A gift is caught as it reaches its best, and once more when it has the stage
/// to itself: the later picture replaces the earlier. In a short show on a slow
/// machine gifts may never be alone, and a crowded picture beats none.
fn watch(acts: Query<&Act>, mut moments: ResMut<Moments>, mut request: ResMut<FrameRequest>) {
    let is_single = acts.single().is_ok();
    for act in &acts {
        let key = &act.recipe.key;
        let is_alone = is_single && act.age < act.recipe.best + STILL_GOOD;
        let seen = if is_alone {
            &mut moments.alone
        } else {
            &mut moments.caught
        };
        if act.age < act.recipe.best || seen.contains(&**key) {
            continue;
        }
        seen.insert(key.to_string());
        moments.caught.insert(key.to_string());
        request.tags.push(key.to_string());
    }
}
