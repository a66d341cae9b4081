//! The plugin's side.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::error::RingError;
use super::folder::Folder;
use super::handover::{Claim, EMPTY};
use super::layout::{
    HEARTBEAT_LIMIT_NS, Header, SEAT_LIMIT_NS, STATE_ENDED, STATE_RETIRED, SlotRecord,
};
use super::memory::{Memory, read_text};
use super::platform;
use super::sound::SoundReader;

/// When a frame was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrameStamp {
    /// Which frame of the stage it is.
    pub number: u64,
    /// The stage's time.
    pub stage_seconds: f64,
    /// When it was handed to the GPU, on [`now_ns`](super::now_ns)'s clock.
    pub drawn_ns: u64,
}

impl FrameStamp {
    pub(crate) fn read(record: &SlotRecord) -> Self {
        Self {
            number: record.number.load(Relaxed),
            stage_seconds: f64::from_bits(record.stage_seconds.load(Relaxed)),
            drawn_ns: record.drawn_ns.load(Relaxed),
        }
    }
}

/// How the writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Live,
    /// It has not been heard of for longer than
    /// [`HEARTBEAT_LIMIT_NS`]: what it published last is not to be shown.
    Silent {
        for_ns: u64,
    },
    /// It moved to a new ring of the same name; open that one.
    Retired,
    /// It ended in order.
    Ended,
}

/// Where the sources of a reader are to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Showing {
    #[default]
    Nowhere,
    /// In a preview or a multiview alone: the streamer sees them, and nobody else.
    InPreview,
    OnAir,
}

impl Showing {
    fn to_word(self) -> u32 {
        match self {
            Self::Nowhere => 0,
            Self::OnAir => 1,
            Self::InPreview => 2,
        }
    }

    /// Readers older than the distinction say 1 for both.
    pub(crate) fn from_word(word: u32) -> Self {
        match word {
            0 => Self::Nowhere,
            2 => Self::InPreview,
            _ => Self::OnAir,
        }
    }
}

/// What the reader says about itself with each heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Frames a second as a fraction; `(0, 0)` when not known.
    pub fps: (u32, u32),
    /// The best of what its sources have.
    pub showing: Showing,
    /// How many sources share the reader.
    pub sources: u32,
    /// The sequence number of the frame shown last.
    pub shown: u64,
}

/// What [`Reader::newest`] found.
#[derive(Debug)]
pub enum Newest<'a> {
    /// Nothing newer to be had: the newest frame is the one that was seen, or
    /// none was published yet, or the writer was faster at each try.
    Unchanged,
    /// Nothing is on stage.
    Empty { sequence: u64, stamp: FrameStamp },
    /// A frame, whose slot is kept from the writer until it is dropped.
    Frame(Frame<'a>),
}

/// The reader's end of a ring. Each ring has one seat for a reader, so that its
/// wishes and its claim are one program's.
pub struct Reader {
    memory: Arc<Memory>,
    token: u64,
    is_sound_taken: bool,
}

