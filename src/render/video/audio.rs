//! A video's sound, on its way to whoever plays it.
//!
//! The sound has its own reader of the same file, so that neither stream ever
//! waits for the other's queue. [`AudioStream`] decodes on a thread; its
//! consumer, usually an audio callback, takes chunks without waiting.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};

use super::source::VideoError;

/// Samples per second and channel of every chunk.
pub const SAMPLE_RATE: u32 = 48_000;

/// Channels of every chunk, interleaved.
pub const CHANNELS: u16 = 2;

/// Chunks decoded ahead: with AAC's 1024 samples about a third of a second.
/// When full, the decoder waits.
pub const CHUNK_QUEUE: usize = 16;

/// A stretch of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioChunk {
    /// Seconds from the start of the video at which the first sample is due.
    pub pts: f64,
    /// Left, right, left, ...; -1.0 to 1.0 at [`SAMPLE_RATE`].
    pub samples: Vec<f32>,
}

/// Yields a file's sound from its start to its end.
pub trait AudioSource: Send {
    /// The next stretch; `None` at the end. May take as long as decoding takes.
    ///
    /// # Errors
    /// When the file turns out damaged.
    fn next_chunk(&mut self) -> Result<Option<AudioChunk>, VideoError>;
}

/// What [`AudioStream::pull`] found.
#[derive(Debug, PartialEq)]
pub enum Pull {
    Chunk(AudioChunk),
    /// Nothing is ready: play silence and ask again.
    NotYet,
    /// Nothing will come any more.
    Ended,
    /// Nothing will come any more, because of this.
    Failed(VideoError),
}

enum Event {
    Chunk(AudioChunk),
    Ended,
    Failed(VideoError),
}

/// Sound decoded ahead on a thread of its own, which ends when this is dropped.
pub struct AudioStream {
    path: PathBuf,
    events: Receiver<Event>,
    ended: bool,
}

impl AudioStream {
    /// Starts the thread; `open` runs there and yields `None` for a video
    /// without sound.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn spawn(
        path: &Path,
        open: impl FnOnce() -> Result<Option<Box<dyn AudioSource>>, VideoError> + Send + 'static,
    ) -> Result<Self, VideoError> {
        let (sender, events) = bounded(CHUNK_QUEUE);
        thread::Builder::new()
            .name("video-sound".into())
            .spawn(move || {
                let mut source = open();
                loop {
                    let event = match &mut source {
                        Err(error) => Event::Failed(error.clone()),
                        Ok(None) => Event::Ended,
                        Ok(Some(source)) => match source.next_chunk() {
                            Ok(Some(chunk)) => Event::Chunk(chunk),
                            Ok(None) => Event::Ended,
                            Err(error) => Event::Failed(error),
                        },
                    };
                    let last = !matches!(event, Event::Chunk(_));
                    if sender.send(event).is_err() || last {
                        return;
                    }
                }
            })
            .map_err(|error| VideoError::Unreadable {
                path: path.to_path_buf(),
                reason: format!("no thread to decode its sound on: {error}"),
            })?;
        Ok(Self {
            path: path.to_path_buf(),
            events,
            ended: false,
        })
    }

    /// Takes the next chunk if there is one; never waits. After the end or a
    /// failure was told once, it is [`Pull::Ended`].
    pub fn pull(&mut self) -> Pull {
        self.pull_within(Duration::ZERO)
    }

    /// As [`pull`](Self::pull), waiting no longer than `patience`.
    pub fn pull_within(&mut self, patience: Duration) -> Pull {
        if self.ended {
            return Pull::Ended;
        }
        let received = match self.events.try_recv() {
            Err(TryRecvError::Empty) if !patience.is_zero() => {
                self.events.recv_timeout(patience).map_err(|e| match e {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                })
            }
            received => received,
        };
        let found = match received {
            Ok(Event::Chunk(chunk)) => return Pull::Chunk(chunk),
            Err(TryRecvError::Empty) => return Pull::NotYet,
            Ok(Event::Ended) => Pull::Ended,
            Ok(Event::Failed(error)) => Pull::Failed(error),
            Err(TryRecvError::Disconnected) => Pull::Failed(VideoError::Stopped(self.path.clone())),
        };
        self.ended = true;
        found
    }
}
