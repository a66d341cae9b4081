//! What is asked of each frame: its time, and whether the outputs want it.

use bevy::prelude::*;

use super::{CLEAN_FRAMES, is_still};
use crate::render::present::FrameRequest;
use crate::stage::StageSet;

/// Frames in which nothing moved that the outputs have had since the last one
/// in which something did.
#[derive(Resource, Default)]
struct CleanFrames(u32);

/// Makes every frame carry its time.
pub(super) fn install(app: &mut App) {
    app.add_systems(Update, stamp.in_set(StageSet::Report));
    if app.world().resource::<FrameRequest>().readback {
        app.init_resource::<CleanFrames>()
            .add_systems(PostUpdate, ask);
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
}
