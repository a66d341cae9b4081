//! What waits: in order of value and arrival, folded under load, bounded.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

use super::cue::{Delta, Senders, Tally};
use super::lanes::{LANES, index};
use super::outcomes::{Claim, Part};
use super::turn::{IdHasher, Turn, TurnId};
use crate::catalog::{Catalog, Lane, Recipe};
use crate::model::{GiftId, GiftType, Moment, Sender, StreakKey};

/// The gift type of a bundle of several types that the catalogue does not know.
pub const MIXED: &str = "gifts";

/// The most that any value lets a gift overtake: what came earlier by more than
/// this is never overtaken, so nobody waits for ever.
const MOST_HEAD_START_SECONDS: f64 = 60.0;

/// How many doublings of value earn half of that head start.
const DOUBLINGS_TO_HALF: f64 = 8.0;

/// A feature act goes before ambient ones that came up to this much earlier.
const FEATURE_HEAD_START: Duration = Duration::from_secs(10);

/// A turn that gains value is filed anew when it has gained this share of it:
/// often enough to matter, seldom enough to cost nothing in a flood.
const REFILE_AT: f64 = 1.25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In its lane's order.
    Ready,
    /// Until its recipe's pipelines are warm.
    Cold,
    /// Until the host releases it.
    Held,
    /// Until its sender has rested.
    Resting(Moment),
}

impl Place {
    fn number(self) -> usize {
        match self {
            Self::Ready => 0,
            Self::Cold => 1,
            Self::Held => 2,
            Self::Resting(_) => 3,
        }
    }
}

#[derive(Debug)]
struct Filed {
    turn: Turn,
    place: Place,
    /// The value it is filed under; at most [`REFILE_AT`] behind the tally.
    value: f64,
}

impl Filed {
    fn view(&self) -> Upcoming {
        let turn = &self.turn;
        Upcoming {
            gift_type: turn.gift_type.clone(),
            lane: turn.lane,
            by: turn.by.clone(),
            tally: turn.tally,
            arrived: turn.arrived,
            gift: turn.claims.first().map(|claim| claim.gift().clone()),
            held: self.place == Place::Held,
        }
    }
}

/// Smallest goes first. Since everybody ages alike, who is ahead of whom never
/// changes with time and an ordered set can hold it.
type Order = (i64, TurnId);

/// Smallest is refused first: the cheapest of the cheapest lane, of equals the
/// newest.
type Worth = (Reverse<usize>, u64, Reverse<TurnId>);

fn order(turn: &Turn, id: TurnId, value: f64) -> Order {
    (nanos(turn.arrived) - nanos(head_start(value)), id)
}

fn worth(turn: &Turn, id: TurnId, value: f64) -> Worth {
    // The bits of floats that are not negative sort as the floats do.
    (Reverse(index(turn.lane)), value.to_bits(), Reverse(id))
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX / 2)
}

/// How much later a gift of this value may have come and still go first.
/// It rises with every value and never reaches a minute.
pub fn head_start(value: f64) -> Duration {
    let doublings = value.clamp(0.0, f64::MAX).ln_1p() / std::f64::consts::LN_2;
    let share = doublings / (doublings + DOUBLINGS_TO_HALF);
    Duration::from_secs_f64(MOST_HEAD_START_SECONDS * share)
}

/// Which recipes the stage can play without stalling.
#[derive(Debug)]
enum Warmth {
    All,
    Only(HashSet<Arc<str>>),
}

/// A waiting turn, for displays.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    pub gift_type: GiftType,
    pub lane: Lane,
    pub by: Senders,
    pub tally: Tally,
    pub arrived: Moment,
    /// The gift that the turn began with; what hold and release go by.
    pub gift: Option<GiftId>,
    pub held: bool,
}

/// All waiting turns and the ways to find one.
#[derive(Debug)]
pub(super) struct Queue {
    turns: HashMap<TurnId, Filed, BuildHasherDefault<IdHasher>>,
    ready: [BTreeSet<Order>; 3],
    cold: HashMap<Arc<str>, HashSet<TurnId>>,
    resting: BTreeSet<(Moment, TurnId)>,
    by_worth: BTreeSet<Worth>,
    /// Where the next gift of the same sender and type goes.
    same_sender: HashMap<StreakKey, TurnId>,
    /// Where the next gift of the same type goes, whoever sent it.
    same_type: HashMap<(usize, GiftType), TurnId>,
    next: u64,
    catalog: Arc<Catalog>,
    warmth: Warmth,
    mixed: GiftType,
}

