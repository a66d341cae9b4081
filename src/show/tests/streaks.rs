use super::world::{World, gift, ms};
use crate::catalog::Lane;
use crate::model::{Control, Gift, Verdict};
use crate::show::{Counting, Cue, ShowSettings, milestone};

/// Gifts on the board after a run of messages `(quantity, combo)`, 300 ms
/// apart, the last of which is final if `ends`.
fn counted(counting: Counting, messages: &[(u32, u32)], ends: bool) -> u64 {
    let mut world = World::new(ShowSettings {
        counting,
        ..ShowSettings::default()
    });
    for (n, (quantity, combo)) in messages.iter().enumerate() {
        if ends && n + 1 == messages.len() {
            world.last("ann", "rose", *quantity, *combo);
        } else {
            world.streak("ann", "rose", *quantity, *combo);
        }
        world.pass(ms(300));
    }
    world.play_out();
    assert_eq!(world.outcomes.len(), messages.len());
    world.show.board().gifts()
}

#[test]
fn five_roses_count_five_however_they_were_announced() {
    let auto = |messages: &[(u32, u32)], ends| counted(Counting::Auto, messages, ends);
    assert_eq!(auto(&[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)], false), 5);
    assert_eq!(auto(&[(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)], true), 5);
    assert_eq!(
        auto(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], false),
        5,
        "running totals"
    );
    assert_eq!(
        auto(&[(1, 1), (2, 2), (3, 3), (5, 5), (5, 5)], true),
        5,
        "with a final repeat"
    );
    assert_eq!(
        auto(&[(1, 1), (4, 5), (1, 5)], true),
        5,
        "a final repeat of deltas"
    );
    assert_eq!(auto(&[(5, 5)], false), 5, "at once");
    assert_eq!(auto(&[(2, 2), (5, 5)], true), 5, "two running totals");
    assert_eq!(
        auto(&[(2, 0), (2, 0), (1, 0)], true),
        5,
        "a backend without a counter"
    );
    assert_eq!(
        auto(&[(1, 1), (1, 1), (1, 1), (1, 1), (1, 1)], false),
        5,
        "a frozen counter"
    );
    assert_eq!(
        auto(&[(1, 7), (1, 9), (3, 40)], false),
        5,
        "joined late, numbers skipped"
    );
}

#[test]
fn five_single_roses_count_five() {
    let mut world = World::at_rate(30.0);
    for _ in 0..5 {
        world.give("ann", "rose", 1.0);
    }
    assert_eq!(world.show.board().gifts(), 5);
}

#[test]
fn counting_can_be_set() {
    let rising = [(1, 1), (2, 2), (3, 3)];
    assert_eq!(counted(Counting::Delta, &rising, false), 6);
    assert_eq!(counted(Counting::Cumulative, &rising, false), 3);
    assert_eq!(
        counted(Counting::Cumulative, &[(1, 1), (1, 4), (1, 6)], false),
        6
    );
    assert_eq!(counted(Counting::Cumulative, &[(2, 0), (5, 0)], false), 5);
}

#[test]
fn the_value_of_running_totals_runs_as_well() {
    let mut world = World::at_rate(30.0);
    for n in 1..=5u32 {
        world.offer(Gift {
            quantity: n,
            combo_count: n,
            is_streak: true,
            ..gift("", "ann", "rose", f64::from(10 * n))
        });
    }
    assert_eq!(world.show.board().value(), 50.0);
    // Here only the counts run; each message says its own value.
    for n in 1..=5u32 {
        world.offer(Gift {
            quantity: n,
            combo_count: n,
            is_streak: true,
            ..gift("", "bob", "rose", 10.0)
        });
    }
    assert_eq!(world.show.board().value(), 100.0);
}

