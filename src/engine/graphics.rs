//! What a run is told when the graphics card or its driver fails.
//!
//! Bevy would end the app in the middle of whatever is being written, and learn of it a
//! frame late. Here the device itself tells; nothing more is drawn, and whoever drives
//! the stage ends in good order.

use std::sync::Arc;

use bevy::prelude::*;
use bevy::render::error_handler::{RenderError, RenderErrorHandler, RenderErrorPolicy};
use bevy::render::renderer::RenderDevice;
use bevy::render::{ExtractSchedule, RenderApp, RenderScheduleOrder};
use thiserror::Error;
use wgpu::DeviceLostReason;

use crate::stage::CardFailure;

/// The graphics card or its driver failed, and nothing is drawn any more.
#[derive(Debug, Clone, Error)]
#[error("the graphics card or its driver failed: {0}")]
pub struct GraphicsError(String);

struct GraphicsPlugin;

/// Bevy's plugins must be there.
pub(super) fn install(app: &mut App) {
    app.add_plugins(GraphicsPlugin);
}

impl Plugin for GraphicsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CardFailure>()
            .insert_resource(RenderErrorHandler(hear));
        let failure = app.world().resource::<CardFailure>().clone();
        app.sub_app_mut(RenderApp)
            .insert_resource(failure)
            .add_systems(ExtractSchedule, draw_no_more);
    }

    /// Takes the place of Bevy's own listeners, which are there by now.
    fn finish(&self, app: &mut App) {
        let failure = app.world().resource::<CardFailure>();
        let device = app.world().resource::<RenderDevice>().wgpu_device();
        let (lost, failed) = (failure.clone(), failure.clone());
        device.set_device_lost_callback(move |reason, why| {
            if reason != DeviceLostReason::Destroyed {
                note(&lost, &format!("the device is lost, {why}"));
            }
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            note(&failed, &error.to_string());
        }));
    }
}

/// What Bevy's own listeners heard before ours took their place.
fn hear(error: &RenderError, stage: &mut World, _: &mut World) -> RenderErrorPolicy {
    let what = format!("{:?}, {}", error.ty, error.description);
    note(stage.resource::<CardFailure>(), &what);
    RenderErrorPolicy::StopRendering
}

/// The first is the cause; what follows comes of it.
fn note(failure: &CardFailure, what: &str) {
    let words: Vec<_> = what.split_whitespace().collect();
    if failure.note(words.join(" ")) {
        error!("the graphics card or its driver failed: {what}");
    }
}

/// What would be drawn with a device that has failed might flash.
fn draw_no_more(failure: Res<CardFailure>, mut order: ResMut<RenderScheduleOrder>) {
    if failure.what().is_some() {
        order.labels.clear();
    }
}

/// # Errors
/// Once the card has failed.
pub(super) fn check(world: &World) -> Result<(), GraphicsError> {
    match world.resource::<CardFailure>().what() {
        None => Ok(()),
        Some(what) => Err(GraphicsError(what.to_owned())),
    }
}
