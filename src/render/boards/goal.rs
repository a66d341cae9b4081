//! How a goal moves: its bar fills with a spring, and reaching it is
//! celebrated with a little light, once.

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use super::content::progress;
use crate::catalog::Ease;
use crate::model::Goal;
use crate::render::beat::Beat;

/// How quickly the bar follows, 1/s: most of the way in half a second.
const STIFFNESS: f32 = 6.5;
/// Closer than this to where it goes, of the whole bar, it stands.
const STILL: f32 = 0.000_4;
/// A bar this full has arrived, as far as eyes go.
const ARRIVED: f32 = 0.985;
/// Seconds of celebration.
pub const CELEBRATION: f32 = 2.0;
/// Sparks of it.
pub const SPARKS: usize = 18;

/// The bar of the goal that is on, and whether it is being celebrated.
#[derive(Debug, Default)]
pub struct GoalMotion {
    /// What the goal is; progress of another one is no progress.
    of: Option<(std::sync::Arc<str>, std::sync::Arc<str>, f64)>,
    shown: f32,
    speed: f32,
    wanted: f32,
    /// It was reached while we watched, and the bar is not full yet.
    owed: bool,
    /// Seconds since the celebration began.
    celebrated: Option<f32>,
}

impl GoalMotion {
    /// Takes the goal as it stands.
    pub fn follow(&mut self, goal: Option<&Goal>) {
        let Some(goal) = goal else {
            *self = Self::default();
            return;
        };
        let of = (goal.kind.clone(), goal.description.clone(), goal.target);
        let wanted = progress(goal.current, goal.target);
        if self.of.as_ref() != Some(&of) {
            // A goal that is new, full or not, is no news.
            *self = Self {
                of: Some(of),
                ..Self::default()
            };
        } else if wanted >= 1.0 && self.wanted < 1.0 {
            self.owed = true;
        } else if wanted < 1.0 {
            self.owed = false;
        }
        self.wanted = wanted;
    }

    /// Moves on by `dt` seconds; true when the celebration begins.
    pub fn advance(&mut self, dt: f32) -> bool {
        // A critically damped spring, solved for the step: right for any step.
        let off = self.shown - self.wanted;
        let push = self.speed + STIFFNESS * off;
        let fade = (-STIFFNESS * dt).exp();
        self.shown = self.wanted + (off + push * dt) * fade;
        self.speed = (self.speed - STIFFNESS * push * dt) * fade;
        if (self.shown - self.wanted).abs() < STILL && self.speed.abs() < STILL * 10.0 {
            self.shown = self.wanted;
            self.speed = 0.0;
        }
        if let Some(t) = &mut self.celebrated {
            *t += dt;
            if *t >= CELEBRATION {
                self.celebrated = None;
            }
        }
        if self.owed && self.shown >= ARRIVED {
            self.owed = false;
            self.celebrated = Some(0.0);
            return true;
        }
        false
    }

    /// How full the bar is drawn, 0 to 1.
    pub fn fill(&self) -> f32 {
        self.shown.clamp(0.0, 1.0)
    }

    pub fn is_moving(&self) -> bool {
        self.shown != self.wanted || self.owed || self.celebrated.is_some()
    }

    /// How far into the celebration it is, in seconds.
    pub fn celebration(&self) -> Option<f32> {
        self.celebrated
    }

    /// How much larger than at rest the goal is drawn.
    pub fn swell(&self) -> f32 {
        let swing = self.celebrated.map_or(0.0, |t| Beat::first(0.0).swing(t));
        1.0 + 0.05 * swing
    }

    /// How strong the light around the panel is, 0 to 1.
    pub fn flare(&self) -> f32 {
        self.celebrated.map_or(0.0, |t| {
            let rise = Ease::InOut.apply((t / 0.18).min(1.0));
            let fall = Ease::InOut.apply(((t - 0.18) / 1.2).clamp(0.0, 1.0));
            rise - fall
        })
    }

    /// How bright the bar is; above 1 it blooms.
    pub fn shine(&self) -> f32 {
        self.celebrated.map_or(1.0, |t| {
            let rise = Ease::Out.apply((t / 0.15).min(1.0));
            let fall = Ease::InOut.apply(((t - 0.15) / 1.1).clamp(0.0, 1.0));
            1.0 + 0.9 * (rise - fall)
        })
    }
}

