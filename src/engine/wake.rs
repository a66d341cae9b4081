//! What wakes an idle stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

/// Wakes the thread it was made on; a ring that comes before the sleep is not
/// lost.
#[derive(Clone)]
pub struct Alarm {
    thread: Thread,
    rung: Arc<AtomicBool>,
}

impl Alarm {
    pub fn of_this_thread() -> Self {
        Self {
            thread: std::thread::current(),
            rung: Arc::default(),
        }
    }

    pub fn ring(&self) {
        // Only the first of many rings costs a system call.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }

    /// Sleeps until it is rung, but not longer than `timeout`.
    pub fn sleep(&self, timeout: Duration) {
        if !self.rung.swap(false, Ordering::AcqRel) {
            std::thread::park_timeout(timeout);
            self.rung.store(false, Ordering::Release);
        }
    }
}
