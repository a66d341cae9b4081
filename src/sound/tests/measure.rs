//! What the tests play and how they measure what comes out.

use std::f64::consts::TAU;
use std::sync::Arc;

use crate::catalog::Lane;
use crate::sound::{Clip, MixSource, RATE, VoiceSettings};

pub const AMBIENT: VoiceSettings = at_lane(Lane::Ambient);
pub const FEATURE: VoiceSettings = at_lane(Lane::Feature);
pub const HEADLINE: VoiceSettings = at_lane(Lane::Headline);

const fn at_lane(lane: Lane) -> VoiceSettings {
    VoiceSettings { gain: 1.0, lane }
}

/// Interleaved stereo of a steady sine.
pub fn sine(hertz: f64, amplitude: f64, frames: usize) -> Vec<f32> {
    (0..frames)
        .flat_map(|n| {
            let sample = amplitude * (TAU * hertz * n as f64 / f64::from(RATE)).sin();
            [sample as f32; 2]
        })
        .collect()
}

/// A clip of a steady sine; seconds are exact.
pub fn tone(hertz: f64, amplitude: f64, seconds: f64) -> Arc<Clip> {
    let frames = (seconds * f64::from(RATE)) as usize;
    Arc::new(Clip::from_samples(&sine(hertz, amplitude, frames), RATE))
}

/// The left channel of the next `seconds`, in pieces like a device's.
pub fn pull(mix: &mut MixSource, seconds: f64) -> Vec<f32> {
    pull_frames(mix, (seconds * f64::from(RATE)) as usize)
}

pub fn pull_frames(mix: &mut MixSource, frames: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; frames * 2];
    for piece in out.chunks_mut(2 * 441) {
        mix.render(piece);
    }
    out.chunks_exact(2).map(|frame| frame[0]).collect()
}

pub fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, s| {
        assert!(s.is_finite(), "a sample is not a number");
        s.abs().max(peak)
    })
}

pub fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum();
    (sum / samples.len() as f64).sqrt()
}

pub fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// Amplitude of the part of `samples` at one frequency, by correlation under
/// a Hann window.
pub fn amplitude_at(samples: &[f32], hertz: f64) -> f64 {
    let len = samples.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let window = 1.0 - (TAU * n as f64 / len).cos();
        let phase = TAU * hertz * n as f64 / f64::from(RATE);
        re += f64::from(sample) * window * phase.cos();
        im += f64::from(sample) * window * phase.sin();
    }
    2.0 * re.hypot(im) / len
}

/// Frequency of a tone by the time between its first and last rising zero
/// crossing.
pub fn pitch(samples: &[f32]) -> f64 {
    let crossings: Vec<f64> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(n, pair)| n as f64 + f64::from(pair[0] / (pair[0] - pair[1])))
        .collect();
    assert!(crossings.len() > 2, "no tone to measure");
    let span = crossings[crossings.len() - 1] - crossings[0];
    (crossings.len() - 1) as f64 / span * f64::from(RATE)
}

/// The sharpest bend of the waveform. A step of height h bends by h; a sine
/// bends by its amplitude times the square of its angle per sample.
pub fn sharpest_bend(samples: &[f32]) -> f32 {
    samples
        .windows(3)
        .map(|w| (w[0] - 2.0 * w[1] + w[2]).abs())
        .fold(0.0, f32::max)
}

/// How far a steady sine bends.
pub fn bend_of_sine(hertz: f64, amplitude: f64) -> f32 {
    (amplitude * (TAU * hertz / f64::from(RATE)).powi(2)) as f32
}

/// The highest magnitude of the waveform through the samples, looked at 16
/// times between each two with a long Blackman-windowed sinc: an independent
/// and finer measure than the limiter's own.
pub fn true_peak(samples: &[f32]) -> f32 {
    const HALF: isize = 32;
    let mut highest: f64 = 0.0;
    for sixteenth in 0..16 {
        let offset = f64::from(sixteenth) / 16.0;
        let taps: Vec<f64> = (1 - HALF..=HALF)
            .map(|tap| {
                let x = tap as f64 - offset;
                let turn = TAU * x / (2.0 * HALF as f64);
                let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
                let angle = x * TAU / 2.0;
                let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
                window * sinc
            })
            .collect();
        for window in samples.windows(taps.len()) {
            let value: f64 = window
                .iter()
                .zip(&taps)
                .map(|(&s, t)| f64::from(s) * t)
                .sum();
            highest = highest.max(value.abs());
        }
    }
    highest as f32
}

/// A repeatable stream of numbers from -1.0 to 1.0 (xorshift).
pub fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    })
}
