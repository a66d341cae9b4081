//! One line of text in any script, laid out and painted.
//!
//! Fallback between fonts has three steps: a list of families that suits the
//! text ([`fonts`]), then what the system names for the script, then a search
//! through every installed font. A cluster that even the search does not find
//! is replaced by a neutral mark and counted: an empty box on a viewer's name
//! looks broken on air.
//!
//! Lines are never broken, so the missing break dictionaries that ICU4X
//! mentions for Thai, Lao, Khmer and Burmese ("No segmentation model for
//! complex script") do not matter here. The cause: parley 0.9 builds its
//! segmenters with `new_for_non_complex_scripts`, whatever features are on, and
//! icu_provider says so in builds with debug assertions or its `logging`
//! feature. Ours has neither, so the line does not appear.

mod fonts;

use parley::{Layout, PositionedLayoutItem, StyleProperty};
use tiny_skia::Pixmap;
use unicode_segmentation::UnicodeSegmentation;

pub use super::mask::Fill;

use super::colour::Rgba;
use super::glyphs::{Face, GlyphCache, GlyphPixels, Ink};
use super::mask::Mask;
use super::picture::{Body, PixelBuffer, draw_pixels};
use fonts::Fonts;

/// What stands for a character that no installed font has.
pub const REPLACEMENT: &str = "\u{2022}";

/// No line is longer; names end at 64 graphemes, descriptions at 120. A
/// grapheme may hold many marks, so bytes are bounded too.
const MAX_GRAPHEMES: usize = 160;
const MAX_BYTES: usize = 4096;

/// Larger letters would not fit a stage; it also bounds the images.
pub(super) const MAX_SIZE_PX: f32 = 512.0;

/// How a line looks.
#[derive(Debug, Clone, PartialEq)]
pub struct TextStyle {
    /// Pixels per em.
    pub size_px: f32,
    pub weight: Weight,
    pub italic: bool,
    pub fill: Fill,
    pub outline: Option<Outline>,
    pub shadow: Option<Shadow>,
    /// A longer line is cut between graphemes and ends in an ellipsis.
    pub max_width_px: Option<f32>,
}

/// How heavy the letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    #[default]
    Regular,
    Bold,
}

/// A line around the letters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    pub width_px: f32,
    pub colour: Rgba,
}

/// A blurred copy beneath the letters and their outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shadow {
    pub blur_px: f32,
    pub dx: f32,
    pub dy: f32,
    pub colour: Rgba,
}

impl TextStyle {
    /// White, regular, bare.
    pub fn new(size_px: f32) -> Self {
        Self {
            size_px,
            weight: Weight::Regular,
            italic: false,
            fill: Fill::Solid(Rgba::WHITE),
            outline: None,
            shadow: None,
            max_width_px: None,
        }
    }

    #[must_use]
    pub fn bold(mut self) -> Self {
        self.weight = Weight::Bold;
        self
    }

    #[must_use]
    pub fn colour(mut self, colour: Rgba) -> Self {
        self.fill = Fill::Solid(colour);
        self
    }

    #[must_use]
    pub fn max_width(mut self, px: f32) -> Self {
        self.max_width_px = Some(px);
        self
    }

    #[must_use]
    pub fn shadow(mut self, shadow: Shadow) -> Self {
        self.shadow = Some(shadow);
        self
    }

    #[must_use]
    pub fn outline(mut self, outline: Outline) -> Self {
        self.outline = Some(outline);
        self
    }

    /// The same style with lengths that an image can hold.
    pub(super) fn bounded(&self) -> Self {
        let size_px = if self.size_px.is_finite() {
            self.size_px.clamp(1.0, MAX_SIZE_PX)
        } else {
            16.0
        };
        Self {
            size_px,
            outline: self.outline.map(|outline| Outline {
                width_px: outline.width_px.clamp(0.0, size_px / 2.0),
                ..outline
            }),
            shadow: self.shadow.map(|shadow| Shadow {
                blur_px: shadow.blur_px.clamp(0.0, size_px),
                dx: shadow.dx.clamp(-size_px, size_px),
                dy: shadow.dy.clamp(-size_px, size_px),
                ..shadow
            }),
            ..self.clone()
        }
    }

    /// Room that outline and shadow need on each side.
    pub(super) fn margin(&self) -> f32 {
        let outline = self.outline.map_or(0.0, |o| o.width_px);
        let shadow = self
            .shadow
            .map_or(0.0, |s| s.blur_px + s.dx.abs().max(s.dy.abs()));
        (outline + shadow + 2.0).ceil()
    }
}