impl Reader {
    /// Opens the ring of the engine called `name` and takes the reader's seat.
    /// Does not wait, and does not ask whether the engine lives: see
    /// [`Reader::life`].
    ///
    /// # Errors
    /// [`RingError::NotFound`], [`RingError::Taken`], [`RingError::Header`], or
    /// whatever the system refuses.
    pub fn open(folder: &Folder, name: &str, now_ns: u64) -> Result<Self, RingError> {
        let path = folder.file(name)?;
        let file = match platform::file_options().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RingError::NotFound {
                    name: name.to_owned(),
                });
            }
            opened => opened.map_err(RingError::io("opening", &path))?,
        };
        let memory = Memory::open(&file)
            .map_err(RingError::io("mapping", &path))?
            .map_err(|why| RingError::Header { path, why })?;
        let token = take_seat(memory.header(), now_ns).map_err(|pid| RingError::Taken {
            name: name.to_owned(),
            pid,
        })?;
        Ok(Self {
            memory: Arc::new(memory),
            token,
            is_sound_taken: false,
        })
    }

    /// Width and height of frames in pixels.
    pub fn size(&self) -> (u32, u32) {
        let geometry = self.memory.geometry();
        (geometry.width, geometry.height)
    }

    /// Bytes from one row of a frame to the next.
    pub fn stride(&self) -> u32 {
        self.memory.geometry().stride
    }

    /// The engine's version, as it says.
    pub fn engine(&self) -> String {
        read_text(&self.memory.header().engine)
    }

    /// How the writer is.
    pub fn life(&self, now_ns: u64) -> Life {
        life_of(self.memory.header(), now_ns)
    }

    /// The newest frame's sequence number, to ask whether [`Reader::newest`] is
    /// worth while; 0 when none was published yet.
    pub fn sequence(&self) -> u64 {
        self.memory.header().published.load(Relaxed) >> 2
    }

    /// The newest frame, unless its sequence number is `seen`. Never waits.
    pub fn newest(&mut self, seen: Option<u64>) -> Newest<'_> {
        // Without the seat the claim would be another reader's.
        if !self.has_seat() {
            return Newest::Unchanged;
        }
        let records = &self.memory.header().records;
        match self.memory.hand_over().claim(seen) {
            Claim::Unchanged | Claim::Contended | Claim::Empty { sequence: 0 } => Newest::Unchanged,
            Claim::Empty { sequence } => {
                let stamp = FrameStamp::read(&records[EMPTY as usize]);
                let is_whole = self.memory.hand_over().is_intact(EMPTY as usize, sequence);
                if is_whole {
                    Newest::Empty { sequence, stamp }
                } else {
                    Newest::Unchanged
                }
            }
            Claim::Slot { sequence, slot } => Newest::Frame(Frame {
                reader: self,
                slot,
                sequence,
                stamp: FrameStamp::read(&records[slot]),
            }),
        }
    }

    /// Says that the reader lives and what it wants. To be called for each
    /// frame; false once another reader has the seat, which it gets when this
    /// one did not call for 1.5 s.
    pub fn beat(&mut self, now_ns: u64, report: &Report) -> bool {
        if !self.has_seat() {
            return false;
        }
        let header = self.memory.header();
        header.fps_numerator.store(report.fps.0, Relaxed);
        header.fps_denominator.store(report.fps.1, Relaxed);
        header.showing.store(report.showing.to_word(), Relaxed);
        header.sources.store(report.sources, Relaxed);
        header.shown.store(report.shown, Relaxed);
        header.reader_heartbeat_ns.store(now_ns, Release);
        true
    }

    /// The reader of sound, once: it may go to another thread. It begins with
    /// what is written from now on.
    pub fn take_sound(&mut self) -> Option<SoundReader> {
        (!std::mem::replace(&mut self.is_sound_taken, true))
            .then(|| SoundReader::new(self.memory.clone()))
    }

    fn has_seat(&self) -> bool {
        self.memory.header().seat.load(Acquire) == self.token
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.has_seat() {
            self.memory.hand_over().release();
            // Not when someone took it just now.
            let _ = self
                .memory
                .header()
                .seat
                .compare_exchange(self.token, 0, AcqRel, Relaxed);
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("geometry", self.memory.geometry())
            .finish_non_exhaustive()
    }
}

/// A claimed frame.
pub struct Frame<'a> {
    reader: &'a Reader,
    slot: usize,
    sequence: u64,
    stamp: FrameStamp,
}

impl Frame<'_> {
    /// RGBA, 8 bits each, premultiplied in linear light and then sRGB-encoded;
    /// rows of [`Reader::stride`] bytes.
    pub fn pixels(&self) -> &[u8] {
        self.reader.memory.pixels(self.slot)
    }

    /// Its number among all that were published in this ring, from 1.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn stamp(&self) -> FrameStamp {
        self.stamp
    }

    /// Whether the slot was left alone so far. Asked after the pixels were
    /// used; false means that the writer breaks the rules, or that this reader
    /// lost its seat meanwhile, and what was read may be of two frames.
    pub fn is_intact(&self) -> bool {
        let hand_over = self.reader.memory.hand_over();
        hand_over.is_intact(self.slot, self.sequence)
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        // Without the seat the claim is another reader's.
        if self.reader.has_seat() {
            self.reader.memory.hand_over().release();
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("sequence", &self.sequence)
            .field("stamp", &self.stamp)
            .finish_non_exhaustive()
    }
}

pub(crate) fn life_of(header: &Header, now_ns: u64) -> Life {
    match header.state.load(Acquire) {
        STATE_RETIRED => return Life::Retired,
        STATE_ENDED => return Life::Ended,
        _ => {}
    }
    // A beat from the far future is nobody's either.
    let for_ns = now_ns.abs_diff(header.writer_heartbeat_ns.load(Acquire));
    if for_ns <= HEARTBEAT_LIMIT_NS {
        Life::Live
    } else {
        Life::Silent { for_ns }
    }
}

/// The process that has the seat; 0 when it is free.
pub(crate) fn seat_holder(header: &Header) -> u32 {
    (header.seat.load(Relaxed) >> 32) as u32
}

/// Takes the seat if it is free or its holder is silent; else says who has it.
fn take_seat(header: &Header, now_ns: u64) -> Result<u64, u32> {
    /// Tells readers of one process apart.
    static READERS: AtomicU32 = AtomicU32::new(1);
    let token = u64::from(std::process::id()) << 32 | u64::from(READERS.fetch_add(1, Relaxed));
    let held = header.seat.load(Acquire);
    let beaten = header.reader_heartbeat_ns.load(Acquire);
    let is_free = held == 0 || now_ns.abs_diff(beaten) > SEAT_LIMIT_NS;
    if !is_free {
        return Err((held >> 32) as u32);
    }
    header
        .seat
        .compare_exchange(held, token, AcqRel, Acquire)
        .map_err(|now_held| (now_held >> 32) as u32)?;
    // The last holder may have died with a claim.
    header.reading.store(super::handover::NOTHING, Release);
    header.reader_heartbeat_ns.store(now_ns, Release);
    Ok(token)
}
