//! The beat of a climbing counter: up at once, back with a swing.

/// Seconds up.
const ATTACK: f32 = 0.07;
/// Seconds until it rests again.
pub const LENGTH: f32 = 0.5;

/// One beat, and where the one before it had left the counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// Seconds on stage at which the step came.
    at: f32,
    /// How strong it is: 1 for a step, more for a combo.
    strength: f32,
    /// The swing it takes over from.
    from: f32,
}

impl Beat {
    pub fn first(at: f32) -> Self {
        Self {
            at,
            strength: 1.0,
            from: 0.0,
        }
    }

    /// The next beat begins where this one is, so that quick steps never jump.
    pub fn next(self, at: f32, strength: f32) -> Self {
        Self {
            at,
            strength,
            from: self.swing(at),
        }
    }

    /// How far the counter swings out at a time: 0 at rest, up to its strength,
    /// a little below 0 on the way back.
    pub fn swing(self, now: f32) -> f32 {
        let t = now - self.at;
        if t < ATTACK {
            let left = (1.0 - (t / ATTACK).clamp(0.0, 1.0)).powi(3);
            return self.strength + (self.from - self.strength) * left;
        }
        let back = ((t - ATTACK) / (LENGTH - ATTACK)).min(1.0);
        let fall = (1.0 - back).powi(2);
        self.strength * fall * (back * 1.5 * std::f32::consts::PI).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_overshoots_and_comes_to_rest() {
        let beat = Beat::first(2.0);
        assert_eq!(beat.swing(2.0), 0.0, "it begins at rest");
        assert_eq!(beat.swing(2.0 + ATTACK), 1.0);
        let lowest = (0..100)
            .map(|step| beat.swing(2.0 + LENGTH * step as f32 / 100.0))
            .fold(0.0, f32::min);
        assert!((-0.3..-0.1).contains(&lowest), "{lowest}");
        assert_eq!(beat.swing(2.0 + LENGTH), 0.0);
        assert_eq!(beat.swing(99.0), 0.0);
    }

    #[test]
    fn a_beat_in_the_middle_of_another_does_not_jump() {
        let mut beat = Beat::first(0.0);
        let mut last = beat.swing(0.0);
        let step = 1.0 / 240.0;
        for frame in 0..480 {
            let now = frame as f32 * step;
            if frame % 17 == 16 {
                beat = beat.next(now, 2.2);
            }
            let swing = beat.swing(now);
            assert!((swing - last).abs() < 0.45, "{last} to {swing} at {now}");
            last = swing;
        }
    }
}
