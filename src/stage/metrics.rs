//! What the summary says: counts, delays and frame times, all bounded.

use std::collections::HashMap;
use std::time::Duration;

use bevy::prelude::*;

use crate::model::{Moment, Verdict};
use crate::show::ActId;

/// Samples kept of each series; older ones are overwritten, so a long session
/// reports its most recent twenty minutes at 60 frames a second.
const MAX_SAMPLES: usize = 72_000;

/// Figures of this run.
#[derive(Resource, Default, Debug)]
pub struct Metrics {
    pub received: u64,
    pub played: u64,
    pub joined_streak: u64,
    pub joined_bundle: u64,
    pub refused: u64,
    pub failed: u64,
    pub dismissed: u64,
    pub acts: u64,
    /// From the arrival of the first gift an act stands for to the frame that
    /// showed it, its wait for a place included.
    pub gift_to_frame: Samples,
    /// Time that one frame took to make, without the wait for the next.
    pub frame: Samples,
    started: HashMap<ActId, Moment>,
}

/// A ring of durations.
#[derive(Debug, Default)]
pub struct Samples {
    values: Vec<f32>,
    next: usize,
}

impl Samples {
    pub fn push(&mut self, value: Duration) {
        let ms = value.as_secs_f32() * 1e3;
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
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        quantiles.map(|q| {
            let rank = (q * sorted.len() as f64).ceil() as usize;
            sorted
                .get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0.0)
        })
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Metrics {
    pub(super) fn count(&mut self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Played => &mut self.played,
            Verdict::JoinedStreak => &mut self.joined_streak,
            Verdict::JoinedBundle => &mut self.joined_bundle,
            Verdict::Refused(_) => &mut self.refused,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Dismissed => &mut self.dismissed,
        };
        *counter += 1;
    }

    pub(super) fn started(&mut self, arrived: Moment, act: ActId) {
        self.acts += 1;
        self.started.insert(act, arrived);
    }

    pub(super) fn presented(&mut self, now: Moment, act: ActId) {
        if let Some(at) = self.started.remove(&act) {
            self.gift_to_frame.push(now.saturating_sub(at));
        }
    }
}
