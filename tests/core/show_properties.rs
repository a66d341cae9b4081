//! The show under random sequences of everything that can happen to it.
//!
//! After every step all invariants hold; at the end, when the stage has played
//! out what it was given, every gift offered has had exactly one outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyperfocus::catalog::{Catalog, Lane};
use hyperfocus::model::{
    AnimationWish, Control, Gift, GiftId, Goal, Moment, Sender, StreamStatus, Word,
};
use hyperfocus::on_air::Policy;
use hyperfocus::show::{ActId, Counting, Cue, Event, LANES, Show, ShowSettings};
use proptest::prelude::*;

const CATALOG: &str = include_str!("../data/show.toml");

const TYPES: [&str; 6] = ["rose", "rocket", "universe", "mystery", "riddle", "rose"];

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::parse(CATALOG, Path::new("assets/catalog.toml")).expect("it is valid"))
}

fn catalog_without_roses() -> Arc<Catalog> {
    let mut catalog = (*catalog()).clone();
    catalog.gifts.remove("rose");
    catalog.into()
}

#[derive(Debug, Clone)]
enum Step {
    Offer(Offer),
    /// Fifty at once, from as many people.
    Crowd(Offer),
    Poll,
    PollOnce,
    Pass(u64),
    /// Report about one of the acts on stage, by number.
    Presented(usize),
    Finished(usize),
    Failed(usize),
    Control(Control),
    Hold(usize),
    Release(usize),
    Dismiss(usize),
    Replay(usize),
    Rate(f64),
    LiveOutput(bool),
    Cold,
    Warm(usize),
    AllWarm,
    Catalogue(bool),
    Status(f64),
}

#[derive(Debug, Clone)]
struct Offer {
    user: u8,
    gift_type: usize,
    quantity: u32,
    combo_count: u32,
    is_streak: bool,
    value: f64,
    wish: Option<u64>,
}

fn offers() -> impl Strategy<Value = Offer> {
    let counters = prop_oneof![
        6 => 0u32..8,
        1 => Just(u32::MAX),
        1 => 0u32..2000,
    ];
    let quantities = prop_oneof![8 => 1u32..6, 1 => Just(0), 1 => 1u32..=1_000_000];
    let values = prop_oneof![
        4 => (0u32..50).prop_map(f64::from),
        2 => (0u32..3000).prop_map(f64::from),
        1 => prop::sample::select(vec![f64::MAX, f64::NAN, f64::INFINITY, -1.0, 0.0]),
    ];
    let shape = (quantities, counters, any::<bool>(), any::<bool>());
    let wish = prop::option::weighted(0.1, 100u64..60_000);
    (0u8..5, 0..TYPES.len(), shape, values, wish).prop_map(
        |(user, gift_type, (quantity, counter, running, is_streak), value, wish)| Offer {
            user,
            gift_type,
            quantity,
            // Running totals say the same number twice.
            combo_count: if running { quantity } else { counter },
            is_streak,
            value,
            wish,
        },
    )
}

