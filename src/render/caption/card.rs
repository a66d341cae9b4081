//! The caption card: who, what, how many.
//!
//! One layout for all themes; colours and bodies are the [`Theme`]'s. Bodies are
//! nearly opaque on purpose: outputs blend in sRGB (desktops) or in linear
//! light (OBS), and a fainter body would turn grey in the latter over white.

use std::sync::Arc;

use tiny_skia::Pixmap;

use super::avatar::{self, Disc};
use super::badge;
use super::colour::{Accent, Rgba};
use super::counter::quantity;
use super::mask::Mask;
use super::picture::{Body, Picture, PixelBuffer};
use super::text::{self, Fill, LaidLine, TextPainter, TextStyle};
use super::theme::Theme;
use crate::locale::{Text, Words};
use crate::model::{Badge, Private};

/// A card to paint.
#[derive(Debug, Clone)]
pub struct CardSpec {
    pub size: CardSize,
    pub title: CardTitle,
    /// The gift's display name, "Rose".
    pub gift: Arc<str>,
    pub icon: Option<Picture>,
    /// Shown from 2 on.
    pub quantity: u64,
    pub accent: Accent,
    pub theme: Theme,
    /// 1.0 for a stage of 1080 lines; 0.2 to 4.
    pub scale: f32,
    /// A stage's room in pixels, where the design would be wider than that.
    pub room: Option<f32>,
}

/// For which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardSize {
    /// Ambient: one line.
    Compact,
    /// Feature.
    Regular,
    /// Headline.
    Large,
}

/// Whose card it is.
#[derive(Debug, Clone)]
pub enum CardTitle {
    Sender {
        /// Empty for someone without a name.
        name: Private<Arc<str>>,
        avatar: Option<Picture>,
        badge: Option<Badge>,
    },
    /// Gifts of many, folded together.
    Bundle { people: u32 },
}

/// How small a whole card becomes, of its size, before its words are cut.
const SMALLEST: f32 = 0.75;

/// Lengths of one card size, in pixels.
struct Measures {
    height: f32,
    pad: f32,
    gap: f32,
    /// From the text or icon to the trailing end.
    end: f32,
    title_px: f32,
    detail_px: f32,
    icon: f32,
    max_width: f32,
}

impl Measures {
    /// With so much of its size, in this room if any.
    fn of(spec: &CardSpec, share: f32, room: Option<f32>) -> Self {
        let s = spec.scale.clamp(0.2, 4.0) * share;
        let [height, pad, gap, end, title_px, detail_px, icon, max_width] = match spec.size {
            CardSize::Compact => [64.0, 7.0, 13.0, 26.0, 28.0, 27.0, 60.0, 560.0],
            CardSize::Regular => [112.0, 13.0, 20.0, 42.0, 39.0, 29.0, 120.0, 760.0],
            CardSize::Large => [184.0, 21.0, 32.0, 68.0, 67.0, 47.0, 200.0, 1240.0],
        };
        // Below this a card could not hold a face and a letter.
        let least = height * s * 3.4;
        let room = room.unwrap_or(f32::INFINITY).max(least);
        Self {
            height: (height * s).round(),
            pad: pad * s,
            gap: gap * s,
            end: end * s,
            title_px: title_px * s,
            detail_px: detail_px * s,
            icon: (icon * s).round(),
            max_width: (max_width * s).min(room),
        }
    }

    fn avatar(&self) -> f32 {
        self.height - 2.0 * self.pad
    }

    /// What an icon takes at the trailing end.
    fn icon_room(&self, spec: &CardSpec) -> f32 {
        match has_trailing_icon(spec) {
            true => self.gap * 0.5 + self.icon,
            false => 0.0,
        }
    }

    /// The width of all but the text.
    fn fixed(&self, spec: &CardSpec) -> f32 {
        let end = match has_trailing_icon(spec) {
            true => self.end * 0.3,
            false => self.end,
        };
        self.pad + self.avatar() + self.gap + self.icon_room(spec) + end
    }
}

/// A stretch of a row in one style.
struct Piece {
    style: TextStyle,
    line: LaidLine,
    x: f32,
}