/// A line, shaped and measured, with the pen starting at 0 and y downwards
/// from the baseline.
#[derive(Debug, Clone)]
pub(super) struct LaidLine {
    runs: Vec<LaidRun>,
    pub width: f32,
    pub ascent: f32,
    pub descent: f32,
    pub rtl: bool,
    pub replaced: u32,
    pub ellipsised: bool,
}

#[derive(Debug, Clone)]
struct LaidRun {
    face: Face,
    glyphs: Vec<(u16, f32, f32)>,
}

impl LaidLine {
    #[cfg(test)]
    pub fn glyphs(&self) -> usize {
        self.runs.iter().map(|run| run.glyphs.len()).sum()
    }
}

/// Lays out and paints text. Slow to make (it discovers the system's fonts),
/// so there is one, on the caption thread.
pub struct TextPainter {
    fonts: Fonts,
    layout: parley::LayoutContext<()>,
    glyphs: GlyphCache,
}

impl Default for TextPainter {
    fn default() -> Self {
        Self::new()
    }
}

impl TextPainter {
    /// Discovers the installed fonts; 10 to 500 ms.
    pub fn new() -> Self {
        Self {
            fonts: Fonts::discover(),
            layout: parley::LayoutContext::new(),
            glyphs: GlyphCache::new(),
        }
    }