/// A spark `t` seconds into the celebration: where it is from the bar's middle,
/// in bar lengths along and stage units towards the side with more room, and
/// how large, 0 to 1.
pub fn spark(number: usize, t: f32) -> (Vec2, f32) {
    // The golden ratio spreads them along the bar without a pattern.
    let along = (number as f32 * 0.618_034 + 0.21).fract();
    let chance = (number as f32 * 0.754_877 + 0.43).fract();
    let delay = 0.16 * (along - 0.5).abs() * 2.0 + 0.05 * chance;
    let life = 0.9 + 0.7 * chance;
    let age = (t - delay) / life;
    if !(0.0..1.0).contains(&age) {
        return (Vec2::new(along - 0.5, 0.0), 0.0);
    }
    // Thrown, and slowed by the air.
    let thrown = 1.0 - (1.0 - age).powi(3);
    let height = 52.0 + 78.0 * (number as f32 * 0.569_84 + 0.1).fract();
    // A few go the other way, as far as the panel's edge.
    let way = if number % 4 == 3 { -0.55 } else { 1.0 };
    let drift = (along - 0.5) * 0.16;
    let at = Vec2::new(along - 0.5 + drift * thrown, way * height * thrown);
    let size = Ease::Out.apply((age / 0.12).min(1.0)) * (1.0 - age * age);
    (at, size * (0.5 + 0.5 * chance))
}

/// The filled bar's picture: its size with the light around it, and the bar
/// within, in stage units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FillShape {
    pub image: Vec2,
    pub bar: Vec2,
    pub mirrored: bool,
}

