//! A busy picture such as a game has: what a gift must stand out from. Drawn
//! here, so that no licence is needed, and the same in every run.

use anyhow::{Context, Result};
use image::RgbImage;
use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, Rect, Shader,
    SpreadMode, Transform,
};

use crate::config::Size;

/// The picture is designed this high, and as wide as it has to be.
const LINES: f32 = 720.0;

/// # Errors
/// When there is no memory for a picture of this size.
pub fn paint(size: Size) -> Result<RgbImage> {
    let pixmap = Pixmap::new(size.width, size.height).context("no memory for the ground")?;
    let scale = size.height as f32 / LINES;
    let mut scene = Scene {
        pixmap,
        transform: Transform::from_scale(scale, scale),
        width: size.width as f32 / scale,
        seed: 0x9E37_79B9,
    };
    scene.sky();
    scene.hills();
    scene.town();
    scene.ground();
    scene.figures();
    scene.display();
    let rgb = scene
        .pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    RgbImage::from_raw(size.width, size.height, rgb).context("the ground has a size of its own")
}

struct Scene {
    pixmap: Pixmap,
    transform: Transform,
    /// In lines of the design.
    width: f32,
    seed: u32,
}

fn solid(hex: u32, alpha: u8) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8((hex >> 16) as u8, (hex >> 8) as u8, hex as u8, alpha);
    paint
}

