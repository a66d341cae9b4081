//! What the backend is told of each gift, and when.

use super::world::{Stage, gift, last, streak};
use crate::model::{Control, Gift};
use crate::session::ToStage;

#[test]
fn a_gift_is_played_once_the_frame_that_showed_it_is_over() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rose"));
    stage.only();
    assert!(stage.outcomes().is_empty(), "its frame is not drawn yet");
    stage.frame();
    assert_eq!(stage.verdicts(), ["1 Played"]);
    stage.pass(5.0);
    assert!(stage.acts().is_empty());
    assert_eq!(stage.verdicts(), ["1 Played"], "and it is said once");
}

#[test]
fn gifts_of_a_streak_are_told_apart_from_its_first() {
    let mut stage = Stage::new();
    // Within one frame, and after it was seen.
    stage.offer(streak("1", "rose", 1));
    stage.give(streak("2", "rose", 2));
    stage.frame();
    stage.give(streak("3", "rose", 3));
    stage.give(last("4", "rose", 4));
    stage.pass(5.0);
    assert_eq!(
        stage.verdicts(),
        [
            "1 Played",
            "2 JoinedStreak",
            "3 JoinedStreak",
            "4 JoinedStreak"
        ]
    );
}

#[test]
fn what_is_refused_is_told_in_the_same_frame() {
    let mut stage = Stage::new();
    stage.give(Gift {
        quantity: 0,
        ..gift("1", "ann", "rose")
    });
    assert_eq!(stage.verdicts(), ["1 Refused(Invalid)"]);
    assert!(stage.acts().is_empty());
}

#[test]
fn what_waits_when_the_stage_is_cleared_is_dismissed() {
    let mut stage = Stage::new();
    for user in ["ann", "ben", "cid", "dee"] {
        stage.offer(gift(user, user, "universe"));
    }
    stage.frames(2);
    assert_eq!(stage.verdicts(), ["ann Played"]);
    stage.control(Control::Clear);
    assert_eq!(
        stage.verdicts()[1..],
        ["ben Dismissed", "cid Dismissed", "dee Dismissed"]
    );
}

#[test]
fn what_is_cleared_before_it_could_start_was_not_played() {
    let mut stage = Stage::new();
    stage.offer(gift("1", "ann", "rocket"));
    stage.send(ToStage::Control(Control::Pause));
    stage.frame();
    assert!(stage.acts().is_empty());
    stage.control(Control::Clear);
    assert_eq!(stage.verdicts(), ["1 Dismissed"]);
}

#[test]
fn every_gift_of_a_busy_stream_has_one_outcome() {
    let mut stage = Stage::new();
    let types = ["rose", "rocket", "universe", "teapot"];
    for n in 0..600_u32 {
        let user = format!("user-{}", n % 37);
        let id = n.to_string();
        stage.offer(Gift {
            is_streak: n % 3 != 0,
            combo_count: n % 5,
            ..gift(&id, &user, types[n as usize % types.len()])
        });
        if n % 4 == 0 {
            stage.frame();
        }
        if n % 150 == 149 {
            stage.control(Control::Skip);
        }
    }
    stage.pass(2000.0);
    assert!(stage.show().is_idle());
    let mut told: Vec<u32> = stage
        .outcomes()
        .iter()
        .map(|outcome| outcome.gift.parse().expect("ids are numbers"))
        .collect();
    told.sort_unstable();
    assert_eq!(told, (0..600).collect::<Vec<_>>());
}
