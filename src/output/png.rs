//! One picture: the last that had anything in it.

use std::path::Path;

use image::codecs::png::CompressionType;

use super::draft::Draft;
use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// Keeps the last frame with anything visible and writes it at the end.
#[derive(Debug)]
pub struct PngSink {
    draft: Draft,
    kept: Option<Frame>,
}

impl PngSink {
    /// Writes to `path`, whose folder is made where it is absent.
    ///
    /// # Errors
    /// When `path` names no file or its folder cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OutputError> {
        Ok(Self {
            draft: Draft::of(path.as_ref())?,
            kept: None,
        })
    }
}

impl Sink for PngSink {
    fn name(&self) -> String {
        self.draft.name()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        if is_visible(&frame.pixels) {
            self.kept = Some(frame.clone());
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        let name = self.name();
        let mut finished = Finished::default();
        match self.kept {
            Some(Frame {
                pixels,
                width,
                height,
                at,
                ..
            }) => {
                self.draft
                    .publish_png(&pixels, width, height, CompressionType::Default)?;
                finished
                    .written
                    .push(format!("{name}: {width}x{height}, second {at:.2}"));
            }
            None => finished.warnings.push(format!(
                "{name} was not written: no frame had anything in it"
            )),
        }
        Ok(finished)
    }
}

/// Whether any pixel covers anything.
pub(super) fn is_visible(pixels: &[u8]) -> bool {
    // Whole blocks without a branch inside: an empty frame costs one pass at
    // the speed of memory.
    pixels
        .chunks(4096)
        .any(|block| block.chunks_exact(4).fold(0, |seen, pixel| seen | pixel[3]) != 0)
}
