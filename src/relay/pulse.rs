//! How often a connection is pinged, and for how long it may be silent.

use std::time::Duration;

use tokio::time::Instant;

/// Beyond two pings: for what takes its time on the way.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Pulse {
    interval: Duration,
    /// Since when it is pinged so often.
    set_at: Instant,
    ping_at: Instant,
}

impl Pulse {
    /// The first ping is due at once.
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            set_at: now,
            ping_at: now,
        }
    }

    /// It is pinged so often from now on.
    pub fn set(&mut self, interval: Duration, now: Instant) {
        if interval != self.interval {
            self.interval = interval;
            self.set_at = now;
            self.ping_at = self.ping_at.min(now + interval);
        }
    }

    /// When the next ping is due.
    pub fn ping_at(&self) -> Instant {
        self.ping_at
    }

    /// It was pinged.
    pub fn pinged(&mut self, now: Instant) {
        self.ping_at = now + self.interval;
    }

    /// When one that was last heard then is gone. Whoever was pinged less often
    /// before had no reason to say anything.
    pub fn gone_at(&self, heard: Instant) -> Instant {
        heard.max(self.set_at) + 2 * self.interval + GRACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_pinged_more_often_from_now_on_was_not_silent_before() {
        let heard = Instant::now();
        let mut pulse = Pulse::new(30 * SECOND, heard);
        assert_eq!(pulse.ping_at(), heard);
        pulse.pinged(heard);
        assert_eq!(pulse.gone_at(heard), heard + 65 * SECOND);
        let now = heard + 12 * SECOND;
        pulse.set(SECOND, now);
        assert_eq!(pulse.ping_at(), now + SECOND);
        assert_eq!(pulse.gone_at(heard), now + 7 * SECOND);
        // Other settings that change nothing here give nobody more time.
        pulse.set(SECOND, now + 3 * SECOND);
        assert_eq!(pulse.gone_at(heard), now + 7 * SECOND);
        assert_eq!(pulse.gone_at(now + SECOND), now + 8 * SECOND);
    }

    #[test]
    fn a_ping_that_is_due_is_not_put_off() {
        let now = Instant::now();
        let mut pulse = Pulse::new(SECOND, now);
        pulse.pinged(now);
        pulse.set(30 * SECOND, now);
        assert_eq!(pulse.ping_at(), now + SECOND);
        pulse.pinged(now + SECOND);
        assert_eq!(pulse.ping_at(), now + 31 * SECOND);
    }
}
