//! A folder of numbered pictures.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::png::CompressionType;

use super::draft::Draft;
use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// Writes every frame it is shown as `000000.png`, `000001.png` and so on.
#[derive(Debug)]
pub struct SequenceSink {
    folder: PathBuf,
    frames: u32,
}

impl SequenceSink {
    /// Writes into `folder`, which is made where it is absent.
    ///
    /// # Errors
    /// When it cannot be made, or holds frames already: those of an earlier and
    /// longer run would show up behind the new ones.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, OutputError> {
        let folder = folder.as_ref().to_owned();
        fs::create_dir_all(&folder).map_err(OutputError::write(folder.display().to_string()))?;
        let sequence = Self { folder, frames: 0 };
        if sequence.path(0).exists() {
            return Err(OutputError::Occupied(sequence.folder));
        }
        Ok(sequence)
    }

    fn path(&self, index: u32) -> PathBuf {
        self.folder.join(format!("{index:06}.png"))
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
                std::io::ErrorKind::NotFound.into(),
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
