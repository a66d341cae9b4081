//! Acts on stage: how they start, grow, climax, shrink and end.

use std::sync::Arc;
use std::time::Duration;

use super::cue::{ActId, ActStart, Cue, Delta, Tally};
use super::drill::Drill;
use super::outcomes::{Claim, Part};
use super::pacing::{shortening, shortest};
use super::streak::Home;
use super::turn::{Turn, TurnId};
use super::{Show, milestone};
use crate::catalog::Lane;
use crate::model::{GiftType, Moment, Verdict};

/// How long one streak may keep a scarce place, or an ambient one that others
/// wait for.
const LONGEST_HOLD: Duration = Duration::from_secs(20);

/// How soon to look again at streaks that have held an ambient place for longer
/// but stood in nobody's way.
const HOLD_RECHECK: Duration = Duration::from_secs(1);

/// The most that an act may last, as the protocol clamps a gift's wish.
const LONGEST_ACT: Duration = Duration::from_secs(60);

/// An act that plays out without ever reaching a presented frame waits again;
/// after this many times something is broken and the backend should know.
const MOST_UNSEEN: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Plays out by itself.
    Playing,
    /// Held until its streak ends; the streak's home is this act.
    Open,
    /// Its streak ended; plays out.
    Climaxed,
    /// Dismissed; gone within a blink.
    Leaving,
}

/// A turn on stage.
#[derive(Debug)]
pub(super) struct Act {
    pub turn: Turn,
    /// Where it plays, which after shrinking is not where it belongs.
    pub lane: Lane,
    pub slot: usize,
    pub particles: u32,
    /// When it took its place.
    pub since: Moment,
    pub phase: Phase,
    pub presented: bool,
    /// It has grown since the stage was last told; with the combo before.
    pub grown_from: Option<u32>,
    /// It is a test streak, which goes on.
    pub drill: Option<Drill>,
}

/// An act on stage, for displays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnStage<'a> {
    pub act: ActId,
    pub gift_type: &'a GiftType,
    pub lane: Lane,
    pub slot: usize,
    pub tally: Tally,
    /// When it took its place.
    pub since: Moment,
    /// It has been on a presented frame.
    pub presented: bool,
    /// It is held until its streak ends.
    pub open_streak: bool,
    /// It was skipped or cleared and is on its way out.
    pub leaving: bool,
}

impl Act {
    pub fn view(&self, act: ActId) -> OnStage<'_> {
        OnStage {
            act,
            gift_type: &self.turn.gift_type,
            lane: self.lane,
            slot: self.slot,
            tally: self.turn.tally,
            since: self.since,
            presented: self.presented,
            open_streak: self.phase == Phase::Open,
            leaving: self.phase == Phase::Leaving,
        }
    }
}

/// Which of the two queues the next turn comes from.
pub(super) enum Next {
    Aside(usize),
    Queued(TurnId),
}

fn verdict(part: Part, is_bundle: bool) -> Verdict {
    match part {
        _ if is_bundle => Verdict::JoinedBundle,
        Part::Lead => Verdict::Played,
        Part::Streak => Verdict::JoinedStreak,
        Part::Fold => Verdict::JoinedBundle,
    }
}

