//! A sender's disc: the avatar, or initials on a gradient of their own.

use std::sync::Arc;

use tiny_skia::{
    FillRule, GradientStop, Paint, PathBuilder, Pixmap, Point, RadialGradient, Rect, SpreadMode,
    Stroke, Transform,
};
use unicode_segmentation::UnicodeSegmentation;

use super::colour::{Accent, Rgba, gradient, plain};
use super::picture::{Body, Picture, PixelBuffer};
use super::text::{self, Shadow, TextPainter, TextStyle};
use crate::model::Private;

/// An avatar on its own, for fusing into a video.
#[derive(Debug, Clone)]
pub struct AvatarSpec {
    pub name: Private<Arc<str>>,
    pub picture: Option<Picture>,
    /// Pixels a side.
    pub side: u32,
    /// Fill the square: the video's own mask cuts it out. Otherwise a disc.
    pub square: bool,
}

/// Neighbouring pairs on the colour wheel, top left to bottom right; white
/// letters have a contrast of at least 3 on each (WCAG 2.2, large text).
const PALETTE: [(Rgba, Rgba); 12] = [
    (Rgba::hex(0xFF5C72), Rgba::hex(0xB3124F)),
    (Rgba::hex(0xF9703E), Rgba::hex(0xB9310F)),
    (Rgba::hex(0xE08A1E), Rgba::hex(0xA34E00)),
    (Rgba::hex(0x5FA83C), Rgba::hex(0x1F6B33)),
    (Rgba::hex(0x1FA58A), Rgba::hex(0x045F66)),
    (Rgba::hex(0x1C9BD8), Rgba::hex(0x0A4F9E)),
    (Rgba::hex(0x5B7BFA), Rgba::hex(0x2C2FA8)),
    (Rgba::hex(0x9A6BFF), Rgba::hex(0x5222B8)),
    (Rgba::hex(0xC65BE0), Rgba::hex(0x7A1C99)),
    (Rgba::hex(0xF065AE), Rgba::hex(0xA8126B)),
    (Rgba::hex(0x7488A8), Rgba::hex(0x38465F)),
    (Rgba::hex(0xC96B58), Rgba::hex(0x7C2D2A)),
];

/// How wide initials are at most, of the face.
const WIDEST: f32 = 0.8;
/// What shrinks to less than this share of its size cannot be read.
const LEAST_SHARE: f32 = 0.35;

/// The colours that go with a name, today and tomorrow.
pub fn palette_of(name: &str) -> (Rgba, Rgba) {
    // FNV-1a, 64 bits (draft-eastlake-fnv): stable across runs and platforms,
    // which std's hasher does not promise.
    let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    PALETTE[(hash ^ (hash >> 32)) as usize % PALETTE.len()]
}

/// One or two graphemes that stand for a name: the first letters of its first
/// and last word where the script has capitals, else its first letter; an
/// emoji when there is no letter; empty when there is neither.
pub fn initials(name: &str) -> String {
    let letter = |word: &str| {
        word.graphemes(true)
            .find(|g| g.chars().next().is_some_and(char::is_alphanumeric))
            .map(str::to_owned)
    };
    let words: Vec<String> = name.split_whitespace().filter_map(letter).collect();
    let has_case = |g: &String| {
        g.chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || c.is_lowercase())
    };
    match words.as_slice() {
        [] => name
            .graphemes(true)
            .find(|g| {
                g.chars()
                    .any(|c| u32::from(c) > 0x2000 && !c.is_whitespace())
            })
            .unwrap_or_default()
            .to_owned(),
        [first, .., last] if has_case(first) && has_case(last) => {
            format!("{}{}", upper(first), upper(last))
        }
        [first, ..] => upper(first),
    }
}

/// Upper case, unless that makes one letter two (ß).
fn upper(grapheme: &str) -> String {
    let upper = grapheme.to_uppercase();
    if upper.graphemes(true).count() == 1 {
        upper
    } else {
        grapheme.to_owned()
    }
}

/// Where a disc goes.
pub(super) struct Disc {
    pub cx: f32,
    pub cy: f32,
    pub diameter: f32,
}

/// Paints an avatar as an image of its own.
pub fn paint(painter: &mut TextPainter, spec: &AvatarSpec) -> PixelBuffer {
    let side = spec.side.clamp(8, 1024) as f32;
    let mut pixmap = text::blank(side, side);
    let disc = Disc {
        cx: side / 2.0,
        cy: side / 2.0,
        diameter: side,
    };
    if spec.square {
        let path = rectangle(side);
        face(
            painter,
            &mut pixmap,
            &disc,
            &path,
            &spec.name.0,
            spec.picture.as_ref(),
        );
    } else {
        draw(
            painter,
            &mut pixmap,
            &disc,
            &spec.name.0,
            spec.picture.as_ref(),
            None,
        );
    }
    let body = Body {
        x: 0.0,
        y: 0.0,
        width: side,
        height: side,
    };
    PixelBuffer::from_pixmap(pixmap, body, side / 2.0)
}

/// Paints a disc, with a ring in the gift's colours when there is an accent.
pub(super) fn draw(
    painter: &mut TextPainter,
    target: &mut Pixmap,
    disc: &Disc,
    name: &str,
    picture: Option<&Picture>,
    ring: Option<&Accent>,
) {
    let width = (disc.diameter * 0.034).max(1.2);
    let gap = (disc.diameter * 0.026).max(0.8);
    let inner = Disc {
        diameter: if ring.is_some() {
            disc.diameter - 2.0 * (width + gap)
        } else {
            disc.diameter
        },
        ..*disc
    };
    if let Some(path) = PathBuilder::from_circle(inner.cx, inner.cy, inner.diameter / 2.0) {
        face(painter, target, &inner, &path, name, picture);
    }
    if let Some(accent) = ring {
        draw_ring(target, disc, width, accent);
    }
}