    /// The installed families of those that captions are designed with that
    /// are missing; empty on a machine set up for them.
    pub fn missing_families(&mut self) -> Vec<&'static str> {
        self.fonts.missing_families()
    }

    /// Paints one line on a transparent image that fits it.
    pub fn paint_line(&mut self, style: &TextStyle, text: &str) -> PixelBuffer {
        let style = &style.bounded();
        let line = self.lay_out(style, text);
        let margin = style.margin();
        let width = (line.width + 2.0 * margin).ceil().max(1.0);
        let baseline = (line.ascent + margin).ceil();
        let height = (baseline + line.descent + margin).ceil().max(1.0);
        let mut pixmap = blank(width, height);
        self.draw(&mut pixmap, &line, margin, baseline, style);
        let body = Body {
            x: margin,
            y: baseline - line.ascent,
            width: line.width,
            height: line.ascent + line.descent,
        };
        let mut image = PixelBuffer::from_pixmap(pixmap, body, baseline);
        image.replaced = line.replaced;
        image
    }

    /// Shapes and measures a line, cut to the style's width.
    pub(super) fn lay_out(&mut self, style: &TextStyle, text: &str) -> LaidLine {
        let text = single_line(text);
        let whole = self.shape(style, &text);
        let Some(limit) = style.max_width_px else {
            return whole;
        };
        if whole.width <= limit {
            return whole;
        }
        let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        // Invariant: keeping `low` graphemes fits (or is 0), keeping `high`
        // does not.
        let (mut low, mut high) = (0, ends.len());
        let mut best = None;
        while low + 1 < high {
            let middle = (low + high) / 2;
            let cut = format!("{}\u{2026}", text[..ends[middle]].trim_end());
            let line = self.shape(style, &cut);
            if line.width <= limit {
                low = middle;
                best = Some(line);
            } else {
                high = middle;
            }
        }
        let mut line = best.unwrap_or_else(|| self.shape(style, "\u{2026}"));
        line.ellipsised = true;
        line
    }

    /// Draws a laid line with its pen starting at (x, baseline).
    pub(super) fn draw(
        &mut self,
        target: &mut Pixmap,
        line: &LaidLine,
        x: f32,
        baseline: f32,
        style: &TextStyle,
    ) {
        let baseline = baseline.round();
        let margin = style.margin();
        // The canvas of the masks, in target pixels. Marks may reach far above
        // and below; the line's own metrics bound them.
        // What lies beyond the target by more than a letter is not painted.
        let spare = margin + style.size_px;
        let left = (x - margin - style.size_px * 0.3)
            .floor()
            .max(-spare.ceil());
        let top = (baseline - line.ascent - margin).floor().max(-spare.ceil());
        let right =
            (x + line.width + margin + style.size_px * 0.3).min(target.width() as f32 + spare);
        let bottom = (baseline + line.descent + margin).min(target.height() as f32 + spare);
        let width = (right - left).max(0.0).ceil() as usize + 1;
        let height = (bottom - top).max(0.0).ceil() as usize + 1;
        let pen = (x - left, baseline - top);
        let corner = (left as i32, top as i32);
        let extent = (
            baseline - style.size_px * 0.74,
            baseline + style.size_px * 0.04,
        );

        if style.outline.is_some() || style.shadow.is_some() {
            let ink = style.outline.map_or(Ink::Fill, |o| Ink::Grown(o.width_px));
            let silhouette = self.mask(line, pen, (width, height), ink, true);
            if let Some(shadow) = style.shadow {
                let mut blurred = silhouette.clone();
                blurred.blur(shadow.blur_px);
                let (dx, dy) = (shadow.dx.round() as i32, shadow.dy.round() as i32);
                blurred.tint(
                    target,
                    corner.0 + dx,
                    corner.1 + dy,
                    &Fill::Solid(shadow.colour),
                    extent,
                );
            }
            if let Some(outline) = style.outline {
                silhouette.tint(
                    target,
                    corner.0,
                    corner.1,
                    &Fill::Solid(outline.colour),
                    extent,
                );
            }
        }
        let letters = self.mask(line, pen, (width, height), Ink::Fill, false);
        letters.tint(target, corner.0, corner.1, &style.fill, extent);
        self.draw_emoji(target, line, x, baseline);
    }

    /// The line's coverage on a canvas of its own.
    pub(super) fn mask(
        &mut self,
        line: &LaidLine,
        pen: (f32, f32),
        size: (usize, usize),
        ink: Ink,
        with_emoji: bool,
    ) -> Mask {
        let mut canvas = Mask::new(size.0, size.1);
        for run in &line.runs {
            for &(glyph, x, y) in &run.glyphs {
                let x = pen.0 + x;
                let pixels = self.glyphs.get(&run.face, glyph, x, ink);
                let (x, y) = (x.floor() as i32, (pen.1 + y).round() as i32);
                match &*pixels {
                    GlyphPixels::Mask { left, top, mask } => canvas.stamp(mask, x + left, y + top),
                    GlyphPixels::Colour {
                        left,
                        top,
                        width,
                        height,
                        rgba,
                    } if with_emoji => {
                        let silhouette = Mask {
                            width: *width,
                            height: *height,
                            data: rgba.as_chunks::<4>().0.iter().map(|p| p[3]).collect(),
                        };
                        canvas.stamp(&silhouette, x + left, y + top);
                    }
                    _ => {}
                }
            }
        }
        canvas
    }

    fn draw_emoji(&mut self, target: &mut Pixmap, line: &LaidLine, x: f32, baseline: f32) {
        for run in &line.runs {
            for &(glyph, gx, gy) in &run.glyphs {
                let at = x + gx;
                let pixels = self.glyphs.get(&run.face, glyph, at, Ink::Fill);
                if let GlyphPixels::Colour {
                    left,
                    top,
                    width,
                    height,
                    rgba,
                } = &*pixels
                {
                    let y = (baseline + gy).round() as i32 + top;
                    draw_pixels(target, rgba, (*width, *height), at.floor() as i32 + left, y);
                }
            }
        }
    }

    /// Shapes with fallback; what no font has is replaced.
    fn shape(&mut self, style: &TextStyle, text: &str) -> LaidLine {
        let mut text = text.to_owned();
        let mut choices = Vec::new();
        let mut replaced = 0;
        // Once as it is, once with the families found by searching, then with
        // what was not found replaced. A mark can join the replacement and be
        // missing in its turn, so there is one more round; what is missing
        // even then is not drawn.
        let mut attempt = 0;
        loop {
            let layout = self.layout(style, &text, &choices);
            let gaps = missing_clusters(&layout);
            if gaps.is_empty() || attempt == 3 {
                return laid(&layout, replaced);
            }
            let mut lost = Vec::new();
            for range in gaps {
                match self.fonts.family_with(&text[range.clone()]) {
                    Some(family) if attempt == 0 => choices.push((range, family)),
                    _ => lost.push(range),
                }
            }
            if !lost.is_empty() {
                replaced += lost.len() as u32;
                for range in lost.into_iter().rev() {
                    let grown = REPLACEMENT.len() as isize - range.len() as isize;
                    text.replace_range(range.clone(), REPLACEMENT);
                    choices.retain(|(chosen, _)| {
                        chosen.end <= range.start || chosen.start >= range.end
                    });
                    for (chosen, _) in &mut choices {
                        if chosen.start >= range.end {
                            chosen.start = chosen.start.saturating_add_signed(grown);
                            chosen.end = chosen.end.saturating_add_signed(grown);
                        }
                    }
                }
            }
            attempt += 1;
        }
    }

    fn layout(
        &mut self,
        style: &TextStyle,
        text: &str,
        choices: &[(std::ops::Range<usize>, std::rc::Rc<str>)],
    ) -> Layout<()> {
        let stack = fonts::stack_for(text);
        let mut builder = self
            .layout
            .ranged_builder(&mut self.fonts.context, text, 1.0, false);
        builder.push_default(StyleProperty::FontSize(
            style.size_px.clamp(1.0, MAX_SIZE_PX),
        ));
        builder.push_default(StyleProperty::FontWeight(match style.weight {
            Weight::Regular => parley::FontWeight::NORMAL,
            Weight::Bold => parley::FontWeight::BOLD,
        }));
        if style.italic {
            builder.push_default(StyleProperty::FontStyle(parley::FontStyle::Italic));
        }
        builder.push_default(fonts::family(&stack, None));
        for (at, cluster) in text.grapheme_indices(true) {
            if fonts::is_emoji(cluster) {
                builder.push(fonts::emoji_family(&stack), at..at + cluster.len());
            }
        }
        for (range, chosen) in choices {
            builder.push(fonts::family(&stack, Some(chosen)), range.clone());
        }
        let mut layout = builder.build(text);
        layout.break_all_lines(None);
        layout
    }
}

