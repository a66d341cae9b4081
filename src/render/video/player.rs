//! One video in play: a thread that decodes ahead, and a clock that asks.
//!
//! The thread fills a short queue and waits; whoever draws asks with
//! [`Player::frame_for`] which picture is due and never waits for an answer.
//! Frames that came too late are skipped, on both sides of the queue; frames
//! that are early are held. Dropping the player ends the thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::layout::Layout;
use super::source::{VideoError, VideoFrame, VideoInfo, VideoSource};

/// Videos decoded at the same time: one in the headline lane and three in the
/// feature lane. Each holds two decoder threads and a few frames. One more
/// waits until a slot is free.
pub const MAX_PLAYERS: usize = 4;

/// Decoded frames waiting to be drawn. With the one held back and the one on
/// stage that makes five, about 15 MB at 1080x1920; at 30 frames a second the
/// decoder may stumble for 100 ms unseen. When full, the decoder waits.
pub const FRAME_QUEUE: usize = 3;

/// How many late frames the decoder's thread throws away before it passes one
/// on regardless, so that a machine too slow for the video still shows one
/// picture in nine.
const MAX_SKIPS_IN_A_ROW: u32 = 8;

/// How often a free slot is looked for.
const LOOK: Duration = Duration::from_millis(1);

/// Hands out the right to decode, at most [`MAX_PLAYERS`] at a time.
#[derive(Debug, Clone, Default)]
pub struct PlayerSlots(Arc<AtomicUsize>);

impl PlayerSlots {
    /// `None` while all are taken.
    pub fn take(&self) -> Option<Slot> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < MAX_PLAYERS).then_some(taken + 1)
            })
            .ok()
            .map(|_| Slot(Arc::clone(&self.0)))
    }

    /// One as soon as there is one; `None` when none is given back within
    /// `patience`.
    pub fn wait(&self, patience: Duration) -> Option<Slot> {
        let mut waited = Duration::ZERO;
        loop {
            let slot = self.take();
            if slot.is_some() || waited >= patience {
                return slot;
            }
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }

    /// How many are taken now.
    pub fn taken(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// One right to decode; given back when dropped, which a player's thread does
/// as its last act.
#[derive(Debug)]
pub struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A source and the description of what its frames hold.
pub struct Opened {
    pub source: Box<dyn VideoSource>,
    pub layout: Arc<Layout>,
}

/// Where a player is in its life.
#[derive(Debug, Clone, PartialEq)]
pub enum PlayerState {
    /// The file is being opened on the player's thread.
    Opening,
    /// Its size and layout are known; frames come.
    Playing,
    /// The last frame has been on stage for its whole time.
    Ended,
    /// It will show nothing new.
    Failed(VideoError),
}

/// What a player has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlayerStats {
    /// Frames handed to the stage.
    pub shown: u64,
    /// Frames that were due and over before anyone could see them.
    pub skipped: u64,
}

enum Event {
    Opened(VideoInfo, Arc<Layout>),
    Frame(VideoFrame),
    /// Seconds when the last frame's time is over.
    Ended(f64),
    Failed(VideoError),
}

/// What both sides of the queue see.
#[derive(Default)]
struct Shared {
    /// The clock as last asked for: the bits of an `f64` in seconds.
    now: AtomicU64,
    skipped: AtomicU64,
}

/// See the module.
pub struct Player {
    path: PathBuf,
    events: Receiver<Event>,
    shared: Arc<Shared>,
    state: PlayerState,
    opened: Option<(VideoInfo, Arc<Layout>)>,
    /// Came early; shown when its time comes.
    held: Option<VideoFrame>,
    /// Set by the thread's last word; applied once it is due.
    ends_at: Option<f64>,
    stats: PlayerStats,
}

impl Player {
    /// Starts a thread that opens and decodes. `open` runs there, since it
    /// reads the file; `path` is for messages.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn spawn(
        path: &Path,
        looping: bool,
        slot: Slot,
        open: impl FnOnce() -> Result<Opened, VideoError> + Send + 'static,
    ) -> Result<Self, VideoError> {
        let (sender, events) = bounded(FRAME_QUEUE);
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("video".into())
            .spawn(move || {
                // A send fails once the player is gone: nobody is left to tell.
                let _ = decode(open, looping, &sender, &theirs);
                drop(slot);
            })
            .map_err(|error| VideoError::Unreadable {
                path: path.to_path_buf(),
                reason: format!("no thread to decode it on: {error}"),
            })?;
        Ok(Self {
            path: path.to_path_buf(),
            events,
            shared,
            state: PlayerState::Opening,
            opened: None,
            held: None,
            ends_at: None,
            stats: PlayerStats::default(),
        })
    }

    /// The newest frame that is due at `now` seconds and was not handed out
    /// yet. `None`: keep what is on stage. Never waits.
    pub fn frame_for(&mut self, now: f64) -> Option<VideoFrame> {
        self.shared.now.store(now.to_bits(), Ordering::Relaxed);
        // Bounded, so that a decoder as fast as this loop cannot hold it here.
        self.newest_due(now, FRAME_QUEUE + 1, None)
    }

    /// As [`frame_for`](Self::frame_for), waiting until it is certain which frame
    /// is due, for no event longer than `patience`: for recordings. No frame is
    /// skipped because its decoder was late.
    pub fn frame_at(&mut self, now: f64, patience: Duration) -> Option<VideoFrame> {
        self.newest_due(now, usize::MAX, Some(patience))
    }

    /// The newest of the next `most` frames that is due.
    fn newest_due(
        &mut self,
        now: f64,
        most: usize,
        patience: Option<Duration>,
    ) -> Option<VideoFrame> {
        let mut due: Option<VideoFrame> = None;
        for _ in 0..most {
            if self.held.is_none() {
                self.held = self.receive(patience);
            }
            let Some(frame) = self.held.take_if(|frame| frame.pts <= now) else {
                break;
            };
            if due.replace(frame).is_some() {
                self.stats.skipped += 1;
            }
        }
        self.stats.shown += u64::from(due.is_some());
        if due.is_none() && self.held.is_none() && self.ends_at.is_some_and(|end| end <= now) {
            self.state = PlayerState::Ended;
        }
        due
    }

    /// The next frame out of the queue, taking note of everything else in it.
    fn receive(&mut self, patience: Option<Duration>) -> Option<VideoFrame> {
        if matches!(self.state, PlayerState::Failed(_)) || self.ends_at.is_some() {
            return None;
        }
        loop {
            let event = match patience {
                None => self.events.try_recv(),
                Some(patience) => self.events.recv_timeout(patience).map_err(|e| match e {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                }),
            };
            match event {
                Ok(Event::Frame(frame)) => return Some(frame),
                Ok(Event::Opened(info, layout)) => {
                    self.opened = Some((info, layout));
                    self.state = PlayerState::Playing;
                }
                Ok(Event::Ended(at)) => {
                    self.ends_at = Some(at);
                    return None;
                }
                Ok(Event::Failed(error)) => {
                    self.state = PlayerState::Failed(error);
                    return None;
                }
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    self.state = PlayerState::Failed(VideoError::Stopped(self.path.clone()));
                    return None;
                }
            }
        }
    }

    pub fn state(&self) -> &PlayerState {
        &self.state
    }

    /// What the file turned out to be, once [`PlayerState::Playing`] was
    /// reached.
    pub fn opened(&self) -> Option<(&VideoInfo, &Arc<Layout>)> {
        self.opened.as_ref().map(|(info, layout)| (info, layout))
    }

    pub fn stats(&self) -> PlayerStats {
        PlayerStats {
            skipped: self.stats.skipped + self.shared.skipped.load(Ordering::Relaxed),
            ..self.stats
        }
    }
}

