//! A preview: single gifts, played again and again for whoever draws them.

#[cfg(feature = "desktop")]
mod commands;
#[cfg(feature = "desktop")]
mod controls;
mod cost;
#[cfg(feature = "desktop")]
mod desk;
mod edits;
mod film;
mod flashes;
mod game;
mod ground;
mod pictures;
#[cfg(feature = "desktop")]
mod player;
mod sheet;
#[cfg(feature = "desktop")]
mod strip;
mod timeline;
#[cfg(feature = "desktop")]
mod window;

use anyhow::Result;

use crate::cli::PreviewPlan;

/// Shows the plan's gifts, in a window until it is closed or as pictures.
///
/// # Errors
/// When there is no graphics adapter, the display refuses, or a picture cannot
/// be drawn or written.
pub fn preview(plan: PreviewPlan) -> Result<()> {
    match &plan.pictures {
        Some(pictures) => pictures::draw(&plan, pictures),
        None => in_window(&plan),
    }
}

#[cfg(feature = "desktop")]
fn in_window(plan: &PreviewPlan) -> Result<()> {
    window::run(plan)
}

#[cfg(not(feature = "desktop"))]
fn in_window(_: &PreviewPlan) -> Result<()> {
    anyhow::bail!(
        "this program was built without windows; add --headless, or build it with \
         `cargo build --features desktop`"
    )
}
