//! A stage that trembles: what a roar or a blast does to the picture.

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
    /// units along x and y. Smooth, and never further than `strength` along
    /// either. `seed` makes one tremor unlike the next.
    pub fn offset(&self, since: f32, seed: u32) -> [f32; 2] {
        let amplitude = self.amplitude(since);
        let phase = (seed >> 8) as f32 / 65_536.0;
        [
            amplitude * smooth_noise(since * 9.0 + phase),
            amplitude * smooth_noise(since * 11.0 + phase + 137.0),
        ]
    }
}

/// Value noise: -1 to 1, about one swing per unit of `at`.
fn smooth_noise(at: f32) -> f32 {
    let cell = at.floor();
    let t = at - cell;
    let (a, b) = (value(cell as i32), value(cell as i32 + 1));
    a + (b - a) * t * t * (3.0 - 2.0 * t)
}

/// A value for a whole number, -1 to 1. Neighbours differ in sign, so that it
/// trembles rather than drifts.
fn value(cell: i32) -> f32 {
    let hashed = (cell as u32).wrapping_mul(0x9E37_79B9);
    let hashed = (hashed ^ (hashed >> 15)).wrapping_mul(0x85EB_CA6B);
    let size = 0.45 + 0.55 * (hashed >> 8) as f32 / (1 << 24) as f32;
    if cell % 2 == 0 { size } else { -size }
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