fn controls() -> impl Strategy<Value = Control> {
    prop_oneof![
        1 => Just(Control::Pause),
        3 => Just(Control::Resume),
        1 => Just(Control::Skip),
        1 => Just(Control::Clear),
        1 => Just(Control::Replay),
        1 => any::<bool>().prop_map(Control::Mute),
        1 => (-1.0f32..2.0).prop_map(Control::Volume),
        1 => (0..TYPES.len(), 0u32..5).prop_map(|(gift_type, quantity)| Control::Test {
            gift_type: TYPES[gift_type].into(),
            quantity,
        }),
        1 => (0..TYPES.len(), 0u32..8).prop_map(|(gift_type, messages)| Control::TestStreak {
            gift_type: TYPES[gift_type].into(),
            messages,
        }),
        1 => Just(Control::DoNotDisturb(true)),
        3 => Just(Control::DoNotDisturb(false)),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => offers().prop_map(Step::Offer),
        2 => offers().prop_map(Step::Crowd),
        6 => Just(Step::Poll),
        4 => Just(Step::PollOnce),
        8 => prop_oneof![0u64..50, 100u64..700, 900u64..5000, 20_000u64..40_000]
            .prop_map(Step::Pass),
        8 => any::<usize>().prop_map(Step::Presented),
        6 => any::<usize>().prop_map(Step::Finished),
        1 => any::<usize>().prop_map(Step::Failed),
        4 => controls().prop_map(Step::Control),
        1 => any::<usize>().prop_map(Step::Hold),
        1 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::Dismiss),
        1 => any::<usize>().prop_map(Step::Replay),
        1 => prop::sample::select(vec![0.0, f64::NAN, 0.1, 2.0, 10.0, 30.0, 1e9])
            .prop_map(Step::Rate),
        1 => any::<bool>().prop_map(Step::LiveOutput),
        1 => Just(Step::Cold),
        2 => (0..TYPES.len()).prop_map(Step::Warm),
        1 => Just(Step::AllWarm),
        1 => any::<bool>().prop_map(Step::Catalogue),
        1 => (0.0..1e9).prop_map(Step::Status),
    ]
}

/// Bounds small enough to be met.
fn settings() -> impl Strategy<Value = ShowSettings> {
    let countings = prop::sample::select(vec![
        Counting::Auto,
        Counting::Auto,
        Counting::Delta,
        Counting::Cumulative,
    ]);
    let bounds = (1usize..150, 1usize..400);
    let policies = prop_oneof![3 => Just(Policy::default()), 2 => policies()];
    (countings, bounds, 0u32..20_000, any::<bool>(), policies).prop_map(
        |(counting, (most_waiting, most_undecided), particle_budget, play_unseen, on_air)| {
            ShowSettings {
                counting,
                most_waiting,
                most_undecided,
                particle_budget,
                play_unseen,
                on_air,
                ..ShowSettings::default()
            }
        },
    )
}

fn policies() -> impl Strategy<Value = Policy> {
    (0u32..30, any::<bool>(), 0u64..30_000).prop_map(|(least, without_rockets, cool_down)| Policy {
        least_value: least.into(),
        off_types: without_rockets
            .then(|| "rocket".into())
            .into_iter()
            .collect(),
        only_types: BTreeSet::new(),
        cool_down: Duration::from_millis(cool_down),
    })
}

/// A show, and what an onlooker knows about it from its events alone.
struct Onlooker {
    show: Show,
    now: Moment,
    offered: Vec<GiftId>,
    decided: BTreeSet<GiftId>,
    stage: BTreeMap<ActId, Lane>,
    /// Acts that were told to end.
    ending: BTreeSet<ActId>,
}

impl Onlooker {
    fn new(settings: ShowSettings) -> Self {
        Self {
            show: Show::new(settings, catalog()),
            now: Moment::ZERO,
            offered: Vec::new(),
            decided: BTreeSet::new(),
            stage: BTreeMap::new(),
            ending: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Offer(offer) => self.offer(offer, offer.user.into()),
            Step::Crowd(offer) => {
                for user in 100..150 {
                    self.offer(offer, user);
                }
            }
            Step::Poll => while self.poll() {},
            Step::PollOnce => {
                self.poll();
            }
            Step::Pass(ms) => self.pass(Duration::from_millis(*ms)),
            Step::Presented(which) => {
                if let Some(act) = self.act(*which) {
                    self.show.presented(self.now, act);
                }
            }
            Step::Finished(which) => self.leave(*which, None),
            Step::Failed(which) => self.leave(*which, Some("broken".into())),
            Step::Control(control) => self.show.control(self.now, control.clone()),
            Step::Hold(which) => self.hold(*which, Control::Hold),
            Step::Release(which) => self.hold(*which, Control::Release),
            Step::Dismiss(which) => self.hold(*which, Control::Dismiss),
            Step::Replay(which) => self.hold(*which, Control::ReplayOf),
            Step::Rate(rate) => self.show.set_rate(self.now, *rate),
            Step::LiveOutput(live) => self.show.set_live_output(self.now, *live),
            Step::Cold => self.show.expect_warm_up(),
            Step::Warm(which) => self.show.set_ready(TYPES[*which]),
            Step::AllWarm => self.show.set_all_ready(),
            Step::Catalogue(with_roses) => {
                let catalog = if *with_roses {
                    catalog()
                } else {
                    catalog_without_roses()
                };
                self.show.set_catalog(self.now, catalog);
            }
            Step::Status(current) => self.show.set_status(
                self.now,
                StreamStatus {
                    goal: Some(Goal {
                        kind: "revenue".into(),
                        target: 1e9,
                        current: *current,
                        description: "".into(),
                    }),
                    ..StreamStatus::default()
                },
            ),
        }
    }

