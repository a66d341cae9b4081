//! The mix itself: pulled by the audio callback, a recorder or a test.
//!
//! ```text
//! voices -> a bus per lane (volume, ducking) -> master -> limiter -> out
//! ```
//!
//! Nothing here waits, locks or allocates. A command takes effect on the
//! first frame of the next [`render`](MixSource::render), so the same calls
//! give the same samples.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender};

use super::RATE;
use super::clip::Clip;
use super::limiter::Limiter;
use super::mixer::{
    Accent, Command, Controls, Discarded, Gauges, VoiceKey, VoiceSettings, fade_frames, lane_index,
};
use super::ramp::Ramp;
use super::struck::{ClipSource, Strike};
use super::voice::{Phase, Source, Voice};
use crate::catalog::Lane;

/// Voices heard together. More are mud, and the stage shows at most 64 acts;
/// a new one takes the place of the quietest ambient voice.
pub const SOUNDING_VOICES: usize = 32;

/// Voices held: one for each of 64 acts, and room for those that fade. When
/// full, the longest-resting one is let go; with none resting the new sound
/// is refused.
pub const HELD_VOICES: usize = 96;

/// Frames mixed at a time by the iterator: 1.3 ms.
const BLOCK: usize = 64;

/// The mix's format as rodio names it.
pub(super) const CHANNELS: rodio::ChannelCount = NonZero::new(2).expect("two is not zero");
pub(super) const SAMPLE_RATE: rodio::SampleRate = NonZero::new(RATE).expect("the rate is not zero");

/// A voice that loses its place fades over 10 ms.
const STEAL_FADE: u32 = RATE / 100;

/// Volumes, mute and pause move over 20 ms: at once to the ear, no click.
const CONTROL_RAMP: u32 = RATE / 50;

/// Gains of the lanes under a headline: feature -6 dB, ambient -12 dB.
const DUCKED: [f32; 3] = [1.0, 0.5, 0.25];

/// Time constants of ducking, in seconds: out of the way within a syllable,
/// back without being noticed.
const DUCK_ATTACK: f32 = 0.03;
const DUCK_RELEASE: f32 = 0.4;

/// Everything a [`Mixer`](super::Mixer) plays, as interleaved stereo samples
/// at [`RATE`]. Never ends.
pub struct MixSource {
    commands: Receiver<Command>,
    discarded: Sender<Discarded>,
    controls: Arc<Controls>,
    gauges: Arc<Gauges>,
    voices: Box<[Option<Voice>]>,
    born: u64,
    buses: [[[f32; 2]; BLOCK]; 3],
    scratch: [[f32; 2]; BLOCK],
    lanes: [Ramp; 3],
    ducking: [f32; 3],
    master: Ramp,
    /// 1.0 running, 0.0 paused.
    transport: Ramp,
    limiter: Limiter,
    /// Nothing was heard in the last block, nor is anything held back by a
    /// pause.
    silent: bool,
    ready: [f32; BLOCK * 2],
    /// Samples of `ready` already taken.
    taken: usize,
}

impl MixSource {
    pub(super) fn new(
        commands: Receiver<Command>,
        discarded: Sender<Discarded>,
        controls: Arc<Controls>,
        gauges: Arc<Gauges>,
    ) -> Self {
        Self {
            commands,
            discarded,
            controls,
            gauges,
            voices: (0..HELD_VOICES).map(|_| None).collect(),
            born: 0,
            buses: [[[0.0; 2]; BLOCK]; 3],
            scratch: [[0.0; 2]; BLOCK],
            lanes: [Ramp::at(1.0); 3],
            ducking: [1.0; 3],
            master: Ramp::at(1.0),
            transport: Ramp::at(1.0),
            limiter: Limiter::new(),
            silent: true,
            ready: [0.0; BLOCK * 2],
            taken: BLOCK * 2,
        }
    }

