//! What a stage says of itself, and when it keeps silent.

use std::time::Duration;

use super::world::{Stage, gift};
use crate::model::{Control, SessionConfig, Telemetry};
use crate::session::{ConnectionState, ToStage};
use crate::stage::{Metrics, Reports};

/// A stage whose backend wants to know.
fn asked() -> Stage {
    let stage = Stage::new();
    stage.far.as_ref().unwrap().want_telemetry(1);
    stage
}

fn one(stage: &mut Stage) -> Telemetry {
    let mut told = stage.told_of_itself();
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

#[test]
fn nobody_is_told_who_did_not_ask() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    stage.pass(10.0);
    assert!(stage.told_of_itself().is_empty());
    assert_eq!(stage.resource::<Reports>().next_wake(), None);
    let mut alone = Stage::unlinked();
    alone.pass(1.0);
    assert_eq!(alone.resource::<Reports>().next_wake(), None);
}

#[test]
fn a_playing_stage_tells_once_a_second_and_a_resting_one_keeps_silent() {
    let mut stage = asked();
    stage.frame();
    let first = one(&mut stage);
    assert_eq!((first.fps, first.lanes.feature), (0.0, 0));
    stage.offer(gift("1", "ann", "rocket"));
    stage.pass(4.5);
    let told = stage.told_of_itself();
    assert_eq!(told.len(), 4, "once a second");
    assert_eq!(told[3].lanes.feature, 1);
    assert!((63.0..=65.0).contains(&told[3].fps), "{}", told[3].fps);
    assert_eq!(told[3].outcomes.played, 1);
    stage.pass(2.0);
    let last = stage
        .told_of_itself()
        .pop()
        .expect("that the stage is empty");
    assert_eq!((last.lanes.feature, last.fps), (0, 0.0));
    assert_eq!(stage.resource::<Reports>().next_wake(), None);
    stage.pass(60.0);
    assert!(stage.told_of_itself().is_empty(), "nothing has changed");
}

#[test]
fn what_changes_in_between_wakes_the_stage_once() {
    let mut stage = asked();
    stage.frame();
    stage.told_of_itself();
    stage.control(Control::Pause);
    assert!(stage.told_of_itself().is_empty(), "within the second");
    let wake = stage.resource::<Reports>().next_wake().expect("to be told");
    stage.pass(1.0);
    assert!(one(&mut stage).is_paused);
    let now = stage.resource::<bevy::prelude::Time<bevy::prelude::Real>>();
    assert!(wake <= now.elapsed());
    assert_eq!(stage.resource::<Reports>().next_wake(), None);
}

#[test]
fn a_new_connection_is_told_at_once() {
    let mut stage = asked();
    stage.frame();
    stage.told_of_itself();
    stage.far.as_ref().unwrap().want_telemetry(2);
    stage.send(ToStage::Connection(ConnectionState::Online));
    stage.send(ToStage::Config(SessionConfig::default()));
    stage.frame();
    one(&mut stage);
}

#[test]
fn it_tells_who_waits_and_what_is_held_before_anything_else() {
    let mut stage = asked();
    stage.control(Control::Pause);
    for n in 0..150 {
        stage.offer(gift(&format!("{n}"), &format!("user {n}"), "rose"));
    }
    stage.frame();
    stage.send(ToStage::Control(Control::Hold("149".into())));
    stage.pass(3.0);
    let told = stage.told_of_itself().pop().expect("news");
    assert_eq!((told.waiting, told.first_waiting.len()), (150, 100));
    let first = &told.first_waiting[0];
    assert_eq!(
        (&*first.gift, &*first.sender.0, first.people),
        ("0", "user 0", 1)
    );
    assert_eq!(
        (&*first.gift_type, first.quantity, first.is_held),
        ("rose", 1, false)
    );
    assert!(
        (0.9..3.1).contains(&first.waited.as_secs_f32()),
        "{:?}",
        first.waited
    );
    let last = &told.first_waiting[99];
    assert!(last.is_held && &*last.gift == "149");
}

#[test]
fn it_tells_how_long_frames_took_and_gifts_waited() {
    let mut stage = asked();
    stage.frame();
    stage.told_of_itself();
    stage.control(Control::Pause);
    stage.give(gift("1", "ann", "rocket"));
    stage.pass(2.0);
    stage.control(Control::Resume);
    for ms in 1..=20 {
        let mut metrics = stage.app.world_mut().resource_mut::<Metrics>();
        metrics.frame.push(Duration::from_millis(ms));
    }
    stage.pass(2.0);
    let told = stage.told_of_itself();
    let frames = told.iter().find(|told| !told.frame_time.p95.is_zero());
    let frames = frames.expect("frames were measured").frame_time;
    assert_eq!(frames.p50, Duration::from_millis(10));
    assert_eq!(frames.p95, Duration::from_millis(19));
    let last = told.last().unwrap();
    assert!(last.frame_time.p95.is_zero(), "they were told before");
    assert!((2.0..2.2).contains(&last.wait_time.p50.as_secs_f32()));
    // A test gift waits for nobody.
    stage.control(Control::Test {
        gift_type: "rose".into(),
        quantity: 1,
    });
    stage.pass(2.0);
    let told = stage.told_of_itself().pop().unwrap();
    assert!(told.wait_time.p50.as_secs_f32() >= 2.0);
}
