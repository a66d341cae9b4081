use super::world::{World, gift, ms};
use crate::model::{Control, Gift, Goal, StreamStatus};
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
    world.show.rejoin();
    world.show.set_status(world.now, status("gifts", 10.0));
    assert_eq!(current(&world), 11.0);
    // On a connection that stands it is the host's word.
    world.show.set_status(world.now, status("gifts", 10.0));
    assert_eq!(current(&world), 10.0);
    // So is another goal, and one that has come further.
    for told in [status("revenue", 3.0), status("revenue", 9.0)] {
        world.show.rejoin();
        world.show.set_status(world.now, told.clone());
        assert_eq!(world.show.board().goal(), told.goal.as_ref());
    }
}
