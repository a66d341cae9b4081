//! The boundary to OBS: a panic of ours ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::obs::{Level, log};

/// Set by the first panic. What a panic left behind may be half done, so the
/// plugin does nothing any more.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Runs `body`, which OBS called as `what`; `fallback` if it panics, or if
/// anything did before.
pub(crate) fn shield<T>(what: &str, fallback: T, body: impl FnOnce() -> T) -> T {
    if FAILED.load(Ordering::Relaxed) {
        return fallback;
    }
    // Nothing that the body changes is used again after a panic.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            if !FAILED.swap(true, Ordering::Relaxed) {
                let said = panic
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                log(
                    Level::Error,
                    &format!(
                        "a fault of the plugin's own in {what}: {said}; \
                         it shows nothing until OBS is started again"
                    ),
                );
            }
            fallback
        }
    }
}
