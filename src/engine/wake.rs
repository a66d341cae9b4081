//! What wakes an idle stage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

/// Wakes the thread it was made on; a ring that comes before the sleep is not
/// lost.
#[derive(Clone)]
pub struct Alarm {
    thread: Thread,
    rung: Arc<AtomicBool>,
    bell: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl Alarm {
    pub fn of_this_thread() -> Self {
        Self {
            thread: std::thread::current(),
            rung: Arc::default(),
            bell: Arc::default(),
        }
    }

    pub fn ring(&self) {
        // Only the first of many rings costs a system call.
        if !self.rung.swap(true, Ordering::AcqRel) {
            match self.bell.get() {
                Some(bell) => bell(),
                None => self.thread.unpark(),
            }
        }
    }

    /// From now on a ring calls `bell`: the thread is about to sleep in a loop
    /// that is not ours.
    #[cfg(feature = "desktop")]
    pub fn ring_by(&self, bell: impl Fn() + Send + Sync + 'static) {
        // The first loop stays; there is only ever one.
        let _ = self.bell.set(Box::new(bell));
    }

    /// The thread is awake: the next ring is the first again.
    #[cfg(feature = "desktop")]
    pub fn heard(&self) {
        self.rung.store(false, Ordering::Release);
    }

    /// Sleeps until it is rung, but not longer than `timeout`.
    pub fn sleep(&self, timeout: Duration) {
        if !self.rung.swap(false, Ordering::AcqRel) {
            std::thread::park_timeout(timeout);
            self.rung.store(false, Ordering::Release);
        }
    }
}