#[test]
fn a_streak_grows_the_act_it_has_on_stage() {
    let mut world = World::at_rate(30.0);
    let first = world.streak("ann", "rose", 1, 1);
    let second = world.streak("ann", "rose", 1, 2);
    assert_eq!(world.starts.len(), 1);
    assert!(world.starts[0].1.open_streak);
    let (_, Cue::Grow { act, tally, combo }) = world.cues.last().unwrap() else {
        panic!("{:?}", world.cues)
    };
    assert_eq!(*act, world.starts[0].1.act);
    assert_eq!((tally.quantity, tally.combo, *combo), (2, 2, None));
    assert_eq!(world.verdict(&first), Some(Verdict::Played));
    assert_eq!(world.verdict(&second), Some(Verdict::JoinedStreak));
}

#[test]
fn two_senders_and_two_types_are_streaks_of_their_own() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    world.streak("bob", "rose", 1, 2);
    world.streak("ann", "heart", 1, 2);
    assert_eq!(world.starts.len(), 3);
}

#[test]
fn growth_between_two_polls_is_one_cue() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    let before = world.cues.len();
    for combo in 2..=60 {
        world.offer_quietly(Gift {
            combo_count: combo,
            is_streak: true,
            ..gift("", "ann", "rose", 1.0)
        });
    }
    world.settle();
    let [(_, Cue::Grow { tally, combo, .. })] = &world.cues[before..] else {
        panic!("{:?}", &world.cues[before..])
    };
    assert_eq!((tally.quantity, tally.combo, *combo), (60, 60, Some(50)));
    assert_eq!(world.outcomes.len(), 60);
}

#[test]
fn milestones_are_5_10_25_50_100_250_500_and_1000() {
    for at in [5, 10, 25, 50, 100, 250, 500, 1000] {
        assert_eq!(milestone(at - 1, at), Some(at));
        assert_eq!(milestone(at, at + 1), None);
    }
    assert_eq!(milestone(0, u32::MAX), Some(1000));
    assert_eq!(milestone(1000, 2000), None);
}

#[test]
fn the_final_message_brings_one_climax_with_the_total() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 3, 3);
    world.streak("ann", "rose", 4, 7);
    let last = world.last("ann", "rose", 4, 7);
    assert_eq!(world.climaxes(), [7]);
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
    world.play_out();
    assert_eq!(world.climaxes(), [7]);
}

#[test]
fn a_final_message_may_bring_gifts_of_its_own() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 3, 3);
    world.last("ann", "rose", 2, 5);
    assert_eq!(world.climaxes(), [5]);
    let kinds = world.cues.iter().map(|(_, cue)| match cue {
        Cue::Start(_) => "start",
        Cue::Grow { .. } => "grow",
        Cue::Climax { .. } => "climax",
        _ => "other",
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["start", "grow", "climax"]);
}

#[test]
fn silence_ends_a_streak_after_three_seconds() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    world.pass(ms(2900));
    world.streak("ann", "rose", 1, 2);
    world.pass(ms(2999));
    assert!(world.climaxes().is_empty());
    world.pass(ms(1));
    assert_eq!(world.climaxes(), [2]);
    world.streak("ann", "rose", 1, 3);
    assert_eq!(world.starts.len(), 2, "then another one begins");
}

#[test]
fn the_silence_can_be_tuned_between_one_and_ten_seconds() {
    for (wish, holds) in [(100, 1000), (5000, 5000), (60_000, 10_000)] {
        let mut world = World::new(ShowSettings {
            silence: ms(wish),
            ..ShowSettings::default()
        });
        world.streak("ann", "rose", 1, 1);
        world.pass(ms(holds - 1));
        assert!(world.climaxes().is_empty(), "{wish}");
        world.pass(ms(1));
        assert_eq!(world.climaxes(), [1], "{wish}");
    }
}

#[test]
fn a_message_that_comes_after_the_silence_is_not_counted_into_the_old_streak() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    // No poll in between: the late message itself tells the time.
    world.now += ms(5000);
    world.streak("ann", "rose", 1, 2);
    assert_eq!(world.climaxes(), [1]);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn a_lower_counter_begins_another_streak() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 7, 7);
    world.pass(ms(501));
    world.streak("ann", "rose", 1, 1);
    assert_eq!(world.climaxes(), [7]);
    assert_eq!(world.starts.len(), 2);
    assert_eq!(world.starts[1].1.tally.combo, 1);
    assert_eq!(world.show.board().gifts(), 8);
}