/// Pieces side by side.
#[derive(Default)]
struct Row {
    pieces: Vec<Piece>,
    width: f32,
}

impl Row {
    fn push(&mut self, painter: &mut TextPainter, style: TextStyle, text: &str, gap: f32) {
        let line = painter.lay_out(&style, text);
        let gap = if self.pieces.is_empty() { 0.0 } else { gap };
        let x = self.width + gap;
        self.width = x + line.width;
        self.pieces.push(Piece { style, line, x });
    }

    fn draw(&self, painter: &mut TextPainter, target: &mut Pixmap, x: f32, baseline: f32) -> u32 {
        for piece in &self.pieces {
            painter.draw(target, &piece.line, x + piece.x, baseline, &piece.style);
        }
        self.pieces.iter().map(|piece| piece.line.replaced).sum()
    }
}

/// A bundle's icon takes the avatar's place.
fn has_trailing_icon(spec: &CardSpec) -> bool {
    spec.icon.is_some() && matches!(spec.title, CardTitle::Sender { .. })
}

/// A card's words, and how large it is for their sake: as designed, or as much smaller
/// as they need to be in its room.
fn fitting(painter: &mut TextPainter, words: &Words, spec: &CardSpec) -> (Measures, Rows) {
    let mut laid_out = |share: f32, room: Option<f32>| {
        let m = Measures::of(spec, share, room);
        let rows = rows(painter, words, spec, &m, m.max_width - m.fixed(spec));
        (m, rows)
    };
    let (m, rows) = laid_out(1.0, None);
    let width = m.fixed(spec) + rows.width();
    match spec.room {
        Some(room) if width > room => {
            // A little less: letters and gaps are rounded to pixels.
            let share = (0.99 * room / width).max(SMALLEST);
            laid_out(share, Some(room))
        }
        _ => (m, rows),
    }
}

/// Paints a card.
pub fn paint(painter: &mut TextPainter, words: &Words, spec: &CardSpec) -> PixelBuffer {
    let (m, rows) = fitting(painter, words, spec);
    let trailing_icon = has_trailing_icon(spec);
    let mirrored = rows.mirrored;
    let text_width = rows.width();
    let width = (m.fixed(spec) + text_width).ceil().max(m.height);

    let surface = spec.theme.card(&spec.accent, m.height, width, mirrored);
    let margin = surface.margin();
    let body = Body {
        x: margin,
        y: margin,
        width,
        height: m.height,
    };
    let mut pixmap = text::blank(width + 2.0 * margin, m.height + 2.0 * margin);
    surface.paint(&mut pixmap, body);

    // Positions are counted from the leading end; `flip` turns a left edge
    // there into one in the image.
    let flip = |from: f32, length: f32| {
        if mirrored {
            margin + width - from - length
        } else {
            margin + from
        }
    };
    let avatar_x = flip(m.pad, m.avatar());
    let at = (avatar_x, margin + m.pad);
    leading(painter, &mut pixmap, spec, &m, at, mirrored);
    let text_from = m.pad + m.avatar() + m.gap;
    if trailing_icon && let Some(icon) = &spec.icon {
        let x = flip(text_from + text_width + m.gap * 0.5, m.icon);
        draw_icon(
            &mut pixmap,
            icon,
            (x, margin + (m.height - m.icon) / 2.0),
            m.icon,
            spec,
        );
    }
    let (first, second) = baselines(&m, margin, rows.detail.is_some());
    let mut replaced = rows.title.draw(
        painter,
        &mut pixmap,
        flip(text_from, rows.title.width),
        first,
    );
    if let Some(detail) = &rows.detail {
        replaced += detail.draw(painter, &mut pixmap, flip(text_from, detail.width), second);
    }
    let mut image = PixelBuffer::from_pixmap(pixmap, body, first);
    image.replaced = replaced;
    image
}

/// Baselines of the two rows (equal for one), so that capitals sit in the
/// optical middle.
fn baselines(m: &Measures, margin: f32, two: bool) -> (f32, f32) {
    const CAPITAL: f32 = 0.714;
    let middle = margin + m.height / 2.0;
    if two {
        let leading = m.title_px * 0.43;
        let block = CAPITAL * m.title_px + leading + CAPITAL * m.detail_px;
        let top = middle - block / 2.0 - m.title_px * 0.02;
        (top + CAPITAL * m.title_px, top + block)
    } else {
        let baseline = middle + CAPITAL * m.title_px / 2.0;
        (baseline, baseline)
    }
}

