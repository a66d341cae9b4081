//! Coverage masks: one byte a pixel, stamped, blurred and tinted.

use tiny_skia::Pixmap;

use super::colour::Rgba;

/// How a mask is coloured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    Solid(Rgba),
    /// Top, middle and bottom of the letters, blended between.
    Vertical([Rgba; 3]),
}

impl Fill {
    /// The colour at a height of 0.0 (top) to 1.0 (bottom).
    pub(super) fn at(&self, t: f32) -> Rgba {
        match *self {
            Self::Solid(colour) => colour,
            Self::Vertical([top, middle, bottom]) => {
                if t < 0.5 {
                    top.mix(middle, t * 2.0)
                } else {
                    middle.mix(bottom, t * 2.0 - 1.0)
                }
            }
        }
    }
}

/// One byte of coverage per pixel.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask {
    pub width: usize,
    pub height: usize,
    pub data: Vec<u8>,
}

impl Mask {
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![0; width * height],
        }
    }

    /// Adds `other` with its top left corner at (x, y). Where both cover a
    /// pixel the coverages combine as if they were independent.
    pub fn stamp(&mut self, other: &Self, x: i32, y: i32) {
        self.combine(other, x, y, |a, b| a + b - div255(a * b));
    }

    /// Like [`Self::stamp`], keeping the larger coverage: for glows, which
    /// would otherwise brighten where two digits meet.
    pub fn stamp_max(&mut self, other: &Self, x: i32, y: i32) {
        self.combine(other, x, y, u32::max);
    }

    fn combine(&mut self, other: &Self, x: i32, y: i32, op: impl Fn(u32, u32) -> u32) {
        let Some(overlap) =
            Overlap::of((other.width, other.height), (self.width, self.height), x, y)
        else {
            return;
        };
        for row in 0..overlap.height {
            let from = (overlap.source_y + row) * other.width + overlap.source_x;
            let to = (overlap.target_y + row) * self.width + overlap.target_x;
            let source = &other.data[from..from + overlap.width];
            let target = &mut self.data[to..to + overlap.width];
            for (t, &s) in target.iter_mut().zip(source) {
                if s != 0 {
                    *t = op(u32::from(*t), u32::from(s)) as u8;
                }
            }
        }
    }

    /// Blurs in place; three box passes approximate a Gaussian whose standard
    /// deviation is half of `radius` (pixels).
    pub fn blur(&mut self, radius: f32) {
        // Three boxes of width w have the variance of a Gaussian with
        // sigma^2 = (w^2 - 1) / 4.
        let sigma = radius * 0.5;
        let half = ((((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0).round() as usize).max(1);
        if radius < 0.5 || self.data.is_empty() {
            return;
        }
        let mut scratch = vec![0; self.data.len()];
        for _ in 0..3 {
            blur_rows(&self.data, &mut scratch, self.width, half);
            std::mem::swap(&mut self.data, &mut scratch);
        }
        for _ in 0..3 {
            blur_columns(&self.data, &mut scratch, self.width, self.height, half);
            std::mem::swap(&mut self.data, &mut scratch);
        }
    }

    /// Paints the mask over `target` with its corner at (x, y). `extent` is
    /// the range of target rows that a vertical fill spans.
    pub fn tint(&self, target: &mut Pixmap, x: i32, y: i32, fill: &Fill, extent: (f32, f32)) {
        self.tint_where(target, x, y, fill, extent, false);
    }

    /// As [`Self::tint`], leaving what is transparent so: light falls on the
    /// card and not beside it.
    pub fn tint_inside(&self, target: &mut Pixmap, x: i32, y: i32, fill: &Fill) {
        self.tint_where(target, x, y, fill, (0.0, 1.0), true);
    }

    fn tint_where(
        &self,
        target: &mut Pixmap,
        x: i32,
        y: i32,
        fill: &Fill,
        extent: (f32, f32),
        inside: bool,
    ) {
        let size = (target.width() as usize, target.height() as usize);
        let Some(overlap) = Overlap::of((self.width, self.height), size, x, y) else {
            return;
        };
        let span = (extent.1 - extent.0).max(1.0);
        let pixels = target.data_mut();
        // One colour: its 256 coverages are multiplied out beforehand.
        let solid = match *fill {
            Fill::Solid(colour) => Some(coverages(colour)),
            Fill::Vertical(_) => None,
        };
        for row in 0..overlap.height {
            let target_y = overlap.target_y + row;
            let colour = fill.at(((target_y as f32 + 0.5 - extent.0) / span).clamp(0.0, 1.0));
            let from = (overlap.source_y + row) * self.width + overlap.source_x;
            let to = (target_y * size.0 + overlap.target_x) * 4;
            let coverage = &self.data[from..from + overlap.width];
            let row = &mut pixels[to..to + overlap.width * 4];
            let row = row.as_chunks_mut::<4>().0;
            if let Some(solid) = &solid {
                for (pixel, &c) in row.iter_mut().zip(coverage) {
                    if c != 0 {
                        let c = if inside {
                            div255(u32::from(c) * u32::from(pixel[3])) as u8
                        } else {
                            c
                        };
                        over(pixel, solid[usize::from(c)]);
                    }
                }
            } else {
                for (pixel, &c) in row.iter_mut().zip(coverage) {
                    if c != 0 {
                        let c = u32::from(c);
                        let c = if inside {
                            div255(c * u32::from(pixel[3]))
                        } else {
                            c
                        };
                        blend(pixel, colour, c);
                    }
                }
            }
        }
    }
}

/// A colour, premultiplied, at each coverage.
fn coverages(colour: Rgba) -> [[u8; 4]; 256] {
    std::array::from_fn(|coverage| {
        let mut pixel = [0; 4];
        blend(&mut pixel, colour, coverage as u32);
        pixel
    })
}

/// The part of a source rectangle at (x, y) that lies inside a target.
pub(super) struct Overlap {
    pub source_x: usize,
    pub source_y: usize,
    pub target_x: usize,
    pub target_y: usize,
    pub width: usize,
    pub height: usize,
}

impl Overlap {
    pub fn of(source: (usize, usize), target: (usize, usize), x: i32, y: i32) -> Option<Self> {
        let axis = |length: usize, limit: usize, at: i32| {
            let start = i64::from(at).clamp(0, limit as i64);
            let end = (i64::from(at) + length as i64).clamp(0, limit as i64);
            (start < end).then(|| {
                (
                    (start - i64::from(at)) as usize,
                    start as usize,
                    (end - start) as usize,
                )
            })
        };
        let (source_x, target_x, width) = axis(source.0, target.0, x)?;
        let (source_y, target_y, height) = axis(source.1, target.1, y)?;
        Some(Self {
            source_x,
            source_y,
            target_x,
            target_y,
            width,
            height,
        })
    }
}

/// `x / 255`, rounded, for products of two bytes.
pub(super) fn div255(x: u32) -> u32 {
    let x = x + 128;
    (x + (x >> 8)) >> 8
}

/// Paints a straight colour over a premultiplied pixel with a coverage of 0 to
/// 255.
pub(super) fn blend(pixel: &mut [u8; 4], colour: Rgba, coverage: u32) {
    let alpha = div255(u32::from(colour.a) * coverage);
    let keep = 255 - alpha;
    let source = [colour.r, colour.g, colour.b, 255];
    for (target, source) in pixel.iter_mut().zip(source) {
        *target =
            (div255(u32::from(source) * alpha) + div255(u32::from(*target) * keep)).min(255) as u8;
    }
}

/// Paints a premultiplied pixel over another.
pub(super) fn over(pixel: &mut [u8; 4], source: [u8; 4]) {
    if pixel[3] == 0 || source[3] == 255 {
        *pixel = source;
        return;
    }
    let keep = 255 - u32::from(source[3]);
    for (target, source) in pixel.iter_mut().zip(source) {
        *target = (u32::from(source) + div255(u32::from(*target) * keep)).min(255) as u8;
    }
}

fn blur_rows(source: &[u8], target: &mut [u8], width: usize, half: usize) {
    let scale = reciprocal(half);
    for (from, to) in source
        .chunks_exact(width)
        .zip(target.chunks_exact_mut(width))
    {
        let mut sum: u32 = from.iter().take(half).map(|&v| u32::from(v)).sum();
        for x in 0..width {
            if let Some(&entering) = from.get(x + half) {
                sum += u32::from(entering);
            }
            to[x] = ((sum * scale + (1 << 15)) >> 16) as u8;
            if x >= half {
                sum -= u32::from(from[x - half]);
            }
        }
    }
}

/// Whole rows at a time, with one running sum per column: the memory is read
/// in order.
fn blur_columns(source: &[u8], target: &mut [u8], width: usize, height: usize, half: usize) {
    let scale = reciprocal(half);
    let mut sums = vec![0_u32; width];
    let row = |y: usize| &source[y * width..(y + 1) * width];
    for y in 0..half.min(height) {
        for (sum, &v) in sums.iter_mut().zip(row(y)) {
            *sum += u32::from(v);
        }
    }
    for y in 0..height {
        if y + half < height {
            for (sum, &v) in sums.iter_mut().zip(row(y + half)) {
                *sum += u32::from(v);
            }
        }
        for (to, &sum) in target[y * width..(y + 1) * width].iter_mut().zip(&sums) {
            *to = ((sum * scale + (1 << 15)) >> 16) as u8;
        }
        if y >= half {
            for (sum, &v) in sums.iter_mut().zip(row(y - half)) {
                *sum -= u32::from(v);
            }
        }
    }
}

/// 65536 divided by the width of a box, rounded down so that a full box of 255
/// stays within a byte.
fn reciprocal(half: usize) -> u32 {
    (1 << 16) / (2 * half as u32 + 1)
}
