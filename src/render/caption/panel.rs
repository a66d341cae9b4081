//! A panel of keys and what they do, for the window's help.

use std::sync::Arc;

use super::colour::Rgba;
use super::picture::{Body, PixelBuffer};
use super::surface::{Halo, Surface};
use super::text::{self, TextPainter, TextStyle};

/// A panel to paint.
#[derive(Debug, Clone)]
pub struct PanelSpec {
    pub title: Arc<str>,
    /// Key and meaning; an empty key makes a line of plain text. At most 40
    /// are drawn.
    pub lines: Vec<(Arc<str>, Arc<str>)>,
    /// 1.0 for a window of 1080 lines; 0.2 to 4.
    pub scale: f32,
}

/// More would not fit a window.
const MAX_LINES: usize = 40;

/// Paints a panel.
pub fn paint(painter: &mut TextPainter, spec: &PanelSpec) -> PixelBuffer {
    let s = spec.scale.clamp(0.2, 4.0);
    let title_style = TextStyle::new(32.0 * s).bold().max_width(800.0 * s);
    let key_style = TextStyle::new(21.0 * s).bold();
    let text_style = TextStyle::new(23.0 * s)
        .colour(Rgba::hex(0xDD_DE_E8))
        .max_width(760.0 * s);
    let title = painter.lay_out(&title_style, &spec.title);
    let lines: Vec<_> = spec
        .lines
        .iter()
        .take(MAX_LINES)
        .map(|(key, meaning)| {
            let key = (!key.is_empty()).then(|| painter.lay_out(&key_style, key));
            (key, painter.lay_out(&text_style, meaning))
        })
        .collect();

    let (pad, row, head) = (34.0 * s, 46.0 * s, 76.0 * s);
    let cap = |width: f32| (width + 22.0 * s).max(38.0 * s).round();
    let keys = lines
        .iter()
        .filter_map(|(key, _)| key.as_ref().map(|key| cap(key.width)))
        .fold(0.0, f32::max);
    let indent = if keys > 0.0 { keys + 20.0 * s } else { 0.0 };
    let width = lines
        .iter()
        .map(|(key, text)| text.width + if key.is_some() { indent } else { 0.0 })
        .fold(title.width, f32::max);
    let surface = panel_surface(s);
    let margin = surface.margin();
    let body = Body {
        x: margin,
        y: margin,
        width: (width + 2.0 * pad).ceil(),
        height: (head + row * lines.len() as f32 + pad).ceil(),
    };
    let mut pixmap = text::blank(body.width + 2.0 * margin, body.height + 2.0 * margin);
    surface.paint(&mut pixmap, body);

    let x = margin + pad;
    let first = margin + pad + title_style.size_px * 0.72;
    painter.draw(&mut pixmap, &title, x, first, &title_style);
    let mut replaced = title.replaced;
    for (i, (key, meaning)) in lines.iter().enumerate() {
        let middle = margin + head + row * (i as f32 + 0.5);
        let mut at = x;
        if let Some(key) = key {
            let width = cap(key.width);
            let rect = Body {
                x,
                y: (middle - 17.0 * s).round(),
                width,
                height: (34.0 * s).round(),
            };
            key_surface(s).paint(&mut pixmap, rect);
            painter.draw(
                &mut pixmap,
                key,
                x + (width - key.width) / 2.0,
                middle + 7.5 * s,
                &key_style,
            );
            at += indent;
            replaced += key.replaced;
        }
        painter.draw(&mut pixmap, meaning, at, middle + 8.0 * s, &text_style);
        replaced += meaning.replaced;
    }
    let mut image = PixelBuffer::from_pixmap(pixmap, body, first);
    image.replaced = replaced;
    image
}

fn panel_surface(s: f32) -> Surface {
    let none = Rgba::BLACK.with_alpha(0.0);
    Surface {
        radius: 26.0 * s,
        top: Rgba::hex(0x24_23_30).with_alpha(0.94),
        bottom: Rgba::hex(0x12_11_1A).with_alpha(0.95),
        wash: Rgba::hex(0x6C_5C_E7).with_alpha(0.20),
        wash_reach: 520.0 * s,
        rim_px: (1.5 * s).max(1.0),
        rim: (
            Rgba::hex(0x9D_90_FF).with_alpha(0.60),
            Rgba::WHITE.with_alpha(0.14),
        ),
        lit: true,
        inner: Halo {
            reach_px: 0.0,
            colour: none,
        },
        keyline: (0.0, none),
        glow: Halo {
            reach_px: 0.0,
            colour: none,
        },
        shadow: Halo {
            reach_px: 32.0 * s,
            colour: Rgba::BLACK.with_alpha(0.50),
        },
        shadow_dy: 8.0 * s,
        mirrored: false,
    }
}

fn key_surface(s: f32) -> Surface {
    let none = Rgba::BLACK.with_alpha(0.0);
    Surface {
        radius: 9.0 * s,
        top: Rgba::hex(0x4A_48_5E),
        bottom: Rgba::hex(0x32_31_42),
        wash: none,
        wash_reach: 1.0,
        rim_px: 1.0,
        rim: (Rgba::WHITE.with_alpha(0.18), Rgba::WHITE.with_alpha(0.18)),
        lit: true,
        inner: Halo {
            reach_px: 0.0,
            colour: none,
        },
        keyline: (0.0, none),
        glow: Halo {
            reach_px: 0.0,
            colour: none,
        },
        shadow: Halo {
            reach_px: 4.0 * s,
            colour: Rgba::BLACK.with_alpha(0.6),
        },
        shadow_dy: 2.0 * s,
        mirrored: false,
    }
}
