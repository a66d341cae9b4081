//! A stage that trembles: what a roar or a blast does to the picture.

use std::f32::consts::PI;

use serde::Deserialize;

use super::Trigger;

/// One tremor of a recipe: strong at once, dying away.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shake {
    #[serde(default = "start")]
    pub on: Trigger,
    /// Seconds after the trigger.
    #[serde(default)]
    pub at: f32,
    /// Seconds until it is gone, above 0 to [`Shake::LONGEST`].
    pub seconds: f32,
    /// How far the stage moves at most, stage units, above 0 to
    /// [`Shake::STRONGEST`].
    pub strength: f32,
}

fn start() -> Trigger {
    Trigger::Start
}

impl Shake {
    /// Seconds; longer is not a tremor but a nuisance.
    pub const LONGEST: f32 = 3.0;
    /// Stage units; further, and the edge of a full picture comes into view.
    pub const STRONGEST: f32 = 40.0;
    /// Seconds until it is at its strongest: not from one frame to the next.
    const ATTACK: f32 = 0.05;

    /// How far the stage may be moved `since` seconds after it began, stage
    /// units.
    pub fn amplitude(&self, since: f32) -> f32 {
        let share = since / self.seconds;
        if !(0.0..1.0).contains(&share) {
            return 0.0;
        }
        self.strength * (since / Self::ATTACK).min(1.0) * (1.0 - share).powi(2)
    }

    /// How far the stage is moved `since` seconds after it began, in stage
    /// units along x and y. Smooth, and never further than `strength`. `seed`
    /// makes one tremor unlike the next.
    pub fn offset(&self, since: f32, seed: u32) -> [f32; 2] {
        let amplitude = self.amplitude(since);
        let at = since.max(0.0) * SWINGS;
        let cell = at.floor();
        let t = at - cell;
        let share = t * t * (3.0 - 2.0 * t);
        let (from, to) = (turn(cell as u32, seed), turn(cell as u32 + 1, seed));
        [0, 1].map(|axis| amplitude * (from[axis] + (to[axis] - from[axis]) * share))
    }
}

/// Turning points a second. There and back is a flash to whoever looks at a spot
/// with much contrast, and three of those a second are the most that may be
/// shown (WCAG 2.3.1).
const SWINGS: f32 = 5.0;

/// Where the stage turns round: about opposite to where it did last, at most 1
/// away.
fn turn(number: u32, seed: u32) -> [f32; 2] {
    let hashed = (number ^ seed).wrapping_mul(0x9E37_79B9);
    let hashed = (hashed ^ (hashed >> 15)).wrapping_mul(0x85EB_CA6B);
    let chance = |shift: u32| ((hashed >> shift) & 0xff) as f32 / 255.0;
    let side = if number.is_multiple_of(2) { 0.0 } else { PI };
    let angle = (seed & 0xff) as f32 + side + (chance(8) - 0.5) * 1.6;
    let far = 0.6 + 0.4 * chance(16);
    [far * angle.cos(), far * angle.sin()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROAR: Shake = Shake {
        on: Trigger::Start,
        at: 1.0,
        seconds: 0.8,
        strength: 20.0,
    };

    fn samples() -> impl Iterator<Item = [f32; 2]> {
        (0..=1_000).map(|ms| ROAR.offset(ms as f32 / 1_000.0, 77))
    }

    #[test]
    fn a_tremor_keeps_within_its_strength_and_dies_away() {
        let far = |offsets: &mut dyn Iterator<Item = [f32; 2]>| {
            offsets.flatten().map(f32::abs).fold(0.0, f32::max)
        };
        let all = far(&mut samples());
        assert!(all > 8.0 && all <= ROAR.strength, "{all}");
        let late = far(&mut samples().skip(600));
        assert!(late < 0.15 * all, "{late} of {all}");
        assert_eq!(ROAR.offset(0.8, 77), [0.0; 2]);
        assert_eq!(ROAR.offset(-0.1, 77), [0.0; 2]);
    }

    #[test]
    fn a_tremor_moves_without_a_jump() {
        let all: Vec<_> = samples().collect();
        for pair in all.windows(2) {
            let step = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
            assert!(step < 1.0, "{step} units within a millisecond");
        }
    }

    #[test]
    fn two_tremors_are_not_alike() {
        assert_ne!(ROAR.offset(0.2, 1 << 20), ROAR.offset(0.2, 5 << 20));
    }
}
