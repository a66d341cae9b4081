//! A goal's bar: the track it lies in, the filled bar, and the sparks of its
//! celebration.

use super::super::colour::Rgba;
use super::super::mask::{Fill, Mask};
use super::super::picture::{Body, PixelBuffer};
use super::super::surface::Halo;
use super::super::text;
use super::{BoardSpec, Sheet, capsule};

/// Lengths of a goal's panel in pixels.
pub struct Measures {
    pub width: f32,
    pub height: f32,
    pub pad: f32,
    /// Of the bar, from the body's top left corner.
    pub bar: Body,
}

impl Measures {
    pub fn of(spec: &BoardSpec) -> Self {
        let s = spec.s();
        let width = spec.width(620.0);
        let pad = 26.0 * s;
        let height = (16.0 * s).round().max(4.0);
        Self {
            width,
            height: (104.0 * s).round(),
            pad,
            bar: Body {
                x: pad.round(),
                y: (66.0 * s).round(),
                width: (width - 2.0 * pad.round()).round(),
                height,
            },
        }
    }
}

pub(super) fn track(sheet: &mut Sheet, spec: &BoardSpec, measures: &Measures) {
    let inks = spec.theme.bar();
    let none = Rgba::BLACK.with_alpha(0.0);
    let mut surface = capsule(
        inks.track,
        Halo {
            reach_px: 0.0,
            colour: none,
        },
    );
    surface.rim_px = (1.2 * spec.s()).max(1.0);
    surface.rim = (inks.track_rim, inks.track_rim);
    let body = Body {
        x: sheet.body.x + measures.bar.x,
        y: sheet.body.y + measures.bar.y,
        ..measures.bar
    };
    surface.paint(&mut sheet.pixmap, body);
}

/// The whole bar, filled, within the track's rim.
pub(super) fn paint(spec: &BoardSpec) -> PixelBuffer {
    let measures = Measures::of(spec);
    let inks = spec.theme.bar();
    let s = spec.s();
    let rim = (1.2 * s).max(1.0).round();
    let size = (
        (measures.bar.width - 2.0 * rim).max(2.0),
        (measures.bar.height - 2.0 * rim).max(2.0),
    );
    // Light falls beside the bar, too; but not in high contrast.
    let reach = if spec.theme.is_soft() { 9.0 * s } else { 0.0 };
    let margin = reach.ceil() + 1.0;
    let body = Body {
        x: margin,
        y: margin,
        width: size.0,
        height: size.1,
    };
    let mut pixmap = text::blank(size.0 + 2.0 * margin, size.1 + 2.0 * margin);
    let mut surface = capsule(
        inks.from,
        Halo {
            reach_px: reach,
            colour: inks.from.mix(inks.to, 0.5).with_alpha(0.45),
        },
    );
    // One colour runs into the other; a wash fades along the body.
    surface.top = inks.to;
    surface.bottom = inks.to;
    surface.wash = inks.from;
    surface.wash_reach = size.0 * 1.25;
    surface.mirrored = spec.mirrored;
    surface.paint(&mut pixmap, body);
    if inks.gloss {
        let (width, height) = (size.0 as usize, (size.1 * 0.42) as usize);
        let mut light = Mask::new(width, height.max(1));
        light.data.fill(255);
        let fade = Fill::Vertical([
            Rgba::WHITE.with_alpha(0.42),
            Rgba::WHITE.with_alpha(0.20),
            Rgba::WHITE.with_alpha(0.06),
        ]);
        tint_within(&mut pixmap, &light, body, &fade);
    }
    PixelBuffer::from_pixmap(pixmap, body, 0.0)
}

/// Lays light on a capsule's upper half, and nothing beside it.
fn tint_within(target: &mut tiny_skia::Pixmap, light: &Mask, body: Body, fade: &Fill) {
    let radius = body.height / 2.0;
    let mut cut = light.clone();
    for y in 0..cut.height {
        for x in 0..cut.width {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            let dx = (radius - px).max(px - (body.width - radius)).max(0.0);
            let dy = py - radius;
            let distance = (dx * dx + dy * dy).sqrt() - radius;
            let inside = (-0.5 - distance).clamp(0.0, 1.0);
            cut.data[y * cut.width + x] = (inside * 255.0) as u8;
        }
    }
    let top = body.y;
    cut.tint(
        target,
        body.x as i32,
        top as i32,
        fade,
        (top, top + cut.height as f32),
    );
}

/// A soft point of light, in the bar's brighter colour.
pub(super) fn spark(spec: &BoardSpec) -> PixelBuffer {
    let side = (44.0 * spec.s()).round().max(6.0);
    let mut pixmap = text::blank(side, side);
    let mut mask = Mask::new(side as usize, side as usize);
    let middle = side / 2.0;
    let crisp = !spec.theme.is_soft();
    for y in 0..mask.height {
        for x in 0..mask.width {
            let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
            let distance = (dx * dx + dy * dy).sqrt() / middle;
            let value = if crisp {
                ((0.3 - distance) * middle + 0.5).clamp(0.0, 1.0)
            } else {
                let glow = (1.0 - distance).max(0.0).powi(2) * 0.7;
                let core = ((0.22 - distance) * middle * 0.5 + 0.5).clamp(0.0, 1.0);
                glow.max(core)
            };
            mask.data[y * side as usize + x] = (value * 255.0) as u8;
        }
    }
    let colour = spec.theme.place(0).mix(Rgba::WHITE, 0.35);
    mask.tint(&mut pixmap, 0, 0, &Fill::Solid(colour), (0.0, 1.0));
    let body = Body {
        x: 0.0,
        y: 0.0,
        width: side,
        height: side,
    };
    PixelBuffer::from_pixmap(pixmap, body, 0.0)
}
