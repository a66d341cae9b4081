use std::sync::Arc;
use std::time::Duration;

use super::measure::*;
use crate::catalog::Lane;
use crate::sound::{
    Clip, HELD_VOICES, LATENCY, Mixer, RATE, SOUNDING_VOICES, VoiceKey, VoiceSettings, mixer,
};

/// Longest a bend of a faded tone may be, over the tone's own.
const SMOOTH: f32 = 1.5;

#[test]
fn the_stage_may_share_the_mixer() {
    fn shared<T: Send + Sync>() {}
    shared::<Mixer>();
}

#[test]
fn an_empty_mix_is_silence() {
    let (_mixer, mut mix) = mixer();
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
}

#[test]
fn a_lone_voice_passes_through_unchanged() {
    let (mixer, mut mix) = mixer();
    let frames = RATE as usize / 10;
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 1.0), AMBIENT);
    let out = pull_frames(&mut mix, LATENCY + frames);
    let expected: Vec<f32> = sine(440.0, 0.5, frames).chunks(2).map(|f| f[0]).collect();
    assert_eq!(peak(&out[..LATENCY]), 0.0);
    assert_eq!(&out[LATENCY..], &expected[..]);
}

#[test]
fn the_iterator_and_the_buffer_give_the_same_samples() {
    let heard = |take: &dyn Fn(&mut crate::sound::MixSource) -> Vec<f32>| {
        let (mixer, mut mix) = mixer();
        mixer.play(VoiceKey(1), tone(440.0, 0.5, 0.05), AMBIENT);
        mixer.play(VoiceKey(2), tone(700.0, 0.9, 0.05), HEADLINE);
        take(&mut mix)
    };
    let frames = 4_000;
    let at_once = heard(&|mix| {
        let mut out = vec![0.0; frames * 2];
        mix.render(&mut out);
        out
    });
    assert_eq!(at_once, heard(&|mix| mix.take(frames * 2).collect()));
    assert_eq!(
        at_once,
        heard(&|mix| {
            let mut out: Vec<f32> = mix.take(102).collect();
            out.resize(frames * 2, 0.0);
            mix.render(&mut out[102..]);
            out
        })
    );
}

#[test]
fn a_command_takes_effect_on_the_next_frame() {
    let (mixer, mut mix) = mixer();
    pull_frames(&mut mix, 1_001);
    mixer.play(VoiceKey(1), tone(1_000.0, 0.5, 0.1), AMBIENT);
    let out = pull_frames(&mut mix, LATENCY + 3);
    let first = out.iter().position(|&s| s != 0.0);
    // A sine's first sample is zero, its second is not.
    assert_eq!(first, Some(LATENCY + 1));
}

#[test]
fn a_voice_ends_with_its_clip_and_is_freed_by_the_stage() {
    let (mixer, mut mix) = mixer();
    let clip = tone(440.0, 0.5, 0.1);
    mixer.play(VoiceKey(1), clip.clone(), AMBIENT);
    pull(&mut mix, 0.05);
    assert_eq!(mixer.stats().sounding, 1);
    pull(&mut mix, 0.1);
    assert_eq!(mixer.stats().sounding, 0);
    assert_eq!(mixer.stats().held, 1, "its act may strike it again");
    mixer.stop(VoiceKey(1), Duration::ZERO);
    pull(&mut mix, 0.01);
    assert_eq!(mixer.stats().held, 0);
    assert_eq!(Arc::strong_count(&clip), 2, "the callback frees nothing");
    mixer.collect();
    assert_eq!(Arc::strong_count(&clip), 1);
}

#[test]
fn stopping_fades_without_a_click() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 2.0), AMBIENT);
    pull(&mut mix, 0.2);
    mixer.stop(VoiceKey(1), Duration::from_millis(100));
    let out = pull(&mut mix, 0.3);
    let half_way = &out[2_000..3_000];
    assert!((0.2..0.35).contains(&peak(half_way)), "{}", peak(half_way));
    assert!(sharpest_bend(&out) < SMOOTH * bend_of_sine(440.0, 0.5));
    assert_eq!(peak(&out[LATENCY + 4_800..]), 0.0);
    assert_eq!(mixer.stats().held, 0);
}

#[test]
fn a_shorter_stop_overtakes_a_longer_one() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 5.0), AMBIENT);
    pull(&mut mix, 0.1);
    mixer.stop(VoiceKey(1), Duration::from_secs(4));
    pull(&mut mix, 0.1);
    mixer.stop_all(Duration::from_millis(50));
    pull(&mut mix, 0.1);
    assert_eq!(mixer.stats().held, 0);
}

#[test]
fn playing_again_replaces_the_acts_voice_without_a_click() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.4, 1.0), AMBIENT);
    pull(&mut mix, 0.1);
    mixer.play(VoiceKey(1), tone(550.0, 0.4, 1.0), AMBIENT);
    let change = pull(&mut mix, 0.05);
    assert!(sharpest_bend(&change) < SMOOTH * 2.0 * bend_of_sine(550.0, 0.4) + 0.03);
    assert!((pitch(&pull(&mut mix, 0.2)) - 550.0).abs() < 1.0);
    assert_eq!(mixer.stats().held, 1);
}

