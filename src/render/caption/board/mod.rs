//! The board's parts, painted: live badge, goal, lists and connection.
//!
//! What a part says is decided elsewhere and comes as finished text; here it
//! gets its place. A part is one image, but for a goal's bar, which moves and
//! is an image of its own ([`fill`]).

pub mod fill;
mod list;
mod parts;

use std::sync::Arc;

use tiny_skia::Pixmap;

use super::colour::Rgba;
use super::mask::Fill;
use super::picture::{Body, Picture, PixelBuffer};
use super::surface::{Halo, Surface};
use super::text::{self, TextPainter, TextStyle};
use super::theme::Theme;
use crate::model::Private;

pub use list::size as list_size;

/// Rows that a list has at most; more would not fit a stage.
pub const MAX_ROWS: usize = 10;

/// A part of the board to paint.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardSpec {
    pub theme: Theme,
    /// 1.0 for a stage of 1080 lines; 0.2 to 4.
    pub scale: f32,
    /// Pixels that it may be wide.
    pub room: f32,
    /// The interface is read from right to left.
    pub mirrored: bool,
    pub kind: BoardKind,
}

/// Which part, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub enum BoardKind {
    Live {
        is_live: bool,
        badge: Arc<str>,
        viewers: Arc<str>,
        /// "viewers"
        noun: Arc<str>,
    },
    Goal {
        title: Arc<str>,
        current: Arc<str>,
        target: Arc<str>,
        /// In place of the numbers once it is reached.
        reached: Option<Arc<str>>,
    },
    /// The whole of a goal's bar, filled.
    Fill,
    /// A spark of the celebration.
    Spark,
    Gifters {
        title: Arc<str>,
        rows: Vec<GifterRow>,
    },
    Recent {
        title: Arc<str>,
        rows: Vec<RecentRow>,
    },
    Link {
        signal: Signal,
        words: Arc<str>,
    },
}

/// A sender and what they gave in all.
#[derive(Debug, Clone, PartialEq)]
pub struct GifterRow {
    pub name: Private<Arc<str>>,
    /// Initials when absent.
    pub face: Option<Picture>,
    pub total: Arc<str>,
}

/// A gift that came.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentRow {
    pub name: Private<Arc<str>>,
    pub gift: Arc<str>,
    /// In place of an icon; initials when absent.
    pub face: Option<Picture>,
    pub icon: Option<Picture>,
    /// "×12"; empty for one.
    pub quantity: Arc<str>,
}

/// How the connection is; the words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Good,
    Waiting,
    Bad,
}

/// Capital letters are this high, of an em (Noto Sans).
const CAPITAL: f32 = 0.714;

/// Paints a part.
pub fn paint(painter: &mut TextPainter, spec: &BoardSpec) -> PixelBuffer {
    match &spec.kind {
        BoardKind::Live {
            is_live,
            badge,
            viewers,
            noun,
        } => parts::live(painter, spec, *is_live, badge, (viewers, noun)),
        BoardKind::Goal {
            title,
            current,
            target,
            reached,
        } => parts::goal(painter, spec, title, (current, target), reached.as_deref()),
        BoardKind::Fill => fill::paint(spec),
        BoardKind::Spark => fill::spark(spec),
        BoardKind::Gifters { title, rows } => list::gifters(painter, spec, title, rows),
        BoardKind::Recent { title, rows } => list::recent(painter, spec, title, rows),
        BoardKind::Link { signal, words } => parts::link(painter, spec, *signal, words),
    }
}

impl BoardSpec {
    fn s(&self) -> f32 {
        self.scale.clamp(0.2, 4.0)
    }

    /// A designed width, as far as there is room.
    fn width(&self, designed: f32) -> f32 {
        (designed * self.s())
            .min(self.room.max(160.0 * self.s()))
            .round()
    }
}

/// A part in the making: its image, and a pen that counts from the leading
/// end.
struct Sheet {
    pixmap: Pixmap,
    body: Body,
    mirrored: bool,
    replaced: u32,
    baseline: f32,
}

