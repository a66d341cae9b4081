//! The live badge, the goal and the connection.

use super::super::colour::Rgba;
use super::super::picture::PixelBuffer;
use super::super::text::TextPainter;
use super::super::theme::BOARD_ACCENT;
use super::{BoardSpec, Sheet, Signal, fill};

/// A capsule with a badge in it, and beside that how many watch.
pub(super) fn live(
    painter: &mut TextPainter,
    spec: &BoardSpec,
    is_live: bool,
    badge: &str,
    (viewers, noun): (&str, &str),
) -> PixelBuffer {
    let s = spec.s();
    let inks = spec.theme.badge(is_live);
    let letters = spec.theme.number(20.0 * s).colour(inks.text);
    let letters = super::TextStyle {
        shadow: None,
        ..letters
    };
    let count = spec.theme.title(25.0 * s, &BOARD_ACCENT);
    let word = spec.theme.quiet(21.0 * s);
    let (height, pad, badge_height) = (54.0 * s, 9.0 * s, 36.0 * s);
    let (dot, dot_gap) = (10.0 * s, 9.0 * s);
    let badge_width = 14.0 * s + dot + dot_gap + painter.lay_out(&letters, badge).width + 16.0 * s;
    let count_width = painter.lay_out(&count, viewers).width;
    let word_width = painter.lay_out(&word, noun).width;
    let width = pad + badge_width + 15.0 * s + count_width + 8.0 * s + word_width + 22.0 * s;
    let mut sheet = Sheet::panel(spec, width.min(spec.room), height, height / 2.0);

    let middle = height / 2.0;
    sheet.fill_capsule(
        pad,
        middle - badge_height / 2.0,
        (badge_width, badge_height),
        inks.fill,
        inks.glow,
    );
    let mut at = pad + 14.0 * s;
    sheet.fill_capsule(
        at,
        middle - dot / 2.0,
        (dot, dot),
        inks.dot,
        Rgba::WHITE.with_alpha(0.0),
    );
    at += dot + dot_gap;
    sheet.write(painter, &letters, badge, at, middle);
    at = pad + badge_width + 15.0 * s;
    at += sheet.write(painter, &count, viewers, at, middle) + 8.0 * s;
    sheet.write(painter, &word, noun, at, middle + 0.5 * s);
    sheet.finish()
}

/// What is collected for, how far it is, and the bar's track.
pub(super) fn goal(
    painter: &mut TextPainter,
    spec: &BoardSpec,
    title: &str,
    (current, target): (&str, &str),
    reached: Option<&str>,
) -> PixelBuffer {
    let s = spec.s();
    let measures = fill::Measures::of(spec);
    let width = measures.width;
    let mut sheet = Sheet::panel(spec, width, measures.height, 26.0 * s);
    let (pad, middle) = (measures.pad, 36.0 * s);
    let strong = spec.theme.strong(26.0 * s, &BOARD_ACCENT);
    let quiet = spec.theme.quiet(23.0 * s);
    let end = width - pad;
    let taken = if let Some(reached) = reached {
        let gold = spec.theme.place(0);
        let style = strong.colour(gold).max_width(width * 0.5);
        sheet.write_before(painter, &style, reached, end, middle)
    } else {
        // Each is a line of its own, so the stroke must know the direction.
        let target = if spec.mirrored {
            format!("{target} /")
        } else {
            format!("/ {target}")
        };
        let after = sheet.write_before(painter, &quiet, &target, end, middle + 0.8 * s);
        let gap = 8.0 * s;
        after + gap + sheet.write_before(painter, &strong, current, end - after - gap, middle)
    };
    let name = spec
        .theme
        .title(26.0 * s, &BOARD_ACCENT)
        .max_width((width - 2.0 * pad - taken - 24.0 * s).max(30.0 * s));
    sheet.write(painter, &name, title, pad, middle);
    fill::track(&mut sheet, spec, &measures);
    sheet.finish()
}

/// A dot and a sentence.
pub(super) fn link(
    painter: &mut TextPainter,
    spec: &BoardSpec,
    signal: Signal,
    words: &str,
) -> PixelBuffer {
    let s = spec.s();
    let (height, pad, dot) = (42.0 * s, 18.0 * s, 12.0 * s);
    let colour = spec.theme.signal(signal);
    let style = spec
        .theme
        .quiet(20.0 * s)
        .max_width((spec.room - 3.0 * pad - dot).max(30.0 * s));
    let width = pad + dot + 11.0 * s + painter.lay_out(&style, words).width + pad + 2.0 * s;
    let mut sheet = Sheet::panel(spec, width, height, height / 2.0);
    let middle = height / 2.0;
    let glow = if spec.theme.is_soft() { 0.6 } else { 0.0 };
    sheet.fill_capsule(
        pad,
        middle - dot / 2.0,
        (dot, dot),
        colour,
        colour.with_alpha(glow),
    );
    sheet.write(painter, &style, words, pad + dot + 11.0 * s, middle);
    sheet.finish()
}
