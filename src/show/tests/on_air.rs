//! Gifts that are not drawn, and senders that take turns.

use super::world::{World, gift, ms};
use crate::catalog::Lane;
use crate::model::{Gift, Sender, Verdict};
use crate::on_air::Policy;
use crate::show::ShowSettings;

fn world(on_air: Policy) -> World {
    World::new(ShowSettings {
        on_air,
        ..ShowSettings::default()
    })
}

#[test]
fn a_gift_below_the_least_value_counts_and_is_not_drawn() {
    let mut world = world(Policy {
        least_value: 5.0,
        ..Policy::default()
    });
    let cheap = world.give("ana", "rose", 4.0);
    let dear = world.give("ben", "rose", 5.0);
    world.play_out();
    assert_eq!(world.verdict(&cheap), Some(Verdict::Dismissed));
    assert_eq!(world.verdict(&dear), Some(Verdict::Played));
    assert_eq!(world.started(), ["rose"]);
    assert_eq!(world.show.board().gifts(), 2);
}

#[test]
fn a_streak_is_drawn_from_the_message_that_makes_it_worth_enough() {
    let mut world = world(Policy {
        least_value: 3.0,
        ..Policy::default()
    });
    let verdicts: Vec<_> = (1..=4)
        .map(|combo| {
            let gift = Gift {
                is_streak: true,
                combo_count: combo,
                ..gift("", "ana", "rose", 1.0)
            };
            let id = world.offer(gift);
            world.verdict(&id)
        })
        .collect();
    let (off, joined) = (Some(Verdict::Dismissed), Some(Verdict::JoinedStreak));
    assert_eq!(verdicts[..2], [off.clone(), off]);
    // The first that is drawn leads the act, the next joins it on screen.
    assert_eq!(verdicts[2], Some(Verdict::Played));
    assert_eq!(verdicts[3], joined);
    world.play_out();
    assert_eq!(world.starts[0].1.tally.combo, 3);
}

#[test]
fn a_lane_that_is_off_counts_and_is_not_drawn() {
    let mut world = World::new(ShowSettings {
        lanes: vec![Lane::Headline],
        ..ShowSettings::default()
    });
    let dear = world.give("ana", "universe", 5000.0);
    let cheap = world.give("ben", "rose", 1.0);
    world.play_out();
    assert_eq!(world.verdict(&dear), Some(Verdict::Played));
    assert_eq!(world.verdict(&cheap), Some(Verdict::Dismissed));
    assert_eq!(world.show.board().gifts(), 2);
}

#[test]
fn types_are_switched_off_and_on() {
    let mut world = world(Policy {
        off_types: ["rocket".into()].into(),
        ..Policy::default()
    });
    let off = world.give("ana", "rocket", 50.0);
    world.give("ana", "rose", 1.0);
    world.play_out();
    assert_eq!(world.verdict(&off), Some(Verdict::Dismissed));
    assert_eq!(world.started(), ["rose"]);
}

#[test]
fn a_sender_rests_between_acts_and_nobody_else_does() {
    let mut world = world(Policy {
        cool_down: ms(10_000),
        ..Policy::default()
    });
    world.give("ana", "rose", 1.0);
    let second = world.give("ana", "heart", 1.0);
    world.give("ben", "heart", 1.0);
    world.pass(ms(9_900));
    assert_eq!(world.started(), ["rose", "heart"]);
    assert_eq!(world.verdict(&second), None);
    // The show asks to be woken when the rest is over: nothing else will.
    world.pass(ms(200));
    assert_eq!(world.started(), ["rose", "heart", "heart"]);
    assert_eq!(world.starts[2].0, ms(10_000));
    assert_eq!(world.verdict(&second), Some(Verdict::Played));
}

#[test]
fn nobody_rests_for_a_name() {
    let mut world = world(Policy {
        cool_down: ms(10_000),
        ..Policy::default()
    });
    for _ in 0..2 {
        world.offer(Gift::one("", "rose", Sender::named("", "Ann")));
    }
    assert_eq!(world.started(), ["rose", "rose"]);
}

#[test]
fn gifts_that_rest_fold_into_one_act() {
    let mut world = world(Policy {
        cool_down: ms(5_000),
        ..Policy::default()
    });
    world.give("ana", "rose", 1.0);
    for _ in 0..20 {
        world.give("ana", "rose", 1.0);
    }
    world.play_out();
    let quantities: Vec<_> = world
        .starts
        .iter()
        .map(|(_, start)| start.tally.quantity)
        .collect();
    assert_eq!(quantities, [1, 20]);
}

#[test]
fn a_headline_gift_does_not_rest() {
    let mut world = world(Policy {
        cool_down: ms(60_000),
        ..Policy::default()
    });
    world.give("ana", "rose", 1.0);
    world.give("ana", "universe", 1.0);
    assert_eq!(world.started(), ["rose", "universe"]);
}

#[test]
fn a_streak_on_stage_grows_while_its_sender_rests() {
    let mut world = world(Policy {
        cool_down: ms(60_000),
        ..Policy::default()
    });
    for combo in 1..=5 {
        world.streak("ana", "rose", 1, combo);
        world.pass(ms(500));
    }
    assert_eq!(world.started(), ["rose"]);
    world.play_out();
    assert_eq!(world.climaxes(), [5]);
}
