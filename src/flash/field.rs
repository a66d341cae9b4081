//! From cells that change to fields that flash.

use std::collections::VecDeque;

use super::light::Way;
use super::{CELL, CONCURRENT, SECOND};
use crate::model::Moment;

/// Ten degrees, in cells: 341 by 256 pixels.
const FIELD: (usize, usize) = ((341.0 / CELL) as usize, (256.0 / CELL) as usize);
/// Cells from one field that is looked at to the next.
const STRIDE: usize = 8;
/// The share of a field that makes its change one of the field.
const AREA: f32 = 0.25;
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
    /// Sums over all cells above and to the left, for up and down.
    sums: [Vec<u32>; 2],
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
            sums: [sums(), sums()],
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
        self.recent.push_back((at, changes));
        self.sum_up();

        // A quarter of ten degrees, even where the picture is smaller.
        let whole = (FIELD.0 * FIELD.1).min(self.columns * self.rows) as f32;
        let mut seen = Seen::default();
        for (index, place) in self.places.iter().enumerate() {
            let [up, down] = [0, 1].map(|way| self.count(way, *place) as f32 / whole);
            seen.area = seen.area.max(up).max(down);
            let field = &mut self.fields[index];
            if up >= AREA {
                field.change(at, Way::Up);
            }
            if down >= AREA {
                field.change(at, Way::Down);
            }
            seen.half_flashes = seen.half_flashes.max(field.within_a_second(at));
        }
        seen
    }

    /// A cell that changed both ways within the window counts for both.
    fn sum_up(&mut self) {
        let width = self.columns + 1;
        for (sums, way) in self.sums.iter_mut().zip([Way::Up, Way::Down]) {
            for row in 0..self.rows {
                let mut line = 0;
                for column in 0..self.columns {
                    let cell = row * self.columns + column;
                    let changed = self
                        .recent
                        .iter()
                        .any(|(_, changes)| changes.0[cell] == Some(way));
                    line += u32::from(changed);
                    sums[(row + 1) * width + column + 1] = sums[row * width + column + 1] + line;
                }
            }
        }
    }

    fn count(&self, way: usize, (left, top): (usize, usize)) -> u32 {
        let width = self.columns + 1;
        let at = |column: usize, row: usize| self.sums[way][row * width + column];
        let (right, bottom) = (left + self.size.0, top + self.size.1);
        at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top)
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
