use std::time::Duration;

use super::world::{World, gift};
use crate::catalog::Lane;
use crate::model::{Badge, Control, Gift, RefusalReason, Sender, Verdict};
use crate::show::{MIXED, Senders, ShowSettings};

fn paused(settings: ShowSettings) -> World {
    let mut world = World::new(settings);
    world.control(Control::Pause);
    world
}

/// Bundling begins with 60 waiting at this rate.
fn slow() -> ShowSettings {
    ShowSettings {
        rate: 1.0,
        ..ShowSettings::default()
    }
}

#[test]
fn waiting_gifts_of_one_sender_and_type_become_one_cue() {
    let mut world = paused(ShowSettings::default());
    let first = world.give("ann", "rose", 1.0);
    let second = world.give("ann", "rose", 2.0);
    world.give("ann", "heart", 1.0);
    world.give("bob", "rose", 1.0);
    assert_eq!(world.show.waiting(), 3);
    world.control(Control::Resume);
    assert_eq!(world.starts.len(), 3);
    let folded = &world.starts[0].1;
    assert_eq!((folded.tally.quantity, folded.tally.value), (2, 3.0));
    assert!(matches!(folded.by, Senders::One { .. }));
    assert_eq!(world.verdict(&first), Some(Verdict::Played));
    assert_eq!(world.verdict(&second), Some(Verdict::JoinedBundle));
}

#[test]
fn a_sender_wears_one_badge_the_moderators_first() {
    let badge = |is_moderator, is_subscriber| {
        let mut world = World::at_rate(30.0);
        let sender = Sender {
            is_moderator,
            is_subscriber,
            ..Sender::named("ann", "Ann")
        };
        world.offer(Gift::one("", "rose", sender));
        match world.starts[0].1.by {
            Senders::One { badge, .. } => badge,
            Senders::Many(_) => panic!("one gift is of one sender"),
        }
    };
    assert_eq!(badge(false, false), None);
    assert_eq!(badge(false, true), Some(Badge::Subscriber));
    assert_eq!(badge(true, false), Some(Badge::Moderator));
    assert_eq!(badge(true, true), Some(Badge::Moderator));
}

#[test]
fn without_an_id_only_gifts_under_one_name_are_one_persons() {
    let mut world = paused(ShowSettings::default());
    for name in ["Ann", "Bob", "Ann", "", ""] {
        world.offer(Gift::one("", "rose", Sender::named("", name)));
    }
    // Nor is anybody's id a name.
    world.give("Ann", "rose", 0.0);
    world.control(Control::Resume);
    world.play_out();
    let drawn: Vec<_> = world
        .starts
        .iter()
        .map(|(_, start)| match &start.by {
            Senders::One { name, .. } => (&*name.0, start.tally.quantity),
            Senders::Many(_) => panic!("so few are no crowd"),
        })
        .collect();
    assert_eq!(
        drawn,
        [("Ann", 2), ("Bob", 1), ("", 1), ("", 1), ("Ann", 1)]
    );
}

#[test]
fn people_without_an_id_are_counted_in_a_bundle() {
    let mut world = paused(slow());
    for n in 0..60 {
        world.give(&format!("early {n}"), "heart", 1.0);
    }
    for name in ["Ann", "Bob", "Ann", "", ""] {
        world.offer(Gift::one("", "rose", Sender::named("", name)));
    }
    world.control(Control::Resume);
    world.play_out();
    let (_, roses) = world
        .starts
        .iter()
        .find(|(_, start)| &*start.gift_type == "rose")
        .unwrap();
    assert_eq!((&roses.by, roses.tally.quantity), (&Senders::Many(4), 5));
}

