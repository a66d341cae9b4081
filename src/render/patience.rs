//! Whether a frame waits for what other threads make for it.

use std::time::Duration;

use bevy::prelude::*;

/// How long a frame waits for a painted caption, a video's picture or its sound.
/// Not at all, in a show that happens now: it goes on without. One that is drawn
/// for a recording has them all in their own frame, however long each takes, so
/// that it looks the same every time. What only the board shows comes with its next
/// repaint.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Patience {
    /// What a recording has; longer, and something is broken.
    pub const OF_A_RECORDING: Self = Self(Duration::from_secs(30));

    /// Whether it waits at all.
    pub fn is_some(self) -> bool {
        !self.0.is_zero()
    }
}
