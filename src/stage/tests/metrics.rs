//! Figures of a run.

use std::time::Duration;

use super::world::{FRAME_SECONDS, Stage, gift};
use crate::stage::Metrics;
use crate::stage::metrics::{MAX_SAMPLES, Samples};

#[test]
fn quantiles_go_by_nearest_rank() {
    let mut samples = Samples::default();
    assert_eq!(samples.quantiles([0.0, 0.5, 1.0]), [0.0; 3]);
    for ms in (1..=100).rev() {
        samples.push(Duration::from_millis(ms));
    }
    let quantiles = samples.quantiles([0.0, 0.5, 0.95, 0.99, 1.0]);
    assert_eq!(quantiles, [1.0, 50.0, 95.0, 99.0, 100.0]);
}

#[test]
fn the_oldest_samples_make_way() {
    let mut samples = Samples::default();
    for _ in 0..MAX_SAMPLES {
        samples.push(Duration::from_millis(1));
    }
    for _ in 0..MAX_SAMPLES / 2 + 1 {
        samples.push(Duration::from_millis(2));
    }
    assert_eq!(samples.len(), MAX_SAMPLES);
    assert_eq!(samples.quantiles([0.49, 0.5]), [1.0, 2.0]);
}

#[test]
fn the_delay_from_gift_to_frame_includes_the_wait_for_a_place() {
    let mut stage = Stage::new();
    stage.offer(gift("1", "ann", "universe"));
    stage.give(gift("2", "ben", "universe"));
    stage.pass(7.0);
    let metrics = stage.resource::<Metrics>();
    assert_eq!((metrics.acts, metrics.gift_to_frame.len()), (2, 2));
    let [first, second] = metrics.gift_to_frame.quantiles([0.0, 1.0]);
    assert_eq!(first, FRAME_SECONDS * 1e3);
    assert!((6_000.0..6_100.0).contains(&second), "{second} ms");
}
