//! What a host does to a stage while it plays.

use std::time::Duration;

use bevy::prelude::*;

use super::world::{FRAME_SECONDS, Stage, gift, lasting, streak};
use crate::model::Control;
use crate::session::ToStage;
use crate::stage::{Muted, Paused, Volume};

#[test]
fn a_dismissed_act_is_gone_within_300_ms() {
    for frames_per_second in [30, 60, 144] {
        let mut stage = Stage::new();
        let frame = Duration::from_secs(1) / frames_per_second;
        stage.pace(frame);
        stage.give(gift("1", "ann", "rocket"));
        stage.frames(20);
        let act = stage.only();
        let before = stage.resource::<Time<Real>>().elapsed();
        stage.control(Control::Skip);
        let mut presence = stage.act(act).presence();
        while stage.acts() == [act] {
            assert!(stage.act(act).presence() <= presence, "it only fades");
            presence = stage.act(act).presence();
            stage.frame();
        }
        assert!(presence < 0.2, "it pops out at {presence}");
        let took = stage.resource::<Time<Real>>().elapsed() - before;
        assert!(took <= Duration::from_millis(300), "{took:?}");
    }
}

#[test]
fn a_dismissal_hastens_an_act_that_is_leaving_anyway() {
    let mut stage = Stage::new();
    stage.give(lasting(2.5, gift("1", "ann", "rocket")));
    let act = stage.only();
    stage.pass(2.2);
    let before = stage.act(act).presence();
    assert!((0.5..0.9).contains(&before), "it leaves: {before}");
    stage.control(Control::Skip);
    let after = stage.act(act).presence();
    assert!((before - after).abs() < 0.05, "no jump: {before}, {after}");
    stage.pass(0.23);
    assert!(stage.acts().is_empty());
}

#[test]
fn dismissing_twice_takes_no_longer_than_once() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    stage.pass(0.5);
    stage.control(Control::Clear);
    stage.pass(0.2);
    stage.control(Control::Clear);
    stage.pass(0.05);
    assert!(stage.acts().is_empty());
    assert_eq!(stage.verdicts(), ["1 Played"]);
}

#[test]
fn an_act_dismissed_in_the_frame_after_its_own_goes_too() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rocket", 1));
    stage.control(Control::Clear);
    stage.pass(0.3);
    assert!(stage.acts().is_empty());
}

#[test]
fn a_pause_stops_every_clock_and_no_time_is_lost() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    stage.give(lasting(2.5, gift("2", "ben", "rocket")));
    stage.pass(2.25);
    stage.control(Control::Pause);
    assert_eq!(*stage.resource::<Paused>(), Paused(true));
    let clocks = |stage: &mut Stage| {
        let acts = stage.acts();
        let clock = |act| {
            let act = stage.act(act);
            (act.age, act.elapsed, act.presence())
        };
        acts.into_iter().map(clock).collect::<Vec<_>>()
    };
    let before = clocks(&mut stage);
    assert!(before[1].2 < 1.0, "one of them is leaving");
    stage.pass(100.0);
    assert_eq!(clocks(&mut stage), before);
    stage.control(Control::Resume);
    assert_eq!(*stage.resource::<Paused>(), Paused(false));
    assert_eq!(clocks(&mut stage), before);
    stage.frame();
    assert_eq!(clocks(&mut stage)[0].0, before[0].0 + FRAME_SECONDS);
    stage.pass(4.3);
    assert!(stage.acts().is_empty());
}

#[test]
fn nothing_starts_on_a_paused_stage() {
    let mut stage = Stage::new();
    stage.control(Control::Pause);
    stage.give(gift("1", "ann", "rose"));
    stage.pass(5.0);
    assert!(stage.acts().is_empty());
    assert!(stage.outcomes().is_empty());
    stage.control(Control::Resume);
    stage.frames(2);
    assert_eq!(stage.verdicts(), ["1 Played"]);
}

#[test]
fn a_paused_stage_can_be_cleared() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    stage.give(gift("2", "ben", "rose"));
    stage.pass(0.5);
    stage.control(Control::Pause);
    stage.control(Control::Clear);
    stage.pass(0.3);
    assert!(stage.acts().is_empty());
}

#[test]
fn mute_and_volume_reach_whoever_makes_the_sound() {
    let mut stage = Stage::new();
    assert_eq!(*stage.resource::<Volume>(), Volume(1.0));
    stage.send(ToStage::Control(Control::Mute(true)));
    stage.send(ToStage::Control(Control::Volume(0.25)));
    stage.frame();
    assert_eq!(*stage.resource::<Muted>(), Muted(true));
    assert_eq!(*stage.resource::<Volume>(), Volume(0.25));
}

#[test]
fn do_not_disturb_collects_and_ends_in_one_recap() {
    let mut stage = Stage::new();
    stage.control(Control::DoNotDisturb(true));
    for user in ["ann", "ben", "cid"] {
        stage.give(gift(user, user, "rose"));
    }
    stage.pass(5.0);
    assert!(stage.acts().is_empty());
    assert!(stage.outcomes().is_empty(), "nobody has seen them yet");
    stage.control(Control::DoNotDisturb(false));
    let recap = stage.only();
    assert_eq!(stage.act(recap).tally.quantity, 3);
    assert!(stage.outcomes().is_empty());
    stage.frame();
    assert_eq!(
        stage.verdicts(),
        ["ann JoinedBundle", "ben JoinedBundle", "cid JoinedBundle"]
    );
    stage.pass(5.0);
    assert_eq!(stage.outcomes().len(), 3);
    assert_eq!(stage.started(), 1);
}

#[test]
fn a_test_gift_plays_without_a_link_and_counts_nowhere() {
    let mut stage = Stage::unlinked();
    stage.control(Control::Test {
        gift_type: "rocket".into(),
        quantity: 1,
    });
    let act = stage.only();
    assert_eq!(&*stage.act(act).title, "Rocket");
    stage.pass(6.0);
    assert!(stage.acts().is_empty());
    assert_eq!(stage.show().offered(), 0);
    assert_eq!(stage.show().outcomes().total(), 0);
}
