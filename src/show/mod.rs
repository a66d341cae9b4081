//! From gifts to cues: which act starts, grows, climaxes or ends, and when.
//!
//! Pure: no clock, no Bevy, no I/O. Inputs are [`Show::offer`],
//! [`Show::presented`], [`Show::finished`], [`Show::failed`] and
//! [`Show::control`]; [`Show::poll`] yields cues and outcomes. The same code
//! decides on stage, in virtual time and in tests.
//!
//! # Words
//!
//! A *gift* is one message. A *streak* is one sender's run of one gift type. A
//! *turn* is what waits: one gift, or several folded together. An *act* is a
//! turn on stage, and *cues* start, grow or end it. A *lane* bounds how many
//! acts of a kind run together.
//!
//! # Principles
//!
//! - Every gift message is owed one outcome. `outcomes.rs` hands out a claim
//!   for each, which travels with what the gift became until it is settled.
//! - Totals add deltas, at the moment of arrival. `streak.rs` turns whatever a
//!   backend announces into deltas.
//! - Who goes first never changes with time: everybody ages alike, so the order
//!   is a sorted set and every operation costs a logarithm (`queue.rs`).
//! - Nothing starts from within an input. Inputs change state; `poll` starts
//!   one act, if the rate, a place and the stage allow it.

mod acts;
mod board;
mod controls;
mod cool_down;
mod cue;
mod drill;
mod encores;
mod invariants;
mod lanes;
mod offering;
mod outcomes;
mod pacing;
mod person;
mod progress;
mod queue;
mod settings;
mod streak;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::catalog::{Catalog, Lane};
use crate::model::{Gift, Goal, Moment, StreamStatus};
use crate::on_air::Screen;

pub use crate::model::OutcomeCounts;
pub use acts::OnStage;
pub use board::{Board, Gifter, MOST_GIFTERS, RECENT_GIFTS, RecentGift, TOP_GIFTERS};
pub use controls::RECAP;
pub use cue::{ActId, ActStart, Cue, Event, Senders, Tally};
pub use lanes::LANES;
pub use pacing::{DEFAULT_RATE, sane_rate};
pub use progress::Progress;
pub use queue::{MIXED, Upcoming, head_start};
pub use settings::{MOST_UNDECIDED, MOST_WAITING, ShowSettings};
pub use streak::Counting;

use acts::Act;
use controls::Recap;
use cool_down::CoolDown;
use encores::Encores;
use lanes::Lanes;
use outcomes::Ledger;
use pacing::Pacer;
use queue::Queue;
use streak::{Streak, Streaks};
use turn::Turn;

/// Counts that are celebrated.
const MILESTONES: [u32; 8] = [5, 10, 25, 50, 100, 250, 500, 1000];

/// The highest of 5, 10, 25, 50, 100, 250, 500 and 1000 that a counter passed
/// on its way from `before` to `after`.
pub fn milestone(before: u32, after: u32) -> Option<u32> {
    MILESTONES
        .into_iter()
        .rev()
        .find(|at| before < *at && *at <= after)
}

/// The state machine between the gifts and the stage.
///
/// `now` never runs backwards: an earlier `now` than the latest one counts as
/// the latest.
#[derive(Debug)]
pub struct Show {
    settings: ShowSettings,
    catalog: Arc<Catalog>,
    now: Moment,
    ledger: Ledger,
    queue: Queue,
    /// Rehearsals and the recap: before everything, whatever the lane.
    aside: VecDeque<Turn>,
    streaks: Streaks,
    acts: BTreeMap<ActId, Act>,
    /// Acts whose growth has not been told yet.
    growing: VecDeque<ActId>,
    next_act: u64,
    particles: u64,
    lanes: Lanes,
    pacer: Pacer,
    cool_down: CoolDown,
    screen: Screen,
    rate: f64,
    board: Board,
    live_output: bool,
    paused_since: Option<Moment>,
    muted: bool,
    volume: f32,
    /// Some while do-not-disturb collects.
    recap: Option<Recap>,
    encores: Encores,
    /// No open streak has held its place too long before this.
    next_hold_check: Moment,
    /// No test streak goes on before this.
    next_drill: Moment,
}