#[test]
fn volumes_scale_the_whole_and_the_lane() {
    let (mixer, mut mix) = mixer();
    mixer.set_volume(0.5);
    mixer.set_lane_volume(Lane::Feature, 0.5);
    mixer.play(VoiceKey(1), tone(440.0, 0.4, 2.0), FEATURE);
    mixer.play(VoiceKey(2), tone(1_000.0, 0.4, 2.0), AMBIENT);
    pull(&mut mix, 0.1);
    let out = pull(&mut mix, 0.5);
    assert!((amplitude_at(&out, 440.0) - 0.1).abs() < 0.001);
    assert!((amplitude_at(&out, 1_000.0) - 0.2).abs() < 0.001);
}

#[test]
fn volumes_that_are_no_numbers_are_silence() {
    let (mixer, mut mix) = mixer();
    mixer.set_lane_volume(Lane::Ambient, f32::NAN);
    let endless = VoiceSettings {
        gain: f32::INFINITY,
        ..FEATURE
    };
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 1.0), AMBIENT);
    mixer.play(VoiceKey(2), tone(440.0, 0.5, 1.0), endless);
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
}

#[test]
fn muting_and_unmuting_do_not_click() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 2.0), AMBIENT);
    // A tone's own start is a bend of its own.
    pull(&mut mix, 0.02);
    let mut out = pull(&mut mix, 0.1234);
    mixer.set_muted(true);
    out.extend(pull(&mut mix, 0.1));
    assert_eq!(peak(&out[out.len() - 2_400..]), 0.0);
    mixer.set_muted(false);
    out.extend(pull(&mut mix, 0.1));
    assert!(peak(&out[out.len() - 2_400..]) > 0.49);
    assert!(sharpest_bend(&out) < SMOOTH * bend_of_sine(440.0, 0.5));
}

#[test]
fn nothing_of_a_sound_that_starts_muted_is_heard() {
    let (mixer, mut mix) = mixer();
    mixer.set_muted(true);
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 0.2), AMBIENT);
    assert_eq!(peak(&pull(&mut mix, 0.3)), 0.0);
    assert_eq!(mixer.stats().sounding, 0, "voices play on unheard");
}

#[test]
fn a_pause_holds_every_voice_where_it_is() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 0.5), AMBIENT);
    let mut out = pull(&mut mix, 0.2);
    mixer.set_paused(true);
    out.extend(pull(&mut mix, 1.0));
    assert_eq!(peak(&out[out.len() - 24_000..]), 0.0);
    mixer.set_paused(false);
    out.extend(pull(&mut mix, 0.5));
    let inner = LATENCY + 10..out.len() - 15_000;
    assert!(sharpest_bend(&out[inner]) < SMOOTH * bend_of_sine(440.0, 0.5));
    let heard = out.iter().filter(|s| s.abs() > 1e-6).count() as f64 / f64::from(RATE);
    assert!((heard - 0.5).abs() < 0.01, "{heard} s were heard of 0.5 s");
}

#[test]
fn what_is_cleared_during_a_pause_is_not_heard_after_it() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 2.0), AMBIENT);
    pull(&mut mix, 0.1);
    mixer.set_paused(true);
    pull(&mut mix, 0.1);
    mixer.stop_all(Duration::from_millis(300));
    pull(&mut mix, 0.01);
    assert_eq!(mixer.stats().held, 0);
    mixer.set_paused(false);
    assert_eq!(peak(&pull(&mut mix, 0.5)), 0.0);
}

#[test]
fn a_headline_ducks_the_other_lanes_and_lets_them_return() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.2, 6.0), AMBIENT);
    mixer.play(VoiceKey(2), tone(1_000.0, 0.2, 6.0), FEATURE);
    let before = pull(&mut mix, 0.5);
    mixer.play(VoiceKey(3), tone(3_000.0, 0.2, 1.0), HEADLINE);
    let start = pull_frames(&mut mix, LATENCY + 1);
    assert!(sharpest_bend(&start) < 0.01, "ducking begins gently");
    let going = pull(&mut mix, 0.3);
    let under = pull(&mut mix, 0.5);
    let coming = pull(&mut mix, 2.2);
    let after = pull(&mut mix, 0.5);

    let change = |hertz, of: &[f32]| {
        decibels(amplitude_at(of, hertz) / amplitude_at(&before[4_800..], hertz))
    };
    assert!((change(440.0, &under) + 12.04).abs() < 0.2);
    assert!((change(1_000.0, &under) + 6.02).abs() < 0.2);
    assert!(
        (amplitude_at(&under, 3_000.0) - 0.2).abs() < 0.002,
        "itself it leaves alone"
    );
    assert!(change(440.0, &after).abs() < 0.2);
    assert!(change(1_000.0, &after).abs() < 0.1);
    let roughest =
        bend_of_sine(440.0, 0.2) + bend_of_sine(1_000.0, 0.2) + bend_of_sine(3_000.0, 0.2);
    assert!(sharpest_bend(&going) < SMOOTH * roughest);
    assert!(sharpest_bend(&coming) < SMOOTH * roughest);
}

