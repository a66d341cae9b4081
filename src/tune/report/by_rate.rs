//! One picture over the rates: how long gifts wait, how they end, how full the
//! screen is.

use std::ops::Range;
use std::time::Duration;

use super::Report;
use super::plot::{ACROSS, Picture, STYLE, WaitScale};
use crate::tune::PROMPT;
use crate::tune::judge::{Judgement, Waits};
use crate::tune::words::{a_second, number, rate, share, span};

const HEIGHT: f64 = 596.0;
/// Top and bottom of the three plots.
const WAITS: (f64, f64) = (64.0, 280.0);
const ENDINGS: (f64, f64) = (338.0, 452.0);
const COVERAGE: (f64, f64) = (496.0, 536.0);
/// The widest bar.
const WIDEST: f64 = 44.0;

/// A way to end: which, its class, and how many gifts ended so.
type Ending = (&'static str, &'static str, fn(&Judgement) -> u64);

/// From the bottom of a bar to its top.
const PARTS: [Ending; 5] = [
    ("an act of its own", "played", |judged| {
        judged.endings.played
    }),
    ("in its streak", "streak", |judged| {
        judged.endings.joined_streak
    }),
    ("folded with others", "folded", |judged| {
        judged.endings.joined_bundle
    }),
    ("refused", "refused", |judged| judged.endings.refused),
    ("not to be drawn", "unseen", |judged| {
        judged.endings.dismissed + judged.endings.failed
    }),
];

/// A line of waits: what it is called, its class, and which wait it is.
type Line = (&'static str, &'static str, fn(&Waits) -> Duration);

const LINES: [Line; 3] = [
    ("longest", "max", |wait| wait.max),
    ("half of them", "p50", |wait| wait.p50),
    ("95 % of them", "p95", |wait| wait.p95),
];

impl Report {
    /// The picture over the rates as an SVG file by itself.
    pub fn svg(&self) -> String {
        self.by_rate(Some(STYLE))
    }

    pub(super) fn by_rate(&self, style: Option<&str>) -> String {
        let mut picture = Picture::new("by-rate", HEIGHT);
        self.mark_chosen(&mut picture);
        self.draw_waits(&mut picture);
        self.draw_endings(&mut picture);
        self.draw_answered(&mut picture);
        self.draw_coverage(&mut picture);
        for (index, judged) in self.judged.iter().enumerate() {
            let class = if self.chosen() == Some(index) {
                "chosen"
            } else {
                ""
            };
            let x = self.column(index);
            picture.text(x, COVERAGE.1 + 18.0, "middle", class, &rate(judged.rate));
        }
        let axis = "maxGiftsPerSecond: acts that may start a second";
        picture.below(HEIGHT - 12.0, axis);
        picture.finish("What each rate does to the gifts", &self.described(), style)
    }

    /// How wide a rate's column is.
    fn width(&self) -> f64 {
        (ACROSS.end - ACROSS.start) / self.judged.len().max(1) as f64
    }

    /// The middle of a rate's column.
    fn column(&self, index: usize) -> f64 {
        ACROSS.start + self.width() * (index as f64 + 0.5)
    }

    fn bar(&self, index: usize) -> Range<f64> {
        let half = (0.36 * self.width()).min(WIDEST / 2.0);
        let middle = self.column(index);
        middle - half..middle + half
    }

    fn mark_chosen(&self, picture: &mut Picture) {
        let Some(chosen) = self.chosen() else { return };
        let x = self.column(chosen);
        let half = (self.width() / 2.0).min(WIDEST);
        let across = x - half..x + half;
        let rate = a_second(self.judged[chosen].rate);
        picture.block(
            across,
            30.0..COVERAGE.1 + 26.0,
            "band",
            &format!("{rate} is recommended"),
        );
        // Near an edge the words begin or end with the column.
        let (x, anchor) = match x {
            x if x < ACROSS.start + 50.0 => (x - half, "start"),
            x if x > ACROSS.end - 50.0 => (x + half, "end"),
            x => (x, "middle"),
        };
        picture.text(x, 46.0, anchor, "chosen", "recommended");
    }

    fn draw_waits(&self, picture: &mut Picture) {
        let (top, bottom) = WAITS;
        picture.head(16.0, "How long gifts wait until they are seen");
        let longest = self.judged.iter().map(|judged| judged.wait.max).max();
        let scale = WaitScale::to(longest.unwrap_or_default(), bottom, top);
        scale.draw(picture);
        let mut taken = vec![scale.y(PROMPT)];
        for (name, class, wait) in LINES {
            let point = |(index, judged): (usize, &Judgement)| {
                (self.column(index), scale.y(wait(&judged.wait)))
            };
            let points: Vec<_> = self.judged.iter().enumerate().map(point).collect();
            picture.path(&points, &format!("s-{class}"));
            for ((x, y), judged) in points.iter().zip(&self.judged) {
                let (wait, rate) = (span(wait(&judged.wait)), a_second(judged.rate));
                picture.dot(
                    (*x, *y),
                    &format!("f-{class}"),
                    &format!("{name}: {wait} at {rate}"),
                );
            }
            if let Some((_, y)) = points.last() {
                let y = clear_of(&mut taken, *y);
                picture.beside(y, "name", name);
            }
        }
    }

