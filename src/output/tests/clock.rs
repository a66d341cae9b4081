use crate::output::clock::Clock;

/// How often each frame but the last is shown.
fn shown(rate: f64, times: impl IntoIterator<Item = f64>) -> Vec<u64> {
    let mut clock = Clock::new(rate, 2.0);
    times
        .into_iter()
        .map(|at| clock.advance(at))
        .skip(1)
        .collect()
}

#[test]
fn equal_rates_show_each_frame_once_despite_jitter() {
    let times = (0..300).map(|frame| {
        let jitter = [0.0, 0.004, -0.004, 0.002][frame % 4];
        100.0 + frame as f64 / 30.0 + jitter
    });
    assert_eq!(shown(30.0, times), vec![1; 299]);
}

#[test]
fn a_faster_stage_is_thinned_evenly() {
    let shown = shown(30.0, (0..120).map(|frame| f64::from(frame) / 60.0));
    assert!(
        shown.chunks(2).all(|pair| pair.iter().sum::<u64>() == 1),
        "{shown:?}"
    );
}

#[test]
fn a_slower_stage_is_repeated_without_drift() {
    let frames = 24 * 60;
    let shown = shown(30.0, (0..=frames).map(|frame| f64::from(frame) / 24.0));
    assert_eq!(shown.iter().sum::<u64>(), 30 * 60);
    assert!(shown.iter().all(|&times| (1..=2).contains(&times)));
}

#[test]
fn an_idle_stretch_is_cut_to_two_seconds_and_counted() {
    let mut clock = Clock::new(30.0, 2.0);
    clock.advance(5.0);
    assert_eq!(clock.advance(65.0), 60);
    assert_eq!(clock.cuts(), (1, 58.0));
    assert_eq!(clock.advance(65.0 + 1.0 / 30.0), 1);
    assert_eq!(clock.cuts(), (1, 58.0));
}

#[test]
fn time_that_does_not_advance_adds_nothing() {
    assert_eq!(
        shown(30.0, [1.0, 1.0, 0.5, f64::NAN, 0.5, 0.5]),
        [0, 0, 0, 0, 0]
    );
}
