//! Images that go in and come out: premultiplied sRGB, eight bits a channel.

use std::sync::{Arc, Mutex, PoisonError};

use tiny_skia::Pixmap;

use super::mask::{Mask, Overlap, div255, over};

/// A painted caption.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelBuffer {
    pub width: u32,
    pub height: u32,
    /// Row by row from the top, `width * height * 4` bytes; colour is
    /// multiplied by alpha in sRGB-encoded values, unless [`Self::straight`].
    pub rgba: Vec<u8>,
    /// Whether colour is *not* multiplied by alpha, as sources for video
    /// fusion want it.
    pub straight: bool,
    /// Where the design itself lies; the rest is room for shadow and glow.
    /// Place images by this rectangle, not by their edges.
    pub body: Body,
    /// Of the (first) line of text, in pixels from the top.
    pub baseline: f32,
    /// Characters that no installed font has and that were drawn as a neutral
    /// mark instead of an empty box.
    pub replaced: u32,
}

/// A rectangle in pixels from the top left of the image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Body {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl PixelBuffer {
    pub(super) fn from_pixmap(pixmap: Pixmap, body: Body, baseline: f32) -> Self {
        Self {
            width: pixmap.width(),
            height: pixmap.height(),
            rgba: pixmap.take(),
            straight: false,
            body,
            baseline,
            replaced: 0,
        }
    }

    /// Divides colour by alpha.
    #[must_use]
    pub fn into_straight(mut self) -> Self {
        if !self.straight {
            for [r, g, b, a] in self.rgba.as_chunks_mut::<4>().0 {
                let alpha = u32::from(*a);
                for c in [r, g, b] {
                    // Nothing is seen of a colour without alpha; it stays.
                    if let Some(straight) = (u32::from(*c) * 255 + alpha / 2).checked_div(alpha) {
                        *c = straight.min(255) as u8;
                    }
                }
            }
            self.straight = true;
        }
        self
    }
}

/// An image to be placed in a caption: a gift's icon, an avatar. Cheap to
/// clone.
#[derive(Clone)]
pub struct Picture(Arc<Pixels>);

/// Pictures are alike when they are the same one.
impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

struct Pixels {
    width: usize,
    height: usize,
    /// Premultiplied.
    rgba: Vec<u8>,
    is_opaque: bool,
    /// The sizes it was last drawn at, newest last; at most [`MAX_SIZES`].
    scaled: Mutex<Vec<Scaled>>,
}

/// A picture at a size, premultiplied.
#[derive(Clone)]
struct Scaled {
    width: usize,
    height: usize,
    rgba: Arc<[u8]>,
}

/// One per card size, and one to spare while a window is resized. The oldest
/// goes; scaling again takes a millisecond or two.
const MAX_SIZES: usize = 4;

/// Why bytes are not a usable picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error("not a readable PNG: {0}")]
    Decode(#[from] image::ImageError),
    #[error("{width}x{height} is no usable size; 1 to {MAX_SIDE} pixels a side are")]
    Size { width: u32, height: u32 },
    #[error("{got} bytes where {width}x{height} RGBA needs {}", *width as usize * *height as usize * 4)]
    Length { width: u32, height: u32, got: usize },
}

/// Icons are drawn at most 200 pixels wide; a side of 2048 is generous and 16
/// MB at worst.
const MAX_SIDE: u32 = 2048;

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.0.width, self.0.height)
    }
}

impl Picture {
    /// From straight sRGB RGBA, row by row from the top.
    ///
    /// # Errors
    /// When a side is 0 or too long, or the length does not fit.
    pub fn from_straight(width: u32, height: u32, rgba: &[u8]) -> Result<Self, PictureError> {
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(PictureError::Size { width, height });
        }
        if rgba.len() != width as usize * height as usize * 4 {
            return Err(PictureError::Length {
                width,
                height,
                got: rgba.len(),
            });
        }
        Ok(Self(Arc::new(Pixels {
            width: width as usize,
            height: height as usize,
            rgba: premultiply(rgba),
            is_opaque: rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255),
            scaled: Mutex::default(),
        })))
    }

    /// From a PNG file's bytes.
    ///
    /// # Errors
    /// When the bytes are not a PNG or its size is not usable.
    pub fn from_png(bytes: &[u8]) -> Result<Self, PictureError> {
        let mut reader =
            image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        reader.limits(limits);
        let image = reader.decode()?.into_rgba8();
        Self::from_straight(image.width(), image.height(), image.as_raw())
    }

    /// Whether nothing shows through it.
    pub(super) fn is_opaque(&self) -> bool {
        self.0.is_opaque
    }

    /// Draws the picture into a square at (x, y), keeping its proportions:
    /// inside the square, or covering it when `cover` (the rest is cut off).
    pub(super) fn draw(&self, target: &mut Pixmap, x: i32, y: i32, side: usize, cover: bool) {
        let pixels = &*self.0;
        let (w, h) = (pixels.width as f32, pixels.height as f32);
        let factor = side as f32 / if cover { w.min(h) } else { w.max(h) };
        let width = ((w * factor).round() as usize).max(1);
        let height = ((h * factor).round() as usize).max(1);
        let scaled = self.scaled(width, height);
        let left = (side as i32 - width as i32) / 2;
        let top = (side as i32 - height as i32) / 2;
        if cover {
            let mut square = vec![0; side * side * 4];
            blit(
                &mut square,
                (side, side),
                &scaled.rgba,
                (width, height),
                left,
                top,
            );
            draw_pixels(target, &square, (side, side), x, y);
        } else {
            draw_pixels(target, &scaled.rgba, (width, height), x + left, y + top);
        }
    }

    /// Its silhouette, as it would be drawn inside a square.
    pub(super) fn silhouette(&self, side: usize) -> Mask {
        let factor = side as f32 / self.0.width.max(self.0.height) as f32;
        let width = ((self.0.width as f32 * factor).round() as usize).max(1);
        let height = ((self.0.height as f32 * factor).round() as usize).max(1);
        let scaled = self.scaled(width, height);
        let alpha = Mask {
            width,
            height,
            data: scaled
                .rgba
                .as_chunks::<4>()
                .0
                .iter()
                .map(|p| p[3])
                .collect(),
        };
        let mut square = Mask::new(side, side);
        square.stamp(
            &alpha,
            (side as i32 - width as i32) / 2,
            (side as i32 - height as i32) / 2,
        );
        square
    }

    fn scaled(&self, width: usize, height: usize) -> Scaled {
        let mut sizes = self.0.scaled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sizes
            .iter()
            .find(|s| (s.width, s.height) == (width, height))
        {
            return known.clone();
        }
        let scaled = Scaled {
            width,
            height,
            rgba: resample(&self.0.rgba, (self.0.width, self.0.height), (width, height)).into(),
        };
        if sizes.len() == MAX_SIZES {
            sizes.remove(0);
        }
        sizes.push(scaled.clone());
        scaled
    }
}

