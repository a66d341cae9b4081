use std::sync::Arc;
use std::time::Duration;

use super::measure::*;
use crate::sound::{Clip, HIGHEST_SEMITONES, RATE, VoiceKey, mixer, streak_semitones};

const STREAK: VoiceKey = VoiceKey(7);

#[test]
fn a_streak_climbs_the_major_pentatonic_to_two_octaves() {
    let notes: Vec<u32> = (1..=8).map(streak_semitones).collect();
    assert_eq!(notes, [0, 2, 4, 7, 9, 12, 12, 12]);
    assert_eq!(streak_semitones(0), 0);
    assert_eq!(streak_semitones(100), HIGHEST_SEMITONES);
    assert_eq!(streak_semitones(u32::MAX), HIGHEST_SEMITONES);
    for count in 1..2_000 {
        let note = streak_semitones(count);
        assert!(note <= streak_semitones(count + 1), "falls after {count}");
        assert!(
            [0, 2, 4, 7, 9].contains(&(note % 12)),
            "{count} is off the scale"
        );
    }
}

#[test]
fn a_streak_of_a_hundred_is_one_voice_that_rises() {
    let (mixer, mut mix) = mixer();
    mixer.play(STREAK, tone(440.0, 0.5, 1.0), AMBIENT);
    pull(&mut mix, 0.1);
    let mut last = 0.0;
    for count in 2..=100 {
        mixer.step(STREAK, count);
        pull(&mut mix, 0.03);
        let heard = pitch(&pull(&mut mix, 0.07));
        let expected = 440.0 * (f64::from(streak_semitones(count)) / 12.0).exp2();
        assert!(
            (heard / expected - 1.0).abs() < 0.005,
            "gift {count}: {heard} Hz"
        );
        assert!(
            heard > last * 0.995,
            "gift {count} falls from {last} to {heard} Hz"
        );
        last = heard;
        let stats = mixer.stats();
        assert_eq!((stats.sounding, stats.held), (1, 1), "gift {count}");
    }
    assert!(
        (last / 1_760.0 - 1.0).abs() < 0.005,
        "two octaves up: {last} Hz"
    );
}

#[test]
fn a_strike_does_not_click() {
    for offset in [0.1, 0.1003, 0.1011, 0.1017] {
        let (mixer, mut mix) = mixer();
        mixer.play(STREAK, tone(440.0, 0.4, 1.0), AMBIENT);
        pull(&mut mix, offset);
        mixer.step(STREAK, 6);
        let out = pull(&mut mix, 0.1);
        let both = bend_of_sine(440.0, 0.4) + bend_of_sine(880.0, 0.4);
        assert!(sharpest_bend(&out) < 2.0 * both, "{}", sharpest_bend(&out));
    }
}

#[test]
fn of_steps_that_come_faster_than_the_ear_the_last_is_heard() {
    let (mixer, mut mix) = mixer();
    mixer.play(STREAK, tone(440.0, 0.4, 1.0), AMBIENT);
    let mut out = Vec::new();
    for count in 2..=100 {
        mixer.step(STREAK, count);
        out.extend(pull(&mut mix, 0.003));
        assert_eq!(mixer.stats().sounding, 1);
    }
    assert!(peak(&out) < 0.85, "strikes pile up to {}", peak(&out));
    pull(&mut mix, 0.08);
    assert!((pitch(&pull(&mut mix, 0.1)) / 1_760.0 - 1.0).abs() < 0.005);
}

#[test]
fn a_streak_sounds_again_after_a_silence() {
    let (mixer, mut mix) = mixer();
    mixer.play(STREAK, tone(440.0, 0.4, 0.1), AMBIENT);
    pull(&mut mix, 1.0);
    assert_eq!(mixer.stats().sounding, 0);
    mixer.step(STREAK, 6);
    pull(&mut mix, 0.01);
    assert!((pitch(&pull(&mut mix, 0.03)) / 880.0 - 1.0).abs() < 0.01);
    assert_eq!(mixer.stats().held, 1);
}

#[test]
fn a_streak_that_lost_its_place_sounds_again_at_its_next_gift() {
    let (mixer, mut mix) = mixer();
    mixer.play(STREAK, tone(1_000.0, 0.01, 2.0), AMBIENT);
    pull(&mut mix, 0.1);
    let other = tone(200.0, 0.02, 2.0);
    for n in 100..132 {
        mixer.play(VoiceKey(n), other.clone(), AMBIENT);
    }
    pull(&mut mix, 0.1);
    assert!(amplitude_at(&pull(&mut mix, 0.2), 1_000.0) < 1e-4);
    mixer.step(STREAK, 6);
    pull(&mut mix, 0.05);
    assert!(amplitude_at(&pull(&mut mix, 0.2), 2_000.0) > 0.005);
}

