//! The body of cards and panels: a rounded rectangle by its signed distance,
//! with gradient, rim, highlight, glow and shadow in one pass.
//!
//! Shadow and glow lie only outside the body, so that what shines through the
//! translucent body is the stage and not the card's own shadow.

use tiny_skia::Pixmap;

use super::colour::Rgba;
use super::mask::{blend, over};
use super::picture::Body;

pub(super) struct Surface {
    pub radius: f32,
    /// Body colours with alpha.
    pub top: Rgba,
    pub bottom: Rgba,
    /// Colour that fades from the leading end across the body.
    pub wash: Rgba,
    /// How far the wash reaches, in pixels.
    pub wash_reach: f32,
    pub rim_px: f32,
    /// Rim colours at the leading and the trailing end.
    pub rim: (Rgba, Rgba),
    /// A hairline of light within the rim, strongest along the top.
    pub lit: bool,
    /// A soft edge within the rim.
    pub inner: Halo,
    /// A crisp line around the outside: its width in pixels, and its colour.
    pub keyline: (f32, Rgba),
    pub glow: Halo,
    pub shadow: Halo,
    pub shadow_dy: f32,
    /// The leading end is on the right.
    pub mirrored: bool,
}

/// A soft edge around the body.
pub(super) struct Halo {
    pub reach_px: f32,
    pub colour: Rgba,
}

impl Halo {
    fn at(&self, distance: f32) -> u32 {
        let t = distance / self.reach_px.max(0.1);
        let falloff = if t <= 0.0 {
            1.0
        } else if t >= 1.0 {
            0.0
        } else {
            // Cubic: close to the shoulder of a Gaussian, and 0 at the end.
            (1.0 - t) * (1.0 - t) * (1.0 - t)
        };
        (falloff * 255.0) as u32
    }
}

impl Surface {
    /// Room that the soft edges need around the body.
    pub fn margin(&self) -> f32 {
        self.glow
            .reach_px
            .max(self.shadow.reach_px + self.shadow_dy)
            .max(self.keyline.0)
            .ceil()
            + 1.0
    }

    pub fn paint(&self, target: &mut Pixmap, body: Body) {
        let (width, height) = (target.width() as usize, target.height() as usize);
        let shape = Shape::new(body, self.radius);
        let columns: Vec<Column> = (0..width)
            .map(|x| self.column(body, x as f32 + 0.5))
            .collect();
        for (y, row) in target
            .data_mut()
            .chunks_exact_mut(width * 4)
            .enumerate()
            .take(height)
        {
            let y = y as f32 + 0.5;
            let t = ((y - body.y) / body.height).clamp(0.0, 1.0);
            let base = self.top.mix(self.bottom, t);
            // Light from above: strong along the top edge, faint below.
            let light = 0.30 * (1.0 - t * 2.2).max(0.0) + 0.05;
            let light = Rgba::WHITE.with_alpha(if self.lit { light } else { 0.0 });
            let deep = self.deep_columns(&shape, y, width);
            for (x, (pixel, column)) in row
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(&columns)
                .enumerate()
            {
                if deep.contains(&x) {
                    over(pixel, self.washed(base, column));
                    continue;
                }
                let x = x as f32 + 0.5;
                let distance = shape.distance(x, y);
                if distance > -0.5 {
                    self.halo(pixel, &shape, x, y, distance);
                }
                if distance < 0.5 {
                    let coverage = coverage(distance);
                    let inside = self.inside(distance, base, light, column);
                    blend_coverage(pixel, inside, coverage);
                }
            }
        }
    }

