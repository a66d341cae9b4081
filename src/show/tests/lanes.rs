use std::time::Duration;

use super::world::{World, gift, ms};
use crate::catalog::Lane;
use crate::model::Control;
use crate::show::{LANES, ShowSettings, head_start};

#[test]
fn a_headline_has_the_middle_and_two_features_beside_it() {
    let mut world = World::at_rate(30.0);
    for n in 0..3 {
        world.give(&format!("whale {n}"), "universe", 5000.0);
    }
    for n in 0..5 {
        world.give(&format!("viewer {n}"), "rocket", 500.0);
    }
    assert_eq!(world.playing(Lane::Headline), 1);
    assert_eq!(world.playing(Lane::Feature), 2);
    assert_eq!(world.show.waiting(), 5);
    world.pass(ms(6000));
    assert_eq!(
        world.playing(Lane::Headline),
        1,
        "the next one takes the place"
    );
    assert_eq!(world.playing(Lane::Feature), 2);
}

#[test]
fn three_features_play_at_once_and_play_on_when_a_headline_comes() {
    let mut world = World::at_rate(30.0);
    for n in 0..5 {
        world.give(&format!("viewer {n}"), "rocket", 500.0);
    }
    assert_eq!(world.playing(Lane::Feature), 3);
    world.give("whale", "universe", 5000.0);
    assert_eq!(world.playing(Lane::Headline), 1);
    assert_eq!(world.playing(Lane::Feature), 3);
    let places: Vec<_> = world.starts.iter().map(|(_, start)| start.slot).collect();
    assert_eq!(places, [0, 1, 2, 0]);
    world.play_out();
    let beside = world.starts[4..].iter().map(|(_, start)| start.slot);
    assert!(beside.clone().all(|slot| slot < 2) && beside.len() == 2);
}

#[test]
fn ambient_places_follow_the_rate_between_12_and_60() {
    let mut world = World::at_rate(2.0);
    assert_eq!(world.show.places(Lane::Ambient), 12);
    world.show.set_rate(world.now, 10.0);
    assert_eq!(world.show.places(Lane::Ambient), 30);
    world.show.set_rate(world.now, 30.0);
    assert_eq!(world.show.places(Lane::Ambient), 60);
}

#[test]
fn ambient_places_learn_how_long_acts_last() {
    let mut world = World::at_rate(10.0);
    for n in 0..300 {
        let mut long = gift("", &format!("viewer {n}"), "rose", 1.0);
        long.animation.duration = Some(ms(5000));
        world.offer(long);
        world.pass(ms(500));
    }
    assert_eq!(world.show.places(Lane::Ambient), 50);
}

#[test]
fn an_act_takes_the_lowest_free_slot_of_its_lane() {
    let mut world = World::at_rate(30.0);
    for n in 0..3 {
        let mut rose = gift("", &format!("viewer {n}"), "rose", 1.0);
        rose.animation.duration = Some(ms(if n == 1 { 500 } else { 5000 }));
        world.offer(rose);
    }
    world.pass(ms(600));
    world.give("late", "rose", 1.0);
    let slots: Vec<_> = world.starts.iter().map(|(_, start)| start.slot).collect();
    assert_eq!(slots, [0, 1, 2, 1]);
}

#[test]
fn dearer_gifts_go_first_and_equals_in_order_of_arrival() {
    let mut world = World::at_rate(1.0);
    world.control(Control::Pause);
    for (user, value) in [("a", 1.0), ("b", 5.0), ("c", 1.0), ("d", 50.0)] {
        world.give(user, "rose", value);
        world.pass(ms(1));
    }
    world.control(Control::Resume);
    world.play_out();
    let values: Vec<_> = world
        .starts
        .iter()
        .map(|(_, start)| start.tally.value)
        .collect();
    assert_eq!(values, [50.0, 5.0, 1.0, 1.0]);
    let equals: Vec<_> = world.starts[2..]
        .iter()
        .map(|(_, start)| start.by.clone())
        .collect();
    assert_eq!(format!("{equals:?}").matches("One").count(), 2);
    assert_eq!(world.outcomes[2].gift, "g0".into());
    assert_eq!(world.outcomes[3].gift, "g2".into());
}

#[test]
fn a_cheap_gift_is_overtaken_for_less_than_a_minute_however_dear_the_others() {
    let mut world = World::new(ShowSettings {
        rate: 1.0,
        bundle_after: Duration::from_secs(10_000),
        ..ShowSettings::default()
    });
    // Twice as many dear gifts arrive as can start, for ever.
    for n in 0..10 {
        world.offer_quietly(gift("", &format!("early {n}"), "rose", 1e9));
    }
    let cheap = world.offer_quietly(gift("", "poor", "rose", 1.0));
    let mut second = 0;
    while world.verdict(&cheap).is_none() {
        for n in 0..2 {
            world.offer_quietly(gift("", &format!("rich {second} {n}"), "rose", 1e9));
        }
        world.pass(ms(1000));
        second += 1;
        assert!(second < 130, "it starves");
    }
    // 10 were before it and those of under 60 seconds may overtake it.
    assert!(second > 20, "value counts for something");
}

