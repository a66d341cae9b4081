//! Plays one gift again and again, at the artist's pace: the owner of a
//! preview's clock.
//!
//! Particles only move forwards. To go back, the gift begins again and runs to
//! the moment that is wanted, frame by frame, as fast as they can be drawn.

use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;

use super::timeline::Timeline;
use crate::catalog::Recipe;
use crate::cli::Occasion;
use crate::engine::still::{CLEARING, SETTLE_FRAMES, has_arrived, is_bare};
use crate::model::Control;
use crate::render::Warmup;
use crate::stage::{Act, Director};

/// Stage time in which a wanted moment is run to.
const STRIDE: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// A frame that took longer than this moves the stage no further, so that
/// nothing is missed on a slow machine.
const LONGEST: Duration = Duration::from_millis(66);
/// Seconds between the end and the next beginning.
const PAUSE: f32 = 0.35;

/// What the artist wants played, and where it is.
#[derive(Resource)]
pub struct Player {
    gift: String,
    timeline: Timeline,
    phase: Phase,
    /// Messages of the timeline that were said.
    said: usize,
    /// Whether the clock runs.
    pub is_playing: bool,
    /// Whether the gift begins again when it is over.
    pub is_looping: bool,
    /// The moment to be run to, seconds from the beginning.
    target: Option<f32>,
    /// Seconds from the beginning at the last frame.
    now: f32,
    last_frame: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// What played before passes.
    Clearing,
    /// The gift was given and is not on stage yet.
    Entering,
    /// The clock stands until everything is there; so many frames at least.
    Arriving(u32),
    Playing,
    /// Seconds since the end.
    Over(f32),
}

impl Player {
    pub fn new(gift: &str, recipe: &Recipe, occasion: &Occasion) -> Self {
        Self {
            gift: gift.to_owned(),
            timeline: Timeline::of(recipe, gift, occasion),
            phase: Phase::Clearing,
            said: 0,
            is_playing: true,
            is_looping: true,
            target: None,
            now: 0.0,
            last_frame: None,
        }
    }

    /// Plays something else, or the same otherwise. Who stands at a moment
    /// stays there.
    pub fn change(&mut self, gift: &str, recipe: &Recipe, occasion: &Occasion) {
        let stays = !self.is_playing && gift == self.gift;
        self.gift = gift.to_owned();
        self.timeline = Timeline::of(recipe, gift, occasion);
        self.restart(stays.then_some(self.now));
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Seconds from the beginning: where it is, or is on its way to.
    pub fn now(&self) -> f32 {
        self.target.unwrap_or(self.now)
    }

    /// Goes to a moment, seconds from the beginning.
    pub fn go_to(&mut self, at: f32) {
        let at = at.clamp(0.0, self.timeline.end);
        let is_behind = at < self.now || matches!(self.phase, Phase::Over(_));
        // One that is still on its way to its beginning only learns its goal.
        if is_behind && matches!(self.phase, Phase::Playing | Phase::Over(_)) {
            self.restart(Some(at));
        } else {
            self.target = Some(at);
        }
    }

    /// Plays and stands in turn; one that is over begins again.
    pub fn toggle(&mut self) {
        self.is_playing = !self.is_playing;
        if self.is_playing && matches!(self.phase, Phase::Over(_)) {
            self.restart(None);
        }
    }

    /// Whether the stage changes without the artist's doing anything.
    pub fn is_busy(&self) -> bool {
        match self.phase {
            Phase::Clearing | Phase::Entering | Phase::Arriving(_) => true,
            Phase::Playing => self.is_playing || self.target.is_some(),
            Phase::Over(_) => self.is_playing && self.is_looping,
        }
    }

    fn restart(&mut self, target: Option<f32>) {
        self.phase = Phase::Clearing;
        self.said = 0;
        self.now = 0.0;
        self.target = target;
    }

    /// By how much the stage's clock moves with the next frame, `real` after
    /// the last one.
    fn next_step(&mut self, world: &mut World, real: Duration) -> Duration {
        let now = world.resource::<Time<Real>>().elapsed();
        match self.phase {
            Phase::Clearing => {
                let is_bare = is_bare(world);
                let show = &mut world.resource_mut::<Director>().show;
                if !is_bare {
                    show.control(now, Control::Clear);
                    return CLEARING;
                }
                show.offer(now, self.timeline.messages[0].1.clone());
                self.said = 1;
                self.phase = Phase::Entering;
                STRIDE
            }
            Phase::Entering => {
                if elapsed(world).is_some() {
                    self.phase = Phase::Arriving(SETTLE_FRAMES);
                    return Duration::ZERO;
                }
                STRIDE
            }
            Phase::Arriving(frames) => {
                if frames > 0 || !has_arrived(world) {
                    self.phase = Phase::Arriving(frames.saturating_sub(1));
                    return Duration::ZERO;
                }
                self.phase = Phase::Playing;
                self.play(world, real)
            }
            Phase::Playing => self.play(world, real),
            Phase::Over(since) => {
                if self.is_playing && self.is_looping {
                    if since > PAUSE {
                        self.restart(None);
                    } else {
                        self.phase = Phase::Over(since + real.as_secs_f32());
                    }
                }
                Duration::ZERO
            }
        }
    }

    fn play(&mut self, world: &mut World, real: Duration) -> Duration {
        let elapsed = elapsed(world);
        let Some(elapsed) = elapsed.filter(|now| *now < self.timeline.end + PAUSE) else {
            self.target = None;
            self.phase = Phase::Over(0.0);
            return Duration::ZERO;
        };
        self.now = elapsed;
        let now = world.resource::<Time<Real>>().elapsed();
        while let Some((at, gift)) = self.timeline.messages.get(self.said)
            && *at <= elapsed
        {
            let show = &mut world.resource_mut::<Director>().show;
            show.offer(now, gift.clone());
            self.said += 1;
        }
        if let Some(target) = self.target {
            let left = Duration::from_secs_f32((target - elapsed).max(0.0));
            if left > Duration::from_millis(1) {
                return left.min(STRIDE);
            }
            self.target = None;
        }
        if self.is_playing {
            real.min(LONGEST)
        } else {
            Duration::ZERO
        }
    }
}

/// Seconds that the act has been on stage.
fn elapsed(world: &mut World) -> Option<f32> {
    let mut acts = world.query::<&Act>();
    acts.iter(world).map(|act| act.elapsed).next()
}

/// Decides how far the coming frame moves the stage.
#[expect(
    clippy::disallowed_methods,
    reason = "the preview owns the clock that its stage follows"
)]
pub fn conduct(world: &mut World) {
    let Some(mut player) = world.remove_resource::<Player>() else {
        return;
    };
    let now = Instant::now();
    let real = player
        .last_frame
        .replace(now)
        .map_or(Duration::ZERO, |last| now - last);
    let step = if world.resource::<Warmup>().is_done() {
        TimeUpdateStrategy::ManualDuration(player.next_step(world, real))
    } else {
        // Pipelines take real time, and warming up counts it.
        TimeUpdateStrategy::Automatic
    };
    world.insert_resource(step);
    world.insert_resource(player);
}
