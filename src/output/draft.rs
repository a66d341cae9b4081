//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::OutputError;

/// A path beside the one that is promised, given that name once it is complete
/// and removed otherwise.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    temporary: PathBuf,
    published: bool,
}

impl Draft {
    /// A draft of `path`, whose folder is made where it is absent. No file is
    /// created yet.
    pub(super) fn of(path: &Path) -> Result<Self, OutputError> {
        let shown = path.display().to_string();
        let Some(name) = path.file_name() else {
            return Err(OutputError::NoFile(shown));
        };
        if path.is_dir() {
            return Err(OutputError::NoFile(shown));
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(OutputError::write(shown))?;
        }
        let temporary = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
        Ok(Self {
            path: path.to_owned(),
            temporary,
            published: false,
        })
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Where the contents go until they are complete.
    pub(super) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the contents the promised name.
    pub(super) fn publish(mut self) -> Result<(), OutputError> {
        fs::rename(&self.temporary, &self.path).map_err(OutputError::write(self.name()))?;
        self.published = true;
        Ok(())
    }

    /// Publishes a PNG of straight-alpha RGBA.
    pub(super) fn publish_png(
        self,
        pixels: &[u8],
        width: u32,
        height: u32,
        compression: CompressionType,
    ) -> Result<(), OutputError> {
        let file = File::create(&self.temporary).map_err(OutputError::write(self.name()))?;
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

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // It may never have been created, and nobody is left to tell.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
