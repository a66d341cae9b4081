//! The stage's end of the link, with a network thread that is slow, busy or
//! gone.

use std::collections::HashSet;

use super::world::{Stage, gift};
use crate::model::{Control, Goal, SessionConfig, StreamStatus};
use crate::net::{FROM_STAGE_CAPACITY, TO_STAGE_CAPACITY};
use crate::session::{ConnectionState, ToStage};
use crate::stage::{Connected, StageLink};

/// Gifts that are collected, so that one command decides them all.
fn collecting(count: usize) -> Stage {
    let mut stage = Stage::new();
    stage.control(Control::DoNotDisturb(true));
    for n in 0..count {
        stage.offer(gift(&n.to_string(), "ann", "rose"));
    }
    stage
}

#[test]
fn a_frame_takes_in_no_more_than_the_link_holds() {
    let count = 2 * TO_STAGE_CAPACITY + 100;
    let mut stage = collecting(count);
    for taken in [TO_STAGE_CAPACITY, 2 * TO_STAGE_CAPACITY, count] {
        stage.frame();
        assert_eq!(stage.show().offered(), taken as u64);
    }
}

#[test]
fn outcomes_that_find_the_channel_full_are_told_later_and_once() {
    let count = FROM_STAGE_CAPACITY + 5_000;
    let mut stage = collecting(count);
    stage.frames(count / TO_STAGE_CAPACITY + 1);
    assert_eq!(stage.show().offered(), count as u64);
    stage.control(Control::Clear);
    assert!(!stage.resource::<StageLink>().is_flushed());
    assert_eq!(stage.outcomes().len(), FROM_STAGE_CAPACITY);
    stage.frame();
    assert!(stage.resource::<StageLink>().is_flushed());
    stage.frames(3);
    let told = stage.outcomes();
    assert_eq!(told.len(), count);
    let ids: HashSet<_> = told.iter().map(|outcome| &outcome.gift).collect();
    assert_eq!(ids.len(), count);
}

#[test]
fn while_too_many_outcomes_wait_no_gifts_are_taken_in() {
    let count = 2 * FROM_STAGE_CAPACITY;
    let mut stage = collecting(count);
    stage.frames(count / TO_STAGE_CAPACITY);
    stage.control(Control::Clear);
    stage.give(gift("one more", "ann", "rose"));
    assert_eq!(stage.show().offered(), count as u64);
    assert_eq!(stage.outcomes().len(), FROM_STAGE_CAPACITY);
    stage.frames(2);
    assert_eq!(stage.show().offered(), count as u64 + 1);
    assert_eq!(stage.outcomes().len(), count);
}

#[test]
fn a_network_thread_that_has_ended_leaves_nothing_to_tell() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rose"));
    stage.far.take().expect("it has a far end").end();
    let ended = |stage: &Stage| {
        let link = stage.resource::<StageLink>().link.as_ref();
        link.is_some_and(crate::net::Link::is_finished)
    };
    while !ended(&stage) {
        std::thread::yield_now();
    }
    stage.pass(5.0);
    assert!(stage.acts().is_empty(), "what was on stage plays out");
    assert!(stage.resource::<StageLink>().is_flushed());
}

#[test]
fn a_link_that_was_taken_back_is_told_no_more() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rose"));
    let link = stage.app.world_mut().resource_mut::<StageLink>().take();
    assert!(link.is_some());
    stage.pass(5.0);
    assert!(stage.outcomes().is_empty());
    assert!(stage.resource::<StageLink>().is_flushed());
}

#[test]
fn what_the_backend_grants_and_says_reaches_the_show() {
    let mut stage = Stage::new();
    assert_eq!(*stage.resource::<Connected>(), Connected(None));
    stage.send(ToStage::Connection(ConnectionState::Online));
    stage.send(ToStage::Config(SessionConfig {
        max_gifts_per_second: 1.0,
        ..SessionConfig::default()
    }));
    let goal = Goal {
        kind: "gifts".into(),
        target: 10.0,
        current: 3.0,
        description: "a cake".into(),
    };
    stage.send(ToStage::Status(StreamStatus {
        goal: Some(goal),
        ..StreamStatus::default()
    }));
    for user in ["ann", "ben", "cid"] {
        stage.offer(gift(user, user, "rose"));
    }
    stage.frame();
    assert_eq!(
        *stage.resource::<Connected>(),
        Connected(Some(ConnectionState::Online))
    );
    let current = stage.show().board().goal().map(|goal| goal.current);
    assert_eq!(current, Some(6.0), "three before, and three since");
    assert_eq!(stage.acts().len(), 1, "one may start a second");
    stage.pass(1.1);
    assert_eq!(stage.acts().len(), 2);
}
