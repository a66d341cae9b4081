use super::world::{World, gift, ms};
use crate::model::{Control, Gift, RefusalReason, Verdict};
use crate::show::{Cue, ShowSettings};

#[test]
fn a_gift_is_played_when_its_act_is_on_a_presented_frame_and_not_before() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    let rose = world.give("ann", "rose", 1.0);
    let act = world.starts[0].1.act;
    world.pass(ms(500));
    assert_eq!(world.verdict(&rose), None);
    world.show.presented(world.now, act);
    world.show.presented(world.now, act);
    world.settle();
    assert_eq!(world.verdict(&rose), Some(Verdict::Played));
}

#[test]
fn gifts_that_join_before_the_first_frame_are_decided_with_it() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    world.streak("ann", "rose", 1, 1);
    let second = world.streak("ann", "rose", 1, 2);
    assert_eq!(world.verdict(&second), None);
    world.show.presented(world.now, world.starts[0].1.act);
    world.settle();
    assert_eq!(world.verdict(&second), Some(Verdict::JoinedStreak));
}

#[test]
fn an_outcome_names_the_message_not_only_the_gift() {
    let mut world = World::at_rate(30.0);
    for combo in 1..=3 {
        world.offer(Gift {
            combo_count: combo,
            is_streak: true,
            ..gift("same", "ann", "rose", 1.0)
        });
    }
    let combos: Vec<_> = world
        .outcomes
        .iter()
        .map(|outcome| outcome.combo_count)
        .collect();
    assert_eq!(combos, [1, 2, 3]);
    assert!(world.outcomes.iter().all(|outcome| outcome.quantity == 1));
}

#[test]
fn a_failed_act_fails_its_gifts_and_frees_its_place() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    let first = world.streak("ann", "universe", 1, 1);
    let second = world.streak("ann", "universe", 1, 2);
    let act = world.starts[0].1.act;
    world.show.failed(world.now, act, "no such model".into());
    world.settle();
    for gift in [&first, &second] {
        assert_eq!(
            world.verdict(gift),
            Some(Verdict::Failed("no such model".into()))
        );
    }
    assert!(world.show.is_idle());
    world.streak("ann", "universe", 1, 3);
    assert_eq!(world.starts.len(), 2, "the streak's next gift tries again");
}

#[test]
fn with_no_live_output_gifts_wait() {
    let mut world = World::at_rate(30.0);
    world.show.set_live_output(world.now, false);
    let rose = world.give("ann", "rose", 1.0);
    world.pass(ms(60_000));
    assert_eq!(world.show.next_wake(world.now), None);
    assert_eq!(world.verdict(&rose), None);
    world.show.set_live_output(world.now, true);
    world.settle();
    assert_eq!(world.verdict(&rose), Some(Verdict::Played));
}

#[test]
fn what_a_streak_gives_while_nobody_looks_waits_to_be_seen() {
    let mut world = World::at_rate(30.0);
    let seen = world.streak("ann", "rose", 1, 1);
    world.show.set_live_output(world.now, false);
    let unseen = [2, 3].map(|combo| world.streak("ann", "rose", 1, combo));
    let end = world.last("ann", "rose", 1, 4);
    world.pass(ms(60_000));
    assert_eq!(world.verdict(&seen), Some(Verdict::Played));
    for gift in unseen.iter().chain([&end]) {
        assert_eq!(world.verdict(gift), None);
    }
    world.show.set_live_output(world.now, true);
    world.play_out();
    assert_eq!(world.starts.len(), 2);
    let shown = &world.starts[1].1;
    assert_eq!((shown.tally.quantity, shown.tally.combo), (3, 4));
    for gift in unseen.iter().chain([&end]) {
        assert!(world.verdict(gift).is_some_and(|it| it.is_rendered()));
    }
    assert_eq!(world.show.board().gifts(), 4);
}

#[test]
fn a_streak_plays_on_unseen_if_told_to() {
    let mut world = World::new(ShowSettings {
        play_unseen: true,
        ..ShowSettings::default()
    });
    world.streak("ann", "rose", 1, 1);
    world.show.set_live_output(world.now, false);
    let second = world.streak("ann", "rose", 1, 2);
    assert_eq!(world.verdict(&second), Some(Verdict::JoinedStreak));
    assert_eq!(world.starts.len(), 1);
}

