//! The bytes, as `LAYOUT.md` has them.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// `hyprring` in the file, whatever the byte order of who looks.
pub(crate) const MAGIC: u64 = u64::from_ne_bytes(*b"hyprring");
/// The layout's version. Engine and plugin must agree on it exactly.
pub const VERSION: u32 = 1;
/// A page: what follows is page-aligned.
pub(crate) const HEADER_SIZE: u32 = 4096;
pub(crate) const PAGE: u64 = 4096;

/// One being read, one published, one being written.
pub(crate) const SLOTS: usize = 3;
pub(crate) const SLOT_COUNT: u32 = SLOTS as u32;
/// The most pixels that a frame may have on a side; what GPUs can hold.
pub const MAX_SIDE: u32 = 16384;
/// RGBA, 8 bits each, premultiplied in linear light and then sRGB-encoded.
pub(crate) const FORM_RGBA8_LINEAR_PREMULTIPLIED: u32 = 1;

/// Frames of sound a second.
pub const SAMPLE_RATE: u32 = 48_000;
/// Left and right, interleaved.
pub const CHANNELS: u32 = 2;
/// Frames of sound that the ring holds: 0.68 s. A reader that is later than
/// that has lost sound, and says how much.
pub const SAMPLE_CAPACITY: u32 = 1 << 15;
/// Chunks of sound whose times are kept: enough for the whole ring in chunks of
/// 2.7 ms.
pub(crate) const MARK_COUNT: u32 = 256;

pub(crate) const NAME_BYTES: usize = 64;

/// Without a heartbeat for this long the other side counts as gone. Engines
/// beat at least every 100 ms.
pub const HEARTBEAT_LIMIT_NS: u64 = 500_000_000;
/// A reader that has not beaten for this long has lost its seat. Longer than
/// the limit above, since OBS pauses for a moment when it loads a scene.
pub(crate) const SEAT_LIMIT_NS: u64 = 1_500_000_000;

pub(crate) const STATE_LIVE: u32 = 1;
pub(crate) const STATE_RETIRED: u32 = 2;
pub(crate) const STATE_ENDED: u32 = 3;

/// How the engine stands with its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Connection {
    /// The engine has not said yet, or a newer one said something else.
    #[default]
    Unknown,
    Connecting,
    Online,
    /// Broken or refused; it is being tried again.
    Offline,
    /// For good.
    Stopped,
    /// There is none: a demo or a recorded show.
    NotNeeded,
}

impl Connection {
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Connecting => 1,
            Self::Online => 2,
            Self::Offline => 3,
            Self::Stopped => 4,
            Self::NotNeeded => 5,
        }
    }

    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Connecting,
            2 => Self::Online,
            3 => Self::Offline,
            4 => Self::Stopped,
            5 => Self::NotNeeded,
            _ => Self::Unknown,
        }
    }
}

/// The clock of one slot.
#[repr(C)]
pub(crate) struct SlotRecord {
    /// Twice the sequence number; odd while the slot is being written.
    pub(crate) stamp: AtomicU64,
    pub(crate) number: AtomicU64,
    /// Bits of an `f64`.
    pub(crate) stage_seconds: AtomicU64,
    pub(crate) drawn_ns: AtomicU64,
}

/// When a chunk of sound is to be heard.
#[repr(C)]
pub(crate) struct Mark {
    /// Frames of sound before this chunk, since the start.
    pub(crate) start: AtomicU64,
    /// When its first frame is to be heard.
    pub(crate) at_ns: AtomicU64,
    pub(crate) frames: AtomicU64,
}

/// Everything of the file that is neither pixel nor sound.
///
/// Three blocks with one owner each, on cache lines of their own: what the
/// maker wrote once, what the writer writes, what the reader writes.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: AtomicU64,
    pub(crate) version: AtomicU32,
    pub(crate) header_size: AtomicU32,
    pub(crate) total_size: AtomicU64,
    pub(crate) width: AtomicU32,
    pub(crate) height: AtomicU32,
    pub(crate) stride: AtomicU32,
    pub(crate) form: AtomicU32,
    pub(crate) slot_count: AtomicU32,
    pub(crate) writer_pid: AtomicU32,
    pub(crate) ring_id: AtomicU64,
    pub(crate) slot_offsets: [AtomicU64; SLOTS],
    pub(crate) marks_offset: AtomicU64,
    pub(crate) mark_count: AtomicU32,
    pub(crate) channels: AtomicU32,
    pub(crate) samples_offset: AtomicU64,
    pub(crate) sample_capacity: AtomicU32,
    pub(crate) sample_rate: AtomicU32,
    pub(crate) name: [AtomicU8; NAME_BYTES],
    pub(crate) engine: [AtomicU8; NAME_BYTES],
    _rest_of_maker: [AtomicU64; 2],

    pub(crate) state: AtomicU32,
    pub(crate) connection: AtomicU32,
    pub(crate) writer_heartbeat_ns: AtomicU64,
    pub(crate) backend_event_ns: AtomicU64,
    pub(crate) published: AtomicU64,
    /// One for each slot, and the last for frames without pixels.
    pub(crate) records: [SlotRecord; SLOTS + 1],
    pub(crate) chunks_begun: AtomicU64,
    pub(crate) sound_reach: AtomicU64,
    pub(crate) chunks_done: AtomicU64,
    _rest_of_writer: [AtomicU64; 9],

    pub(crate) reading: AtomicU32,
    pub(crate) showing: AtomicU32,
    pub(crate) seat: AtomicU64,
    pub(crate) reader_heartbeat_ns: AtomicU64,
    pub(crate) fps_numerator: AtomicU32,
    pub(crate) fps_denominator: AtomicU32,
    pub(crate) sources: AtomicU32,
    _alignment: AtomicU32,
    pub(crate) shown: AtomicU64,
    _rest_of_reader: [AtomicU64; 2],
}

// The blocks begin where LAYOUT.md says; its table of all the fields is
// compared with this struct in a test.
const _: () = assert!(offset_of!(Header, state) == 256);
const _: () = assert!(offset_of!(Header, reading) == 512);
const _: () = assert!(size_of::<Header>() == 576);
const _: () = assert!(size_of::<Header>() <= HEADER_SIZE as usize);
const _: () = assert!(size_of::<Mark>() == 24);
const _: () = assert!(SAMPLE_CAPACITY.is_power_of_two());
