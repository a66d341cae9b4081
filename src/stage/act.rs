//! An act: one animation on stage, and its clock.

use std::sync::Arc;

use bevy::prelude::*;

use crate::catalog::{FALLBACK, Lane, Recipe};
use crate::model::GiftType;
use crate::show::{ActId, ActStart, Senders, Tally};

/// How long a dismissed act takes to leave, seconds.
const DISMISS_SECONDS: f32 = 0.3;
/// How long any act takes to fade when it ends before its recipe does, seconds.
const LEAVE_SECONDS: f32 = 0.4;
/// A recipe's timeline is stretched and squeezed within these; beyond them the
/// climax is held or the exit comes early.
const RATE: std::ops::RangeInclusive<f32> = 0.5..=2.0;

/// One animation on stage. Pictures, particles and sound attach when it appears
/// and go when it is removed.
#[derive(Component, Debug)]
pub struct Act {
    pub id: ActId,
    pub recipe: Arc<Recipe>,
    pub lane: Lane,
    /// The lane's place, 0 to its bound - 1.
    pub slot: usize,
    pub by: Senders,
    pub tally: Tally,
    pub variant: Option<Arc<str>>,
    /// What the caption calls the gift.
    pub title: Arc<str>,
    /// Whether it stands for a streak, whose count climbs.
    pub streak: bool,
    /// Varies what is random from act to act, the same in every run.
    pub seed: u32,
    /// Seconds on the recipe's own timeline.
    pub age: f32,
    /// Seconds on stage, never held.
    pub elapsed: f32,
    /// Set when a long streak went on as a small counter.
    pub shrunk: bool,
    phase: Phase,
    /// Recipe seconds per second.
    rate: f32,
    /// Seconds after which the act leaves whatever its timeline says.
    ends_at: f32,
    /// Seconds the timeline still has to wait at its sustain point.
    hold: f32,
}

/// Where an act is in its life.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// The timeline runs; an open one stops at the sustain point.
    Playing { open: bool },
    /// It fades, whatever the timeline says.
    Leaving { left: f32, of: f32 },
    /// Nothing of it is to be seen any more.
    Over,
}

/// The act's gift came again.
#[derive(EntityEvent, Debug)]
pub struct Grew {
    pub entity: Entity,
    /// The highest combo milestone that was crossed.
    pub combo: Option<u32>,
}

/// The act's streak ended: the finale.
#[derive(EntityEvent, Debug)]
pub struct Climaxed {
    pub entity: Entity,
}

/// The act goes on as a small counter.
#[derive(EntityEvent, Debug)]
pub struct Shrank {
    pub entity: Entity,
}

/// What an act needs could not be used; said by whoever shows it.
#[derive(EntityEvent, Debug)]
pub struct AssetFailed {
    pub entity: Entity,
    /// Names the file and what is wrong with it.
    pub reason: Arc<str>,
}

/// The act begins again with the fallback's recipe.
#[derive(EntityEvent, Debug)]
pub struct FellBack {
    pub entity: Entity,
}

impl Act {
    pub(super) fn new(start: ActStart, recipe: Arc<Recipe>) -> Self {
        let natural = recipe.duration.as_secs_f32();
        let wanted = start.duration.as_secs_f32().max(0.1);
        let rate = (natural / wanted).clamp(*RATE.start(), *RATE.end());
        Self {
            id: start.act,
            lane: start.lane,
            slot: start.slot,
            by: start.by,
            tally: start.tally,
            variant: start.variant,
            title: gift_title(&recipe, &start.gift_type),
            streak: start.open_streak,
            seed: (start.act.0 as u32).wrapping_mul(0x9E37_79B9),
            age: 0.0,
            elapsed: 0.0,
            shrunk: false,
            phase: Phase::Playing {
                open: start.open_streak,
            },
            rate,
            ends_at: if start.open_streak {
                f32::INFINITY
            } else {
                wanted
            },
            hold: (wanted - natural / rate).max(0.0),
            recipe,
        }
    }

    /// Moves the act's clock on by `dt` seconds of stage time.
    pub(super) fn advance(&mut self, dt: f32) {
        self.elapsed += dt;
        match &mut self.phase {
            Phase::Playing { open } => {
                let mut next = self.age + dt * self.rate;
                let sustain = self.recipe.sustain;
                if *open {
                    next = next.min(sustain.max(self.age));
                } else if self.age <= sustain && next > sustain && self.hold > 0.0 {
                    self.hold -= dt;
                    next = sustain;
                }
                self.age = next;
                if self.age >= self.recipe.duration.as_secs_f32() {
                    self.phase = Phase::Over;
                } else if self.elapsed >= self.ends_at - LEAVE_SECONDS
                    && self.age < self.recipe.duration.as_secs_f32() - LEAVE_SECONDS
                {
                    self.leave(LEAVE_SECONDS);
                }
            }
            Phase::Leaving { left, .. } => {
                self.age += dt * self.rate;
                *left -= dt;
                if *left <= 0.0 {
                    self.phase = Phase::Over;
                }
            }
            Phase::Over => {}
        }
    }

    pub(super) fn grow(&mut self, tally: Tally) {
        self.tally = tally;
    }

    pub(super) fn shrink(&mut self, tally: Tally, slot: usize) {
        self.tally = tally;
        self.shrunk = true;
        self.lane = Lane::Ambient;
        self.slot = slot;
    }

    pub(super) fn climax(&mut self, tally: Tally) {
        self.tally = tally;
        if let Phase::Playing { open } = &mut self.phase {
            *open = false;
            // What is left of the timeline is the finale: let it play out.
            self.rate = 1.0;
            self.ends_at = f32::INFINITY;
        }
    }

    /// Plays `fallback` from its beginning; who gave what stays.
    pub(super) fn fall_back(&mut self, fallback: Arc<Recipe>) {
        self.age = 0.0;
        self.rate = 1.0;
        self.hold = 0.0;
        self.recipe = fallback;
    }

    pub(super) fn dismiss(&mut self) {
        self.leave(DISMISS_SECONDS);
    }

    fn leave(&mut self, of: f32) {
        if !matches!(self.phase, Phase::Leaving { .. } | Phase::Over) {
            self.phase = Phase::Leaving { left: of, of };
        }
    }

    /// Whether the act waits at its sustain point for its streak to end.
    pub fn is_sustained(&self) -> bool {
        self.phase == (Phase::Playing { open: true }) && self.age >= self.recipe.sustain
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// 1 while the act plays, falling to 0 while it leaves early.
    pub fn presence(&self) -> f32 {
        match self.phase {
            Phase::Playing { .. } => 1.0,
            Phase::Leaving { left, of } => (left / of).clamp(0.0, 1.0),
            Phase::Over => 0.0,
        }
    }

    /// How much more there is to see than for one gift: 1 for one, about 2 for
    /// 10, 3 for 100, capped at 4. Emitters multiply their counts by it.
    pub fn intensity(&self) -> f32 {
        (1.0 + (self.tally.quantity.max(1) as f32).log10()).min(4.0)
    }

    /// Real seconds until the recipe's timeline is over, were it not held.
    pub fn seconds_left(&self) -> f32 {
        ((self.recipe.duration.as_secs_f32() - self.age) / self.rate).max(0.0)
    }
}

/// A gift of the catalogue has its name; any other is called what it is.
pub fn gift_title(recipe: &Recipe, gift_type: &GiftType) -> Arc<str> {
    if &*recipe.key == FALLBACK {
        gift_type.clone()
    } else {
        recipe.name.clone()
    }
}
