//! What is always true of a show, spelled out for the tests.

use super::Show;
use super::acts::Phase;
use super::cool_down::CoolDown;
use super::lanes::{AMBIENT_LIMIT, LANES};
use super::streak::{Home, MOST_OPEN};
use crate::catalog::Lane;

impl Show {
    /// Checks everything that must hold between two calls. Slow: it looks at
    /// everything.
    ///
    /// # Errors
    ///
    /// Says which invariant is broken.
    pub fn verify_invariants(&self) -> Result<(), String> {
        self.queue.verify()?;
        if self.cool_down.len() > CoolDown::bound() {
            return Err("more senders rest than are remembered".into());
        }
        self.board.verify()?;
        self.verify_ledger()?;
        self.verify_stage()?;
        self.verify_streaks()
    }

    /// Every gift offered has had its outcome or is owed it by one holder.
    fn verify_ledger(&self) -> Result<(), String> {
        let queued: usize = self.queue.turns().map(|(_, turn)| turn.claims.len()).sum();
        let aside: usize = self.aside.iter().map(|turn| turn.claims.len()).sum();
        let acts: usize = self.acts.values().map(|act| act.turn.claims.len()).sum();
        let recap = self.recap.as_ref().map_or(0, |recap| recap.claims.len());
        let held = queued + aside + acts + recap;
        let undecided = self.ledger.undecided();
        if held != undecided {
            return Err(format!("{undecided} gifts undecided, {held} claims held"));
        }
        let accounted = self.ledger.counts().total() + undecided as u64;
        if accounted != self.ledger.offered() {
            let offered = self.ledger.offered();
            return Err(format!(
                "{offered} gifts offered, {accounted} accounted for"
            ));
        }
        if undecided > self.settings.most_undecided {
            return Err(format!("{undecided} undecided gifts are over the bound"));
        }
        if self.queue.len() > self.settings.most_waiting {
            return Err(format!(
                "{} waiting turns are over the bound",
                self.queue.len()
            ));
        }
        if self.queue.turns().any(|(_, turn)| turn.claims.is_empty()) {
            return Err("a turn waits for nobody".into());
        }
        if self
            .queue
            .turns()
            .any(|(_, turn)| turn.lane == Lane::Headline && turn.is_bundle())
        {
            return Err("a headline gift was folded away".into());
        }
        Ok(())
    }

    /// Every act has a place of its own, and the stage its measure.
    fn verify_stage(&self) -> Result<(), String> {
        for lane in LANES {
            let acts = self.acts.values().filter(|act| act.lane == lane);
            let mut slots: Vec<_> = acts.map(|act| act.slot).collect();
            slots.sort_unstable();
            if !slots.is_sorted_by(|a, b| a < b) {
                return Err(format!("two acts share a place in {lane:?}"));
            }
            if slots.len() != self.lanes.playing(lane)
                || !slots.iter().all(|slot| self.lanes.is_taken(lane, *slot))
            {
                return Err(format!("{lane:?} keeps places for nobody"));
            }
            let bound = match lane {
                Lane::Headline | Lane::Feature => self.lanes.places(lane),
                Lane::Ambient => AMBIENT_LIMIT,
            };
            if slots.len() > bound {
                return Err(format!("{} acts in {lane:?}", slots.len()));
            }
        }
        let particles: u64 = self.acts.values().map(|act| u64::from(act.particles)).sum();
        if particles != self.particles {
            return Err(format!(
                "{particles} particles on stage, {} counted",
                self.particles
            ));
        }
        Ok(())
    }

    /// A streak and its home agree about each other.
    fn verify_streaks(&self) -> Result<(), String> {
        if self.streaks.len() > MOST_OPEN {
            return Err("too many open streaks".into());
        }
        if self.streaks.deadlines() > 2 * self.streaks.len().max(MOST_OPEN) + 64 {
            return Err("stale deadlines pile up".into());
        }
        let mut homes = 0;
        for (key, streak) in self.streaks.iter() {
            let turn = match streak.home {
                Home::None => continue,
                Home::Waiting(id) => self.queue.get(id),
                Home::OnStage(id) => self
                    .acts
                    .get(&id)
                    .filter(|act| act.phase == Phase::Open)
                    .map(|act| &act.turn),
            };
            homes += 1;
            if !turn.is_some_and(|turn| turn.streak && turn.key.as_ref() == Some(key)) {
                return Err(format!(
                    "a streak's home {:?} does not know it",
                    streak.home
                ));
            }
        }
        let queued = self.queue.turns().filter(|(_, turn)| turn.streak).count();
        let acts = self
            .acts
            .values()
            .filter(|act| act.phase == Phase::Open && act.drill.is_none())
            .count();
        if homes != queued + acts {
            return Err(format!(
                "{homes} homes, {queued} waiting and {acts} acts say they are one"
            ));
        }
        if let Some(act) = self.acts.values().find(|act| act.phase == Phase::Leaving)
            && !act.turn.claims.is_empty()
        {
            return Err("a dismissed act still owes outcomes".into());
        }
        Ok(())
    }
}
