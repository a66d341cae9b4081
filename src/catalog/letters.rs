//! A name that is spelled in small pictures.

use serde::Deserialize;

use super::{Color, one};

/// The sender's name spelled in small pictures; a gift of many, and a sender
/// without a name, spell the gift's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letters {
    /// File in `textures/`, without ".png".
    pub texture: String,
    /// Height of one piece where the name is set as high as it may be.
    pub size: f32,
    /// Distance from one piece to the next, likewise.
    pub pitch: f32,
    /// The highest that the line of text may be.
    pub height: f32,
    /// The widest; a longer name is set smaller, pieces and all, then cut.
    pub width: f32,
    /// When the first piece sets out, seconds.
    pub at: f32,
    /// Seconds from the first to the last.
    pub span: f32,
    /// When they scatter.
    pub leave: f32,
    /// How far away they come from and go to.
    pub from: f32,
    /// One to four, shared out among the pieces.
    pub colors: Vec<Color>,
    /// Brightness over white: above 1 it blooms.
    #[serde(default = "one")]
    pub glow: f32,
    /// What makes the name stand out from a busy ground.
    pub shadow: Option<Shadow>,
}

impl Letters {
    /// Those that it is drawn with, by their stems.
    pub fn textures(&self) -> impl Iterator<Item = &String> {
        let shadow = self.shadow.iter().map(|shadow| &shadow.texture);
        std::iter::once(&self.texture).chain(shadow)
    }
}

/// A soft picture under each piece of a name that stands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// File in `textures/`, without ".png".
    pub texture: String,
    /// Height of one where the name is set as high as it may be.
    pub size: f32,
    pub color: Color,
    /// Opacity of one, 0 to 1; those of neighbours add up.
    pub alpha: f32,
}
