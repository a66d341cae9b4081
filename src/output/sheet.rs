//! A contact sheet: one picture with a strip of tiles for each thing that was
//! shown, over a checker.

use std::path::Path;

use image::codecs::png::CompressionType;
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgba};

use super::OutputError;
use super::draft::Draft;
use crate::render::present::Frame;

/// The longer side of a tile, in pixels.
const TILE: u32 = 320;
/// Between strips and around them.
const MARGIN: u32 = 24;
/// Between the tiles of a strip.
const TILE_GAP: u32 = 8;
/// Between a strip and its label.
const LABEL_GAP: u32 = 10;
/// The radius of a tile's corners.
const CORNER: f32 = 14.0;
/// The side of the checker's squares.
const SQUARE: u32 = 20;
/// What the sheet's sides are to be to each other.
const ASPECT: f32 = 1.6;

/// The page, darker than any tile, and the checker's two tones: dark enough for
/// glow, light enough for shadow.
const PAGE: [f32; 3] = [0.067, 0.071, 0.086];
const TONES: [[f32; 3]; 2] = [[0.150, 0.158, 0.185], [0.205, 0.215, 0.247]];

/// A picture with straight alpha, sRGB-encoded like a PNG.
#[derive(Debug, Clone)]
pub struct Label {
    pub width: u32,
    pub height: u32,
    /// RGBA, `width * height * 4` bytes.
    pub pixels: Vec<u8>,
}

/// Collects strips and lays them out at the end.
pub struct ContactSheet {
    draft: Draft,
    strips: Vec<Strip>,
}

/// Some moments of one thing, all with the same crop, and its name.
struct Strip {
    tiles: Vec<Picture>,
    label: Option<Picture>,
}

impl Strip {
    /// The room that its tiles take.
    fn size(&self) -> (u32, u32) {
        let count = self.tiles.len() as u32;
        let width: u32 = self.tiles.iter().map(Picture::width).sum();
        let height = self.tiles.iter().map(Picture::height).max();
        (
            width + count.saturating_sub(1) * TILE_GAP,
            height.unwrap_or(0),
        )
    }
}

/// Coverage from which a pixel is the subject's rather than its glow's.
const SEEN: f32 = 0.16;
/// The least share of a frame that a tile shows, along each side: nearer, a
/// small gift would be shown larger than it is made for.
const NEAREST: f32 = 0.5;

/// What a strip's tiles show of their frames, which are alike in size: the part
/// where something is to be seen in any of them, in the frame's own shape, as
/// x, y, width and height.
fn subject(frames: &[Picture], (width, height): (u32, u32)) -> [u32; 4] {
    let seen = frames
        .iter()
        .flat_map(|frame| frame.enumerate_pixels())
        .filter(|(_, _, pixel)| pixel.0[3] > SEEN)
        .map(|(x, y, _)| [x, y, x, y])
        .reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        });
    let Some([left, top, right, bottom]) = seen else {
        return [0, 0, width, height];
    };
    let (frame_w, frame_h) = (width as f32, height as f32);
    let share = ((right - left) as f32 / frame_w).max((bottom - top) as f32 / frame_h) * 1.16;
    let share = share.clamp(NEAREST, 1.0);
    let size = [frame_w * share, frame_h * share];
    let middle = [(left + right) as f32 / 2.0, (top + bottom) as f32 / 2.0];
    let x = (middle[0] - size[0] / 2.0).clamp(0.0, frame_w - size[0]);
    let y = (middle[1] - size[1] / 2.0).clamp(0.0, frame_h - size[1]);
    [x as u32, y as u32, size[0] as u32, size[1] as u32]
}

/// Premultiplied in encoded values, 0 to 1: what straight-alpha pictures are
/// composited in, so a tile looks like its frame does elsewhere.
type Picture = ImageBuffer<Rgba<f32>, Vec<f32>>;

impl ContactSheet {
    /// For the file `path`, whose folder is made where it is absent.
    ///
    /// # Errors
    /// When the path names no file or its folder cannot be made.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        Ok(Self {
            draft: Draft::of(path)?,
            strips: Vec::new(),
        })
    }

    /// The next strip, a tile for each frame. Frames that are not of the first
    /// one's size are left out; a label wider than the strip is made smaller.
    pub fn add(&mut self, frames: &[Frame], label: &Label) {
        let mut pictures: Vec<Picture> = frames
            .iter()
            .filter_map(|frame| premultiplied(&frame.pixels, frame.width, frame.height))
            .collect();
        let Some(size) = pictures.first().map(Picture::dimensions) else {
            return;
        };
        pictures.retain(|picture| picture.dimensions() == size);
        let [x, y, width, height] = subject(&pictures, size);
        let tiles = pictures
            .iter()
            .map(|picture| imageops::crop_imm(picture, x, y, width, height).to_image())
            .map(|close| within(close, TILE, TILE))
            .collect();
        let mut strip = Strip { tiles, label: None };
        strip.label = premultiplied(&label.pixels, label.width, label.height)
            .map(|label| within(label, strip.size().0, u32::MAX));
        self.strips.push(strip);
    }

    /// Writes the file and says what is in it.
    ///
    /// # Errors
    /// When it cannot be written, or is empty.
    pub fn finish(self) -> Result<String, OutputError> {
        let name = self.draft.name();
        let Some(grid) = Grid::of(&self.strips) else {
            return Err(OutputError::Empty(name));
        };
        let sheet = grid.paint();
        let bytes: Vec<u8> = sheet
            .as_raw()
            .iter()
            .map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
            .collect();
        let written = format!("{name}: {} strips", self.strips.len());
        self.draft.publish_png(
            &bytes,
            sheet.width(),
            sheet.height(),
            CompressionType::Default,
        )?;
        Ok(written)
    }
}

