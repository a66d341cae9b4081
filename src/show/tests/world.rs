//! A show with a stage that plays every act for as long as it is told to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::{Catalog, Lane};
use crate::model::{Control, Gift, Moment, Outcome, Sender, Verdict};
use crate::show::{ActId, ActStart, Cue, Event, Show, ShowSettings};

/// rose, heart: ambient, 3 s. rocket: feature, 5 s. universe: headline, 6 s.
/// Everything else falls back to 2 s and is placed by value.
const CATALOG: &str = include_str!("../../../tests/data/show.toml");

pub fn catalog() -> Arc<Catalog> {
    let path = Path::new("assets/catalog.toml");
    Arc::new(Catalog::parse(CATALOG, path).expect("the tests' catalogue is valid"))
}

pub fn gift(id: &str, user: &str, gift_type: &str, value: f64) -> Gift {
    Gift {
        total_value: value,
        ..Gift::one(id, gift_type, Sender::named(user, user))
    }
}

pub fn ms(ms: u64) -> Moment {
    Duration::from_millis(ms)
}

pub struct World {
    pub show: Show,
    pub now: Moment,
    pub starts: Vec<(Moment, ActStart)>,
    pub cues: Vec<(Moment, Cue)>,
    pub outcomes: Vec<Outcome>,
    /// When acts that are not held leave the stage.
    leaving: BTreeMap<ActId, Moment>,
    /// The stage reports acts as presented the moment they start.
    pub presents: bool,
    next_id: u32,
}

impl World {
    pub fn new(settings: ShowSettings) -> Self {
        Self::with(settings, catalog())
    }

    pub fn with(settings: ShowSettings, catalog: Arc<Catalog>) -> Self {
        Self {
            show: Show::new(settings, catalog),
            now: Moment::ZERO,
            starts: Vec::new(),
            cues: Vec::new(),
            outcomes: Vec::new(),
            leaving: BTreeMap::new(),
            presents: true,
            next_id: 0,
        }
    }

    pub fn at_rate(rate: f64) -> Self {
        Self::new(ShowSettings {
            rate,
            ..ShowSettings::default()
        })
    }

    /// Offers without letting anything start yet. Returns the gift's id.
    pub fn offer_quietly(&mut self, mut gift: Gift) -> Arc<str> {
        if gift.id.is_empty() {
            gift.id = format!("g{}", self.next_id).into();
            self.next_id += 1;
        }
        let id = gift.id.clone();
        self.show.offer(self.now, gift);
        self.show
            .verify_invariants()
            .expect("invariants hold after an offer");
        id
    }

    pub fn offer(&mut self, gift: Gift) -> Arc<str> {
        let id = self.offer_quietly(gift);
        self.settle();
        id
    }

    pub fn give(&mut self, user: &str, gift_type: &str, value: f64) -> Arc<str> {
        self.offer(gift("", user, gift_type, value))
    }

    /// One streak message.
    pub fn streak(&mut self, user: &str, gift_type: &str, quantity: u32, combo: u32) -> Arc<str> {
        self.offer(Gift {
            quantity,
            combo_count: combo,
            is_streak: true,
            ..gift("", user, gift_type, f64::from(quantity))
        })
    }

    /// The final message of a streak.
    pub fn last(&mut self, user: &str, gift_type: &str, quantity: u32, combo: u32) -> Arc<str> {
        self.offer(Gift {
            quantity,
            combo_count: combo,
            ..gift("", user, gift_type, f64::from(quantity))
        })
    }

    pub fn control(&mut self, control: Control) {
        self.show.control(self.now, control);
        self.settle();
    }

    /// Polls until nothing comes, playing the stage.
    pub fn settle(&mut self) {
        while let Some(event) = self.show.poll(self.now) {
            self.show
                .verify_invariants()
                .expect("invariants hold after a poll");
            match event {
                Event::Outcome(outcome) => self.outcomes.push(outcome),
                Event::Cue(cue) => self.play(cue),
            }
        }
    }

    fn play(&mut self, cue: Cue) {
        match &cue {
            Cue::Start(start) => {
                self.starts.push((self.now, (**start).clone()));
                if !start.open_streak {
                    self.leaving.insert(start.act, self.now + start.duration);
                }
                if self.presents {
                    self.show.presented(self.now, start.act);
                }
            }
            Cue::Climax { act, .. } => {
                self.leaving.insert(*act, self.now + ms(1000));
            }
            Cue::Dismiss { act } => {
                self.leaving.insert(*act, self.now + ms(300));
            }
            _ => {}
        }
        self.cues.push((self.now, cue));
    }

    /// Lets time pass, waking the show exactly when it asks to be woken and
    /// when an act ends.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.settle();
            let wake = self.show.next_wake(self.now);
            let act = self.leaving.iter().map(|(act, at)| (*at, *act)).min();
            let next = [wake, act.map(|(at, _)| at)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            assert!(next >= self.now, "the show asks to be woken in the past");
            self.now = next;
            if let Some((_, act)) = act.filter(|(at, _)| *at <= next) {
                self.leaving.remove(&act);
                self.show.finished(self.now, act);
            }
        }
        self.now = end;
        self.settle();
    }

    /// Runs until nothing is left to do.
    pub fn play_out(&mut self) {
        for _ in 0..10_000 {
            if self.show.is_idle() {
                return;
            }
            self.pass(ms(1000));
        }
        panic!("the show does not end");
    }

    pub fn verdict(&self, gift: &str) -> Option<Verdict> {
        let mut found = self
            .outcomes
            .iter()
            .filter(|outcome| &*outcome.gift == gift);
        let verdict = found.next().map(|outcome| outcome.verdict.clone());
        assert!(found.next().is_none(), "{gift} has two outcomes");
        verdict
    }

    pub fn started(&self) -> Vec<&str> {
        self.starts
            .iter()
            .map(|(_, start)| &*start.gift_type)
            .collect()
    }

    pub fn climaxes(&self) -> Vec<u64> {
        let cues = self.cues.iter();
        cues.filter_map(|(_, cue)| match cue {
            Cue::Climax { tally, .. } => Some(tally.quantity),
            _ => None,
        })
        .collect()
    }

    pub fn playing(&self, lane: Lane) -> usize {
        self.show.playing(lane)
    }
}
