//! The contact sheet's moments: each gift type at its best, found by watching
//! the acts rather than by a stopwatch.

use std::collections::BTreeSet;

use bevy::prelude::*;

use crate::cli::{OutputPlan, RunPlan};
use crate::render::present::FrameRequest;
use crate::stage::{Act, StageSet};

/// Which gift types have had their moment.
#[derive(Resource, Default)]
struct Moments(BTreeSet<String>);

/// Makes every frame carry its time, and its tags where a sheet is wanted.
pub(super) fn install(app: &mut App, plan: &RunPlan) {
    app.add_systems(Update, stamp.in_set(StageSet::Report));
    let sheet = |output: &OutputPlan| matches!(output, OutputPlan::ContactSheet(_));
    if plan.outputs.iter().any(sheet) {
        app.init_resource::<Moments>()
            .add_systems(Update, watch.after(StageSet::Direct).after(stamp));
    }
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
