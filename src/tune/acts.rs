//! A stage that shows nothing: when acts are presented and when they leave.
//!
//! It keeps the clock that an act has on stage (`stage/act.rs`), in closed form:
//!
//! - An ordinary act lasts exactly as long as its cue says: where the time is
//!   longer than the recipe's timeline it is held, where it is shorter it is cut.
//! - An open streak's act runs to its recipe's sustain point, repeats the stretch
//!   before it or stands still there, and after its climax plays what is left.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Recipe;
use crate::model::Moment;
use crate::show::{ActId, ActStart};

/// From an act's start to the frame that first shows it, at 60 a second.
pub(super) const FRAME: Duration = Duration::from_nanos(16_666_667);

/// What the stage tells the show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Report {
    Presented(ActId),
    Finished(ActId),
}

/// The acts on stage; as many as the show's lanes let start.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// What holds: acts whose streak goes on, since when they play.
    open: HashMap<ActId, (Moment, Arc<Recipe>)>,
    /// Acts on their first frame, in the order in which they started.
    fresh: VecDeque<(Moment, ActId)>,
    ends: BinaryHeap<Reverse<(Moment, ActId)>>,
}

impl Acts {
    pub fn start(&mut self, now: Moment, start: &ActStart, recipe: &Arc<Recipe>) {
        self.fresh.push_back((now + FRAME, start.act));
        if start.open_streak {
            self.open.insert(start.act, (now, recipe.clone()));
        } else {
            self.ends.push(Reverse((now + start.duration, start.act)));
        }
    }

    /// The act's streak has ended.
    pub fn climax(&mut self, now: Moment, act: ActId) {
        if let Some((since, recipe)) = self.open.remove(&act) {
            let left = recipe
                .duration
                .saturating_sub(held_at(&recipe, now - since));
            self.ends.push(Reverse((now + left, act)));
        }
    }

    pub fn is_bare(&self) -> bool {
        self.open.is_empty() && self.ends.is_empty()
    }

    /// When there is something to tell.
    pub fn next_report(&self) -> Option<Moment> {
        let presented = self.fresh.front().map(|(at, _)| *at);
        let finished = self.ends.peek().map(|Reverse((at, _))| *at);
        [presented, finished].into_iter().flatten().min()
    }

    /// What has happened by `now` and was not told yet.
    pub fn report(&mut self, now: Moment) -> Option<Report> {
        if let Some((_, act)) = self.fresh.pop_front_if(|(at, _)| *at <= now) {
            return Some(Report::Presented(act));
        }
        let Reverse((at, act)) = *self.ends.peek()?;
        (at <= now).then(|| {
            self.ends.pop();
            Report::Finished(act)
        })
    }
}

/// Where on its recipe's timeline an open streak's act is after playing for
/// `played`.
fn held_at(recipe: &Recipe, played: Duration) -> Duration {
    let sustain = Duration::from_secs_f32(recipe.sustain);
    let Some(beyond) = played.checked_sub(sustain) else {
        return played;
    };
    if recipe.repeats <= 0.0 {
        return sustain;
    }
    let into = beyond.as_secs_f32() % recipe.repeats;
    Duration::from_secs_f32((recipe.sustain - recipe.repeats + into).max(0.0))
}
