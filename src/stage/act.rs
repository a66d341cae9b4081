//! An act: one animation on stage, and its clock.

use std::sync::Arc;

use bevy::prelude::*;

use crate::catalog::{FALLBACK, Lane, Recipe};
use crate::model::GiftType;
use crate::show::{ActId, ActStart, Senders, Tally};

/// How long a dismissed act takes to fade, seconds: short enough that it is
/// gone within 300 ms at 30 frames a second.
const DISMISS_SECONDS: f32 = 0.23;
/// How long an act fades at most when it ends before its timeline does, seconds.
const LEAVE_SECONDS: f32 = 0.4;
/// The least time between two growths that the picture shows, seconds. Sparks
/// at every gift of a fast streak would flash; WCAG 2.3.1 allows three flashes
/// a second, and the gift's own light may need one.
const SWELL_SECONDS: f32 = 0.5;
/// How far a recipe's timeline is stretched; beyond that it is held at its sustain
/// point.
const SLOWEST: f32 = 0.5;

/// How far it is squeezed; beyond that the exit comes early. What moves twice as fast
/// flickers twice as often, and a backend may ask for any duration: only small gifts,
/// which a crowd hurries, are squeezed so far.
fn fastest(lane: Lane) -> f32 {
    match lane {
        Lane::Ambient => 2.0,
        Lane::Feature | Lane::Headline => 1.25,
    }
}

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
    /// What the caption calls the gift.
    pub title: Arc<str>,
    /// Whether it stands for a streak, whose count climbs.
    pub streak: bool,
    /// Varies what is random from act to act, the same in every run.
    pub seed: u32,
    /// Seconds on the recipe's own timeline.
    pub age: f32,
    /// Seconds of stage time since it appeared, never held.
    pub elapsed: f32,
    /// Set when a long streak went on as a small counter.
    pub shrunk: bool,
    phase: Phase,
    /// What came since the picture last grew.
    owed: Option<Owed>,
    /// `elapsed` when the picture last grew.
    swelled_at: f32,
    /// Recipe seconds per second.
    rate: f32,
    /// Seconds the timeline still has to wait at its sustain point.
    hold: f32,
    /// Where an act whose time is too short for its timeline is cut off.
    cut: Option<Cut>,
}

/// Heights of acts within a layer, more than there are acts on stage.
const LIFTS: u64 = 400;
/// From one to the next, stage units.
const LIFT: f32 = 1e-5;

/// Where an act is in its life.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// The timeline runs; an open one stops at the sustain point.
    Playing { open: bool },
    /// It fades before its timeline is over.
    Leaving { left: f32, of: f32 },
    /// It fades at once, on a stage that stands still too: who clears a paused
    /// stage wants it empty.
    Dismissed { left: f32 },
    /// Nothing of it is to be seen any more.
    Over { was_dismissed: bool },
}

/// A growth that the picture has yet to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owed {
    /// The highest combo milestone in it.
    combo: Option<u32>,
}

/// When an early exit begins and how long it takes, seconds on stage.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: f32,
    fade: f32,
}

/// The act's gift came again: counters and sounds answer each time.
#[derive(EntityEvent, Debug)]
pub struct Grew {
    pub entity: Entity,
    /// The highest combo milestone that was crossed.
    pub combo: Option<u32>,
}