impl Queue {
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            turns: HashMap::default(),
            ready: Default::default(),
            cold: HashMap::new(),
            resting: BTreeSet::new(),
            by_worth: BTreeSet::new(),
            same_sender: HashMap::new(),
            same_type: HashMap::new(),
            next: 0,
            catalog,
            warmth: Warmth::All,
            mixed: MIXED.into(),
        }
    }

    pub fn len(&self) -> usize {
        self.turns.len()
    }

    pub fn ready(&self, lane: Lane) -> usize {
        self.ready[index(lane)].len()
    }

    pub fn get(&self, id: TurnId) -> Option<&Turn> {
        self.turns.get(&id).map(|filed| &filed.turn)
    }

    pub fn get_mut(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.turns.get_mut(&id).map(|filed| &mut filed.turn)
    }

    /// Files a turn at its place in the order.
    pub fn insert(&mut self, turn: Turn) -> TurnId {
        let id = TurnId(self.next);
        self.next += 1;
        if let Some(key) = &turn.key
            && turn.lane != Lane::Headline
        {
            self.same_sender.insert(key.clone(), id);
        }
        let value = turn.tally.value;
        self.by_worth.insert(worth(&turn, id, value));
        let place = self.file(&turn, id, value);
        self.turns.insert(id, Filed { turn, place, value });
        id
    }

    /// Lets later gifts of the type, whoever sends them, join this turn.
    pub fn offer_for_bundling(&mut self, id: TurnId) {
        if let Some(filed) = self.turns.get(&id) {
            let kind = self.kind(&filed.turn);
            self.same_type.insert(kind, id);
        }
    }

    pub fn remove(&mut self, id: TurnId) -> Option<Turn> {
        let filed = self.turns.remove(&id)?;
        let turn = &filed.turn;
        self.by_worth.remove(&worth(turn, id, filed.value));
        self.unfile(&filed, id);
        if let Some(key) = &turn.key
            && self.same_sender.get(key) == Some(&id)
        {
            self.same_sender.remove(key);
        }
        self.leave_bundling(turn, id);
        Some(filed.turn)
    }

    /// The turn that a gift of this sender and type may join.
    pub fn of_sender(&self, key: &StreakKey, lane: Lane) -> Option<TurnId> {
        let id = *self.same_sender.get(key)?;
        (self.turns[&id].turn.lane == lane).then_some(id)
    }

    /// The turn that a gift of this type may join.
    pub fn of_type(&self, gift_type: &GiftType, lane: Lane) -> Option<TurnId> {
        let kind = self.kind_of(gift_type, lane);
        self.same_type.get(&kind).copied()
    }

    /// Adds one gift to a waiting turn.
    pub fn join(&mut self, id: TurnId, mut claim: Claim, part: Part, delta: Delta, combo: u32) {
        let filed = self.turns.get_mut(&id).expect("callers looked it up");
        claim.part = part;
        filed.turn.claims.push(claim);
        filed.turn.tally.add(delta, combo);
        self.refile(id);
    }

    /// Makes a turn one from many people, if the sender is another one than
    /// those so far. Returns whether it has just become a bundle.
    pub fn add_person(&mut self, id: TurnId, sender: &Sender, gift_type: &GiftType) -> bool {
        let filed = self.turns.get_mut(&id).expect("callers looked it up");
        let turn = &mut filed.turn;
        // Only unknown types share a bundle. A catalogue that knows `MIXED`
        // itself would make this bundle something else than it was filed as.
        if turn.gift_type != *gift_type
            && Arc::ptr_eq(self.catalog.recipe(&self.mixed), &self.catalog.fallback)
        {
            turn.gift_type = self.mixed.clone();
        }
        let was_bundle = turn.is_bundle();
        if !was_bundle {
            turn.people
                .extend(turn.key.as_ref().map(|key| key.user_id.clone()));
        }
        turn.people.insert(sender.user_id.clone());
        if turn.people.len() > 1 {
            turn.by = Senders::Many(u32::try_from(turn.people.len()).unwrap_or(u32::MAX));
        }
        !was_bundle && turn.is_bundle()
    }

    /// Moves a turn to a dearer lane.
    pub fn promote(&mut self, id: TurnId, lane: Lane) {
        let Some(turn) = self.get_mut(id) else { return };
        if index(lane) >= index(turn.lane) {
            return;
        }
        let mut filed = self.turns.remove(&id).expect("it was just there");
        self.unfile(&filed, id);
        self.by_worth.remove(&worth(&filed.turn, id, filed.value));
        self.leave_bundling(&filed.turn, id);
        filed.turn.lane = lane;
        if lane == Lane::Headline
            && let Some(key) = &filed.turn.key
            && self.same_sender.get(key) == Some(&id)
        {
            self.same_sender.remove(key);
        }
        self.by_worth.insert(worth(&filed.turn, id, filed.value));
        if filed.place != Place::Held {
            filed.place = self.file(&filed.turn, id, filed.value);
        }
        self.turns.insert(id, filed);
    }

    /// The turn to start next among the lanes that `open` lets through. A
    /// headline goes before everything.
    pub fn first(&self, mut open: impl FnMut(Lane, &Turn) -> bool) -> Option<TurnId> {
        let mut head = |lane: Lane| {
            let (order, id) = *self.ready[index(lane)].first()?;
            open(lane, &self.turns[&id].turn).then_some((order, id))
        };
        if let Some((_, id)) = head(Lane::Headline) {
            return Some(id);
        }
        match (head(Lane::Feature), head(Lane::Ambient)) {
            (Some((feature, id)), Some((ambient, other))) => {
                let feature = feature - nanos(FEATURE_HEAD_START);
                Some(if feature <= ambient { id } else { other })
            }
            (feature, ambient) => feature.or(ambient).map(|(_, id)| id),
        }
    }

    /// The turn that is refused first, with its lane and value.
    pub fn cheapest(&self) -> Option<(TurnId, Lane, f64)> {
        let (Reverse(lane), value, Reverse(id)) = *self.by_worth.first()?;
        Some((id, LANES[lane], f64::from_bits(value)))
    }

    /// Takes out everything, earliest first.
    pub fn drain(&mut self) -> Vec<Turn> {
        let mut all: Vec<_> = self.turns.drain().collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        self.ready = Default::default();
        self.cold.clear();
        self.resting.clear();
        self.by_worth.clear();
        self.same_sender.clear();
        self.same_type.clear();
        all.into_iter().map(|(_, filed)| filed.turn).collect()
    }

    /// The turn that the gift is part of. Looks through every waiting gift: the
    /// host asks for one by hand.
    pub fn find(&self, gift: &str) -> Option<TurnId> {
        self.turns.iter().find_map(|(id, filed)| {
            let turn = &filed.turn;
            turn.claims
                .iter()
                .any(|claim| &**claim.gift() == gift)
                .then_some(*id)
        })
    }

    /// Holds or releases the turn that the gift is part of. A held turn takes
    /// no more gifts, except those of its own streak.
    pub fn hold(&mut self, gift: &str, hold: bool) {
        let Some(id) = self.find(gift) else { return };
        let mut filed = self.turns.remove(&id).expect("it was just found");
        match (hold, filed.place) {
            (true, Place::Ready | Place::Cold | Place::Resting(_)) => {
                self.unfile(&filed, id);
                self.leave_bundling(&filed.turn, id);
                if let Some(key) = &filed.turn.key
                    && self.same_sender.get(key) == Some(&id)
                {
                    self.same_sender.remove(key);
                }
                filed.place = Place::Held;
            }
            (false, Place::Held) => filed.place = self.file(&filed.turn, id, filed.value),
            _ => {}
        }
        self.turns.insert(id, filed);
    }

    /// Keeps a turn from starting before `until`. Its lead's later gifts join it
    /// as they would any.
    pub fn rest(&mut self, id: TurnId, until: Moment) {
        let Some(mut filed) = self.turns.remove(&id) else {
            return;
        };
        self.unfile(&filed, id);
        self.resting.insert((until, id));
        filed.place = Place::Resting(until);
        self.turns.insert(id, filed);
    }

    /// Turns whose rest is over stand in their lane's order again.
    pub fn wake(&mut self, now: Moment) {
        while let Some((until, id)) = self.resting.first().copied()
            && until <= now
        {
            self.resting.remove(&(until, id));
            let mut filed = self
                .turns
                .remove(&id)
                .expect("resting turns are waiting turns");
            filed.place = self.file(&filed.turn, id, filed.value);
            self.turns.insert(id, filed);
        }
    }

    /// When the next rest is over.
    pub fn next_rested(&self) -> Option<Moment> {
        self.resting.first().map(|(until, _)| *until)
    }

    /// Lanes and orders already given stay; cold and ready are judged anew.
    pub fn set_catalog(&mut self, catalog: Arc<Catalog>) {
        self.catalog = catalog;
        self.same_type.clear();
        self.judge_warmth();
    }

    pub fn set_all_warm(&mut self) {
        self.warmth = Warmth::All;
        self.judge_warmth();
    }

    pub fn set_all_cold(&mut self) {
        self.warmth = Warmth::Only(HashSet::new());
        self.judge_warmth();
    }

    pub fn set_warm(&mut self, recipe: &str) {
        if let Warmth::Only(warm) = &mut self.warmth {
            warm.insert(recipe.into());
        }
        for id in self.cold.remove(recipe).unwrap_or_default() {
            let mut filed = self
                .turns
                .remove(&id)
                .expect("cold turns are waiting turns");
            filed.place = self.file(&filed.turn, id, filed.value);
            self.turns.insert(id, filed);
        }
    }

    pub fn is_warm(&self, gift_type: &str) -> bool {
        match &self.warmth {
            Warmth::All => true,
            Warmth::Only(warm) => warm.contains(&self.catalog.recipe(gift_type).key),
        }
    }

    /// Waiting turns in the order in which they would start if nothing else
    /// came: lane by lane, the held and the cold last.
    pub fn upcoming(&self) -> impl Iterator<Item = Upcoming> {
        let rest = self
            .turns
            .iter()
            .filter(|(_, filed)| filed.place != Place::Ready);
        let ordered = self.ready.iter().flatten().map(|(_, id)| &self.turns[id]);
        ordered.chain(rest.map(|(_, filed)| filed)).map(Filed::view)
    }

    /// Those that wait until the host releases them, in no order.
    pub fn held(&self) -> impl Iterator<Item = Upcoming> {
        self.filed_as_held().map(Filed::view)
    }

    /// The gift messages that they are of.
    pub fn held_gifts(&self) -> usize {
        self.filed_as_held()
            .map(|filed| filed.turn.claims.len())
            .sum()
    }

    fn filed_as_held(&self) -> impl Iterator<Item = &Filed> {
        let turns = self.turns.values();
        turns.filter(|filed| filed.place == Place::Held)
    }

    pub fn turns(&self) -> impl Iterator<Item = (TurnId, &Turn)> {
        self.turns.iter().map(|(id, filed)| (*id, &filed.turn))
    }

    /// Every index agrees with the turns. Slow: for tests.
    pub fn verify(&self) -> Result<(), String> {
        let mut places = [0usize; 4];
        for (id, filed) in &self.turns {
            let turn = &filed.turn;
            if turn.tally.value < filed.value || turn.tally.value > filed.value * REFILE_AT {
                return Err(format!("{id:?} is filed under the wrong value"));
            }
            if !self.by_worth.contains(&worth(turn, *id, filed.value)) {
                return Err(format!("{id:?} is not in the order of worth"));
            }
            let recipe = &self.catalog.recipe(&turn.gift_type).key;
            let found = match filed.place {
                Place::Ready => {
                    self.ready[index(turn.lane)].contains(&order(turn, *id, filed.value))
                }
                Place::Cold => self.cold.get(recipe).is_some_and(|cold| cold.contains(id)),
                Place::Held => true,
                Place::Resting(until) => self.resting.contains(&(until, *id)),
            };
            if !found {
                return Err(format!(
                    "{id:?} is not where it is said to be: {:?}",
                    filed.place
                ));
            }
            let judged = matches!(filed.place, Place::Ready | Place::Cold);
            if judged && (filed.place == Place::Ready) != self.is_warm(&turn.gift_type) {
                return Err(format!("{id:?} is {:?}, against its warmth", filed.place));
            }
            places[filed.place.number()] += 1;
        }
        let indexed = [
            self.ready.iter().map(BTreeSet::len).sum(),
            self.cold.values().map(HashSet::len).sum(),
            places[Place::Held.number()],
            self.resting.len(),
        ];
        if places != indexed || self.by_worth.len() != self.turns.len() {
            return Err(format!(
                "indices hold strangers: {places:?} against {indexed:?}"
            ));
        }
        for (key, id) in &self.same_sender {
            let turn = &self.turns.get(id).ok_or("same_sender points nowhere")?.turn;
            if turn.key.as_ref() != Some(key) || turn.lane == Lane::Headline {
                return Err(format!("{id:?} must not be joined by its sender"));
            }
        }
        for ((lane, _), id) in &self.same_type {
            let turn = &self.turns.get(id).ok_or("same_type points nowhere")?.turn;
            if index(turn.lane) != *lane || turn.lane == Lane::Headline {
                return Err(format!("{id:?} must not be a bundle"));
            }
        }
        Ok(())
    }

    fn judge_warmth(&mut self) {
        self.ready = Default::default();
        self.cold.clear();
        let mut turns = std::mem::take(&mut self.turns);
        for (id, filed) in &mut turns {
            if matches!(filed.place, Place::Ready | Place::Cold) {
                filed.place = self.file(&filed.turn, *id, filed.value);
            }
        }
        self.turns = turns;
    }

    fn file(&mut self, turn: &Turn, id: TurnId, value: f64) -> Place {
        if self.is_warm(&turn.gift_type) {
            self.ready[index(turn.lane)].insert(order(turn, id, value));
            Place::Ready
        } else {
            let recipe = self.catalog.recipe(&turn.gift_type).key.clone();
            self.cold.entry(recipe).or_default().insert(id);
            Place::Cold
        }
    }

    fn unfile(&mut self, filed: &Filed, id: TurnId) {
        let turn = &filed.turn;
        match filed.place {
            Place::Ready => {
                self.ready[index(turn.lane)].remove(&order(turn, id, filed.value));
            }
            Place::Cold => {
                let recipe = &self.catalog.recipe(&turn.gift_type).key;
                if let Some(cold) = self.cold.get_mut(recipe) {
                    cold.remove(&id);
                    if cold.is_empty() {
                        self.cold.remove(recipe);
                    }
                }
            }
            Place::Held => {}
            Place::Resting(until) => {
                self.resting.remove(&(until, id));
            }
        }
    }

    fn refile(&mut self, id: TurnId) {
        let filed = self.turns.get_mut(&id).expect("callers looked it up");
        let (old, new) = (filed.value, filed.turn.tally.value);
        if new <= old * REFILE_AT {
            return;
        }
        filed.value = new;
        let turn = &filed.turn;
        self.by_worth.remove(&worth(turn, id, old));
        self.by_worth.insert(worth(turn, id, new));
        if filed.place == Place::Ready {
            let lane = &mut self.ready[index(turn.lane)];
            lane.remove(&order(turn, id, old));
            lane.insert(order(turn, id, new));
        }
    }

    fn leave_bundling(&mut self, turn: &Turn, id: TurnId) {
        let kind = self.kind(turn);
        if self.same_type.get(&kind) == Some(&id) {
            self.same_type.remove(&kind);
        }
    }

    fn kind(&self, turn: &Turn) -> (usize, GiftType) {
        self.kind_of(&turn.gift_type, turn.lane)
    }

    /// Unknown types are of one kind: they look alike.
    fn kind_of(&self, gift_type: &GiftType, lane: Lane) -> (usize, GiftType) {
        let recipe: &Arc<Recipe> = self.catalog.recipe(gift_type);
        let known = !Arc::ptr_eq(recipe, &self.catalog.fallback);
        (
            index(lane),
            if known { gift_type } else { &self.mixed }.clone(),
        )
    }
}