    /// The columns of a row so deep inside that neither edge nor rim matters:
    /// most of a card, and cheap to paint.
    fn deep_columns(&self, shape: &Shape, y: f32, width: usize) -> std::ops::Range<usize> {
        let depth = self.rim_px + self.inner.reach_px.max(4.0);
        let inset = shape.radius - depth;
        // Deeper than the corners are round, what is left has square ones.
        let cut = inset.min(0.0);
        let (half, radius) = ((shape.half.0 + cut, shape.half.1 + cut), inset.max(0.0));
        let rise = (y - shape.centre.1).abs() - half.1;
        if half.0 < 0.0 || half.1 < 0.0 || rise > radius {
            return 0..0;
        }
        let rise = rise.max(0.0);
        let reach = half.0 + (radius * radius - rise * rise).sqrt();
        let start = (shape.centre.0 - reach).ceil().max(0.0) as usize;
        let end = (shape.centre.0 + reach).floor().max(0.0) as usize;
        start..end.min(width)
    }

    /// The body's premultiplied colour in a column.
    fn washed(&self, base: Rgba, column: &Column) -> [u8; 4] {
        let mut colour = [0; 4];
        blend(&mut colour, base, 255);
        if column.wash > 0 {
            blend(&mut colour, self.wash, column.wash);
        }
        colour
    }

    fn column(&self, body: Body, x: f32) -> Column {
        let along = ((x - body.x) / body.width).clamp(0.0, 1.0);
        let along = if self.mirrored { 1.0 - along } else { along };
        let wash = (1.0 - along * body.width / self.wash_reach.max(1.0)).max(0.0);
        Column {
            wash: (wash * wash * 255.0) as u32,
            rim: self.rim.0.mix(self.rim.1, along),
        }
    }

    fn halo(&self, pixel: &mut [u8; 4], shape: &Shape, x: f32, y: f32, distance: f32) {
        let shadow = self.shadow.at(shape.distance(x, y - self.shadow_dy));
        if shadow > 0 {
            blend(pixel, self.shadow.colour, shadow);
        }
        let glow = self.glow.at(distance);
        if glow > 0 {
            blend(pixel, self.glow.colour, glow);
        }
        let (width, colour) = self.keyline;
        if width > 0.0 {
            blend(pixel, colour, coverage(distance - width));
        }
    }

    /// The premultiplied colour at a depth inside the body.
    fn inside(&self, distance: f32, base: Rgba, light: Rgba, column: &Column) -> [u8; 4] {
        let mut colour = self.washed(base, column);
        let inner = self.inner.at(-(distance + self.rim_px));
        if inner > 0 {
            blend(&mut colour, self.inner.colour, inner);
        }
        if distance > -(self.rim_px + 3.0) {
            let rim = coverage(-(distance + self.rim_px));
            // A hairline of light just within the rim.
            let hairline = (1.0 - (distance + self.rim_px + 1.0).abs() / 1.4).max(0.0);
            blend(&mut colour, light, (hairline * 255.0) as u32);
            blend(&mut colour, column.rim, rim);
        }
        colour
    }
}

struct Column {
    wash: u32,
    rim: Rgba,
}

/// A rounded rectangle; the distance function is Inigo Quilez's `sdRoundedBox`
/// (published under MIT), written for one radius.
struct Shape {
    centre: (f32, f32),
    half: (f32, f32),
    radius: f32,
}

impl Shape {
    fn new(body: Body, radius: f32) -> Self {
        let radius = radius.min(body.height / 2.0).min(body.width / 2.0);
        Self {
            centre: (body.x + body.width / 2.0, body.y + body.height / 2.0),
            half: (body.width / 2.0 - radius, body.height / 2.0 - radius),
            radius,
        }
    }

    /// Pixels to the edge: negative inside.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let dx = (x - self.centre.0).abs() - self.half.0;
        let dy = (y - self.centre.1).abs() - self.half.1;
        let outside = if dx <= 0.0 {
            dy.max(0.0)
        } else if dy <= 0.0 {
            dx
        } else {
            (dx * dx + dy * dy).sqrt()
        };
        outside + dx.max(dy).min(0.0) - self.radius
    }
}

fn coverage(distance: f32) -> u32 {
    ((0.5 - distance).clamp(0.0, 1.0) * 255.0) as u32
}

fn blend_coverage(pixel: &mut [u8; 4], source: [u8; 4], coverage: u32) {
    over(
        pixel,
        source.map(|c| super::mask::div255(u32::from(c) * coverage) as u8),
    );
}
