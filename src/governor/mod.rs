//! How much the picture may cost, by what frames take: less within about a
//! second when a game needs the machine, more again only after a long calm.
//!
//! Pure: it is told of each frame and knows no clock. Its time is that of the
//! frames themselves, so a stage that sleeps neither proves nor forgets
//! anything. It decides how gifts look, never which are shown.

mod level;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

pub use level::{Allowance, Level, Wish};

/// Frames are judged together for so long, and at least so many: one that hangs
/// for seconds is a hitch and no load.
const WINDOW: Duration = Duration::from_millis(800);
const FEWEST: usize = 5;
/// Share of those frames that must be late before anything is shed.
const LATE_SHARE: f64 = 0.7;
/// A median frame that takes so many times what it may costs two levels at once.
const FAR_TOO_MUCH: f64 = 2.0;

/// Calm before the first level is given back.
const FIRST_WAIT: Duration = Duration::from_secs(20);
/// What the wait grows to when giving back fails again and again.
const LONGEST_WAIT: Duration = Duration::from_secs(640);
/// Giving back has failed when something is shed again before this; then the
/// wait is doubled. When it has not, the wait is halved, down to the first.
const TRIAL: Duration = Duration::from_secs(40);
/// A frame is calm when it takes no more than this share of what it may on the
/// level above: what that level adds must fit as well.
const CALM_SHARE: f64 = 0.6;
/// A frame that is not calm takes so many times its length from the calm: a
/// hitch now and then delays, a lively stage prevents.
const UNREST: u32 = 4;

/// A new level, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub from: Level,
    pub to: Level,
    /// The median of what frames took lately.
    pub cost: Duration,
    /// What they might take at the old level.
    pub budget: Duration,
}

impl Change {
    pub fn is_shedding(&self) -> bool {
        self.to > self.from
    }
}

/// Chooses the level.
#[derive(Debug, Clone)]
pub struct Governor {
    level: Level,
    /// What the last frames took; see [`WINDOW`].
    lately: VecDeque<Duration>,
    /// How long those frames were on stage, together.
    span: Duration,
    calm: Duration,
    /// Calm that giving back takes.
    wait: Duration,
    /// Stage time since a level was given back, while that may still fail.
    on_trial: Option<Duration>,
}

impl Governor {
    pub fn new(start: Level) -> Self {
        Self {
            level: start,
            lately: VecDeque::new(),
            span: Duration::ZERO,
            calm: Duration::ZERO,
            wait: FIRST_WAIT,
            on_trial: None,
        }
    }

    pub fn level(&self) -> Level {
        self.level
    }

    /// Frames that say nothing about the load came between, such as those of a
    /// stage that is warming up or asleep: what comes next is judged afresh.
    pub fn rest(&mut self) {
        self.lately.clear();
        self.span = Duration::ZERO;
    }

    /// A frame with something on it took `cost`; at its full rate the stage has
    /// one every `period`.
    pub fn frame(&mut self, cost: Duration, period: Duration) -> Option<Change> {
        let budget = period * self.level.allows().every;
        let length = cost.max(budget);
        self.pass(length);
        self.lately.push_back(cost);
        self.span += length;
        while let Some(&oldest) = self.lately.front() {
            let rest = self.span.saturating_sub(oldest.max(budget));
            if rest < WINDOW || self.lately.len() <= FEWEST {
                break;
            }
            self.lately.pop_front();
            self.span = rest;
        }
        self.shed(budget)
            .or_else(|| self.give_back(cost, length, period, budget))
    }

    /// Stage time goes by.
    fn pass(&mut self, length: Duration) {
        let Some(since) = &mut self.on_trial else {
            return;
        };
        *since += length;
        if *since >= TRIAL {
            self.on_trial = None;
            self.wait = (self.wait / 2).max(FIRST_WAIT);
        }
    }

    fn shed(&mut self, budget: Duration) -> Option<Change> {
        let late = self.lately.iter().filter(|&&cost| cost > budget).count();
        let frames = self.lately.len();
        let is_load =
            frames >= FEWEST && self.span >= WINDOW && late as f64 >= frames as f64 * LATE_SHARE;
        if !is_load || self.level == Level::LEAST {
            return None;
        }
        if self.on_trial.take().is_some() {
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        let cost = self.median();
        let is_far = cost.as_secs_f64() > budget.as_secs_f64() * FAR_TOO_MUCH;
        let to = self.level.down(if is_far { 2 } else { 1 });
        Some(self.go(to, cost, budget))
    }

    fn give_back(
        &mut self,
        cost: Duration,
        length: Duration,
        period: Duration,
        budget: Duration,
    ) -> Option<Change> {
        let above = self.level.up()?;
        let may = (period * above.allows().every).mul_f64(CALM_SHARE);
        self.calm = if cost <= may {
            self.calm + length
        } else {
            self.calm.saturating_sub(length * UNREST)
        };
        if self.calm < self.wait {
            return None;
        }
        self.on_trial = Some(Duration::ZERO);
        let cost = self.median();
        Some(self.go(above, cost, budget))
    }

    fn go(&mut self, to: Level, cost: Duration, budget: Duration) -> Change {
        let from = std::mem::replace(&mut self.level, to);
        self.rest();
        self.calm = Duration::ZERO;
        Change {
            from,
            to,
            cost,
            budget,
        }
    }

    fn median(&self) -> Duration {
        let mut costs: Vec<_> = self.lately.iter().copied().collect();
        costs.sort_unstable();
        costs.get(costs.len() / 2).copied().unwrap_or_default()
    }
}

/// Where to begin on a machine on which frames of a standard load take `cost`:
/// between the ends, a level for each half of a frame's time. The governor does
/// the rest.
pub fn start_for(cost: Duration, period: Duration) -> Level {
    let load = cost.as_secs_f64() / period.as_secs_f64();
    // Loads up to which each level is begun with, the best first.
    const LIMITS: [f64; Level::COUNT - 1] = [0.5, 0.75, 1.0, 1.25, 1.5, 2.5];
    let passed = LIMITS.iter().filter(|&&limit| load > limit).count();
    Level::at(passed)
}
