//! A draft whose failures are an output's.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

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
        Self::begin(path, draft::Draft::of(path, stage))?.create()
    }

    /// As [`of`](Self::of), of a show that happens but once: what an earlier run left
    /// that did not come to its end is kept, and so is what this one leaves.
    pub(super) fn of_a_live_show(path: &Path) -> Result<Self, OutputError> {
        let draft = Self::begin(path, draft::Draft::of_what_comes_once(path, "part"))?;
        if let Some(kept) = draft.set_aside()? {
            tracing::warn!(
                "{} was being written when an earlier run broke off; what there is of it is kept \
                 as {}",
                draft.name(),
                kept.display()
            );
        }
        draft.create()
    }

    fn begin(path: &Path, draft: Result<draft::Draft, DraftError>) -> Result<Self, OutputError> {
        let shown = || path.display().to_string();
        draft.map(Self).map_err(|error| match error {
            DraftError::NoFile => OutputError::NoFile(shown()),
            DraftError::Folder(why) => OutputError::write(shown())(why),
        })
    }

    /// What cannot be written is known before the show, not after it.
    fn create(self) -> Result<Self, OutputError> {
        File::create(self.temporary()).map_err(OutputError::write(self.name()))?;
        Ok(self)
    }

    /// See [`draft::Draft::set_aside`].
    pub(super) fn set_aside(&self) -> Result<Option<PathBuf>, OutputError> {
        self.0.set_aside().map_err(OutputError::write(self.name()))
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
