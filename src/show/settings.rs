//! What a host can tune about a show.

use std::time::Duration;

use super::lanes::LANES;
use super::pacing::DEFAULT_RATE;
use super::streak::Counting;
use crate::catalog::Lane;
use crate::on_air::{Blocked, Policy};

/// Waiting cues: more than anyone will ever see played, and still looked
/// through in a millisecond. The cheapest is refused beyond it.
pub const MOST_WAITING: usize = 10_000;

/// Gifts whose outcome is owed: two hours of a very busy stream, 20 MB.
pub const MOST_UNDECIDED: usize = 200_000;

/// Tunables of a [`Show`](super::Show); the defaults are the product's.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowSettings {
    /// Acts that may start per second; replaced by the backend's
    /// `maxGiftsPerSecond` through [`Show::set_rate`](super::Show::set_rate).
    pub rate: f64,
    /// Silence that ends a streak, 1 s to 10 s.
    pub silence: Duration,
    /// How streaks are announced.
    pub counting: Counting,
    /// Particles alive at once that ambient acts may fill up to. Headline and
    /// feature acts count towards it and are never kept waiting by it: there
    /// are at most four of them.
    pub particle_budget: u32,
    /// Gifts of one type are bundled across senders once the queue is longer
    /// than would play in this time.
    pub bundle_after: Duration,
    /// Play although no output is live; otherwise gifts wait for one.
    pub play_unseen: bool,
    /// Which gifts are drawn, and how often anybody's.
    pub on_air: Policy,
    /// The lanes whose gifts are drawn; those of others count on the board and
    /// are acknowledged as dismissed.
    pub lanes: Vec<Lane>,
    /// Names that are shown as "someone".
    pub blocked: Blocked,
    /// At most [`MOST_WAITING`].
    pub most_waiting: usize,
    /// At most [`MOST_UNDECIDED`].
    pub most_undecided: usize,
}

impl Default for ShowSettings {
    fn default() -> Self {
        Self {
            rate: DEFAULT_RATE,
            silence: Duration::from_secs(3),
            counting: Counting::Auto,
            particle_budget: 100_000,
            bundle_after: Duration::from_secs(20),
            play_unseen: false,
            on_air: Policy::default(),
            lanes: LANES.to_vec(),
            blocked: Blocked::default(),
            most_waiting: MOST_WAITING,
            most_undecided: MOST_UNDECIDED,
        }
    }
}

impl ShowSettings {
    pub(super) fn clamped(mut self) -> Self {
        self.silence = self
            .silence
            .clamp(Duration::from_secs(1), Duration::from_secs(10));
        self.most_waiting = self.most_waiting.clamp(1, MOST_WAITING);
        self.most_undecided = self.most_undecided.clamp(1, MOST_UNDECIDED);
        self
    }
}
