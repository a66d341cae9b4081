//! What a host may do to a running show.

use std::collections::HashSet;

use super::Show;
use super::acts::Phase;
use super::cue::{Cue, Delta, Senders, Tally};
use super::drill::MOST_DRILLED;
use super::lanes::LANES;
use super::outcomes::{Claim, Part};
use super::streak::Fate;
use super::turn::Turn;
use crate::catalog::Lane;
use crate::model::{Control, Gift, GiftType, Moment, Private, Verdict, Word};

/// The gift type under which do-not-disturb's recap plays: an entry of the
/// catalogue if there is one, else its fallback.
pub const RECAP: &str = "recap";

/// Tests and replays that wait; one more drops the oldest. A host who presses
/// a key fifty times does not mean it.
const MOST_REHEARSALS: usize = 32;

/// What do-not-disturb has collected. Bounded by the show's bound on undecided
/// gifts, each of which it holds.
#[derive(Debug)]
pub(super) struct Recap {
    people: HashSet<Private<Word>>,
    tally: Tally,
    pub claims: Vec<Claim>,
}

impl Recap {
    fn new() -> Self {
        Self {
            people: HashSet::new(),
            tally: Tally::default(),
            claims: Vec::new(),
        }
    }

    pub fn collect(&mut self, gift: &Gift, mut claim: Claim, delta: Delta) {
        claim.part = Part::Fold;
        self.claims.push(claim);
        self.people.insert(gift.sender.user_id.clone());
        self.tally.add(delta, 0);
    }
}

impl Show {
    /// Obeys the host.
    pub fn control(&mut self, now: Moment, control: Control) {
        self.advance(now);
        match control {
            Control::Pause => self.pause(),
            Control::Resume => self.resume(),
            Control::Skip => self.skip(),
            Control::Dismiss(gift) => self.dismiss_waiting(&gift),
            Control::Clear => self.clear(),
            Control::Hold(gift) => self.queue.hold(&gift, true),
            Control::Release(gift) => self.queue.hold(&gift, false),
            Control::Mute(muted) => {
                if std::mem::replace(&mut self.muted, muted) != muted {
                    self.ledger.cue(Cue::Muted(muted));
                }
            }
            Control::Volume(volume) => self.set_volume(volume),
            Control::Replay => {
                let encore = self.encores.last(self.now);
                encore.into_iter().for_each(|turn| self.rehearse(turn));
            }
            Control::ReplayOf(gift) => {
                let encore = self.encores.of(self.now, &gift);
                encore.into_iter().for_each(|turn| self.rehearse(turn));
            }
            Control::Test {
                gift_type,
                quantity,
            } => self.test(gift_type, quantity, 0),
            Control::TestStreak {
                gift_type,
                messages,
            } => self.test(gift_type, 1, messages.clamp(1, MOST_DRILLED)),
            Control::DoNotDisturb(true) => {
                self.recap.get_or_insert_with(Recap::new);
            }
            Control::DoNotDisturb(false) => self.end_quiet(),
        }
    }

    fn pause(&mut self) {
        if self.paused_since.is_none() {
            self.paused_since = Some(self.now);
            self.ledger.cue(Cue::Paused(true));
        }
    }

    fn resume(&mut self) {
        let Some(since) = self.paused_since.take() else {
            return;
        };
        // The acts' clocks stood still, so their time on stage did not pass.
        let paused = self.now - since;
        for act in self.acts.values_mut() {
            act.since += paused;
            if let Some(drill) = &mut act.drill {
                drill.next += paused;
            }
        }
        self.next_drill = self.next_drill.saturating_add(paused);
        self.next_hold_check = self.next_hold_check.saturating_add(paused);
        self.ledger.cue(Cue::Paused(false));
    }

    fn set_volume(&mut self, volume: f32) {
        if volume.is_nan() {
            return;
        }
        let volume = volume.clamp(0.0, 1.0);
        if std::mem::replace(&mut self.volume, volume) != volume {
            self.ledger.cue(Cue::Volume(volume));
        }
    }