    fn offer(&mut self, offer: &Offer, user: u32) {
        let id: GiftId = format!("gift {}", self.offered.len()).into();
        self.offered.push(id.clone());
        let user: Word = format!("user {user}").into();
        self.show.offer(
            self.now,
            Gift {
                quantity: offer.quantity,
                total_value: offer.value,
                animation: AnimationWish {
                    duration: offer.wish.map(Duration::from_millis),
                    ..AnimationWish::default()
                },
                is_streak: offer.is_streak,
                combo_count: offer.combo_count,
                ..Gift::one(
                    id,
                    TYPES[offer.gift_type],
                    Sender::named(user.clone(), user),
                )
            },
        );
    }

    /// Whether there was anything.
    fn poll(&mut self) -> bool {
        let wake = self.show.next_wake(self.now);
        let Some(event) = self.show.poll(self.now) else {
            return false;
        };
        assert_eq!(
            wake,
            Some(self.now),
            "it must ask to be woken for {event:?}"
        );
        match event {
            Event::Outcome(outcome) => {
                assert!(
                    self.decided.insert(outcome.gift),
                    "two outcomes for one gift"
                );
            }
            Event::Cue(cue) => self.watch(cue),
        }
        true
    }

    /// Cues are about acts that are there, and end each at most once.
    fn watch(&mut self, cue: Cue) {
        match cue {
            Cue::Start(start) => {
                let shortest = match start.lane {
                    Lane::Ambient => Duration::from_millis(500),
                    Lane::Feature | Lane::Headline => Duration::from_secs(1),
                };
                assert!(start.duration >= shortest);
                assert!(start.duration <= Duration::from_secs(60));
                assert!(start.tally.quantity > 0 && start.tally.value.is_finite());
                assert!(self.stage.insert(start.act, start.lane).is_none());
                let playing = self
                    .stage
                    .values()
                    .filter(|lane| **lane == start.lane)
                    .count();
                match start.lane {
                    Lane::Headline => assert_eq!(playing, 1),
                    Lane::Feature => assert!(playing <= 3),
                    Lane::Ambient => assert!(playing <= 60),
                }
            }
            Cue::Grow { act, .. } => {
                // The stage may have reported its end a moment ago.
                if self.stage.contains_key(&act) {
                    assert!(!self.ending.contains(&act), "it grows after its end");
                }
            }
            Cue::Climax { act, .. } => {
                assert!(self.ending.insert(act), "two climaxes");
            }
            Cue::Shrink { act, slot, .. } => {
                assert!(slot < 128);
                let lane = self.stage.insert(act, Lane::Ambient);
                assert_ne!(lane, Some(Lane::Ambient), "it was small already");
            }
            Cue::Dismiss { act } => {
                self.ending.insert(act);
            }
            Cue::Paused(_) | Cue::Muted(_) => {}
            Cue::Volume(volume) => assert!((0.0..=1.0).contains(&volume)),
        }
    }

    /// Lets time pass, and holds the show to its word that nothing happens
    /// before it asked to be woken.
    fn pass(&mut self, span: Duration) {
        while self.poll() {}
        let end = self.now + span;
        if let Some(wake) = self.show.next_wake(self.now)
            && wake > self.now + Duration::from_nanos(1)
        {
            self.now = end.min(wake - Duration::from_nanos(1));
            assert_eq!(self.show.poll(self.now), None, "before {wake:?}");
        }
        self.now = end;
    }

