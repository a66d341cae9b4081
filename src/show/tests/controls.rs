use super::world::{World, gift, ms};
use crate::catalog::Lane;
use crate::model::{Control, Gift, Sender, Verdict};
use crate::show::{Cue, RECAP, Senders};

fn dismissed(world: &World) -> usize {
    world
        .cues
        .iter()
        .filter(|(_, cue)| matches!(cue, Cue::Dismiss { .. }))
        .count()
}

#[test]
fn nothing_starts_while_paused_and_the_stage_is_told_once() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    world.control(Control::Pause);
    world.give("ann", "rose", 1.0);
    world.pass(ms(60_000));
    assert!(world.starts.is_empty());
    assert!(world.show.is_paused());
    world.control(Control::Resume);
    world.control(Control::Resume);
    assert_eq!(world.starts.len(), 1);
    let told: Vec<_> = world
        .cues
        .iter()
        .filter_map(|(_, cue)| match cue {
            Cue::Paused(paused) => Some(*paused),
            _ => None,
        })
        .collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn skip_ends_the_dearest_lane_that_has_any() {
    let mut world = World::at_rate(30.0);
    let universe = world.give("ann", "universe", 5000.0);
    world.give("ann", "rocket", 500.0);
    world.give("bob", "rocket", 500.0);
    world.give("ann", "rose", 1.0);
    for expected in [1, 3, 4, 4] {
        world.control(Control::Skip);
        assert_eq!(dismissed(&world), expected);
    }
    assert_eq!(
        world.verdict(&universe),
        Some(Verdict::Played),
        "it had been seen"
    );
    world.pass(ms(300));
    assert!(world.show.is_idle());
}

#[test]
fn a_gift_skipped_before_it_was_seen_is_dismissed() {
    let mut world = World::at_rate(30.0);
    world.presents = false;
    let rose = world.give("ann", "rose", 1.0);
    world.control(Control::Skip);
    assert_eq!(world.verdict(&rose), Some(Verdict::Dismissed));
    world.show.presented(world.now, world.starts[0].1.act);
    world.pass(ms(300));
    assert_eq!(world.outcomes.len(), 1);
}

#[test]
fn clear_dismisses_everything_and_streaks_go_on_counting() {
    let mut world = World::at_rate(30.0);
    for combo in 1..=3 {
        world.streak("ann", "rose", combo, combo);
    }
    for n in 0..20 {
        world.give(&format!("whale {n}"), "universe", 5000.0);
    }
    world.control(Control::Clear);
    world.pass(ms(300));
    assert!(world.show.is_idle());
    assert_eq!(world.show.outcomes().dismissed, 19);
    assert_eq!(world.show.undecided(), 0);
    world.streak("ann", "rose", 4, 4);
    assert_eq!(world.show.board().gifts(), 24, "one more rose, not four");
}

#[test]
fn a_held_gift_waits_until_it_is_released() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    let held = world.give("ann", "rose", 900.0);
    let other = world.give("bob", "rose", 1.0);
    world.control(Control::Hold(held.clone()));
    let later = world.give("ann", "rose", 1.0);
    world.control(Control::Resume);
    assert_eq!(world.verdict(&other), Some(Verdict::Played));
    assert_eq!(
        world.verdict(&later),
        Some(Verdict::Played),
        "only that one is held"
    );
    assert_eq!(world.verdict(&held), None);
    assert!(
        world
            .show
            .upcoming()
            .all(|turn| turn.held && turn.gift.as_ref() == Some(&held))
    );
    world.control(Control::Hold("unknown".into()));
    world.control(Control::Release(held.clone()));
    assert_eq!(world.verdict(&held), Some(Verdict::Played));
}

#[test]
fn mute_and_volume_reach_the_stage_when_they_change() {
    let mut world = World::at_rate(30.0);
    for control in [
        Control::Mute(false),
        Control::Mute(true),
        Control::Mute(true),
        Control::Volume(7.0),
        Control::Volume(0.5),
        Control::Volume(f32::NAN),
        Control::Volume(-1.0),
    ] {
        world.control(control);
    }
    let cues: Vec<_> = world.cues.iter().map(|(_, cue)| cue.clone()).collect();
    assert_eq!(cues, [Cue::Muted(true), Cue::Volume(0.5), Cue::Volume(0.0)]);
    assert!(world.show.is_muted());
}

