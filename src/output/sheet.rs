//! A contact sheet: one picture with a tile for each thing that was shown.

use std::collections::HashMap;
use std::path::PathBuf;

use image::codecs::png::CompressionType;
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgba};

use super::draft::Draft;
use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// The longer side of a tile, in pixels.
const TILE: u32 = 480;
/// Between tiles and around them.
const MARGIN: u32 = 24;
/// Between a tile and its label.
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

/// What the sheet shows.
#[derive(Debug, Clone)]
pub struct SheetSettings {
    pub path: PathBuf,
    /// The tags that have a tile, in the order of the tiles. It also bounds what
    /// is kept: one tile a tag.
    pub tags: Vec<String>,
    /// What stands beneath a tag's tile; wider ones than a tile are made
    /// smaller.
    pub labels: HashMap<String, Label>,
}

/// Collects the last frame of each tag and lays them out at the end.
pub struct SheetSink {
    draft: Draft,
    tags: Vec<String>,
    labels: HashMap<String, Label>,
    tiles: HashMap<String, Picture>,
}

/// Coverage from which a pixel is the subject's rather than its glow's.
const SEEN: f32 = 0.16;
/// The least share of a frame that a tile shows, along each side: nearer, a
/// small gift would be shown larger than it is made for.
const NEAREST: f32 = 0.5;

/// What a tile shows of a frame: the part where something is to be seen, in the
/// frame's own shape, as x, y, width and height.
fn subject(picture: &Picture) -> [u32; 4] {
    let (width, height) = picture.dimensions();
    let seen = picture
        .enumerate_pixels()
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

impl SheetSink {
    /// Writes to the settings' path, whose folder is made where it is absent.
    ///
    /// # Errors
    /// When the path names no file or its folder cannot be made.
    pub fn create(settings: SheetSettings) -> Result<Self, OutputError> {
        Ok(Self {
            draft: Draft::of(&settings.path)?,
            tags: settings.tags,
            labels: settings.labels,
            tiles: HashMap::new(),
        })
    }

    fn label(&self, tag: &str, width: u32) -> Option<Picture> {
        let label = self.labels.get(tag)?;
        let picture = premultiplied(&label.pixels, label.width, label.height)?;
        Some(within(picture, width, u32::MAX))
    }
}

impl Sink for SheetSink {
    fn name(&self) -> String {
        self.draft.name()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        let wanted: Vec<_> = frame
            .tags
            .iter()
            .filter(|tag| self.tags.contains(tag))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let Some(mut picture) = premultiplied(&frame.pixels, frame.width, frame.height) else {
            return Ok(());
        };
        let [x, y, width, height] = subject(&picture);
        let close = imageops::crop(&mut picture, x, y, width, height).to_image();
        let tile = within(close, TILE, TILE);
        for tag in wanted {
            self.tiles.insert(tag.clone(), tile.clone());
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        let name = self.name();
        let (shown, missing): (Vec<_>, Vec<_>) = self
            .tags
            .iter()
            .partition(|tag| self.tiles.contains_key(*tag));
        let mut finished = Finished::default();
        if !missing.is_empty() {
            let missing: Vec<_> = missing.into_iter().map(String::as_str).collect();
            finished.warnings.push(format!(
                "{name} lacks what was never drawn: {}",
                missing.join(", ")
            ));
        }
        let grid = Grid::of(shown.iter().map(|tag| {
            let tile = &self.tiles[*tag];
            (tile, self.label(tag, tile.width().max(TILE / 2)))
        }));
        let Some(grid) = grid else {
            finished
                .warnings
                .push(format!("{name} was not written: it would be empty"));
            return Ok(finished);
        };
        let sheet = grid.paint();
        let bytes: Vec<u8> = sheet
            .as_raw()
            .iter()
            .map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
            .collect();
        finished
            .written
            .push(format!("{name}: {} tiles", grid.cells.len()));
        self.draft.publish_png(
            &bytes,
            sheet.width(),
            sheet.height(),
            CompressionType::Default,
        )?;
        Ok(finished)
    }
}

/// Where everything stands.
struct Grid<'a> {
    cells: Vec<(&'a Picture, Option<Picture>)>,
    columns: u32,
    /// The largest tile; smaller ones stand in its middle.
    tile: (u32, u32),
    label_height: u32,
}

impl<'a> Grid<'a> {
    /// None without tiles.
    fn of(cells: impl Iterator<Item = (&'a Picture, Option<Picture>)>) -> Option<Self> {
        let cells: Vec<_> = cells.collect();
        let tile = (
            cells.iter().map(|(tile, _)| tile.width()).max()?,
            cells.iter().map(|(tile, _)| tile.height()).max()?,
        );
        let labels = cells.iter().filter_map(|(_, label)| label.as_ref());
        let label_height = labels
            .map(|label| label.height() + LABEL_GAP)
            .max()
            .unwrap_or(0);
        let (cell_width, cell_height) = (tile.0 + MARGIN, tile.1 + label_height + MARGIN);
        let count = cells.len() as u32;
        let columns = (count as f32 * ASPECT * cell_height as f32 / cell_width as f32)
            .sqrt()
            .round() as u32;
        Some(Self {
            columns: columns.clamp(1, count),
            cells,
            tile,
            label_height,
        })
    }

    fn paint(&self) -> Picture {
        let rows = (self.cells.len() as u32).div_ceil(self.columns);
        let step = (
            self.tile.0 + MARGIN,
            self.tile.1 + self.label_height + MARGIN,
        );
        let mut sheet = Picture::from_pixel(
            MARGIN + self.columns * step.0,
            MARGIN + rows * step.1,
            opaque(PAGE),
        );
        for (index, (tile, label)) in (0..).zip(&self.cells) {
            let left = MARGIN + index % self.columns * step.0;
            let top = MARGIN + index / self.columns * step.1;
            let tile_left = left + (self.tile.0 - tile.width()) / 2;
            let tile_top = top + (self.tile.1 - tile.height()) / 2;
            put_tile(&mut sheet, tile, tile_left, tile_top);
            if let Some(label) = label {
                let middle = left + self.tile.0 / 2;
                let label_left = middle.saturating_sub(label.width() / 2);
                let label_top = top + self.tile.1 + LABEL_GAP;
                for (x, y, over) in label.enumerate_pixels() {
                    if let Some(under) = sheet.get_pixel_mut_checked(label_left + x, label_top + y)
                    {
                        *under = composited(*over, *under);
                    }
                }
            }
        }
        sheet
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
