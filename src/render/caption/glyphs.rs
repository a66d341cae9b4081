//! Glyphs as pixels: rasterised once per font, size and subpixel position.

use std::collections::HashMap;
use std::rc::Rc;

use parley::FontData;
use swash::FontRef;
use swash::proxy::BitmapStrikesProxy;
use swash::scale::image::Content;
use swash::scale::{Render, ScaleContext, Scaler, Source, StrikeWith};
use swash::zeno::{Angle, Join, Stroke, Transform, Vector};

use super::mask::Mask;
use super::picture::{premultiply, resample};

/// A CJK name takes about 30 KB at headline size; this holds a busy evening's
/// names. When it is full everything is thrown away and built again: a miss
/// costs some 20 microseconds a glyph.
const CACHE_BYTES: usize = 16 << 20;

/// A font at a size, as the layout chose it.
#[derive(Debug, Clone)]
pub(super) struct Face {
    pub font: FontData,
    pub size_px: f32,
    /// Normalised variation coordinates.
    pub coords: Vec<i16>,
    /// Degrees of slant for an italic that the family lacks.
    pub skew: Option<f32>,
    /// Whether a bold that the family lacks is to be faked.
    pub embolden: bool,
}

/// What of a glyph is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ink {
    Fill,
    /// The glyph grown by this many pixels on every side.
    Grown(f32),
}

/// A glyph's pixels; `left` and `top` lead from the pen to the image's corner,
/// y downwards.
#[derive(Debug)]
pub(super) enum GlyphPixels {
    Empty,
    Mask {
        left: i32,
        top: i32,
        mask: Mask,
    },
    /// Premultiplied RGBA.
    Colour {
        left: i32,
        top: i32,
        width: usize,
        height: usize,
        rgba: Vec<u8>,
    },
}

