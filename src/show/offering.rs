//! What becomes of a gift on arrival: it grows an act, joins a turn, makes a
//! turn, or is refused.

use std::collections::HashSet;

use super::cue::{Delta, Senders, Tally};
use super::lanes::index;
use super::outcomes::{Claim, Part};
use super::person::person;
use super::streak::{Fate, Home, Reading, whole};
use super::turn::{Turn, TurnId};
use super::{Show, Streak};
use crate::catalog::Lane;
use crate::model::{Gift, RefusalReason, StreakKey, Verdict};

/// Bundling never begins with fewer waiting: bundles are for crowds.
const BUNDLE_AT_LEAST: usize = 60;

/// The order of refusal: the cheapest of the cheapest lane first.
type Standing = (usize, f64);

fn is_below(a: Standing, b: Standing) -> bool {
    a.0 > b.0 || (a.0 == b.0 && a.1 < b.1)
}

impl Show {
    pub(super) fn take_in(&mut self, mut gift: Gift) {
        if gift.total_value.is_nan() {
            gift.total_value = 0.0;
        }
        gift.total_value = gift.total_value.clamp(0.0, f64::MAX);
        let person = person(&gift);
        self.screen.apply(&mut gift);
        let lane = self.catalog.lane(&gift.gift_type, gift.total_value);
        if gift.quantity == 0 {
            let claim = self.ledger.claim(&gift, Delta::default());
            return self.ledger.refuse(claim, RefusalReason::Invalid);
        }

        if gift.sender.user_id.0.is_empty() {
            // Senders without an id would all share one streak.
            gift.is_streak = false;
        }
        let key = StreakKey {
            user_id: person,
            ..gift.streak_key()
        };
        let reading = self.streaks.read(self.now, &key, &gift);
        let delta = self.count(&key, &gift, reading);
        self.board.add(self.now, &gift, delta);
        // The boards know nobody without an id; what waits is told apart all the same.
        gift.sender.user_id = key.user_id.clone();

        let claim = self.ledger.claim(&gift, delta);
        let standing = (index(lane), gift.total_value);
        let worth = match reading {
            Reading::Independent | Reading::EndsLate => gift.total_value,
            _ => self
                .streaks
                .get_mut(&key)
                .map_or(0.0, |streak| streak.value),
        };
        let is_drawn = self.settings.lanes.contains(&lane)
            && self.settings.on_air.admits(&gift.gift_type, worth);
        if !is_drawn {
            self.ledger.settle(claim, Verdict::Dismissed);
        } else if self.ledger.undecided() > self.settings.most_undecided
            && !self.make_room(standing)
        {
            self.owe(&key, reading != Reading::Independent);
            self.ledger.refuse(claim, RefusalReason::Overloaded);
        } else if reading == Reading::EndsLate {
            self.end_late(&key, claim, gift.combo_count);
        } else if let Some(recap) = &mut self.recap
            && delta.quantity > 0
        {
            recap.collect(&gift, claim, delta);
            if reading != Reading::Independent {
                self.seal(&key, Fate::Collected);
            }
        } else if reading == Reading::Independent {
            self.wait(gift, &key, lane, claim, delta, None);
        } else {
            self.continue_streak(gift, &key, lane, claim, delta);
        }
        if reading == Reading::Ends
            && let Some(streak) = self.streaks.close(&key)
        {
            self.end_streak(&streak);
        }
    }

    /// What the message adds, with its streak brought up to date.
    fn count(&mut self, key: &StreakKey, gift: &Gift, reading: Reading) -> Delta {
        match reading {
            Reading::Independent => whole(gift),
            Reading::EndsLate => Delta::default(),
            Reading::Opens | Reading::Restarts => {
                if let Some(streak) = self.streaks.close(key) {
                    self.end_streak(&streak);
                }
                if let Some(streak) = self.streaks.make_room() {
                    self.end_streak(&streak);
                }
                self.streaks.open(self.now, key.clone(), gift)
            }
            Reading::Continues | Reading::Straggles | Reading::Ends => {
                self.streaks.count(self.now, key, gift, reading)
            }
        }
    }

