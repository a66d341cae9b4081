//! One act's voice: a clip that may be struck again higher, or a stream.

use std::sync::Arc;

use super::RATE;
use super::clip::{Clip, mip_for};
use super::mixer::{VoiceKey, VoiceSettings};
use super::ramp::Ramp;
use super::scale::{pitch_ratio, streak_semitones};
use super::stream::{Flow, StreamHead};
use crate::catalog::Lane;

/// Notes one strike may sound together: a climax's chord.
const CHORD: usize = 3;

/// Play heads of a clip: a chord and the one it replaces.
const HEADS: usize = CHORD * 2;

/// A struck clip's old note leaves over 12 ms while the new one comes in over
/// 2 ms: short enough to keep the attack, long enough not to click.
const STRIKE_OUT: u32 = RATE * 12 / 1000;
const STRIKE_IN: u32 = RATE * 2 / 1000;

/// A voice is struck at most this often, 16 times a second; of strikes that
/// come faster the last one is heard.
const STRIKE_SPACING: u32 = RATE * 60 / 1000;

/// Semitones of a climax over the clip's own pitch: root, fifth, octave.
const CLIMAX_CHORD: [u32; CHORD] = [0, 7, 12];

/// How much louder than one gift the grandest climax is: 6 dB.
const CLIMAX_LIFT: f32 = 1.0;

/// What is true of a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its source is heard.
    Sounding,
    /// Silent, and costs nothing; its act may strike it again.
    Resting,
    /// Fading because another voice took its place; rests afterwards.
    Yielding,
    /// Fading because its act ended or was replaced; goes away afterwards.
    Leaving,
}

