//! Sound: one voice an act, a mix that never clips, silence when there is no
//! device.
//!
//! The stage holds a [`Mixer`] and tells it what to play; it never waits. The
//! [`MixSource`] makes the samples and goes to whoever wants them: the chosen
//! device through [`Speakers`], a recorder or a test through
//! [`MixSource::render`].
//!
//! - A streak is one voice that rises: [`Mixer::step`] strikes it again, a note
//!   higher; [`Mixer::climax`] resolves it. What celebrates a combo or the end
//!   sounds over it, as an [`Accent`] of the same voice.
//! - A headline ducks the other lanes.
//! - The mix is limited to -1 dB true peak, however many voices there are.
//! - Files are decoded whole, by the [`Shelf`]'s thread and never in a frame; a
//!   video's sound comes in chunks through an [`AudioFeed`].

mod clip;
mod device;
mod hardware;
mod limiter;
mod mix;
mod mixer;
mod ramp;
mod resample;
mod scale;
mod shelf;
mod stage;
mod stream;
mod struck;
mod tap;
#[cfg(test)]
mod tests;
mod voice;

pub use clip::{Clip, ClipError, LONGEST_CLIP};
pub use device::Speakers;
pub use hardware::output_devices;
pub use limiter::{CEILING, LATENCY};
pub use mix::{HELD_VOICES, MixSource, SOUNDING_VOICES};
pub use mixer::{Accent, MixStats, Mixer, VoiceKey, VoiceSettings, mixer};
pub use scale::{HIGHEST_SEMITONES, combo_semitones, streak_semitones};
pub use shelf::{MOST_CLIPS, Shelf};
pub use stage::{SoundDesk, SoundPlugin};
pub use stream::{
    AudioChunk, AudioClock, AudioFeed, AudioStream, CHUNKS_WAITING, PushError, audio_stream,
};
pub use tap::Tap;

/// Frames a second of everything that is mixed.
pub const RATE: u32 = 48_000;
