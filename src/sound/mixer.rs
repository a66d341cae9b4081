//! The stage's end of the mix: what to play, and how loud.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::RATE;
use super::clip::Clip;
use super::mix::MixSource;
use super::scale::HIGHEST_SEMITONES;
use super::stream::{AudioChunk, AudioStream};
use crate::catalog::Lane;

/// Commands on their way to the mix. The mix takes them every few
/// milliseconds, so only a dead device fills it; then the newest is dropped
/// and counted. A `stop` lost that way costs nothing: clips end by themselves
/// and streams with their feed.
const COMMANDS: usize = 512;

/// What the mix is done with, on its way back to be freed here rather than in
/// the audio callback. When full, the callback frees it after all.
const DISCARDS: usize = 1024;

/// Loudest gain of a voice: +12 dB.
const LOUDEST_GAIN: f32 = 4.0;

/// The act a voice belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VoiceKey(pub u64);

/// How a voice sits in the mix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoiceSettings {
    /// Linear, 0.0 to 4.0; what is outside is clamped.
    pub gain: f32,
    pub lane: Lane,
}

/// How a clip sounds over an act's voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accent {
    /// Semitones above the clip's own pitch.
    pub semitones: u32,
    /// Linear, relative to the act's voice; 0.0 to 4.0, what is outside is
    /// clamped.
    pub gain: f32,
    /// Where an act sounds that has no voice yet.
    pub lane: Lane,
}

/// What the mix is doing, as of its last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MixStats {
    /// Voices being heard or fading.
    pub sounding: u32,
    /// Voices held for an act, silent ones included.
    pub held: u32,
    /// Voices that had to give their place to another, since the start.
    pub stolen: u64,
    /// Sounds not played because every place was taken by something dearer.
    pub refused: u64,
    /// Commands dropped because the mix did not take them.
    pub dropped: u64,
    /// Times a stream ran dry.
    pub underruns: u64,
    /// Frames mixed since the start.
    pub frames: u64,
}

/// A command to the mix; takes effect on the next frame it renders.
pub(super) enum Command {
    Play(VoiceKey, Arc<Clip>, VoiceSettings),
    Stream(VoiceKey, AudioStream, VoiceSettings),
    Step(VoiceKey, u32),
    Climax(VoiceKey, f32),
    Accent(VoiceKey, Arc<Clip>, Accent),
    Move(VoiceKey, Lane),
    Stop(VoiceKey, Duration),
    #[cfg(test)]
    StopAll(Duration),
}

/// What the mix no longer needs.
pub(super) enum Discarded {
    Clip(#[expect(dead_code, reason = "held only to be freed elsewhere")] Arc<Clip>),
    Stream(
        #[expect(dead_code, reason = "held only to be freed elsewhere")] (AudioStream, AudioChunk),
    ),
}

/// Volumes and switches: the latest value holds, so they are shared state and
/// no flood of commands can lose one.
pub(super) struct Controls {
    volume: AtomicU32,
    lanes: [AtomicU32; 3],
    muted: AtomicBool,
    paused: AtomicBool,
}

/// Counters the mix writes and the stage reads.
#[derive(Default)]
pub(super) struct Gauges {
    pub(super) sounding: AtomicU32,
    pub(super) held: AtomicU32,
    pub(super) stolen: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) underruns: AtomicU64,
    pub(super) frames: AtomicU64,
}

/// Plays the acts' voices. Every method returns at once; the sound is made by
/// whoever pulls the [`MixSource`].
pub struct Mixer {
    commands: Sender<Command>,
    discarded: Receiver<Discarded>,
    controls: Arc<Controls>,
    gauges: Arc<Gauges>,
}

/// A mixer and the sound it makes: interleaved stereo at [`RATE`], silence
/// while nothing plays, without end.
pub fn mixer() -> (Mixer, MixSource) {
    let (commands, commands_out) = bounded(COMMANDS);
    let (discarded_in, discarded) = bounded(DISCARDS);
    let controls = Arc::new(Controls {
        volume: AtomicU32::new(1_f32.to_bits()),
        lanes: std::array::from_fn(|_| AtomicU32::new(1_f32.to_bits())),
        muted: AtomicBool::new(false),
        paused: AtomicBool::new(false),
    });
    let gauges = Arc::new(Gauges::default());
    let source = MixSource::new(commands_out, discarded_in, controls.clone(), gauges.clone());
    let mixer = Mixer {
        commands,
        discarded,
        controls,
        gauges,
    };
    (mixer, source)
}

impl Mixer {
    /// Plays `clip` as the voice of an act. A voice the act already has fades
    /// out and is replaced.
    pub fn play(&self, key: VoiceKey, clip: Arc<Clip>, settings: VoiceSettings) {
        self.send(Command::Play(key, clip, settings.clamped()));
    }

    /// Plays the sound of a video as the voice of an act. The voice ends when
    /// the feed is dropped and the rest has played.
    pub fn play_stream(&self, key: VoiceKey, stream: AudioStream, settings: VoiceSettings) {
        self.send(Command::Stream(key, stream, settings.clamped()));
    }