/// The other end is gone.
struct Abandoned;

fn decode(
    open: impl FnOnce() -> Result<Opened, VideoError>,
    looping: bool,
    events: &Sender<Event>,
    shared: &Shared,
) -> Result<(), Abandoned> {
    let send = |event| events.send(event).map_err(|_| Abandoned);
    let Opened { mut source, layout } = match open() {
        Ok(opened) => opened,
        Err(error) => return send(Event::Failed(error)),
    };
    send(Event::Opened(source.info().clone(), layout))?;
    let frame_seconds = source.info().frame_seconds();
    let mut skipped_in_a_row = 0;
    // Where the current run through the file begins on the clock, and where
    // the frames so far end.
    let (mut offset, mut end) = (0.0, 0.0_f64);
    loop {
        match source.next_frame() {
            Ok(Some(mut frame)) => {
                frame.pts += offset;
                end = end.max(frame.pts + frame_seconds);
                let now = f64::from_bits(shared.now.load(Ordering::Relaxed));
                if frame.pts + frame_seconds <= now && skipped_in_a_row < MAX_SKIPS_IN_A_ROW {
                    skipped_in_a_row += 1;
                    shared.skipped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                skipped_in_a_row = 0;
                send(Event::Frame(frame))?;
            }
            // A run without a single frame would loop for ever at full speed.
            Ok(None) if looping && end > offset => {
                offset = end;
                if let Err(error) = source.rewind() {
                    return send(Event::Failed(error));
                }
            }
            Ok(None) => return send(Event::Ended(end)),
            Err(error) => return send(Event::Failed(error)),
        }
    }
}
