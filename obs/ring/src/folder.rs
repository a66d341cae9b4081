//! The folder of one user's rings.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::RingError;
use super::geometry::Geometry;
use super::layout::Header;
use super::platform;

/// Where tests and unusual systems put the folder instead.
const FOLDER_VARIABLE: &str = "HYPERFOCUS_RING_DIR";
const EXTENSION: &str = "ring";
const UNFINISHED: &str = "unfinished";
const LOCK: &str = "lock";
const NAME_LENGTH: usize = 48;
/// Engines on one machine. A folder with more files than this has others in
/// it, which are not looked at.
const MAX_FILES: usize = 64;
/// Whoever changes the folder holds its lock for milliseconds.
const LOCK_TRIES: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A folder of rings that only its user can write to.
///
/// An engine holds an exclusive lock on its ring's file for as long as it
/// lives. The system takes the lock from the dead, so a file that can be locked
/// is a left-over; no process id has to be guessed from.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// This user's: `/dev/shm/hyperfocus-UID` on Linux, or what the environment
    /// variable `HYPERFOCUS_RING_DIR` names. It is made when there is none.
    ///
    /// # Errors
    /// When it cannot be made, or is not this user's alone.
    pub fn of_user() -> Result<Self, RingError> {
        match std::env::var_os(FOLDER_VARIABLE) {
            Some(path) if !path.is_empty() => Self::at(path),
            _ => Self::at(platform::user_folder()),
        }
    }

    /// The folder at `path`, made when there is none.
    ///
    /// # Errors
    /// When it cannot be made, or is not this user's alone.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, RingError> {
        let path = path.into();
        platform::make_private_folder(&path).map_err(RingError::io("making", &path))?;
        let checked =
            platform::check_private_folder(&path).map_err(RingError::io("looking at", &path))?;
        match checked {
            Ok(()) => Ok(Self { path }),
            Err(fault) => Err(RingError::Folder { path, fault }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the engine called `name`.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf, RingError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = (1..=NAME_LENGTH).contains(&name.len())
            && name.chars().all(is_plain)
            && !name.starts_with('.');
        if is_name {
            Ok(self.path.join(format!("{name}.{EXTENSION}")))
        } else {
            Err(RingError::Name {
                name: name.chars().take(NAME_LENGTH).collect(),
            })
        }
    }

    /// The files that are named like rings, in order.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, RingError> {
        self.files_with(EXTENSION)
    }

    fn files_with(&self, extension: &str) -> Result<Vec<PathBuf>, RingError> {
        let entries = fs::read_dir(&self.path).map_err(RingError::io("reading", &self.path))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension() == Some(OsStr::new(extension)))
            .take(MAX_FILES)
            .collect();
        files.sort();
        Ok(files)
    }

    /// The id of the ring that has the name, if one has it.
    pub(crate) fn ring_id(&self, name: &str) -> Result<Option<u64>, RingError> {
        let path = self.file(name)?;
        match read_ring_id(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(RingError::io("reading", path)),
        }
    }

    /// Keeps others from changing the folder until it is dropped.
    pub(crate) fn lock(&self) -> Result<Guard<'_>, RingError> {
        let path = self.path.join(LOCK);
        let file = platform::file_options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(RingError::io("opening", &path))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Guard {
                        folder: self,
                        _file: file,
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(why)) => {
                    return Err(RingError::io("locking", path)(why));
                }
            }
        }
        Err(RingError::FolderBusy { path })
    }
}

/// The right to change a folder.
pub(crate) struct Guard<'a> {
    folder: &'a Folder,
    _file: File,
}

impl Guard<'_> {
    /// Removes what engines left behind that did not end in order.
    pub(crate) fn sweep(&self) -> Result<(), RingError> {
        for path in self.folder.files_with(EXTENSION)? {
            let Ok(file) = platform::file_options().read(true).write(true).open(&path) else {
                continue;
            };
            if file.try_lock().is_ok() {
                // A file that cannot be removed is met again by its next maker.
                let _ = fs::remove_file(&path);
            }
        }
        // Files are made under this guard, so these are nobody's any more.
        for path in self.folder.files_with(UNFINISHED)? {
            let _ = fs::remove_file(&path);
        }
        Ok(())
    }

    /// Makes a file of zeros, locked, which nobody knows until it is renamed by
    /// [`Guard::reveal`].
    pub(crate) fn make(&self, name: &str, geometry: &Geometry) -> Result<File, RingError> {
        let path = self.unfinished(name);
        // One that is there was given up by its maker.
        let _ = fs::remove_file(&path);
        let make = || {
            let mut file = platform::file_options()
                .create_new(true)
                .read(true)
                .write(true)
                .open(&path)?;
            file.try_lock()?;
            // Written rather than only sized: memory that does not exist is
            // refused here, where it is an error, and not by a signal at the
            // first frame.
            write_zeros(&mut file, geometry.total_size)?;
            Ok(file)
        };
        make().map_err(|why| {
            let _ = fs::remove_file(&path);
            RingError::io("making", &path)(why)
        })
    }

    /// Puts the file that was made in its place, at once for all who look.
    pub(crate) fn reveal(&self, name: &str) -> Result<(), RingError> {
        let from = self.unfinished(name);
        let to = self.folder.file(name)?;
        fs::rename(&from, &to).map_err(RingError::io("replacing", to))
    }

    /// Removes the file of `name` if it still is the one with this id.
    pub(crate) fn remove(&self, name: &str, ring_id: u64) -> Result<(), RingError> {
        if self.folder.ring_id(name)? == Some(ring_id) {
            let path = self.folder.file(name)?;
            fs::remove_file(&path).map_err(RingError::io("removing", path))?;
        }
        Ok(())
    }

    fn unfinished(&self, name: &str) -> PathBuf {
        self.folder.path.join(format!("{name}.{UNFINISHED}"))
    }
}

fn write_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(zeros.len() as u64);
        file.write_all(&zeros[..now as usize])?;
        left -= now;
    }
    Ok(())
}

fn read_ring_id(path: &Path) -> io::Result<u64> {
    let mut file = platform::file_options().read(true).open(path)?;
    file.seek(SeekFrom::Start(offset_of!(Header, ring_id) as u64))?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}