    /// The act's streak has grown to `count`: its voice sounds again, higher
    /// (see [`streak_semitones`](super::streak_semitones)). Sixteen times a
    /// second at most; of faster steps the last is heard. Streams and unknown
    /// keys ignore it.
    pub fn step(&self, key: VoiceKey, count: u32) {
        self.send(Command::Step(key, count));
    }

    /// The act's streak ends: its voice sounds once more at its own pitch,
    /// from one note at `scale` 0.0 to a chord and 6 dB more at 1.0.
    pub fn climax(&self, key: VoiceKey, scale: f32) {
        self.send(Command::Climax(key, scale));
    }

    /// Sounds `clip` over whatever the act's voice sounds, as part of that
    /// voice: it takes no place of its own, and fades with it. An act without
    /// a voice gets one that has nothing else to say.
    pub fn accent(&self, key: VoiceKey, clip: Arc<Clip>, accent: Accent) {
        self.send(Command::Accent(key, clip, accent.clamped()));
    }

    /// The act goes on in another lane; its voice does from its next strike
    /// on, so that what it sounds now does not jump.
    pub fn move_to(&self, key: VoiceKey, lane: Lane) {
        self.send(Command::Move(key, lane));
    }

    /// Ends an act's voice over `fade`; 5 ms at least, so that it does not
    /// click.
    pub fn stop(&self, key: VoiceKey, fade: Duration) {
        self.send(Command::Stop(key, fade));
    }

    /// Ends every voice over `fade`.
    #[cfg(test)]
    pub fn stop_all(&self, fade: Duration) {
        self.send(Command::StopAll(fade));
    }

    /// How loud everything is: linear, 0.0 to 1.0.
    pub fn set_volume(&self, volume: f32) {
        self.controls
            .volume
            .store(unit_bits(volume), Ordering::Relaxed);
    }

    /// How loud a lane is: linear, 0.0 to 1.0.
    pub fn set_lane_volume(&self, lane: Lane, volume: f32) {
        self.controls.lanes[lane_index(lane)].store(unit_bits(volume), Ordering::Relaxed);
    }

    /// Silences everything; voices play on unheard.
    pub fn set_muted(&self, muted: bool) {
        self.controls.muted.store(muted, Ordering::Relaxed);
    }

    /// Stops every voice where it is, or lets it go on from there.
    pub fn set_paused(&self, paused: bool) {
        self.controls.paused.store(paused, Ordering::Relaxed);
    }

    /// Frees what the mix is done with; every command does, too. Worth a call
    /// a frame.
    pub fn collect(&self) {
        while self.discarded.try_recv().is_ok() {}
    }

    pub fn stats(&self) -> MixStats {
        let gauges = &*self.gauges;
        MixStats {
            sounding: gauges.sounding.load(Ordering::Relaxed),
            held: gauges.held.load(Ordering::Relaxed),
            stolen: gauges.stolen.load(Ordering::Relaxed),
            refused: gauges.refused.load(Ordering::Relaxed),
            dropped: gauges.dropped.load(Ordering::Relaxed),
            underruns: gauges.underruns.load(Ordering::Relaxed),
            frames: gauges.frames.load(Ordering::Relaxed),
        }
    }

    fn send(&self, command: Command) {
        self.collect();
        if self.commands.try_send(command).is_err() {
            self.gauges.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl VoiceSettings {
    fn clamped(self) -> Self {
        Self {
            gain: sane(self.gain),
            ..self
        }
    }
}

impl Accent {
    fn clamped(self) -> Self {
        Self {
            gain: sane(self.gain),
            semitones: self.semitones.min(HIGHEST_SEMITONES),
            ..self
        }
    }
}

fn sane(gain: f32) -> f32 {
    if gain.is_finite() {
        gain.clamp(0.0, LOUDEST_GAIN)
    } else {
        0.0
    }
}

impl Controls {
    /// The gain of everything, muting included.
    pub(super) fn master(&self) -> f32 {
        if self.muted.load(Ordering::Relaxed) {
            0.0
        } else {
            f32::from_bits(self.volume.load(Ordering::Relaxed))
        }
    }

    pub(super) fn lane(&self, index: usize) -> f32 {
        f32::from_bits(self.lanes[index].load(Ordering::Relaxed))
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }
}

pub(super) fn lane_index(lane: Lane) -> usize {
    match lane {
        Lane::Headline => 0,
        Lane::Feature => 1,
        Lane::Ambient => 2,
    }
}

/// A fade in frames, from 5 ms to 10 s.
pub(super) fn fade_frames(fade: Duration) -> u32 {
    const SHORTEST: f32 = 0.005;
    const LONGEST: f32 = 10.0;
    (fade.as_secs_f32().clamp(SHORTEST, LONGEST) * RATE as f32) as u32
}

fn unit_bits(volume: f32) -> u32 {
    let volume = if volume.is_finite() {
        volume.clamp(0.0, 1.0)
    } else {
        0.0
    };
    volume.to_bits()
}