struct Rows {
    title: Row,
    detail: Option<Row>,
    mirrored: bool,
}

impl Rows {
    fn width(&self) -> f32 {
        let detail = self.detail.as_ref().map_or(0.0, |row| row.width);
        self.title.width.max(detail)
    }
}

fn rows(
    painter: &mut TextPainter,
    words: &Words,
    spec: &CardSpec,
    m: &Measures,
    room: f32,
) -> Rows {
    let title = spec.theme.title(m.title_px, &spec.accent);
    let muted = spec.theme.quiet(m.detail_px);
    let strong = spec.theme.strong(m.detail_px, &spec.accent);
    let count = (spec.quantity > 1).then(|| quantity(words, spec.quantity));
    let space = m.detail_px * 0.28;
    let sender: Arc<str> = match &spec.title {
        CardTitle::Sender { name, .. } if name.0.trim().is_empty() => {
            words.say(Text::Someone).into()
        }
        CardTitle::Sender { name, .. } => name.0.clone(),
        CardTitle::Bundle { people } => {
            return bundle_rows(
                painter,
                words,
                spec,
                (*people, room),
                (&title, &muted, &strong),
            );
        }
    };

    if spec.size == CardSize::Compact {
        let mut tail = Row::default();
        if !has_trailing_icon(spec) {
            tail.push(
                painter,
                strong.clone().max_width(room * 0.4),
                &spec.gift,
                space,
            );
        }
        if let Some(count) = &count {
            tail.push(painter, strong, count, space);
        }
        let tail_room = if tail.pieces.is_empty() {
            0.0
        } else {
            tail.width + m.gap
        };
        let mut row = Row::default();
        row.push(painter, title.max_width(room - tail_room), &sender, 0.0);
        let mirrored = row.pieces[0].line.rtl;
        join(&mut row, tail, m.gap, mirrored);
        return Rows {
            title: row,
            detail: None,
            mirrored,
        };
    }

    let mut row = Row::default();
    row.push(painter, title.max_width(room), &sender, 0.0);
    let mirrored = row.pieces[0].line.rtl;
    let mut count_room = 0.0;
    if let Some(count) = &count {
        count_room = painter.lay_out(&strong, count).width + space;
    }
    let mut detail = Row::default();
    detail.push(painter, muted, &words.say(Text::CardSent), 0.0);
    let gift_room = (room - detail.width - 2.0 * space - count_room).max(m.detail_px);
    detail.push(
        painter,
        strong.clone().max_width(gift_room),
        &spec.gift,
        space,
    );
    if let Some(count) = &count {
        let number = spec.theme.number(m.detail_px);
        detail.push(painter, number, count, space * 1.2);
    }
    Rows {
        title: row,
        detail: Some(detail),
        mirrored,
    }
}

/// Puts `tail` after `row` in reading direction.
fn join(row: &mut Row, tail: Row, gap: f32, mirrored: bool) {
    if tail.pieces.is_empty() {
        return;
    }
    let (moved, by) = if mirrored {
        (&mut row.pieces, tail.width + gap)
    } else {
        (&mut Vec::new(), 0.0)
    };
    for piece in moved {
        piece.x += by;
    }
    let start = if mirrored { 0.0 } else { row.width + gap };
    row.width += gap + tail.width;
    row.pieces
        .extend(tail.pieces.into_iter().map(|piece| Piece {
            x: piece.x + start,
            ..piece
        }));
}