pub(super) fn premultiply(rgba: &[u8]) -> Vec<u8> {
    let mut out = rgba.to_vec();
    for pixel in out.as_chunks_mut::<4>().0 {
        let alpha = u32::from(pixel[3]);
        for c in &mut pixel[..3] {
            *c = div255(u32::from(*c) * alpha) as u8;
        }
    }
    out
}

/// Paints premultiplied pixels over a pixmap.
pub(super) fn draw_pixels(
    target: &mut Pixmap,
    source: &[u8],
    size: (usize, usize),
    x: i32,
    y: i32,
) {
    let target_size = (target.width() as usize, target.height() as usize);
    blit(target.data_mut(), target_size, source, size, x, y);
}

fn blit(
    target: &mut [u8],
    target_size: (usize, usize),
    source: &[u8],
    size: (usize, usize),
    x: i32,
    y: i32,
) {
    let Some(overlap) = Overlap::of(size, target_size, x, y) else {
        return;
    };
    for row in 0..overlap.height {
        let from = ((overlap.source_y + row) * size.0 + overlap.source_x) * 4;
        let to = ((overlap.target_y + row) * target_size.0 + overlap.target_x) * 4;
        let source = source[from..from + overlap.width * 4].as_chunks::<4>().0;
        let target = target[to..to + overlap.width * 4].as_chunks_mut::<4>().0;
        for (target, source) in target.iter_mut().zip(source) {
            over(target, *source);
        }
    }
}

/// Scales premultiplied pixels; each target pixel is the mean of the area it
/// covers, so that a large icon stays clean when it becomes small. Enlarging
/// interpolates linearly.
pub(super) fn resample(source: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let columns = taps(from.0, to.0);
    let rows = taps(from.1, to.1);
    // Horizontal first: narrower rows make the second pass cheap.
    let mut narrow = vec![[0.0_f32; 4]; to.0 * from.1];
    for (line, out) in source
        .chunks_exact(from.0 * 4)
        .zip(narrow.chunks_exact_mut(to.0))
    {
        let pixels = line.as_chunks::<4>().0;
        for (out, tap) in out.iter_mut().zip(&columns) {
            for (pixel, weight) in pixels[tap.start..].iter().zip(&tap.weights) {
                for (out, &c) in out.iter_mut().zip(pixel) {
                    *out += f32::from(c) * weight;
                }
            }
        }
    }
    let mut out = vec![0; to.0 * to.1 * 4];
    let mut sums = vec![[0.0_f32; 4]; to.0];
    for (line, tap) in out.chunks_exact_mut(to.0 * 4).zip(&rows) {
        sums.fill([0.0; 4]);
        for (row, weight) in narrow[tap.start * to.0..]
            .chunks_exact(to.0)
            .zip(&tap.weights)
        {
            for (sum, pixel) in sums.iter_mut().zip(row) {
                for (sum, c) in sum.iter_mut().zip(pixel) {
                    *sum += c * weight;
                }
            }
        }
        for (pixel, sum) in line.as_chunks_mut::<4>().0.iter_mut().zip(&sums) {
            for (byte, sum) in pixel.iter_mut().zip(sum) {
                *byte = (sum + 0.5) as u8;
            }
        }
    }
    out
}

struct Tap {
    start: usize,
    weights: Vec<f32>,
}

/// For each of `to` pixels, which of `from` pixels make it up; a tent filter as
/// wide as the reduction.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let ratio = from as f32 / to as f32;
    let reach = ratio.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f32 + 0.5) * ratio;
            let start = ((centre - reach).floor().max(0.0) as usize).min(from - 1);
            let end = ((centre + reach).ceil() as usize).clamp(start + 1, from);
            let mut weights: Vec<f32> = (start..end)
                .map(|j| (1.0 - (j as f32 + 0.5 - centre).abs() / reach).max(0.0))
                .collect();
            let sum: f32 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= sum.max(f32::EPSILON);
            }
            Tap { start, weights }
        })
        .collect()
}