    /// The final message of a streak that has fallen silent tells nothing new.
    fn end_late(&mut self, key: &StreakKey, claim: Claim, combo: u32) {
        let Some((home, fate)) = self.streaks.end_late(key) else {
            return self.ledger.settle(claim, Verdict::JoinedStreak);
        };
        match home {
            Home::Waiting(turn) if self.queue.get(turn).is_some() => {
                self.queue
                    .join(turn, claim, Part::Streak, Delta::default(), combo);
            }
            _ if fate == Fate::Dismissed => self.ledger.settle(claim, Verdict::Dismissed),
            _ => self.ledger.settle(claim, Verdict::JoinedStreak),
        }
    }

    /// A streak's message goes where its streak is.
    fn continue_streak(
        &mut self,
        gift: Gift,
        key: &StreakKey,
        lane: Lane,
        claim: Claim,
        delta: Delta,
    ) {
        let streak = self.streaks.get_mut(key).expect("count() left it open");
        let (home, combo) = (streak.home, streak.combo());
        let is_told = streak.seen || !streak.is_owed;
        let fate = streak.fate;
        // It repeats what a recap is going to tell, whoever has told the gifts before.
        if delta.quantity == 0
            && fate == Fate::Collected
            && let Some(recap) = &mut self.recap
        {
            return recap.collect(&gift, claim, delta);
        }
        match home {
            Home::OnStage(act) => self.grow(act, claim, delta, combo),
            Home::Waiting(turn) => {
                self.queue.join(turn, claim, Part::Streak, delta, combo);
                self.queue.promote(turn, lane);
            }
            // It repeats what was drawn, told in a recap or a bundle, or dismissed.
            Home::None if is_told && delta.quantity == 0 => match fate {
                Fate::Dismissed => self.ledger.settle(claim, Verdict::Dismissed),
                Fate::Told | Fate::Collected => self.ledger.settle(claim, Verdict::JoinedStreak),
            },
            Home::None => self.wait(gift, key, lane, claim, delta, Some(combo)),
        }
    }

    /// The gift waits: with others where folding allows it, else on its own.
    /// `combo` is its streak's; an independent gift has none, not even beside
    /// an open streak of its key.
    fn wait(
        &mut self,
        gift: Gift,
        key: &StreakKey,
        lane: Lane,
        claim: Claim,
        delta: Delta,
        combo: Option<u32>,
    ) {
        if lane != Lane::Headline {
            if let Some(turn) = self.queue.of_sender(key, lane) {
                let part = if combo.is_some() {
                    Part::Streak
                } else {
                    Part::Fold
                };
                self.queue
                    .join(turn, claim, part, delta, combo.unwrap_or(0));
                if combo.is_some() {
                    self.settle_down(key, turn);
                }
                return;
            }
            if self.queue.len() >= self.bundle_from()
                && let Some(turn) = self.queue.of_type(&gift.gift_type, lane)
            {
                self.queue.join(turn, claim, Part::Fold, delta, 0);
                if self.queue.add_person(turn, &gift.sender, &gift.gift_type) {
                    self.unsettle(turn);
                }
                return;
            }
        }
        if self.queue.len() >= self.settings.most_waiting
            && !self.make_room((index(lane), delta.value))
        {
            self.owe(key, combo.is_some());
            return self.ledger.refuse(claim, RefusalReason::Overloaded);
        }
        let bundles = lane != Lane::Headline && self.queue.len() >= self.bundle_from();
        let turn = self.new_turn(gift, key, lane, claim, delta, combo.unwrap_or(0));
        let turn = self.queue.insert(turn);
        if combo.is_some() {
            self.settle_down(key, turn);
        }
        if bundles {
            self.queue.offer_for_bundling(turn);
        }
    }