    fn draw_endings(&self, picture: &mut Picture) {
        let (top, bottom) = ENDINGS;
        picture.head(top - 30.0, "How they are seen");
        self.draw_shares(picture, ENDINGS);
        let mut legend = ACROSS.start;
        for (name, class, count) in PARTS {
            if self.judged.iter().all(|judged| count(judged) == 0) {
                continue;
            }
            picture.block(legend..legend + 11.0, top - 19.0..top - 8.0, class, name);
            picture.text(legend + 16.0, top - 9.0, "start", "name", name);
            legend += 34.0 + 6.4 * name.len() as f64;
        }
        for (index, judged) in self.judged.iter().enumerate() {
            let mut low = bottom;
            for (name, class, count) in PARTS {
                let part = judged.share(count(judged));
                let high = low - (bottom - top) * part;
                if part > 0.0 {
                    let told = format!("{}: {} {name}", a_second(judged.rate), share(part));
                    // A hair of ground between two parts tells them apart by itself.
                    let edge = if low - high > 3.0 { low - 1.0 } else { low };
                    picture.block(self.bar(index), high..edge, class, &told);
                }
                low = high;
            }
        }
    }

    /// What the rate is chosen by, over the bars.
    fn draw_answered(&self, picture: &mut Picture) {
        let (top, bottom) = ENDINGS;
        let point = |(index, judged): (usize, &Judgement)| {
            let y = bottom - (bottom - top) * judged.answered_share();
            (self.column(index), y)
        };
        let points: Vec<_> = self.judged.iter().enumerate().map(point).collect();
        picture.path(&points, "s-halo");
        picture.path(&points, "s-answered");
        for ((x, y), judged) in points.iter().zip(&self.judged) {
            let (rate, answered) = (a_second(judged.rate), share(judged.answered_share()));
            picture.dot(
                (*x, *y),
                "f-answered",
                &format!("answered: {answered} at {rate}"),
            );
        }
        if let Some((_, y)) = points.last() {
            let y = y.clamp(top, bottom - 14.0);
            picture.beside(y, "name", "answered");
            let seconds = number(PROMPT.as_secs_f64());
            picture.beside(y + 14.0, "", &format!("within {seconds} s"));
        }
    }

    fn draw_coverage(&self, picture: &mut Picture) {
        let (top, bottom) = COVERAGE;
        let head = "Share of the time with something on screen";
        picture.head(top - 14.0, head);
        self.draw_shares(picture, COVERAGE);
        for (index, judged) in self.judged.iter().enumerate() {
            let high = bottom - (bottom - top) * judged.coverage;
            let told = format!("{}: {}", a_second(judged.rate), share(judged.coverage));
            picture.block(self.bar(index), high..bottom, "covered", &told);
        }
    }

    /// The marks of an axis of shares.
    fn draw_shares(&self, picture: &mut Picture, (top, bottom): (f64, f64)) {
        for (y, mark) in [(bottom, "0 %"), (top, "100 %")] {
            picture.mark(y, mark);
        }
    }

    /// The picture in words, for who cannot see it.
    fn described(&self) -> String {
        let mut told = String::new();
        for judged in &self.judged {
            told += &format!(
                "At {}: {} answered; half wait at most {}, 95 % {}, the longest {}; {} folded, {} refused, {} of \
                 the time covered. ",
                a_second(judged.rate),
                share(judged.answered_share()),
                span(judged.wait.p50),
                span(judged.wait.p95),
                span(judged.wait.max),
                share(judged.folded_share()),
                share(judged.refused_share()),
                share(judged.coverage),
            );
        }
        if let Some(advice) = &self.advice {
            told += &format!("Recommended is {}.", a_second(advice.rate));
        }
        told
    }
}

/// The place nearest to `y` at which a line of text covers no other.
fn clear_of(taken: &mut Vec<f64>, y: f64) -> f64 {
    const LINE: f64 = 15.0;
    let is_free = |y: f64| taken.iter().all(|other| (other - y).abs() >= LINE);
    let steps = (0..60).flat_map(|step| [y - f64::from(step), y + f64::from(step)]);
    let y = steps.into_iter().find(|y| is_free(*y)).unwrap_or(y);
    taken.push(y);
    y
}
