//! The Bevy app, put together from the layers.

use std::sync::Arc;

use anyhow::{Context, Result};
use bevy::app::{PluginGroupBuilder, TaskPoolPlugin, TerminalCtrlCHandlerPlugin};
use bevy::log::LogPlugin;
use bevy::pbr::PbrPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::window::ExitCondition;

use super::adapter::Gpu;
use super::lean::LeanPlugin;
use super::{clock, files, graphics};
use crate::catalog::Catalog;
use crate::cli::{RunPlan, show_settings};
use crate::config;
use crate::render::present::Form;
use crate::render::{Quality, StageRenderPlugin, StageSize};
use crate::show::{Show, ShowSettings};
use crate::stage::{Director, StageLink, StagePlugin};

/// Who calls the app for its frames.
#[derive(Debug)]
pub enum Caller {
    /// We do: nothing is opened.
    Us,
    /// The window system, which opens this.
    #[cfg(feature = "desktop")]
    Window(Box<Window>),
    /// The window system, which opens what is spawned later.
    #[cfg(feature = "desktop")]
    WindowSystem,
}

/// Bevy's plugins as far as the stage needs them.
fn bevy_plugins(gpu: Gpu, caller: Caller) -> PluginGroupBuilder {
    #[cfg(feature = "desktop")]
    let is_ours = matches!(caller, Caller::Us);
    let window = match caller {
        #[cfg(feature = "desktop")]
        Caller::Window(window) => Some(*window),
        _ => None,
    };
    let plugins = DefaultPlugins
        .build()
        // The program logs for all its threads, and ends in good order itself.
        .disable::<LogPlugin>()
        .disable::<TerminalCtrlCHandlerPlugin>()
        // A frame is drawn before the next is thought about: the outputs and
        // the acks know exactly what was on it, and it costs less.
        .disable::<PipelinedRenderingPlugin>()
        .set(TaskPoolPlugin::default())
        .set(RenderPlugin {
            render_creation: gpu.creation,
            ..default()
        })
        .set(PbrPlugin {
            prepass_enabled: false,
            add_default_deferred_lighting_plugin: false,
            // Models have a material of their own.
            gltf_enable_standard_materials: false,
            ..default()
        })
        .set(WindowPlugin {
            primary_window: window,
            // Closing the window ends the run as everything else does: in
            // good order, by the loop that drives the stage.
            exit_condition: ExitCondition::DontExit,
            close_when_requested: false,
            ..default()
        });
    #[cfg(feature = "desktop")]
    let plugins = if is_ours {
        plugins.disable::<bevy::winit::WinitPlugin>()
    } else {
        plugins
    };
    plugins
}

/// Puts the app together; it has not run yet.
///
/// # Errors
/// When the catalogue's folder has gone.
pub fn build(
    plan: &RunPlan,
    gpu: Gpu,
    catalog: Arc<Catalog>,
    link: StageLink,
    caller: Caller,
) -> Result<App> {
    assemble(
        plan.stage.size,
        show_settings(&plan.show, &plan.on_air, plan.play_unseen),
        gpu,
        catalog,
        link,
        caller,
    )
}

/// The same without a plan, for a stage that belongs to no run.
///
/// # Errors
/// As for [`build`].
pub fn assemble(
    size: config::Size,
    settings: ShowSettings,
    gpu: Gpu,
    catalog: Arc<Catalog>,
    link: StageLink,
    caller: Caller,
) -> Result<App> {
    let mut show = Show::new(settings, catalog.clone());
    show.expect_warm_up();
    let root = std::path::absolute(&catalog.root)
        .with_context(|| format!("where is {}?", catalog.root.display()))?;
    let mut app = App::new();
    files::install(&mut app, &root);
    app.insert_resource(StageSize {
        pixels: UVec2::new(size.width, size.height),
    })
    .insert_resource(best(gpu.is_software))
    .insert_resource(ClearColor(Color::NONE))
    .add_plugins(bevy_plugins(gpu, caller))
    .insert_resource(Director::new(show, catalog))
    .insert_resource(link)
    .add_plugins((
        LeanPlugin,
        StagePlugin,
        StageRenderPlugin {
            form: Form::Straight,
        },
    ));
    clock::install(&mut app);
    graphics::install(&mut app);
    Ok(app)
}

/// The best picture there is.
pub fn best(is_software: bool) -> Quality {
    if is_software {
        Quality::FRUGAL
    } else {
        Quality::FULL
    }
}