/// The picture answers the gifts that came since it last did: at once, but
/// never so often that it flashes.
#[derive(EntityEvent, Debug)]
pub struct Swelled {
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
        // The end of an open streak, not a duration, ends its act.
        let wanted = if start.open_streak {
            natural
        } else {
            start.duration.as_secs_f32().max(0.1)
        };
        // A video's own sound has one pace, and its picture goes with it.
        let rate = match recipe.video {
            Some(_) => 1.0,
            None => (natural / wanted).clamp(SLOWEST, fastest(start.lane)),
        };
        let spare = wanted - natural / rate;
        Self {
            id: start.act,
            lane: start.lane,
            slot: start.slot,
            by: start.by,
            tally: start.tally,
            title: gift_title(&recipe, &start.gift_type),
            streak: start.open_streak,
            seed: (start.act.0 as u32).wrapping_mul(0x9E37_79B9),
            age: 0.0,
            elapsed: 0.0,
            shrunk: false,
            phase: Phase::Playing {
                open: start.open_streak,
            },
            owed: None,
            swelled_at: f32::NEG_INFINITY,
            rate,
            hold: spare.max(0.0),
            cut: (spare < 0.0).then(|| Cut::within(wanted)),
            recipe,
        }
    }

    /// Moves the act's clock on by `dt` seconds of stage time, which took
    /// `real` seconds.
    pub(super) fn advance(&mut self, dt: f32, real: f32) {
        self.elapsed += dt;
        match &mut self.phase {
            Phase::Playing { open } => {
                let open = *open;
                self.age = self.next_age(dt, open);
                if !open && self.age >= self.recipe.duration.as_secs_f32() {
                    self.phase = Phase::Over {
                        was_dismissed: false,
                    };
                } else if let Some(cut) = self.cut.filter(|cut| self.elapsed >= cut.at) {
                    self.phase = Phase::Leaving {
                        left: cut.at + cut.fade - self.elapsed,
                        of: cut.fade,
                    };
                }
            }
            Phase::Leaving { left, .. } => {
                self.age += dt * self.rate;
                *left -= dt;
                if *left <= 0.0 {
                    self.phase = Phase::Over {
                        was_dismissed: false,
                    };
                }
            }
            Phase::Dismissed { left } => {
                self.age += dt * self.rate;
                *left -= real;
                if *left <= 0.0 {
                    self.phase = Phase::Over {
                        was_dismissed: true,
                    };
                }
            }
            Phase::Over { .. } => {}
        }
    }

    /// The timeline `dt` seconds on, with what it waits at the sustain point.
    fn next_age(&mut self, dt: f32, open: bool) -> f32 {
        let next = self.age + dt * self.rate;
        let sustain = self.recipe.sustain;
        if open {
            // An open streak goes back to live its last seconds again, where
            // the recipe has something to repeat.
            let back = if next > sustain {
                self.recipe.repeats
            } else {
                0.0
            };
            return (next - back).min(sustain.max(self.age));
        }
        if self.age > sustain || next <= sustain {
            return next;
        }
        let waited = ((next - sustain) / self.rate).min(self.hold);
        self.hold -= waited;
        next - waited * self.rate
    }

    pub(super) fn grow(&mut self, tally: Tally, combo: Option<u32>) {
        self.tally = tally;
        let owed = self.owed.map_or(combo, |owed| owed.combo.max(combo));
        self.owed = Some(Owed { combo: owed });
    }

    /// The growth that the picture shows now, if one is owed and the last is
    /// long enough ago: the combo in it.
    pub(super) fn swell(&mut self) -> Option<Option<u32>> {
        if self.elapsed - self.swelled_at < SWELL_SECONDS {
            return None;
        }
        let owed = self.owed.take()?;
        self.swelled_at = self.elapsed;
        Some(owed.combo)
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
            // What is left of the timeline is the finale.
            *open = false;
        }
    }

    /// Plays `fallback` from its beginning, at its own pace; who gave what
    /// stays. False for an act on its way out, which is not begun again.
    pub(super) fn fall_back(&mut self, fallback: Arc<Recipe>) -> bool {
        if !matches!(self.phase, Phase::Playing { .. }) {
            return false;
        }
        self.age = 0.0;
        self.rate = 1.0;
        self.hold = 0.0;
        self.cut = None;
        self.recipe = fallback;
        true
    }

    pub(super) fn dismiss(&mut self) {
        let presence = self.presence();
        if !matches!(self.phase, Phase::Dismissed { .. } | Phase::Over { .. }) {
            self.phase = Phase::Dismissed {
                left: DISMISS_SECONDS * presence,
            };
        }
    }

    /// Whether the act waits at its sustain point for its streak to end.
    pub fn is_sustained(&self) -> bool {
        self.phase == (Phase::Playing { open: true }) && self.age >= self.recipe.sustain
    }

    /// Where its timeline is going to wait, or waits, seconds on it; `None` when it
    /// runs to its end.
    pub fn waits_at(&self) -> Option<f32> {
        let Phase::Playing { open } = self.phase else {
            return None;
        };
        let sustain = self.recipe.sustain;
        let is_stretched = self.hold > 0.0 && self.age <= sustain;
        (open || is_stretched).then_some(sustain)
    }

    /// Whether it goes, or went, at its host's word, and not at its own time.
    pub fn is_dismissed(&self) -> bool {
        matches!(
            self.phase,
            Phase::Dismissed { .. }
                | Phase::Over {
                    was_dismissed: true
                }
        )
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over { .. })
    }

    /// 1 while the act plays, falling to 0 while it leaves early or is dismissed.
    pub fn presence(&self) -> f32 {
        match self.phase {
            Phase::Playing { .. } => 1.0,
            Phase::Leaving { left, of } => (left / of).clamp(0.0, 1.0),
            Phase::Dismissed { left } => (left / DISMISS_SECONDS).clamp(0.0, 1.0),
            Phase::Over { .. } => 0.0,
        }
    }

    /// How far above others of its layer it is drawn: later acts over earlier ones.
    /// Which of two at the same height would be on top differs from run to run. Less
    /// than the layers are apart, and than the pictures of one act.
    pub fn lift(&self) -> f32 {
        (self.id.0 % LIFTS) as f32 * LIFT
    }

    /// How much more there is to see than for one gift: 1 for one, about 2 for
    /// 10, 3 for 100, capped at 4. Emitters multiply their counts by it.
    pub fn intensity(&self) -> f32 {
        (1.0 + (self.tally.quantity.max(1) as f32).log10()).min(4.0)
    }

    /// Real seconds until the timeline is at its sustain point, where a finale
    /// begins; 0 from there on.
    pub fn seconds_to_sustain(&self) -> f32 {
        ((self.recipe.sustain - self.age) / self.rate).max(0.0)
    }

    /// Real seconds until the recipe's timeline is over, were it not held.
    pub fn seconds_left(&self) -> f32 {
        ((self.recipe.duration.as_secs_f32() - self.age) / self.rate).max(0.0)
    }
}

