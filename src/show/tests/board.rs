use super::world::{World, gift, ms};
use crate::model::{Control, Gift, Goal, Sender, StreamStatus};
use crate::show::{RECENT_GIFTS, TOP_GIFTERS};

fn status(kind: &str, current: f64) -> StreamStatus {
    StreamStatus {
        is_live: true,
        goal: Some(Goal {
            kind: kind.into(),
            target: 100.0,
            current,
            description: "a new chair".into(),
        }),
        ..StreamStatus::default()
    }
}

fn goal_after_gifts(kind: &str) -> f64 {
    let mut world = World::at_rate(30.0);
    world.show.set_status(world.now, status(kind, 10.0));
    world.streak("ann", "rose", 3, 3);
    world.last("ann", "rose", 3, 3);
    world.give("bob", "rose", 20.0);
    world.show.board().goal().unwrap().current
}

#[test]
fn a_goal_moves_with_what_it_collects() {
    assert_eq!(goal_after_gifts("gifts"), 14.0);
    assert_eq!(goal_after_gifts("revenue"), 33.0);
    assert_eq!(
        goal_after_gifts("viewers"),
        10.0,
        "only the backend counts viewers"
    );
}

#[test]
fn a_new_status_replaces_local_progress() {
    let mut world = World::at_rate(30.0);
    world.show.set_status(world.now, status("gifts", 10.0));
    world.give("ann", "rose", 1.0);
    world.show.set_status(world.now, status("gifts", 11.0));
    assert_eq!(world.show.board().goal().unwrap().current, 11.0);
    world.show.set_status(world.now, StreamStatus::default());
    assert!(world.show.board().goal().is_none());
}

#[test]
fn top_gifters_are_ordered_by_value_then_by_who_got_there_first() {
    let mut world = World::at_rate(30.0);
    for (user, value) in [
        ("a", 5.0),
        ("b", 7.0),
        ("c", 5.0),
        ("a", 2.0),
        ("", 99.0),
        ("d", 0.0),
    ] {
        world.give(user, "rose", value);
    }
    let top: Vec<_> = world
        .show
        .board()
        .top_gifters()
        .iter()
        .map(|top| &*top.user_id.0)
        .collect();
    assert_eq!(top, ["b", "a", "c"]);
    let a = &world.show.board().top_gifters()[1];
    assert_eq!((a.value, a.gifts), (7.0, 2));
}

#[test]
fn a_crowd_beyond_the_memory_never_pushes_the_top_off_the_board() {
    let mut world = World::at_rate(30.0);
    for n in 0..TOP_GIFTERS {
        world.give(&format!("top {n}"), "rose", 1000.0 + n as f64);
    }
    world.control(Control::DoNotDisturb(true));
    for n in 0..30_000 {
        let value = f64::from(n % 7);
        world
            .show
            .offer(world.now, gift("x", &format!("viewer {n}"), "rose", value));
    }
    world.show.verify_invariants().unwrap();
    let top = world.show.board().top_gifters();
    assert_eq!(top.len(), TOP_GIFTERS);
    assert!(top.iter().all(|gifter| gifter.user_id.0.starts_with("top")));
}

#[test]
fn somebody_who_gives_much_in_small_gifts_reaches_the_top() {
    let mut world = World::at_rate(30.0);
    for n in 0..TOP_GIFTERS + 5 {
        world.give(&format!("one {n}"), "rose", 10.0);
    }
    for _ in 0..11 {
        world.give("steady", "heart", 1.0);
    }
    let top = world.show.board().top_gifters();
    assert_eq!(top.len(), TOP_GIFTERS);
    assert_eq!(&*top[0].user_id.0, "steady");
}

#[test]
fn recent_gifts_are_listed_newest_first_and_a_streak_is_one_line() {
    let mut world = World::at_rate(30.0);
    for n in 0..RECENT_GIFTS + 10 {
        world.give(&format!("viewer {n}"), "rose", 1.0);
    }
    world.pass(ms(1000));
    for combo in 1..=4 {
        world.streak("ann", "heart", 1, combo);
    }
    let recent: Vec<_> = world.show.board().recent().collect();
    assert_eq!(recent.len(), RECENT_GIFTS);
    assert_eq!((&*recent[0].gift_type, recent[0].quantity), ("heart", 4));
    assert_eq!(recent[0].at, world.now);
    assert_eq!(&*recent[1].user_id.0, "viewer 59");
}

