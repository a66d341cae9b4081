//! A clip that is struck like a bell: again, higher, or as a chord.

use std::sync::Arc;

use super::RATE;
use super::clip::{Clip, mip_for};
use super::ramp::Ramp;
use super::scale::{pitch_ratio, streak_semitones};

/// Notes one strike may sound together: a climax's chord.
const CHORD: usize = 3;

/// Play heads of a clip: a chord and the one it replaces.
const HEADS: usize = CHORD * 2;

/// A struck clip's old note leaves over 12 ms while the new one comes in over
/// 2 ms: short enough to keep the attack, long enough not to click.
const STRIKE_OUT: u32 = RATE * 12 / 1000;
pub(super) const STRIKE_IN: u32 = RATE * 2 / 1000;

/// A voice is struck at most this often, 16 times a second; of strikes that
/// come faster the last one is heard.
const STRIKE_SPACING: u32 = RATE * 60 / 1000;

/// Semitones of a climax over the clip's own pitch: root, fifth, octave.
const CLIMAX_CHORD: [u32; CHORD] = [0, 7, 12];

/// How much louder than one gift the grandest climax is: 6 dB.
const CLIMAX_LIFT: f32 = 1.0;

/// A clip under one or more play heads.
pub(super) struct ClipSource {
    pub(super) clip: Arc<Clip>,
    heads: [Option<Head>; HEADS],
    /// The strike that waits for [`STRIKE_SPACING`] to pass; the latest wins.
    pending: Option<Strike>,
    since_strike: u32,
}

/// Notes to sound together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    semitones: [u32; CHORD],
    notes: usize,
    /// Gain of each note.
    gain: f32,
    /// From where the clip says, instead of its beginning.
    at_its_strike: bool,
}

/// One reading of the clip.
struct Head {
    /// In frames of the mipmap.
    position: f64,
    /// Frames of the mipmap for one frame of output.
    speed: f64,
    mip: usize,
    gain: Ramp,
}

impl Strike {
    /// The clip once, at its own pitch.
    pub(super) const PLAIN: Self = Self {
        semitones: [0; CHORD],
        notes: 1,
        gain: 1.0,
        at_its_strike: false,
    };

    /// The clip once, `semitones` higher, at `gain`.
    pub(super) fn note(semitones: u32, gain: f32) -> Self {
        Self {
            semitones: [semitones; CHORD],
            gain,
            ..Self::PLAIN
        }
    }

    /// The `count`th gift of a streak.
    pub(super) fn step(count: u32) -> Self {
        Self {
            at_its_strike: true,
            ..Self::note(streak_semitones(count), 1.0)
        }
    }

    /// A streak's end: from one note at scale 0.0 to a lifted chord at 1.0.
    pub(super) fn climax(scale: f32) -> Self {
        let scale = if scale.is_finite() {
            scale.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let notes = 1 + (scale * CHORD as f32) as usize;
        let notes = notes.min(CHORD);
        Self {
            semitones: CLIMAX_CHORD,
            notes,
            // Notes add in power, so that a chord is as loud as one note.
            gain: (1.0 + CLIMAX_LIFT * scale) / (notes as f32).sqrt(),
            at_its_strike: true,
        }
    }
}

impl ClipSource {
    pub(super) fn new(clip: Arc<Clip>) -> Self {
        Self {
            clip,
            heads: std::array::from_fn(|_| None),
            pending: None,
            since_strike: STRIKE_SPACING,
        }
    }

    /// Sounds as soon as the last strike is [`STRIKE_SPACING`] ago.
    pub(super) fn ask(&mut self, strike: Strike) {
        self.pending = Some(strike);
    }

    pub(super) fn is_silent(&self) -> bool {
        self.pending.is_none() && self.heads.iter().all(Option::is_none)
    }

    /// Stops where it is; for when it is not heard.
    pub(super) fn silence(&mut self) {
        self.heads = std::array::from_fn(|_| None);
        self.pending = None;
    }

    /// Adds its sound to `out`.
    pub(super) fn render(&mut self, out: &mut [[f32; 2]]) {
        // Strikes begin on a block's first frame; blocks end where a waiting
        // one is due, so the spacing is exact.
        let mut rest = out;
        while !rest.is_empty() {
            if self.since_strike >= STRIKE_SPACING
                && let Some(strike) = self.pending.take()
            {
                self.strike(strike);
            }
            let due = match self.pending {
                Some(_) => (STRIKE_SPACING - self.since_strike) as usize,
                None => rest.len(),
            };
            let (block, later) = rest.split_at_mut(due.min(rest.len()));
            for slot in &mut self.heads {
                if let Some(head) = slot
                    && !head.add(&self.clip, block)
                {
                    *slot = None;
                }
            }
            self.since_strike = self
                .since_strike
                .saturating_add(block.len() as u32)
                .min(STRIKE_SPACING);
            rest = later;
        }
    }

    fn strike(&mut self, strike: Strike) {
        let start = if strike.at_its_strike {
            self.clip.strike()
        } else {
            0
        };
        // A clip's own beginning needs no ramp, its middle does.
        let at_once = start == 0 && self.is_silent();
        for head in self.heads.iter_mut().flatten() {
            head.gain.aim(0.0, STRIKE_OUT);
        }
        self.since_strike = 0;
        let free = self.heads.iter_mut().filter(|head| head.is_none());
        // Old heads are gone after `STRIKE_OUT`, so a chord's worth is free.
        for (slot, semitones) in free.zip(&strike.semitones[..strike.notes]) {
            let ratio = pitch_ratio(*semitones);
            let mip = mip_for(ratio);
            let mut gain = Ramp::at(if at_once { strike.gain } else { 0.0 });
            gain.aim(strike.gain, STRIKE_IN);
            *slot = Some(Head {
                position: (start >> mip) as f64,
                speed: ratio / f64::from(1_u32 << mip),
                mip,
                gain,
            });
        }
    }
}

impl Head {
    /// Adds its sound; false when it has none left.
    fn add(&mut self, clip: &Clip, out: &mut [[f32; 2]]) -> bool {
        let samples = clip.mip(self.mip);
        let frames = samples.len() / 2;
        let at =
            |index: usize, channel: usize| samples.get(index * 2 + channel).copied().unwrap_or(0.0);
        for frame in out {
            let index = self.position as usize;
            if index >= frames || (self.gain.is_settled() && self.gain.value() == 0.0) {
                return false;
            }
            let gain = self.gain.next();
            let between = (self.position - index as f64) as f32;
            for (channel, sample) in frame.iter_mut().enumerate() {
                let here = at(index, channel);
                *sample += gain
                    * if between == 0.0 {
                        here
                    } else {
                        let before = if index == 0 {
                            0.0
                        } else {
                            at(index - 1, channel)
                        };
                        let (next, after) = (at(index + 1, channel), at(index + 2, channel));
                        hermite([before, here, next, after], between)
                    };
            }
            self.position += self.speed;
        }
        true
    }
}

/// Catmull-Rom's cubic through the two middle samples, `t` of the way.
fn hermite([before, here, next, after]: [f32; 4], t: f32) -> f32 {
    let slope = 0.5 * (next - before);
    let cubic = 1.5 * (here - next) + 0.5 * (after - before);
    let square = before - 2.5 * here + 2.0 * next - 0.5 * after;
    ((cubic * t + square) * t + slope) * t + here
}