    fn new_turn(
        &self,
        gift: Gift,
        key: &StreakKey,
        lane: Lane,
        claim: Claim,
        delta: Delta,
        combo: u32,
    ) -> Turn {
        Turn {
            key: Some(key.clone()),
            gift_type: gift.gift_type,
            lane,
            by: Senders::One {
                badge: gift.sender.badge(),
                name: gift.sender.name,
                avatar_url: gift.sender.avatar_url,
            },
            people: HashSet::new(),
            tally: Tally {
                // A repeat whose streak was never drawn is drawn as it says.
                quantity: if delta.quantity == 0 {
                    gift.quantity.into()
                } else {
                    delta.quantity
                },
                combo,
                value: delta.value,
            },
            claims: vec![claim],
            arrived: self.now,
            wish: gift.animation.duration,
            streak: false,
            drill: 0,
            rehearsal: false,
            unseen: 0,
        }
    }

    /// Makes a waiting turn the home of an open streak.
    fn settle_down(&mut self, key: &StreakKey, id: TurnId) {
        let Some(turn) = self.queue.get_mut(id) else {
            return;
        };
        // A bundle is nobody's streak.
        if turn.is_bundle() {
            return;
        }
        turn.streak = true;
        if let Some(streak) = self.streaks.get_mut(key) {
            streak.home = Home::Waiting(id);
        }
    }

    /// A turn that has become a bundle is no streak's home any more.
    fn unsettle(&mut self, id: TurnId) {
        let Some(turn) = self.queue.get_mut(id) else {
            return;
        };
        if std::mem::take(&mut turn.streak)
            && let Some(key) = &turn.key
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.home = Home::None;
        }
    }

    /// Refuses the cheapest waiting turn if it is cheaper than the newcomer.
    pub(super) fn make_room(&mut self, newcomer: Standing) -> bool {
        let Some((id, lane, value)) = self.queue.cheapest() else {
            return false;
        };
        if !is_below((index(lane), value), newcomer) {
            return false;
        }
        let turn = self.queue.remove(id).expect("it was just found");
        self.lose_home(&turn);
        for claim in turn.claims {
            self.ledger.refuse(claim, RefusalReason::Overloaded);
        }
        true
    }

    /// A turn that is no more is no streak's home.
    pub(super) fn leave_home(&mut self, turn: &Turn) {
        if turn.streak
            && let Some(key) = &turn.key
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.home = Home::None;
        }
    }

    /// The same of a turn whose gifts were refused or have failed.
    pub(super) fn lose_home(&mut self, turn: &Turn) {
        self.leave_home(turn);
        if let Some(key) = &turn.key {
            self.owe(key, turn.streak);
        }
    }

    /// The same of a turn that the host dismisses, and with it what repeats its gifts.
    pub(super) fn leave_home_dismissed(&mut self, turn: &Turn) {
        self.leave_home(turn);
        if let Some(key) = turn.key.as_ref().filter(|_| turn.streak)
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.be_dismissed();
        }
    }

    fn seal(&mut self, key: &StreakKey, fate: Fate) {
        if let Some(streak) = self.streaks.get_mut(key) {
            streak.fate = fate;
        }
    }

    fn owe(&mut self, key: &StreakKey, is_of_streak: bool) {
        if is_of_streak && let Some(streak) = self.streaks.get_mut(key) {
            streak.is_owed = true;
        }
    }

    /// The streak is over: its act climaxes, its turn is a closed one.
    pub(super) fn end_streak(&mut self, streak: &Streak) {
        match streak.home {
            Home::None => {}
            Home::Waiting(id) => {
                if let Some(turn) = self.queue.get_mut(id) {
                    turn.streak = false;
                }
            }
            Home::OnStage(act) => self.climax(act),
        }
    }

    /// The length of queue from which types are bundled across senders.
    fn bundle_from(&self) -> usize {
        let playable = self.rate * self.settings.bundle_after.as_secs_f64();
        let most = self.settings.most_waiting / 2;
        (playable as usize).max(BUNDLE_AT_LEAST).min(most)
    }
}