#[test]
fn replay_plays_the_last_gift_again_and_counts_nowhere() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Replay);
    assert!(world.starts.is_empty(), "there is none yet");
    world.give("ann", "rocket", 500.0);
    world.control(Control::Replay);
    let (first, again) = (&world.starts[0].1, &world.starts[1].1);
    assert_eq!((&again.gift_type, &again.by), (&first.gift_type, &first.by));
    assert!(again.rehearsal && !first.rehearsal);
    world.play_out();
    assert_eq!(world.show.board().gifts(), 1);
    assert_eq!(world.outcomes.len(), 1);
}

#[test]
fn a_test_gift_plays_before_the_queue_and_counts_nowhere() {
    let mut world = World::at_rate(1.0);
    for n in 0..20 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "heart", 5.0));
    }
    world.control(Control::Test {
        gift_type: "rose".into(),
        quantity: 7,
    });
    let start = &world.starts[0].1;
    assert_eq!(&*start.gift_type, "rose");
    assert_eq!((start.tally.quantity, start.rehearsal), (7, true));
    assert_eq!(world.show.board().gifts(), 20);
    world.play_out();
    assert_eq!(world.outcomes.len(), 20);
}

#[test]
fn a_host_who_leans_on_a_key_gets_32_rehearsals() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    for _ in 0..100 {
        world.control(Control::Test {
            gift_type: "universe".into(),
            quantity: 1,
        });
    }
    assert_eq!(world.show.waiting(), 32);
}

#[test]
fn do_not_disturb_collects_quietly_and_plays_one_recap() {
    let mut world = World::at_rate(30.0);
    world.control(Control::DoNotDisturb(true));
    let mut gifts = Vec::new();
    for n in 0..10 {
        gifts.push(world.give(&format!("viewer {}", n % 3), "rose", 1.0));
    }
    gifts.push(world.give("whale", "universe", 5000.0));
    gifts.push(world.streak("ann", "heart", 2, 2));
    world.pass(ms(60_000));
    assert!(world.starts.is_empty());
    assert_eq!(world.show.board().gifts(), 13, "the boards count on");
    world.control(Control::DoNotDisturb(false));
    assert_eq!(world.starts.len(), 1);
    let recap = &world.starts[0].1;
    assert_eq!(&*recap.gift_type, RECAP);
    assert_eq!(recap.by, Senders::Many(5));
    assert_eq!((recap.tally.quantity, recap.lane), (13, Lane::Headline));
    for gift in &gifts {
        assert_eq!(world.verdict(gift), Some(Verdict::JoinedBundle));
    }
    world.play_out();
    assert_eq!(world.starts.len(), 1);
}

#[test]
fn a_recap_counts_people_without_an_id() {
    let mut world = World::at_rate(30.0);
    world.control(Control::DoNotDisturb(true));
    for name in ["Ann", "Bob", "Ann", "", ""] {
        world.offer(Gift::one("", "rose", Sender::named("", name)));
    }
    world.control(Control::DoNotDisturb(false));
    assert_eq!(world.starts[0].1.by, Senders::Many(4));
}

#[test]
fn a_final_repeat_during_do_not_disturb_belongs_to_the_act_and_not_to_the_recap() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 5, 5);
    world.control(Control::DoNotDisturb(true));
    let last = world.last("ann", "rose", 5, 5);
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedStreak));
    assert_eq!(world.climaxes(), [5]);
    world.control(Control::DoNotDisturb(false));
    assert_eq!(world.started(), ["rose"], "no recap of nothing");
}

#[test]
fn a_final_repeat_of_a_streak_that_the_recap_tells_is_no_act_of_its_own() {
    let mut world = World::at_rate(30.0);
    world.control(Control::DoNotDisturb(true));
    for total in 1..=5 {
        world.streak("ann", "rose", total, total);
    }
    let last = world.last("ann", "rose", 5, 5);
    assert_eq!(world.verdict(&last), None, "nothing of it was shown yet");
    world.control(Control::DoNotDisturb(false));
    world.play_out();
    assert_eq!(world.started(), [RECAP]);
    assert_eq!(world.starts[0].1.tally.quantity, 5);
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedBundle));
}

#[test]
fn a_final_repeat_shares_the_fate_of_a_recap_that_is_cleared() {
    let repeat = |clear_first: bool| {
        let mut world = World::at_rate(30.0);
        world.control(Control::DoNotDisturb(true));
        let first = world.streak("ann", "rose", 1, 1);
        let last = if clear_first {
            world.control(Control::Clear);
            world.last("ann", "rose", 1, 1)
        } else {
            let last = world.last("ann", "rose", 1, 1);
            world.control(Control::Clear);
            last
        };
        world.control(Control::DoNotDisturb(false));
        world.play_out();
        assert!(world.starts.is_empty(), "there is nothing to tell");
        [first, last].map(|gift| world.verdict(&gift))
    };
    for clear_first in [false, true] {
        let dismissed = [const { Some(Verdict::Dismissed) }; 2];
        assert_eq!(repeat(clear_first), dismissed);
    }
}

