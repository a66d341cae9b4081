//! Whether a moving picture could harm somebody with photosensitive epilepsy.
//!
//! The measure is WCAG 2.2, success criterion 2.3.1 ("three flashes or below
//! threshold"): a *flash* is a pair of opposing changes, and no more than three
//! may fall into any second over a quarter of any field of ten degrees.
//!
//! - *General*: relative luminance changes by 0.10 or more and the darker of
//!   the two is below 0.80.
//! - *Red*: a change to or from saturated red, R/(R+G+B) of 0.8 or more in
//!   linear light, of a visible strength: max(0, R-G-B) changes by 20/320 or
//!   more (the working definition that WCAG takes from Harding and Binnie).
//! - *Field*: 341 by 256 of 1,024 by 768 pixels, the picture fitted into those.
//!
//! An [`Analyser`] is fed frames as they would be seen, over a backdrop, with
//! the time at which each is shown. It keeps a second of what it needs and no
//! frame, so it can run beside a show as well as over a recording.
//!
//! The picture is looked at in square cells of 4 pixels of those 1,024: smaller
//! detail averages out, as WCAG wants it for fine patterns. A cell changes when
//! it has moved far enough from its last turning point, so that a slow swell in
//! many small steps is one change. Two things are held to the limit:
//!
//! - the cells that flash more than three times within a second, each where it
//!   is, must at no time cover a quarter of a field: "the total area that is
//!   actually flashing at the same time" (Understanding SC 2.3.1). A flash is
//!   from a change to the opposite one; before and after it a cell is at rest,
//!   so sparks that cross a field one after another do not add up;
//! - a field as a whole changes when, within a tenth of a second, a quarter more
//!   of its cells have gone one way than the other, and may flash three times
//!   like that. What goes up here while as much goes down there has moved.

mod field;
mod light;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::model::Moment;
use field::{Changes, Fields};
use light::{Cell, Turning};

/// The picture is fitted into this many pixels, as WCAG measures.
const VIEW: (f64, f64) = (1024.0, 768.0);
/// Side of a cell in those pixels.
const CELL: f64 = 4.0;
/// Flashes that any second may have, and changes of which they are made.
pub const MOST_FLASHES: usize = 3;
const MOST_HALVES: usize = 2 * MOST_FLASHES;
/// The least change of relative luminance that counts, and the luminance that
/// the darker state must be below.
const GENERAL_STEP: f32 = 0.10;
const GENERAL_DARKER: f32 = 0.80;
/// The least change of max(0, R-G-B) that counts for red.
const RED_STEP: f32 = 20.0 / 320.0;

/// What was found, so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Findings {
    pub general: Finding,
    pub red: Finding,
}

/// The worst second of one kind of flash.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Finding {
    /// Flashes in the worst second of the worst field, in halves: a change
    /// without its opposite is half a flash.
    pub half_flashes: usize,
    /// When that second ended.
    pub at: Moment,
    /// The largest share of a field that changed one way rather than the other
    /// within a tenth of a second, 0 to 1.
    pub largest_area: f32,
    /// The largest share of a field that was in a flash at one time, of the cells
    /// that flash too often.
    pub flickering: f32,
    /// When and where that was: the middle of the field, in shares of the
    /// picture's width and height from its left upper corner.
    pub flickering_at: Moment,
    pub flickering_place: (f32, f32),
}

impl Finding {
    pub fn passes(&self) -> bool {
        self.half_flashes <= MOST_HALVES && self.flickering < field::AREA
    }
}

impl Findings {
    pub fn passes(&self) -> bool {
        self.general.passes() && self.red.passes()
    }
}

/// Looks at one moving picture.
#[derive(Debug)]
pub struct Analyser {
    width: usize,
    height: usize,
    columns: usize,
    rows: usize,
    /// Where each cell was when it last turned: luminance, redness.
    general: Vec<Turning>,
    red: Vec<Turning>,
    fields: [Fields; 2],
    findings: Findings,
    begun: bool,
    cells: Vec<Cell>,
}

impl Analyser {
    /// For pictures of `width` by `height` pixels, each at least 1.
    pub fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let scale = (VIEW.0 / width as f64).min(VIEW.1 / height as f64);
        let cells = |side: usize| ((side as f64 * scale / CELL).round() as usize).max(1);
        let (columns, rows) = (cells(width).min(width), cells(height).min(height));
        let fields = || Fields::new(columns, rows);
        Self {
            width,
            height,
            columns,
            rows,
            general: vec![Turning::default(); columns * rows],
            red: vec![Turning::default(); columns * rows],
            fields: [fields(), fields()],
            findings: Findings::default(),
            begun: false,
            cells: Vec::new(),
        }
    }

    /// Takes the frame shown at `at`, which must not run backwards: RGBA, 8-bit
    /// sRGB, straight alpha, row by row from the top, laid over `backdrop` as a
    /// browser or OBS does it, in encoded values.
    ///
    /// # Panics
    /// When there are not four bytes for each pixel.
    pub fn push(&mut self, at: Moment, rgba: &[u8], backdrop: [u8; 3]) {
        assert_eq!(
            rgba.len(),
            self.width * self.height * 4,
            "RGBA of the size given"
        );
        let mut cells = std::mem::take(&mut self.cells);
        light::average_into(
            &mut cells,
            rgba,
            backdrop,
            self.width,
            (self.columns, self.rows),
        );
        let first = !std::mem::replace(&mut self.begun, true);
        let mut general = Changes::none(cells.len());
        let mut red = Changes::none(cells.len());
        for (index, cell) in cells.iter().enumerate() {
            if first {
                self.general[index].begin(cell.luminance);
                self.red[index].begin(cell.redness);
                continue;
            }
            general.set(
                index,
                self.general[index].step(cell.luminance, GENERAL_STEP, |from, to| {
                    from.min(to) < GENERAL_DARKER
                }),
            );
            let was = self.red[index].is_saturated;
            self.red[index].is_saturated = cell.is_saturated;
            red.set(
                index,
                self.red[index].step(cell.redness, RED_STEP, |_, _| was || cell.is_saturated),
            );
        }
        self.cells = cells;
        let [of_general, of_red] = &mut self.fields;
        self.findings
            .general
            .update(at, of_general.push(at, general));
        self.findings.red.update(at, of_red.push(at, red));
    }

    pub fn findings(&self) -> Findings {
        self.findings
    }
}

impl Finding {
    fn update(&mut self, at: Moment, seen: field::Seen) {
        if seen.half_flashes > self.half_flashes {
            self.half_flashes = seen.half_flashes;
            self.at = at;
        }
        self.largest_area = self.largest_area.max(seen.area);
        if seen.flickering > self.flickering {
            self.flickering = seen.flickering;
            self.flickering_at = at;
            self.flickering_place = seen.flickering_place;
        }
    }
}

/// The span in which flashes are counted.
const SECOND: Duration = Duration::from_secs(1);
/// Changes of different cells within this are one: at the threshold of what
/// counts as concurrent, above a frame at 24 per second.
const CONCURRENT: Duration = Duration::from_millis(100);
