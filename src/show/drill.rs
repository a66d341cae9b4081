//! Test streaks: a streak that nobody gives, so that a host can see one.

use std::time::Duration;

use super::Show;
use super::acts::Phase;
use super::cue::{ActId, Delta};
use super::turn::Turn;
use crate::model::Moment;

/// Between two messages: about as fast as a hand taps.
const BEAT: Duration = Duration::from_millis(333);

/// Messages of one test streak; as high as counts are celebrated. Beyond:
/// clamped.
pub(super) const MOST_DRILLED: u32 = 1_000;

/// What is left of a test streak on stage. It has no sender and no gifts, so
/// that it counts nowhere.
#[derive(Debug)]
pub(super) struct Drill {
    left: u32,
    /// When the next message comes, or, after the last, the end.
    pub next: Moment,
}

impl Drill {
    /// What follows the message that starts the act.
    pub fn of(turn: &Turn, now: Moment) -> Option<Self> {
        let left = turn.drill.checked_sub(1)?;
        let next = now + BEAT;
        Some(Self { left, next })
    }
}

impl Show {
    /// Lets the test streaks go on whose time has come.
    pub(super) fn go_on_with_drills(&mut self) {
        while self.next_drill <= self.now && !self.is_paused() {
            let due = self.next_drill;
            let acts: Vec<ActId> = self.acts.keys().copied().collect();
            acts.into_iter().for_each(|id| self.go_on_with(id, due));
            let drills = self.acts.values().filter_map(|act| act.drill.as_ref());
            self.next_drill = drills.map(|drill| drill.next).min().unwrap_or(Moment::MAX);
        }
    }

    fn go_on_with(&mut self, id: ActId, due: Moment) {
        let Some(act) = self.acts.get_mut(&id) else {
            return;
        };
        let Some(drill) = act.drill.as_mut().filter(|drill| drill.next <= due) else {
            return;
        };
        if act.phase != Phase::Open {
            act.drill = None;
        } else if drill.left == 0 {
            act.drill = None;
            self.climax(id);
        } else {
            drill.left -= 1;
            drill.next += BEAT;
            let combo = act.turn.tally.combo + 1;
            let one = Delta {
                quantity: 1,
                value: 0.0,
            };
            self.swell(id, one, combo);
        }
    }
}
