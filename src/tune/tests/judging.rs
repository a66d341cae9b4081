use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::catalog::Lane;
use crate::tune::acts::FRAME;

fn waits(performance: &Performance) -> Vec<Duration> {
    performance.waits.iter().map(|wait| wait.unwrap()).collect()
}

#[test]
fn at_one_a_second_each_of_three_waits_a_second_longer() {
    let played = judge().play(&at_once(3, "rose"), 1.0);
    assert_eq!(waits(&played), [0, 1000, 2000].map(|wait| ms(wait) + FRAME));
    // The last starts at second 2 and plays three, nothing waiting behind it.
    assert_eq!((played.length, played.lit), (ms(5000), ms(5000)));
    assert_eq!((played.endings.played, played.most_waiting), (3, 2));
}

#[test]
fn headlines_wait_for_their_place_whatever_the_rate() {
    for rate in [1.0, 60.0] {
        let played = judge().play(&at_once(2, "universe"), rate);
        assert_eq!(waits(&played), [FRAME, ms(6000) + FRAME]);
    }
}

#[test]
fn four_features_play_three_at_a_time() {
    let played = judge().play(&at_once(4, "rocket"), 30.0);
    assert_eq!(waits(&played)[3], ms(5000) + FRAME);
    assert_eq!(played.length, ms(10_000));
}

#[test]
fn a_streak_on_stage_grows_at_once_and_holds_until_it_is_silent() {
    let gifts = [streak(0, 1), streak(1000, 2), streak(2000, 3)];
    let played = judge().play(&gifts, 30.0);
    assert_eq!(waits(&played), [FRAME, Duration::ZERO, Duration::ZERO]);
    let endings = played.endings;
    assert_eq!((endings.played, endings.joined_streak), (1, 2));
    // Silent at 5 s, and from the sustain point there are 1.2 s left to play.
    let end = played.length.as_secs_f64();
    assert!((end - 6.2).abs() < 1e-3, "{end}");
}

#[test]
fn gifts_that_the_settings_dismiss_make_no_rate_worse() {
    let settings = ShowSettings {
        lanes: vec![Lane::Headline],
        ..ShowSettings::default()
    };
    let few = judge_by(settings);
    let gifts: Vec<_> = [at_once(90, "rose"), at_once(1, "universe")].concat();
    let judged = few.judge(&gifts, 2.0);
    assert_eq!((judged.endings.dismissed, judged.wanted()), (90, 1));
    assert_eq!(judged.answered_share(), 1.0);
    assert!(recommend(&[judged]).is_some());
    // Where nothing is to be drawn no rate is better than another.
    let nothing = few.judge(&at_once(90, "rose"), 2.0);
    assert_eq!(recommend(&[nothing]), None);
}

#[test]
fn gifts_that_join_a_waiting_one_are_seen_when_it_is() {
    // Ada's heart waits behind another; her second joins it there.
    let gifts = [
        given(ms(0), "bob", "rose"),
        given(ms(100), "ada", "heart"),
        given(ms(300), "ada", "heart"),
    ];
    let played = judge().play(&gifts, 1.0);
    assert_eq!(waits(&played)[1..], [900, 700].map(|wait| ms(wait) + FRAME));
    let judged = played.judged(&gifts, 1.0);
    assert_eq!(judged.folded_share(), 1.0 / 3.0);
    assert_eq!(judged.wait.p50, ms(700) + FRAME);
    assert_eq!(judged.wait.p95, ms(900) + FRAME);
}

#[test]
fn the_screen_is_dark_between_two_gifts() {
    let gifts = [given(ms(0), "ada", "rose"), given(ms(7000), "ada", "rose")];
    let judged = judge().judge(&gifts, 30.0);
    assert_eq!(judged.length, ms(10_000));
    assert_eq!(judged.coverage, 0.6);
}

#[test]
fn what_is_refused_is_counted_and_has_no_wait() {
    let judge = judge_by(ShowSettings {
        most_waiting: 5,
        ..ShowSettings::default()
    });
    let gifts = at_once(10, "universe");
    let played = judge.play(&gifts, 1.0);
    assert_eq!((played.endings.played, played.endings.refused), (6, 4));
    assert_eq!(played.waits.iter().flatten().count(), 6);
    assert_eq!(played.judged(&gifts, 1.0).refused_share(), 0.4);
}

#[test]
fn the_busiest_minute_is_found_wherever_it_begins() {
    let seconds = [0, 50, 70, 80, 109, 110, 111, 400];
    let gifts = seconds.map(|at| given(ms(1000 * at), "ada", "rose"));
    let busiest = busiest_minute(&gifts).unwrap();
    // Sixty seconds later is another minute: 110 is not within 50 to 110.
    assert_eq!((busiest.from, busiest.arrivals), (ms(70_000), 2..7));
    assert_eq!(busiest_minute(&[]), None);
}

#[test]
fn nothing_given_is_nothing_judged() {
    let judged = judge().judge(&[], 10.0);
    assert_eq!((judged.gifts, judged.coverage), (0, 0.0));
    assert_eq!(judged.wait, Waits::default());
    assert_eq!(recommend(&[judged]), None);
    assert_eq!(recommend(&[]), None);
}

#[test]
fn answered_is_what_is_seen_promptly_and_unfolded() {
    // One starts a second, so that the fourth is seen a frame after the third
    // second; somebody's second gift is folded with the first.
    let mut gifts = at_once(6, "rose");
    gifts.push(given(Duration::ZERO, "user-1", "rose"));
    let played = judge().play(&gifts, 1.0);
    assert_eq!((played.endings.joined_bundle, played.answered), (1, 3));
    assert_eq!(played.judged(&gifts, 1.0).answered_share(), 3.0 / 7.0);
}