#[test]
fn gifts_that_do_not_wait_are_not_folded() {
    let mut world = World::at_rate(30.0);
    world.give("ann", "rose", 1.0);
    world.give("ann", "rose", 1.0);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn a_crowd_is_bundled_by_type() {
    let mut world = paused(slow());
    for n in 0..60 {
        world.give(&format!("early {n}"), "heart", 1.0);
    }
    let mut roses = Vec::new();
    for n in 0..31 {
        roses.push(world.give(&format!("viewer {n}"), "rose", 1.0));
        roses.push(world.give(&format!("viewer {n}"), "rose", 1.0));
    }
    assert_eq!(world.show.waiting(), 61);
    world.control(Control::Resume);
    world.play_out();
    let (_, bundle) = world
        .starts
        .iter()
        .find(|(_, start)| &*start.gift_type == "rose")
        .unwrap();
    assert_eq!(bundle.by, Senders::Many(31));
    assert_eq!(bundle.tally.quantity, 62);
    for rose in &roses {
        assert_eq!(world.verdict(rose), Some(Verdict::JoinedBundle));
    }
}

#[test]
fn unknown_types_are_bundled_together() {
    let mut world = paused(slow());
    for n in 0..60 {
        world.give(&format!("early {n}"), "heart", 1.0);
    }
    for n in 0..10 {
        world.give(&format!("viewer {n}"), &format!("strange {n}"), 1.0);
    }
    assert_eq!(world.show.waiting(), 61);
    world.control(Control::Resume);
    world.play_out();
    let bundles: Vec<_> = world
        .starts
        .iter()
        .filter(|(_, start)| start.by == Senders::Many(10))
        .collect();
    assert_eq!(bundles.len(), 1);
    assert_eq!(&*bundles[0].1.gift_type, MIXED);
}

#[test]
fn a_headline_gift_is_never_folded_away() {
    let mut world = paused(slow());
    for n in 0..100 {
        world.give(&format!("early {n}"), "rose", 1.0);
    }
    let waiting = world.show.waiting();
    for n in 0..20 {
        world.give(&format!("whale {}", n % 2), "universe", 5000.0);
    }
    assert_eq!(world.show.waiting(), waiting + 20);
    world.control(Control::Resume);
    world.play_out();
    let universes = world
        .starts
        .iter()
        .filter(|(_, start)| start.lane == Lane::Headline);
    assert_eq!(universes.count(), 20);
}

#[test]
fn a_headline_streak_is_one_act_all_the_same() {
    let mut world = paused(ShowSettings::default());
    world.streak("ann", "universe", 1, 1);
    let second = world.streak("ann", "universe", 1, 2);
    assert_eq!(world.show.waiting(), 1);
    world.control(Control::Resume);
    assert_eq!(world.verdict(&second), Some(Verdict::JoinedStreak));
}

#[test]
fn a_dear_message_promotes_the_streak_that_waits() {
    let mut world = paused(ShowSettings::default());
    world.offer(Gift {
        combo_count: 1,
        is_streak: true,
        ..gift("", "ann", "unheard-of", 1.0)
    });
    world.offer(Gift {
        combo_count: 2,
        is_streak: true,
        ..gift("", "ann", "unheard-of", 5000.0)
    });
    world.control(Control::Resume);
    assert_eq!(world.starts.len(), 1);
    assert_eq!(world.starts[0].1.lane, Lane::Headline);
}

#[test]
fn a_streak_that_was_bundled_goes_on_counting() {
    let mut world = paused(slow());
    for n in 0..60 {
        world.give(&format!("early {n}"), "heart", 1.0);
    }
    world.give("seed", "rose", 1.0);
    for combo in 1..=5 {
        world.streak("ann", "rose", combo, combo);
    }
    assert_eq!(world.show.waiting(), 61);
    assert_eq!(world.show.board().gifts(), 66);
    world.control(Control::Resume);
    world.play_out();
    assert_eq!(world.outcomes.len(), 66);
}

#[test]
fn at_the_bound_the_cheapest_is_refused() {
    let mut world = paused(ShowSettings {
        most_waiting: 5,
        bundle_after: Duration::from_secs(1000),
        ..slow()
    });
    // Headlines are the one kind that is never folded into fewer turns.
    let gifts: Vec<_> = [50.0, 10.0, 30.0, 20.0, 40.0]
        .map(|value| world.give("whale", "universe", value))
        .into();
    let cheaper = world.give("whale", "universe", 5.0);
    let equal = world.give("whale", "universe", 10.0);
    let dearer = world.give("whale", "universe", 60.0);
    let overloaded = Some(Verdict::Refused(RefusalReason::Overloaded));
    assert_eq!(world.verdict(&cheaper), overloaded);
    assert_eq!(world.verdict(&equal), overloaded, "of equals the newest");
    assert_eq!(world.verdict(&gifts[1]), overloaded);
    assert_eq!(world.verdict(&dearer), None);
    let rose = world.give("rich", "rose", 1e6);
    assert_eq!(
        world.verdict(&rose),
        overloaded,
        "a lane counts before a value"
    );
    assert_eq!(world.show.board().gifts(), 9, "it was given, drawn or not");
    assert_eq!(
        Verdict::Refused(RefusalReason::Overloaded).error(),
        Some("OVERLOADED")
    );
}

#[test]
fn ten_thousand_turns_wait_and_no_more() {
    let mut world = paused(ShowSettings::default());
    for n in 0..10_100 {
        let value = if n % 100 == 0 { 2.0 } else { 1.0 };
        world.show.offer(
            world.now,
            gift(&format!("h{n}"), "whale", "universe", value),
        );
    }
    world.show.verify_invariants().unwrap();
    assert_eq!(world.show.waiting(), 10_000);
    assert_eq!(world.show.outcomes().refused, 100);
    world.settle();
    let dear_kept = (0..10_100)
        .step_by(100)
        .all(|n| world.verdict(&format!("h{n}")).is_none());
    assert!(dear_kept);
}

#[test]
fn undecided_gifts_are_bounded_however_well_they_fold() {
    let mut world = paused(ShowSettings {
        most_undecided: 100,
        ..ShowSettings::default()
    });
    for _ in 0..100 {
        world.give("ann", "rose", 1.0);
    }
    let one_more = world.give("ann", "rose", 1.0);
    assert_eq!(
        world.verdict(&one_more),
        Some(Verdict::Refused(RefusalReason::Overloaded))
    );
    world.give("whale", "universe", 5000.0);
    assert_eq!(world.show.undecided(), 1, "the cheaper crowd made room");
}
