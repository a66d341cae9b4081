use std::sync::Arc;
use std::time::Duration;

use super::measure::*;
use crate::catalog::Lane;
use crate::show::milestone;
use crate::sound::{
    Accent, AudioChunk, RATE, SOUNDING_VOICES, VoiceKey, audio_stream, combo_semitones, mixer,
};

const ACT: VoiceKey = VoiceKey(5);

fn at(semitones: u32, gain: f32) -> Accent {
    Accent {
        semitones,
        gain,
        lane: Lane::Ambient,
    }
}

#[test]
fn each_combo_that_is_celebrated_has_a_higher_beat() {
    let celebrated: Vec<u32> = (1..=2_000).filter_map(|n| milestone(n - 1, n)).collect();
    let beats: Vec<u32> = celebrated.iter().map(|&n| combo_semitones(n)).collect();
    assert_eq!(beats, [0, 2, 4, 7, 9, 12, 14, 16]);
    assert_eq!(combo_semitones(0), 0);
    assert_eq!(combo_semitones(u32::MAX), 16);
}

#[test]
fn a_combo_sounds_over_the_gift_and_both_are_one_voice() {
    let (mixer, mut mix) = mixer();
    mixer.play(ACT, tone(440.0, 0.4, 2.0), AMBIENT);
    pull(&mut mix, 0.1);
    mixer.accent(ACT, tone(1_000.0, 0.4, 2.0), at(12, 0.5));
    pull(&mut mix, 0.05);
    let out = pull(&mut mix, 0.3);
    assert!((amplitude_at(&out, 440.0) - 0.4).abs() < 0.01);
    assert!((amplitude_at(&out, 2_000.0) - 0.2).abs() < 0.01);
    let stats = mixer.stats();
    assert_eq!((stats.sounding, stats.held), (1, 1));
}

#[test]
fn an_accent_rings_on_when_its_gift_has_played_out() {
    let (mixer, mut mix) = mixer();
    mixer.play(ACT, tone(440.0, 0.4, 0.2), AMBIENT);
    mixer.accent(ACT, tone(1_000.0, 0.4, 1.0), at(0, 1.0));
    pull(&mut mix, 0.3);
    let out = pull(&mut mix, 0.5);
    assert!((amplitude_at(&out, 1_000.0) - 0.4).abs() < 0.01);
    assert!(amplitude_at(&out, 440.0) < 1e-3);
    pull(&mut mix, 0.5);
    assert_eq!(mixer.stats().sounding, 0);
    mixer.step(ACT, 6);
    pull(&mut mix, 0.05);
    assert!(amplitude_at(&pull(&mut mix, 0.05), 880.0) > 0.3);
}

#[test]
fn a_resting_gift_stays_silent_under_an_accent() {
    let (mixer, mut mix) = mixer();
    mixer.play(ACT, tone(440.0, 0.4, 0.1), AMBIENT);
    pull(&mut mix, 0.5);
    mixer.accent(ACT, tone(1_000.0, 0.4, 1.0), at(0, 1.0));
    let out = pull(&mut mix, 0.5);
    assert!(amplitude_at(&out, 440.0) < 1e-3);
    assert!(amplitude_at(&out[4_800..], 1_000.0) > 0.39);
}

#[test]
fn an_act_without_a_sound_still_has_its_combos() {
    let (mixer, mut mix) = mixer();
    mixer.accent(ACT, tone(1_000.0, 0.4, 0.2), at(0, 1.0));
    pull(&mut mix, 0.02);
    assert!(amplitude_at(&pull(&mut mix, 0.1), 1_000.0) > 0.39);
    mixer.step(ACT, 3);
    pull(&mut mix, 0.3);
    assert_eq!((mixer.stats().sounding, mixer.stats().held), (0, 1));
    mixer.accent(ACT, tone(1_000.0, 0.4, 0.2), at(0, 1.0));
    mixer.stop(ACT, Duration::ZERO);
    pull(&mut mix, 0.1);
    assert_eq!(mixer.stats().held, 0);
}

#[test]
fn accents_leave_with_their_act_and_are_freed_by_the_stage() {
    let (mixer, mut mix) = mixer();
    let (combo, climax) = (tone(1_000.0, 0.3, 2.0), tone(1_500.0, 0.3, 2.0));
    mixer.play(ACT, tone(440.0, 0.3, 2.0), AMBIENT);
    mixer.accent(ACT, combo.clone(), at(0, 1.0));
    mixer.accent(ACT, climax.clone(), at(0, 1.0));
    pull(&mut mix, 0.2);
    mixer.stop(ACT, Duration::from_millis(100));
    let out = pull(&mut mix, 0.3);
    let bend = bend_of_sine(440.0, 0.3) + bend_of_sine(1_000.0, 0.3) + bend_of_sine(1_500.0, 0.3);
    assert!(sharpest_bend(&out) < 1.5 * bend);
    assert_eq!(peak(&out[12_000..]), 0.0);
    assert_eq!(Arc::strong_count(&combo), 2, "the callback frees nothing");
    mixer.collect();
    assert_eq!(
        (Arc::strong_count(&combo), Arc::strong_count(&climax)),
        (1, 1)
    );
}

