//! What is asked of each frame: its time, and whether the outputs want it.

use bevy::prelude::*;

use super::{CLEAN_FRAMES, is_still, stands_still};
use crate::render::boards::Boards;
use crate::render::present::FrameRequest;
use crate::stage::StageSet;

#[derive(Resource)]
struct Asking {
    /// Whether the outputs' thread takes frames at all.
    has_sinks: bool,
    /// Frames in which nothing moved that the outputs have had since the last
    /// one in which something did.
    clean: u32,
}

/// Makes every frame carry its time, and what it is.
pub(super) fn install(app: &mut App, has_sinks: bool) {
    app.insert_resource(Asking {
        has_sinks,
        clean: 0,
    })
    .add_systems(Update, stamp.in_set(StageSet::Report))
    .add_systems(PostUpdate, ask);
}

/// A still stage is read back only until every output has seen it still: a
/// frame on its way from the GPU keeps the loop from sleeping, and each frame
/// drawn meanwhile would send another.
fn ask(world: &mut World) {
    let stands_still = stands_still(world);
    let is_bare = is_still(world) && !world.resource::<Boards>().are_up();
    let mut asking = world.resource_mut::<Asking>();
    asking.clean = if stands_still {
        asking.clean.saturating_add(1)
    } else {
        0
    };
    let (is_new, has_sinks) = (asking.clean <= CLEAN_FRAMES, asking.has_sinks);
    let mut request = world.resource_mut::<FrameRequest>();
    request.is_new = is_new;
    request.is_bare = is_bare;
    request.readback = has_sinks;
}

fn stamp(time: Res<Time<Real>>, mut request: ResMut<FrameRequest>) {
    request.at = time.elapsed_secs_f64();
}
