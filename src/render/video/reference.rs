//! The same conversion as `shaders/video.wgsl`, on the CPU and in the open:
//! what the shader is compared with. Far too slow to play with.

use super::layout::{Layout, PixelRect};
use super::source::{VideoFrame, VideoInfo};

/// One frame as the file means it: premultiplied RGBA bytes, with the
/// premultiplication in gamma-encoded values, at the layout's size, rows tight.
pub fn premultiplied(frame: &VideoFrame, layout: &Layout, info: &VideoInfo) -> Vec<u8> {
    let reader = Reader { frame, info };
    let (width, height) = (layout.width as usize, layout.height as usize);
    let mut out = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            let place = (
                (x as f32 + 0.5) / width as f32,
                (y as f32 + 0.5) / height as f32,
            );
            let [r, g, b] = reader.colour(layout.colour, place);
            let alpha = reader.alpha(layout.alpha, place);
            out.extend([r, g, b, alpha].map(to_byte));
        }
    }
    out
}

/// Red of the coded frame over a rectangle, as fusion masks use it: one value
/// (0.0 to 1.0) at `place` (0 to 1 within the rectangle).
pub fn mask(frame: &VideoFrame, rect: PixelRect, info: &VideoInfo, place: (f32, f32)) -> f32 {
    Reader { frame, info }.colour(rect, place)[0]
}

fn to_byte(value: f32) -> u8 {
    (value * 255.0).round() as u8
}

struct Reader<'a> {
    frame: &'a VideoFrame,
    info: &'a VideoInfo,
}

impl Reader<'_> {
    fn colour(&self, rect: PixelRect, (u, v): (f32, f32)) -> [f32; 3] {
        let k = self.info.colour.coefficients();
        let x = rect.x as f32 + u * rect.width as f32;
        let y = rect.y as f32 + v * rect.height as f32;
        let luma = (self.sample(0, rect, x, y) - k.black) * k.luma;
        let chroma_rect = rect.chroma();
        let chroma_x = x / 2.0 + self.info.colour.chroma_shift();
        let chroma = |plane| self.sample(plane, chroma_rect, chroma_x, y / 2.0) - 128.0 / 255.0;
        let (cb, cr) = (chroma(1), chroma(2));
        [
            luma + k.red_cr * cr,
            luma + k.green_cb * cb + k.green_cr * cr,
            luma + k.blue_cb * cb,
        ]
        .map(|value| value.clamp(0.0, 1.0))
    }

    fn alpha(&self, rect: PixelRect, (u, v): (f32, f32)) -> f32 {
        let k = self.info.colour.coefficients();
        let x = rect.x as f32 + u * rect.width as f32;
        let y = rect.y as f32 + v * rect.height as f32;
        ((self.sample(0, rect, x, y) - k.black) * k.luma).clamp(0.0, 1.0)
    }

    /// Bilinear, in samples of the plane, never beyond the rectangle.
    fn sample(&self, plane: usize, rect: PixelRect, x: f32, y: f32) -> f32 {
        let axis = |at: f32, start: u32, size: u32| {
            let last = start + size - 1;
            let at = (at - 0.5).clamp(start as f32, last as f32);
            let first = at.floor();
            let next = (first as u32 + 1).min(last);
            (first as usize, next as usize, at - first)
        };
        let (x0, x1, fx) = axis(x, rect.x, rect.width);
        let (y0, y1, fy) = axis(y, rect.y, rect.height);
        let bytes = self.frame.bytes(plane);
        let stride = self.frame.stride(plane);
        let at = |x: usize, y: usize| f32::from(bytes[y * stride + x]) / 255.0;
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        mix(
            mix(at(x0, y0), at(x1, y0), fx),
            mix(at(x0, y1), at(x1, y1), fx),
            fy,
        )
    }
}

/// IEC 61966-2-1: an encoded channel (0 to 1) to linear light.
pub fn srgb_decode(encoded: f32) -> f32 {
    if encoded <= 0.040_45 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

/// IEC 61966-2-1: linear light (0 to 1) to an encoded channel.
pub fn srgb_encode(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// Compression leaves a level of noise where there is nothing; less than this
/// is nothing.
pub const NOISE: f32 = 1.5 / 255.0;

/// The way from the video's form into the stage's: gamma-premultiplied RGBA
/// (0 to 1) to linear premultiplied. What colour has beyond its alpha is glow,
/// and stays glow: light that is added and covers nothing. It is the inverse of
/// what desktops are given: `P = a * enc(min(c / a, 1)) + enc(max(c - a, 0))`.
pub fn to_stage([r, g, b, alpha]: [f32; 4]) -> [f32; 4] {
    let a = if alpha >= NOISE { alpha } else { 0.0 };
    let convert = |colour: f32| {
        let covered = colour.min(a);
        let beyond = colour - covered;
        let glow = if beyond >= NOISE { beyond } else { 0.0 };
        srgb_decode(covered / a.max(NOISE)) * a + srgb_decode(glow)
    };
    [convert(r), convert(g), convert(b), a]
}

/// The inverse of [`to_stage`], up to its noise gate: linear premultiplied to
/// gamma-premultiplied.
pub fn from_stage([r, g, b, a]: [f32; 4]) -> [f32; 4] {
    let convert = |colour: f32| {
        let covered = if a > 0.0 { (colour / a).min(1.0) } else { 0.0 };
        a * srgb_encode(covered) + srgb_encode((colour - a).max(0.0))
    };
    [convert(r), convert(g), convert(b), a]
}
