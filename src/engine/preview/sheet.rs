//! A gift's life on one sheet: a column for each moment, a row for each ground.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::engine::sheet::lettering;
use crate::render::caption::TextPainter;

/// The longer side of a tile, in pixels.
const TILE: f32 = 480.0;
/// Between tiles and around them.
const MARGIN: u32 = 12;
/// Height of a line of text.
const LINE: u32 = 30;
/// What the page's sides are to be to each other.
const ASPECT: f32 = 1.4;
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

    /// The whole page, with the gift's name and each column's second. A long
    /// life goes on in a further band of rows.
    pub fn paint(&self, title: &str) -> RgbImage {
        let tile = self.rows.iter().flatten().next();
        let (width, height) = tile.map_or((1, 1), RgbImage::dimensions);
        let (count, rows) = (self.moments.len() as u32, self.rows.len() as u32);
        let columns = columns(count, rows, (width, height));
        let band = LINE + rows * (height + MARGIN);
        let mut page = RgbImage::from_pixel(
            MARGIN + columns * (width + MARGIN),
            MARGIN + LINE + count.div_ceil(columns) * band,
            PAGE,
        );
        let mut painter = TextPainter::new();
        write(&mut page, &mut painter, title, MARGIN, MARGIN);
        for (index, at) in (0..).zip(&self.moments) {
            let x = MARGIN + index % columns * (width + MARGIN);
            let top = MARGIN + LINE + index / columns * band;
            write(&mut page, &mut painter, &format!("{at:.2} s"), x, top);
            for (row, tiles) in (0..).zip(&self.rows) {
                let y = top + LINE + row * (height + MARGIN);
                imageops::replace(&mut page, &tiles[index as usize], x.into(), y.into());
            }
        }
        page
    }
}

/// As many columns as make the page's shape nearest to [`ASPECT`].
fn columns(count: u32, rows: u32, tile: (u32, u32)) -> u32 {
    let aspect = |columns: &u32| {
        let bands = count.div_ceil(*columns) * rows;
        let (width, height) = (columns * tile.0, bands * tile.1);
        (width as f32 / height as f32 / ASPECT).ln().abs()
    };
    (1..=count.max(1))
        .min_by(|a, b| aspect(a).total_cmp(&aspect(b)))
        .unwrap_or(1)
}

fn write(page: &mut RgbImage, painter: &mut TextPainter, text: &str, left: u32, top: u32) {
    let line = painter.paint_line(&lettering(19.0), text).into_straight();
    for (index, over) in (0..).zip(line.rgba.chunks_exact(4)) {
        let (x, y) = (left + index % line.width, top + index / line.width);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_life_goes_on_in_further_bands() {
        assert_eq!(columns(8, 3, (480, 270)), 5);
        assert_eq!(columns(8, 1, (480, 270)), 3);
        assert_eq!(columns(1, 3, (480, 270)), 1);
        // Phones' tiles are high.
        assert_eq!(columns(8, 1, (270, 480)), 5);
    }
}
