//! The last stage of the mix: nothing leaves above -1 dB true peak.
//!
//! A look-ahead limiter. The peak of every frame, and of the waveform between
//! frames, asks for a gain; the lowest gain asked for in the window ahead is
//! held, let go slowly, and averaged over the attack. The average of values
//! that are all low enough is low enough, so the ceiling is exact and the
//! gain never jumps.

use super::RATE;
use super::resample::{kaiser, sinc};

/// The loudest true peak that leaves the mixer: -1 dBFS.
pub const CEILING: f32 = 0.891_250_9;

/// What the detector limits to: -1.85 dBFS. Four-fold oversampling reads a
/// peak up to 0.69 dB low (ITU-R BS.1770-5, annex 2), and the moving gain
/// bends the waveform a little.
const THRESHOLD: f32 = 0.808_164_4;

/// Frames over which the gain falls: 4 ms, too short to hear as a swell and
/// too long to hear as a click.
const ATTACK: usize = RATE as usize / 250;

/// Time constant in seconds with which the gain recovers.
const RELEASE: f32 = 0.12;

/// Taps of the interpolating filter at each of its positions. Half as many
/// read full-band noise another decibel low.
const TAPS: usize = 24;

/// The interpolating filter's window: a narrow transition matters more than
/// what is left of the images.
const KAISER_BETA: f64 = 5.0;

/// Positions between two frames at which the waveform is looked at.
const BETWEEN: usize = 3;

/// Frames from input to output. The attack must be over when a peak leaves,
/// and the detector sees a peak `TAPS / 2` frames late.
pub const LATENCY: usize = ATTACK + TAPS / 2 + 2;

/// Frames for which a gain asked for is held: until its peak has left.
const HOLD: usize = LATENCY;

pub(super) struct Limiter {
    between: [[f32; TAPS]; BETWEEN],
    history: [[f32; TAPS]; 2],
    delay: [[f32; 2]; LATENCY],
    delay_at: usize,
    lowest: SlidingMinimum,
    released: f32,
    release: f32,
    average: MovingAverage,
    /// Frames of silence that came in since the last sound, up to a settled
    /// limiter's worth.
    silent: usize,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            between: std::array::from_fn(interpolator),
            history: [[0.0; TAPS]; 2],
            delay: [[0.0; 2]; LATENCY],
            delay_at: 0,
            lowest: SlidingMinimum::new(),
            released: 1.0,
            release: 1.0 - (-1.0 / (RELEASE * RATE as f32)).exp(),
            average: MovingAverage::new(),
            silent: LATENCY + TAPS,
        }
    }

    /// Nothing is left in the delay line: silence in is silence out.
    pub(super) fn is_empty(&self) -> bool {
        self.silent >= LATENCY + TAPS
    }

    /// Forgets the gain; for when [`is_empty`](Self::is_empty) holds.
    pub(super) fn rest(&mut self) {
        if self.released < 1.0 {
            *self = Self::new();
        }
    }

    /// One frame in, one frame from [`LATENCY`] frames ago out.
    pub(super) fn next(&mut self, frame: [f32; 2]) -> [f32; 2] {
        // One bad sample must not poison the gain for the rest of the stream.
        let frame = frame.map(|s| if s.is_finite() { s } else { 0.0 });
        self.silent = if frame == [0.0; 2] {
            (self.silent + 1).min(LATENCY + TAPS)
        } else {
            0
        };
        let peak = self.peak(frame);
        let asked = if peak > THRESHOLD {
            THRESHOLD / peak
        } else {
            1.0
        };
        let lowest = self.lowest.next(asked);
        self.released = if lowest < self.released {
            lowest
        } else if 1.0 - self.released < 1e-4 && lowest == 1.0 {
            1.0
        } else {
            self.released + (lowest - self.released) * self.release
        };
        let gain = self.average.next(self.released);
        let delayed = std::mem::replace(&mut self.delay[self.delay_at], frame);
        self.delay_at = (self.delay_at + 1) % LATENCY;
        delayed.map(|s| (s * gain).clamp(-CEILING, CEILING))
    }

    /// The highest magnitude at a frame or between it and the next one.
    fn peak(&mut self, frame: [f32; 2]) -> f32 {
        let mut peak: f32 = 0.0;
        for (history, sample) in self.history.iter_mut().zip(frame) {
            history.copy_within(1.., 0);
            history[TAPS - 1] = sample;
            peak = peak.max(history[TAPS / 2 - 1].abs());
            for taps in &self.between {
                let value: f32 = history.iter().zip(taps).map(|(s, t)| s * t).sum();
                peak = peak.max(value.abs());
            }
        }
        peak
    }
}

/// The filter that yields the waveform at one of the positions between the
/// two middle frames of its history.
fn interpolator(position: usize) -> [f32; TAPS] {
    let offset = (position + 1) as f64 / (BETWEEN + 1) as f64;
    std::array::from_fn(|tap| {
        let distance = tap as f64 - (TAPS as f64 / 2.0 - 1.0) - offset;
        (sinc(distance) * kaiser(KAISER_BETA, distance / (TAPS as f64 / 2.0))) as f32
    })
}

/// The lowest of the last [`HOLD`] values: a queue of rising candidates, each
/// of which is the minimum once those before it have left the window.
struct SlidingMinimum {
    candidates: [(u64, f32); HOLD],
    first: usize,
    len: usize,
    now: u64,
}

impl SlidingMinimum {
    fn new() -> Self {
        Self {
            candidates: [(0, 1.0); HOLD],
            first: 0,
            len: 0,
            now: 0,
        }
    }

    fn next(&mut self, value: f32) -> f32 {
        self.now += 1;
        if self.len > 0 && self.candidates[self.first].0 + HOLD as u64 <= self.now {
            self.first = (self.first + 1) % HOLD;
            self.len -= 1;
        }
        while self.len > 0 && self.candidates[(self.first + self.len - 1) % HOLD].1 >= value {
            self.len -= 1;
        }
        self.candidates[(self.first + self.len) % HOLD] = (self.now, value);
        self.len += 1;
        self.candidates[self.first].1
    }
}

/// The mean of the last [`ATTACK`] values. The sum of so few single-precision
/// gains is exact in double precision, so it does not drift over hours.
struct MovingAverage {
    values: [f32; ATTACK],
    at: usize,
    sum: f64,
}

impl MovingAverage {
    fn new() -> Self {
        Self {
            values: [1.0; ATTACK],
            at: 0,
            sum: ATTACK as f64,
        }
    }

    fn next(&mut self, value: f32) -> f32 {
        let oldest = std::mem::replace(&mut self.values[self.at], value);
        self.at = (self.at + 1) % ATTACK;
        self.sum += f64::from(value) - f64::from(oldest);
        (self.sum / ATTACK as f64) as f32
    }
}