#[test]
fn the_slowest_rate_that_answers_as_many_is_recommended() {
    let gifts = at_once(40, "rose");
    let judged = [60.0, 2.0, 5.0, 20.0].map(|rate| judge().judge(&gifts, rate));
    let advice = recommend(&judged).unwrap();
    // Of forty at once, twenty start in each second at 20; at 5, five at once and
    // fourteen in the three seconds less a frame.
    assert_eq!(advice.rate, 20.0, "{}", advice.reason);
    assert!(
        advice.reason.contains("100 % of the gifts"),
        "{}",
        advice.reason
    );
    assert!(
        advice.reason.contains("at 5 a second it would be 48 %"),
        "{}",
        advice.reason
    );
}

#[test]
fn where_places_are_short_a_faster_rate_is_not_recommended() {
    let gifts = at_once(20, "universe");
    let judged = [2.0, 10.0, 60.0].map(|rate| judge().judge(&gifts, rate));
    let advice = recommend(&judged).unwrap();
    assert_eq!(advice.rate, 2.0);
    assert!(advice.reason.contains("their places"), "{}", advice.reason);
    let advice = recommend(&judged[..1]).unwrap();
    assert!(advice.reason.contains("worth judging"), "{}", advice.reason);
}

/// Of a thousand gifts, with so many answered and the others waiting so many seconds.
fn figures(rate: f64, answered: u64, wait: u64) -> Judgement {
    Judgement {
        gifts: 1_000,
        answered,
        wait: Waits {
            p95: ms(1000 * wait),
            ..Waits::default()
        },
        ..judge().judge(&[], rate)
    }
}

#[test]
fn where_all_rates_answer_few_it_is_still_one_that_answers_most() {
    let flood = [
        figures(2.0, 1, 35),
        figures(20.0, 8, 230),
        figures(30.0, 10, 350),
        figures(40.0, 11, 360),
        figures(60.0, 7, 700),
    ];
    let advice = recommend(&flood).unwrap();
    assert_eq!(advice.rate, 30.0, "{}", advice.reason);
    assert!(
        advice.reason.contains("at 20 a second it would be 0.8 %"),
        "{}",
        advice.reason
    );
}

#[test]
fn where_no_rate_answers_more_the_wait_decides() {
    let even = [
        figures(2.0, 0, 500),
        figures(20.0, 0, 110),
        figures(60.0, 0, 100),
    ];
    let advice = recommend(&even).unwrap();
    assert_eq!(advice.rate, 20.0, "{}", advice.reason);
    let told = "at 2 a second 95 % would wait at most 8 min 20 s";
    assert!(advice.reason.contains(told), "{}", advice.reason);
    // All are answered at any rate: then nobody waits for long.
    let calm = [figures(2.0, 1_000, 2), figures(60.0, 1_000, 0)];
    assert_eq!(recommend(&calm).unwrap().rate, 2.0);
}

#[test]
fn the_shipped_catalogue_is_there_without_a_file() {
    let judged = Judge::shipped().judge(&[given(ms(0), "ada", "rose")], 30.0);
    let rose = &Catalog::shipped().gifts["rose"];
    assert_eq!(judged.length, rose.duration);
}

/// Anything that could be given within two minutes, in order.
fn any_gifts() -> impl Strategy<Value = Vec<Arrival>> {
    let types = ["rose", "heart", "rocket", "universe", "mystery"];
    let gift = (
        0..120_000_u64,
        0..12_u8,
        0..types.len(),
        0..4_u32,
        any::<bool>(),
    );
    prop::collection::vec(gift, 1..300).prop_map(move |gifts| {
        let mut gifts: Vec<_> = gifts
            .into_iter()
            .map(|(at, user, kind, combo, is_streak)| {
                let mut arrival = given(ms(at), &format!("user-{user}"), types[kind]);
                arrival.gift.total_value = f64::from(combo) * 40.0;
                arrival.gift.combo_count = combo;
                arrival.gift.is_streak = is_streak;
                arrival
            })
            .collect();
        gifts.sort_by_key(|arrival| arrival.at);
        gifts
    })
}

proptest! {
    #[test]
    fn every_gift_ends_exactly_once(gifts in any_gifts(), rate in 0.2..80.0_f64) {
        let settings = ShowSettings { most_waiting: 40, ..ShowSettings::default() };
        let played = judge_by(settings).play(&gifts, rate);
        let endings = played.endings;
        prop_assert_eq!(endings.total(), gifts.len() as u64);
        prop_assert_eq!(
            endings.played + endings.joined_streak + endings.joined_bundle + endings.refused,
            endings.total()
        );
        let seen = played.waits.iter().flatten().count() as u64;
        prop_assert_eq!(seen, endings.total() - endings.refused);
        prop_assert!(played.lit <= played.length);
    }

    /// As many people as are never bundled, within the rates at which the stage
    /// has a place for each: then the rate alone makes them wait.
    #[test]
    fn nobody_waits_longer_at_a_faster_rate(
        mut times in prop::collection::vec(0..20_000_u64, 1..60),
        slow in 0.5..10.0_f64,
        faster in 1.0..2.0_f64,
    ) {
        times.sort_unstable();
        let gifts: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(who, at)| given(ms(*at), &format!("user-{who}"), "rose"))
            .collect();
        let slow_waits = waits(&judge().play(&gifts, slow));
        let fast_waits = waits(&judge().play(&gifts, slow * faster));
        for (slow, fast) in slow_waits.iter().zip(&fast_waits) {
            prop_assert!(*fast <= *slow + ms(1), "{fast:?} after {slow:?}");
        }
    }
}
