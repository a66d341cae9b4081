//! An act's life: it appears, grows, climaxes and takes the time it should.

use std::sync::Arc;
use std::time::Duration;

use super::world::{FRAME_SECONDS, Stage, Told, gift, last, lasting, streak};
use crate::catalog::Lane;
use crate::model::Gift;
use crate::show::Senders;
use crate::stage::Director;

/// Times on stage are whole frames: one for the frame that an act appears in,
/// one for that in which it is found to be over.
const SLACK: f32 = 2.0 * FRAME_SECONDS;

/// Plays one gift to its end and says for how many seconds it was on stage.
fn life(gift: Gift) -> f32 {
    let mut stage = Stage::new();
    stage.give(gift);
    stage.pass(70.0);
    let lives = stage.lives();
    assert_eq!(lives.len(), 1, "one act came and went");
    lives[0]
}

fn assert_lasts(seconds: f32, expected: f32) {
    assert!(
        (seconds - expected).abs() <= SLACK,
        "{seconds} s on stage instead of {expected} s"
    );
}

#[test]
fn an_act_appears_in_the_frame_that_takes_its_gift_in() {
    let mut stage = Stage::new();
    assert!(stage.acts().is_empty());
    stage.give(gift("1", "ann", "rocket"));
    let act = stage.only();
    let act = stage.act(act);
    assert_eq!(&*act.title, "Rocket");
    assert_eq!((act.lane, act.slot), (Lane::Feature, 0));
    assert_eq!((act.tally.quantity, act.streak), (1, false));
    assert!(matches!(&act.by, Senders::One { name, .. } if &*name.0 == "ann"));
    assert_eq!((act.age, act.elapsed), (0.0, 0.0));
}

#[test]
fn a_gift_that_no_recipe_knows_is_called_what_it_is() {
    let mut stage = Stage::new();
    stage.give(gift("1", "ann", "teapot"));
    let act = stage.only();
    assert_eq!(&*stage.act(act).title, "teapot");
    assert_eq!(&*stage.act(act).recipe.key, "fallback");
}

#[test]
fn an_act_lasts_as_long_as_its_recipe_and_then_goes() {
    assert_lasts(life(gift("1", "ann", "rocket")), 5.0);
}

#[test]
fn a_gift_of_its_streak_makes_an_act_grow_where_it_is() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    stage.pass(0.5);
    let age = stage.act(act).age;
    stage.give(streak("2", "rose", 2));
    assert_eq!(stage.only(), act, "it is the same act");
    assert_eq!(stage.act(act).age, age + FRAME_SECONDS, "it goes on");
    assert_eq!(stage.act(act).tally.quantity, 2);
    assert_eq!(stage.act(act).tally.combo, 2);
    assert_eq!(stage.told(act), [Told::Grew { combo: None }]);
}

#[test]
fn a_combo_is_told_with_the_growth_that_reached_it() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    for combo in 2..=6 {
        stage.give(streak(&combo.to_string(), "rose", combo));
    }
    let combos: Vec<_> = stage.told(act);
    let grew = |combo| Told::Grew { combo };
    assert_eq!(
        combos,
        [
            grew(None),
            grew(None),
            grew(None),
            grew(Some(5)),
            grew(None)
        ]
    );
}

#[test]
fn gifts_that_one_frame_takes_in_grow_an_act_once() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    for combo in 2..=12 {
        stage.offer(streak(&combo.to_string(), "rose", combo));
    }
    stage.frame();
    assert_eq!(stage.told(act), [Told::Grew { combo: Some(10) }]);
    assert_eq!(stage.act(act).tally.quantity, 12);
    assert!(stage.act(act).intensity() > 2.0);
}

#[test]
fn a_fast_streak_never_makes_its_picture_flash() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    // Sixteen more within a second, across two milestones.
    for combo in 2..=17 {
        stage.give(streak(&combo.to_string(), "rose", combo));
        stage.frames(3);
    }
    assert_eq!(stage.told(act).len(), 16, "the counter climbs with each");
    stage.pass(2.0);
    // The first at once, the others together, and the last is not forgotten.
    assert_eq!(stage.swelled(), [(None, 0.0), (Some(10), 0.5), (None, 1.0)]);
}