#[test]
fn a_streak_that_was_dismissed_is_not_drawn_for_its_final_repeat() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    for total in 1..=5 {
        world.streak("ann", "rose", total, total);
    }
    world.control(Control::Clear);
    let last = world.last("ann", "rose", 5, 5);
    assert_eq!(world.verdict(&last), Some(Verdict::Dismissed));
    world.control(Control::Resume);
    world.play_out();
    assert!(world.starts.is_empty());
}

#[test]
fn a_final_repeat_waits_for_the_recap_though_the_streak_is_on_stage() {
    let mut world = World::at_rate(30.0);
    world.streak("ann", "rose", 1, 1);
    world.control(Control::DoNotDisturb(true));
    for total in 2..=3 {
        world.streak("ann", "rose", total, total);
    }
    let last = world.last("ann", "rose", 3, 3);
    assert_eq!(world.verdict(&last), None, "the recap is yet to tell it");
    assert_eq!(world.climaxes(), [1]);
    world.control(Control::DoNotDisturb(false));
    world.play_out();
    assert_eq!(world.started(), ["rose", RECAP]);
    assert_eq!(world.starts[1].1.tally.quantity, 2);
    assert_eq!(world.verdict(&last), Some(Verdict::JoinedBundle));
}

#[test]
fn dismissing_how_a_streak_began_leaves_its_final_repeat_to_the_recap() {
    for is_waiting in [false, true] {
        let mut world = World::at_rate(30.0);
        world.presents = false;
        if is_waiting {
            world.control(Control::Pause);
        }
        let first = world.streak("ann", "rose", 1, 1);
        world.control(Control::DoNotDisturb(true));
        world.streak("ann", "rose", 2, 2);
        world.control(match is_waiting {
            true => Control::Dismiss(first.clone()),
            false => Control::Skip,
        });
        assert_eq!(world.verdict(&first), Some(Verdict::Dismissed));
        let last = world.last("ann", "rose", 2, 2);
        assert_eq!(world.verdict(&last), None, "the recap is yet to tell it");
        world.presents = true;
        world.control(Control::Resume);
        world.control(Control::DoNotDisturb(false));
        world.play_out();
        assert_eq!(world.started().last(), Some(&RECAP));
        assert_eq!(world.verdict(&last), Some(Verdict::JoinedBundle));
    }
}

#[test]
fn do_not_disturb_with_nothing_to_tell_ends_quietly() {
    let mut world = World::at_rate(30.0);
    world.control(Control::DoNotDisturb(false));
    world.control(Control::DoNotDisturb(true));
    world.control(Control::DoNotDisturb(true));
    assert!(world.show.is_quiet());
    world.control(Control::DoNotDisturb(false));
    assert!(world.cues.is_empty());
}

#[test]
fn what_waited_before_do_not_disturb_plays_after_its_recap() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    world.give("early", "rose", 1.0);
    world.control(Control::DoNotDisturb(true));
    world.control(Control::Resume);
    world.give("ann", "rose", 1.0);
    assert!(world.starts.is_empty());
    world.control(Control::DoNotDisturb(false));
    assert_eq!(world.started(), [RECAP, "rose"]);
}

#[test]
fn clear_dismisses_what_do_not_disturb_has_collected() {
    let mut world = World::at_rate(30.0);
    world.control(Control::DoNotDisturb(true));
    let rose = world.give("ann", "rose", 1.0);
    world.control(Control::Clear);
    assert_eq!(world.verdict(&rose), Some(Verdict::Dismissed));
    assert!(world.show.is_quiet());
    world.control(Control::DoNotDisturb(false));
    assert!(world.starts.is_empty());
}

#[test]
fn a_waiting_gift_that_is_dismissed_never_plays_and_the_others_do() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    let unwanted = world.give("ann", "rose", 1.0);
    let folded = world.give("ann", "rose", 1.0);
    let other = world.give("bob", "rose", 1.0);
    world.control(Control::Dismiss("unknown".into()));
    // What was folded into it goes by its name too.
    world.control(Control::Dismiss(folded.clone()));
    assert_eq!(world.verdict(&unwanted), Some(Verdict::Dismissed));
    assert_eq!(world.verdict(&folded), Some(Verdict::Dismissed));
    world.control(Control::Resume);
    world.play_out();
    assert_eq!(world.started(), ["rose"]);
    assert_eq!(world.verdict(&other), Some(Verdict::Played));
    world.control(Control::Dismiss(other));
    assert_eq!(world.outcomes.len(), 3, "it has played already");
}

