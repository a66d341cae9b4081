//! From a file that a stranger made to a face.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgba};
use thiserror::Error;

/// Pixels a side that a face is kept at, at most: about as large as a headline's is
/// drawn on a stage of 2160 lines.
pub const MAX_FACE_SIDE: u32 = 256;

/// Largest side of a picture that is decoded: platforms make theirs 64 to 1024
/// pixels wide.
const MAX_SIDE: u32 = 2048;

/// What PNG's decoder may take besides the picture, which its side bounds: four bytes
/// for each of those pixels, twice.
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
    #[error("it is larger than {MAX_SIDE} pixels a side")]
    Size,
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
    if format == ImageFormat::WebP && hides_its_size(bytes) {
        return Err(FaceError::Size);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODING);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // A telephone says how it was held. WebP's reader would first believe what a file
    // says of the length of that, up to 4 GiB.
    let orientation = match format {
        ImageFormat::WebP => Orientation::NoTransforms,
        _ => decoder.orientation().unwrap_or(Orientation::NoTransforms),
    };
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    let middle = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    let mut rgba = middle.into_rgba8();
    let kept = side.min(MAX_FACE_SIDE);
    if kept < side {
        // Nothing shows of a colour without alpha, in its neighbours neither.
        rgba.pixels_mut().for_each(premultiply);
        rgba = imageops::resize(&rgba, kept, kept, FilterType::Triangle);
        rgba.pixels_mut().for_each(divide);
    }
    Ok(Face {
        side: kept,
        rgba: rgba.into_raw(),
    })
}

/// Whether a WebP holds a larger picture than its head says, which its decoder would
/// make room for before it compares: wherever one begins, its own size is looked at
/// (RFC 9649, 2.5 and 2.6; RFC 6386, 9.1).
fn hides_its_size(bytes: &[u8]) -> bool {
    let side = |low: u8, high: u8| u32::from(low) | (u32::from(high & 0x3F) << 8);
    bytes.windows(18).any(|chunk| match chunk {
        [b'V', b'P', b'8', b' ', .., 0x9D, 0x01, 0x2A, a, b, c, d] => {
            side(*a, *b).max(side(*c, *d)) > MAX_SIDE
        }
        _ => false,
    }) || bytes.windows(13).any(|chunk| match chunk {
        [b'V', b'P', b'8', b'L', _, _, _, _, 0x2F, a, b, c, d] => {
            let sides = u32::from_le_bytes([*a, *b, *c, *d]);
            (sides & 0x3FFF).max((sides >> 14) & 0x3FFF) + 1 > MAX_SIDE
        }
        _ => false,
    })
}

fn premultiply(Rgba([r, g, b, a]): &mut Rgba<u8>) {
    for channel in [r, g, b] {
        *channel = ((u32::from(*channel) * u32::from(*a) + 127) / 255) as u8;
    }
}

fn divide(Rgba([r, g, b, a]): &mut Rgba<u8>) {
    for channel in [r, g, b] {
        let straight = (u32::from(*channel) * 255 + u32::from(*a) / 2).checked_div(u32::from(*a));
        *channel = straight.unwrap_or(0).min(255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use image::RgbaImage;

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
    fn a_webp_that_hides_its_size_is_refused_before_it_is_made_room_for() {
        let honest = written(&striped(64, 64), ImageFormat::WebP);
        assert!(!hides_its_size(&honest));
        // A lossless frame of 16384x16384 in the same file.
        let at = honest
            .windows(4)
            .position(|it| it == b"VP8L")
            .expect("a frame");
        let mut bomb = honest.clone();
        bomb[at + 9..at + 13].copy_from_slice(&0x0FFF_FFFF_u32.to_le_bytes());
        assert!(matches!(decode(&bomb), Err(FaceError::Size)));
        // A lossy one in its place.
        let mut bomb = honest;
        bomb[at..at + 4].copy_from_slice(b"VP8 ");
        bomb[at + 11..at + 18].copy_from_slice(&[0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0x10, 0x00]);
        assert!(matches!(decode(&bomb), Err(FaceError::Size)));
    }

    #[test]
    fn what_is_transparent_leaves_no_trace_in_a_smaller_picture() {
        let clear = Rgba([0, 255, 0, 0]);
        let red = Rgba([255, 0, 0, 255]);
        let dots = RgbaImage::from_fn(512, 512, |x, _| if x % 2 == 0 { clear } else { red });
        let face = decode(&written(&dots, ImageFormat::Png)).expect("a picture");
        for [r, g, b, a] in face.rgba.as_chunks::<4>().0 {
            assert!(*a == 0 || (*r > 250 && *g < 5 && *b < 5), "{r} {g} {b} {a}");
        }
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
