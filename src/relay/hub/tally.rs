//! What is counted of a stream.

/// What was counted since the stream was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::relay) struct Tally {
    /// Gifts that were accepted, here or by another relay, while the stream was open
    /// here.
    pub published: u64,
    /// Gifts handed to connections, sendings beyond the first included.
    pub delivered: u64,
    pub resent: u64,
    /// Gifts that viewers were too slow for.
    pub skipped: u64,
    pub rendered: u64,
    pub failed: u64,
    pub parked: u64,
    /// Acks for gifts that were settled already or never sent.
    pub stray_acks: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.resent += other.resent;
        self.skipped += other.skipped;
        self.rendered += other.rendered;
        self.failed += other.failed;
        self.parked += other.parked;
        self.stray_acks += other.stray_acks;
    }
}