impl GlyphPixels {
    fn bytes(&self) -> usize {
        64 + match self {
            Self::Empty => 0,
            Self::Mask { mask, .. } => mask.data.len(),
            Self::Colour { rgba, .. } => rgba.len(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    font: u64,
    index: u32,
    glyph: u16,
    size: u32,
    coords: Vec<i16>,
    skew: i32,
    embolden: bool,
    /// Quarters of a pixel.
    phase: u8,
    /// Sixteenths of a pixel of growth; 0 is the fill.
    grown: u16,
}

/// Rasterises glyphs and remembers them.
pub(super) struct GlyphCache {
    scaler: ScaleContext,
    known: HashMap<Key, Rc<GlyphPixels>>,
    bytes: usize,
}

impl GlyphCache {
    pub fn new() -> Self {
        Self {
            scaler: ScaleContext::new(),
            known: HashMap::new(),
            bytes: 0,
        }
    }

    /// The pixels of a glyph whose pen stands at `x`; to be drawn with the pen
    /// at `x.floor()` in whole pixels.
    pub fn get(&mut self, face: &Face, glyph: u16, x: f32, ink: Ink) -> Rc<GlyphPixels> {
        let phase = ((x - x.floor()) * 4.0) as u8;
        let key = Key {
            font: face.font.data.id(),
            index: face.font.index,
            glyph,
            size: face.size_px.to_bits(),
            coords: face.coords.clone(),
            skew: face.skew.map_or(0, |degrees| (degrees * 16.0) as i32),
            embolden: face.embolden,
            phase,
            grown: match ink {
                Ink::Fill => 0,
                Ink::Grown(by) => ((by * 16.0).round() as u16).max(1),
            },
        };
        if let Some(pixels) = self.known.get(&key) {
            return pixels.clone();
        }
        let pixels = Rc::new(self.rasterise(face, glyph, f32::from(phase) * 0.25, ink));
        if self.bytes > CACHE_BYTES {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += pixels.bytes();
        self.known.insert(key, pixels.clone());
        pixels
    }

    fn rasterise(&mut self, face: &Face, glyph: u16, offset: f32, ink: Ink) -> GlyphPixels {
        let data = face.font.data.data();
        let Some(font) = FontRef::from_index(data, face.font.index as usize) else {
            return GlyphPixels::Empty;
        };
        let id = [face.font.data.id(), u64::from(face.font.index)];
        let strike = BitmapStrikesProxy::from_font(&font)
            .materialize_color(&font)
            .find_by_largest_ppem(glyph)
            .map(|strike| strike.ppem())
            .filter(|&ppem| ppem > 0);
        // At its own size a strike's bitmap comes out unscaled.
        let size = strike.map_or(face.size_px, f32::from);
        let mut scaler = self
            .scaler
            .builder_with_id(font, id)
            .size(size)
            .normalized_coords(&face.coords)
            .build();
        let emoji = match strike {
            Some(ppem) => colour_bitmap(&mut scaler, ppem, glyph, face.size_px),
            None => colour_outline(&mut scaler, glyph),
        };
        match (emoji, ink) {
            (Some(emoji), Ink::Fill) => emoji,
            (Some(emoji), Ink::Grown(by)) => grow(&emoji, by),
            (None, _) if strike.is_none() => outline(&mut scaler, face, glyph, offset, ink),
            (None, _) => GlyphPixels::Empty,
        }
    }
}

fn outline(scaler: &mut Scaler<'_>, face: &Face, glyph: u16, offset: f32, ink: Ink) -> GlyphPixels {
    let sources = [Source::Outline, Source::Bitmap(StrikeWith::BestFit)];
    let mut render = Render::new(&sources);
    render.offset(Vector::new(offset, 0.0)).transform(
        face.skew
            .map(|degrees| Transform::skew(Angle::from_degrees(degrees), Angle::ZERO)),
    );
    if face.embolden {
        render.embolden(face.size_px * 0.022);
    }
    let fill = render.render(scaler, glyph);
    let image = match ink {
        Ink::Fill => fill,
        Ink::Grown(by) => {
            // The stroke alone leaves a hole in strokes thicker than itself.
            let mut stroke = Stroke::new(by * 2.0);
            stroke.join(Join::Round);
            render.style(stroke);
            return match (to_mask(fill), to_mask(render.render(scaler, glyph))) {
                (Some((fx, fy, fill)), Some((left, top, mut mask))) => {
                    mask.stamp(&fill, fx - left, fy - top);
                    GlyphPixels::Mask { left, top, mask }
                }
                _ => GlyphPixels::Empty,
            };
        }
    };
    match to_mask(image) {
        Some((left, top, mask)) => GlyphPixels::Mask { left, top, mask },
        None => GlyphPixels::Empty,
    }
}

fn to_mask(image: Option<swash::scale::image::Image>) -> Option<(i32, i32, Mask)> {
    let image = image?;
    let (width, height) = (
        image.placement.width as usize,
        image.placement.height as usize,
    );
    (image.content == Content::Mask && width * height > 0 && image.data.len() >= width * height)
        .then(|| {
            let mask = Mask {
                width,
                height,
                data: image.data,
            };
            (image.placement.left, -image.placement.top, mask)
        })
}

fn colour_outline(scaler: &mut Scaler<'_>, glyph: u16) -> Option<GlyphPixels> {
    if !scaler.has_color_outlines() {
        return None;
    }
    let image = Render::new(&[Source::ColorOutline(0)]).render(scaler, glyph)?;
    let (width, height) = (
        image.placement.width as usize,
        image.placement.height as usize,
    );
    (width * height > 0).then(|| GlyphPixels::Colour {
        left: image.placement.left,
        top: -image.placement.top,
        width,
        height,
        rgba: premultiply(&image.data),
    })
}

/// Bitmap emoji come in one size. They are scaled here, premultiplied: their
/// transparent pixels are black and would leave a dark fringe otherwise.
fn colour_bitmap(
    scaler: &mut Scaler<'_>,
    ppem: u16,
    glyph: u16,
    size_px: f32,
) -> Option<GlyphPixels> {
    let image = scaler.scale_color_bitmap(glyph, StrikeWith::LargestSize)?;
    let from = (
        image.placement.width as usize,
        image.placement.height as usize,
    );
    if image.content != Content::Color
        || from.0 * from.1 == 0
        || image.data.len() != from.0 * from.1 * 4
    {
        return None;
    }
    let factor = size_px / f32::from(ppem);
    let scaled = |length: usize| ((length as f32 * factor).round() as usize).max(1);
    let (width, height) = (scaled(from.0), scaled(from.1));
    Some(GlyphPixels::Colour {
        left: (image.placement.left as f32 * factor).round() as i32,
        top: -(image.placement.top as f32 * factor).round() as i32,
        width,
        height,
        rgba: resample(&premultiply(&image.data), from, (width, height)),
    })
}

/// The silhouette of an emoji, grown: its alpha stamped around a circle.
fn grow(emoji: &GlyphPixels, by: f32) -> GlyphPixels {
    let GlyphPixels::Colour {
        left,
        top,
        width,
        height,
        rgba,
    } = emoji
    else {
        return GlyphPixels::Empty;
    };
    let alpha = Mask {
        width: *width,
        height: *height,
        data: rgba.as_chunks::<4>().0.iter().map(|p| p[3]).collect(),
    };
    let reach = by.ceil() as i32;
    let mut mask = Mask::new(width + 2 * reach as usize, height + 2 * reach as usize);
    let steps = (by * 6.0).clamp(8.0, 32.0) as i32;
    for step in 0..steps {
        let (sin, cos) = (step as f32 / steps as f32 * std::f32::consts::TAU).sin_cos();
        let x = reach + (cos * by).round() as i32;
        let y = reach + (sin * by).round() as i32;
        mask.stamp_max(&alpha, x, y);
    }
    mask.stamp_max(&alpha, reach, reach);
    GlyphPixels::Mask {
        left: left - reach,
        top: top - reach,
        mask,
    }
}
