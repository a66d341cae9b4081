use std::path::{Path, PathBuf};

use super::measure::*;
use crate::sound::{Clip, ClipError, RATE};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/sound")
        .join(name)
}

fn left(clip: &Clip) -> Vec<f32> {
    clip.mip(0).chunks(2).map(|frame| frame[0]).collect()
}

/// Writes `bytes` to a file and loads it.
fn load_bytes(bytes: &[u8]) -> Result<std::sync::Arc<Clip>, ClipError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("gift.ogg");
    std::fs::write(&path, bytes).expect("a temporary file");
    Clip::load(&path)
}

fn error_of(result: Result<std::sync::Arc<Clip>, ClipError>) -> ClipError {
    result.expect_err("it cannot be played")
}

#[test]
fn an_ogg_is_decoded_at_its_level_and_pitch() {
    let clip = Clip::load(&data("tone-440.ogg")).expect("a good file");
    assert_eq!(clip.frames(), RATE as usize);
    assert!((clip.peak() - 0.5).abs() < 0.03, "{}", clip.peak());
    let middle = &left(&clip)[4_800..43_200];
    assert!((pitch(middle) - 440.0).abs() < 0.1);
    assert!((rms(middle) - 0.5 / 2.0_f64.sqrt()).abs() < 0.01);
}

#[test]
fn another_rate_is_converted_without_changing_pitch_or_level() {
    let clip = Clip::load(&data("tone-1000-44k.ogg")).expect("a good file");
    assert_eq!(clip.frames(), RATE as usize / 2);
    let middle = &left(&clip)[4_800..19_200];
    assert!((pitch(middle) - 1_000.0).abs() < 0.1);
    assert!((amplitude_at(middle, 1_000.0) - 0.5).abs() < 0.01);
    let right: Vec<f32> = clip.mip(0).chunks(2).map(|frame| frame[1]).collect();
    let right = amplitude_at(&right[4_800..19_200], 1_000.0);
    assert!((right - 0.25).abs() < 0.01, "channels stay apart: {right}");
}

#[test]
fn conversion_leaves_no_images_and_keeps_the_treble() {
    for (rate, hertz) in [(44_100, 15_000.0), (32_000, 11_000.0), (96_000, 18_000.0)] {
        let samples: Vec<f32> = (0..rate)
            .flat_map(|n| {
                let phase = std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate);
                [(0.5 * phase.sin()) as f32; 2]
            })
            .collect();
        let clip = Clip::from_samples(&samples, rate);
        let middle = &left(&clip)[9_600..38_400];
        let level = amplitude_at(middle, hertz);
        assert!(decibels(level / 0.5).abs() < 0.1, "{rate}: {level}");
        // Whatever is not the tone is an artefact.
        let rest = (rms(middle).powi(2) - level.powi(2) / 2.0).abs().sqrt();
        assert!(
            decibels(rest / 0.35) < -55.0,
            "{rate}: {} dB",
            decibels(rest / 0.35)
        );
    }
    // 40 kHz cannot be represented at 48 kHz and must not fold to 8 kHz.
    let inaudible: Vec<f32> = (0..96_000)
        .flat_map(|n| {
            [(std::f64::consts::TAU * 40_000.0 * f64::from(n) / 96_000.0).sin() as f32; 2]
        })
        .collect();
    let folded = rms(&left(&Clip::from_samples(&inaudible, 96_000))[9_600..38_400]);
    assert!(decibels(folded) < -60.0, "{} dB", decibels(folded));
}

#[test]
fn a_file_cut_at_a_loud_sample_ends_smoothly() {
    let clip = Clip::from_samples(&[0.5; 9_600], RATE);
    let samples = left(&clip);
    assert_eq!(samples.last(), Some(&0.0));
    assert!(sharpest_bend(&samples) < 0.02);
}

#[test]
fn a_missing_file_is_named() {
    let error = error_of(Clip::load(&data("no-such.ogg")));
    assert!(matches!(error, ClipError::Unreadable { .. }));
    let text = error.to_string();
    assert!(
        text.contains("no-such.ogg") && text.contains("catalogue"),
        "{text}"
    );
}

#[test]
fn a_folder_is_no_sound() {
    assert!(matches!(
        error_of(Clip::load(&data(""))),
        ClipError::Unreadable { .. }
    ));
}

#[test]
fn what_is_not_ogg_vorbis_says_how_to_convert_it() {
    for bytes in [&b""[..], b"RIFF....WAVEfmt ", b"<!doctype html>", b"Ogg"] {
        let error = error_of(load_bytes(bytes));
        assert!(matches!(error, ClipError::NotVorbis { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("gift.ogg") && text.contains("ffmpeg -i"),
            "{text}"
        );
    }
}

#[test]
fn an_ogg_without_vorbis_says_how_to_convert_it() {
    let mut bytes = b"OggS\0\x06".to_vec();
    bytes.extend([0; 20]);
    bytes.extend([1, 8]);
    bytes.extend(b"OpusHead");
    assert!(matches!(
        error_of(load_bytes(&bytes)),
        ClipError::NotVorbis { .. }
    ));
}

#[test]
fn a_file_cut_anywhere_is_called_cut_off() {
    let whole = std::fs::read(data("tone-440.ogg")).expect("the test's data");
    for len in (4..whole.len()).step_by(7) {
        let error = error_of(load_bytes(&whole[..len]));
        assert!(
            matches!(error, ClipError::Truncated { .. }),
            "{len} bytes: {error}"
        );
    }
    let pages: Vec<usize> = whole
        .windows(4)
        .enumerate()
        .filter_map(|(at, magic)| (magic == b"OggS").then_some(at))
        .skip(1)
        .collect();
    assert!(!pages.is_empty());
    for at in pages {
        let error = error_of(load_bytes(&whole[..at]));
        assert!(
            matches!(error, ClipError::Truncated { .. }),
            "cut between pages: {error}"
        );
    }
}

#[test]
fn damage_is_an_error_or_a_sound_but_never_a_panic() {
    let whole = std::fs::read(data("tone-440.ogg")).expect("the test's data");
    let mut where_to = noise(99).map(|x| ((x + 1.0) * 0.5 * whole.len() as f32) as usize);
    for round in 0..300_u32 {
        let mut bytes = whole.clone();
        for _ in 0..1 + round % 4 {
            let at = where_to.next().unwrap_or(0).min(bytes.len() - 1);
            bytes[at] ^= 1 << (round % 8);
        }
        if let Err(error) = load_bytes(&bytes) {
            assert!(error.to_string().contains("gift.ogg"), "{error}");
        }
    }
}

#[test]
fn too_long_and_too_many_channels_say_what_to_do() {
    let text = error_of(Clip::load(&data("too-long.ogg"))).to_string();
    assert!(
        text.contains("too-long.ogg") && text.contains("-t 30"),
        "{text}"
    );
    let text = error_of(Clip::load(&data("four-channels.ogg"))).to_string();
    assert!(
        text.contains("4 channels") && text.contains("-ac 2"),
        "{text}"
    );
}

#[test]
fn a_clip_made_of_samples_is_bounded_too() {
    let long = vec![0.0; 8_000 * 2 * 31];
    let clip = Clip::from_samples(&long, 8_000);
    assert_eq!(clip.duration(), crate::sound::LONGEST_CLIP);
    assert_eq!(Clip::from_samples(&[], RATE).frames(), 0);
}
