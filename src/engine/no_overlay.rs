//! What a build without an overlay says of it.

use anyhow::{Result, bail};
use bevy::prelude::*;

use super::wake::Alarm;
use crate::cli::{OutputPlan, RunPlan};
use crate::locale::Words;

const WITHOUT: &str = "this program was built without an overlay: it needs the feature `desktop`";

/// What is never there.
pub(super) enum Feed {}
pub(super) use self::Feed as Connected;

/// # Errors
/// When the plan has an overlay.
pub(super) fn connect(plan: &mut RunPlan) -> Result<Option<Feed>> {
    let is_wanted = |output: &OutputPlan| matches!(output, OutputPlan::Overlay { .. });
    if plan.outputs.iter().any(is_wanted) {
        bail!(WITHOUT);
    }
    Ok(None)
}

impl Feed {
    pub(super) fn has_panes(&self) -> bool {
        match *self {}
    }

    pub(super) fn show(self, _: &RunPlan, _: Words, _: &Alarm, _: bool) -> Result<Self> {
        match self {}
    }

    pub(super) fn install(&self, _: &mut App) {
        match *self {}
    }

    pub(super) fn is_showing(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        || false
    }

    pub(super) fn close(self) -> Result<String, String> {
        match self {}
    }
}

/// # Errors
/// Always.
pub fn tell(_: &str, _: &str) -> Result<String> {
    bail!(WITHOUT)
}