#[test]
fn a_lower_counter_within_500_ms_was_overtaken_on_its_way() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    world.streak("ann", "rose", 1, 3);
    world.pass(ms(500));
    world.streak("ann", "rose", 1, 2);
    assert_eq!(world.starts.len(), 1);
    let tally = world.show.on_stage().next().unwrap().tally;
    assert_eq!(
        (tally.quantity, tally.combo),
        (3, 3),
        "it counts, the counter stands"
    );
    // Stragglers do not prolong the window in which they are one.
    world.pass(ms(1));
    world.streak("ann", "rose", 1, 1);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn a_straggler_among_running_totals_adds_nothing() {
    assert_eq!(
        counted(Counting::Auto, &[(1, 1), (3, 3), (2, 2), (5, 5)], false),
        5
    );
    assert_eq!(counted(Counting::Auto, &[(2, 2), (1, 1), (5, 5)], false), 5);
}

#[test]
fn a_single_gift_without_an_open_key_or_below_its_counter_is_independent() {
    let mut world = World::at_rate(30.0);
    world.last("ann", "rose", 1, 9);
    assert!(!world.starts[0].1.open_streak);
    assert_eq!(world.starts[0].1.tally.combo, 0);
    world.streak("bob", "rose", 4, 4);
    let single = world.last("bob", "rose", 1, 1);
    assert_eq!(world.starts.len(), 3);
    assert_eq!(world.verdict(&single), Some(Verdict::Played));
    assert!(world.climaxes().is_empty(), "bob's streak goes on");
    assert_eq!(world.show.board().gifts(), 6);
}

#[test]
fn a_streak_that_ends_while_it_waits_plays_as_one_closed_act() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    let first = world.streak("ann", "rose", 3, 3);
    let last = world.last("ann", "rose", 2, 5);
    world.control(Control::Resume);
    let start = &world.starts[0].1;
    assert_eq!((start.tally.quantity, start.tally.combo), (5, 5));
    assert!(!start.open_streak);
    assert_eq!(world.verdict(&first), Some(Verdict::Played));
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
}

#[test]
fn a_streak_that_still_runs_when_its_turn_comes_is_held_open() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    world.streak("ann", "rose", 3, 3);
    world.streak("ann", "rose", 2, 5);
    world.control(Control::Resume);
    assert!(world.starts[0].1.open_streak);
    world.streak("ann", "rose", 1, 6);
    world.play_out();
    assert_eq!(world.climaxes(), [6]);
}

/// One message a second for `seconds`.
fn long_streak(world: &mut World, gift_type: &str, seconds: u32) {
    for combo in 1..=seconds {
        world.streak("ann", gift_type, 1, combo);
        world.pass(ms(1000));
    }
}

#[test]
fn a_long_streak_leaves_the_headline_and_goes_on_as_a_small_counter() {
    let mut world = World::at_rate(30.0);
    long_streak(&mut world, "universe", 10);
    let next = world.give("bob", "universe", 5000.0);
    for combo in 11..=30 {
        world.streak("ann", "universe", 1, combo);
        world.pass(ms(1000));
    }
    let shrinks: Vec<_> = world
        .cues
        .iter()
        .filter(|(_, cue)| matches!(cue, Cue::Shrink { .. }))
        .collect();
    let [(at, Cue::Shrink { act, .. })] = shrinks[..] else {
        panic!("{shrinks:?}")
    };
    assert_eq!((*at, *act), (ms(20_000), world.starts[0].1.act));
    assert_eq!(
        world.verdict(&next),
        Some(Verdict::Played),
        "the headline was free"
    );
    assert_eq!(world.starts.len(), 2, "the streak kept its act");
    world.play_out();
    assert_eq!(world.climaxes(), [30]);
}

