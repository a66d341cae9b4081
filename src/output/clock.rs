//! From stage time to a constant frame rate.

/// Which frames of a constant-rate video a drawn frame fills.
///
/// A frame is shown from when it was drawn until the next one was, so how often
/// a frame is to be written is known when the next one comes.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    rate: f64,
    longest_gap: f64,
    last_at: Option<f64>,
    /// Seconds of video up to the last frame that came.
    position: f64,
    /// Frames of video that are spoken for.
    emitted: u64,
    cuts: u32,
    cut_seconds: f64,
}

/// Frames are late or early by fractions of a millisecond. A quarter frame of
/// phase keeps the usual rates (equal, half, double) clear of the boundary, so
/// that such jitter neither repeats nor skips a frame.
const PHASE: f64 = 0.25;

impl Clock {
    /// A clock of `rate` frames a second in which no frame is shown longer than
    /// `longest_gap` seconds.
    pub(super) fn new(rate: f64, longest_gap: f64) -> Self {
        Self {
            rate,
            longest_gap,
            last_at: None,
            position: 0.0,
            emitted: 0,
            cuts: 0,
            cut_seconds: 0.0,
        }
    }

    /// How often the frame before this one is to be written, now that one drawn
    /// at stage second `at` has come. Time that does not advance counts as none.
    pub(super) fn advance(&mut self, at: f64) -> u64 {
        let gap = at - self.last_at.unwrap_or(at);
        self.last_at = Some(at);
        if gap > self.longest_gap {
            self.cuts += 1;
            self.cut_seconds += gap - self.longest_gap;
        }
        // `max` also turns a time that is no number into none.
        self.position += gap.max(0.0).min(self.longest_gap);
        let start = (self.position * self.rate - PHASE).ceil().max(0.0) as u64;
        let due = start.saturating_sub(self.emitted);
        self.emitted += due;
        due
    }

    /// Gaps that were cut, and by how many seconds in all.
    pub(super) fn cuts(&self) -> (u32, f64) {
        (self.cuts, self.cut_seconds)
    }
}
