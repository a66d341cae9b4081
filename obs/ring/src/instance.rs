//! The engines that are running, for people to choose from.

use std::path::Path;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::error::{HeaderError, RingError};
use super::folder::Folder;
use super::geometry::Geometry;
use super::handover::EMPTY;
use super::layout::{Connection, Header};
use super::memory::{HeaderOnly, read_text};
use super::platform;
use super::reader::{FrameStamp, Life, life_of, seat_holder};
use super::writer::{ReaderWish, read_wish};

/// What can be seen of an engine without taking the reader's seat.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub engine: String,
    /// Of its frames, in pixels.
    pub width: u32,
    pub height: u32,
    pub life: Life,
    pub connection: Connection,
    /// How long ago the backend was last heard of.
    pub backend_age_ns: Option<u64>,
    /// How long ago the newest frame was drawn, if there is one.
    pub frame_age_ns: Option<u64>,
    /// Whether that frame shows nothing.
    pub is_empty: bool,
    /// The process that reads it, if one does.
    pub reader_pid: Option<u32>,
    pub reader: ReaderWish,
}

impl Instance {
    /// Whether its heart beats.
    pub fn is_running(&self) -> bool {
        self.life == Life::Live
    }

    /// Looks at the engine called `name`, without taking a seat.
    ///
    /// # Errors
    /// [`RingError::NotFound`], [`RingError::Header`], or whatever the system
    /// refuses.
    pub fn find(folder: &Folder, name: &str, now_ns: u64) -> Result<Self, RingError> {
        Self::look(&folder.file(name)?, now_ns)
    }

    pub(crate) fn look(path: &Path, now_ns: u64) -> Result<Self, RingError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let file = match platform::file_options().read(true).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(RingError::NotFound {
                    name: stem.into_owned(),
                });
            }
            opened => opened.map_err(RingError::io("opening", path))?,
        };
        let bytes = file
            .metadata()
            .map_err(RingError::io("looking at", path))?
            .len();
        let mapped = HeaderOnly::map(&file).map_err(RingError::io("mapping", path))?;
        let refuse = |why| RingError::Header {
            path: path.to_owned(),
            why,
        };
        let Some(mapped) = mapped else {
            return Err(refuse(HeaderError::Short {
                bytes,
                needed: super::layout::HEADER_SIZE.into(),
            }));
        };
        let header = mapped.header();
        let geometry = Geometry::read(header, bytes).map_err(refuse)?;
        // The file's name is what it is opened by; what the header says is for
        // those who see only the memory.
        Ok(Self::of(header, &geometry, stem.into_owned(), now_ns))
    }

    fn of(header: &Header, geometry: &Geometry, name: String, now_ns: u64) -> Self {
        let published = header.published.load(Acquire);
        let (sequence, slot) = (published >> 2, published & 3);
        // Possibly of two frames at once, which does for an age.
        let stamp = FrameStamp::read(&header.records[slot as usize]);
        let backend = header.backend_event_ns.load(Relaxed);
        let reader = read_wish(header, now_ns);
        Self {
            name,
            pid: header.writer_pid.load(Relaxed),
            engine: read_text(&header.engine),
            width: geometry.width,
            height: geometry.height,
            life: life_of(header, now_ns),
            connection: Connection::from_code(header.connection.load(Relaxed)),
            backend_age_ns: (backend != 0).then(|| now_ns.saturating_sub(backend)),
            frame_age_ns: (sequence != 0).then(|| now_ns.saturating_sub(stamp.drawn_ns)),
            is_empty: slot == EMPTY,
            reader_pid: reader.is_alive.then(|| seat_holder(header)),
            reader,
        }
    }
}

/// All rings of the folder, by name, those of dead engines among them
/// ([`Instance::is_running`]). Files that are no rings are left out.
///
/// # Errors
/// When the folder cannot be read.
pub fn instances(folder: &Folder, now_ns: u64) -> Result<Vec<Instance>, RingError> {
    let files = folder.files()?;
    Ok(files
        .iter()
        .filter_map(|path| Instance::look(path, now_ns).ok())
        .collect())
}
