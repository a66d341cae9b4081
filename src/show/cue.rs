//! What the show tells the stage: cues, and the acts they are about.

use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Lane;
use crate::model::{Badge, GiftType, Moment, Outcome, Private, Word};

/// One animation on stage; unique for the life of a [`Show`](super::Show).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActId(pub u64);

/// What the show wants the stage to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Cue {
    Start(Box<ActStart>),
    /// The act's gift came again: its counter climbs, its particles intensify.
    /// However many gifts arrived since the last poll, an act grows once.
    Grow {
        act: ActId,
        tally: Tally,
        /// The highest [milestone](super::milestone) that this growth crossed.
        combo: Option<u32>,
    },
    /// A streak ended: one climax, scaled by the total; the act then plays out
    /// and the stage reports `finished`.
    Climax {
        act: ActId,
        tally: Tally,
    },
    /// A long streak leaves its scarce lane with a climax and goes on as a
    /// small counter in the ambient lane.
    Shrink {
        act: ActId,
        tally: Tally,
        /// Its place in the ambient lane, below 128: above the lane's bound
        /// when the lane was full.
        slot: usize,
    },
    /// Skip or clear: leave the stage quickly (within 300 ms) and report
    /// `finished`.
    Dismiss {
        act: ActId,
    },
    /// Stage-wide: the clock of every act stands still or runs again.
    Paused(bool),
    Muted(bool),
    /// 0.0 to 1.0.
    Volume(f32),
}

/// Everything a stage needs to start an act.
#[derive(Debug, Clone, PartialEq)]
pub struct ActStart {
    pub act: ActId,
    /// What was given; [`MIXED`](super::MIXED) for a bundle of several unknown
    /// types and [`RECAP`](super::RECAP) after do-not-disturb.
    pub gift_type: GiftType,
    pub lane: Lane,
    /// Which of the lane's places is free, 0 to the lane's bound - 1.
    pub slot: usize,
    pub by: Senders,
    /// May already stand for many gifts that came while the act waited; its
    /// combo may already have passed a [milestone](super::milestone).
    pub tally: Tally,
    /// When the first gift that it stands for arrived.
    pub arrived: Moment,
    /// How long the act lasts, already clamped, stretched by the gift's own wish
    /// and shortened under backlog. An open streak's act lasts as its streak
    /// does: it is held at its sustain until `Climax`.
    pub duration: Duration,
    /// The act stays on stage until its streak ends.
    pub open_streak: bool,
    /// A test, replay or recap: counts nowhere.
    pub rehearsal: bool,
}

/// Who an act is from.
#[derive(Debug, Clone, PartialEq)]
pub enum Senders {
    One {
        name: Private<Word>,
        avatar_url: Option<Private<Arc<str>>>,
        badge: Option<Badge>,
    },
    /// A bundle: "from 31 people".
    Many(u32),
}

/// What an act stands for so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Gifts counted into the act, deltas only.
    pub quantity: u64,
    /// The streak's running total to be shown as a combo; 0 for none.
    pub combo: u32,
    /// Value, deltas only; finite.
    pub value: f64,
}

impl Tally {
    /// Adds what one message brought; the combo only ever climbs.
    pub(super) fn add(&mut self, delta: Delta, combo: u32) {
        self.quantity = self.quantity.saturating_add(delta.quantity);
        self.value = add_value(self.value, delta.value);
        self.combo = self.combo.max(combo);
    }
}

/// What one message adds to every total.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Delta {
    pub quantity: u64,
    pub value: f64,
}

/// Sums values that are finite and not negative without ever leaving f64.
pub(super) fn add_value(total: f64, more: f64) -> f64 {
    (total + more).min(f64::MAX)
}

/// What [`Show::poll`](super::Show::poll) yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Cue(Cue),
    Outcome(Outcome),
}