impl Show {
    /// An empty show: a live output, everything warm, unmuted at full volume.
    pub fn new(settings: ShowSettings, catalog: Arc<Catalog>) -> Self {
        let settings = settings.clamped();
        let rate = sane_rate(settings.rate);
        let screen = Screen::new(&settings.blocked);
        let cool_down = CoolDown::new(settings.on_air.cool_down);
        Self {
            queue: Queue::new(catalog.clone()),
            streaks: Streaks::new(settings.silence, settings.counting),
            settings,
            catalog,
            now: Moment::ZERO,
            ledger: Ledger::default(),
            aside: VecDeque::new(),
            acts: BTreeMap::new(),
            growing: VecDeque::new(),
            next_act: 0,
            particles: 0,
            lanes: Lanes::new(rate),
            pacer: Pacer::new(rate),
            cool_down,
            screen,
            rate,
            board: Board::default(),
            live_output: true,
            paused_since: None,
            muted: false,
            volume: 1.0,
            recap: None,
            encores: Encores::default(),
            next_hold_check: Moment::MAX,
            next_drill: Moment::MAX,
        }
    }

    /// Takes one gift message in. It will reach exactly one outcome.
    pub fn offer(&mut self, now: Moment, gift: Gift) {
        self.advance(now);
        self.take_in(gift);
    }

    /// The next thing to do or to tell, if any. Call it until it yields `None`:
    /// after inputs, once a frame, or at [`next_wake`](Self::next_wake).
    pub fn poll(&mut self, now: Moment) -> Option<Event> {
        self.advance(now);
        if let Some(event) = self.ledger.pop() {
            return Some(event);
        }
        self.tell_growth();
        self.end_long_holds();
        if !self.ledger.has_events() {
            self.start_next();
        }
        self.ledger.pop()
    }

