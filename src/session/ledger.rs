//! Which gifts were seen and how they ended, so that a repeat is answered and
//! never drawn twice.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;

use super::outbox::MAX_OUTBOX;
use crate::model::{Gift, GiftId, Outcome, Verdict, WallTime};

/// Decided gifts whose verdict is remembered. A backend resends what it has
/// not seen acked within minutes; at 30 gifts a second this covers most of an
/// hour. Beyond it the oldest verdict is forgotten and a repeat of that gift
/// counts as new, but none whose ack is still in the outbox: the backend may not
/// have seen that one.
pub const MAX_REMEMBERED: usize = 100_000;

/// Gifts received and not yet decided: the show's 200,000, the 50,000 held
/// here and what lies in the channel between. A gift beyond them is refused at
/// once, so that an undecided gift is never forgotten and drawn twice.
pub const MAX_UNDECIDED: usize = 260_000;

/// What makes one gift message that message. The stream is not part of it: a
/// session serves one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Hash for GiftKey {
    /// In two writes where a derived one would take four, which a keyed hash
    /// feels. Different keys still write different bytes, as what comes first
    /// has a fixed size.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut numbers = [0; 12];
        numbers[..8].copy_from_slice(&self.quantity.to_ne_bytes());
        numbers[8..].copy_from_slice(&self.combo_count.to_ne_bytes());
        state.write(&numbers);
        state.write(self.id.as_bytes());
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
    /// Its latest ack's number in the outbox.
    pub ack: u64,
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

/// One gift, in a place that stays its own until it is forgotten.
#[derive(Debug)]
struct Entry {
    key: GiftKey,
    hash: u32,
    /// `None` while undecided.
    settled: Option<Settled>,
}

/// Where the entry of a key with this hash is.
#[derive(Debug, Clone, Copy)]
struct Place {
    hash: u32,
    at: u32,
}

impl Place {
    /// The table takes a bucket from the low bits and a tag from the high ones.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

/// Entries lie in order of arrival, apart from the table that finds them: a
/// flood fills memory from one end to the other instead of all over, and
/// neither a new gift nor a table that grows looks at other gifts. The hash is
/// keyed, since ids are the peer's choice.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    hasher: RandomState,
    index: HashTable<Place>,
    /// At most [`MAX_REMEMBERED`], [`MAX_OUTBOX`] and [`MAX_UNDECIDED`] together.
    entries: Vec<Entry>,
    /// Entries whose gift was forgotten, to be used again.
    free: Vec<u32>,
    /// The decided entries, oldest first.
    settled: VecDeque<u32>,
    undecided: usize,
}

impl Ledger {
    /// Takes note of a gift unless it is known.
    pub fn arrive(&mut self, key: GiftKey) -> Arrival {
        let hash = self.hash(&key);
        match self.find(hash, &key) {
            Some(known) => match &self.entries[known as usize].settled {
                None => Arrival::Waiting,
                Some(settled) => Arrival::Settled(settled.clone()),
            },
            None if self.undecided >= MAX_UNDECIDED => Arrival::Full,
            None => {
                self.insert(hash, key, None);
                self.undecided += 1;
                Arrival::New
            }
        }
    }

    /// Records how an undecided gift ended; false when it is not undecided, so
    /// that no gift is decided twice. Acks from number `kept` on are in the outbox.
    pub fn settle(&mut self, key: &GiftKey, settled: Settled, kept: u64) -> bool {
        let Some(known) = self.find(self.hash(key), key) else {
            return false;
        };
        let place = &mut self.entries[known as usize].settled;
        if place.is_some() {
            return false;
        }
        *place = Some(settled);
        self.undecided -= 1;
        self.remember(known, kept);
        true
    }

    /// Records that a gift's ack goes out once more, under another number.
    pub fn acked_again(&mut self, key: &GiftKey, ack: u64) {
        let known = self.find(self.hash(key), key);
        let settled = known.and_then(|known| self.entries[known as usize].settled.as_mut());
        if let Some(settled) = settled {
            settled.ack = ack;
        }
    }

    /// Records a gift that was decided as it arrived, without ever having been
    /// undecided.
    pub fn settle_at_once(&mut self, key: &GiftKey, settled: Settled, kept: u64) {
        let hash = self.hash(key);
        if self.find(hash, key).is_none() {
            let new = self.insert(hash, key.clone(), Some(settled));
            self.remember(new, kept);
        }
    }

    pub fn is_undecided(&self, key: &GiftKey) -> bool {
        self.find(self.hash(key), key)
            .is_some_and(|known| self.entries[known as usize].settled.is_none())
    }

    /// Gifts received and not yet decided.
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    fn hash(&self, key: &GiftKey) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    fn find(&self, hash: u32, key: &GiftKey) -> Option<u32> {
        let found = self.index.find(Place::spread(hash), |place| {
            place.hash == hash && self.entries[place.at as usize].key == *key
        });
        found.map(|place| place.at)
    }

    fn insert(&mut self, hash: u32, key: GiftKey, settled: Option<Settled>) -> u32 {
        let entry = Entry { key, hash, settled };
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = entry;
                at
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        let place = Place { hash, at };
        self.index
            .insert_unique(Place::spread(hash), place, |other| {
                Place::spread(other.hash)
            });
        at
    }

    fn remember(&mut self, at: u32, kept: u64) {
        self.settled.push_back(at);
        // Two for one, so that what a broken connection held up goes in time.
        for _ in 0..2 {
            let surplus = self.settled.len() > MAX_REMEMBERED;
            let Some(&oldest) = self.settled.front().filter(|_| surplus) else {
                break;
            };
            let settled = self.entries[oldest as usize].settled.as_ref();
            if settled.is_some_and(|settled| settled.ack >= kept) {
                break;
            }
            self.settled.pop_front();
            self.forget(oldest);
        }
    }

    fn forget(&mut self, at: u32) {
        let hash = self.entries[at as usize].hash;
        let found = self
            .index
            .find_entry(Place::spread(hash), |place| place.at == at);
        if let Ok(found) = found {
            found.remove();
        }
        // The rest of the entry is small and overwritten by the next gift.
        self.entries[at as usize].key.id = GiftId::default();
        self.free.push(at);
    }

    pub fn verify_invariants(&self) {
        assert!(self.settled.len() <= MAX_REMEMBERED + MAX_OUTBOX);
        assert!(self.undecided <= MAX_UNDECIDED);
        assert_eq!(self.index.len(), self.settled.len() + self.undecided);
        assert_eq!(self.entries.len(), self.index.len() + self.free.len());
    }
}
