use super::*;
use crate::catalog::Lane;

fn crowd() -> Crowd {
    Crowd {
        per_minute: 120.0,
        bursts_per_hour: 0.0,
        streaks: 0.0,
        ..Crowd::default()
    }
}

fn arrivals(crowd: Crowd) -> Vec<Arrival> {
    crowd.arrivals(&Catalog::shipped()).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_crowd() {
    let busy = Crowd::default();
    assert_eq!(arrivals(busy), arrivals(busy));
    assert_ne!(arrivals(busy), arrivals(Crowd { seed: 1, ..busy }));
}

#[test]
fn a_crowd_gives_as_often_as_it_is_told_to() {
    // Of 7,200 in a Poisson process the deviation is 85; this is five of them.
    for streaks in [0.0, 0.3] {
        let count = arrivals(Crowd { streaks, ..crowd() }).len() as f64;
        let most = if streaks > 0.0 { 0.15 } else { 0.06 };
        assert!((count / 7200.0 - 1.0).abs() < most, "{streaks}: {count}");
    }
}

#[test]
fn gifts_come_in_order_within_their_time_and_in_every_lane() {
    let arrivals = arrivals(Crowd::default());
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    assert!(arrivals.last().unwrap().at < Crowd::default().length);
    let catalog = Catalog::shipped();
    let lane = |arrival: &Arrival| catalog.lane(&arrival.gift.gift_type, arrival.gift.total_value);
    let share = |wanted| {
        let within = arrivals.iter().filter(|arrival| lane(arrival) == wanted);
        within.count() as f64 / arrivals.len() as f64
    };
    assert!((0.002..0.03).contains(&share(Lane::Headline)));
    assert!((0.03..0.15).contains(&share(Lane::Feature)));
    assert!(share(Lane::Ambient) > 0.8);
}

#[test]
fn bursts_make_one_minute_thick() {
    let thickest = |bursts_per_hour| {
        let crowd = Crowd {
            bursts_per_hour,
            ..crowd()
        };
        busiest_minute(&arrivals(crowd)).unwrap().arrivals.len()
    };
    assert!(thickest(0.0) < 180, "{}", thickest(0.0));
    assert!(thickest(6.0) > 240, "{}", thickest(6.0));
}

#[test]
fn streaks_count_up_from_one() {
    let arrivals = arrivals(Crowd::default());
    let streaks = arrivals
        .iter()
        .filter(|arrival| arrival.gift.combo_count > 0);
    let ones = streaks
        .clone()
        .filter(|arrival| arrival.gift.combo_count == 1);
    let (all, ones) = (streaks.count() as f64, ones.count() as f64);
    assert!((STREAK_MESSAGES * 0.7..STREAK_MESSAGES * 1.3).contains(&(all / ones)));
}

#[test]
fn a_crowd_larger_than_can_be_judged_is_refused() {
    let endless = Crowd {
        per_minute: 60_000.0,
        length: Duration::from_secs(604_800),
        ..crowd()
    };
    assert_eq!(endless.arrivals(&Catalog::shipped()), Err(TooLarge));
}

#[test]
fn a_faster_rate_shortens_a_busy_crowds_waits() {
    let crowd = Crowd {
        length: Duration::from_secs(900),
        per_minute: 200.0,
        ..Crowd::default()
    };
    let arrivals = arrivals(crowd);
    let judged = [1.0, 4.0, 30.0].map(|rate| Judge::shipped().judge(&arrivals, rate));
    assert!(judged[0].wait.p95 > judged[1].wait.p95);
    assert!(judged[1].wait.p95 > judged[2].wait.p95);
}

#[test]
fn rates_are_read_as_a_range_or_a_list() {
    let rates = |text: &str| text.parse::<Rates>().map(|rates| rates.as_slice().to_vec());
    assert_eq!(
        rates("2..60").unwrap(),
        [
            2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0
        ]
    );
    assert_eq!(rates("7..7").unwrap(), [7.0]);
    assert_eq!(rates("30, 5,10,5").unwrap(), [5.0, 10.0, 30.0]);
    let widest = rates("0.01..=1000").unwrap();
    assert!(
        widest.len() <= MOST_RATES && widest.contains(&0.05),
        "{widest:?}"
    );
    let list: Vec<_> = (1..=25).map(|rate| rate.to_string()).collect();
    for (text, told) in [
        ("60..2", "did you mean 2..60?"),
        ("0..5", "\"0\" is not a rate"),
        ("2..5000", "\"5000\" is not a rate"),
        ("", "\"\" is not a rate"),
        ("5,fast", "\"fast\" is not a rate"),
        ("NaN", "from 0.01 to 1000"),
        (&list.join(","), "not 25"),
    ] {
        let error = rates(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