pub(super) struct Voice {
    pub(super) key: VoiceKey,
    pub(super) lane: Lane,
    pub(super) phase: Phase,
    pub(super) source: Source,
    /// Order of arrival among all voices.
    pub(super) born: u64,
    gain: f32,
    fade: Ramp,
    /// Highest magnitude lately, after `gain`.
    level: f32,
    frames_sounded: u64,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a box would be allocated and freed in the audio callback"
)]
pub(super) enum Source {
    Clip(ClipSource),
    Stream(StreamHead),
}

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
    };

    /// The `count`th gift of a streak.
    pub(super) fn step(count: u32) -> Self {
        Self {
            semitones: [streak_semitones(count); CHORD],
            ..Self::PLAIN
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

    fn is_silent(&self) -> bool {
        self.pending.is_none() && self.heads.iter().all(Option::is_none)
    }

    fn render(&mut self, out: &mut [[f32; 2]]) {
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
        let first = self.is_silent();
        for head in self.heads.iter_mut().flatten() {
            head.gain.aim(0.0, STRIKE_OUT);
        }
        self.since_strike = 0;
        let free = self.heads.iter_mut().filter(|head| head.is_none());
        // Old heads are gone after `STRIKE_OUT`, so a chord's worth is free.
        for (slot, semitones) in free.zip(&strike.semitones[..strike.notes]) {
            let ratio = pitch_ratio(*semitones);
            let mip = mip_for(ratio);
            let mut gain = Ramp::at(if first { strike.gain } else { 0.0 });
            gain.aim(strike.gain, STRIKE_IN);
            *slot = Some(Head {
                position: 0.0,
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

impl Voice {
    pub(super) fn new(key: VoiceKey, settings: VoiceSettings, source: Source, born: u64) -> Self {
        Self {
            key,
            lane: settings.lane,
            phase: Phase::Resting,
            source,
            born,
            gain: settings.gain,
            fade: Ramp::at(1.0),
            level: 0.0,
            frames_sounded: 0,
        }
    }

    /// Sounds its source from now on: a clip is struck, a stream runs.
    pub(super) fn sound(&mut self, strike: Strike) {
        if let Source::Clip(clip) = &mut self.source {
            clip.pending = Some(strike);
        }
        if self.phase == Phase::Resting {
            self.fade = Ramp::at(1.0);
            self.frames_sounded = 0;
        } else {
            self.fade.aim(1.0, STRIKE_IN);
        }
        self.phase = Phase::Sounding;
    }

    /// Fades over `frames` and then rests or leaves.
    pub(super) fn fade_out(&mut self, frames: u32, phase: Phase) {
        if self.phase == Phase::Resting {
            self.fade = Ramp::at(0.0);
        } else {
            self.fade.aim(0.0, frames);
        }
        self.phase = phase;
    }

    /// Arrives where its fade leads.
    pub(super) fn cut_fade(&mut self) {
        self.fade.finish();
        if self.phase == Phase::Yielding {
            self.settle();
        }
    }

    /// Makes a fading sound, or one that never began, rest at once.
    fn settle(&mut self) {
        if let Source::Clip(clip) = &mut self.source {
            clip.heads = std::array::from_fn(|_| None);
            clip.pending = None;
        }
        self.phase = Phase::Resting;
        self.level = 0.0;
    }

    /// Whether it is heard, so that a headline's voice ducks the others.
    pub(super) fn is_heard(&self) -> bool {
        self.phase == Phase::Sounding
            && match &self.source {
                Source::Clip(_) => true,
                Source::Stream(stream) => stream.state() == Flow::Running,
            }
    }

    /// Whether it takes one of the places of sounding voices.
    pub(super) fn takes_a_place(&self) -> bool {
        self.phase == Phase::Sounding
    }

    /// How loud it is; a voice too young to judge is as loud as it may become.
    pub(super) fn loudness(&self) -> f32 {
        const TOO_YOUNG: u64 = RATE as u64 / 20;
        match &self.source {
            Source::Clip(source) if self.frames_sounded < TOO_YOUNG => {
                self.gain * source.clip.peak()
            }
            Source::Stream(_) if self.frames_sounded < TOO_YOUNG => self.gain,
            _ => self.level,
        }
    }

    /// Adds its sound to `out`, using `scratch` of the same length. Says
    /// whether a stream ran dry.
    pub(super) fn render(&mut self, out: &mut [[f32; 2]], scratch: &mut [[f32; 2]]) -> bool {
        scratch.fill([0.0; 2]);
        let ran_dry = match &mut self.source {
            Source::Clip(clip) => {
                clip.render(scratch);
                false
            }
            Source::Stream(stream) => stream.render(scratch),
        };
        let mut peak: f32 = 0.0;
        for (out, sound) in out.iter_mut().zip(scratch.iter()) {
            let gain = self.gain * self.fade.next();
            let sound = sound.map(|s| s * gain);
            peak = peak.max(sound[0].abs()).max(sound[1].abs());
            out[0] += sound[0];
            out[1] += sound[1];
        }
        self.frames_sounded += out.len() as u64;
        // Falls by half in 10 ms or so.
        self.level = peak.max(self.level * 0.9);
        self.end_block();
        ran_dry
    }

    fn end_block(&mut self) {
        let faded = self.fade.is_settled() && self.fade.value() == 0.0;
        let played_out = match &self.source {
            Source::Clip(clip) => clip.is_silent(),
            Source::Stream(stream) => stream.is_over(),
        };
        match self.phase {
            Phase::Sounding if played_out => self.settle(),
            Phase::Yielding if faded || played_out => self.settle(),
            // A leaving voice is taken out by the mix; it need not play on.
            Phase::Leaving if played_out => self.fade = Ramp::at(0.0),
            _ => {}
        }
    }

    /// Nothing of it will be heard again.
    pub(super) fn is_gone(&self) -> bool {
        let faded = self.fade.is_settled() && self.fade.value() == 0.0;
        let over = matches!(&self.source, Source::Stream(stream) if stream.is_over());
        over || (self.phase == Phase::Leaving && faded)
    }
}
