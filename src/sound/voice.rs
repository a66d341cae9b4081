//! One act's voice: a clip that may be struck again higher, or a stream; and
//! the accents that its combos and its climax put over it.

use std::sync::Arc;

use super::RATE;
use super::clip::Clip;
use super::mixer::{VoiceKey, VoiceSettings};
use super::ramp::Ramp;
use super::stream::{Flow, StreamHead};
use super::struck::{ClipSource, STRIKE_IN, Strike};
use crate::catalog::Lane;

/// Clips that may sound over a voice: one for its combos, one for its climax.
/// A third takes the place of a silent one, or of the first.
const ACCENTS: usize = 2;

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
    /// They live and fade with the voice, so an act stays one voice.
    accents: [Option<ClipSource>; ACCENTS],
    /// Where it sounds from its next strike on.
    moves_to: Option<Lane>,
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
    /// Accents alone.
    Nothing,
}

impl Voice {
    pub(super) fn new(key: VoiceKey, settings: VoiceSettings, source: Source, born: u64) -> Self {
        Self {
            key,
            lane: settings.lane,
            phase: Phase::Resting,
            source,
            accents: [const { None }; ACCENTS],
            moves_to: None,
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
            clip.ask(strike);
        }
        self.wake();
    }

    /// Strikes `clip` over whatever else it sounds. Returns the clip that had
    /// to go for it.
    pub(super) fn accent(&mut self, clip: Arc<Clip>, strike: Strike) -> Option<Arc<Clip>> {
        let its = |slot: &Option<ClipSource>| {
            slot.as_ref()
                .is_some_and(|source| Arc::ptr_eq(&source.clip, &clip))
        };
        let slot = self
            .accents
            .iter()
            .position(its)
            .or_else(|| self.accents.iter().position(Option::is_none))
            .or_else(|| {
                let silent =
                    |slot: &Option<ClipSource>| slot.as_ref().is_some_and(ClipSource::is_silent);
                self.accents.iter().position(silent)
            })
            .unwrap_or(0);
        let slot = &mut self.accents[slot];
        let mut gone = None;
        if !its(slot) {
            gone = slot.replace(ClipSource::new(clip)).map(|old| old.clip);
        }
        if let Some(source) = slot {
            source.ask(strike);
        }
        self.wake();
        gone
    }

    /// Sounds in `lane` from its next strike on, at once if it is silent.
    pub(super) fn move_to(&mut self, lane: Lane) {
        if self.phase == Phase::Resting {
            self.lane = lane;
        } else {
            self.moves_to = Some(lane);
        }
    }

    fn wake(&mut self) {
        if let Some(lane) = self.moves_to.take() {
            self.lane = lane;
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
            clip.silence();
        }
        for accent in self.accents.iter_mut().flatten() {
            accent.silence();
        }
        if let Some(lane) = self.moves_to.take() {
            self.lane = lane;
        }
        self.phase = Phase::Resting;
        self.level = 0.0;
    }

    /// Whether it is heard, so that a headline's voice ducks the others.
    pub(super) fn is_heard(&self) -> bool {
        self.phase == Phase::Sounding
            && match &self.source {
                Source::Clip(_) | Source::Nothing => true,
                Source::Stream(stream) => stream.state() == Flow::Running || !self.has_no_accent(),
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
            _ if self.frames_sounded < TOO_YOUNG => self.gain,
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
            Source::Nothing => false,
        };
        for accent in self.accents.iter_mut().flatten() {
            accent.render(scratch);
        }
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
        let played_out = self.has_no_accent()
            && match &self.source {
                Source::Clip(clip) => clip.is_silent(),
                Source::Stream(stream) => stream.is_over(),
                Source::Nothing => true,
            };
        match self.phase {
            Phase::Sounding if played_out => self.settle(),
            Phase::Yielding if faded || played_out => self.settle(),
            // A leaving voice is taken out by the mix; it need not play on.
            Phase::Leaving if played_out => self.fade = Ramp::at(0.0),
            _ => {}
        }
    }

    fn has_no_accent(&self) -> bool {
        self.accents.iter().flatten().all(ClipSource::is_silent)
    }

    /// The clips it held beside its source, to be freed elsewhere.
    pub(super) fn take_accents(&mut self) -> impl Iterator<Item = Arc<Clip>> {
        let accents = std::mem::replace(&mut self.accents, [const { None }; ACCENTS]);
        accents.into_iter().flatten().map(|source| source.clip)
    }

    /// Nothing of it will be heard again.
    pub(super) fn is_gone(&self) -> bool {
        let faded = self.fade.is_settled() && self.fade.value() == 0.0;
        let over = matches!(&self.source, Source::Stream(stream) if stream.is_over());
        (over && self.has_no_accent()) || (self.phase == Phase::Leaving && faded)
    }
}
