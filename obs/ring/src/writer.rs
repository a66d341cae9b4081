//! The engine's side.

use std::fs::File;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::RingError;
use super::folder::{Folder, Guard};
use super::geometry::Geometry;
use super::handover::EMPTY;
use super::instance::Instance;
use super::layout::{
    Connection, HEARTBEAT_LIMIT_NS, Header, SEAT_LIMIT_NS, STATE_ENDED, STATE_RETIRED, SlotRecord,
};
use super::memory::{Memory, write_text};
use super::platform;
use super::reader::{FrameStamp, Showing};
use super::sound::SoundWriter;

/// Rates beyond these are not a display's.
const MAX_FPS: u32 = 1000;

/// What a ring is made from.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// What people choose the engine by: 1 to 48 ASCII letters, digits, `-`,
    /// `_` or `.`, and no dot at the beginning.
    pub name: &'a str,
    /// The engine's version, for people; cut at 63 bytes.
    pub engine: &'a str,
    /// In pixels, 1 to 16384.
    pub width: u32,
    pub height: u32,
}

/// What the engine says about itself with each heartbeat.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vitals {
    pub connection: Connection,
    /// When the backend was last heard of, on [`now_ns`](super::now_ns)'s
    /// clock; 0 is never.
    pub backend_event_ns: u64,
}

/// What the reader wants, as far as it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReaderWish {
    /// Whether a reader has the seat, which it keeps for 1.5 s after its last beat.
    pub is_seated: bool,
    /// Whether its heart beats, too. While it does not, nothing below is known.
    pub is_alive: bool,
    /// Frames a second as a fraction, between 1 and 1000, if it said any.
    pub fps: Option<(u32, u32)>,
    /// Where its sources are to be seen.
    pub showing: Showing,
    /// How many sources share the reader.
    pub sources: u32,
    /// The sequence number of the frame it showed last.
    pub shown: u64,
    /// When its heart beat last, which it does at the beginning of each frame of
    /// OBS, on [`now_ns`](super::now_ns)'s clock.
    pub beaten_ns: u64,
}

/// The writer's end of a ring. One exists for each name; dropping it ends the
/// ring in order.
pub struct Writer {
    folder: Folder,
    name: String,
    engine: String,
    memory: Arc<Memory>,
    /// What the sound writer writes to, replaced along with `memory`.
    sound_memory: Arc<Mutex<Arc<Memory>>>,
    is_sound_taken: bool,
    ring_id: u64,
    /// The newest frame's number and slot.
    sequence: u64,
    last_slot: u64,
    /// Held locked while the writer lives.
    _file: File,
}

impl Writer {
    /// Makes the ring, replacing what a dead engine of that name left behind.
    ///
    /// # Errors
    /// [`RingError::Running`] while an engine of that name lives; a name or size
    /// that is impossible; whatever the system refuses.
    pub fn create(folder: &Folder, settings: &Settings<'_>) -> Result<Self, RingError> {
        let geometry = Geometry::plan(settings.width, settings.height)?;
        let made = Made::where_none_is(folder, settings.name, settings.engine, geometry)?;
        Ok(Self {
            folder: folder.clone(),
            name: settings.name.to_owned(),
            engine: settings.engine.to_owned(),
            sound_memory: Arc::new(Mutex::new(made.memory.clone())),
            is_sound_taken: false,
            memory: made.memory,
            ring_id: made.ring_id,
            sequence: 0,
            last_slot: EMPTY,
            _file: made.file,
        })
    }

