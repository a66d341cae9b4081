//! What a previewed gift lies over, and how it is laid there.

use anyhow::{Context, Result};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::game;
use crate::cli::Ground;
use crate::config::Size;
use crate::render::present::Frame;

/// The checker's squares on a stage of 1080 lines, and its tones.
const SQUARE: f32 = 24.0;
const TONES: [u8; 2] = [0x48, 0x5C];
const GREY: u8 = 0x80;

/// Paints `ground` for a stage of `size`.
///
/// # Errors
/// When a file cannot be read as a PNG.
pub fn paint(ground: &Ground, size: Size) -> Result<RgbImage> {
    let (width, height) = (size.width, size.height);
    let plain = |level: u8| RgbImage::from_pixel(width, height, Rgb([level; 3]));
    Ok(match ground {
        Ground::Black => plain(0),
        Ground::White => plain(255),
        Ground::Grey => plain(GREY),
        Ground::Checker => {
            let side = (SQUARE * width.min(height) as f32 / 1080.0).max(4.0) as u32;
            RgbImage::from_fn(width, height, |x, y| {
                Rgb([TONES[((x / side + y / side) % 2) as usize]; 3])
            })
        }
        Ground::Game => game::paint(size)?,
        Ground::File(path) => {
            let picture = image::open(path)
                .with_context(|| format!("cannot read {} as a PNG", path.display()))?
                .into_rgb8();
            cover(&picture, size)
        }
    })
}

/// The picture's middle, scaled so that nothing of the stage stays bare.
fn cover(picture: &RgbImage, size: Size) -> RgbImage {
    let scale = (size.width as f32 / picture.width() as f32)
        .max(size.height as f32 / picture.height() as f32);
    let side = |length: u32, least: u32| ((length as f32 * scale).round() as u32).max(least);
    let (width, height) = (
        side(picture.width(), size.width),
        side(picture.height(), size.height),
    );
    let large = imageops::resize(picture, width, height, FilterType::CatmullRom);
    let (x, y) = ((width - size.width) / 2, (height - size.height) / 2);
    imageops::crop_imm(&large, x, y, size.width, size.height).to_image()
}

/// The frame over a ground of its size, blended as browsers and video do: in
/// encoded values.
pub fn lay(frame: &Frame, ground: &RgbImage) -> RgbImage {
    let mut laid = ground.clone();
    for (under, over) in laid.pixels_mut().zip(frame.pixels.chunks_exact(4)) {
        let alpha = u32::from(over[3]);
        for channel in 0..3 {
            let mixed =
                u32::from(over[channel]) * alpha + u32::from(under[channel]) * (255 - alpha);
            under[channel] = ((mixed + 127) / 255) as u8;
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SIZE: Size = Size {
        width: 64,
        height: 36,
    };

    #[test]
    fn every_ground_is_as_large_as_the_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tall.png");
        RgbImage::from_pixel(10, 40, Rgb([1, 2, 3]))
            .save(&path)
            .unwrap();
        let grounds = Ground::BUILT_IN.into_iter().chain([Ground::File(path)]);
        for ground in grounds {
            let painted = paint(&ground, SIZE).unwrap();
            assert_eq!(painted.dimensions(), (64, 36), "{ground:?}");
        }
    }

    #[test]
    fn a_game_is_busy() {
        let game = paint(&Ground::Game, SIZE).unwrap();
        let colours: std::collections::HashSet<_> = game.pixels().map(|p| p.0).collect();
        assert!(colours.len() > 200, "{}", colours.len());
    }

    #[test]
    fn what_is_half_there_is_half_seen() {
        let frame = Frame {
            pixels: Arc::new([200, 0, 0, 128].repeat(2)),
            width: 2,
            height: 1,
            index: 0,
            at: 0.0,
        };
        let laid = lay(&frame, &RgbImage::from_pixel(2, 1, Rgb([0, 0, 255])));
        assert_eq!(laid.get_pixel(0, 0).0, [100, 0, 127]);
    }
}
