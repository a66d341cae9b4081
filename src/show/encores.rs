//! What has played, to be played again.

use std::collections::VecDeque;

use super::cue::{ActId, Tally};
use super::turn::Turn;
use crate::model::{GiftId, Moment};

/// Acts that can be played again; a host looks no further back. Beyond: the
/// oldest is forgotten.
const MOST_ENCORES: usize = 100;

/// Gifts by which one act is found; a long streak is asked for by its first
/// gifts or by its latest. Beyond: the oldest but one is forgotten.
const MOST_NAMES: usize = 32;

/// The acts that started last, oldest first.
#[derive(Debug, Default)]
pub(super) struct Encores(VecDeque<Encore>);

#[derive(Debug)]
struct Encore {
    act: ActId,
    turn: Turn,
    gifts: VecDeque<GiftId>,
}

impl Encores {
    /// An act starts.
    pub fn started(&mut self, now: Moment, act: ActId, turn: &Turn) {
        if self.0.len() >= MOST_ENCORES {
            self.0.pop_front();
        }
        let gifts = turn.claims.iter().take(MOST_NAMES);
        self.0.push_back(Encore {
            act,
            turn: turn.encore(now),
            gifts: gifts.map(|claim| claim.gift().clone()).collect(),
        });
    }

    /// A gift joins an act on stage, which stands for all that `tally` says then.
    pub fn joined(&mut self, act: ActId, gift: &GiftId, tally: Tally) {
        let found = self.0.binary_search_by_key(&act, |encore| encore.act);
        if let Some(encore) = found.ok().and_then(|at| self.0.get_mut(at)) {
            encore.turn.tally = tally;
            if encore.gifts.len() >= MOST_NAMES {
                encore.gifts.remove(1);
            }
            encore.gifts.push_back(gift.clone());
        }
    }

    /// The last act once more.
    pub fn last(&self, now: Moment) -> Option<Turn> {
        Some(self.0.back()?.turn.encore(now))
    }

    /// The act that a gift started or joined, once more.
    pub fn of(&self, now: Moment, gift: &str) -> Option<Turn> {
        let named = |encore: &&Encore| encore.gifts.iter().any(|own| &**own == gift);
        Some(self.0.iter().rev().find(named)?.turn.encore(now))
    }
}