#[test]
fn a_streak_is_one_line_whoever_gives_meanwhile() {
    let mut world = World::at_rate(30.0);
    for combo in 1..=3 {
        world.streak("ann", "heart", 1, combo);
        world.give(&format!("viewer {combo}"), "rose", 1.0);
    }
    // Its last message says that it is over.
    world.offer(Gift {
        combo_count: 4,
        ..gift("", "ann", "heart", 1.0)
    });
    let recent: Vec<_> = world.show.board().recent().collect();
    assert_eq!(recent.len(), 4);
    assert_eq!((&*recent[0].gift_type, recent[0].quantity), ("heart", 4));
    assert_eq!(&*recent[1].user_id.0, "viewer 3");
}

#[test]
fn only_a_name_keeps_people_without_an_id_in_lines_of_their_own() {
    let mut world = World::at_rate(30.0);
    for name in ["Ann", "Bob", "Ann", "", ""] {
        world.offer(Gift {
            combo_count: 2,
            ..Gift::one("", "rose", Sender::named("", name))
        });
    }
    let recent = world.show.board().recent();
    let lines: Vec<_> = recent.map(|line| (&*line.name.0, line.quantity)).collect();
    assert_eq!(lines, [("", 1), ("", 1), ("Ann", 2), ("Bob", 1)]);
}

#[test]
fn totals_survive_senseless_values() {
    let mut world = World::at_rate(30.0);
    for value in [f64::MAX, f64::MAX, f64::NAN, -5.0, f64::INFINITY] {
        world.give("ann", "rose", value);
    }
    for quantity in [u32::MAX, u32::MAX] {
        world.offer(Gift {
            quantity,
            combo_count: u32::MAX,
            is_streak: true,
            ..gift("", "bob", "rose", f64::MAX)
        });
    }
    assert_eq!(world.show.board().value(), f64::MAX);
    assert!(
        world
            .show
            .board()
            .top_gifters()
            .iter()
            .all(|top| top.value.is_finite())
    );
}

#[test]
fn the_revision_changes_with_what_the_board_says_and_not_otherwise() {
    let mut world = World::at_rate(30.0);
    let first = world.show.board().revision();
    world.show.set_status(world.now, status("gifts", 10.0));
    let with_goal = world.show.board().revision();
    assert_ne!(first, with_goal);
    world.show.set_status(world.now, status("gifts", 10.0));
    world.pass(ms(1000));
    assert_eq!(world.show.board().revision(), with_goal, "the same again");
    world.give("ann", "rose", 1.0);
    assert_ne!(world.show.board().revision(), with_goal);
}

/// What a backend tells whoever joins may be as old as the goal.
#[test]
fn a_reconnect_does_not_put_the_same_goal_back() {
    let mut world = World::at_rate(30.0);
    world.show.set_status(world.now, status("gifts", 10.0));
    world.give("ann", "rose", 1.0);
    let current = |world: &World| world.show.board().goal().unwrap().current;
    assert_eq!(current(&world), 11.0);
    world.show.rejoin(world.now);
    world.show.set_status(world.now, status("gifts", 10.0));
    assert_eq!(current(&world), 11.0);
    // On a connection that stands it is the host's word.
    world.show.set_status(world.now, status("gifts", 10.0));
    assert_eq!(current(&world), 10.0);
    // So is another goal, and one that has come further.
    for told in [status("revenue", 3.0), status("revenue", 9.0)] {
        world.show.rejoin(world.now);
        world.show.set_status(world.now, told.clone());
        assert_eq!(world.show.board().goal(), told.goal.as_ref());
    }
}

#[test]
fn a_status_that_comes_long_after_a_reconnect_is_the_hosts_word() {
    let after = |wait: u64| {
        let mut world = World::at_rate(30.0);
        world.show.set_status(world.now, status("gifts", 10.0));
        world.give("ann", "rose", 1.0);
        world.show.rejoin(world.now);
        world.pass(ms(wait));
        world.show.set_status(world.now, status("gifts", 0.0));
        world.show.board().goal().unwrap().current
    };
    assert_eq!((after(4_000), after(6_000)), (11.0, 0.0));
}