impl Scene {
    /// 0 to 1, the same sequence every time (xorshift, Marsaglia 2003).
    fn random(&mut self) -> f32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        (self.seed >> 8) as f32 / (1 << 24) as f32
    }

    fn between(&mut self, least: f32, most: f32) -> f32 {
        least + (most - least) * self.random()
    }

    fn bar(&mut self, x: f32, y: f32, width: f32, height: f32, paint: &Paint) {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            self.pixmap.fill_rect(rect, paint, self.transform, None);
        }
    }

    fn disc(&mut self, x: f32, y: f32, radius: f32, paint: &Paint) {
        if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            self.pixmap
                .fill_path(&path, paint, FillRule::Winding, self.transform, None);
        }
    }

    fn shape(&mut self, corners: &[(f32, f32)], paint: &Paint) {
        let mut path = PathBuilder::new();
        for (index, (x, y)) in corners.iter().enumerate() {
            if index == 0 {
                path.move_to(*x, *y);
            } else {
                path.line_to(*x, *y);
            }
        }
        path.close();
        if let Some(path) = path.finish() {
            self.pixmap
                .fill_path(&path, paint, FillRule::Winding, self.transform, None);
        }
    }

    fn sky(&mut self) {
        let stops = [
            (0.0, 0x2B3A8C),
            (0.45, 0xC0508F),
            (0.7, 0xFF9E5E),
            (1.0, 0xFFE08A),
        ];
        let stops = stops
            .into_iter()
            .map(|(at, hex)| {
                let [_, r, g, b] = u32::to_be_bytes(hex);
                GradientStop::new(at, Color::from_rgba8(r, g, b, 255))
            })
            .collect();
        let sky = LinearGradient::new(
            Point::from_xy(0.0, 0.0),
            Point::from_xy(0.0, 470.0),
            stops,
            SpreadMode::Pad,
            Transform::identity(),
        );
        let paint = Paint {
            shader: sky.unwrap_or(Shader::SolidColor(Color::WHITE)),
            ..Paint::default()
        };
        let width = self.width;
        self.bar(0.0, 0.0, width, LINES, &paint);
        self.disc(width * 0.62, 330.0, 70.0, &solid(0xFFF6C8, 255));
        for _ in 0..26 {
            let (x, y) = (self.between(0.0, width), self.between(30.0, 260.0));
            let puff = self.between(14.0, 34.0);
            for part in 0..5 {
                let shift = part as f32 * puff * 0.8;
                self.disc(
                    x + shift,
                    y + (part % 2) as f32 * 8.0,
                    puff,
                    &solid(0xFFE6EE, 60),
                );
            }
        }
    }

    fn hills(&mut self) {
        for (base, height, hex) in [(430.0, 170.0, 0x6C4A8F), (470.0, 120.0, 0x3F3A78)] {
            let mut x = -80.0;
            while x < self.width + 80.0 {
                let (top, half) = (self.between(0.5, 1.0) * height, self.between(90.0, 170.0));
                let corners = [(x - half, base), (x, base - top), (x + half, base)];
                self.shape(&corners, &solid(hex, 255));
                let cap = [
                    (x - half * 0.22, base - top * 0.78),
                    (x, base - top),
                    (x + half * 0.22, base - top * 0.78),
                ];
                self.shape(&cap, &solid(0xFFF2F5, 230));
                x += self.between(70.0, 130.0);
            }
        }
    }

    fn town(&mut self) {
        let mut x = 0.0;
        while x < self.width {
            let (width, height) = (self.between(44.0, 90.0), self.between(60.0, 250.0));
            let hues = [0x1F2A4D, 0x273B5E, 0x46315E, 0x184A55];
            let hue = hues[(self.random() * 4.0) as usize % 4];
            let top = 540.0 - height;
            self.bar(x, top, width, height, &solid(hue, 255));
            let mut y = top + 12.0;
            while y < 525.0 {
                let mut window = x + 8.0;
                while window < x + width - 12.0 {
                    let lit = self.random();
                    let light = if lit > 0.45 { 0xFFD66B } else { 0x6FE3FF };
                    if lit > 0.3 {
                        self.bar(window, y, 7.0, 10.0, &solid(light, 220));
                    }
                    window += 15.0;
                }
                y += 19.0;
            }
            x += width + self.between(-4.0, 10.0);
        }
    }

    fn ground(&mut self) {
        let width = self.width;
        self.bar(0.0, 536.0, width, 190.0, &solid(0x4B7A35, 255));
        self.bar(0.0, 580.0, width, 150.0, &solid(0x7A5B3A, 255));
        // Bricks, and the light between them.
        for row in 0..6 {
            let mut x = if row % 2 == 0 { 0.0 } else { -22.0 };
            while x < width {
                let shade = [0xA9764A, 0x996842, 0xB88353][(self.random() * 3.0) as usize % 3];
                let y = 584.0 + row as f32 * 24.0;
                self.bar(x + 1.0, y, 42.0, 22.0, &solid(shade, 255));
                x += 44.0;
            }
        }
        for _ in 0..420 {
            let (x, tall) = (self.between(0.0, width), self.between(8.0, 30.0));
            let shade = [0x6FB04A, 0x8FD05E, 0x3E6B2C][(self.random() * 3.0) as usize % 3];
            let blade = [(x - 2.0, 584.0), (x + 3.0, 584.0 - tall), (x + 4.0, 584.0)];
            self.shape(&blade, &solid(shade, 255));
        }
    }

    fn figures(&mut self) {
        let hues = [0xE8433F, 0x3FA9F5, 0xF7D038, 0x8E44EC, 0x2ECC71, 0xFFFFFF];
        for (index, hue) in hues.into_iter().cycle().take(9).enumerate() {
            let x = (index as f32 + self.between(0.2, 0.8)) * self.width / 9.0;
            let y = self.between(440.0, 560.0);
            self.bar(x - 16.0, y - 40.0, 32.0, 44.0, &solid(hue, 255));
            self.disc(x, y - 54.0, 18.0, &solid(0xF5C9A0, 255));
            self.bar(x - 15.0, y + 4.0, 11.0, 24.0, &solid(0x22263A, 255));
            self.bar(x + 4.0, y + 4.0, 11.0, 24.0, &solid(0x22263A, 255));
            // Its strength, over its head.
            self.bar(x - 26.0, y - 92.0, 52.0, 8.0, &solid(0x101018, 200));
            let left = self.between(12.0, 48.0);
            self.bar(x - 24.0, y - 90.0, left, 4.0, &solid(0x57E05B, 255));
        }
        for _ in 0..40 {
            let (x, y) = (self.between(0.0, self.width), self.between(200.0, 560.0));
            let radius = self.between(2.0, 7.0);
            self.disc(x, y, radius * 2.2, &solid(0xFFB347, 70));
            self.disc(x, y, radius, &solid(0xFFF3B0, 240));
        }
    }

    /// What games lay over themselves.
    fn display(&mut self) {
        let width = self.width;
        let dark = solid(0x0B0E18, 170);
        self.bar(24.0, 24.0, 300.0, 64.0, &dark);
        self.bar(92.0, 36.0, 216.0, 14.0, &solid(0xE23B3B, 255));
        self.bar(92.0, 58.0, 150.0, 14.0, &solid(0x3B9CE2, 255));
        self.disc(56.0, 56.0, 26.0, &solid(0xF4F4F8, 255));
        self.disc(56.0, 56.0, 20.0, &solid(0x7C4DFF, 255));
        let middle = width - 104.0;
        self.disc(middle, 104.0, 82.0, &dark);
        for _ in 0..24 {
            let (turn, out) = (
                self.between(0.0, std::f32::consts::TAU),
                self.between(0.0, 72.0),
            );
            let (x, y) = (middle + turn.cos() * out, 104.0 + turn.sin() * out);
            let hue = [0xFF5252, 0x69F0AE, 0xFFD740][(self.random() * 3.0) as usize % 3];
            self.disc(x, y, 3.5, &solid(hue, 255));
        }
        for line in 0..7 {
            let y = 300.0 + line as f32 * 20.0;
            self.bar(24.0, y, 300.0, 17.0, &solid(0x0B0E18, 110));
            let name = self.between(30.0, 70.0);
            self.bar(30.0, y + 5.0, name, 7.0, &solid(0xFFC14D, 255));
            let text = self.between(60.0, 200.0);
            self.bar(38.0 + name, y + 5.0, text, 7.0, &solid(0xF0F0F5, 255));
        }
        for slot in 0..6 {
            let x = width / 2.0 - 204.0 + slot as f32 * 68.0;
            self.bar(x, 644.0, 60.0, 60.0, &dark);
            let hue = [0xFF7043, 0x26C6DA, 0xAB47BC, 0xD4E157, 0xEF5350, 0x5C6BC0][slot];
            self.disc(x + 30.0, 674.0, 19.0, &solid(hue, 255));
        }
    }
}