/// "Rose ×240" over "from 31 people"; on one line when compact.
fn bundle_rows(
    painter: &mut TextPainter,
    words: &Words,
    spec: &CardSpec,
    (people, room): (u32, f32),
    (title, muted, strong): (&TextStyle, &TextStyle, &TextStyle),
) -> Rows {
    let space = title.size_px * 0.28;
    let bright = TextStyle {
        fill: strong.fill,
        ..title.clone()
    };
    let count = quantity(words, spec.quantity);
    let mut detail = Row::default();
    let gap = muted.size_px * 0.28;
    let number = words.number(u64::from(people));
    let told = words.count(Text::CardFrom, u64::from(people));
    // The number stands out from its words, wherever the language puts it.
    let (before, after) = told.split_once(&number).unwrap_or((&told, ""));
    for (text, style) in [
        (before, muted.clone()),
        (&*number, spec.theme.number(muted.size_px)),
        (after, muted.clone()),
    ] {
        if !text.trim().is_empty() {
            detail.push(painter, style, text.trim(), gap);
        }
    }

    let compact = spec.size == CardSize::Compact;
    let taken = painter.lay_out(&bright, &count).width
        + space
        + if compact { detail.width + space } else { 0.0 };
    let mut row = Row::default();
    row.push(
        painter,
        title.clone().max_width((room - taken).max(title.size_px)),
        &spec.gift,
        0.0,
    );
    row.push(painter, bright, &count, space);
    if compact {
        join(&mut row, detail, space * 1.4, false);
        return Rows {
            title: row,
            detail: None,
            mirrored: false,
        };
    }
    Rows {
        title: row,
        detail: Some(detail),
        mirrored: false,
    }
}

/// The disc at the leading end: the sender, or a bundle's gift.
fn leading(
    painter: &mut TextPainter,
    target: &mut Pixmap,
    spec: &CardSpec,
    m: &Measures,
    at: (f32, f32),
    mirrored: bool,
) {
    let diameter = m.avatar();
    let disc = Disc {
        cx: at.0 + diameter / 2.0,
        cy: at.1 + diameter / 2.0,
        diameter,
    };
    match (&spec.title, &spec.icon) {
        (
            CardTitle::Sender {
                name,
                avatar,
                badge,
            },
            _,
        ) => {
            avatar::draw(
                painter,
                target,
                &disc,
                &name.0,
                avatar.as_ref(),
                Some(&spec.theme.ring(&spec.accent)),
            );
            if let Some(badge) = badge {
                badge::draw(target, &disc, *badge, mirrored);
            }
        }
        (CardTitle::Bundle { .. }, Some(icon)) => {
            let side = diameter * 1.16;
            let at = (disc.cx - side / 2.0, disc.cy - side / 2.0);
            draw_icon(target, icon, at, side, spec);
        }
        (CardTitle::Bundle { .. }, None) => {
            let ring = spec.theme.ring(&spec.accent);
            avatar::draw(painter, target, &disc, &spec.gift, None, Some(&ring));
        }
    }
}

/// The gift's icon on a pool of its own light, a little above the card.
fn draw_icon(target: &mut Pixmap, icon: &Picture, at: (f32, f32), side: f32, spec: &CardSpec) {
    let pixels = side.round().max(1.0) as usize;
    let (x, y) = (at.0.round() as i32, at.1.round() as i32);
    if !spec.theme.is_soft() {
        icon.draw(target, x, y, pixels, false);
        return;
    }
    let reach = side * 0.62;
    let mut light = Mask::new(pixels * 2, pixels * 2);
    let centre = pixels as f32;
    for (y, row) in light.data.chunks_exact_mut(pixels * 2).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let (dx, dy) = (x as f32 + 0.5 - centre, y as f32 + 0.5 - centre);
            let t = (1.0 - (dx * dx + dy * dy) / (reach * reach)).max(0.0);
            *value = (t * t * 255.0) as u8;
        }
    }
    let half = pixels as i32 / 2;
    let colour = Fill::Solid(spec.accent.primary.at_least(0.2).with_alpha(0.45));
    light.tint_inside(target, x - half, y - half, &colour);

    let room = (side * 0.12).ceil() as i32;
    let mut shade = Mask::new(pixels + 2 * room as usize, pixels + 2 * room as usize);
    shade.stamp(&icon.silhouette(pixels), room, room);
    shade.blur(side * 0.08);
    let drop = (side * 0.035).round() as i32;
    let colour = Fill::Solid(Rgba::BLACK.with_alpha(0.55));
    shade.tint(target, x - room, y - room + drop, &colour, (0.0, 1.0));
    icon.draw(target, x, y, pixels, false);
}
