//! Which gifts were seen and how they ended, so that a repeat is answered and
//! never drawn twice.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use crate::model::{Gift, GiftId, Outcome, Verdict, WallTime};

/// Decided gifts whose verdict is remembered. A backend resends what it has
/// not seen acked within minutes; at 30 gifts a second this covers most of an
/// hour. Beyond it the oldest verdict is forgotten and a repeat of that gift
/// counts as new.
pub const MAX_REMEMBERED: usize = 100_000;

/// Gifts received and not yet decided: the show's 200,000, the 50,000 held
/// here and what lies in the channel between. A gift beyond them is refused at
/// once, so that an undecided gift is never forgotten and drawn twice.
pub const MAX_UNDECIDED: usize = 260_000;

/// What makes one gift message that message. The stream is not part of it: a
/// session serves one stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GiftKey {
    pub id: GiftId,
    /// Zero or less for a gift that is refused as invalid.
    pub quantity: i64,
    pub combo_count: u32,
}

impl GiftKey {
    pub fn of(gift: &Gift) -> Self {
        Self {
            id: gift.id.clone(),
            quantity: i64::from(gift.quantity),
            combo_count: gift.combo_count,
        }
    }
}

impl From<&Outcome> for GiftKey {
    fn from(outcome: &Outcome) -> Self {
        Self {
            id: outcome.gift.clone(),
            quantity: i64::from(outcome.quantity),
            combo_count: outcome.combo_count,
        }
    }
}

/// How and when a gift was decided; what its ack says, every time it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled {
    pub verdict: Verdict,
    pub at: WallTime,
}

/// What the ledger knows of a gift that just arrived.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arrival {
    /// Never seen: it is now undecided.
    New,
    /// Seen and still undecided: one ack will answer both.
    Waiting,
    /// Seen and decided: the stored ack goes out again.
    Settled(Settled),
    /// Never seen, and no room for another undecided gift.
    Full,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// `None` while undecided.
    gifts: HashMap<GiftKey, Option<Settled>>,
    /// The decided keys, oldest first.
    settled: VecDeque<GiftKey>,
    undecided: usize,
}

impl Ledger {
    pub fn arrive(&mut self, key: GiftKey) -> Arrival {
        let full = self.undecided >= MAX_UNDECIDED;
        match self.gifts.entry(key) {
            Entry::Occupied(known) => match known.get() {
                None => Arrival::Waiting,
                Some(settled) => Arrival::Settled(settled.clone()),
            },
            Entry::Vacant(_) if full => Arrival::Full,
            Entry::Vacant(free) => {
                free.insert(None);
                self.undecided += 1;
                Arrival::New
            }
        }
    }

    /// Records how an undecided gift ended; false when it is not undecided, so
    /// that no gift is decided twice.
    pub fn settle(&mut self, key: GiftKey, settled: Settled) -> bool {
        match self.gifts.get_mut(&key) {
            Some(entry @ None) => *entry = Some(settled),
            _ => return false,
        }
        self.undecided -= 1;
        self.remember(key);
        true
    }

    /// Records a gift that was decided as it arrived, without ever having been
    /// undecided.
    pub fn settle_at_once(&mut self, key: GiftKey, settled: Settled) {
        if self.gifts.insert(key.clone(), Some(settled)).is_none() {
            self.remember(key);
        }
    }

    pub fn is_undecided(&self, key: &GiftKey) -> bool {
        matches!(self.gifts.get(key), Some(None))
    }

    /// Gifts received and not yet decided.
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    fn remember(&mut self, key: GiftKey) {
        self.settled.push_back(key);
        if self.settled.len() > MAX_REMEMBERED
            && let Some(oldest) = self.settled.pop_front()
        {
            self.gifts.remove(&oldest);
        }
    }

    pub fn verify_invariants(&self) {
        assert!(self.settled.len() <= MAX_REMEMBERED);
        assert!(self.undecided <= MAX_UNDECIDED);
        assert_eq!(self.gifts.len(), self.settled.len() + self.undecided);
    }
}
