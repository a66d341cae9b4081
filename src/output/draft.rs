//! A draft whose failures are an output's.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::OutputError;
use crate::draft::{self, DraftError};

/// A file that an output promises.
#[derive(Debug)]
pub(super) struct Draft(draft::Draft);

impl Draft {
    /// See [`draft::Draft::of`].
    pub(super) fn of(path: &Path) -> Result<Self, OutputError> {
        Self::staged(path, "part")
    }

    /// As [`of`](Self::of), told from other drafts of the same file by `stage`.
    pub(super) fn staged(path: &Path, stage: &str) -> Result<Self, OutputError> {
        let shown = || path.display().to_string();
        match draft::Draft::of(path, stage) {
            Ok(draft) => {
                // What cannot be written is known before the show, not after it.
                File::create(draft.temporary()).map_err(OutputError::write(shown()))?;
                Ok(Self(draft))
            }
            Err(DraftError::NoFile) => Err(OutputError::NoFile(shown())),
            Err(DraftError::Folder(why)) => Err(OutputError::write(shown())(why)),
        }
    }

    pub(super) fn name(&self) -> String {
        self.0.path().display().to_string()
    }

    pub(super) fn temporary(&self) -> &Path {
        self.0.temporary()
    }

    pub(super) fn publish(self) -> Result<(), OutputError> {
        let name = self.name();
        self.0.publish().map_err(OutputError::write(name))
    }

    /// Publishes a PNG of straight-alpha RGBA.
    pub(super) fn publish_png(
        self,
        pixels: &[u8],
        width: u32,
        height: u32,
        compression: CompressionType,
    ) -> Result<(), OutputError> {
        let file = File::create(self.temporary()).map_err(OutputError::write(self.name()))?;
        let mut writer = BufWriter::with_capacity(1 << 16, file);
        PngEncoder::new_with_quality(&mut writer, compression, FilterType::Adaptive)
            .write_image(pixels, width, height, ExtendedColorType::Rgba8)
            .map_err(|why| match why {
                ImageError::IoError(why) => OutputError::write(self.name())(why),
                why => OutputError::Png {
                    name: self.name(),
                    why,
                },
            })?;
        writer.flush().map_err(OutputError::write(self.name()))?;
        self.publish()
    }
}
