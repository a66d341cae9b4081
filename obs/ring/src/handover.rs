//! The hand-over of frames: who may touch which slot.
//!
//! The writer names the newest slot in `published`; the reader names the slot
//! that it is about to read in `reading` (a hazard pointer) and then looks
//! whether that slot is still the published one. The writer takes a slot that
//! is neither. With three slots there always is one, and neither side waits.
//!
//! Why no slot is read and written at once: the writer stores `published`, then
//! fences, then loads `reading`; the reader stores `reading`, then fences, then
//! loads `published`. In the one order of both fences, either the reader's is
//! first, and the writer sees the claim, or the writer's is, and the reader
//! sees that another slot was published and claims that one instead.
//!
//! The atomics are a parameter so that the tests can put loom's in their place;
//! they try every order of steps.

use std::sync::atomic::Ordering;

/// In `published`: a frame without pixels.
pub(crate) const EMPTY: u64 = 3;
/// In `reading`: nothing is claimed.
pub(crate) const NOTHING: u32 = u32::MAX;
/// How often a reader that is overtaken tries again. Being overtaken takes a
/// frame of the writer's, so more than once is a writer gone mad.
const TRIES: usize = 8;

pub(crate) trait Atomic<T> {
    fn load(&self, order: Ordering) -> T;
    fn store(&self, value: T, order: Ordering);
}

/// A family of atomics: the standard library's, or a model's.
pub(crate) trait Family {
    type U32: Atomic<u32>;
    type U64: Atomic<u64>;
    fn fence(order: Ordering);
}

/// The real ones.
pub(crate) struct Hardware;

impl Family for Hardware {
    type U32 = std::sync::atomic::AtomicU32;
    type U64 = std::sync::atomic::AtomicU64;

    fn fence(order: Ordering) {
        std::sync::atomic::fence(order);
    }
}

impl Atomic<u32> for std::sync::atomic::AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
}

impl Atomic<u64> for std::sync::atomic::AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }
}

/// What a reader holds after a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The published sequence number is the one that was asked about.
    Unchanged,
    /// Frame `sequence` has no pixels; nothing is claimed.
    Empty { sequence: u64 },
    /// Frame `sequence` is in `slot`, which stays untouched until it is
    /// released.
    Slot { sequence: u64, slot: usize },
    /// The writer was faster each time, or it breaks the rules.
    Contended,
}

pub(crate) struct HandOver<'a, F: Family> {
    pub(crate) published: &'a F::U64,
    pub(crate) reading: &'a F::U32,
    /// One for each slot, and one for frames without pixels.
    pub(crate) stamps: [&'a F::U64; 4],
}

impl<F: Family> HandOver<'_, F> {
    /// A slot for the writer to fill; `last` is where its newest frame went.
    pub(crate) fn free_slot(&self, last: u64) -> usize {
        F::fence(Ordering::SeqCst);
        // Acquire: what the reader read before it released happened before.
        let claimed = u64::from(self.reading.load(Ordering::Acquire));
        (0..EMPTY)
            .find(|&slot| slot != last && slot != claimed)
            .expect("two of three slots are spoken for at most") as usize
    }

    /// To be called before the first write to a slot or its record.
    pub(crate) fn begin(&self, slot: usize, sequence: u64) {
        self.stamps[slot].store(stamp_of(sequence) - 1, Ordering::Relaxed);
        // Whoever sees one of the writes to come also sees the odd stamp.
        F::fence(Ordering::Release);
    }

    /// Makes `slot` the newest. `slot` may be [`EMPTY`].
    pub(crate) fn publish(&self, slot: usize, sequence: u64) {
        self.stamps[slot].store(stamp_of(sequence), Ordering::Release);
        self.published
            .store(sequence << 2 | slot as u64, Ordering::Release);
    }

    /// Claims the newest frame, unless it is `seen`.
    pub(crate) fn claim(&self, seen: Option<u64>) -> Claim {
        let mut word = self.published.load(Ordering::Acquire);
        for _ in 0..TRIES {
            let (sequence, slot) = (word >> 2, word & 3);
            if seen == Some(sequence) {
                self.release();
                return Claim::Unchanged;
            }
            if slot == EMPTY {
                self.release();
                return Claim::Empty { sequence };
            }
            // Release: a writer that sees this claim instead of the release
            // before it also sees that the slot of before has been read.
            self.reading.store(slot as u32, Ordering::Release);
            F::fence(Ordering::SeqCst);
            let now = self.published.load(Ordering::Acquire);
            if now == word {
                let slot = slot as usize;
                if self.is_intact(slot, sequence) {
                    return Claim::Slot { sequence, slot };
                }
                break;
            }
            word = now;
        }
        self.release();
        Claim::Contended
    }

    /// Whether `slot` still holds frame `sequence`. Under the rules that is so
    /// for as long as it is claimed.
    pub(crate) fn is_intact(&self, slot: usize, sequence: u64) -> bool {
        // What was read from the slot was read before the stamp is.
        F::fence(Ordering::Acquire);
        self.stamps[slot].load(Ordering::Relaxed) == stamp_of(sequence)
    }

    pub(crate) fn release(&self) {
        self.reading.store(NOTHING, Ordering::Release);
    }
}

/// Even when whole. Sequence numbers begin at 1, so that 0 is nothing yet.
fn stamp_of(sequence: u64) -> u64 {
    sequence.wrapping_mul(2)
}
