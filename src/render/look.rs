//! How captions and boards are to look, as the settings have it.

use bevy::prelude::*;

use super::boards::BoardSettings;
use super::caption::Theme;
use crate::catalog::Motion;
use crate::locale::Words;

/// Read once, when the stage starts; insert it before that.
#[derive(Resource, Debug, Clone)]
pub struct Look {
    pub theme: Theme,
    /// How much larger than designed text is, 0.75 to 1.6.
    pub text_scale: f32,
    pub words: Words,
    pub board: BoardSettings,
    pub motion: Motion,
}

impl Look {
    /// The share of their movement that captions and board make: all, half, or
    /// none. What they say comes and goes all the same, by fading.
    pub fn movement(&self) -> f32 {
        match self.motion {
            Motion::Full => 1.0,
            Motion::Reduced => 0.5,
            Motion::Calm => 0.0,
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            text_scale: 1.0,
            words: Words::default(),
            board: BoardSettings::default(),
            motion: Motion::default(),
        }
    }
}