    /// When [`poll`](Self::poll) may yield something without new input; `None`
    /// when only input can change anything.
    pub fn next_wake(&self, now: Moment) -> Option<Moment> {
        let now = now.max(self.now);
        if self.ledger.has_events() || !self.growing.is_empty() {
            return Some(now);
        }
        let start = self.next_turn().is_some().then(|| self.pacer.opens_at());
        let holds = !self.is_paused() && self.next_hold_check < Moment::MAX;
        let hold = holds.then_some(self.next_hold_check);
        let rested = self.queue.next_rested().filter(|_| !self.is_paused());
        let drills = !self.is_paused() && self.next_drill < Moment::MAX;
        let drill = drills.then_some(self.next_drill);
        [start, hold, rested, drill, self.streaks.next_deadline()]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(now))
    }

    /// `maxGiftsPerSecond` as the backend says it; senseless means 30.
    pub fn set_rate(&mut self, now: Moment, rate: f64) {
        self.advance(now);
        self.rate = sane_rate(rate);
        self.pacer.set_rate(self.now, self.rate);
        self.lanes.set_rate(self.rate);
    }

    /// The connection to the backend was lost and is back: what it says first of the
    /// stream is what it says to everybody.
    pub fn rejoin(&mut self, now: Moment) {
        self.advance(now);
        self.board.rejoin(self.now);
    }

    /// The latest `stream:status`.
    pub fn set_status(&mut self, now: Moment, status: StreamStatus) {
        self.advance(now);
        self.board.set_status(self.now, status);
    }

    /// A reloaded catalogue. What waits keeps its lane; acts keep everything.
    pub fn set_catalog(&mut self, now: Moment, catalog: Arc<Catalog>) {
        self.advance(now);
        self.queue.set_catalog(catalog.clone());
        self.catalog = catalog;
    }

    /// Whether an output takes frames. Without one gifts wait, those of streaks that
    /// are on stage too, unless
    /// [`ShowSettings::play_unseen`] is set; the stage then reports acts as
    /// presented when they were drawn.
    pub fn set_live_output(&mut self, now: Moment, live: bool) {
        self.advance(now);
        self.live_output = live;
        if !live && !self.settings.play_unseen {
            self.let_streaks_go();
        }
    }

    /// Whether nothing may start: the host has paused the show, or nobody sees it.
    pub fn is_held(&self) -> bool {
        self.paused_since.is_some() || !(self.live_output || self.settings.play_unseen)
    }

    /// Nothing can be played without a stall until [`set_ready`](Self::set_ready)
    /// says so, recipe by recipe. A show begins with everything ready.
    pub fn expect_warm_up(&mut self) {
        self.queue.set_all_cold();
    }

    /// Gifts that play this recipe may start. It goes by
    /// [`Recipe::key`](crate::catalog::Recipe), not by gift type: all unknown
    /// types share the fallback.
    pub fn set_ready(&mut self, recipe: &str) {
        self.queue.set_warm(recipe);
    }

    /// Everything may start.
    pub fn set_all_ready(&mut self) {
        self.queue.set_all_warm();
    }

    /// Nothing to tell, nothing on stage, nothing waiting.
    pub fn is_idle(&self) -> bool {
        !self.ledger.has_events() && self.acts.is_empty() && self.waiting() == 0
    }

    /// Turns that wait.
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.aside.len()
    }

    /// Gift messages that have not reached their outcome.
    pub fn undecided(&self) -> usize {
        self.ledger.undecided()
    }

    /// Gift messages offered so far.
    pub fn offered(&self) -> u64 {
        self.ledger.offered()
    }

    /// How the others ended.
    pub fn outcomes(&self) -> OutcomeCounts {
        self.ledger.counts()
    }

    /// Totals, goal, top gifters and recent gifts.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The goal, as the backend is told of it, and how much of its progress is of gifts
    /// that have no outcome yet.
    pub fn report_goal(&mut self, now: Moment) -> Option<(Goal, f64)> {
        let undecided = self.ledger.added_undecided();
        self.board.report_goal(now.max(self.now), undecided)
    }

    /// The acts on stage, oldest first.
    pub fn on_stage(&self) -> impl Iterator<Item = OnStage<'_>> {
        self.acts.iter().map(|(id, act)| act.view(*id))
    }

    /// What waits, in the order in which it would start lane by lane.
    pub fn upcoming(&self) -> impl Iterator<Item = Upcoming> {
        self.queue.upcoming()
    }

    /// Of these, what the host holds, in no order.
    pub fn held(&self) -> impl Iterator<Item = Upcoming> {
        self.queue.held()
    }

    /// Gift messages that the host holds.
    pub fn held_gifts(&self) -> usize {
        self.queue.held_gifts()
    }

    /// How many acts a lane takes at present.
    pub fn places(&self, lane: Lane) -> usize {
        self.lanes.places(lane)
    }

    /// How many acts play in a lane; in the ambient lane, shrunk streaks may
    /// make it more than its places.
    pub fn playing(&self, lane: Lane) -> usize {
        self.lanes.playing(lane)
    }

    pub fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// 0.0 to 1.0.
    pub fn volume(&self) -> f32 {
        self.volume
    }

    /// Do-not-disturb is on.
    pub fn is_quiet(&self) -> bool {
        self.recap.is_some()
    }

    /// Moves time on: streaks fall silent at their hour even when the message
    /// that comes late is the one that tells us the time.
    fn advance(&mut self, now: Moment) {
        self.now = self.now.max(now);
        self.queue.wake(self.now);
        self.go_on_with_drills();
        while let Some(streak) = self.streaks.fall_silent(self.now) {
            self.end_streak(&streak);
        }
    }
}
