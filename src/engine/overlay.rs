//! The overlay among a run's outputs.

use anyhow::{Context, Result};

use super::wake::Alarm;
use crate::cli::{OutputPlan, RunPlan};
use crate::config::Size;
use crate::locale::Words;
pub(super) use crate::output::overlay::OverlayFeed as Feed;
use crate::output::overlay::{Desktop, Hooks, Wish, send};

/// A desktop that shows nothing yet.
pub(super) struct Connected(Desktop);

/// Connects to the desktop, if the plan has an overlay, and gives the plan
/// the size of stage that is made for it.
///
/// # Errors
/// When an overlay of that name runs, or there is no desktop that can show one.
pub(super) fn connect(plan: &mut RunPlan) -> Result<Option<Connected>> {
    let overlay = plan.outputs.iter().find_map(|output| match output {
        OutputPlan::Overlay {
            settings,
            name,
            sets_size,
        } => Some((settings, name, *sets_size)),
        _ => None,
    });
    let Some((settings, name, sets_size)) = overlay else {
        return Ok(None);
    };
    let desktop = Desktop::connect(settings, name)?;
    if sets_size && let Some((width, height)) = desktop.stage_size() {
        plan.stage.size = Size { width, height };
    }
    Ok(Some(Connected(desktop)))
}

impl Connected {
    /// Whether the overlay is windows of the window system's own, which then
    /// calls for the frames.
    pub(super) fn has_panes(&self) -> bool {
        self.0.has_panes()
    }

    /// Shows the stage from now on, with a menu in these words. `is_alone` says
    /// that nothing else shows it.
    ///
    /// # Errors
    /// When there is no shared memory to be had.
    pub(super) fn show(
        self,
        plan: &RunPlan,
        words: Words,
        alarm: &Alarm,
        is_alone: bool,
    ) -> Result<Feed> {
        let Size { width, height } = plan.stage.size;
        let alarm = alarm.clone();
        let (quit, lost) = (plan.shutdown.clone(), plan.shutdown.clone());
        let hooks = Hooks {
            wake: Box::new(move || alarm.ring()),
            quit: Box::new(move || quit.request()),
            lost: Box::new(move || {
                // A run that nobody can see any more would only hold on.
                if is_alone {
                    lost.request();
                }
            }),
        };
        Ok(self.0.show((width, height), words, hooks)?)
    }
}

/// Tells the overlay called `name` a word, and returns its answer.
///
/// # Errors
/// When it is no word of the overlay's, or no overlay of that name answers.
pub fn tell(name: &str, word: &str) -> Result<String> {
    let wish = Wish::parse(word).with_context(|| format!("{word} is no word of the overlay"))?;
    Ok(send(name, wish)?)
}
