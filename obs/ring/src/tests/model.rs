//! The hand-over under loom, which runs every order of steps that the memory
//! model allows, and fails when a slot is read and written at once.

use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::thread;

use crate::handover::{Atomic, Claim, EMPTY, Family, HandOver, NOTHING};

struct Model;

impl Family for Model {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    fn fence(order: Ordering) {
        loom::sync::atomic::fence(order);
    }
}

impl Atomic<u32> for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
}

impl Atomic<u64> for AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }
}

/// A ring whose frames are one number each.
struct Ring {
    published: AtomicU64,
    reading: AtomicU32,
    stamps: [AtomicU64; 4],
    slots: [UnsafeCell<u64>; 3],
}

impl Ring {
    fn new() -> Self {
        Self {
            published: AtomicU64::new(EMPTY),
            reading: AtomicU32::new(NOTHING),
            stamps: std::array::from_fn(|_| AtomicU64::new(0)),
            slots: std::array::from_fn(|_| UnsafeCell::new(0)),
        }
    }

    fn hand_over(&self) -> HandOver<'_, Model> {
        HandOver {
            published: &self.published,
            reading: &self.reading,
            stamps: std::array::from_fn(|index| &self.stamps[index]),
        }
    }

    /// Publishes frames `from..=to`, each holding its own sequence number.
    #[expect(unsafe_code, reason = "loom's cell hands out pointers")]
    fn write(&self, from: u64, to: u64) {
        let hand_over = self.hand_over();
        let mut last = EMPTY;
        for sequence in from..=to {
            let slot = hand_over.free_slot(last);
            hand_over.begin(slot, sequence);
            self.slots[slot].with_mut(|frame| {
                // SAFETY: loom fails the test if this pointer is not unique.
                unsafe { *frame = sequence };
            });
            hand_over.publish(slot, sequence);
            last = slot as u64;
        }
    }

    /// Claims once; returns what it saw.
    #[expect(unsafe_code, reason = "loom's cell hands out pointers")]
    fn read(&self, seen: Option<u64>) -> Option<u64> {
        let hand_over = self.hand_over();
        let Claim::Slot { sequence, slot } = hand_over.claim(seen) else {
            return None;
        };
        // SAFETY: loom fails the test if someone writes meanwhile.
        let frame = self.slots[slot].with(|frame| unsafe { *frame });
        assert_eq!(frame, sequence, "a torn frame");
        assert!(hand_over.is_intact(slot, sequence));
        hand_over.release();
        Some(sequence)
    }
}

fn explore(test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    // Three changes of thread where none was forced find what is to be found
    // here, as weakening any of the orderings shows.
    model.preemption_bound = Some(3);
    model.check(test);
}

#[test]
fn no_slot_is_ever_read_and_written_at_once() {
    explore(|| {
        let ring = Arc::new(Ring::new());
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || ring.write(1, 4))
        };
        let first = ring.read(None);
        let second = ring.read(first);
        assert!(second.is_none() || second > first, "time ran backwards");
        writer.join().unwrap();
    });
}

#[test]
fn after_the_writer_is_done_the_newest_frame_is_had() {
    explore(|| {
        let ring = Arc::new(Ring::new());
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || ring.write(1, 2))
        };
        let seen = ring.read(None);
        writer.join().unwrap();
        if seen == Some(2) {
            assert_eq!(ring.hand_over().claim(seen), Claim::Unchanged);
        } else {
            assert_eq!(ring.read(seen), Some(2));
        }
    });
}

#[test]
fn a_reader_that_dies_with_a_claim_stops_nobody() {
    explore(|| {
        let ring = Arc::new(Ring::new());
        ring.write(1, 1);
        let reader = {
            let ring = ring.clone();
            // It claims and is never heard of again.
            thread::spawn(move || ring.hand_over().claim(None))
        };
        let hand_over = ring.hand_over();
        for sequence in 2..5 {
            let last = ring.published.load(Ordering::Relaxed) & 3;
            let slot = hand_over.free_slot(last);
            assert_ne!(slot as u64, last);
            hand_over.begin(slot, sequence);
            hand_over.publish(slot, sequence);
        }
        let _claim = reader.join().unwrap();
    });
}

#[test]
fn a_writer_that_dies_in_a_frame_leaves_the_last_one_whole() {
    explore(|| {
        let ring = Arc::new(Ring::new());
        ring.write(1, 1);
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let hand_over = ring.hand_over();
                let slot = hand_over.free_slot(ring.published.load(Ordering::Relaxed) & 3);
                hand_over.begin(slot, 2);
            })
        };
        assert_eq!(ring.read(None), Some(1));
        writer.join().unwrap();
        assert_eq!(ring.read(None), Some(1));
    });
}
