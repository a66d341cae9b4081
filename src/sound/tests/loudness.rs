//! The gifts' own sounds, by the broadcasters' measure (EBU R128, ITU-R
//! BS.1770), each alone and together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebur128::{EbuR128, Mode};

use super::measure::*;
use crate::sound::{Clip, MixSource, RATE, VoiceKey, VoiceSettings, mixer};

/// What the files are brought to, LUFS; half a unit either way is not heard.
const LOUDNESS: f64 = -16.0;
const TOLERANCE: f64 = 0.5;

/// dBTP that nothing may exceed.
const HIGHEST: f64 = -1.0;

/// Largest file: nothing that lasts seven seconds needs more.
const LARGEST: u64 = 160_000;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sounds");
    let entries = std::fs::read_dir(folder).expect("the sounds' folder");
    let mut files: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 20, "only {} sounds", files.len());
    files
}

fn load(name: &str) -> Arc<Clip> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/sounds/{name}.ogg"));
    Clip::load(&path).expect("a good file")
}

/// Integrated loudness (LUFS) and true peak (dBTP) of interleaved stereo.
fn measure(samples: &[f32]) -> (f64, f64) {
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::TRUE_PEAK).expect("a meter");
    meter.add_frames_f32(samples).expect("whole frames");
    let peak = [0, 1].map(|channel| meter.true_peak(channel).expect("a channel"));
    (
        meter.loudness_global().expect("a loudness"),
        decibels(peak[0].max(peak[1])),
    )
}

/// Both channels of the next `seconds`.
fn hear(mix: &mut MixSource, seconds: f64) -> Vec<f32> {
    let mut out = vec![0.0; (seconds * f64::from(RATE)) as usize * 2];
    mix.render(&mut out);
    out
}

#[test]
fn every_sound_is_as_loud_as_the_others_and_none_clips() {
    let mut wrong = Vec::new();
    for path in files() {
        let clip = Clip::load(&path).expect("a good file");
        let (loudness, highest) = measure(clip.mip(0));
        if (loudness - LOUDNESS).abs() > TOLERANCE || highest > HIGHEST {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            wrong.push(format!("{name}: {loudness:.1} LUFS, {highest:.1} dBTP"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sound_begins_without_a_click_and_fades_to_silence() {
    for path in files() {
        let clip = Clip::load(&path).expect("a good file");
        let samples = clip.mip(0);
        let name = path.display();
        let first = peak(&samples[..2]);
        assert!(first < 0.02, "{name} begins at {first}");
        let last = decibels(peak(&samples[samples.len() - RATE as usize / 25..]).into());
        assert!(last < -55.0, "{name} ends at {last} dB");
    }
}

#[test]
fn every_sound_speaks_soon_and_is_small() {
    for path in files() {
        let clip = Clip::load(&path).expect("a good file");
        let name = path.display();
        // A third of a second; long gifts may hold their breath first.
        let start = &clip.mip(0)[..RATE as usize / 3 * 2];
        assert!(peak(start) > 0.01, "{name} begins with silence");
        assert!(clip.duration().as_secs_f64() <= 7.05, "{name} is long");
        let bytes = std::fs::metadata(&path).expect("its size").len();
        assert!(bytes <= LARGEST, "{name} has {bytes} bytes");
    }
}

#[test]
fn a_streak_strikes_every_sound_where_it_speaks_at_once() {
    for path in files() {
        let clip = Clip::load(&path).expect("a good file");
        let samples = clip.mip(0);
        let from = |frame: usize| &samples[frame * 2..];
        let at_once = &from(clip.strike())[..RATE as usize / 4 * 2];
        let name = path.display();
        assert!(peak(at_once) > 0.08, "{name}: {}", peak(at_once));
    }
    assert!(load("lion").strike() > 2 * RATE as usize, "the tag is read");
}

#[test]
fn a_gift_alone_leaves_the_mix_as_loud_as_its_file() {
    for name in ["rose", "lion", "disco"] {
        let (mixer, mut mix) = mixer();
        mixer.play(VoiceKey(1), load(name), AMBIENT);
        let (loudness, highest) = measure(&hear(&mut mix, 7.2));
        assert!(
            (loudness - LOUDNESS).abs() <= TOLERANCE,
            "{name}: {loudness} LUFS"
        );
        assert!(highest <= HIGHEST, "{name}: {highest} dBTP");
    }
}

/// The fullest stage: a headline, three features and ambient gifts that come
/// ten a second, with streaks, combos and climaxes among them.
fn crowded_stage(gain: f32) -> Vec<f32> {
    let (mixer, mut mix) = mixer();
    let louder = |settings: VoiceSettings| VoiceSettings { gain, ..settings };
    let ambient = [
        "rose", "heart", "coins", "money", "confetti", "love", "sparkle",
    ]
    .map(load);
    let (combo, climax) = (load("combo"), load("climax"));
    mixer.play(VoiceKey(1), load("universe"), louder(HEADLINE));
    for (n, name) in ["rocket", "disco", "planet"].into_iter().enumerate() {
        mixer.play(VoiceKey(2 + n as u64), load(name), louder(FEATURE));
    }
    let mut out = Vec::new();
    for n in 0..70_u64 {
        let key = VoiceKey(100 + n);
        mixer.play(key, ambient[n as usize % 7].clone(), louder(AMBIENT));
        if n % 3 == 0 {
            for count in 2..=5 {
                mixer.step(key, count);
            }
            let accent = crate::sound::Accent {
                semitones: 0,
                gain,
                lane: crate::catalog::Lane::Ambient,
            };
            mixer.accent(key, combo.clone(), accent);
            mixer.climax(VoiceKey(99 + n), 1.0);
            mixer.accent(VoiceKey(99 + n), climax.clone(), accent);
        }
        out.extend(hear(&mut mix, 0.1));
    }
    out
}

#[test]
fn the_fullest_stage_stays_under_minus_one_decibel_and_is_not_crushed() {
    for gain in [1.0, 4.0] {
        let (loudness, highest) = measure(&crowded_stage(gain));
        assert!(highest <= HIGHEST, "{highest} dBTP at gain {gain}");
        assert!(
            (-16.0..-4.0).contains(&loudness),
            "{loudness} LUFS at gain {gain}"
        );
    }
}

#[test]
fn a_headline_is_understood_over_a_crowd() {
    let heard = |with_crowd: bool| {
        let (mixer, mut mix) = mixer();
        mixer.play(VoiceKey(1), load("lion"), HEADLINE);
        for (n, name) in ["rose", "coins", "love"].into_iter().enumerate() {
            if with_crowd {
                mixer.play(VoiceKey(2 + n as u64), load(name), AMBIENT);
            }
        }
        // Before and after its roar the headline itself is quiet.
        hear(&mut mix, 2.2);
        measure(&hear(&mut mix, 1.8)).0
    };
    let crowd = heard(true) - heard(false);
    assert!(crowd < 1.5, "a ducked crowd adds {crowd} LU to the roar");
}