/// A transparent pixmap; sides are clamped so that it always exists.
pub(super) fn blank(width: f32, height: f32) -> Pixmap {
    const MAX_SIDE: f32 = 8192.0;
    let side = |length: f32| length.clamp(1.0, MAX_SIDE) as u32;
    Pixmap::new(side(width), side(height)).expect("the sides are between 1 and 8192")
}

/// The text on one line: no control characters, bounded.
fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_BYTES));
    for cluster in text.graphemes(true).take(MAX_GRAPHEMES) {
        if line.len() + cluster.len() > MAX_BYTES {
            break;
        }
        for c in cluster.chars() {
            match c {
                '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => line.push(' '),
                // Bidi overrides and isolates could turn the rest around.
                '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
                c if c.is_control() => {}
                c => line.push(c),
            }
        }
    }
    line
}

/// What of a text can be spelled in something else than ink: an emoji is a picture,
/// and all that its outline would tell is a round blot.
pub fn without_emoji(text: &str) -> String {
    let spelled: String = text
        .graphemes(true)
        .filter(|cluster| !fonts::is_emoji(cluster))
        .collect();
    let words: Vec<&str> = spelled.split_whitespace().collect();
    words.join(" ")
}

/// Byte ranges of clusters that the chosen fonts lack, in order.
fn missing_clusters(layout: &Layout<()>) -> Vec<std::ops::Range<usize>> {
    let mut missing: Vec<std::ops::Range<usize>> = Vec::new();
    for line in layout.lines() {
        for run in line.runs() {
            for cluster in run.clusters() {
                if cluster.glyphs().any(|glyph| glyph.id == 0) {
                    missing.push(cluster.text_range());
                }
            }
        }
    }
    missing.sort_by_key(|range| range.start);
    missing.dedup();
    missing
}

fn laid(layout: &Layout<()>, mut replaced: u32) -> LaidLine {
    let mut runs = Vec::new();
    let (mut ascent, mut descent, mut width) = (0.0_f32, 0.0_f32, 0.0_f32);
    for line in layout.lines().take(1) {
        let metrics = line.metrics();
        ascent = metrics.ascent;
        descent = metrics.descent;
        width = metrics.advance;
        for item in line.items() {
            let PositionedLayoutItem::GlyphRun(glyphs) = item else {
                continue;
            };
            let run = glyphs.run();
            let baseline = glyphs.baseline();
            let placed: Vec<(u16, f32, f32)> = glyphs
                .positioned_glyphs()
                .filter_map(|g| {
                    Some((
                        u16::try_from(g.id).ok().filter(|&id| id != 0)?,
                        g.x,
                        g.y - baseline,
                    ))
                })
                .collect();
            replaced += (glyphs.glyphs().count() - placed.len()) as u32;
            runs.push(LaidRun {
                face: Face {
                    font: run.font().clone(),
                    size_px: run.font_size(),
                    coords: run.normalized_coords().to_vec(),
                    skew: run.synthesis().skew(),
                    embolden: run.synthesis().embolden(),
                },
                glyphs: placed,
            });
        }
    }
    LaidLine {
        runs,
        width,
        ascent,
        descent,
        rtl: layout.is_rtl(),
        replaced,
        ellipsised: false,
    }
}