#[test]
fn an_open_streak_waits_at_its_sustain_point_and_ends_with_its_finale() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    stage.pass(2.5);
    assert!(stage.act(act).is_sustained());
    assert_eq!(stage.act(act).age, 2.0);
    stage.give(last("2", "rose", 2));
    assert_eq!(
        stage.told(act),
        [Told::Grew { combo: None }, Told::Climaxed]
    );
    assert!(!stage.act(act).is_sustained());
    stage.pass(0.9);
    assert_eq!(stage.only(), act, "the finale plays out");
    assert_eq!(stage.act(act).presence(), 1.0);
    stage.pass(0.2);
    assert!(stage.acts().is_empty());
}

#[test]
fn a_streak_that_falls_silent_has_its_finale_too() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    stage.pass(2.9);
    assert_eq!(stage.told(act), []);
    stage.pass(0.2);
    assert_eq!(stage.told(act), [Told::Climaxed]);
}

#[test]
fn a_wish_for_length_does_not_hold_up_a_streaks_finale() {
    let mut stage = Stage::new();
    stage.give(lasting(60.0, streak("1", "rose", 1)));
    let act = stage.only();
    stage.pass(2.5);
    assert!(stage.act(act).is_sustained());
    stage.give(lasting(60.0, last("2", "rose", 2)));
    stage.pass(1.1);
    assert!(stage.acts().is_empty(), "a second was left of the timeline");
}

#[test]
fn an_open_streak_whose_sustain_point_is_the_very_end_stays() {
    // The climax of such a recipe is its end.
    let mut stage = Stage::new();
    let mut director = stage.app.world_mut().resource_mut::<Director>();
    let mut catalog = (*director.catalog).clone();
    let rose = catalog.gifts.get_mut("rose").expect("it has roses");
    Arc::make_mut(rose).sustain = 3.0;
    director.set_catalog(Duration::ZERO, catalog.into());
    stage.give(streak("1", "rose", 1));
    let act = stage.only();
    for combo in 2..6 {
        stage.pass(2.0);
        stage.give(streak(&combo.to_string(), "rose", combo));
    }
    assert_eq!(stage.only(), act);
    stage.give(last("9", "rose", 6));
    stage.frames(2);
    assert!(stage.acts().is_empty());
}

#[test]
fn a_long_streak_goes_on_as_a_small_counter() {
    let mut stage = Stage::new();
    stage.give(streak("1", "rocket", 1));
    let act = stage.only();
    for combo in 2..12 {
        stage.pass(2.0);
        stage.give(streak(&combo.to_string(), "rocket", combo));
    }
    assert_eq!(stage.only(), act);
    assert!(stage.told(act).contains(&Told::Shrank));
    assert!(stage.act(act).shrunk);
    assert_eq!(stage.act(act).lane, Lane::Ambient);
    // Its place in the scarce lane is another's.
    for user in ["ben", "cid", "dee"] {
        stage.give(gift(user, user, "rocket"));
    }
    assert_eq!(stage.acts().len(), 4);
}

#[test]
fn a_wished_length_stretches_the_timeline() {
    let mut stage = Stage::new();
    stage.give(lasting(7.5, gift("1", "ann", "rocket")));
    let act = stage.only();
    stage.pass(0.75);
    assert!((stage.act(act).age - 0.5).abs() < 1e-3);
    stage.pass(4.75);
    assert_eq!(stage.act(act).presence(), 1.0, "nothing is cut off");
    stage.pass(2.5);
    assert_lasts(stage.lives()[0], 7.5);
}

#[test]
fn beyond_half_speed_a_wished_length_is_spent_at_the_sustain_point() {
    let mut stage = Stage::new();
    stage.give(lasting(20.0, gift("1", "ann", "rocket")));
    let act = stage.only();
    // One second of timeline at half speed, then ten of waiting.
    for seconds in [2.5, 5.0, 4.0] {
        stage.pass(seconds);
        assert_eq!(stage.act(act).age, 1.0);
    }
    stage.pass(3.5);
    assert!((stage.act(act).age - 2.5).abs() < 0.02);
    stage.pass(5.5);
    assert_lasts(stage.lives()[0], 20.0);
}

