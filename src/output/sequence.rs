//! A folder of numbered pictures.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::codecs::png::CompressionType;

use super::draft::Draft;
use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// Writes every frame it is shown as `000000.png`, `000001.png` and so on.
#[derive(Debug)]
pub struct SequenceSink {
    folder: PathBuf,
    /// A file's name: what stands before its number, how many digits that has at
    /// least, and what stands behind it.
    name: (String, usize, String),
    frames: u32,
}

impl SequenceSink {
    /// Writes into `folder`, which is made where it is absent.
    ///
    /// # Errors
    /// When it cannot be made, or holds frames already: those of an earlier and
    /// longer run would show up behind the new ones.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, OutputError> {
        Self::named(folder.as_ref(), Self::numbered())
    }

    /// Writes as `pattern` says: `frames/%05d.png` is `frames/00000.png` and so
    /// on.
    ///
    /// # Errors
    /// When there is no such number in the file's name, and as for
    /// [`create`](Self::create).
    pub fn patterned(pattern: &Path) -> Result<Self, OutputError> {
        let refused = || OutputError::Pattern(pattern.display().to_string());
        let name = pattern.file_name().ok_or_else(refused)?.to_string_lossy();
        let (before, rest) = name.split_once('%').ok_or_else(refused)?;
        let (digits, after) = rest.split_once('d').ok_or_else(refused)?;
        let digits = match digits {
            "" => 1,
            digits => digits
                .parse()
                .ok()
                .filter(|digits| (1..=9).contains(digits))
                .ok_or_else(refused)?,
        };
        if after.contains('%') {
            return Err(refused());
        }
        let folder = pattern
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let name = (before.to_owned(), digits, after.to_owned());
        Self::named(folder.unwrap_or(Path::new(".")), name)
    }

    /// As [`create`](Self::create), in place of what the same program wrote there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn replace(folder: impl AsRef<Path>) -> Result<Self, OutputError> {
        let sequence = Self::open(folder.as_ref(), Self::numbered())?;
        for index in 0.. {
            // One that cannot go will be in the way, and is then named.
            if fs::remove_file(sequence.path(index)).is_err() {
                break;
            }
        }
        Ok(sequence)
    }

    fn numbered() -> (String, usize, String) {
        (String::new(), 6, ".png".to_owned())
    }

    fn named(folder: &Path, name: (String, usize, String)) -> Result<Self, OutputError> {
        let sequence = Self::open(folder, name)?;
        if sequence
            .is_begun()
            .map_err(OutputError::write(sequence.name()))?
        {
            return Err(OutputError::Occupied(sequence.folder));
        }
        Ok(sequence)
    }

    /// Whether any of its pictures is there: other programs count from 1, and a
    /// first one may have been taken out.
    fn is_begun(&self) -> io::Result<bool> {
        let (before, digits, after) = &self.name;
        let is_ours = |name: &str| {
            let number = name.strip_prefix(before.as_str());
            let number = number.and_then(|rest| rest.strip_suffix(after.as_str()));
            number.is_some_and(|number| {
                number.len() >= *digits && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        for file in fs::read_dir(&self.folder)? {
            if is_ours(&file?.file_name().to_string_lossy()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn open(folder: &Path, name: (String, usize, String)) -> Result<Self, OutputError> {
        let folder = folder.to_owned();
        fs::create_dir_all(&folder).map_err(OutputError::write(folder.display().to_string()))?;
        Ok(Self {
            folder,
            name,
            frames: 0,
        })
    }

    fn path(&self, index: u32) -> PathBuf {
        let (before, digits, after) = &self.name;
        self.folder.join(format!("{before}{index:0digits$}{after}"))
    }
}

impl Sink for SequenceSink {
    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        let path = self.path(self.frames);
        // A folder that was taken away stays away: making it again would hide
        // that the frames before are gone.
        if !self.folder.is_dir() {
            return Err(OutputError::write(path.display().to_string())(
                io::ErrorKind::NotFound.into(),
            ));
        }
        Draft::of(&path)?.publish_png(
            &frame.pixels,
            frame.width,
            frame.height,
            CompressionType::Fast,
        )?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        let frames = self.frames;
        Ok(Finished {
            written: vec![format!("{}: {frames} frames", self.name())],
            warnings: Vec::new(),
        })
    }
}
