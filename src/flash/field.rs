//! From cells that change to fields that flash.

use std::collections::VecDeque;

use super::light::Way;
use super::{CELL, CONCURRENT, MOST_HALVES, SECOND};
use crate::model::Moment;

/// Places in [`Fields::sums`].
const UP: usize = 0;
const DOWN: usize = 1;
const FLICKERING: usize = 2;

/// Ten degrees, in cells: 341 by 256 pixels.
const FIELD: (usize, usize) = ((341.0 / CELL) as usize, (256.0 / CELL) as usize);
/// Cells from one field that is looked at to the next.
const STRIDE: usize = 8;
/// The share of a field that makes its change one of the field.
pub(super) const AREA: f32 = 0.25;
/// A cell whose one state lasts up to this much longer than its other rests in
/// neither of them.
const EVEN: f32 = 1.25;
/// Frames within [`CONCURRENT`] that are kept; at more than 240 frames a second
/// the earliest of them are forgotten.
const MOST_FRAMES: usize = 24;
/// Changes of one field kept: far more than a second that passes may have.
const MOST_CHANGES: usize = 64;

/// Which cells changed in one frame.
#[derive(Debug)]
pub(super) struct Changes(Vec<Option<Way>>);

impl Changes {
    pub fn none(cells: usize) -> Self {
        Self(vec![None; cells])
    }

    pub fn set(&mut self, cell: usize, way: Option<Way>) {
        self.0[cell] = way;
    }
}

/// What one frame brought the worst field to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub half_flashes: usize,
    pub area: f32,
    pub flickering: f32,
    pub flickering_place: (f32, f32),
}

/// When a cell changed: one time more than a second may have.
#[derive(Debug, Clone, Copy)]
struct Times {
    at: [f32; MOST_HALVES + 1],
    next: usize,
}

impl Times {
    const NONE: Self = Self {
        at: [f32::NEG_INFINITY; MOST_HALVES + 1],
        next: 0,
    };

    fn push(&mut self, at: f32) {
        self.at[self.next] = at;
        self.next = (self.next + 1) % self.at.len();
    }

    /// Whether all of them fell into the second that ends at `now`, and a flash
    /// is under way: the cell is in the one of its two states in which it spends
    /// less time. Between the flashes it rests.
    fn are_flashing(&self, now: f32) -> bool {
        // Frames that are a second apart are so to a few milliseconds.
        if now - self.at[self.next] >= SECOND.as_secs_f32() - 0.004 {
            return false;
        }
        let (mut like_now, mut other) = (0.0, 0.0);
        for change in 0..MOST_HALVES {
            let at = |change: usize| self.at[(self.next + change) % self.at.len()];
            // They alternate, and the last one led into the state of now.
            let spent = if (MOST_HALVES - change).is_multiple_of(2) {
                &mut like_now
            } else {
                &mut other
            };
            *spent += at(change + 1) - at(change);
        }
        like_now <= other * EVEN
    }
}

/// Changes of one field within the last second, alternating.
#[derive(Debug, Clone, Default)]
struct Field {
    changes: VecDeque<(Moment, Way)>,
}

#[derive(Debug)]
pub(super) struct Fields {
    columns: usize,
    rows: usize,
    /// Width and height in cells; the picture's own where it is smaller.
    size: (usize, usize),
    places: Vec<(usize, usize)>,
    fields: Vec<Field>,
    recent: VecDeque<(Moment, Changes)>,
    cells: Vec<Times>,
    /// Sums over all cells above and to the left: of those that went up, that
    /// went down, and that flicker.
    sums: [Vec<u32>; 3],
}

impl Fields {
    pub fn new(columns: usize, rows: usize) -> Self {
        let size = (FIELD.0.min(columns), FIELD.1.min(rows));
        let steps = |all: usize, size: usize| {
            let last = all - size;
            let mut at: Vec<usize> = (0..=last).step_by(STRIDE).collect();
            if at.last() != Some(&last) {
                at.push(last);
            }
            at
        };
        let mut places = Vec::new();
        for top in steps(rows, size.1) {
            places.extend(steps(columns, size.0).into_iter().map(|left| (left, top)));
        }
        let sums = || vec![0; (columns + 1) * (rows + 1)];
        Self {
            columns,
            rows,
            size,
            fields: vec![Field::default(); places.len()],
            places,
            recent: VecDeque::new(),
            cells: vec![Times::NONE; columns * rows],
            sums: [sums(), sums(), sums()],
        }
    }

