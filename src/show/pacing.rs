//! How many acts start per second, and how short they get under backlog.

use std::time::Duration;

use crate::catalog::Lane;
use crate::model::Moment;

/// What a missing, zero, negative or senseless rate means.
pub const DEFAULT_RATE: f64 = 30.0;

/// One start in 100 s; slower is what pause is for.
const SLOWEST: f64 = 0.01;

/// More starts than this no stage can show: several per frame, for ever.
const FASTEST: f64 = 1000.0;

/// How much unused time is saved up for a burst.
const BURST: Duration = Duration::from_secs(1);

/// Ambient acts keep at least this share of their length.
const SHORTEST: f64 = 0.4;

/// Acts follow each other in a place no sooner than this, whatever a gift asks for:
/// a row of shorter ones would flash. WCAG 2.3.1 allows three flashes a second; what
/// fills the stage gets one, a small gift two.
const SHORTEST_LARGE: Duration = Duration::from_secs(1);
const SHORTEST_SMALL: Duration = Duration::from_millis(500);

/// A rate that can be used: `maxGiftsPerSecond` as given, made sensible.
pub fn sane_rate(rate: f64) -> f64 {
    if rate.is_nan() || rate <= 0.0 {
        DEFAULT_RATE
    } else {
        rate.clamp(SLOWEST, FASTEST)
    }
}

/// How long an ambient act lasts, as a share of its ordinary length: 1 with
/// nobody waiting, falling to 0.4 once as many wait as there are places.
pub(super) fn shortening(waiting: usize, places: usize) -> f64 {
    let pressure = waiting as f64 / places.max(1) as f64;
    (1.0 - (1.0 - SHORTEST) * pressure).max(SHORTEST)
}

/// The least that an act lasts whose recipe takes `natural`. A large one that were cut
/// off sooner than halfway would show little but its own light going on and off.
pub(super) fn shortest(lane: Lane, natural: Duration) -> Duration {
    match lane {
        Lane::Ambient => SHORTEST_SMALL,
        Lane::Feature | Lane::Headline => SHORTEST_LARGE.max(natural / 2),
    }
}

/// A token bucket in its virtual-scheduling form (GCRA, ITU-T I.371): instead
/// of a fractional token count it keeps the moment at which the bucket would be
/// full again, so it is exact and needs no refilling.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    full_at: Moment,
}

impl Pacer {
    pub fn new(rate: f64) -> Self {
        Self {
            interval: interval(rate),
            full_at: Moment::ZERO,
        }
    }

    /// What is saved up stays, in starts rather than in seconds, as far as the
    /// new burst holds it; a change of rate is no occasion for a burst.
    pub fn set_rate(&mut self, now: Moment, rate: f64) {
        let owed = self.full_at.saturating_sub(now);
        let saved = self.burst().saturating_sub(owed).as_secs_f64() / self.interval.as_secs_f64();
        self.interval = interval(rate);
        let saved = self.interval.mul_f64(saved);
        self.full_at = now + self.burst().saturating_sub(saved);
    }

    pub fn is_open(&self, now: Moment) -> bool {
        now >= self.opens_at()
    }

    /// When the next act may start.
    pub fn opens_at(&self) -> Moment {
        (self.full_at + self.interval).saturating_sub(self.burst())
    }

    /// Counts one start.
    pub fn spend(&mut self, now: Moment) {
        self.full_at = self.full_at.max(now) + self.interval;
    }

    /// A rate below one a second must still let single acts through.
    fn burst(&self) -> Duration {
        BURST.max(self.interval)
    }
}

fn interval(rate: f64) -> Duration {
    Duration::from_secs_f64(sane_rate(rate).recip())
}
