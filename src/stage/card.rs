//! Whether the graphics card still draws.

use std::sync::{Arc, OnceLock};

use bevy::prelude::*;

/// What the graphics card failed at first, if it did. It is there from that moment on,
/// whichever thread notices, and from then on nothing is drawn.
#[derive(Resource, Debug, Clone, Default)]
pub struct CardFailure(Arc<OnceLock<String>>);

impl CardFailure {
    /// Whether that is the first.
    pub fn note(&self, what: String) -> bool {
        self.0.set(what).is_ok()
    }

    pub fn what(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// Whether it does.
pub(super) fn draws(card: Res<CardFailure>) -> bool {
    card.what().is_none()
}
