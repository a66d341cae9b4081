//! Acts whose assets cannot be used.

use bevy::prelude::*;

use super::world::{Stage, Told, gift, lasting, streak};
use crate::model::Control;
use crate::stage::{AssetFailed, CardFailure};

impl Stage {
    fn fail(&mut self, entity: Entity, reason: &str) {
        let world = self.app.world_mut();
        world.trigger(AssetFailed {
            entity,
            reason: reason.into(),
        });
        world.flush();
    }
}

#[test]
fn a_failed_act_begins_again_as_the_fallback_and_its_gift_was_played() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    stage.pass(1.5);
    stage.fail(act, "rocket.glb is cut short");
    assert_eq!(stage.told(act), [Told::FellBack]);
    let played = stage.act(act);
    assert_eq!(&*played.recipe.key, "fallback");
    assert_eq!(&*played.title, "Rocket", "it is still what was given");
    assert_eq!(played.age, 0.0);
    stage.pass(1.95);
    assert_eq!(stage.only(), act, "the fallback has all of its two seconds");
    stage.pass(0.1);
    assert!(stage.acts().is_empty());
    assert_eq!(stage.verdicts(), ["1 Played"]);
}

#[test]
fn a_failure_before_the_first_frame_is_over_is_still_an_honest_play() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    stage.fail(act, "no such file");
    assert!(stage.outcomes().is_empty());
    stage.frame();
    assert_eq!(stage.verdicts(), ["1 Played"]);
}

#[test]
fn the_fallback_is_not_cut_to_the_length_of_what_failed() {
    let mut stage = Stage::new();
    stage.give(lasting(2.5, gift("1", "ann", "rocket")));
    let act = stage.only();
    stage.pass(1.0);
    stage.fail(act, "no such file");
    stage.pass(1.9);
    assert_eq!(stage.only(), act);
    assert_eq!(stage.act(act).presence(), 1.0);
}

#[test]
fn a_streak_goes_on_as_the_fallback() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rocket", 1));
    let act = stage.only();
    stage.fail(act, "no such file");
    stage.pass(1.5);
    stage.give(streak("2", "rocket", 2));
    assert_eq!(stage.only(), act);
    assert!(stage.act(act).is_sustained());
    assert_eq!(stage.verdicts(), ["1 Played", "2 JoinedStreak"]);
}

#[test]
fn when_the_fallback_fails_too_the_backend_hears_why() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    stage.fail(act, "no such file");
    stage.fail(act, "nothing can be drawn");
    assert!(stage.acts().is_empty());
    stage.frames(3);
    assert_eq!(stage.verdicts(), ["1 Failed(\"nothing can be drawn\")"]);
    // Its place is free again.
    for user in ["ben", "cid", "dee"] {
        stage.give(gift(user, user, "rocket"));
    }
    assert_eq!(stage.acts().len(), 3);
}

#[test]
fn what_has_been_seen_stays_played_when_the_fallback_fails_later() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "teapot"));
    let act = stage.only();
    stage.pass(0.5);
    stage.fail(act, "the device was lost");
    assert!(stage.acts().is_empty());
    stage.pass(5.0);
    assert_eq!(stage.verdicts(), ["1 Played"]);
    assert!(stage.show().is_idle());
}

#[test]
fn an_act_on_its_way_out_is_not_begun_again() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    stage.pass(0.5);
    stage.control(Control::Skip);
    stage.fail(act, "no such file");
    assert_eq!(stage.told(act), []);
    assert_eq!(&*stage.act(act).recipe.key, "rocket");
    stage.pass(0.3);
    assert!(stage.acts().is_empty());
}

#[test]
fn a_failure_that_comes_after_its_act_is_nobodys() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    stage.pass(6.0);
    stage.fail(act, "too late");
    stage.frames(2);
    assert_eq!(stage.verdicts(), ["1 Played"]);
}

#[test]
fn what_a_card_that_has_failed_did_not_draw_is_nobodys_play() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    stage.only();
    let card = stage.app.world().resource::<CardFailure>();
    assert!(card.note("it is lost".into()), "the first is the cause");
    assert!(!card.note("so nothing is drawn".into()));
    stage.give(streak("2", "rose", 2));
    stage.frames(3);
    assert!(stage.outcomes().is_empty(), "they are sent again");
}