    /// Fills `out`, interleaved stereo, with the next frames. An odd last
    /// sample is left alone.
    pub fn render(&mut self, out: &mut [f32]) {
        let waiting = (BLOCK * 2 - self.taken).min(out.len());
        let (first, rest) = out.split_at_mut(waiting);
        first.copy_from_slice(&self.ready[self.taken..][..waiting]);
        self.taken += waiting;
        let mut rest = rest;
        while rest.len() >= 2 {
            let len = rest.len().min(BLOCK * 2) & !1;
            let (block, later) = rest.split_at_mut(len);
            self.render_block(block);
            rest = later;
        }
    }

    /// Whether nothing was heard in the last block.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether there will be silence until somebody wants something played.
    pub(super) fn is_at_rest(&self) -> bool {
        self.silent && self.voices.iter().all(Option::is_none)
    }

    /// Waits until somebody does, or `stopped` is closed.
    pub(super) fn wait(&self, stopped: &Receiver<()>) {
        let mut either = Select::new();
        either.recv(&self.commands);
        either.recv(stopped);
        either.ready();
    }

    /// Lets another thread see whether the mix is being pulled.
    pub(super) fn progress(&self) -> Progress {
        Progress(self.gauges.clone())
    }

    /// At most [`BLOCK`] frames.
    fn render_block(&mut self, out: &mut [f32]) {
        self.obey();
        let frames = out.len() / 2;
        let sounding = self.render_voices(frames);
        self.silent = sounding == 0 && self.limiter.is_empty() && !self.is_paused();
        if sounding == 0 && self.limiter.is_empty() {
            out.fill(0.0);
            self.limiter.rest();
        } else {
            self.mix_down(out);
        }
        let gauges = &*self.gauges;
        gauges.sounding.store(sounding, Ordering::Relaxed);
        let held = self.voices.iter().flatten().count() as u32;
        gauges.held.store(held, Ordering::Relaxed);
        gauges.frames.fetch_add(frames as u64, Ordering::Relaxed);
    }

