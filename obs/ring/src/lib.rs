//! Frames and sound from the Hyperfocus engine to its OBS source, in shared
//! memory.
//!
//! One file per running engine, in a folder that belongs to one user
//! ([`Folder`]). The engine maps it as the [`Writer`], the OBS plugin as the
//! [`Reader`]; anyone else may look ([`instances`]). Nobody waits for anybody:
//! there are no locks in the shared memory, and either side may be killed at
//! any instruction without stopping the other. `LAYOUT.md` has every byte and
//! the rules.
//!
//! ```
//! use hyperfocus_ring::{Folder, FrameStamp, Newest, Reader, Settings, Vitals, Writer, now_ns};
//!
//! # let private = tempfile::tempdir()?;
//! # let folder = Folder::at(private.path().join("rings"))?;
//! let mut writer = Writer::create(&folder, &Settings {
//!     name: "main",
//!     engine: "0.1.0",
//!     width: 2,
//!     height: 2,
//! })?;
//! writer.beat(now_ns(), &Vitals::default());
//! let mut slot = writer.frame();
//! slot.as_mut_slice().fill(255);
//! slot.publish(&FrameStamp { number: 1, stage_seconds: 0.0, drawn_ns: now_ns() });
//!
//! let mut reader = Reader::open(&folder, "main", now_ns())?;
//! match reader.newest(None) {
//!     Newest::Frame(frame) => assert_eq!(frame.pixels(), [255; 16]),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How far the memory can be trusted
//! Every value that a reader acts on is copied out of the memory and checked
//! ([`HeaderError`]) before it is used, and nothing read later can lead outside
//! of what was checked then. All fields and all sound samples are atomics, so
//! another process that writes to them at any time is no data race.
//!
//! The pixels are not atomics: [`Frame::pixels`] is a plain slice, because a
//! copy by `memcpy` is what a frame is for. Both sides keep to the hand-over of
//! `LAYOUT.md`, under which nobody writes to a slot that is being read. A
//! process of the same user that breaks it can change bytes under a reader,
//! which Rust's rules do not allow for a `&[u8]`. No program can prevent that
//! short of copying each byte atomically. It is bounded thus: the folder admits
//! only its user; pixel values are never used as an index, a length or a
//! condition here; and [`Frame::is_intact`] tells afterwards whether the slot
//! was written to.

mod error;
mod folder;
mod geometry;
mod handover;
mod instance;
mod layout;
mod memory;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod platform;
mod reader;
mod sound;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{FolderFault, HeaderError, RingError};
pub use folder::Folder;
pub use instance::{Instance, instances};
pub use layout::{
    CHANNELS, Connection, HEARTBEAT_LIMIT_NS, MAX_SIDE, SAMPLE_CAPACITY, SAMPLE_RATE, VERSION,
};
pub use platform::now_ns;
pub use reader::{Frame, FrameStamp, Life, Newest, Reader, Report, Showing};
pub use sound::{SoundChunk, SoundReader, SoundWriter};
pub use writer::{ReaderWish, Settings, SlotMut, Vitals, Writer};
