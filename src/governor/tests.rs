//! Machines and loads in virtual time.

use std::time::Duration;

use proptest::prelude::*;

use super::{Change, Governor, Level, Wish, start_for};

const PERIOD: Duration = Duration::from_nanos(16_666_667);

/// A machine: milliseconds that a frame of each level takes.
type Machine = [f64; Level::COUNT];

/// Everything costs, the better levels more.
fn machine(full: f64) -> Machine {
    [1.0, 0.85, 0.7, 0.55, 0.45, 0.45, 0.43].map(|share| full * share)
}

fn ms(milliseconds: f64) -> Duration {
    Duration::from_secs_f64(milliseconds / 1e3)
}

struct Run {
    governor: Governor,
    /// Stage time.
    at: f64,
    changes: Vec<(f64, Change)>,
}

impl Run {
    fn new(start: Level) -> Self {
        Self {
            governor: Governor::new(start),
            at: 0.0,
            changes: Vec::new(),
        }
    }

    fn frame(&mut self, cost: Duration) {
        let level = self.governor.level();
        let length = cost.max(PERIOD * level.allows().every);
        self.at += length.as_secs_f64();
        if let Some(change) = self.governor.frame(cost, PERIOD) {
            assert_eq!((change.from, change.to), (level, self.governor.level()));
            assert_ne!(change.from, change.to);
            self.changes.push((self.at, change));
        }
    }

    /// `seconds` on a machine, each frame of it changed by `noise`.
    fn play(&mut self, machine: Machine, seconds: f64, mut noise: impl FnMut(u64) -> f64) {
        let end = self.at + seconds;
        for number in 0.. {
            if self.at >= end {
                break;
            }
            let cost = machine[self.governor.level().index()];
            self.frame(ms(cost * noise(number)));
        }
    }

    fn level(&self) -> Level {
        self.governor.level()
    }
}

fn steady(_: u64) -> f64 {
    1.0
}

#[test]
fn a_machine_with_time_keeps_everything() {
    let mut run = Run::new(Level::ULTRA);
    run.play(machine(15.0), 600.0, steady);
    assert_eq!(run.changes.len(), 0);
}

#[test]
fn an_overload_sheds_within_a_second_and_no_further_than_it_must() {
    let mut run = Run::new(Level::ULTRA);
    run.play(machine(12.0), 60.0, steady);
    let begun = run.at;
    run.play(machine(20.0), 10.0, steady);
    let (at, first) = run.changes[0];
    assert!(at - begun < 1.0, "{}", at - begun);
    assert!(first.is_shedding());
    assert_eq!(first.cost, ms(20.0));
    // 20 ms * 0.7 fits into 16.7.
    assert_eq!(run.level(), Level::MEDIUM);
    assert_eq!(run.changes.len(), 2);
}

#[test]
fn a_hopeless_machine_is_at_the_least_within_five_seconds_and_stays_there() {
    let mut run = Run::new(Level::ULTRA);
    run.play(machine(200.0), 60.0, steady);
    let (at, last) = *run.changes.last().unwrap();
    assert_eq!(last.to, Level::LEAST);
    assert!(at < 5.0, "{at}");
    assert_eq!(run.changes.len(), 3);
}

#[test]
fn single_hitches_change_nothing() {
    let mut run = Run::new(Level::ULTRA);
    // Two seconds long, every ten seconds; and every fifth frame a little late.
    run.play(machine(10.0), 300.0, |number| match number % 600 {
        0 => 200.0,
        number if number % 5 == 0 => 2.0,
        _ => 1.0,
    });
    assert_eq!(run.changes.len(), 0);
}

#[test]
fn levels_come_back_one_by_one_after_a_calm() {
    let mut run = Run::new(Level::LEAST);
    run.play(machine(5.0), 19.0, steady);
    assert_eq!(run.changes.len(), 0);
    run.play(machine(5.0), 200.0, steady);
    assert_eq!(run.level(), Level::ULTRA);
    let times: Vec<f64> = run.changes.iter().map(|(at, _)| *at).collect();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] > 19.9),
        "{times:?}"
    );
}

