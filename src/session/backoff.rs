//! When to try again: full jitter, so that a thousand renderers cut off at
//! once do not come back at once.
//!
//! "Full jitter" is drawing the delay uniformly from zero to the exponential
//! ceiling; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

use std::time::Duration;

use super::Timing;

/// Reconnect delays, and the session's only source of randomness.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    attempt: u32,
    random: SplitMix64,
}

impl Backoff {
    pub fn new(seed: u64) -> Self {
        Self {
            attempt: 0,
            random: SplitMix64(seed),
        }
    }

    /// The next delay: 0 to the ceiling, which doubles with every call until
    /// it reaches the cap.
    pub fn delay(&mut self, timing: &Timing) -> Duration {
        let ceiling = 2_u32
            .checked_pow(self.attempt)
            .and_then(|factor| timing.backoff_first.checked_mul(factor))
            .map_or(timing.backoff_cap, |d| d.min(timing.backoff_cap));
        self.attempt = self.attempt.saturating_add(1);
        ceiling.mul_f64(self.random.unit())
    }

    /// A delay from the slow end, half the cap to the cap: for failures that
    /// trying again soon will not mend.
    pub fn slow_delay(&mut self, timing: &Timing) -> Duration {
        self.attempt = self.attempt.saturating_add(1);
        timing.backoff_cap.mul_f64(0.5 + 0.5 * self.random.unit())
    }

    /// Up to `share` more than `base`.
    pub fn jittered(&mut self, base: Duration, share: f64) -> Duration {
        base.mul_f64(1.0 + share * self.random.unit())
    }

    /// The connection has been healthy long enough to forgive the past.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// Sebastiano Vigna's splitmix64: one word of state, good enough to spread
/// reconnects and the same on every machine for the same seed.
#[derive(Debug, Clone)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