#[test]
fn gifts_play_unseen_if_told_to() {
    let mut world = World::new(ShowSettings {
        play_unseen: true,
        ..ShowSettings::default()
    });
    world.show.set_live_output(world.now, false);
    let rose = world.give("ann", "rose", 1.0);
    assert_eq!(world.verdict(&rose), Some(Verdict::Played));
}

#[test]
fn an_act_that_nobody_saw_waits_again() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    let rose = world.give("ann", "rose", 1.0);
    world.show.set_live_output(world.now, false);
    world.pass(ms(10_000));
    assert_eq!((world.starts.len(), world.show.waiting()), (1, 1));
    world.presents = true;
    world.show.set_live_output(world.now, true);
    world.settle();
    assert_eq!(world.starts.len(), 2);
    assert_eq!(world.verdict(&rose), Some(Verdict::Played));
    assert_eq!(world.show.board().gifts(), 1);
}

#[test]
fn an_act_that_is_never_presented_fails_in_the_end() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    let rose = world.give("ann", "rose", 1.0);
    world.play_out();
    assert_eq!(world.starts.len(), 3);
    assert!(matches!(world.verdict(&rose), Some(Verdict::Failed(_))));
}

#[test]
fn reports_about_unknown_acts_are_ignored() {
    let mut world = World::at_rate(30.0);
    world.give("ann", "rose", 1.0);
    let act = world.starts[0].1.act;
    world.show.finished(world.now, act);
    world.show.finished(world.now, act);
    world.show.failed(world.now, act, "late".into());
    world.show.presented(world.now, act);
    world.show.verify_invariants().unwrap();
    assert_eq!(world.outcomes.len(), 1);
}

#[test]
fn a_gift_of_nothing_is_refused_as_invalid() {
    let mut world = World::at_rate(30.0);
    let nothing = world.offer(Gift {
        quantity: 0,
        ..gift("", "ann", "rose", 1.0)
    });
    assert_eq!(
        world.verdict(&nothing),
        Some(Verdict::Refused(RefusalReason::Invalid))
    );
    assert_eq!(world.show.board().gifts(), 0);
}

#[test]
fn a_repeat_of_a_streak_that_was_skipped_still_ends_once() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 5, 5);
    world.control(Control::Skip);
    let last = world.last("ann", "rose", 5, 5);
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
    assert_eq!(world.show.board().gifts(), 5);
    assert!(world.climaxes().is_empty(), "it was dismissed");
}

#[test]
fn counts_of_outcomes_add_up() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    world.streak("ann", "rose", 1, 2);
    world.give("bob", "rose", 1.0);
    world.control(Control::Pause);
    world.give("eve", "rose", 1.0);
    world.control(Control::Clear);
    let counts = world.show.outcomes();
    assert_eq!(
        (counts.played, counts.joined_streak, counts.dismissed),
        (2, 1, 1)
    );
    assert_eq!(
        (counts.total(), world.show.offered(), world.show.undecided()),
        (4, 4, 0)
    );
}

#[test]
fn an_idle_show_asks_for_nothing() {
    let mut world = World::at_rate(30.0);
    assert!(world.show.is_idle());
    assert_eq!(world.show.next_wake(world.now), None);
    world.give("ann", "rose", 1.0);
    assert!(!world.show.is_idle());
    world.play_out();
    assert_eq!(world.show.next_wake(world.now), None);
    assert!(matches!(world.cues[..], [(_, Cue::Start(_))]));
}

#[test]
fn time_does_not_run_backwards() {
    let mut world = World::at_rate(1.0);
    world.pass(ms(10_000));
    world.give("ann", "rose", 1.0);
    world.give("bob", "rose", 1.0);
    while world.show.poll(ms(0)).is_some() {}
    assert_eq!(world.starts.len(), 1, "the rate holds");
    assert_eq!(world.show.next_wake(ms(0)), Some(ms(11_000)));
}
