use std::time::Duration;

use super::world::{World, gift, ms};
use crate::catalog::Lane;
use crate::show::pacing::shortest;
use crate::show::{ShowSettings, sane_rate};

/// The mean time from offer to start of 200 roses from 200 people who come in
/// two seconds.
fn mean_wait(rate: f64) -> f64 {
    let mut world = World::new(ShowSettings {
        rate,
        // Everybody gets an act of their own, so that waits can be compared.
        bundle_after: Duration::from_secs(1000),
        ..ShowSettings::default()
    });
    for n in 0..200 {
        world.give(&format!("viewer {n}"), "rose", 1.0);
        world.pass(ms(10));
    }
    world.play_out();
    assert_eq!(world.starts.len(), 200);
    let waits = world
        .starts
        .iter()
        .enumerate()
        .map(|(n, (at, _))| at.saturating_sub(ms(10 * n as u64)).as_secs_f64());
    waits.sum::<f64>() / 200.0
}

#[test]
fn waiting_times_follow_the_host_s_rate() {
    let (two, ten, thirty) = (mean_wait(2.0), mean_wait(10.0), mean_wait(30.0));
    // 200 gifts at 2, 10 and 30 a second take 100, 20 and 6.7 seconds.
    assert!((40.0..55.0).contains(&two), "{two}");
    assert!((7.0..12.0).contains(&ten), "{ten}");
    assert!((1.0..4.0).contains(&thirty), "{thirty}");
}

#[test]
fn no_more_acts_start_in_a_second_than_the_rate_and_one_burst() {
    let mut world = World::at_rate(10.0);
    for n in 0..100 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "rose", 1.0));
    }
    world.settle();
    assert_eq!(world.starts.len(), 10, "one second of burst");
    world.pass(ms(1000));
    assert_eq!(world.starts.len(), 20, "then the rate");
    world.pass(ms(99));
    assert_eq!(world.starts.len(), 20);
    world.pass(ms(1));
    assert_eq!(world.starts.len(), 21);
}

#[test]
fn a_rate_below_one_still_lets_single_acts_through() {
    let mut world = World::at_rate(0.5);
    for n in 0..3 {
        world.give(&format!("viewer {n}"), "rose", 1.0);
    }
    assert_eq!(world.starts.len(), 1);
    world.pass(ms(4000));
    assert_eq!(world.starts.len(), 3);
}

#[test]
fn a_senseless_rate_means_thirty() {
    for rate in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(sane_rate(rate), 30.0);
    }
    assert_eq!(sane_rate(f64::INFINITY), 1000.0);
}

#[test]
fn a_new_rate_holds_at_once_and_gives_no_second_burst() {
    let mut world = World::at_rate(2.0);
    for n in 0..30 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "rose", 1.0));
    }
    world.settle();
    assert_eq!(world.starts.len(), 2);
    world.show.set_rate(world.now, 10.0);
    world.settle();
    assert_eq!(world.starts.len(), 2, "nothing was saved up");
    world.show.set_rate(world.now, 2.0);
    world.show.set_rate(world.now, 10.0);
    let before = world.starts.len();
    world.pass(ms(1000));
    assert_eq!(world.starts.len() - before, 10);
}

#[test]
fn ambient_acts_shorten_under_backlog_and_only_they() {
    let mut world = World::at_rate(30.0);
    world.give("early", "rose", 1.0);
    assert_eq!(world.starts[0].1.duration, ms(3000));
    for n in 0..200 {
        world.offer_quietly(gift("", &format!("viewer {n}"), "rose", 1.0));
    }
    world.offer_quietly(gift("", "dear", "rocket", 500.0));
    world.offer_quietly(gift("", "dear", "universe", 5000.0));
    world.settle();
    let duration = |gift_type: &str| {
        let last = world
            .starts
            .iter()
            .rfind(|(_, start)| &*start.gift_type == gift_type);
        last.expect("it started").1.duration
    };
    assert_eq!(duration("rose"), ms(1200));
    assert_eq!(duration("rocket"), ms(5000));
    assert_eq!(duration("universe"), ms(6000));
}

#[test]
fn a_gift_s_own_wish_sets_its_length() {
    let mut world = World::at_rate(30.0);
    let mut wishful = gift("", "ann", "rose", 1.0);
    wishful.animation.duration = Some(ms(4500));
    world.offer(wishful);
    assert_eq!(world.starts[0].1.duration, ms(4500));
}

#[test]
fn no_wish_is_short_enough_to_make_the_stage_flash() {
    let mut world = World::at_rate(30.0);
    // A backend that counts in seconds, not in milliseconds: the protocol makes it 100.
    for (gift_type, value) in [("universe", 5000.0), ("rocket", 500.0), ("rose", 1.0)] {
        for n in 0..4 {
            let mut hasty = gift("", &format!("viewer {n}"), gift_type, value);
            hasty.animation.duration = Some(ms(100));
            world.offer_quietly(hasty);
        }
    }
    world.play_out();
    let starts = |gift_type: &str| {
        let starts = world.starts.iter();
        let starts = starts.filter(|(_, start)| &*start.gift_type == gift_type);
        starts
            .map(|(at, start)| (*at, start.duration))
            .collect::<Vec<_>>()
    };
    let universes = starts("universe");
    assert_eq!(universes.len(), 4);
    for pair in universes.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= ms(3000), "half its own length");
    }
    assert!(starts("rocket").iter().all(|start| start.1 == ms(2500)));
    assert!(starts("rose").iter().all(|start| start.1 == ms(500)));
}

#[test]
fn what_is_short_by_itself_has_a_second_where_it_fills_the_stage() {
    assert_eq!(shortest(Lane::Headline, ms(800)), ms(1000));
    assert_eq!(shortest(Lane::Feature, ms(800)), ms(1000));
    assert_eq!(shortest(Lane::Ambient, ms(800)), ms(500));
}