impl Cut {
    /// The exit of an act that is to last `seconds` in all: at most half of it
    /// is spent fading.
    fn within(seconds: f32) -> Self {
        let fade = LEAVE_SECONDS.min(seconds / 2.0);
        Self {
            at: seconds - fade,
            fade,
        }
    }
}

/// A gift of the catalogue has its name; any other is called what it is.
pub fn gift_title(recipe: &Recipe, gift_type: &GiftType) -> Arc<str> {
    if &*recipe.key == FALLBACK {
        gift_type.as_str().into()
    } else {
        recipe.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::catalog::Catalog;

    const FRAME: f32 = 1.0 / 60.0;

    /// An open streak of a gift that waits at second 2 and repeats the half
    /// second before it.
    fn streak() -> Act {
        let text = r##"
            lanes = { feature = 100, headline = 1000 }
            [fallback]
            name = "Gift"
            kind = "particle"
            seconds = 4
            sustain = 2
            repeats = 0.5
            accents = ["#FFFFFF", "#FFFFFF"]
        "##;
        let catalog = Catalog::parse(text, Path::new("catalog.toml")).unwrap();
        let start = ActStart {
            act: ActId(1),
            gift_type: "rose".into(),
            lane: Lane::Ambient,
            slot: 0,
            by: Senders::Many(2),
            tally: Tally::default(),
            arrived: crate::model::Moment::ZERO,
            duration: catalog.fallback.duration,
            open_streak: true,
            rehearsal: false,
        };
        Act::new(start, catalog.fallback)
    }

    #[test]
    fn an_open_streak_repeats_the_stretch_before_its_sustain_point() {
        let mut act = streak();
        let mut seen = Vec::new();
        for _ in 0..600 {
            act.advance(FRAME, FRAME);
            if act.elapsed > 2.1 {
                seen.push(act.age);
            }
        }
        let least = seen.iter().copied().fold(f32::MAX, f32::min);
        let most = seen.iter().copied().fold(f32::MIN, f32::max);
        assert!((1.5..1.6).contains(&least), "{least}");
        assert!((1.9..=2.0).contains(&most), "{most}");
    }

    /// A video of four seconds that waits at second 2, asked to last for `wanted`.
    fn film(wanted: f32) -> Act {
        let text = r##"
            lanes = { feature = 100, headline = 1000 }
            [fallback]
            name = "Gift"
            kind = "particle"
            seconds = 2
            accents = ["#FFFFFF", "#FFFFFF"]
            [gift.film]
            name = "Film"
            kind = "video"
            seconds = 4
            sustain = 2
            accents = ["#FFFFFF", "#FFFFFF"]
            video = { file = "film.mp4", size = 800 }
        "##;
        let catalog = Catalog::parse(text, Path::new("catalog.toml")).unwrap();
        let start = ActStart {
            act: ActId(1),
            gift_type: "film".into(),
            lane: Lane::Headline,
            slot: 0,
            by: Senders::Many(2),
            tally: Tally::default(),
            arrived: crate::model::Moment::ZERO,
            duration: std::time::Duration::from_secs_f32(wanted),
            open_streak: false,
            rehearsal: false,
        };
        Act::new(start, catalog.recipe("film").clone())
    }

    #[test]
    fn a_video_keeps_the_pace_of_its_sound_however_long_it_is_to_last() {
        let mut long = film(10.0);
        let mut short = film(3.0);
        for _ in 0..90 {
            long.advance(FRAME, FRAME);
            short.advance(FRAME, FRAME);
        }
        for age in [long.age, short.age] {
            assert!((age - 1.5).abs() < 1e-3, "{age}");
        }
        assert_eq!((long.waits_at(), short.waits_at()), (Some(2.0), None));
        // Six seconds of waiting, then the second half.
        for _ in 0..60 * 6 {
            long.advance(FRAME, FRAME);
        }
        assert_eq!(long.age, 2.0);
        for _ in 0..60 {
            long.advance(FRAME, FRAME);
        }
        assert!((long.age - 2.5).abs() < 1e-2, "{}", long.age);
        assert_eq!(long.waits_at(), None);
        // The other is cut short.
        for _ in 0..95 {
            short.advance(FRAME, FRAME);
        }
        assert!(short.is_over());
    }

    #[test]
    fn a_finale_begins_where_the_timeline_goes_on() {
        let mut act = streak();
        for _ in 0..130 {
            act.advance(FRAME, FRAME);
        }
        act.climax(Tally::default());
        let wait = act.seconds_to_sustain();
        assert!((0.0..0.5).contains(&wait), "{wait}");
        for _ in 0..((wait / FRAME) as usize + 2) {
            act.advance(FRAME, FRAME);
        }
        assert!(
            act.age > 2.0,
            "it went on past the sustain point: {}",
            act.age
        );
    }
}