    /// One frame's changes.
    pub fn push(&mut self, at: Moment, changes: Changes) -> Seen {
        while self
            .recent
            .front()
            .is_some_and(|(then, _)| at.saturating_sub(*then) >= CONCURRENT)
            || self.recent.len() >= MOST_FRAMES
        {
            self.recent.pop_front();
        }
        let now = at.as_secs_f32();
        for (cell, way) in self.cells.iter_mut().zip(&changes.0) {
            if way.is_some() {
                cell.push(now);
            }
        }
        self.recent.push_back((at, changes));
        self.sum_up(now);

        // A quarter of ten degrees, even where the picture is smaller.
        let whole = (FIELD.0 * FIELD.1).min(self.columns * self.rows) as f32;
        let mut seen = Seen::default();
        for (index, place) in self.places.iter().enumerate() {
            let share = |what: usize| self.count(what, *place) as f32 / whole;
            let (up, down, flickering) = (share(UP), share(DOWN), share(FLICKERING));
            if flickering > seen.flickering {
                seen.flickering = flickering;
                seen.flickering_place = self.middle(*place);
            }
            // What goes up here while as much goes down there has moved.
            let net = up - down;
            seen.area = seen.area.max(net.abs());
            let field = &mut self.fields[index];
            if net >= AREA {
                field.change(at, Way::Up);
            } else if -net >= AREA {
                field.change(at, Way::Down);
            }
            seen.half_flashes = seen.half_flashes.max(field.within_a_second(at));
        }
        seen
    }

    /// A cell that changed both ways within the window counts for both.
    fn sum_up(&mut self, now: f32) {
        let (recent, cells) = (&self.recent, &self.cells);
        let changed = |way| move |cell: usize| recent.iter().any(|(_, c)| c.0[cell] == Some(way));
        let (columns, rows) = (self.columns, self.rows);
        sum_into(&mut self.sums[UP], columns, rows, changed(Way::Up));
        sum_into(&mut self.sums[DOWN], columns, rows, changed(Way::Down));
        let flickers = |cell: usize| cells[cell].are_flashing(now);
        sum_into(&mut self.sums[FLICKERING], columns, rows, flickers);
    }

    /// The middle of a field, in shares of the picture's sides.
    fn middle(&self, (left, top): (usize, usize)) -> (f32, f32) {
        let share =
            |from: usize, size: usize, all: usize| (from as f32 + size as f32 / 2.0) / all as f32;
        (
            share(left, self.size.0, self.columns),
            share(top, self.size.1, self.rows),
        )
    }

    fn count(&self, way: usize, (left, top): (usize, usize)) -> u32 {
        let width = self.columns + 1;
        let at = |column: usize, row: usize| self.sums[way][row * width + column];
        let (right, bottom) = (left + self.size.0, top + self.size.1);
        at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top)
    }
}

/// A table of sums over `columns` by `rows` cells of those that `counts` says yes
/// of, each over all above and to the left (Crow 1984).
fn sum_into(sums: &mut [u32], columns: usize, rows: usize, counts: impl Fn(usize) -> bool) {
    let width = columns + 1;
    for row in 0..rows {
        let mut line = 0;
        for column in 0..columns {
            line += u32::from(counts(row * columns + column));
            sums[(row + 1) * width + column + 1] = sums[row * width + column + 1] + line;
        }
    }
}

impl Field {
    fn change(&mut self, at: Moment, way: Way) {
        if self.changes.back().is_some_and(|(_, last)| *last == way) {
            return;
        }
        if self.changes.len() >= MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back((at, way));
    }

    fn within_a_second(&mut self, at: Moment) -> usize {
        // The last one stays, so that the next is known to oppose it.
        while self.changes.len() > 1
            && self
                .changes
                .front()
                .is_some_and(|(then, _)| at.saturating_sub(*then) >= SECOND)
        {
            self.changes.pop_front();
        }
        let within = |(then, _): &&(Moment, Way)| at.saturating_sub(*then) < SECOND;
        self.changes.iter().filter(within).count()
    }
}
