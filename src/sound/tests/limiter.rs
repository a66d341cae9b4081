use std::sync::Arc;

use super::measure::*;
use crate::sound::limiter::Limiter;
use crate::sound::{CEILING, Clip, LATENCY, RATE, VoiceKey, VoiceSettings, mixer};

fn limit(samples: impl IntoIterator<Item = f32>) -> Vec<f32> {
    let mut limiter = Limiter::new();
    samples
        .into_iter()
        .map(|s| limiter.next([s, s])[0])
        .collect()
}

#[test]
fn sixty_loud_voices_stay_under_minus_one_decibel() {
    let (mixer, mut mix) = mixer();
    for n in 0..60 {
        let clip = tone(110.0 * (1.0 + n as f64 * 0.37), 1.0, 1.0);
        let settings = VoiceSettings {
            gain: 2.0,
            ..[AMBIENT, FEATURE, HEADLINE][n % 3]
        };
        mixer.play(VoiceKey(n as u64), clip, settings);
        if n % 7 == 0 {
            pull(&mut mix, 0.01);
        }
    }
    let out = pull(&mut mix, 0.7);
    assert!(
        true_peak(&out) <= CEILING,
        "{} dBTP",
        decibels(true_peak(&out).into())
    );
    assert!(rms(&out) > 0.2, "limited, not silenced");
}

#[test]
fn the_worst_waveforms_stay_under_minus_one_decibel() {
    let square = (0..24_000).map(|n| if n / 37 % 2 == 0 { 8.0 } else { -8.0 });
    let bursts = (0..24_000).map(|n| if n % 3_000 < 5 { 20.0 } else { 0.01 });
    // Samples at 45 degrees of a quarter of the rate: 3 dB under its peaks.
    let between = (0..24_000).map(|n| 1.2 * ((n as f32 + 0.5) * std::f32::consts::FRAC_PI_2).sin());
    let static_noise = noise(42).take(24_000).map(|s| s * 6.0);
    let swelling = noise(7)
        .take(24_000)
        .enumerate()
        .map(|(n, s)| s * n as f32 / 4_000.0);
    let waves: [(&str, Vec<f32>); 5] = [
        ("square", square.collect()),
        ("bursts", bursts.collect()),
        ("between", between.collect()),
        ("noise", static_noise.collect()),
        ("swelling", swelling.collect()),
    ];
    for (name, wave) in waves {
        let out = limit(wave);
        let highest = true_peak(&out);
        assert!(
            highest <= CEILING,
            "{name}: {} dBTP",
            decibels(highest.into())
        );
        assert!(peak(&out) > 0.3, "{name} is limited, not silenced");
    }
}

#[test]
fn what_is_quiet_enough_passes_bit_for_bit() {
    let wave: Vec<f32> = noise(3).take(20_000).map(|s| s * 0.4).collect();
    let out = limit(wave.clone());
    assert_eq!(&out[LATENCY..], &wave[..wave.len() - LATENCY]);
}

#[test]
fn the_gain_falls_smoothly_and_recovers() {
    let wave = sine(300.0, 0.5, RATE as usize);
    let wave = wave.chunks(2).enumerate().map(|(n, frame)| {
        // A tenth of a second is 12 dB too loud.
        if (10_000..14_800).contains(&n) {
            frame[0] * 6.0
        } else {
            frame[0]
        }
    });
    let out = limit(wave);
    assert!(peak(&out[11_000..14_000]) > 0.8, "uses the room it has");
    let after = rms(&out[40_000..47_000]);
    assert!(
        (after - 0.5 / 2.0_f64.sqrt()).abs() < 0.002,
        "recovers: {after}"
    );
}

#[test]
fn an_overloud_clip_leaves_the_next_one_untouched() {
    let (mixer, mut mix) = mixer();
    let loud = Arc::new(Clip::from_samples(&[20.0; 2_000], RATE));
    mixer.play(VoiceKey(1), loud, AMBIENT);
    assert!(peak(&pull(&mut mix, 0.1)) <= CEILING);
    mixer.play(VoiceKey(2), tone(440.0, 0.5, 0.5), AMBIENT);
    assert!((peak(&pull(&mut mix, 0.2)) - 0.5).abs() < 1e-3);
}