    fn skip(&mut self) {
        for lane in LANES {
            if self.dismiss_all(|playing_in| playing_in == lane) {
                return;
            }
        }
    }

    /// What the gift waits as never plays: itself and what was folded into it.
    fn dismiss_waiting(&mut self, gift: &str) {
        if let Some(turn) = self.queue.find(gift).and_then(|id| self.queue.remove(id)) {
            self.leave_home_dismissed(&turn);
            self.dismiss_claims(turn.claims);
        }
    }

    fn clear(&mut self) {
        self.dismiss_all(|_| true);
        let queued = self.queue.drain();
        let aside = std::mem::take(&mut self.aside);
        for turn in queued.into_iter().chain(aside) {
            self.leave_home_dismissed(&turn);
            self.dismiss_claims(turn.claims);
        }
        if let Some(recap) = &mut self.recap {
            let collected = std::mem::replace(recap, Recap::new());
            self.dismiss_claims(collected.claims);
            self.collected_become(Fate::Dismissed);
        }
    }

    /// The recap is over for the streaks whose gifts it has collected.
    fn collected_become(&mut self, fate: Fate) {
        let streaks = self.streaks.iter_mut();
        for streak in streaks.filter(|streak| streak.fate == Fate::Collected) {
            streak.fate = fate;
        }
    }

    fn dismiss_claims(&mut self, claims: Vec<Claim>) {
        for claim in claims {
            self.ledger.settle(claim, Verdict::Dismissed);
        }
    }

    /// Whether there was any act to dismiss.
    fn dismiss_all(&mut self, in_lane: impl Fn(Lane) -> bool) -> bool {
        let leaving: Vec<_> = self
            .acts
            .iter()
            .filter(|(_, act)| in_lane(act.lane) && act.phase != Phase::Leaving)
            .map(|(id, _)| *id)
            .collect();
        for id in &leaving {
            self.dismiss(*id);
        }
        !leaving.is_empty()
    }

    /// `messages` is 0 for a gift that is no streak.
    fn test(&mut self, gift_type: GiftType, quantity: u32, messages: u32) {
        self.rehearse(Turn {
            key: None,
            lane: self.catalog.lane(&gift_type, 0.0),
            gift_type,
            by: Senders::One {
                name: Private("Test".into()),
                avatar_url: None,
                badge: None,
            },
            people: HashSet::new(),
            tally: Tally {
                quantity: quantity.max(1).into(),
                combo: messages.min(1),
                value: 0.0,
            },
            claims: Vec::new(),
            arrived: self.now,
            wish: None,
            streak: false,
            drill: messages,
            rehearsal: true,
            unseen: 0,
        });
    }

    fn rehearse(&mut self, turn: Turn) {
        let rehearsals = self
            .aside
            .iter()
            .filter(|turn| turn.claims.is_empty())
            .count();
        if rehearsals >= MOST_REHEARSALS
            && let Some(oldest) = self.aside.iter().position(|turn| turn.claims.is_empty())
        {
            self.aside.remove(oldest);
        }
        self.aside.push_back(turn);
    }

    fn end_quiet(&mut self) {
        let Some(recap) = self.recap.take() else {
            return;
        };
        self.collected_become(Fate::Told);
        if recap.claims.is_empty() {
            return;
        }
        self.aside.push_front(Turn {
            key: None,
            gift_type: RECAP.into(),
            lane: self.catalog.lane(RECAP, recap.tally.value),
            by: Senders::Many(u32::try_from(recap.people.len()).unwrap_or(u32::MAX)),
            people: HashSet::new(),
            tally: recap.tally,
            claims: recap.claims,
            arrived: self.now,
            wish: None,
            streak: false,
            drill: 0,
            rehearsal: true,
            unseen: 0,
        });
    }
}
