//! A link to no network: its far end is in the hands of whoever asks for it. For
//! shows that are played from a file, and for the stage's tests.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{FROM_STAGE_CAPACITY, FromStage, Link, Shared};
use crate::session::{Counts, ToStage};

/// What the network thread has of a link.
pub struct FarEnd {
    /// Unbounded, unlike the real one: who holds it can play the thread that
    /// refills it as fast as the stage takes out.
    pub to_stage: Sender<ToStage>,
    pub from_stage: Receiver<FromStage>,
    shared: Arc<Shared>,
}

impl FarEnd {
    /// The backend wants telemetry, by this connection; 0 for no more.
    #[cfg(test)]
    pub fn want_telemetry(&self, connection: u64) {
        self.shared
            .telemetry_wanted
            .store(connection, Ordering::Release);
    }

    /// The thread gives up for good.
    pub fn end(self) {
        self.shared.shutdown.store(true, Ordering::Release);
        self.shared.bell.notify_one();
    }
}

impl Link {
    /// A link without a network, and its other end. Somebody has to take what the
    /// stage sends.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub fn loose() -> (Self, FarEnd) {
        let (to_stage, from_net) = unbounded();
        let (to_net, from_stage) = bounded(FROM_STAGE_CAPACITY);
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers needs nothing of the system");
        let watched = shared.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                while !watched.shutdown.load(Ordering::Acquire) {
                    watched.bell.notified().await;
                }
            });
            Counts::default()
        });
        let link = Self {
            from_net,
            to_net,
            shared: shared.clone(),
            thread: Some(thread),
        };
        let far = FarEnd {
            to_stage,
            from_stage,
            shared,
        };
        (link, far)
    }
}