impl Show {
    /// The act is first on a presented frame: its gifts have been played.
    /// Unknown acts and repeated reports are ignored.
    pub fn presented(&mut self, now: Moment, act: ActId) {
        self.advance(now);
        let Some(act) = self.acts.get_mut(&act) else {
            return;
        };
        if act.phase == Phase::Leaving {
            return;
        }
        act.presented = true;
        let is_bundle = act.turn.is_bundle();
        for claim in act.turn.claims.drain(..) {
            let verdict = verdict(claim.part, is_bundle);
            self.ledger.settle(claim, verdict);
        }
        if act.phase == Phase::Open
            && let Some(key) = &act.turn.key
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.seen = true;
        }
    }

    /// The act has left the stage. One that nobody saw waits again.
    pub fn finished(&mut self, now: Moment, act: ActId) {
        self.advance(now);
        let Some(mut act) = self.take_off(act) else {
            return;
        };
        if act.turn.claims.is_empty() {
            return self.leave_home(&act.turn);
        }
        act.turn.unseen += 1;
        if act.turn.unseen >= MOST_UNSEEN {
            return self.fail(act, "never presented".into());
        }
        self.wait_again(act.turn);
    }

    /// The act could not be played, nor could its fallback.
    pub fn failed(&mut self, now: Moment, act: ActId, reason: Arc<str>) {
        self.advance(now);
        if let Some(act) = self.take_off(act) {
            self.fail(act, reason);
        }
    }

    /// What would start next if the rate allows it.
    pub(super) fn next_turn(&self) -> Option<Next> {
        if self.is_held() {
            return None;
        }
        let aside = self
            .aside
            .iter()
            .position(|turn| self.lanes.has_room(turn.lane) && self.queue.is_warm(&turn.gift_type));
        if let Some(aside) = aside {
            return Some(Next::Aside(aside));
        }
        if self.recap.is_some() {
            return None;
        }
        let may_start = |lane, turn: &Turn| {
            self.lanes.has_room(lane) && (lane != Lane::Ambient || self.is_within_budget(turn))
        };
        self.queue.first(may_start).map(Next::Queued)
    }

    /// Starts one act, if anything may start.
    pub(super) fn start_next(&mut self) {
        if !self.pacer.is_open(self.now) {
            return;
        }
        // The backlog that shortens acts is what waits behind this one.
        let turn = loop {
            match self.next_turn() {
                None => return,
                Some(Next::Aside(at)) => break self.aside.remove(at),
                Some(Next::Queued(id)) => match self.rests_until(id) {
                    Some(until) => self.queue.rest(id, until),
                    None => break self.queue.remove(id),
                },
            }
        };
        let turn = turn.expect("next_turn() found it");
        if let Some(key) = turn.key.as_ref().filter(|_| !turn.is_bundle()) {
            self.cool_down.begin(self.now, &key.user_id);
        }
        let slot = self.lanes.take(turn.lane).expect("next_turn() saw room");
        self.pacer.spend(self.now);
        self.start(turn, slot);
    }

    /// Until when a turn waits because its sender has just had an act. Many
    /// people's turn is nobody's, and a headline gift waits for no such thing.
    fn rests_until(&self, id: TurnId) -> Option<Moment> {
        let turn = self.queue.get(id)?;
        let key = turn.key.as_ref()?;
        let exempt = turn.is_bundle() || turn.lane == Lane::Headline;
        self.cool_down
            .rests_until(self.now, &key.user_id)
            .filter(|_| !exempt)
    }

    fn start(&mut self, turn: Turn, slot: usize) {
        let id = ActId(self.next_act);
        self.next_act += 1;
        let lane = turn.lane;
        let recipe = self.catalog.recipe(&turn.gift_type);
        let particles = recipe.particles;
        let shortest = shortest(lane, recipe.duration);
        let ordinary = turn
            .wish
            .unwrap_or(recipe.duration)
            .clamp(shortest, LONGEST_ACT);
        let mut duration = ordinary;
        if lane == Lane::Ambient {
            self.lanes.learn_ambient(ordinary);
            let share = shortening(self.queue.ready(lane), self.lanes.places(lane));
            duration = ordinary.mul_f64(share).max(shortest);
        }
        let mut phase = Phase::Playing;
        if turn.streak
            && let Some(streak) = turn.key.as_ref().and_then(|key| self.streaks.get_mut(key))
        {
            streak.home = Home::OnStage(id);
            phase = Phase::Open;
            self.next_hold_check = self.next_hold_check.min(self.now + LONGEST_HOLD);
        }
        let drill = Drill::of(&turn, self.now);
        if let Some(drill) = &drill {
            phase = Phase::Open;
            self.next_drill = self.next_drill.min(drill.next);
            self.next_hold_check = self.next_hold_check.min(self.now + LONGEST_HOLD);
        }
        self.ledger.cue(Cue::Start(Box::new(ActStart {
            act: id,
            gift_type: turn.gift_type.clone(),
            lane,
            slot,
            by: turn.by.clone(),
            tally: turn.tally,
            arrived: turn.arrived,
            duration,
            open_streak: phase == Phase::Open,
            rehearsal: turn.rehearsal,
        })));
        if !turn.rehearsal {
            self.encores.started(self.now, id, &turn);
        }
        self.particles += u64::from(particles);
        let act = Act {
            turn,
            lane,
            slot,
            particles,
            since: self.now,
            phase,
            presented: false,
            grown_from: None,
            drill,
        };
        self.acts.insert(id, act);
    }

    /// Only one ambient act may exceed the budget, so that a budget smaller
    /// than any recipe still lets the show go on.
    fn is_within_budget(&self, turn: &Turn) -> bool {
        let particles = self.catalog.recipe(&turn.gift_type).particles;
        self.particles + u64::from(particles) <= u64::from(self.settings.particle_budget)
            || self.lanes.playing(Lane::Ambient) == 0
    }

    /// A gift of an open streak makes its act grow.
    pub(super) fn grow(&mut self, id: ActId, mut claim: Claim, delta: Delta, combo: u32) {
        self.swell(id, delta, combo);
        let act = self.acts.get_mut(&id).expect("a streak's home is on stage");
        self.encores.joined(id, claim.gift(), act.turn.tally);
        if act.presented {
            // What it joined is on screen already.
            self.ledger.settle(claim, Verdict::JoinedStreak);
        } else {
            claim.part = Part::Streak;
            act.turn.claims.push(claim);
        }
    }

    pub(super) fn swell(&mut self, id: ActId, delta: Delta, combo: u32) {
        let Some(act) = self.acts.get_mut(&id) else {
            return;
        };
        let before = act.turn.tally.combo;
        act.turn.tally.add(delta, combo);
        if delta.quantity > 0 && act.grown_from.is_none() {
            act.grown_from = Some(before);
            self.growing.push_back(id);
        }
    }

    /// Tells the stage of all growth since it was last told.
    pub(super) fn tell_growth(&mut self) {
        while let Some(id) = self.growing.pop_front() {
            self.tell_growth_of(id);
        }
    }

    fn tell_growth_of(&mut self, id: ActId) {
        if let Some(act) = self.acts.get_mut(&id)
            && let Some(before) = act.grown_from.take()
            && act.phase != Phase::Leaving
        {
            let tally = act.turn.tally;
            let combo = milestone(before, tally.combo);
            self.ledger.cue(Cue::Grow {
                act: id,
                tally,
                combo,
            });
        }
    }

    pub(super) fn climax(&mut self, id: ActId) {
        self.tell_growth_of(id);
        if let Some(act) = self.acts.get_mut(&id)
            && act.phase == Phase::Open
        {
            act.phase = Phase::Climaxed;
            act.turn.streak = false;
            let tally = act.turn.tally;
            self.ledger.cue(Cue::Climax { act: id, tally });
        }
    }

    /// Streaks that have held a scarce place too long go on as small counters;
    /// where those and others fill the ambient lane while somebody waits, the
    /// longest there climaxes and its later gifts queue like anyone's.
    pub(super) fn end_long_holds(&mut self) {
        if self.now < self.next_hold_check || self.paused_since.is_some() {
            return;
        }
        let open = self.acts.iter().filter(|(_, act)| act.phase == Phase::Open);
        let long: Vec<(ActId, Lane)> = open
            .filter(|(_, act)| self.now >= act.since + LONGEST_HOLD)
            .map(|(id, act)| (*id, act.lane))
            .collect();
        let (ambient, scarce): (Vec<_>, Vec<_>) = long
            .into_iter()
            .partition(|(_, lane)| *lane == Lane::Ambient);
        for (id, _) in scarce {
            self.shrink(id);
        }
        let crowded = !self.lanes.has_room(Lane::Ambient) && self.queue.ready(Lane::Ambient) > 0;
        let longest = ambient
            .into_iter()
            .min_by_key(|(id, _)| self.acts[id].since);
        if let Some((id, _)) = longest.filter(|_| crowded) {
            self.leave_home_of(id);
            self.climax(id);
        }
        let open = self.acts.values().filter(|act| act.phase == Phase::Open);
        let next = open.map(|act| (act.since + LONGEST_HOLD).max(self.now + HOLD_RECHECK));
        self.next_hold_check = next.min().unwrap_or(Moment::MAX);
    }

    /// Nobody sees what is on stage any more: later gifts of its streaks queue like
    /// anyone's.
    pub(super) fn let_streaks_go(&mut self) {
        let open = self.acts.iter().filter(|(_, act)| act.phase == Phase::Open);
        let streaks = open.filter(|(_, act)| act.turn.streak);
        let streaks: Vec<_> = streaks.map(|(id, _)| *id).collect();
        for id in streaks {
            self.leave_home_of(id);
            self.climax(id);
        }
    }

    fn shrink(&mut self, id: ActId) {
        let Some(slot) = self.lanes.squeeze_in() else {
            self.leave_home_of(id);
            return self.climax(id);
        };
        self.tell_growth_of(id);
        let act = self.acts.get_mut(&id).expect("the caller found it");
        self.lanes.leave(act.lane, act.slot);
        act.lane = Lane::Ambient;
        act.slot = slot;
        act.since = self.now;
        let tally = act.turn.tally;
        self.ledger.cue(Cue::Shrink {
            act: id,
            tally,
            slot,
        });
    }

    /// The streak goes on without this act.
    fn leave_home_of(&mut self, id: ActId) {
        if let Some(act) = self.acts.get(&id)
            && let Some(key) = act.turn.key.as_ref().filter(|_| act.turn.streak)
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.home = Home::None;
        }
    }

    /// Skip and clear: the act goes at once, its gifts with it.
    pub(super) fn dismiss(&mut self, id: ActId) {
        self.leave_home_of(id);
        let Some(act) = self.acts.get_mut(&id) else {
            return;
        };
        if act.phase == Phase::Leaving {
            return;
        }
        act.phase = Phase::Leaving;
        if let Some(key) = act.turn.key.as_ref().filter(|_| act.turn.streak)
            && !act.turn.claims.is_empty()
            && let Some(streak) = self.streaks.get_mut(key)
        {
            streak.be_dismissed();
        }
        act.turn.streak = false;
        for claim in act.turn.claims.drain(..) {
            self.ledger.settle(claim, Verdict::Dismissed);
        }
        self.ledger.cue(Cue::Dismiss { act: id });
    }

    fn take_off(&mut self, id: ActId) -> Option<Act> {
        let act = self.acts.remove(&id)?;
        self.lanes.leave(act.lane, act.slot);
        self.particles -= u64::from(act.particles);
        Some(act)
    }

    fn fail(&mut self, act: Act, reason: Arc<str>) {
        self.lose_home(&act.turn);
        let failed = Verdict::Failed(reason);
        for claim in act.turn.claims {
            self.ledger.settle(claim, failed.clone());
        }
    }

    /// An act that nobody saw returns to the queue as it was.
    fn wait_again(&mut self, turn: Turn) {
        if turn.key.is_none() {
            return self.aside.push_front(turn);
        }
        let standing = (super::lanes::index(turn.lane), turn.tally.value);
        if self.queue.len() >= self.settings.most_waiting && !self.make_room(standing) {
            self.lose_home(&turn);
            for claim in turn.claims {
                self.ledger
                    .refuse(claim, crate::model::RefusalReason::Overloaded);
            }
            return;
        }
        let key = turn.key.clone().filter(|_| turn.streak);
        let id = self.queue.insert(turn);
        if let Some(streak) = key.and_then(|key| self.streaks.get_mut(&key)) {
            streak.home = Home::Waiting(id);
        }
    }
}
