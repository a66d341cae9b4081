//! A gift's life on one sheet: a column for each moment, a row for each ground.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::output::Label;
use crate::render::caption::{Rgba, TextPainter, TextStyle};

/// The longer side of a tile, in pixels.
const TILE: f32 = 480.0;
/// Between tiles and around them.
const MARGIN: u32 = 12;
/// Height of a line of text.
const LINE: u32 = 30;
const PAGE: Rgb<u8> = Rgb([17, 18, 22]);

pub struct Sheet {
    rows: Vec<Vec<RgbImage>>,
    moments: Vec<f32>,
}

impl Sheet {
    pub fn new(rows: usize, columns: usize) -> Self {
        Self {
            rows: vec![Vec::with_capacity(columns); rows],
            moments: Vec::with_capacity(columns),
        }
    }

    /// The next column, from the first ground's row to the last's.
    pub fn add(&mut self, at: f32, pictures: impl Iterator<Item = RgbImage>) {
        self.moments.push(at);
        for (row, picture) in self.rows.iter_mut().zip(pictures) {
            let (width, height) = picture.dimensions();
            let scale = (TILE / width.max(height) as f32).min(1.0);
            let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
            let tile = imageops::resize(&picture, side(width), side(height), FilterType::Triangle);
            row.push(tile);
        }
    }

    /// The whole page, with the gift's name and each column's second.
    pub fn paint(&self, title: &str) -> RgbImage {
        let tile = self.rows.iter().flatten().next();
        let (width, height) = tile.map_or((1, 1), RgbImage::dimensions);
        let (columns, rows) = (self.moments.len() as u32, self.rows.len() as u32);
        let top = MARGIN + 2 * LINE;
        let mut page = RgbImage::from_pixel(
            MARGIN + columns * (width + MARGIN),
            top + rows * (height + MARGIN),
            PAGE,
        );
        let mut painter = TextPainter::new();
        write(&mut page, &mut painter, title, MARGIN, MARGIN);
        for (column, at) in (0..).zip(&self.moments) {
            let x = MARGIN + column * (width + MARGIN);
            write(
                &mut page,
                &mut painter,
                &format!("{at:.2} s"),
                x,
                MARGIN + LINE,
            );
            for (row, tiles) in (0..).zip(&self.rows) {
                let y = top + row * (height + MARGIN);
                imageops::replace(&mut page, &tiles[column as usize], x.into(), y.into());
            }
        }
        page
    }
}

fn write(page: &mut RgbImage, painter: &mut TextPainter, text: &str, left: u32, top: u32) {
    let style = TextStyle::new(19.0).bold().colour(Rgba {
        r: 226,
        g: 229,
        b: 238,
        a: 255,
    });
    let line = painter.paint_line(&style, text).into_straight();
    let label = Label {
        width: line.width,
        height: line.height,
        pixels: line.rgba,
    };
    for (index, over) in (0..).zip(label.pixels.chunks_exact(4)) {
        let (x, y) = (left + index % label.width, top + index / label.width);
        if let Some(under) = page.get_pixel_mut_checked(x, y) {
            let alpha = u32::from(over[3]);
            for channel in 0..3 {
                let mixed =
                    u32::from(over[channel]) * alpha + u32::from(under[channel]) * (255 - alpha);
                under[channel] = (mixed / 255) as u8;
            }
        }
    }
}