#[test]
fn giving_back_that_fails_is_tried_ever_more_rarely() {
    let mut run = Run::new(Level::MEDIUM);
    // Calm by what it takes on one level, too much on the next.
    let mut cliff = machine(9.0);
    cliff[Level::HIGH.index()] = 30.0;
    cliff[Level::ULTRA.index()] = 30.0;
    run.play(cliff, 3_600.0, steady);
    let tries: Vec<f64> = run
        .changes
        .iter()
        .filter(|(_, change)| !change.is_shedding())
        .map(|(at, _)| *at)
        .collect();
    let waits: Vec<f64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((2..=30).contains(&tries.len()), "{tries:?}");
    assert!(waits[1] > waits[0] * 1.4, "{waits:?}");
    // What was shed in a trial is shed within a second.
    let level = run.level();
    assert!(level == Level::MEDIUM || level == Level::HIGH, "{level}");
}

#[test]
fn rest_between_frames_proves_nothing() {
    let mut run = Run::new(Level::ULTRA);
    for _ in 0..100 {
        // Each gift begins with some late frames, and the stage sleeps between.
        run.play(machine(30.0), 0.4, steady);
        run.governor.rest();
    }
    assert_eq!(run.changes.len(), 0);
}

#[test]
fn a_slower_rate_is_given_back_only_when_the_faster_one_will_do() {
    let mut run = Run::new(Level::LOW);
    // 12 ms would do for every second frame, and barely for every one.
    run.play([12.0; Level::COUNT], 600.0, steady);
    assert_eq!(run.changes.len(), 0);
    run.play([9.0; Level::COUNT], 60.0, steady);
    assert!(run.level() < Level::LOW);
}

#[test]
fn the_start_goes_by_what_frames_take() {
    let start = |cost| start_for(ms(cost), PERIOD);
    assert_eq!(start(2.0), Level::ULTRA);
    assert_eq!(start(10.0), Level::HIGH);
    assert_eq!(start(15.0), Level::MEDIUM);
    assert_eq!(start(30.0), Level::LOW);
    assert_eq!(start(90.0), Level::LEAST);
}

#[test]
fn the_ladder_only_ever_costs_less_and_its_words_are_on_it() {
    let levels: Vec<_> = Level::all().map(Level::allows).collect();
    for pair in levels.windows(2) {
        assert!(pair[1].particles <= pair[0].particles);
        assert!(pair[1].bloom_lines <= pair[0].bloom_lines);
        assert!(pair[1].scale <= pair[0].scale && pair[1].scale >= 0.75);
        assert!(pair[1].every >= pair[0].every);
    }
    for (word, wish) in Wish::WORDS {
        if let Wish::Fixed(level) = wish {
            assert_eq!(level.to_string(), word);
        }
    }
}

proptest! {
    /// Whatever the machine, a load that does not change leads to few changes:
    /// some to find its level, then at most a trial and its failure.
    #[test]
    fn a_steady_load_does_not_make_it_swing(
        full in 1.0..120.0_f64,
        jitter in 0.0..0.3_f64,
        start in 0..Level::COUNT,
        seed in any::<u64>(),
    ) {
        let mut run = Run::new(Level::at(start));
        let mut state = seed | 1;
        run.play(machine(full), 900.0, |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            1.0 + jitter * ((state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0)
        });
        let in_a_minute = |begin: f64| {
            run.changes.iter().filter(|(at, _)| (begin..begin + 60.0).contains(at)).count()
        };
        for begin in 0..840 {
            prop_assert!(in_a_minute(f64::from(begin)) <= 8, "{:?}", run.changes);
        }
        // Once it has found its level.
        for begin in 300..840 {
            prop_assert!(in_a_minute(f64::from(begin)) <= 3, "{:?}", run.changes);
        }
    }

    /// However the load swings, what it does in a minute is bounded.
    #[test]
    fn no_load_makes_it_flutter(loads in prop::collection::vec((1.0..100.0_f64, 0.1..30.0_f64), 1..40)) {
        let mut run = Run::new(Level::ULTRA);
        for (full, seconds) in loads {
            run.play(machine(full), seconds, steady);
        }
        for begin in 0..run.at as u32 {
            let minute = f64::from(begin)..f64::from(begin) + 60.0;
            let back = run.changes.iter().filter(|(at, change)| {
                minute.contains(at) && !change.is_shedding()
            });
            prop_assert!(back.count() <= 3, "{:?}", run.changes);
        }
    }
}
