//! Whether the stage still goes on: the thread that draws it says when it wakes,
//! and before it sleeps for how long that may be.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A stage that is later than this stands still. No frame that is worth showing
/// takes so long, not even on a processor that has to draw and has other work.
const PATIENCE_NS: u64 = 5_000_000_000;
/// The same until the stage is warm: what makes its pipelines may keep a slow
/// machine for long.
const COLD_PATIENCE_NS: u64 = 30_000_000_000;

/// The latest sign of life. Times are on the ring's clock.
pub(super) struct Pulse {
    /// When the stage is or was to be awake.
    due_ns: AtomicU64,
    is_warm: AtomicBool,
}

impl Pulse {
    /// Of a stage that is being built.
    pub(super) fn new(now_ns: u64) -> Self {
        Self {
            due_ns: AtomicU64::new(now_ns),
            is_warm: AtomicBool::new(false),
        }
    }

    /// A frame begins.
    pub(super) fn wakes(&self, now_ns: u64, is_warm: bool) {
        self.due_ns.store(now_ns, Ordering::Relaxed);
        self.is_warm.store(is_warm, Ordering::Relaxed);
    }

    /// A frame is done, and the next one begins in `sleep` or earlier.
    pub(super) fn rests(&self, now_ns: u64, sleep: Duration) {
        let sleep = u64::try_from(sleep.as_nanos()).unwrap_or(u64::MAX);
        let due_ns = now_ns.saturating_add(sleep);
        self.due_ns.store(due_ns, Ordering::Relaxed);
    }

    /// Since when the stage stands still, if it does.
    pub(super) fn stopped_ns(&self, now_ns: u64) -> Option<u64> {
        let due_ns = self.due_ns.load(Ordering::Relaxed);
        let patience = if self.is_warm.load(Ordering::Relaxed) {
            PATIENCE_NS
        } else {
            COLD_PATIENCE_NS
        };
        (now_ns.saturating_sub(due_ns) > patience).then_some(due_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_stage_may_sleep_as_long_as_it_says_and_be_slow() {
        let pulse = Pulse::new(0);
        pulse.wakes(100 * SECOND_NS, true);
        assert_eq!(pulse.stopped_ns(104 * SECOND_NS), None, "a slow frame");
        pulse.rests(104 * SECOND_NS, MINUTE);
        assert_eq!(pulse.stopped_ns(168 * SECOND_NS), None, "it sleeps");
        assert_eq!(
            pulse.stopped_ns(170 * SECOND_NS),
            Some(164 * SECOND_NS),
            "it oversleeps"
        );
        pulse.wakes(171 * SECOND_NS, true);
        assert_eq!(pulse.stopped_ns(171 * SECOND_NS), None, "it goes on");
    }

    #[test]
    fn a_stage_that_is_woken_early_may_stop_in_the_frame_that_follows() {
        let pulse = Pulse::new(0);
        pulse.rests(0, MINUTE);
        pulse.wakes(SECOND_NS, true);
        assert_eq!(pulse.stopped_ns(7 * SECOND_NS), Some(SECOND_NS));
    }

    #[test]
    fn a_stage_that_is_not_warm_is_waited_for() {
        let pulse = Pulse::new(0);
        assert_eq!(pulse.stopped_ns(29 * SECOND_NS), None, "it is being built");
        pulse.wakes(29 * SECOND_NS, false);
        assert_eq!(pulse.stopped_ns(58 * SECOND_NS), None, "its first frame");
        assert_eq!(pulse.stopped_ns(60 * SECOND_NS), Some(29 * SECOND_NS));
    }
}
