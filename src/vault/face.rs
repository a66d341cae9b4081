//! From a file that a stranger made to a face.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use thiserror::Error;

/// Pixels a side that a face is kept at, at most: about as large as a headline's is
/// drawn on a stage of 2160 lines.
pub const MAX_FACE_SIDE: u32 = 256;

/// Largest side of a picture that is decoded: platforms make theirs 64 to 1024
/// pixels wide.
const MAX_SIDE: u32 = 2048;

/// What decoding one may take: four bytes for each of those pixels, twice.
const MAX_DECODING: u64 = 2 * 4 * (MAX_SIDE as u64) * (MAX_SIDE as u64);

/// Somebody's picture: the square in its middle.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    /// 1 to [`MAX_FACE_SIDE`].
    pub side: u32,
    /// Row by row from the top, straight sRGB, `side * side * 4` bytes.
    pub rgba: Vec<u8>,
}

/// Why a file is no usable picture.
#[derive(Debug, Error)]
pub enum FaceError {
    #[error("it is no PNG, JPEG or WebP")]
    Format,
    #[error("it cannot be decoded: {0}")]
    Decode(#[from] image::ImageError),
    #[error("it cannot be decoded")]
    Panicked,
}

/// Decodes a PNG, JPEG or WebP, the first picture of one that moves.
pub(super) fn decode(bytes: &[u8]) -> Result<Face, FaceError> {
    let format = image::guess_format(bytes).map_err(|_| FaceError::Format)?;
    if !matches!(
        format,
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP
    ) {
        return Err(FaceError::Format);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODING);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // A telephone says how it was held.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    let middle = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let mut rgba = middle.into_rgba8();
    let kept = side.min(MAX_FACE_SIDE);
    if kept < side {
        rgba = imageops::resize(&rgba, kept, kept, FilterType::Triangle);
    }
    Ok(Face {
        side: kept,
        rgba: rgba.into_raw(),
    })
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    /// Red to the left, blue to the right, and green in the middle square.
    fn striped(width: u32, height: u32) -> RgbaImage {
        let edge = (width - height) / 2;
        RgbaImage::from_fn(width, height, |x, _| match x {
            x if x < edge => Rgba([255, 0, 0, 255]),
            x if x >= width - edge => Rgba([0, 0, 255, 255]),
            _ => Rgba([0, 200, 0, 255]),
        })
    }

    fn written(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        match format {
            // It has no alpha.
            ImageFormat::Jpeg => DynamicImage::from(picture.clone())
                .into_rgb8()
                .write_to(&mut bytes, format),
            _ => picture.write_to(&mut bytes, format),
        }
        .expect("the picture can be written");
        bytes.into_inner()
    }

    #[test]
    fn the_middle_square_is_taken_of_every_format() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let face = decode(&written(&striped(96, 32), format)).expect("a picture");
            assert_eq!((face.side, face.rgba.len()), (32, 32 * 32 * 4));
            let middle = &face.rgba[(16 * 32 + 16) * 4..][..4];
            assert!(
                middle[0] < 12 && middle[1].abs_diff(200) < 12 && middle[2] < 12,
                "{format:?}: {middle:?}"
            );
        }
    }

    #[test]
    fn a_large_picture_is_made_small() {
        let face = decode(&written(&striped(1200, 1000), ImageFormat::Png)).expect("a picture");
        assert_eq!(face.side, MAX_FACE_SIDE);
        assert_eq!(face.rgba.len() as u32, MAX_FACE_SIDE * MAX_FACE_SIDE * 4);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(decode(b"<svg/>"), Err(FaceError::Format)));
        assert!(matches!(decode(b""), Err(FaceError::Format)));
        assert!(matches!(decode(b"GIF89a..."), Err(FaceError::Format)));
        let whole = written(&striped(64, 64), ImageFormat::Png);
        assert!(matches!(decode(&whole[..40]), Err(FaceError::Decode(_))));
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused_before_it_does() {
        let bomb = RgbaImage::new(MAX_SIDE + 1, 1);
        let bomb = written(&bomb, ImageFormat::Png);
        assert!(matches!(decode(&bomb), Err(FaceError::Decode(_))));
    }

    #[test]
    fn damaged_pictures_end_in_an_error_or_a_face() {
        let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
        for whole in formats.map(|format| written(&striped(48, 32), format)) {
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x55;
                if let Ok(face) = decode(&damaged) {
                    assert_eq!(face.rgba.len() as u32, face.side * face.side * 4);
                    assert!((1..=MAX_FACE_SIDE).contains(&face.side));
                }
            }
        }
    }
}