    /// Changes the size of frames. The reader is led to a new ring, in which
    /// nothing has been published; until the first frame it keeps showing the
    /// last one.
    ///
    /// # Errors
    /// As [`Writer::create`]; the ring stays as it was.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<(), RingError> {
        let geometry = Geometry::plan(width, height)?;
        let guard = self.folder.lock()?;
        let made = Made::new(&guard, &self.name, &self.engine, geometry)?;
        drop(guard);
        self.move_to(made);
        Ok(())
    }

    /// Makes the ring anew where somebody has removed its file; true when that was
    /// so. The reader is led to the new one as by [`Writer::resize`]. To be called
    /// every few seconds: without its file an engine is seen by nobody who comes.
    ///
    /// # Errors
    /// [`RingError::Running`] where another engine has the name by now; whatever
    /// the system refuses. The ring stays as it was, for who reads it already.
    pub fn keep_in_place(&mut self) -> Result<bool, RingError> {
        if self.folder.ring_id(&self.name)? == Some(self.ring_id) {
            return Ok(false);
        }
        // It may have gone with what was in it.
        let folder = Folder::at(self.folder.path())?;
        let geometry = *self.memory.geometry();
        let made = Made::where_none_is(&folder, &self.name, &self.engine, geometry)?;
        self.move_to(made);
        Ok(true)
    }

    fn move_to(&mut self, made: Made) {
        self.memory.header().state.store(STATE_RETIRED, Release);
        *self
            .sound_memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = made.memory.clone();
        self.memory = made.memory;
        self.ring_id = made.ring_id;
        self.sequence = 0;
        self.last_slot = EMPTY;
        self._file = made.file;
    }

    /// Ends the ring in order, as dropping it does. What is written from now on is
    /// seen by nobody.
    pub fn end(&mut self) {
        self.memory.header().state.store(STATE_ENDED, Release);
        // Where this fails the file is swept by the next engine: its lock ends
        // with this value.
        if let Ok(guard) = self.folder.lock() {
            let _ = guard.remove(&self.name, self.ring_id);
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Width and height of frames in pixels.
    pub fn size(&self) -> (u32, u32) {
        let geometry = self.memory.geometry();
        (geometry.width, geometry.height)
    }

    /// Bytes from one row of a frame to the next: four for each pixel.
    pub fn stride(&self) -> usize {
        self.memory.geometry().stride as usize
    }

    /// A slot for the next frame. It holds an old frame, or parts of one.
    /// Never waits. A slot that is dropped is not published.
    pub fn frame(&mut self) -> SlotMut<'_> {
        let hand_over = self.memory.hand_over();
        let slot = hand_over.free_slot(self.last_slot);
        hand_over.begin(slot, self.sequence + 1);
        SlotMut { writer: self, slot }
    }

    /// Publishes a frame in which nothing is on stage, without pixels.
    pub fn clear(&mut self, stamp: &FrameStamp) {
        self.memory
            .hand_over()
            .begin(EMPTY as usize, self.sequence + 1);
        self.publish(EMPTY as usize, stamp);
    }

    fn publish(&mut self, slot: usize, stamp: &FrameStamp) {
        self.sequence += 1;
        let record = &self.memory.header().records[slot];
        write_record(record, stamp);
        self.memory.hand_over().publish(slot, self.sequence);
        self.last_slot = slot as u64;
    }

    /// Says that the engine lives. To be called every 100 ms or more often,
    /// whether or not there are frames: without it the source goes blank after
    /// 500 ms.
    pub fn beat(&mut self, now_ns: u64, vitals: &Vitals) {
        let header = self.memory.header();
        header.connection.store(vitals.connection.code(), Relaxed);
        header
            .backend_event_ns
            .store(vitals.backend_event_ns, Relaxed);
        header.writer_heartbeat_ns.store(now_ns, Release);
    }

    /// The writer of sound, once: it may go to another thread.
    pub fn take_sound(&mut self) -> Option<SoundWriter> {
        (!std::mem::replace(&mut self.is_sound_taken, true))
            .then(|| SoundWriter::new(self.sound_memory.clone()))
    }

    /// What the reader wants now.
    pub fn wish(&self, now_ns: u64) -> ReaderWish {
        read_wish(self.memory.header(), now_ns)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads the reader's block, which anyone may have written to.
pub(crate) fn read_wish(header: &Header, now_ns: u64) -> ReaderWish {
    let beaten = header.reader_heartbeat_ns.load(Acquire);
    let is_taken = header.seat.load(Relaxed) != 0;
    let silent_ns = now_ns.abs_diff(beaten);
    let is_seated = is_taken && silent_ns <= SEAT_LIMIT_NS;
    let is_alive = is_taken && silent_ns <= HEARTBEAT_LIMIT_NS;
    if !is_alive {
        return ReaderWish {
            is_seated,
            ..ReaderWish::default()
        };
    }
    let numerator = header.fps_numerator.load(Relaxed);
    let denominator = header.fps_denominator.load(Relaxed);
    let is_rate = denominator > 0
        && numerator >= denominator
        && u64::from(numerator) <= u64::from(denominator) * u64::from(MAX_FPS);
    ReaderWish {
        is_seated,
        is_alive,
        fps: is_rate.then_some((numerator, denominator)),
        showing: Showing::from_word(header.showing.load(Relaxed)),
        sources: header.sources.load(Relaxed),
        shown: header.shown.load(Relaxed),
        beaten_ns: beaten,
    }
}

/// A slot that is being filled.
pub struct SlotMut<'a> {
    writer: &'a mut Writer,
    slot: usize,
}

impl SlotMut<'_> {
    /// Its pixels: RGBA, 8 bits each, premultiplied in linear light and then
    /// sRGB-encoded; rows of [`Writer::stride`] bytes.
    #[expect(
        unsafe_code,
        reason = "the slot is this writer's by the hand-over, not by ownership"
    )]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the range is inside of the mapping, which the writer keeps,
        // and initialised, being a file's. In this process only a `SlotMut`
        // makes such slices, of which there is one, borrowed uniquely here;
        // readers keep away, since the slot was neither published nor claimed.
        unsafe { self.writer.memory.pixels_mut(self.slot).as_mut() }
    }

    /// Makes it the newest frame.
    pub fn publish(self, stamp: &FrameStamp) {
        self.writer.publish(self.slot, stamp);
    }
}

