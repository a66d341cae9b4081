//! A copy of what comes in, for whoever keeps the show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::model::Moment;

/// Messages on their way to be kept: some seconds of a flood. The network thread
/// waits for no disk, so what comes when it is full is not kept, and counted.
pub const WAITING_TO_BE_KEPT: usize = 16_384;

/// A message and when it came.
pub type Kept = (Moment, Box<[u8]>);

/// The network thread's end.
#[derive(Debug, Clone)]
pub struct Keep {
    to: Sender<Kept>,
    missed: Arc<AtomicU64>,
}

impl Keep {
    /// Both ends. The receiver ends when the network thread has.
    pub fn channel() -> (Self, Receiver<Kept>) {
        let (to, kept) = bounded(WAITING_TO_BE_KEPT);
        let missed = Arc::default();
        (Self { to, missed }, kept)
    }

    /// How many were not kept; counted on, for whoever holds it.
    pub fn missed(&self) -> Arc<AtomicU64> {
        self.missed.clone()
    }

    pub(super) fn note(&self, at: Moment, message: &[u8]) {
        if self.to.try_send((at, message.into())).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
