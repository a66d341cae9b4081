//! Where no program can ask the overlay for something yet.

use std::sync::Arc;

use super::State;
use super::controls::Wish;
use crate::output::OutputError;

/// What is never there.
pub(super) enum Name {}

impl Name {
    /// # Errors
    /// None here.
    pub fn take(_: &str) -> Result<Option<Self>, OutputError> {
        Ok(None)
    }
}

/// What is never there, either.
pub(super) struct Controls(Name);

impl Controls {
    pub fn open(name: Name, _: Arc<State>) -> Self {
        Self(name)
    }
}

/// # Errors
/// Always.
pub fn send(_: &str, wish: Wish) -> Result<String, OutputError> {
    Err(OutputError::Desktop(format!(
        "an overlay on this system cannot be told {} by another program; end it where it was \
         started, and start it as you want it",
        wish.word()
    )))
}