/// A ring's file, made and in its place.
struct Made {
    memory: Arc<Memory>,
    file: File,
    ring_id: u64,
}

impl Made {
    /// Makes it where no engine that lives has the name.
    fn where_none_is(
        folder: &Folder,
        name: &str,
        engine: &str,
        geometry: Geometry,
    ) -> Result<Self, RingError> {
        let path = folder.file(name)?;
        let guard = folder.lock()?;
        guard.sweep()?;
        if path.exists() {
            return Err(RingError::Running {
                name: name.to_owned(),
                pid: Instance::look(&path, 0).map_or(0, |instance| instance.pid),
            });
        }
        Self::new(&guard, name, engine, geometry)
    }

    fn new(
        guard: &Guard<'_>,
        name: &str,
        engine: &str,
        geometry: Geometry,
    ) -> Result<Self, RingError> {
        let file = guard.make(name, &geometry)?;
        let memory = Memory::make(&file, geometry).map_err(RingError::io("mapping", name))?;
        let header = memory.header();
        let (pid, now_ns) = (std::process::id(), platform::now_ns());
        // Unique enough to tell two files of one name apart.
        let ring_id = now_ns ^ u64::from(pid) << 40;
        // The first beat: a reader that comes at once finds the engine alive.
        header.writer_heartbeat_ns.store(now_ns, Relaxed);
        header.writer_pid.store(pid, Relaxed);
        header.ring_id.store(ring_id, Relaxed);
        write_text(&header.name, name);
        write_text(&header.engine, engine);
        // Renaming is a system call, before which all stores have happened.
        guard.reveal(name)?;
        Ok(Self {
            memory: Arc::new(memory),
            file,
            ring_id,
        })
    }
}

fn write_record(record: &SlotRecord, stamp: &FrameStamp) {
    record.number.store(stamp.number, Relaxed);
    record
        .stage_seconds
        .store(stamp.stage_seconds.to_bits(), Relaxed);
    record.drawn_ns.store(stamp.drawn_ns, Relaxed);
}
