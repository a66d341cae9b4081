//! A preview: single gifts, played again and again for whoever draws them.

mod cost;
mod game;
mod ground;
mod pictures;
mod sheet;
mod timeline;

use anyhow::{Result, bail};

use crate::cli::PreviewPlan;

/// Shows the plan's gifts, in a window until it is closed or as pictures.
///
/// # Errors
/// When there is no graphics adapter, or a picture cannot be drawn or written.
pub fn preview(plan: PreviewPlan) -> Result<()> {
    match &plan.pictures {
        Some(pictures) => pictures::draw(&plan, pictures),
        None => bail!("the window is not there yet; add --headless"),
    }
}
