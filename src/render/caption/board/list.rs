//! Top gifters and recent gifts: a heading and rows.

use super::super::avatar::{self, Disc};
use super::super::colour::{Accent, Rgba};
use super::super::picture::{Picture, PixelBuffer};
use super::super::text::TextPainter;
use super::super::theme::BOARD_ACCENT;
use super::{BoardSpec, GifterRow, MAX_ROWS, RecentRow, Sheet};

/// Designed lengths.
const WIDTH: f32 = 436.0;
/// Between two lists, and how narrow one may become for the other's sake.
const BETWEEN: f32 = 20.0;
const LEAST: f32 = 300.0;
const PAD: f32 = 22.0;
const HEAD: f32 = 60.0;
const ROW: f32 = 52.0;
const FOOT: f32 = 14.0;
const FACE: f32 = 38.0;
const TEXT: f32 = 24.0;
/// What a ring adds to a face's diameter.
const RING: f32 = 5.0;
/// Places that have one.
const MEDALS: usize = 3;

/// Width and height of a list of so many rows, in pixels.
pub fn size(spec: &BoardSpec, rows: usize) -> (f32, f32) {
    let s = spec.s();
    // On a phone the two lists stand side by side, a little narrower.
    let half = ((spec.room - BETWEEN * s) / 2.0).max(LEAST * s);
    let width = spec.width(WIDTH).min(half).round();
    (width, (HEAD + ROW * rows as f32 + FOOT) * s)
}

/// A panel with its heading and a line beneath it.
fn panel(painter: &mut TextPainter, spec: &BoardSpec, title: &str, rows: usize) -> Sheet {
    let s = spec.s();
    let (width, height) = size(spec, rows);
    let mut sheet = Sheet::panel(spec, width, height, 26.0 * s);
    let style = spec
        .theme
        .quiet(21.0 * s)
        .bold()
        .max_width(width - 2.0 * PAD * s);
    sheet.write(painter, &style, title, PAD * s, (HEAD * 0.5 - 1.0) * s);
    sheet.rule(
        (HEAD - 7.0) * s,
        PAD * s,
        (1.5 * s).max(1.0),
        spec.theme.hairline(),
    );
    sheet
}

fn middle_of(row: usize, s: f32) -> f32 {
    (HEAD + ROW * (row as f32 + 0.5)) * s
}

pub(super) fn gifters(
    painter: &mut TextPainter,
    spec: &BoardSpec,
    title: &str,
    rows: &[GifterRow],
) -> PixelBuffer {
    let s = spec.s();
    let rows = &rows[..rows.len().min(MAX_ROWS)];
    let mut sheet = panel(painter, spec, title, rows.len());
    let width = sheet.body.width;
    // Wide enough for "10".
    let places = 27.0 * s;
    let total = spec.theme.strong(TEXT * s, &BOARD_ACCENT);
    let total = total.max_width(width * 0.42);
    for (row, gifter) in rows.iter().enumerate() {
        let middle = middle_of(row, s);
        let place = super::TextStyle {
            shadow: None,
            ..spec.theme.number(22.0 * s).colour(spec.theme.place(row))
        };
        let number = (row + 1).to_string();
        let end = PAD * s + places - 6.0 * s;
        sheet.write_before(painter, &place, &number, end, middle);
        let mut at = PAD * s + places + 4.0 * s;
        let medal = (row < MEDALS).then(|| spec.theme.place(row));
        let worn = (&*gifter.name.0, gifter.face.as_ref());
        face(painter, &mut sheet, worn, (at, middle, s), medal);
        at += (FACE + 13.0) * s;
        let end = width - PAD * s;
        let taken = sheet.write_before(painter, &total, &gifter.total, end, middle);
        let name = spec
            .theme
            .title(TEXT * s, &BOARD_ACCENT)
            .max_width((end - taken - 16.0 * s - at).max(TEXT * s));
        sheet.write(painter, &name, &gifter.name.0, at, middle);
    }
    sheet.finish()
}

pub(super) fn recent(
    painter: &mut TextPainter,
    spec: &BoardSpec,
    title: &str,
    rows: &[RecentRow],
) -> PixelBuffer {
    let s = spec.s();
    let rows = &rows[..rows.len().min(MAX_ROWS)];
    let mut sheet = panel(painter, spec, title, rows.len());
    let end = sheet.body.width - PAD * s;
    let count = spec.theme.number(TEXT * s);
    let gift = spec
        .theme
        .strong((TEXT - 2.0) * s, &BOARD_ACCENT)
        .max_width(end * 0.4);
    for (row, given) in rows.iter().enumerate() {
        let middle = middle_of(row, s);
        let mut at = PAD * s;
        if let Some(icon) = &given.icon {
            let side = (FACE + 6.0) * s;
            let x = sheet.x(at - 2.0 * s, side).round() as i32;
            let y = (sheet.body.y + middle - side / 2.0).round() as i32;
            icon.draw(
                &mut sheet.pixmap,
                x,
                y,
                side.round().max(1.0) as usize,
                false,
            );
        } else {
            let worn = (&*given.name.0, given.face.as_ref());
            face(painter, &mut sheet, worn, (at, middle, s), None);
        }
        at += (FACE + 15.0) * s;
        let mut free = end;
        if !given.quantity.is_empty() {
            free -= sheet.write_before(painter, &count, &given.quantity, free, middle) + 10.0 * s;
        }
        if given.icon.is_none() {
            free -= sheet.write_before(painter, &gift, &given.gift, free, middle) + 10.0 * s;
        }
        let name = spec
            .theme
            .title(TEXT * s, &BOARD_ACCENT)
            .max_width((free - 6.0 * s - at).max(TEXT * s));
        sheet.write(painter, &name, &given.name.0, at, middle);
    }
    sheet.finish()
}

/// A face, with a ring around it for those who won a medal.
fn face(
    painter: &mut TextPainter,
    sheet: &mut Sheet,
    (name, picture): (&str, Option<&Picture>),
    (from, middle, s): (f32, f32, f32),
    medal: Option<Rgba>,
) {
    let inner = FACE * s;
    let disc = Disc {
        cx: sheet.x(from, inner) + inner / 2.0,
        cy: sheet.body.y + middle,
        diameter: if medal.is_some() {
            inner + RING * s
        } else {
            inner
        },
    };
    let ring = medal.map(|colour| Accent {
        primary: colour,
        secondary: colour.mix(Rgba::BLACK, 0.25),
    });
    let ring = ring.as_ref();
    avatar::draw(painter, &mut sheet.pixmap, &disc, name, picture, ring);
}
