//! What Bevy does by default and this stage has no use for.

use bevy::ecs::schedule::SingleThreadedExecutor;
use bevy::light::cluster::GlobalClusterSettings;
use bevy::light::{DirectionalLightShadowMap, PointLightShadowMap};
use bevy::prelude::*;
use bevy::render::RenderApp;

/// Takes the stage down to what it needs. To be added after Bevy's own plugins.
pub(super) struct LeanPlugin;

impl Plugin for LeanPlugin {
    fn build(&self, app: &mut App) {
        // Nothing casts a shadow, and the maps for it would be there all the same:
        // 42 MB of the graphics card's memory.
        app.insert_resource(PointLightShadowMap { size: 1 })
            .insert_resource(DirectionalLightShadowMap { size: 1 });
    }

    /// The last that happens before the first frame: by now every plugin has
    /// added its schedules and settings.
    fn cleanup(&self, app: &mut App) {
        // Models have one light, which they know without looking for it.
        app.world_mut()
            .resource_mut::<GlobalClusterSettings>()
            .gpu_clustering = None;
        run_on_one_thread(app.world_mut());
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            run_on_one_thread(render.world_mut());
        }
    }
}

/// Runs every schedule on the thread that owns the app, one system after another.
///
/// The stage's systems are some hundreds of a few microseconds each: handing them
/// to other threads cost more than running them (some 700 switches of context a
/// frame, an eighth of all CPU time). What is worth a thread, such as captions,
/// videos and files, has one of its own or goes to a task pool.
fn run_on_one_thread(world: &mut World) {
    for (_, schedule) in world.resource_mut::<Schedules>().iter_mut() {
        schedule.set_executor(SingleThreadedExecutor::new());
    }
}