/// The bar filled to `fill`: three slices, so that its ends stay round. The
/// origin is the middle of the whole bar.
pub fn fill_mesh(shape: &FillShape, fill: f32) -> Mesh {
    let margin = (shape.image - shape.bar) / 2.0;
    let cap = margin.x + shape.bar.y / 2.0;
    let width = 2.0 * margin.x + (shape.bar.x * fill).max(shape.bar.y);
    let stops = [0.0, cap, width - cap, width];
    let along = [0.0, cap, shape.image.x - cap, shape.image.x].map(|x| x / shape.image.x);
    let half = shape.image / 2.0;
    let mut positions = Vec::with_capacity(8);
    let mut uvs = Vec::with_capacity(8);
    for (x, u) in stops.into_iter().zip(along) {
        // A mirrored bar's picture is mirrored, too, and grows from its end.
        let (x, u) = if shape.mirrored {
            (half.x - x, 1.0 - u)
        } else {
            (x - half.x, u)
        };
        positions.extend([[x, half.y, 0.0], [x, -half.y, 0.0]]);
        uvs.extend([[u, 0.0], [u, 1.0]]);
    }
    let mut indices = Vec::with_capacity(18);
    for column in 0..3_u32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|corner| column * 2 + corner);
        indices.extend([a, b, c, c, b, d]);
    }
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    // The layout of every other quad, and so its pipeline.
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 0.0, 1.0]; 8])
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
    .with_inserted_indices(Indices::U32(indices))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(current: f64, target: f64) -> Goal {
        Goal {
            kind: "gifts".into(),
            target,
            current,
            description: "a new chair".into(),
        }
    }

    /// Plays on for so many seconds; how often the celebration began.
    fn play(motion: &mut GoalMotion, seconds: f32) -> u32 {
        let steps = (seconds * 60.0) as u32;
        (0..steps)
            .map(|_| u32::from(motion.advance(1.0 / 60.0)))
            .sum()
    }

    #[test]
    fn a_bar_eases_to_its_place_and_stands() {
        let mut motion = GoalMotion::default();
        motion.follow(Some(&goal(250.0, 500.0)));
        assert_eq!(motion.fill(), 0.0, "it grows from nothing");
        let mut last = 0.0;
        let mut fastest = 0.0_f32;
        for _ in 0..240 {
            motion.advance(1.0 / 60.0);
            let step = motion.fill() - last;
            assert!(step >= 0.0, "it never turns back");
            fastest = fastest.max(step);
            last = motion.fill();
        }
        assert!(fastest < 0.03, "no frame jumps: {fastest}");
        assert_eq!(motion.fill(), 0.5);
        assert!(!motion.is_moving());
    }

    #[test]
    fn a_long_sleep_is_one_step() {
        let mut motion = GoalMotion::default();
        motion.follow(Some(&goal(1.0, 2.0)));
        motion.advance(60.0);
        assert_eq!(motion.fill(), 0.5);
    }

    #[test]
    fn reaching_the_goal_is_celebrated_once_and_when_the_bar_is_full() {
        let mut motion = GoalMotion::default();
        motion.follow(Some(&goal(499.0, 500.0)));
        assert_eq!(play(&mut motion, 2.0), 0);
        motion.follow(Some(&goal(500.0, 500.0)));
        assert_eq!(play(&mut motion, 0.5 + CELEBRATION), 1);
        assert_eq!(play(&mut motion, 1.0), 0);
        assert!(!motion.is_moving());
        motion.follow(Some(&goal(560.0, 500.0)));
        assert_eq!(play(&mut motion, 1.0), 0, "more is no second time");
    }

    #[test]
    fn a_goal_that_was_full_when_we_came_is_not_celebrated() {
        let mut motion = GoalMotion::default();
        motion.follow(Some(&goal(500.0, 500.0)));
        motion.follow(Some(&goal(501.0, 500.0)));
        assert_eq!(play(&mut motion, 4.0), 0);
        motion.follow(Some(&goal(501.0, 1_000.0)));
        motion.follow(Some(&goal(1_000.0, 1_000.0)));
        assert_eq!(play(&mut motion, 4.0), 1, "the next goal is");
    }

    #[test]
    fn a_goal_corrected_before_its_bar_arrives_is_not_celebrated() {
        let mut motion = GoalMotion::default();
        motion.follow(Some(&goal(10.0, 500.0)));
        play(&mut motion, 1.0);
        motion.follow(Some(&goal(500.0, 500.0)));
        motion.advance(1.0 / 60.0);
        motion.follow(Some(&goal(20.0, 500.0)));
        assert_eq!(play(&mut motion, 3.0), 0);
    }

    #[test]
    fn the_celebration_begins_and_ends_at_rest() {
        for number in 0..SPARKS {
            assert_eq!(spark(number, 0.0).1, 0.0);
            assert_eq!(spark(number, CELEBRATION).1, 0.0);
            let mut last = spark(number, 0.0);
            for frame in 0..240 {
                let now = spark(number, frame as f32 / 120.0);
                assert!((now.1 - last.1).abs() < 0.2, "{number} pops at {frame}");
                assert!(
                    now.0.y.abs() < 140.0 && now.0.x.abs() < 0.7,
                    "it stays near"
                );
                last = now;
            }
        }
        let mut motion = GoalMotion {
            celebrated: Some(0.0),
            ..GoalMotion::default()
        };
        assert_eq!(
            (motion.swell(), motion.shine(), motion.flare()),
            (1.0, 1.0, 0.0)
        );
        motion.celebrated = Some(CELEBRATION - 0.001);
        assert!((motion.shine() - 1.0).abs() < 0.01 && (motion.swell() - 1.0).abs() < 0.001);
        assert!(motion.flare() < 0.01);
    }

    #[test]
    fn a_bars_ends_stay_round_at_any_length() {
        let shape = FillShape {
            image: Vec2::new(520.0, 34.0),
            bar: Vec2::new(500.0, 14.0),
            mirrored: false,
        };
        let ends = |shape: &FillShape, fill| {
            let mesh = fill_mesh(shape, fill);
            let positions = mesh
                .attribute(Mesh::ATTRIBUTE_POSITION)
                .and_then(|values| values.as_float3())
                .expect("it has places");
            let xs: Vec<f32> = positions.iter().step_by(2).map(|p| p[0]).collect();
            xs
        };
        let xs = ends(&shape, 0.5);
        assert_eq!((xs[0], xs[3]), (-260.0, 10.0));
        assert_eq!((xs[1] - xs[0], xs[3] - xs[2]), (17.0, 17.0));
        let least = ends(&shape, 0.0);
        assert_eq!(least[3] - least[0], 34.0, "a round dot");
        let mirrored = FillShape {
            mirrored: true,
            ..shape
        };
        assert_eq!(ends(&mirrored, 0.5)[0], 260.0);
    }
}
