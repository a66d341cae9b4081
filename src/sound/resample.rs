//! Changes the rate of a whole recording, once, when it is loaded.
//!
//! rodio's own converter interpolates linearly and drops samples on the way
//! down, which folds treble back as audible noise. A clip is converted once
//! and played often, so it gets a windowed-sinc filter instead: images and
//! aliases are 60 dB down.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side. 32 leaves a transition band of
/// 3 kHz at 44.1 kHz: flat to 19 kHz, gone at 22 kHz.
const ZERO_CROSSINGS: usize = 32;

/// Kaiser's window parameter for 70 dB of stop-band attenuation.
const KAISER_BETA: f64 = 7.0;

/// Where the filter is 6 dB down, as a part of the lower Nyquist frequency.
const CUTOFF: f64 = 0.93;

/// Converts interleaved stereo `samples` from one rate to another, in hertz.
///
/// The result has `ceil(frames * to / from)` frames and the same level.
pub(super) fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to {
        return samples.to_vec();
    }
    let divisor = gcd(from, to);
    let (from, to) = (u64::from(from / divisor), u64::from(to / divisor));
    let filter = PhaseTable::new(from, to);
    let frames = samples.len() / 2;
    let out_frames = (frames as u64 * to).div_ceil(from);
    let mut out = Vec::with_capacity(out_frames as usize * 2);
    for n in 0..out_frames {
        let centre = (n * from / to) as usize;
        let taps = filter.phase((n * from % to) as usize);
        // The first tap lies `half - 1` frames before the centre; what lies
        // outside the recording is silence.
        let first = centre as isize - (filter.half as isize - 1);
        let skip = (-first).max(0) as usize;
        let start = first.max(0) as usize;
        let (mut left, mut right) = (0.0, 0.0);
        let frames = samples[(start * 2).min(samples.len())..].chunks_exact(2);
        for (frame, tap) in frames.zip(&taps[skip.min(taps.len())..]) {
            left += frame[0] * tap;
            right += frame[1] * tap;
        }
        out.push(left);
        out.push(right);
    }
    out
}

/// One set of filter taps for each position an output frame can have between
/// two input frames.
struct PhaseTable {
    taps: Vec<f32>,
    /// Taps on each side of the position.
    half: usize,
}

impl PhaseTable {
    /// For a ratio in lowest terms.
    fn new(from: u64, to: u64) -> Self {
        // Going down, the filter must cut at the new, lower Nyquist frequency,
        // so it stretches by the ratio.
        let shrink = (to as f64 / from as f64).min(1.0);
        let half = (ZERO_CROSSINGS as f64 / shrink).ceil() as usize;
        let mut taps = Vec::with_capacity(to as usize * half * 2);
        for phase in 0..to {
            let offset = phase as f64 / to as f64;
            let begin = taps.len();
            for tap in 0..half * 2 {
                let distance = tap as f64 - (half as f64 - 1.0) - offset;
                let sinc = sinc(distance * shrink * CUTOFF);
                taps.push((sinc * kaiser(KAISER_BETA, distance / half as f64)) as f32);
            }
            // Each phase passes a constant unchanged, so no phase is louder.
            let sum: f32 = taps[begin..].iter().sum();
            for tap in &mut taps[begin..] {
                *tap /= sum;
            }
        }
        Self { taps, half }
    }

    fn phase(&self, phase: usize) -> &[f32] {
        &self.taps[phase * self.half * 2..][..self.half * 2]
    }
}

/// sin(pi x) / (pi x).
pub(super) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// Kaiser's window over -1.0 to 1.0, zero outside. A greater `beta` attenuates
/// more over a wider transition.
pub(super) fn kaiser(beta: f64, x: f64) -> f64 {
    if x.abs() >= 1.0 {
        return 0.0;
    }
    bessel_i0(beta * (1.0 - x * x).sqrt()) / bessel_i0(beta)
}

/// The modified Bessel function of order zero, by its power series
/// (Abramowitz and Stegun, 9.6.12).
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
    }
    sum
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