    fn act(&self, which: usize) -> Option<ActId> {
        let len = self.stage.len();
        (len > 0)
            .then(|| self.stage.keys().nth(which % len).copied())
            .flatten()
    }

    fn leave(&mut self, which: usize, failure: Option<Arc<str>>) {
        let Some(act) = self.act(which) else { return };
        self.stage.remove(&act);
        match failure {
            None => self.show.finished(self.now, act),
            Some(reason) => self.show.failed(self.now, act, reason),
        }
    }

    fn hold(&mut self, which: usize, control: impl Fn(GiftId) -> Control) {
        if !self.offered.is_empty() {
            let gift = self.offered[which % self.offered.len()].clone();
            self.show.control(self.now, control(gift));
        }
    }

    /// Undoes whatever keeps gifts waiting and lets the stage play out.
    fn play_out(&mut self) {
        self.show.set_live_output(self.now, true);
        self.show.set_all_ready();
        self.show.set_rate(self.now, 1000.0);
        self.show.control(self.now, Control::Resume);
        self.show.control(self.now, Control::DoNotDisturb(false));
        for gift in self.offered.clone() {
            if !self.decided.contains(&gift) {
                self.show.control(self.now, Control::Release(gift));
            }
        }
        for _ in 0..10_000 {
            while self.poll() {}
            if self.show.is_idle() {
                return;
            }
            while let Some(act) = self.act(0) {
                self.show.presented(self.now, act);
                self.leave(0, None);
            }
            self.now += Duration::from_secs(1);
            self.show
                .verify_invariants()
                .expect("it plays out in order");
        }
        panic!("the show does not end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_gift_ends_in_exactly_one_outcome_whatever_happens(
        settings in settings(),
        steps in prop::collection::vec(steps(), 1..250),
    ) {
        let mut world = Onlooker::new(settings);
        for step in &steps {
            world.take(step);
            if let Err(broken) = world.show.verify_invariants() {
                return Err(TestCaseError::fail(format!("after {step:?}: {broken}")));
            }
        }
        world.play_out();
        prop_assert_eq!(world.decided.len(), world.offered.len());
        prop_assert_eq!(world.show.outcomes().total(), world.offered.len() as u64);
        prop_assert_eq!(world.show.undecided(), 0);
        for lane in LANES {
            prop_assert_eq!(world.show.playing(lane), 0);
        }
    }

    /// However a run of gifts is cut into messages, and whichever of the three
    /// ways they are announced in, the board counts each piece once.
    #[test]
    fn a_streak_counts_each_piece_once_however_it_is_announced(
        parts in prop::collection::vec(1u32..40, 1..20),
        gaps in prop::collection::vec(0u64..2900, 20),
        way in 0..3,
        repeats_last in any::<bool>(),
    ) {
        let mut world = Onlooker::new(ShowSettings::default());
        let mut total = 0;
        let mut messages: Vec<(u32, u32)> = parts.iter().map(|part| {
            total += part;
            match way {
                0 => (*part, total),
                1 => (total, total),
                _ => (*part, 0),
            }
        }).collect();
        if repeats_last && way < 2 {
            messages.extend(messages.last().copied());
        }
        let last = messages.len() - 1;
        for (n, (quantity, combo_count)) in messages.into_iter().enumerate() {
            let is_final = n == last && (last > 0) && repeats_last;
            world.offer(&Offer {
                user: 0,
                gift_type: 0,
                quantity,
                combo_count,
                is_streak: !is_final,
                value: f64::from(quantity),
                wish: None,
            }, 0);
            world.pass(Duration::from_millis(gaps[n % gaps.len()]));
        }
        prop_assert_eq!(world.show.board().gifts(), u64::from(total));
        prop_assert_eq!(world.show.board().value(), f64::from(total));
        world.play_out();
        prop_assert_eq!(world.decided.len(), world.offered.len());
    }
}
