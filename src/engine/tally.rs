//! What the run comes to.

use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::quality;
use crate::cli::{FrameTimes, Gifts, Memory, Percentiles, Summary};
use crate::render::{Pipelines, Warmup};
use crate::stage::{Director, Metrics};

/// Frames between two looks at the resident set: it costs a file read.
const MEMORY_EVERY: u64 = 15;

pub(super) struct Tally {
    pub launched: Instant,
    pub adapter: Option<String>,
    first_gift: Option<Duration>,
    memory: Memory,
    frames: u64,
}

impl Tally {
    #[expect(clippy::disallowed_methods, reason = "a run's length is real time")]
    pub fn start() -> Self {
        let now = resident_mb();
        Self {
            launched: Instant::now(),
            adapter: None,
            first_gift: None,
            memory: Memory {
                start: now,
                peak: now,
                end: now,
            },
            frames: 0,
        }
    }

    /// Counts a frame that took `cost` to make.
    pub fn frame(&mut self, world: &mut World, cost: Duration) {
        self.frames += 1;
        if self.frames.is_multiple_of(MEMORY_EVERY) {
            self.memory.peak = self.memory.peak.max(resident_mb());
        }
        let warm = world.resource::<Warmup>().is_done();
        let busy = !world.resource::<Director>().is_idle();
        let mut metrics = world.resource_mut::<Metrics>();
        if warm && busy {
            metrics.frame.push(cost);
        }
        if self.first_gift.is_none() && metrics.acts > 0 {
            self.first_gift = Some(self.launched.elapsed());
        }
    }

    /// Acks, outputs and warnings are the caller's to fill in: they are known
    /// once connection and outputs are closed.
    pub fn summary(mut self, world: &World) -> Summary {
        self.memory.end = resident_mb();
        self.memory.peak = self.memory.peak.max(self.memory.end);
        let metrics = world.resource::<Metrics>();
        let show = &world.resource::<Director>().show;
        let outcomes = show.outcomes();
        let [p50, p95, p99] = metrics.frame.quantiles([0.5, 0.95, 0.99]);
        let [delay_p50, delay_p95, delay_max] = metrics.gift_to_frame.quantiles([0.5, 0.95, 1.0]);
        let pipelines = world.resource::<Pipelines>();
        Summary {
            seconds: self.launched.elapsed().as_secs_f64(),
            gifts: Gifts {
                sent: None,
                received: show.offered(),
                played: outcomes.played,
                joined_streak: outcomes.joined_streak,
                joined_bundle: outcomes.joined_bundle,
                refused: outcomes.refused,
                failed: outcomes.failed,
                dismissed: outcomes.dismissed,
                acked: 0,
                waiting: show.undecided() as u64,
            },
            frame_ms: FrameTimes {
                frames: metrics.frame.pushed(),
                p50: p50.into(),
                p95: p95.into(),
                p99: p99.into(),
            },
            quality: quality::account(world),
            gift_to_frame_ms: Percentiles {
                p50: delay_p50.into(),
                p95: delay_p95.into(),
                max: delay_max.into(),
            },
            launch_to_first_gift_ms: self.first_gift.map(|at| at.as_secs_f64() * 1e3),
            memory_mb: self.memory,
            pipelines_after_warmup: world.resource::<Warmup>().pipelines_since(pipelines) as u64,
            adapter: self.adapter,
            outputs: Vec::new(),
            warnings: Vec::new(),
            failed: Vec::new(),
            backend: None,
            recorded: None,
        }
    }
}

/// Resident set in MB (10^6 bytes); 0 where the system does not tell.
fn resident_mb() -> f64 {
    memory_stats::memory_stats().map_or(0.0, |stats| stats.physical_mem as f64 / 1e6)
}
