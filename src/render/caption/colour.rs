//! Colours of captions: straight (not premultiplied) sRGB bytes.

use tiny_skia::{GradientStop, LinearGradient, Paint, Point, SpreadMode, Transform};

/// One sRGB colour with straight alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgba {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

impl Rgba {
    pub const WHITE: Self = Self::rgb(255, 255, 255);
    pub const BLACK: Self = Self::rgb(0, 0, 0);

    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b, a: 255 }
    }

    /// From `0xRRGGBB`, opaque.
    pub const fn hex(rgb: u32) -> Self {
        Self::rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }

    /// The same colour with an alpha of 0.0 to 1.0.
    pub fn with_alpha(self, alpha: f32) -> Self {
        Self {
            a: to_byte(alpha),
            ..self
        }
    }

    /// `self` at 0.0, `other` at 1.0, mixed in sRGB bytes.
    pub fn mix(self, other: Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let channel = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t + 0.5) as u8;
        Self {
            r: channel(self.r, other.r),
            g: channel(self.g, other.g),
            b: channel(self.b, other.b),
            a: channel(self.a, other.a),
        }
    }

    /// Relative luminance, 0.0 to 1.0 (WCAG 2.2).
    pub fn luminance(self) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.r) + 0.7152 * linear(self.g) + 0.0722 * linear(self.b)
    }

    /// The same hue, mixed with white until it is at least this luminous, so
    /// that a navy or crimson accent can still be read on a dark card.
    pub fn at_least(self, luminance: f32) -> Self {
        let mut t = 0.0;
        let mut colour = self;
        while colour.luminance() < luminance && t < 1.0 {
            t += 0.05;
            colour = self.mix(Self::WHITE.with_alpha(f32::from(self.a) / 255.0), t);
        }
        colour
    }

    /// The same hue, mixed with black until it is at most this luminous.
    pub fn at_most(self, luminance: f32) -> Self {
        let mut t = 0.0;
        let mut colour = self;
        while colour.luminance() > luminance && t < 1.0 {
            t += 0.05;
            colour = self.mix(Self::BLACK.with_alpha(f32::from(self.a) / 255.0), t);
        }
        colour
    }

    pub(super) fn to_skia(self) -> tiny_skia::Color {
        tiny_skia::Color::from_rgba8(self.r, self.g, self.b, self.a)
    }
}

/// Paint that runs from one colour to the other.
pub(super) fn gradient((start, from): (Point, Rgba), (end, to): (Point, Rgba)) -> Paint<'static> {
    let stops = vec![
        GradientStop::new(0.0, from.to_skia()),
        GradientStop::new(1.0, to.to_skia()),
    ];
    let mut paint = plain(from);
    // There is none where both points are one.
    if let Some(shader) =
        LinearGradient::new(start, end, stops, SpreadMode::Pad, Transform::identity())
    {
        paint.shader = shader;
    }
    paint
}

/// Paint of one colour.
pub(super) fn plain(colour: Rgba) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(colour.to_skia());
    paint
}

fn to_byte(unit: f32) -> u8 {
    (unit.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// A gift's two colours; gradients run from the first to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Accent {
    pub primary: Rgba,
    pub secondary: Rgba,
}

impl Accent {
    /// An accent from a gift's single colour: the second is a lighter
    /// neighbour on the colour wheel.
    pub fn from_one(primary: Rgba) -> Self {
        let warm = Rgba {
            r: primary.r.saturating_add(40),
            g: primary.b / 3 + primary.g / 2 + 40,
            b: primary.b.saturating_add(60),
            a: 255,
        };
        Self {
            primary,
            secondary: warm.at_least(0.25),
        }
    }
}
