//! A turn: what waits for its place on stage, and then plays there.

use std::collections::HashSet;
use std::hash::Hasher;
use std::time::Duration;

use super::cue::{Senders, Tally};
use super::outcomes::Claim;
use crate::catalog::Lane;
use crate::model::{GiftType, Moment, Private, StreakKey, Word};

/// One turn in the queue; later turns have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TurnId(pub u64);

/// Something that will be, or is, an act: one gift, or many folded into one.
#[derive(Debug)]
pub(super) struct Turn {
    /// The lead's key; `None` for what no gift can join.
    pub key: Option<StreakKey>,
    pub gift_type: GiftType,
    pub lane: Lane,
    pub by: Senders,
    /// Everybody in a bundle; empty while there is one sender.
    pub people: HashSet<Private<Word>>,
    pub tally: Tally,
    /// Gifts that await their outcome with this turn.
    pub claims: Vec<Claim>,
    pub arrived: Moment,
    pub wish: Option<Duration>,
    /// It is the home of the open streak under `key`.
    pub streak: bool,
    /// Messages of the test streak that it is; 0 for none.
    pub drill: u32,
    pub rehearsal: bool,
    /// How often it played without being seen.
    pub unseen: u8,
}

impl Turn {
    pub fn is_bundle(&self) -> bool {
        matches!(self.by, Senders::Many(_))
    }

    /// The same once more, for show only.
    pub(super) fn encore(&self, now: Moment) -> Self {
        Self {
            key: None,
            gift_type: self.gift_type.clone(),
            lane: self.lane,
            by: self.by.clone(),
            people: HashSet::new(),
            tally: self.tally,
            claims: Vec::new(),
            arrived: now,
            wish: self.wish,
            streak: false,
            drill: 0,
            rehearsal: true,
            unseen: 0,
        }
    }
}

/// For keys that we number ourselves: nobody outside chooses them, so spreading
/// the bits is enough.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        // 2^64 divided by the golden ratio (Knuth, TAOCP 6.4).
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