/// Where everything stands.
struct Grid<'a> {
    strips: &'a [Strip],
    columns: u32,
    /// The largest strip; smaller ones stand in its middle.
    room: (u32, u32),
    label_height: u32,
}

impl<'a> Grid<'a> {
    /// None without strips.
    fn of(strips: &'a [Strip]) -> Option<Self> {
        let room = (
            strips.iter().map(|strip| strip.size().0).max()?,
            strips.iter().map(|strip| strip.size().1).max()?,
        );
        let labels = strips.iter().filter_map(|strip| strip.label.as_ref());
        let label_height = labels
            .map(|label| label.height() + LABEL_GAP)
            .max()
            .unwrap_or(0);
        let (width, height) = (room.0 + MARGIN, room.1 + label_height + MARGIN);
        let count = strips.len() as u32;
        let columns = (count as f32 * ASPECT * height as f32 / width as f32)
            .sqrt()
            .round() as u32;
        Some(Self {
            strips,
            columns: columns.clamp(1, count),
            room,
            label_height,
        })
    }

    fn paint(&self) -> Picture {
        let rows = (self.strips.len() as u32).div_ceil(self.columns);
        let step = (
            self.room.0 + MARGIN,
            self.room.1 + self.label_height + MARGIN,
        );
        let mut sheet = Picture::from_pixel(
            MARGIN + self.columns * step.0,
            MARGIN + rows * step.1,
            opaque(PAGE),
        );
        for (index, strip) in (0..).zip(self.strips) {
            let left = MARGIN + index % self.columns * step.0;
            let top = MARGIN + index / self.columns * step.1;
            let size = strip.size();
            let mut x = left + (self.room.0 - size.0) / 2;
            for tile in &strip.tiles {
                put_tile(&mut sheet, tile, x, top + (self.room.1 - size.1) / 2);
                x += tile.width() + TILE_GAP;
            }
            if let Some(label) = &strip.label {
                let middle = left + self.room.0 / 2;
                let label_left = middle.saturating_sub(label.width() / 2);
                put_label(&mut sheet, label, label_left, top + self.room.1 + LABEL_GAP);
            }
        }
        sheet
    }
}

fn put_label(sheet: &mut Picture, label: &Picture, left: u32, top: u32) {
    for (x, y, over) in label.enumerate_pixels() {
        if let Some(under) = sheet.get_pixel_mut_checked(left + x, top + y) {
            *under = composited(*over, *under);
        }
    }
}

/// A tile on its checker, with its corners rounded off.
fn put_tile(sheet: &mut Picture, tile: &Picture, left: u32, top: u32) {
    let (width, height) = tile.dimensions();
    for (x, y, over) in tile.enumerate_pixels() {
        let tone = TONES[((x / SQUARE + y / SQUARE) % 2) as usize];
        let filled = composited(*over, opaque(tone));
        let share = coverage(x, y, width, height);
        let under = sheet.get_pixel_mut(left + x, top + y);
        for channel in 0..3 {
            under[channel] += (filled[channel] - under[channel]) * share;
        }
    }
}

/// How much of a pixel lies within the rounded rectangle: the distance to its
/// outline, over one pixel.
fn coverage(x: u32, y: u32, width: u32, height: u32) -> f32 {
    let radius = CORNER.min(width.min(height) as f32 / 2.0);
    // From the middle of the rectangle to the middle of the pixel, less the
    // rectangle that the corners' centres span.
    let beyond = |at: u32, size: u32| {
        let half = size as f32 / 2.0;
        ((at as f32 + 0.5 - half).abs() - (half - radius)).max(0.0)
    };
    let distance = beyond(x, width).hypot(beyond(y, height)) - radius;
    (0.5 - distance).clamp(0.0, 1.0)
}

fn opaque([r, g, b]: [f32; 3]) -> Rgba<f32> {
    Rgba([r, g, b, 1.0])
}

fn composited(over: Rgba<f32>, under: Rgba<f32>) -> Rgba<f32> {
    let left = 1.0 - over[3];
    Rgba(std::array::from_fn(|channel| {
        over[channel] + under[channel] * left
    }))
}

/// None where the bytes are not what the size says.
fn premultiplied(pixels: &[u8], width: u32, height: u32) -> Option<Picture> {
    let values = pixels
        .chunks_exact(4)
        .flat_map(|pixel| {
            let alpha = f32::from(pixel[3]) / 255.0;
            let colour = |value: u8| f32::from(value) / 255.0 * alpha;
            [colour(pixel[0]), colour(pixel[1]), colour(pixel[2]), alpha]
        })
        .collect();
    Picture::from_raw(width, height, values).filter(|picture| !picture.is_empty())
}

/// The picture made smaller to fit, never larger.
fn within(picture: Picture, width: u32, height: u32) -> Picture {
    let scale =
        (width as f32 / picture.width() as f32).min(height as f32 / picture.height() as f32);
    if scale >= 1.0 {
        return picture;
    }
    let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let (width, height) = (side(picture.width()), side(picture.height()));
    imageops::resize(&picture, width, height, FilterType::CatmullRom)
}
