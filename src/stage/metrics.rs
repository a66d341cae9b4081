//! How long things took: the part of the summary that only the stage knows.
//! What became of the gifts the show counts itself.

use std::time::Duration;

use bevy::prelude::*;

/// Samples kept of each series; older ones are overwritten, so a long session
/// reports its most recent twenty minutes at 60 frames a second.
pub(super) const MAX_SAMPLES: usize = 72_000;

/// Figures of this run.
#[derive(Resource, Default, Debug)]
pub struct Metrics {
    /// Acts that started.
    pub acts: u64,
    /// From the arrival of the first gift an act stands for, its wait for a
    /// place included, to the frame after the one that showed it first: only
    /// then is it certain to have been drawn.
    pub gift_to_frame: Samples,
    /// Time that one frame took to make, without the wait for the next. Whoever
    /// drives the frames measures it.
    pub frame: Samples,
}

/// A ring of durations, kept as milliseconds.
#[derive(Debug, Default)]
pub struct Samples {
    values: Vec<f32>,
    next: usize,
    pushed: u64,
}

impl Samples {
    pub fn push(&mut self, value: Duration) {
        let ms = value.as_secs_f32() * 1e3;
        self.pushed += 1;
        if self.values.len() < MAX_SAMPLES {
            self.values.push(ms);
        } else {
            self.values[self.next] = ms;
            self.next = (self.next + 1) % MAX_SAMPLES;
        }
    }

    /// Milliseconds at each of `quantiles` (0 to 1), by nearest rank; zeros
    /// when nothing was measured.
    pub fn quantiles<const N: usize>(&self, quantiles: [f64; N]) -> [f32; N] {
        quantiles_of(self.values.clone(), quantiles)
    }

    /// How many there ever were.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The latest, as many as there are of `most`, newest first.
    pub fn latest(&self, most: usize) -> impl Iterator<Item = f32> {
        let (newer, older) = self.values.split_at(self.next);
        let latest = newer.iter().rev().chain(older.iter().rev());
        latest.take(most).copied()
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// The values at each of `quantiles` (0 to 1), by nearest rank; zeros when there
/// are none.
pub(super) fn quantiles_of<const N: usize>(mut values: Vec<f32>, quantiles: [f64; N]) -> [f32; N] {
    values.sort_unstable_by(f32::total_cmp);
    quantiles.map(|q| {
        let rank = (q * values.len() as f64).ceil() as usize;
        let at = rank.saturating_sub(1).min(values.len().saturating_sub(1));
        values.get(at).copied().unwrap_or(0.0)
    })
}