#[test]
fn a_flood_of_sounds_stays_within_its_places() {
    let (mixer, mut mix) = mixer();
    let clip = tone(440.0, 0.1, 1.0);
    for wave in 0..10 {
        for n in 0..100 {
            mixer.play(VoiceKey(wave * 100 + n), clip.clone(), AMBIENT);
        }
        pull(&mut mix, 0.05);
        let stats = mixer.stats();
        assert_eq!(stats.sounding as usize, SOUNDING_VOICES);
        assert!(stats.held as usize <= HELD_VOICES);
    }
    let stats = mixer.stats();
    assert!(stats.stolen > 0);
    assert_eq!(stats.dropped, 0);
    mixer.stop_all(Duration::from_millis(100));
    pull(&mut mix, 0.2);
    assert_eq!(mixer.stats().held, 0);
    mixer.collect();
    assert_eq!(Arc::strong_count(&clip), 1);
}

#[test]
fn the_quietest_ambient_voice_gives_way() {
    let (mixer, mut mix) = mixer();
    let loud = tone(440.0, 0.02, 3.0);
    mixer.play(VoiceKey(1), tone(3_000.0, 0.001, 3.0), HEADLINE);
    mixer.play(VoiceKey(2), tone(1_000.0, 0.01, 3.0), AMBIENT);
    for n in 3..=SOUNDING_VOICES as u64 {
        mixer.play(VoiceKey(n), loud.clone(), AMBIENT);
    }
    pull(&mut mix, 1.0);
    mixer.play(VoiceKey(99), tone(2_000.0, 0.01, 3.0), AMBIENT);
    let change = pull(&mut mix, 0.1);
    let out = pull(&mut mix, 0.5);
    assert!(amplitude_at(&out, 1_000.0) < 1e-4, "the quietest yields");
    assert!(amplitude_at(&out, 2_000.0) > 1e-3, "the new one is heard");
    assert!(
        amplitude_at(&out, 3_000.0) > 5e-4,
        "a headline never yields to it"
    );
    assert!(sharpest_bend(&change) < 0.05);
    assert_eq!(mixer.stats().stolen, 1);
}

#[test]
fn an_ambient_sound_takes_no_place_from_dearer_lanes() {
    let (mixer, mut mix) = mixer();
    let clip = tone(440.0, 0.01, 1.0);
    for n in 0..SOUNDING_VOICES as u64 {
        mixer.play(VoiceKey(n), clip.clone(), FEATURE);
    }
    mixer.play(VoiceKey(100), tone(2_000.0, 0.5, 1.0), AMBIENT);
    let out = pull(&mut mix, 0.2);
    assert!(amplitude_at(&out, 2_000.0) < 1e-4);
    assert_eq!(mixer.stats().refused, 1);
    mixer.play(VoiceKey(101), tone(2_000.0, 0.5, 1.0), HEADLINE);
    pull(&mut mix, 0.1);
    assert!(amplitude_at(&pull(&mut mix, 0.2), 2_000.0) > 0.4);
}

#[test]
fn a_mix_nobody_pulls_counts_what_it_drops_and_still_obeys_mute() {
    let (mixer, mut mix) = mixer();
    let clip = tone(440.0, 0.5, 1.0);
    for n in 0..10_000 {
        mixer.play(VoiceKey(n), clip.clone(), AMBIENT);
    }
    assert!(mixer.stats().dropped > 9_000);
    mixer.set_muted(true);
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
}

#[test]
fn a_mix_outlives_its_mixer() {
    let (mixer, mut mix) = mixer();
    mixer.play(VoiceKey(1), tone(440.0, 0.5, 0.1), AMBIENT);
    drop(mixer);
    assert!(peak(&pull(&mut mix, 0.05)) > 0.4);
    pull(&mut mix, 0.2);
    assert_eq!(peak(&pull(&mut mix, 0.1)), 0.0);
}

#[test]
fn a_clip_with_bad_samples_harms_nothing_else() {
    let (mixer, mut mix) = mixer();
    let mut samples = sine(440.0, 0.5, 4_800);
    samples[2_000] = f32::NAN;
    samples[2_200] = f32::INFINITY;
    mixer.play(
        VoiceKey(1),
        Arc::new(Clip::from_samples(&samples, RATE)),
        AMBIENT,
    );
    pull(&mut mix, 0.2);
    mixer.play(VoiceKey(2), tone(440.0, 0.5, 1.0), AMBIENT);
    pull(&mut mix, 0.5);
    assert!((peak(&pull(&mut mix, 0.2)) - 0.5).abs() < 0.01);
}