#[test]
fn a_streak_that_ends_within_20_seconds_does_not_shrink() {
    let mut world = World::at_rate(30.0);
    long_streak(&mut world, "rocket", 15);
    world.play_out();
    assert!(
        !world
            .cues
            .iter()
            .any(|(_, cue)| matches!(cue, Cue::Shrink { .. }))
    );
    assert_eq!(world.climaxes(), [15]);
}

#[test]
fn a_pause_is_not_time_on_stage() {
    let mut world = World::at_rate(30.0);
    long_streak(&mut world, "rocket", 15);
    world.control(Control::Pause);
    long_streak(&mut world, "rocket", 15);
    world.control(Control::Resume);
    assert!(
        !world
            .cues
            .iter()
            .any(|(_, cue)| matches!(cue, Cue::Shrink { .. }))
    );
}

#[test]
fn streaks_that_fill_the_ambient_lane_make_room_for_those_who_wait() {
    let mut world = World::at_rate(2.0);
    let mut waits = None;
    for second in 0..40u32 {
        for user in 0..12 {
            world.streak(&format!("viewer {user}"), "rose", 1, second + 1);
        }
        if second == 10 {
            assert_eq!(world.playing(Lane::Ambient), 12);
            waits = Some(world.give("late", "rose", 1.0));
        }
        world.pass(ms(1000));
    }
    assert_eq!(world.verdict(&waits.unwrap()), Some(Verdict::Played));
    assert!(!world.climaxes().is_empty());
    assert_eq!(world.show.board().gifts(), 12 * 40 + 1);
}

#[test]
fn the_ten_thousand_and_first_open_streak_ends_the_most_silent() {
    let mut world = World::at_rate(30.0);
    world.streak("first", "rose", 1, 1);
    world.pass(ms(10));
    for n in 0..10_000 {
        world.show.offer(
            world.now,
            Gift {
                combo_count: 1,
                is_streak: true,
                ..gift(&format!("s{n}"), &format!("viewer {n}"), "rose", 1.0)
            },
        );
    }
    world.show.verify_invariants().unwrap();
    world.settle();
    assert_eq!(world.climaxes(), [1], "the first one's");
}

#[test]
fn a_final_message_that_comes_after_the_silence_adds_nothing_and_is_shown_by_none() {
    let mut world = World::at_rate(30.0);
    for combo in 1..=3 {
        world.streak("ann", "rose", 1, combo);
        world.pass(ms(300));
    }
    world.pass(ms(8_000));
    let acts = world.started().len();
    let last = world.last("ann", "rose", 1, 3);
    world.pass(ms(300));
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
    assert_eq!(world.show.board().gifts(), 3);
    assert_eq!(world.started().len(), acts);
    // Once. What comes then, or says another count, or comes much later, are gifts.
    world.last("ann", "rose", 1, 3);
    assert_eq!(world.show.board().gifts(), 4);
    for (combo, after) in [(2, 10), (4, 10), (3, 40)] {
        for combo in 1..=3 {
            world.streak("ann", "rose", 1, combo);
        }
        world.pass(ms(after * 1000));
        let before = world.show.board().gifts();
        world.last("ann", "rose", 1, combo);
        assert_eq!(world.show.board().gifts(), before + 1, "{combo} {after}");
        world.pass(ms(60_000));
    }
    // A single gift of a streak of one is one more.
    world.streak("ann", "rose", 1, 1);
    world.pass(ms(8_000));
    let before = world.show.board().gifts();
    world.last("ann", "rose", 1, 1);
    assert_eq!(world.show.board().gifts(), before + 1);
    world.play_out();
}

#[test]
fn a_late_final_message_waits_with_the_streak_that_it_ends() {
    let mut world = World::at_rate(0.1);
    world.give("ben", "rose", 1.0);
    for combo in 1..=2 {
        world.streak("ann", "rose", 1, combo);
    }
    world.pass(ms(4_000));
    let last = world.last("ann", "rose", 1, 2);
    assert_eq!(world.verdict(&last), None, "its streak has not been seen");
    world.play_out();
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
    assert_eq!(world.show.board().gifts(), 3);
}
