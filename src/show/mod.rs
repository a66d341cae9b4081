//! From gifts to cues: which act starts, grows, climaxes or ends, and when.
//!
//! Pure: no clock, no Bevy, no I/O. Inputs are [`Show::offer`],
//! [`Show::presented`], [`Show::finished`], [`Show::failed`] and
//! [`Show::control`]; [`Show::poll`] yields cues and outcomes. The same code
//! decides on stage, in virtual time and in tests.

use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Lane;
use crate::model::{Gift, GiftType, Moment, Outcome, Private};

/// One animation on stage; unique for the life of a [`Show`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActId(pub u64);

/// What the show wants the stage to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Cue {
    Start(Box<ActStart>),
    /// The act's gift came again: its counter climbs, its particles intensify.
    Grow {
        act: ActId,
        tally: Tally,
        /// Milestones of 5, 10, 25, 50, 100, 250, 500, 1000 that this growth
        /// crossed, the highest of them.
        combo: Option<u32>,
    },
    /// A streak ended: one climax, scaled by the total; the act then plays out
    /// and the stage reports `finished`.
    Climax {
        act: ActId,
        tally: Tally,
    },
    /// A long streak leaves its scarce lane and goes on as a small counter.
    Shrink {
        act: ActId,
        tally: Tally,
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
    pub gift_type: GiftType,
    pub lane: Lane,
    /// Which of the lane's places is free, 0 to the lane's bound - 1.
    pub slot: usize,
    pub by: Senders,
    pub tally: Tally,
    /// How long the act lasts at ordinary load, already clamped, stretched by
    /// the gift's own wish and shortened under backlog. An open streak's act is
    /// held at its sustain until `Climax`.
    pub duration: Duration,
    /// `animation.type` of the gift, for recipes with variants.
    pub variant: Option<Arc<str>>,
    /// The act stays on stage until its streak ends.
    pub open_streak: bool,
    /// A test, replay or recap: counts nowhere.
    pub rehearsal: bool,
}

/// Who an act is from.
#[derive(Debug, Clone, PartialEq)]
pub enum Senders {
    One {
        name: Private<Arc<str>>,
        avatar_url: Option<Private<Arc<str>>>,
    },
    /// A bundle: "from 31 people".
    Many(u32),
}

/// What an act stands for so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    /// Gifts counted into the act, deltas only.
    pub quantity: u64,
    /// The streak's running total to be shown as a combo; 0 for none.
    pub combo: u32,
    /// Value, deltas only.
    pub value: f64,
}

/// What [`Show::poll`] yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Cue(Cue),
    Outcome(Outcome),
}