#[test]
fn the_next_gift_strikes_a_clip_where_its_great_moment_is() {
    let (mixer, mut mix) = mixer();
    let mut samples = sine(300.0, 0.4, RATE as usize);
    samples.extend(sine(1_000.0, 0.4, RATE as usize));
    let clip = Arc::new(Clip::from_samples(&samples, RATE).struck_at(1.0));
    mixer.play(STREAK, clip, AMBIENT);
    pull(&mut mix, 0.02);
    let own = pitch(&pull(&mut mix, 0.1));
    assert!((own - 300.0).abs() < 1.0, "the first gift hears all of it");
    mixer.step(STREAK, 6);
    pull(&mut mix, 0.08);
    assert!((pitch(&pull(&mut mix, 0.1)) - 2_000.0).abs() < 2.0);
    mixer.step(STREAK, 100);
    pull(&mut mix, 0.08);
    assert!(
        (pitch(&pull(&mut mix, 0.05)) - 4_000.0).abs() < 4.0,
        "in a mipmap, too"
    );
    pull(&mut mix, 1.0);
    mixer.step(STREAK, 1);
    let out = pull(&mut mix, 0.2);
    assert!(
        sharpest_bend(&out) < 2.0 * bend_of_sine(1_000.0, 0.4),
        "no click"
    );
    mixer.climax(STREAK, 0.0);
    pull(&mut mix, 0.08);
    assert!((pitch(&pull(&mut mix, 0.1)) - 1_000.0).abs() < 1.0);
}

#[test]
fn a_strike_outside_its_clip_is_its_beginning() {
    for odd in [-1.0, 1.0, 1e300, f64::NAN, f64::INFINITY] {
        let clip = Clip::from_samples(&sine(300.0, 0.4, RATE as usize / 2), RATE);
        assert_eq!(clip.struck_at(odd).strike(), 0, "{odd}");
    }
}

#[test]
fn a_step_for_an_act_that_has_no_voice_is_nothing() {
    let (mixer, mut mix) = mixer();
    mixer.step(STREAK, 3);
    mixer.climax(STREAK, 1.0);
    mixer.stop(STREAK, Duration::ZERO);
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
    assert_eq!(mixer.stats().held, 0);
}

#[test]
fn a_climax_is_a_chord_that_grows_with_the_streak() {
    let heard = |scale: f32| {
        let (mixer, mut mix) = mixer();
        mixer.play(STREAK, tone(440.0, 0.2, 2.0), AMBIENT);
        pull(&mut mix, 0.2);
        mixer.step(STREAK, 100);
        pull(&mut mix, 0.2);
        mixer.climax(STREAK, scale);
        pull(&mut mix, 0.05);
        let out = pull(&mut mix, 0.3);
        assert_eq!(mixer.stats().sounding, 1);
        out
    };
    let (small, grand) = (heard(0.0), heard(1.0));
    assert!((amplitude_at(&small, 440.0) - 0.2).abs() < 0.01);
    assert!(amplitude_at(&small, 880.0) < 0.001, "one note");
    for note in [440.0, 440.0 * (7.0 / 12.0_f64).exp2(), 880.0] {
        assert!(
            amplitude_at(&grand, note) > 0.2,
            "{note} Hz belongs to the chord"
        );
    }
    let louder = decibels(rms(&grand) / rms(&small));
    assert!((louder - 6.0).abs() < 0.5, "{louder} dB");
    assert!(heard(f32::NAN).iter().all(|s| s.is_finite()));
}

#[test]
fn treble_does_not_fold_back_two_octaves_up() {
    let (mixer, mut mix) = mixer();
    // Two octaves up this is 40 kHz: nothing of it may be left.
    mixer.play(STREAK, tone(10_000.0, 0.5, 2.0), AMBIENT);
    pull(&mut mix, 0.1);
    mixer.step(STREAK, 100);
    pull(&mut mix, 0.05);
    let left = decibels(rms(&pull(&mut mix, 0.2)) / 0.35);
    assert!(left < -60.0, "{left} dB");
}