fn draw_ring(target: &mut Pixmap, disc: &Disc, width: f32, accent: &Accent) {
    let radius = (disc.diameter - width) / 2.0;
    let Some(path) = PathBuilder::from_circle(disc.cx, disc.cy, radius) else {
        return;
    };
    let paint = diagonal(
        disc,
        accent.primary.at_least(0.22),
        accent.secondary.at_least(0.35),
    );
    let stroke = Stroke {
        width,
        ..Stroke::default()
    };
    target.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
}

fn face(
    painter: &mut TextPainter,
    target: &mut Pixmap,
    disc: &Disc,
    path: &tiny_skia::Path,
    name: &str,
    picture: Option<&Picture>,
) {
    let (from, to) = palette_of(name);
    // An opaque picture covers all of it, and would have it for an edge.
    if picture.is_none_or(|picture| !picture.is_opaque()) {
        target.fill_path(
            path,
            &diagonal(disc, from, to),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
    if let Some(picture) = picture {
        picture_face(target, disc, path, picture);
        return;
    }
    gloss(target, disc, path);
    let letters = initials(name);
    if letters.is_empty() {
        silhouette(target, disc, path);
        return;
    }
    let one = letters.graphemes(true).count() == 1;
    let full = disc.diameter * if one { 0.52 } else { 0.40 };
    let style_at = |size: f32| {
        TextStyle::new(size).bold().shadow(Shadow {
            blur_px: disc.diameter * 0.05,
            dx: 0.0,
            dy: disc.diameter * 0.015,
            colour: to.mix(Rgba::BLACK, 0.5).with_alpha(0.55),
        })
    };
    // One grapheme may be a whole sentence: it stays within the face.
    let natural = painter.lay_out(&style_at(full), &letters).width;
    let share = (WIDEST * disc.diameter / natural.max(1.0)).min(1.0);
    if share < LEAST_SHARE {
        silhouette(target, disc, path);
        return;
    }
    let size = full * share;
    let style = style_at(size);
    let line = painter.lay_out(&style, &letters);
    let x = disc.cx - line.width / 2.0;
    painter.draw(target, &line, x, disc.cy + size * 0.36, &style);
}

fn picture_face(target: &mut Pixmap, disc: &Disc, path: &tiny_skia::Path, picture: &Picture) {
    let side = disc.diameter.ceil() as usize;
    let mut square = text::blank(side as f32, side as f32);
    picture.draw(&mut square, 0, 0, side, true);
    let paint = Paint {
        shader: tiny_skia::Pattern::new(
            square.as_ref(),
            SpreadMode::Pad,
            tiny_skia::FilterQuality::Bilinear,
            1.0,
            Transform::from_translate(disc.cx - disc.diameter / 2.0, disc.cy - disc.diameter / 2.0),
        ),
        anti_alias: true,
        ..Paint::default()
    };
    target.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
}

/// Light from the top left.
fn gloss(target: &mut Pixmap, disc: &Disc, path: &tiny_skia::Path) {
    let radius = disc.diameter / 2.0;
    let at = Point::from_xy(disc.cx - radius * 0.45, disc.cy - radius * 0.55);
    let stops = vec![
        GradientStop::new(0.0, Rgba::WHITE.with_alpha(0.28).to_skia()),
        GradientStop::new(1.0, Rgba::WHITE.with_alpha(0.0).to_skia()),
    ];
    let shader = RadialGradient::new(
        at,
        at,
        radius * 1.1,
        stops,
        SpreadMode::Pad,
        Transform::identity(),
    );
    if let Some(shader) = shader {
        let paint = Paint {
            shader,
            anti_alias: true,
            ..Paint::default()
        };
        target.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }
}

/// Head and shoulders, for someone without a name.
fn silhouette(target: &mut Pixmap, disc: &Disc, clip: &tiny_skia::Path) {
    let Some(mut mask) = tiny_skia::Mask::new(target.width(), target.height()) else {
        return;
    };
    mask.fill_path(clip, FillRule::Winding, true, Transform::identity());
    let paint = plain(Rgba::WHITE.with_alpha(0.92));
    let d = disc.diameter;
    let head = PathBuilder::from_circle(disc.cx, disc.cy - d * 0.10, d * 0.165);
    let shoulders = Rect::from_xywh(disc.cx - d * 0.29, disc.cy + d * 0.12, d * 0.58, d * 0.62)
        .and_then(PathBuilder::from_oval);
    for path in [head, shoulders].into_iter().flatten() {
        target.fill_path(
            &path,
            &paint,
            FillRule::Winding,
            Transform::identity(),
            Some(&mask),
        );
    }
}

fn diagonal(disc: &Disc, from: Rgba, to: Rgba) -> Paint<'static> {
    let reach = disc.diameter * 0.36;
    gradient(
        (Point::from_xy(disc.cx - reach, disc.cy - reach), from),
        (Point::from_xy(disc.cx + reach, disc.cy + reach), to),
    )
}

fn rectangle(side: f32) -> tiny_skia::Path {
    let square = Rect::from_xywh(0.0, 0.0, side, side).expect("the side is between 8 and 1024");
    PathBuilder::from_rect(square)
}
