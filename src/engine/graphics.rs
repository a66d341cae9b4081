//! What a run is told when the graphics card or its driver fails.
//!
//! Bevy would end the app at once, in the middle of whatever is being written. We draw
//! nothing more and let whoever drives the stage end in good order.

use std::sync::Arc;

use bevy::prelude::*;
use bevy::render::error_handler::{RenderError, RenderErrorHandler, RenderErrorPolicy};
use thiserror::Error;

/// The graphics card or its driver failed, and nothing is drawn any more.
#[derive(Debug, Clone, Error)]
#[error("the graphics card or its driver failed, for the reason logged above ({0})")]
pub struct GraphicsError(Arc<str>);

/// Whether that has happened.
#[derive(Resource, Debug, Default)]
pub(super) struct CardFailure(Option<GraphicsError>);

#[cfg(feature = "desktop")]
impl CardFailure {
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

pub(super) fn install(app: &mut App) {
    app.init_resource::<CardFailure>()
        .insert_resource(RenderErrorHandler(note));
}

/// # Errors
/// Once the card has failed.
pub(super) fn check(world: &World) -> Result<(), GraphicsError> {
    match &world.resource::<CardFailure>().0 {
        None => Ok(()),
        Some(error) => Err(error.clone()),
    }
}

/// Is asked every frame from the first error on.
fn note(error: &RenderError, stage: &mut World, _: &mut World) -> RenderErrorPolicy {
    let mut failure = stage.resource_mut::<CardFailure>();
    failure
        .0
        .get_or_insert_with(|| GraphicsError(format!("{:?}", error.ty).into()));
    RenderErrorPolicy::StopRendering
}
