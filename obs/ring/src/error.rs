//! What can be wrong, in words that say what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::layout::MAX_SIDE;

/// Why a ring cannot be made or opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum RingError {
    /// The system refused.
    Io {
        doing: &'static str,
        path: PathBuf,
        why: io::Error,
    },
    /// The folder is not this user's alone.
    Folder { path: PathBuf, fault: FolderFault },
    /// The folder has been locked by somebody who does not let go.
    FolderBusy { path: PathBuf },
    /// A name is 1 to 48 ASCII letters, digits, `-`, `_` or `.`, and does not
    /// begin with a dot.
    Name { name: String },
    /// Frames have 1 to 16384 pixels on each side.
    Size { width: u32, height: u32 },
    /// The name is in use.
    Running { name: String, pid: u32 },
    /// No engine of that name.
    NotFound { name: String },
    /// The file is not what its name says.
    Header { path: PathBuf, why: HeaderError },
    /// Another reader has the seat.
    Taken { name: String, pid: u32 },
}

impl RingError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |why| Self::Io { doing, path, why }
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, why } => {
                write!(f, "{doing} {} failed: {why}", path.display())?;
                if matches!(
                    why.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) {
                    f.write_str("; a smaller stage needs less shared memory")?;
                }
                Ok(())
            }
            Self::Folder { path, fault } => write!(f, "{} {fault}", path.display()),
            Self::FolderBusy { path } => write!(
                f,
                "{} is locked; an engine that was stopped while it started or ended may hold it",
                path.display()
            ),
            Self::Name { name } => write!(
                f,
                "{name:?} cannot name an engine: \
                 use 1 to 48 letters, digits, `-`, `_` or `.`, and no dot at the beginning"
            ),
            Self::Size { width, height } => write!(
                f,
                "a frame of {width}x{height} cannot be shared: each side has 1 to {MAX_SIDE} pixels"
            ),
            Self::Running { name, pid } => {
                write!(f, "an engine named {name} is running already (pid {pid})")
            }
            Self::NotFound { name } => write!(f, "no engine named {name} is running"),
            Self::Header { path, why } => {
                write!(f, "{} is no ring to read: {why}", path.display())
            }
            Self::Taken { name, pid } => write!(
                f,
                "the engine {name} is being shown by another program already (pid {pid})"
            ),
        }
    }
}

impl Error for RingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { why, .. } => Some(why),
            Self::Header { why, .. } => Some(why),
            _ => None,
        }
    }
}

/// Why a folder is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderFault {
    NotAFolder,
    OwnedBy { uid: u32 },
    WritableByOthers { mode: u32 },
}

impl fmt::Display for FolderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFolder => f.write_str("is not a folder; remove it"),
            Self::OwnedBy { uid } => write!(
                f,
                "belongs to user {uid}, who could put anything on air; have it removed"
            ),
            Self::WritableByOthers { mode } => write!(
                f,
                "may be written by others (mode {mode:o}); make it private with chmod 700"
            ),
        }
    }
}

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Shorter than a header, or than the header says.
    Short {
        bytes: u64,
        needed: u64,
    },
    Magic,
    Version {
        found: u32,
    },
    HeaderSize {
        found: u32,
    },
    /// A side that is zero or beyond 16384.
    Size {
        width: u32,
        height: u32,
    },
    Stride {
        found: u32,
        width: u32,
    },
    Form {
        found: u32,
    },
    SlotCount {
        found: u32,
    },
    Sound {
        capacity: u32,
        rate: u32,
        channels: u32,
        marks: u32,
    },
    /// A region that is misaligned, leaves the file or meets another.
    Region {
        name: &'static str,
        offset: u64,
        bytes: u64,
    },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { bytes, needed } => {
                write!(f, "it has {bytes} bytes where {needed} are needed")
            }
            Self::Magic => f.write_str("it does not begin with the magic number"),
            Self::Version { found } => write!(
                f,
                "its layout is version {found} and this program reads version {}; \
                 install engine and plugin of one release",
                super::layout::VERSION
            ),
            Self::HeaderSize { found } => write!(f, "a header of {found} bytes is impossible"),
            Self::Size { width, height } => {
                write!(f, "frames of {width}x{height} are impossible")
            }
            Self::Stride { found, width } => {
                write!(f, "rows of {found} bytes cannot hold {width} pixels")
            }
            Self::Form { found } => write!(f, "pixel form {found} is unknown"),
            Self::SlotCount { found } => write!(f, "{found} slots where 3 are needed"),
            Self::Sound {
                capacity,
                rate,
                channels,
                marks,
            } => write!(
                f,
                "sound of {channels} channels at {rate} Hz, {capacity} frames and {marks} marks is impossible"
            ),
            Self::Region {
                name,
                offset,
                bytes,
            } => write!(
                f,
                "{name} at {offset} with {bytes} bytes is misaligned, outside or overlapping"
            ),
        }
    }
}

impl Error for HeaderError {}
