//! Sound that arrives while it plays: the audio track of a video.
//!
//! The decoder's thread pushes chunks, the mixer takes them, and the emptied
//! buffers go back to be freed by whoever pushes the next one, so that the audio
//! callback frees nothing. A decoder that falls behind is silence, never a wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::RATE;
use super::ramp::Ramp;

/// Chunks that may wait. An AAC frame is 21 ms, so this is 0.7 s of slack;
/// when it is full the decoder keeps its chunk and tries later.
pub const CHUNKS_WAITING: usize = 32;

/// What was last heard fades out over a gap and in after it: 2 ms.
const GAP_RAMP: u32 = RATE / 500;

/// A piece of decoded sound: interleaved stereo at [`RATE`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AudioChunk {
    pub samples: Vec<f32>,
}

/// Why a chunk was not taken; it comes back to be tried again or dropped.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("enough sound is waiting; push this chunk later")]
    Full(AudioChunk),
    #[error("the voice has ended; decode no more sound")]
    Ended,
}

/// The decoder's end. Dropping it ends the voice once the rest has played.
#[derive(Debug)]
pub struct AudioFeed {
    chunks: Sender<AudioChunk>,
    pub(super) emptied: Receiver<Vec<f32>>,
    clock: AudioClock,
}

/// The mixer's end, given to [`play_stream`](super::Mixer::play_stream).
#[derive(Debug)]
pub struct AudioStream {
    chunks: Receiver<AudioChunk>,
    emptied: Sender<Vec<f32>>,
    clock: AudioClock,
}

/// How far a stream has played, for pictures that follow the sound.
#[derive(Debug, Clone)]
pub struct AudioClock(Arc<ClockState>);

#[derive(Debug, Default)]
struct ClockState {
    frames: AtomicU64,
    ended: AtomicBool,
}

/// A stream's two ends.
pub fn audio_stream() -> (AudioFeed, AudioStream) {
    let (chunks, chunks_out) = bounded(CHUNKS_WAITING);
    // One more than can wait: the chunk being played comes back too. More cannot
    // come between two pushes.
    let (emptied_in, emptied) = bounded(CHUNKS_WAITING + 1);
    let clock = AudioClock(Arc::default());
    (
        AudioFeed {
            chunks,
            emptied,
            clock: clock.clone(),
        },
        AudioStream {
            chunks: chunks_out,
            emptied: emptied_in,
            clock,
        },
    )
}

impl AudioFeed {
    /// Hands over a chunk without waiting, and frees what has been played.
    ///
    /// # Errors
    /// [`PushError::Full`] with the chunk when [`CHUNKS_WAITING`] are waiting,
    /// [`PushError::Ended`] when nobody will play it.
    pub fn push(&self, chunk: AudioChunk) -> Result<(), PushError> {
        while self.emptied.try_recv().is_ok() {}
        self.chunks.try_send(chunk).map_err(|error| match error {
            crossbeam_channel::TrySendError::Full(chunk) => PushError::Full(chunk),
            crossbeam_channel::TrySendError::Disconnected(_) => PushError::Ended,
        })
    }

    /// How far the stream has played.
    pub fn clock(&self) -> AudioClock {
        self.clock.clone()
    }
}

impl AudioClock {
    /// Sound mixed so far. Gaps do not count. What is heard lags by the
    /// device's buffer and the limiter, about 50 ms.
    pub fn position(&self) -> Duration {
        let frames = self.0.frames.load(Ordering::Relaxed);
        Duration::from_nanos(frames * 1_000_000_000 / u64::from(RATE))
    }

    /// The mixer is done with this stream: it played out or was stopped, and
    /// the position stands still.
    pub fn has_ended(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }
}

impl Drop for AudioStream {
    fn drop(&mut self) {
        self.clock.0.ended.store(true, Ordering::Relaxed);
    }
}

/// A stream in a voice.
pub(super) struct StreamHead {
    stream: AudioStream,
    chunk: AudioChunk,
    /// Samples of the chunk already played.
    at: usize,
    /// Full while samples come, falling to zero over a gap.
    flow: Ramp,
    last: [f32; 2],
    state: Flow,
}

/// Whether a stream is giving sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Nothing has come yet.
    Waiting,
    /// Samples come.
    Running,
    /// The decoder has fallen behind.
    Starved,
    /// The feed is gone and everything has played.
    Ended,
}

impl StreamHead {
    pub(super) fn new(stream: AudioStream) -> Self {
        Self {
            stream,
            chunk: AudioChunk::default(),
            at: 0,
            flow: Ramp::at(0.0),
            last: [0.0; 2],
            state: Flow::Waiting,
        }
    }

    pub(super) fn state(&self) -> Flow {
        self.state
    }

    /// Fills `out` and says whether the stream ran dry in it.
    pub(super) fn render(&mut self, out: &mut [[f32; 2]]) -> bool {
        let mut played = 0;
        let mut ran_dry = false;
        for frame in out {
            let ran = self.state == Flow::Running;
            if let Some(next) = self.next_frame() {
                self.state = Flow::Running;
                self.flow.aim(1.0, GAP_RAMP);
                self.last = next;
                played += 1;
            } else {
                ran_dry |= ran && self.state == Flow::Starved;
                self.flow.aim(0.0, GAP_RAMP);
            }
            let gain = self.flow.next();
            *frame = self.last.map(|s| s * gain);
        }
        let clock = &self.stream.clock.0.frames;
        // This is the only writer, so load and store do not race.
        clock.store(clock.load(Ordering::Relaxed) + played, Ordering::Relaxed);
        ran_dry
    }

    fn next_frame(&mut self) -> Option<[f32; 2]> {
        while self.at + 2 > self.chunk.samples.len() {
            match self.stream.chunks.try_recv() {
                Ok(next) => {
                    let mut buffer = std::mem::replace(&mut self.chunk, next).samples;
                    self.at = 0;
                    if buffer.capacity() > 0 {
                        buffer.clear();
                        // Never full, and disconnected only once the feed is gone:
                        // what was left of it is freed here, which is rare and small.
                        drop(self.stream.emptied.try_send(buffer));
                    }
                }
                Err(crossbeam_channel::TryRecvError::Empty) => {
                    if self.state == Flow::Running {
                        self.state = Flow::Starved;
                    }
                    return None;
                }
                Err(crossbeam_channel::TryRecvError::Disconnected) => {
                    self.state = Flow::Ended;
                    return None;
                }
            }
        }
        let frame = [self.chunk.samples[self.at], self.chunk.samples[self.at + 1]];
        self.at += 2;
        Some(frame)
    }

    /// Gives the stream back with the chunk in play, to be freed elsewhere.
    pub(super) fn into_stream(self) -> (AudioStream, AudioChunk) {
        (self.stream, self.chunk)
    }

    /// Ended, and the last sample has faded.
    pub(super) fn is_over(&self) -> bool {
        self.state == Flow::Ended && self.flow.is_settled() && self.flow.value() == 0.0
    }
}