#[test]
fn a_wish_for_the_longest_length_is_kept_to_the_frame() {
    assert_lasts(life(lasting(60.0, gift("1", "ann", "rose"))), 60.0);
}

#[test]
fn a_short_wish_hastens_the_timeline_and_cuts_nothing_off() {
    let mut stage = Stage::new();
    stage.give(lasting(1.5, gift("1", "ann", "rose")));
    let act = stage.only();
    for _ in 0..95 {
        assert_eq!(stage.act(act).presence(), 1.0);
        stage.frame();
    }
    assert!(stage.act(act).age > 2.9);
    stage.pass(0.1);
    assert_lasts(stage.lives()[0], 1.5);
}

/// What fills the stage would flash if it moved twice as fast.
#[test]
fn a_large_gift_is_hastened_by_a_quarter_at_most() {
    let mut stage = Stage::new();
    stage.give(lasting(2.5, gift("1", "ann", "rocket")));
    let act = stage.only();
    stage.pass(2.0);
    let age = stage.act(act).age;
    assert!((2.4..2.6).contains(&age), "{age}");
    stage.pass(0.6);
    assert_lasts(stage.lives()[0], 2.5);
}

#[test]
fn a_wish_too_short_for_the_timeline_fades_out_in_time() {
    let mut stage = Stage::new();
    stage.give(lasting(2.5, gift("1", "ann", "rocket")));
    let act = stage.only();
    let mut before = 1.0;
    let mut faded = 0;
    while stage.acts() == [act] {
        let presence = stage.act(act).presence();
        assert!(
            (0.0..=0.05).contains(&(before - presence)),
            "from {before} to {presence}"
        );
        faded += usize::from(presence < 1.0);
        before = presence;
        stage.frame();
    }
    assert!(before < 0.1, "it pops out at {before}");
    assert!((20..30).contains(&faded), "{faded} frames of fading");
    assert_lasts(stage.lives()[0], 2.5);
}

#[test]
fn a_wish_that_would_make_the_stage_flash_is_raised() {
    assert_lasts(life(lasting(0.1, gift("1", "ann", "rocket"))), 2.5);
    assert_lasts(life(lasting(0.1, gift("1", "ann", "rose"))), 0.5);
}

#[test]
fn load_shortens_ambient_acts() {
    let mut stage = Stage::new();
    for user in 0..400 {
        let user = format!("user-{user}");
        stage.offer(gift(&user, &user, "rose"));
    }
    stage.pass(30.0);
    assert!(stage.acts().is_empty());
    let lives = stage.lives();
    let shortest = lives.iter().copied().fold(f32::INFINITY, f32::min);
    assert_lasts(shortest, 3.0 * 0.4);
    let last = lives.last().expect("acts have gone");
    assert!(
        *last > 2.5,
        "without a backlog the last has its time: {last}"
    );
}

#[test]
fn the_acts_of_one_run_differ_and_those_of_two_do_not() {
    let seeds = || {
        let mut stage = Stage::new();
        for user in ["ann", "ben", "cid"] {
            stage.give(gift(user, user, "rose"));
        }
        let acts = stage.acts();
        acts.iter()
            .map(|act| stage.act(*act).seed)
            .collect::<Vec<_>>()
    };
    let first = seeds();
    assert!(first[0] != first[1] && first[1] != first[2]);
    assert_eq!(first, seeds());
}

#[test]
fn nothing_of_an_act_is_left_behind() {
    let mut stage = Stage::new();
    let count = |stage: &Stage| stage.app.world().entities().count_spawned();
    let before = count(&stage);
    stage.give(streak("1", "rose", 1));
    stage.give(gift("2", "ben", "rocket"));
    stage.pass(10.0);
    assert_eq!(count(&stage), before);
    let director = stage.resource::<Director>();
    assert!(director.is_bare() && director.is_idle());
}