impl Sheet {
    /// A body of that size, in the theme's panel.
    fn panel(spec: &BoardSpec, width: f32, height: f32, radius: f32) -> Self {
        let surface = spec
            .theme
            .panel(spec.s(), radius.min(height / 2.0), spec.mirrored);
        let margin = surface.margin();
        let body = Body {
            x: margin,
            y: margin,
            width: width.ceil(),
            height: height.round(),
        };
        let mut pixmap = text::blank(body.width + 2.0 * margin, body.height + 2.0 * margin);
        surface.paint(&mut pixmap, body);
        Self {
            pixmap,
            body,
            mirrored: spec.mirrored,
            replaced: 0,
            baseline: 0.0,
        }
    }

    /// The left edge of something `length` wide, `from` the leading end.
    fn x(&self, from: f32, length: f32) -> f32 {
        if self.mirrored {
            self.body.x + self.body.width - from - length
        } else {
            self.body.x + from
        }
    }

    /// Writes a line with the middle of its capitals `middle` below the body's
    /// top. Returns how wide it is.
    fn write(
        &mut self,
        painter: &mut TextPainter,
        style: &TextStyle,
        text: &str,
        from: f32,
        middle: f32,
    ) -> f32 {
        let line = painter.lay_out(style, text);
        let baseline = self.body.y + middle + CAPITAL * style.size_px / 2.0;
        let x = self.x(from, line.width);
        painter.draw(&mut self.pixmap, &line, x, baseline, style);
        self.replaced += line.replaced;
        if self.baseline == 0.0 {
            self.baseline = baseline.round();
        }
        line.width
    }

    /// Writes a line that ends `until` the leading end.
    fn write_before(
        &mut self,
        painter: &mut TextPainter,
        style: &TextStyle,
        text: &str,
        until: f32,
        middle: f32,
    ) -> f32 {
        let width = painter.lay_out(style, text).width;
        self.write(painter, style, text, until - width, middle)
    }

    fn fill_capsule(&mut self, from: f32, top: f32, size: (f32, f32), colour: Rgba, glow: Rgba) {
        let x = self.x(from, size.0);
        let y = self.body.y + top;
        let reach = size.1 * 0.4;
        let light = Halo {
            reach_px: reach,
            colour: glow,
        };
        let body = Body {
            x: x.round(),
            y: y.round(),
            width: size.0.round(),
            height: size.1.round(),
        };
        capsule(colour, light).paint(&mut self.pixmap, body);
    }

    fn rule(&mut self, top: f32, inset: f32, thickness: f32, colour: Rgba) {
        let mut mask = super::mask::Mask::new(
            (self.body.width - 2.0 * inset).max(1.0) as usize,
            thickness.round().max(1.0) as usize,
        );
        mask.data.fill(255);
        let (x, y) = (self.body.x + inset, self.body.y + top);
        mask.tint(
            &mut self.pixmap,
            x.round() as i32,
            y.round() as i32,
            &Fill::Solid(colour),
            (0.0, 1.0),
        );
    }

    fn finish(self) -> PixelBuffer {
        let mut image = PixelBuffer::from_pixmap(self.pixmap, self.body, self.baseline);
        image.replaced = self.replaced;
        image
    }
}

/// A flat capsule with light around it.
fn capsule(colour: Rgba, glow: Halo) -> Surface {
    let none = Rgba::BLACK.with_alpha(0.0);
    let no_halo = || Halo {
        reach_px: 0.0,
        colour: none,
    };
    Surface {
        radius: f32::INFINITY,
        top: colour,
        bottom: colour,
        wash: none,
        wash_reach: 1.0,
        rim_px: 0.0,
        rim: (none, none),
        lit: false,
        inner: no_halo(),
        keyline: (0.0, none),
        glow,
        shadow: no_halo(),
        shadow_dy: 0.0,
        mirrored: false,
    }
}
