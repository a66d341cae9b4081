//! The combo counter: "×12", big and slanted, painted anew for each gift.
//!
//! Each character is rasterised once per size into three masks (letter,
//! outline, glow); a counter is put together from them and coloured in one
//! pass. Digits are as wide as each other, so the number stands still while it
//! climbs, and its colours warm from the gift's own to gold and embers.

use std::collections::VecDeque;

use tiny_skia::Pixmap;

use super::colour::Accent;
use super::glyphs::Ink;
use super::mask::{Fill, Mask};
use super::picture::{Body, PixelBuffer};
use super::text::{self, TextPainter, TextStyle};
use super::theme::{Theme, heat};
use crate::locale::Words;

/// A counter to paint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CounterSpec {
    pub count: u64,
    pub accent: Accent,
    pub theme: Theme,
    /// Height of an em in pixels: 96 suits a regular card at scale 1.
    pub size_px: f32,
}

/// "×12", as the words' language writes numbers.
pub fn quantity(words: &Words, count: u64) -> String {
    format!("\u{D7}{}", words.number(count))
}

/// Sizes in use at once: three lanes, and a spare while a window is resized.
/// The oldest is dropped; making a set again takes a few milliseconds.
const MAX_SETS: usize = 4;

/// The multiplication sign is smaller than the digits.
const SIGN_SCALE: f32 = 0.72;

/// Digits, what languages put between thousands, and the sign.
const CHARACTERS: [char; 18] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ',', '.', '\'', '\u{2019}', '\u{A0}',
    '\u{202F}', '+', '\u{D7}',
];

/// Characters ready to be put together, for a few sizes.
#[derive(Default)]
pub struct DigitCache {
    sets: VecDeque<DigitSet>,
}

struct DigitSet {
    size_px: f32,
    /// Whether the outermost layer is a glow or, in high contrast, a line.
    soft: bool,
    margin: f32,
    ascent: f32,
    descent: f32,
    digit_advance: f32,
    glyphs: Vec<Digit>,
}

/// The masks share one canvas whose pen stands at (margin, margin + ascent).
struct Digit {
    advance: f32,
    letter: Mask,
    outline: Mask,
    around: Mask,
}

impl DigitCache {
    fn set(&mut self, painter: &mut TextPainter, size_px: f32, soft: bool) -> &DigitSet {
        let known = |set: &DigitSet| set.size_px == size_px && set.soft == soft;
        let known = self.sets.iter().position(known);
        let at = known.unwrap_or_else(|| {
            if self.sets.len() == MAX_SETS {
                self.sets.pop_front();
            }
            self.sets.push_back(DigitSet::new(painter, size_px, soft));
            self.sets.len() - 1
        });
        &self.sets[at]
    }
}

impl DigitSet {
    fn new(painter: &mut TextPainter, size_px: f32, soft: bool) -> Self {
        let outline_px = (size_px * 0.065).max(1.0);
        let glow = if soft {
            size_px * 0.20
        } else {
            size_px * 0.045
        };
        let margin = (outline_px + glow + 2.0).ceil();
        let ascent = (size_px * 0.78).ceil();
        let descent = (size_px * 0.17).ceil();
        let mut set = Self {
            size_px,
            soft,
            margin,
            ascent,
            descent,
            digit_advance: 0.0,
            glyphs: Vec::with_capacity(CHARACTERS.len()),
        };
        for c in CHARACTERS {
            let size = if c == '\u{D7}' {
                size_px * SIGN_SCALE
            } else {
                size_px
            };
            let mut style = TextStyle::new(size).bold();
            style.italic = true;
            let line = painter.lay_out(&style, c.encode_utf8(&mut [0; 4]));
            let canvas = (
                (line.width + 2.0 * margin).ceil() as usize,
                (ascent + descent + 2.0 * margin) as usize,
            );
            let pen = (margin, margin + ascent);
            // A little growth makes the family's bold a heavy.
            let letter = painter.mask(&line, pen, canvas, Ink::Grown(size_px * 0.014), false);
            let outline = painter.mask(&line, pen, canvas, Ink::Grown(outline_px), false);
            let around = if soft {
                let mut halo = outline.clone();
                halo.blur(glow);
                halo
            } else {
                painter.mask(&line, pen, canvas, Ink::Grown(outline_px + glow), false)
            };
            if c.is_ascii_digit() {
                set.digit_advance = set.digit_advance.max(line.width);
            }
            set.glyphs.push(Digit {
                advance: line.width,
                letter,
                outline,
                around,
            });
        }
        set
    }

    fn digit(&self, c: char) -> Option<(&Digit, f32)> {
        let at = CHARACTERS.iter().position(|&known| known == c)?;
        let digit = &self.glyphs[at];
        let advance = if c.is_ascii_digit() {
            self.digit_advance
        } else {
            digit.advance
        };
        Some((digit, advance))
    }
}

/// Paints a counter.
pub fn paint(
    painter: &mut TextPainter,
    cache: &mut DigitCache,
    words: &Words,
    spec: &CounterSpec,
) -> PixelBuffer {
    // Whole pixels, so that a resized window does not fill the cache with
    // sizes nobody can tell apart.
    let size_px = spec.size_px.clamp(8.0, 320.0).round();
    let set = cache.set(painter, size_px, spec.theme.is_soft());
    let text = quantity(words, spec.count);
    let mut pens = Vec::with_capacity(text.len());
    let mut x = 0.0_f32;
    for c in text.chars() {
        if let Some((digit, advance)) = set.digit(c) {
            let centred = (advance - digit.advance) / 2.0;
            pens.push((digit, (x + centred).round() as i32));
            x += advance
                + if c == '\u{D7}' {
                    size_px * 0.02
                } else {
                    -size_px * 0.01
                };
        }
    }
    // Slanted letters lean over their advance.
    let lean = size_px * 0.10;
    let (width, height) = (
        (x + lean + 2.0 * set.margin).ceil() as usize,
        (set.ascent + set.descent + 2.0 * set.margin) as usize,
    );
    let mut layers = [(); 3].map(|()| Mask::new(width, height));
    for (digit, x) in pens {
        layers[0].stamp_max(&digit.around, x, 0);
        layers[1].stamp_max(&digit.outline, x, 0);
        layers[2].stamp_max(&digit.letter, x, 0);
    }
    let mut pixmap = text::blank(width as f32, height as f32);
    let baseline = set.margin + set.ascent;
    colour(&mut pixmap, &layers, spec, size_px, baseline);
    let body = Body {
        x: set.margin,
        y: set.margin,
        width: x + lean,
        height: set.ascent + set.descent,
    };
    PixelBuffer::from_pixmap(pixmap, body, baseline)
}

fn colour(
    target: &mut Pixmap,
    [around, outline, letter]: &[Mask; 3],
    spec: &CounterSpec,
    size_px: f32,
    baseline: f32,
) {
    let capitals = (baseline - size_px * 0.72, baseline);
    let inks = spec.theme.counter(&spec.accent, heat(spec.count));
    around.tint(target, 0, 0, &Fill::Solid(inks.around), capitals);
    outline.tint(target, 0, 0, &Fill::Solid(inks.outline), capitals);
    letter.tint(target, 0, 0, &inks.fill, capitals);
}