#[test]
fn a_streak_whose_waiting_gift_is_dismissed_goes_on_in_a_turn_of_its_own() {
    let mut world = World::at_rate(30.0);
    world.control(Control::Pause);
    let first = world.streak("ann", "rose", 1, 1);
    world.control(Control::Hold(first.clone()));
    world.control(Control::Dismiss(first.clone()));
    assert_eq!(world.verdict(&first), Some(Verdict::Dismissed));
    let second = world.streak("ann", "rose", 1, 2);
    world.control(Control::Resume);
    assert_eq!(world.starts[0].1.tally.combo, 2);
    assert_eq!(world.verdict(&second), Some(Verdict::Played));
}

#[test]
fn any_of_the_last_hundred_acts_plays_again_by_a_gift_of_its_own() {
    let mut world = World::at_rate(1000.0);
    let first = world.give("ann", "rocket", 500.0);
    world.play_out();
    world.streak("ann", "rose", 1, 1);
    let joined = world.streak("ann", "rose", 1, 2);
    world.play_out();
    for n in 0..98 {
        world.give(&format!("viewer {n}"), "heart", 5.0);
        world.play_out();
    }
    let replayed = |world: &mut World, gift: &str| {
        let before = world.starts.len();
        world.control(Control::ReplayOf(gift.into()));
        world.play_out();
        let again = world.starts[before..].iter();
        again
            .map(|(_, start)| start.gift_type.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(replayed(&mut world, &first), ["rocket"]);
    assert_eq!(
        replayed(&mut world, &joined),
        ["rose"],
        "it joined on stage"
    );
    let again = world.starts.last().expect("it played").1.tally;
    assert_eq!((again.quantity, again.combo), (2, 2), "all of the streak");
    assert!(replayed(&mut world, "unknown").is_empty());
    assert!(world.starts.last().unwrap().1.rehearsal);
    world.give("bob", "heart", 5.0);
    world.play_out();
    assert!(
        replayed(&mut world, &first).is_empty(),
        "99 acts later it is forgotten"
    );
    assert_eq!(world.show.board().gifts(), 102, "replays count nowhere");
}

#[test]
fn a_test_streak_climbs_three_times_a_second_and_counts_nowhere() {
    let mut world = World::at_rate(30.0);
    world.control(Control::TestStreak {
        gift_type: "rose".into(),
        messages: 6,
    });
    let start = &world.starts[0].1;
    assert!(start.open_streak && start.rehearsal);
    assert_eq!((start.tally.quantity, start.tally.combo), (1, 1));
    world.play_out();
    let grown: Vec<_> = world
        .cues
        .iter()
        .filter_map(|(at, cue)| match cue {
            Cue::Grow { tally, combo, .. } => Some((at.as_millis(), tally.combo, *combo)),
            _ => None,
        })
        .collect();
    assert_eq!(
        grown,
        [
            (333, 2, None),
            (666, 3, None),
            (999, 4, None),
            (1332, 5, Some(5)),
            (1665, 6, None)
        ]
    );
    assert_eq!(world.climaxes(), [6]);
    assert_eq!(world.show.offered(), 0);
    assert_eq!(world.show.board().gifts(), 0);
    assert!(world.outcomes.is_empty());
}

#[test]
fn a_test_streak_stands_still_in_a_pause_and_ends_when_it_is_skipped() {
    let mut world = World::at_rate(30.0);
    let streak = |messages| Control::TestStreak {
        gift_type: "rose".into(),
        messages,
    };
    world.control(streak(3));
    world.pass(ms(500));
    world.control(Control::Pause);
    world.pass(ms(60_000));
    let grown = |world: &World| {
        let cues = world.cues.iter();
        cues.filter(|(_, cue)| matches!(cue, Cue::Grow { .. }))
            .count()
    };
    assert_eq!(grown(&world), 1);
    world.control(Control::Resume);
    world.pass(ms(165));
    assert_eq!(grown(&world), 1, "the pause does not count");
    world.pass(ms(1));
    assert_eq!(grown(&world), 2);
    world.control(Control::Skip);
    world.play_out();
    assert_eq!(grown(&world), 2);
    assert!(world.climaxes().is_empty());
    world.control(streak(u32::MAX));
    world.play_out();
    assert_eq!(world.climaxes(), [1_000]);
}
