//! Where the command line meets the engine.
//!
//! The renderer is a feature; a program built without it still parses, checks
//! and explains. [`Engine::of_this_build`] is the one place that knows.

use anyhow::{Context, Result};

use super::{PreviewPlan, RecordPlan, RunPlan, SheetPlan, Summary};
use crate::config::SoundDevice;

/// What a build can do beyond words.
#[derive(Debug, Clone, Copy)]
pub struct Engine {
    /// Plays until the plan's time is up, its shutdown is requested or its
    /// window is closed; returns after an orderly close of connection and
    /// outputs.
    pub run: fn(RunPlan) -> Result<Summary>,
    /// Tells the overlay of this name a word, and returns its answer.
    pub tell_overlay: fn(name: &str, word: &str) -> Result<String>,
    /// Shows the plan's gifts one by one, in a window until it is closed or as
    /// pictures.
    pub preview: fn(PreviewPlan) -> Result<()>,
    /// Draws a show from a file into videos, frame by frame.
    pub record: fn(RecordPlan) -> Result<Summary>,
    /// Draws every gift of a catalogue into one picture; says what was written.
    pub sheet: fn(&SheetPlan) -> Result<String>,
    /// This machine's sound outputs, in the system's order.
    pub devices: fn() -> Result<Vec<SoundDevice>>,
}

impl Engine {
    /// This build's engine.
    ///
    /// # Errors
    /// When it was built without one.
    pub fn of_this_build() -> Result<Self> {
        compiled_in().context(
            "this program was built without the renderer; build it with \
             `cargo build --features desktop,ffmpeg` (the default features)",
        )
    }
}

#[cfg(feature = "render")]
fn compiled_in() -> Option<Engine> {
    Some(Engine {
        run: crate::engine::run,
        tell_overlay: crate::engine::tell_overlay,
        preview: crate::engine::preview,
        record: crate::engine::record,
        sheet: crate::engine::sheet,
        devices: || crate::sound::output_devices().map_err(anyhow::Error::msg),
    })
}

#[cfg(not(feature = "render"))]
fn compiled_in() -> Option<Engine> {
    None
}