#[test]
fn a_third_accent_takes_the_place_of_one_that_is_over() {
    let (mixer, mut mix) = mixer();
    let [first, second, third] =
        [(700.0, 0.1), (1_000.0, 2.0), (1_500.0, 1.0)].map(|(hertz, s)| tone(hertz, 0.2, s));
    for clip in [&first, &second] {
        mixer.accent(ACT, clip.clone(), at(0, 1.0));
    }
    pull(&mut mix, 0.3);
    mixer.accent(ACT, third.clone(), at(0, 1.0));
    pull(&mut mix, 0.05);
    let out = pull(&mut mix, 0.3);
    assert!(amplitude_at(&out, 1_000.0) > 0.19, "what sounds goes on");
    assert!(amplitude_at(&out, 1_500.0) > 0.19);
    mixer.collect();
    assert_eq!(Arc::strong_count(&first), 1);
    assert_eq!(Arc::strong_count(&third), 2);
}

#[test]
fn combos_that_come_faster_than_the_ear_do_not_pile_up() {
    let (mixer, mut mix) = mixer();
    let beat = tone(1_000.0, 0.4, 1.0);
    mixer.play(ACT, tone(440.0, 0.1, 1.0), AMBIENT);
    let mut out = Vec::new();
    for count in [5, 10, 25, 50, 100] {
        mixer.accent(ACT, beat.clone(), at(combo_semitones(count), 1.0));
        out.extend(pull(&mut mix, 0.01));
    }
    out.extend(pull(&mut mix, 0.1));
    assert!(peak(&out) < 0.95, "{}", peak(&out));
    assert_eq!(mixer.stats().sounding, 1);
}

#[test]
fn a_videos_voice_waits_for_its_climax_to_ring_out() {
    let (mixer, mut mix) = mixer();
    let (feed, stream) = audio_stream();
    mixer.play_stream(ACT, stream, FEATURE);
    let samples = sine(440.0, 0.3, RATE as usize / 10);
    feed.push(AudioChunk { samples }).expect("there is room");
    drop(feed);
    mixer.accent(ACT, tone(1_000.0, 0.3, 1.0), at(0, 1.0));
    pull(&mut mix, 0.3);
    assert!(amplitude_at(&pull(&mut mix, 0.4), 1_000.0) > 0.29);
    pull(&mut mix, 0.5);
    assert_eq!(mixer.stats().held, 0);
}

#[test]
fn an_accent_of_a_full_ambient_lane_takes_no_dearer_place() {
    let (mixer, mut mix) = mixer();
    mixer.play(ACT, tone(440.0, 0.1, 0.05), AMBIENT);
    pull(&mut mix, 0.2);
    let clip = tone(600.0, 0.01, 1.0);
    for n in 0..SOUNDING_VOICES as u64 {
        mixer.play(VoiceKey(100 + n), clip.clone(), FEATURE);
    }
    let beat = tone(1_000.0, 0.4, 1.0);
    mixer.accent(ACT, beat.clone(), at(0, 1.0));
    pull(&mut mix, 0.1);
    assert!(amplitude_at(&pull(&mut mix, 0.2), 1_000.0) < 1e-3);
    assert_eq!(mixer.stats().refused, 1);
    mixer.collect();
    assert_eq!(Arc::strong_count(&beat), 1);
}

#[test]
fn gains_that_are_no_numbers_are_silence() {
    let (mixer, mut mix) = mixer();
    mixer.accent(ACT, tone(1_000.0, 0.4, 1.0), at(u32::MAX, f32::NAN));
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
}

#[test]
fn an_act_that_shrinks_stops_ducking_from_its_next_gift_on() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.2, 9.0), AMBIENT);
    mixer.play(ACT, tone(3_000.0, 0.2, 3.0), HEADLINE);
    pull(&mut mix, 0.5);
    mixer.move_to(ACT, Lane::Ambient);
    let under = pull(&mut mix, 0.3);
    assert!(
        amplitude_at(&under, 440.0) < 0.06,
        "what sounds is not moved"
    );
    mixer.step(ACT, 2);
    pull(&mut mix, 2.5);
    assert!(amplitude_at(&pull(&mut mix, 0.3), 440.0) > 0.19);
}