/// How far the goal has come by what the backend is told, and how much of it waits.
fn reported(world: &mut World) -> (f64, f64) {
    let (goal, waiting) = world.show.report_goal(world.now).unwrap();
    (goal.current, waiting)
}

#[test]
fn the_backend_is_told_how_much_of_a_goal_has_no_outcome_yet() {
    for (kind, all) in [("gifts", 9.0), ("revenue", 34.5)] {
        let mut world = World::at_rate(30.0);
        world.show.set_status(world.now, status(kind, 0.0));
        world.control(Control::Pause);
        for value in [0.1, 0.2, 30.2] {
            world.give("ann", "rose", value);
        }
        for combo in 1..=4 {
            world.streak("bob", "heart", 1, combo);
        }
        let folded = world.give("bob", "heart", 0.0);
        world.give("cleo", "rocket", 0.0);
        let (current, waiting) = reported(&mut world);
        assert!((current - all).abs() < 1e-9, "{kind}: {current}");
        assert_eq!(current, waiting, "nobody has seen any of it");
        world.control(Control::Dismiss(folded));
        let (_, waiting) = reported(&mut world);
        assert!(waiting < current, "what is dismissed has its outcome");
        world.control(Control::Resume);
        world.play_out();
        assert_eq!(reported(&mut world), (current, 0.0));
    }
}

#[test]
fn whoever_takes_a_renderers_place_counts_each_gift_once() {
    let mut before = World::at_rate(30.0);
    before.show.set_status(before.now, status("gifts", 10.0));
    before.give("ann", "rose", 1.0);
    before.control(Control::Pause);
    for n in 0..5 {
        before.give(&format!("viewer {n}"), "rose", 1.0);
    }
    let (current, waiting) = reported(&mut before);
    assert_eq!((current, waiting), (16.0, 5.0));
    let mut after = World::at_rate(30.0);
    let told = status("gifts", current - waiting);
    after.show.set_status(after.now, told);
    for n in 0..5 {
        after.give(&format!("viewer {n}"), "rose", 1.0);
    }
    assert_eq!(reported(&mut after).0, current);
}

#[test]
fn a_status_that_repeats_what_was_reported_takes_no_gift_off_the_goal() {
    let mut world = World::at_rate(30.0);
    world.show.set_status(world.now, status("gifts", 10.0));
    world.give("ann", "rose", 1.0);
    let (told, _) = reported(&mut world);
    world.give("bob", "rose", 1.0);
    // Another telling before the host's word is back.
    world.pass(ms(1000));
    reported(&mut world);
    world.give("cleo", "rose", 1.0);
    let mut offline = status("gifts", told);
    offline.is_live = false;
    let mut renamed = status("gifts", told);
    renamed.goal.as_mut().unwrap().description = "a new table".into();
    for repeats in [offline, renamed.clone()] {
        world.show.set_status(world.now, repeats);
        assert_eq!(world.show.board().goal().unwrap().current, 13.0);
    }
    assert_eq!(
        world.show.board().goal().unwrap().description,
        renamed.goal.unwrap().description
    );
    // Any other figure is the host's, and so is the same of something else.
    let mut revenue = status("revenue", told);
    revenue.goal.as_mut().unwrap().description = "a new table".into();
    for set in [status("gifts", 9.0), status("gifts", told), revenue] {
        world.show.set_status(world.now, set.clone());
        assert_eq!(world.show.board().goal(), set.goal.as_ref());
    }
}

#[test]
fn a_figure_that_was_reported_long_ago_is_the_hosts_own() {
    let mut world = World::at_rate(30.0);
    world.show.set_status(world.now, status("gifts", 10.0));
    reported(&mut world);
    world.pass(ms(60_000));
    world.give("ann", "rose", 1.0);
    world.show.set_status(world.now, status("gifts", 10.0));
    let current = |world: &World| world.show.board().goal().unwrap().current;
    assert_eq!(current(&world), 11.0, "it was the latest");
    reported(&mut world);
    world.pass(ms(6_000));
    world.show.set_status(world.now, status("gifts", 10.0));
    assert_eq!(current(&world), 10.0);
}
