//! The ledger: every gift message offered is owed exactly one outcome.

use std::collections::VecDeque;

use super::cue::{Cue, Delta, Event, add_value};
use crate::model::{Gift, GiftId, Outcome, OutcomeCounts, RefusalReason, Verdict};

/// The right to one outcome. It is made when a gift is offered, travels with
/// whatever the gift became, and is used up by [`Ledger::settle`].
#[derive(Debug)]
pub(super) struct Claim {
    gift: GiftId,
    combo_count: u32,
    quantity: u32,
    /// What the gift added to the totals.
    added: Delta,
    pub part: Part,
}

/// What the gift is to the act that draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The act is about this gift.
    Lead,
    /// A later message of the act's streak.
    Streak,
    /// Folded in under load.
    Fold,
}

impl Claim {
    pub fn gift(&self) -> &GiftId {
        &self.gift
    }
}

/// Claims given out, outcomes and cues not yet polled.
///
/// The queue of events holds at most what the inputs since the last poll
/// caused: two cues per act, and one outcome per gift that was undecided.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    events: VecDeque<Event>,
    offered: u64,
    undecided: usize,
    /// What the undecided ones added to the totals.
    added: Delta,
    counts: OutcomeCounts,
}

impl Ledger {
    /// `added` is what the gift added to the totals.
    pub fn claim(&mut self, gift: &Gift, added: Delta) -> Claim {
        self.offered += 1;
        self.undecided += 1;
        self.added.quantity = self.added.quantity.saturating_add(added.quantity);
        self.added.value = add_value(self.added.value, added.value);
        Claim {
            gift: gift.id.clone(),
            combo_count: gift.combo_count,
            quantity: gift.quantity,
            added,
            part: Part::Lead,
        }
    }

    pub fn settle(&mut self, claim: Claim, verdict: Verdict) {
        self.undecided -= 1;
        self.subtract(claim.added);
        self.counts.count(&verdict);
        self.events.push_back(Event::Outcome(Outcome {
            gift: claim.gift,
            combo_count: claim.combo_count,
            quantity: claim.quantity,
            verdict,
        }));
    }

    fn subtract(&mut self, decided: Delta) {
        self.added.quantity = self.added.quantity.saturating_sub(decided.quantity);
        self.added.value = (self.added.value - decided.value).max(0.0);
        // What rounding has left is nobody's.
        if self.undecided == 0 {
            self.added = Delta::default();
        }
    }

    pub fn refuse(&mut self, claim: Claim, reason: RefusalReason) {
        self.settle(claim, Verdict::Refused(reason));
    }

    pub fn cue(&mut self, cue: Cue) {
        self.events.push_back(Event::Cue(cue));
    }

    pub fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub fn offered(&self) -> u64 {
        self.offered
    }

    pub fn undecided(&self) -> usize {
        self.undecided
    }

    /// What the undecided ones added to the totals.
    pub fn added_undecided(&self) -> Delta {
        self.added
    }

    pub fn counts(&self) -> OutcomeCounts {
        self.counts
    }
}
