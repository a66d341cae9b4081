//! How a stage is doing, as its host's desk shows it.

use std::time::Duration;

use super::{GiftId, GiftType, Goal, Private, Verdict, Word};

/// Waiting gifts that are told one by one; more nobody reads.
pub const WAITING_TOLD: usize = 100;

/// The state of a stage, told once a second while something changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telemetry {
    /// What a frame took to make, since the last telling; 0 without frames.
    pub frame_time: Spread,
    /// Frames drawn a second; 0 when nothing is on stage, since then none are.
    pub fps: f64,
    /// Acts that play in each lane.
    pub lanes: LaneCounts,
    /// How long the acts that started within the last minute had waited.
    pub wait_time: Spread,
    /// Turns that wait, each a gift or several folded together.
    pub waiting: u64,
    /// The first of them, in the order in which they would start lane by lane;
    /// at most [`WAITING_TOLD`].
    pub first_waiting: Vec<WaitingGift>,
    pub outcomes: OutcomeCounts,
    pub is_paused: bool,
    /// Do-not-disturb is on.
    pub is_quiet: bool,
    pub is_muted: bool,
    /// 0.0 to 1.0.
    pub volume: f32,
    /// The goal with what was given towards it since the backend told it.
    pub goal: Option<Goal>,
    /// How much of that is of gifts without a terminal ack. Whoever comes in this
    /// stage's place is sent them again.
    pub goal_waiting: f64,
}

/// The median of something and its 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    pub p50: Duration,
    pub p95: Duration,
}

/// How many acts play in each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    pub headline: u64,
    pub feature: u64,
    pub ambient: u64,
}

/// One waiting turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingGift {
    /// The gift that the turn began with; what hold, release and skip go by.
    pub gift: GiftId,
    pub gift_type: GiftType,
    /// Empty for a bundle of many people.
    pub sender: Private<Word>,
    /// How many people gave; 1 but for a bundle.
    pub people: u32,
    pub quantity: u64,
    pub is_held: bool,
    pub waited: Duration,
}

/// How many gift messages ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeCounts {
    pub played: u64,
    pub joined_streak: u64,
    pub joined_bundle: u64,
    pub refused: u64,
    pub failed: u64,
    pub dismissed: u64,
}

impl OutcomeCounts {
    /// All that were decided.
    pub fn total(&self) -> u64 {
        self.played
            + self.joined_streak
            + self.joined_bundle
            + self.refused
            + self.failed
            + self.dismissed
    }

    /// One more ended so.
    pub fn count(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Played => &mut self.played,
            Verdict::JoinedStreak => &mut self.joined_streak,
            Verdict::JoinedBundle => &mut self.joined_bundle,
            Verdict::Refused(_) => &mut self.refused,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Dismissed => &mut self.dismissed,
        } += 1;
    }
}
