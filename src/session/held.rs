//! Gifts waiting for the stage's channel: first in, first out, and when even
//! this is full the cheapest is turned away.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::model::Gift;

/// Gifts held while the channel to the stage is full: about half an hour at 30
/// a second, some 20 MB. Beyond it the cheapest is refused and acked with
/// `OVERLOADED`.
pub const MAX_HELD: usize = 50_000;

/// A queue that can also give up its cheapest. Refused gifts leave a gap that
/// is closed once gaps fill half the queue, so that every operation stays
/// cheap, amortised, however long a flood lasts.
#[derive(Debug, Default)]
pub(super) struct Held {
    queue: VecDeque<(u64, Option<Box<Gift>>)>,
    next_number: u64,
    live: usize,
    /// Built when the queue first overflows, dropped once it has drained:
    /// an ordinary day never pays for it. May name gifts that have left.
    cheapest: Option<BinaryHeap<Reverse<Price>>>,
}

/// Orders by value, and among equals the later arrival first, so that who came
/// early keeps the place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Price {
    value: f64,
    number: u64,
}

impl Eq for Price {}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value
            .total_cmp(&other.value)
            .then(other.number.cmp(&self.number))
    }
}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Held {
    /// Takes a gift in; the one returned had to give way.
    pub fn push(&mut self, gift: Box<Gift>) -> Option<Box<Gift>> {
        let number = self.next_number;
        self.next_number += 1;
        let value = gift.total_value;
        self.queue.push_back((number, Some(gift)));
        self.live += 1;
        if let Some(heap) = &mut self.cheapest {
            heap.push(Reverse(Price { value, number }));
            if heap.len() > 2 * MAX_HELD {
                self.cheapest = None;
            }
        }
        if self.live <= MAX_HELD {
            return None;
        }
        let refused = self.take_cheapest();
        if self.queue.len() > 2 * MAX_HELD {
            self.queue.retain(|(_, gift)| gift.is_some());
            self.cheapest = None;
        }
        refused
    }

    /// The number that the next gift to come will have.
    pub fn end(&self) -> u64 {
        self.next_number
    }

    /// The number of the gift that leaves next; without one, of the next to come.
    pub fn first(&mut self) -> u64 {
        while let Some((number, gift)) = self.queue.front() {
            if gift.is_some() {
                return *number;
            }
            self.queue.pop_front();
        }
        self.next_number
    }

    pub fn pop(&mut self) -> Option<Box<Gift>> {
        while let Some((_, gift)) = self.queue.pop_front() {
            let Some(gift) = gift else { continue };
            self.live -= 1;
            if self.live < MAX_HELD / 2 {
                self.cheapest = None;
            }
            if self.live == 0 && self.queue.capacity() > 4096 {
                self.queue = VecDeque::new();
            }
            return Some(gift);
        }
        None
    }

    pub fn len(&self) -> usize {
        self.live
    }

    fn take_cheapest(&mut self) -> Option<Box<Gift>> {
        let queue = &mut self.queue;
        let heap = self.cheapest.get_or_insert_with(|| {
            let priced = queue.iter().filter_map(|(number, gift)| {
                let value = gift.as_ref()?.total_value;
                Some(Reverse(Price {
                    value,
                    number: *number,
                }))
            });
            priced.collect()
        });
        while let Some(Reverse(price)) = heap.pop() {
            let Ok(index) = queue.binary_search_by_key(&price.number, |(number, _)| *number) else {
                continue;
            };
            if let Some(gift) = queue[index].1.take() {
                self.live -= 1;
                return Some(gift);
            }
        }
        None
    }

    pub fn verify_invariants(&self) {
        assert!(self.live <= MAX_HELD);
        assert!(self.queue.len() <= 2 * MAX_HELD);
        assert!(
            self.cheapest
                .as_ref()
                .is_none_or(|heap| heap.len() <= 2 * MAX_HELD)
        );
        assert_eq!(
            self.live,
            self.queue.iter().filter(|(_, gift)| gift.is_some()).count()
        );
    }
}
