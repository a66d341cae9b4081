//! Acknowledgements on their way: kept until the peer has proved that it read
//! them, and sent again on the next connection if it has not.

use std::collections::VecDeque;

use super::ledger::MAX_UNDECIDED;
use crate::protocol::GiftAck;

/// Acks kept. Every gift that was undecided when a connection broke may be
/// decided before the next one stands. Beyond it the oldest ack is dropped:
/// the backend, never having seen it, sends the gift again, and the ledger
/// answers from memory.
pub const MAX_OUTBOX: usize = MAX_UNDECIDED;

/// Acks in the order they go out. Each has a number that only grows, so that a
/// ping can say "everything below this was written before me".
#[derive(Debug, Default)]
pub(super) struct Outbox {
    acks: VecDeque<GiftAck>,
    /// Number of the front ack.
    first: u64,
    /// Number of the next ack to write on this connection.
    next: u64,
    dropped: u64,
}

impl Outbox {
    /// The number of the ack that is pushed next.
    pub fn end(&self) -> u64 {
        self.first + self.acks.len() as u64
    }

    /// Acks from this number on are kept.
    pub fn kept(&self) -> u64 {
        self.first
    }

    /// Whether an ack is still to be written on this connection.
    pub fn is_unsent(&self, number: u64) -> bool {
        (self.next..self.end()).contains(&number)
    }

    pub fn push(&mut self, ack: GiftAck) {
        if self.acks.len() >= MAX_OUTBOX {
            self.acks.pop_front();
            self.first += 1;
            self.next = self.next.max(self.first);
            self.dropped += 1;
        }
        self.acks.push_back(ack);
    }

    /// The next ack to write on this connection.
    pub fn pop_unsent(&mut self) -> Option<&GiftAck> {
        let index = usize::try_from(self.next - self.first).ok()?;
        let ack = self.acks.get(index)?;
        self.next += 1;
        Some(ack)
    }

    pub fn has_unsent(&self) -> bool {
        self.next < self.end()
    }

    /// Whether anything was written that the peer has not yet confirmed.
    pub fn has_unconfirmed(&self) -> bool {
        self.next > self.first
    }

    /// Everything numbered below this has been written on this connection.
    pub fn written(&self) -> u64 {
        self.next
    }

    /// The peer has read everything numbered below `written`.
    pub fn confirm(&mut self, written: u64) {
        while self.first < written.min(self.next) {
            self.acks.pop_front();
            self.first += 1;
        }
        // A burst of acks should not hold its memory for the rest of the show.
        if self.acks.is_empty() && self.acks.capacity() > 4096 {
            self.acks = VecDeque::new();
        }
    }

    /// The connection is gone: whatever is unconfirmed goes out again.
    pub fn rewind(&mut self) {
        self.next = self.first;
    }

    pub fn len(&self) -> usize {
        self.acks.len()
    }

    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    pub fn verify_invariants(&self) {
        assert!(self.acks.len() <= MAX_OUTBOX);
        assert!(self.first <= self.next);
        assert!(self.next <= self.end());
    }
}