#[test]
fn the_head_start_rises_with_value_and_stays_below_a_minute() {
    let values = [0.0, 1.0, 2.0, 10.0, 1e3, 1e6, 1e12, f64::MAX];
    let starts: Vec<_> = values.into_iter().map(head_start).collect();
    assert!(starts.is_sorted_by(|a, b| a < b), "{starts:?}");
    assert!(starts.iter().all(|start| *start < Duration::from_secs(60)));
}

#[test]
fn a_headline_never_waits_behind_ambient() {
    let mut world = World::at_rate(2.0);
    for n in 0..500 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "rose", 900.0));
    }
    world.pass(ms(3000));
    world.give("whale", "universe", 1.0);
    let before = world.starts.len();
    world.pass(ms(500));
    assert_eq!(
        world.starts[before].1.lane,
        Lane::Headline,
        "the very next start"
    );
}

#[test]
fn ambient_gifts_are_not_starved_by_features() {
    let mut world = World::at_rate(0.5);
    let rose = world.give("poor", "rose", 1.0);
    world.pass(ms(2000));
    let rose2 = world.offer_quietly(gift("", "poor", "heart", 1.0));
    for n in 0..100 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "rocket", 500.0));
        world.pass(ms(1000));
    }
    assert!(world.verdict(&rose).is_some());
    assert!(
        world.verdict(&rose2).is_some(),
        "100 s are enough for a heart"
    );
}

#[test]
fn value_places_gifts_that_the_catalogue_does_not_place() {
    let mut world = World::at_rate(30.0);
    for (user, value) in [("a", 99.0), ("b", 100.0), ("c", 1000.0)] {
        world.give(user, "unheard-of", value);
    }
    let lanes: Vec<_> = world.starts.iter().map(|(_, start)| start.lane).collect();
    assert_eq!(lanes, [Lane::Ambient, Lane::Feature, Lane::Headline]);
    assert_eq!(LANES.len(), 3);
}

#[test]
fn the_particle_budget_holds_ambient_acts_back_and_nothing_dearer() {
    let mut world = World::new(ShowSettings {
        particle_budget: 2000,
        ..ShowSettings::default()
    });
    for n in 0..6 {
        world.give(&format!("viewer {n}"), "rose", 1.0);
    }
    assert_eq!(world.playing(Lane::Ambient), 4, "500 particles each");
    world.give("whale", "universe", 5000.0);
    world.give("fish", "rocket", 500.0);
    assert_eq!(world.playing(Lane::Headline), 1);
    assert_eq!(world.playing(Lane::Feature), 1);
    world.play_out();
    assert_eq!(world.starts.len(), 8);
}

#[test]
fn a_budget_below_every_recipe_lets_one_ambient_act_play_at_a_time() {
    let mut world = World::new(ShowSettings {
        particle_budget: 1,
        ..ShowSettings::default()
    });
    for n in 0..3 {
        world.give(&format!("viewer {n}"), "rose", 1.0);
    }
    assert_eq!(world.playing(Lane::Ambient), 1);
    world.play_out();
    assert_eq!(world.starts.len(), 3);
}

#[test]
fn a_gift_with_cold_pipelines_waits_without_blocking_others() {
    let mut world = World::at_rate(30.0);
    world.show.expect_warm_up();
    world.show.set_ready("rose");
    let heart = world.give("ann", "heart", 900.0);
    let unknown = world.give("ann", "unheard-of", 1.0);
    world.give("bob", "rose", 1.0);
    assert_eq!(world.started(), ["rose"]);
    assert_eq!(world.show.next_wake(world.now), None, "only input can help");
    world.show.set_ready("fallback");
    world.settle();
    assert!(world.verdict(&unknown).is_some());
    world.show.set_all_ready();
    world.settle();
    assert!(world.verdict(&heart).is_some());
    assert_eq!(world.started(), ["rose", "unheard-of", "heart"]);
}

#[test]
fn a_reloaded_catalogue_judges_what_is_cold_anew() {
    let mut world = World::at_rate(30.0);
    world.show.expect_warm_up();
    world.show.set_ready("fallback");
    world.give("ann", "rose", 1.0);
    assert!(world.starts.is_empty());
    let mut fewer = (*super::world::catalog()).clone();
    fewer.gifts.remove("rose");
    world.show.set_catalog(world.now, fewer.into());
    world.settle();
    assert_eq!(world.started(), ["rose"], "it is the fallback's by now");
}
