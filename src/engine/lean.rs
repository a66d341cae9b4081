//! What Bevy does by default and this stage has no use for.

use bevy::core_pipeline::deferred::copy_lighting_id::init_copy_deferred_lighting_id_pipeline;
use bevy::core_pipeline::tonemapping::prepare_view_tonemapping_pipelines;
use bevy::ecs::schedule::common_conditions::condition_changed_to;
use bevy::ecs::schedule::{ScheduleCleanupPolicy, SingleThreadedExecutor};
use bevy::light::cluster::GlobalClusterSettings;
use bevy::light::{DirectionalLightShadowMap, PointLightShadowMap};
use bevy::prelude::*;
use bevy::render::mesh::allocator::MeshAllocatorSettings;
use bevy::render::slab_allocator::SlabAllocatorSettings;
use bevy::render::{Render, RenderApp, RenderStartup};

use crate::render::Warmup;

/// Takes the stage down to what it needs. To be added after Bevy's own plugins.
pub(super) struct LeanPlugin;

impl Plugin for LeanPlugin {
    fn build(&self, app: &mut App) {
        // Nothing casts a shadow, and the maps for it would be there all the same:
        // 42 MB of the graphics card's memory.
        app.insert_resource(PointLightShadowMap { size: 1 })
            .insert_resource(DirectionalLightShadowMap { size: 1 });
        app.add_systems(Last, give_back.run_if(condition_changed_to(true, is_warm)));
        // The stage's few meshes have a buffer each: every buffer that is shared
        // has 4 MB of bookkeeping, whatever is in it.
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render.insert_resource(MeshAllocatorSettings {
                slab_allocator_settings: SlabAllocatorSettings {
                    large_threshold: 0,
                    ..default()
                },
                ..default()
            });
        }
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
            // No camera maps tones, and each would have a pipeline for it; none lights
            // what it has drawn afterwards either.
            let policy = ScheduleCleanupPolicy::RemoveSystemsOnly;
            let removed = [
                render.remove_systems_in_set(Render, prepare_view_tonemapping_pipelines, policy),
                render.remove_systems_in_set(
                    RenderStartup,
                    init_copy_deferred_lighting_id_pipeline,
                    policy,
                ),
            ];
            let is_removed = removed.iter().all(|removed| matches!(removed, Ok(1)));
            debug_assert!(is_removed, "Bevy does that elsewhere: {removed:?}");
            if !is_removed {
                warn!("some memory goes to what no picture needs: {removed:?}");
            }
            run_on_one_thread(render.world_mut());
        }
    }
}

fn is_warm(warmup: Res<Warmup>) -> bool {
    warmup.is_done()
}

/// Gives back what shaders were compiled in, 4 MB that the C library would keep, and
/// what they were compiled by.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        super::code::give_back();
        // SAFETY: it takes a number, may be called by any thread at any time, and
        // touches only pages in which nothing is.
        #[expect(unsafe_code, reason = "the C library has no other way to say it")]
        let _something_was_free = unsafe { libc::malloc_trim(0) };
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
