//! How a connection's task is woken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// One task's bell. Rung a thousand times a gift, so it costs two atomic
/// operations, and one that is ringing already costs one.
#[derive(Debug, Default)]
pub(super) struct Bell {
    is_rung: AtomicBool,
    listener: AtomicWaker,
}

impl Bell {
    pub fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.listener.wake();
        }
    }

    /// Ready once for any number of rings since the last time.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        // Registered first: a ring from here on is heard.
        self.listener.register(cx.waker());
        match self.is_rung.swap(false, Ordering::AcqRel) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