    /// Takes the commands and switches that have come.
    fn obey(&mut self) {
        // Bounded, so that a flood cannot hold the callback up.
        for _ in 0..self.commands.len() {
            match self.commands.try_recv() {
                Ok(command) => self.obey_one(command),
                Err(_) => break,
            }
        }
        self.master.aim(self.controls.master(), CONTROL_RAMP);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            lane.aim(self.controls.lane(index), CONTROL_RAMP);
        }
        let running = if self.controls.is_paused() { 0.0 } else { 1.0 };
        self.transport.aim(running, CONTROL_RAMP);
        if self.silent {
            self.settle();
        }
    }

    fn obey_one(&mut self, command: Command) {
        match command {
            Command::Play(key, clip, settings) => {
                let source = Source::Clip(ClipSource::new(clip));
                self.begin(Voice::new(key, settings, source, self.born));
            }
            Command::Stream(key, stream, settings) => {
                let source = Source::Stream(super::stream::StreamHead::new(stream));
                self.begin(Voice::new(key, settings, source, self.born));
            }
            Command::Step(key, count) => self.strike(key, Strike::step(count)),
            Command::Climax(key, scale) => self.strike(key, Strike::climax(scale)),
            Command::Accent(key, clip, accent) => self.accent(key, clip, accent),
            Command::Move(key, lane) => {
                let its = self.voices.iter_mut().flatten();
                for voice in its.filter(|v| v.key == key && v.phase != Phase::Leaving) {
                    voice.move_to(lane);
                }
            }
            Command::Stop(key, fade) => self.leave(key, fade_frames(fade)),
            #[cfg(test)]
            Command::StopAll(fade) => {
                for voice in self.voices.iter_mut().flatten() {
                    voice.fade_out(fade_frames(fade), Phase::Leaving);
                }
            }
        }
    }

    /// Starts a voice in place of what its act had before.
    fn begin(&mut self, mut voice: Voice) {
        self.leave(voice.key, STEAL_FADE);
        voice.sound(Strike::PLAIN);
        self.enter(voice);
    }

    /// Gives a voice that is about to sound its slot and its place.
    fn enter(&mut self, voice: Voice) {
        self.born += 1;
        let Some(slot) = self.free_slot() else {
            return self.refuse(voice);
        };
        if !self.make_place(voice.lane) {
            return self.refuse(voice);
        }
        self.voices[slot] = Some(voice);
    }

    /// Sounds a clip over an act's voice, or as all of it.
    fn accent(&mut self, key: VoiceKey, clip: Arc<Clip>, accent: Accent) {
        let strike = Strike::note(accent.semitones, accent.gain);
        let Some(slot) = self.slot_of(key, |_| true) else {
            let settings = VoiceSettings {
                gain: 1.0,
                lane: accent.lane,
            };
            let mut voice = Voice::new(key, settings, Source::Nothing, self.born);
            voice.accent(clip, strike);
            return self.enter(voice);
        };
        if !self.may_sound(slot) {
            drop(self.discarded.try_send(Discarded::Clip(clip)));
        } else if let Some(voice) = &mut self.voices[slot]
            && let Some(gone) = voice.accent(clip, strike)
        {
            drop(self.discarded.try_send(Discarded::Clip(gone)));
        }
    }

    /// Sounds a clip's voice again. Streams have nothing to strike.
    fn strike(&mut self, key: VoiceKey, strike: Strike) {
        let struck = |voice: &Voice| matches!(voice.source, Source::Clip(_));
        if let Some(slot) = self.slot_of(key, struck)
            && self.may_sound(slot)
            && let Some(voice) = &mut self.voices[slot]
        {
            voice.sound(strike);
        }
    }

    /// The slot of an act's voice, unless that is leaving.
    fn slot_of(&self, key: VoiceKey, kind: impl Fn(&Voice) -> bool) -> Option<usize> {
        self.voices.iter().position(|voice| {
            voice
                .as_ref()
                .is_some_and(|v| v.key == key && v.phase != Phase::Leaving && kind(v))
        })
    }

    /// Sees to it that a held voice may sound; counts it when it may not.
    fn may_sound(&mut self, slot: usize) -> bool {
        let Some(voice) = &self.voices[slot] else {
            return false;
        };
        let may = voice.takes_a_place() || self.make_place(voice.lane);
        if !may {
            self.gauges.refused.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    fn leave(&mut self, key: VoiceKey, fade: u32) {
        let its = self.voices.iter_mut().flatten();
        for voice in its.filter(|voice| voice.key == key) {
            voice.fade_out(fade, Phase::Leaving);
        }
    }

    fn refuse(&mut self, voice: Voice) {
        self.gauges.refused.fetch_add(1, Ordering::Relaxed);
        discard(&self.discarded, voice);
    }

    /// An empty slot, made by letting the oldest resting voice go if need be.
    fn free_slot(&mut self) -> Option<usize> {
        if let Some(empty) = self.voices.iter().position(Option::is_none) {
            return Some(empty);
        }
        let resting = self.voices.iter().enumerate().filter_map(|(slot, voice)| {
            let voice = voice.as_ref()?;
            (voice.phase == Phase::Resting).then_some((slot, voice.born))
        });
        let (slot, _) = resting.min_by_key(|&(_, born)| born)?;
        if let Some(voice) = self.voices[slot].take() {
            discard(&self.discarded, voice);
        }
        Some(slot)
    }

    /// Sees to it that one more voice of `lane` may sound: the quietest voice
    /// of the least lane yields, the oldest among equals. False when all that
    /// sound belong to dearer lanes.
    fn make_place(&mut self, lane: Lane) -> bool {
        let sounding = self.voices.iter().flatten().filter(|v| v.takes_a_place());
        if sounding.clone().count() < SOUNDING_VOICES {
            return true;
        }
        let victim = sounding
            .filter(|voice| lane_index(voice.lane) >= lane_index(lane))
            .min_by(|a, b| {
                lane_index(b.lane)
                    .cmp(&lane_index(a.lane))
                    .then(a.loudness().total_cmp(&b.loudness()))
                    .then(a.born.cmp(&b.born))
            })
            .map(|voice| voice.born);
        let victim = self
            .voices
            .iter_mut()
            .flatten()
            .find(|v| Some(v.born) == victim);
        let Some(victim) = victim else { return false };
        victim.fade_out(STEAL_FADE, Phase::Yielding);
        self.gauges.stolen.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Fills the lanes' buses; returns how many voices were heard.
    fn render_voices(&mut self, frames: usize) -> u32 {
        for bus in &mut self.buses {
            bus[..frames].fill([0.0; 2]);
        }
        let paused = self.is_paused();
        let mut sounding = 0;
        for slot in &mut self.voices {
            let Some(voice) = slot else { continue };
            if paused {
                // Unheard, it can stop now; its fade would be heard later.
                voice.cut_fade();
            } else if voice.phase != Phase::Resting && !voice.is_gone() {
                sounding += 1;
                let bus = &mut self.buses[lane_index(voice.lane)][..frames];
                if voice.render(bus, &mut self.scratch[..frames]) {
                    self.gauges.underruns.fetch_add(1, Ordering::Relaxed);
                }
            }
            if voice.is_gone()
                && let Some(voice) = slot.take()
            {
                discard(&self.discarded, voice);
            }
        }
        sounding
    }

    /// Paused, and faded: voices stand still.
    fn is_paused(&self) -> bool {
        self.transport.is_settled() && self.transport.value() == 0.0
    }

    fn mix_down(&mut self, out: &mut [f32]) {
        let headline = self
            .voices
            .iter()
            .flatten()
            .any(|voice| voice.lane == Lane::Headline && voice.is_heard());
        let (time, ducked) = if headline {
            (DUCK_ATTACK, DUCKED)
        } else {
            (DUCK_RELEASE, [1.0; 3])
        };
        let pace = 1.0 / (time * RATE as f32);
        for (n, frame) in out.chunks_exact_mut(2).enumerate() {
            let mut sum = [0.0; 2];
            let lanes = self.lanes.iter_mut().zip(&mut self.ducking);
            for ((lane, ducking), (bus, ducked)) in lanes.zip(self.buses.iter().zip(ducked)) {
                *ducking += (ducked - *ducking) * pace;
                let gain = lane.next() * *ducking;
                sum[0] += bus[n][0] * gain;
                sum[1] += bus[n][1] * gain;
            }
            let gain = self.master.next() * self.transport.next();
            frame.copy_from_slice(&self.limiter.next(sum.map(|s| s * gain)));
        }
    }

    /// With nothing to hear, every gain arrives at once: a sound that starts
    /// in a muted mix must not be heard while a ramp runs.
    fn settle(&mut self) {
        for lane in &mut self.lanes {
            lane.finish();
        }
        self.master.finish();
        self.transport.finish();
        self.ducking = [1.0; 3];
    }
}

/// See [`MixSource::progress`].
pub(super) struct Progress(Arc<Gauges>);

impl Progress {
    /// Frames mixed so far.
    pub(super) fn frames(&self) -> u64 {
        self.0.frames.load(Ordering::Relaxed)
    }
}

/// Sends what a voice held back to the mixer to be freed there.
fn discard(to: &Sender<Discarded>, mut voice: Voice) {
    for clip in voice.take_accents() {
        drop(to.try_send(Discarded::Clip(clip)));
    }
    let what = match voice.source {
        Source::Clip(source) => Discarded::Clip(source.clip),
        Source::Stream(head) => Discarded::Stream(head.into_stream()),
        Source::Nothing => return,
    };
    drop(to.try_send(what));
}

impl Iterator for MixSource {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.taken == BLOCK * 2 {
            let mut block = std::mem::replace(&mut self.ready, [0.0; BLOCK * 2]);
            self.render_block(&mut block);
            self.ready = block;
            self.taken = 0;
        }
        let sample = self.ready[self.taken];
        self.taken += 1;
        Some(sample)
    }
}

impl rodio::Source for MixSource {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> rodio::ChannelCount {
        CHANNELS
    }

    fn sample_rate(&self) -> rodio::SampleRate {
        SAMPLE_RATE
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}
