//! Sound: at its level, from one source at a time, and whole in a recording.

use std::process::Command;

use serde_json::json;

use super::harness::{Home, Item, Obs, Scene, until};
use super::producer::Producer;

/// -12 dBFS.
const AMPLITUDE: f64 = 0.251_188_64;
/// How far from it a peak may be, which is half a decibel.
const TOLERANCE: f64 = 0.059 * AMPLITUDE;
const RECORD_NS: u64 = 3_000_000_000;

/// Waits until exactly these inputs sound, at the tone's level.
fn wait_for_tone_from(obs: &mut Obs, speaker: &str) {
    until(&format!("{speaker} alone sounds"), || {
        let volumes = obs.volumes();
        let mut is_heard = false;
        for volume in &volumes {
            if volume.input == speaker {
                is_heard = (volume.peak - AMPLITUDE).abs() <= TOLERANCE;
            } else if volume.peak > TOLERANCE {
                return None;
            }
        }
        is_heard.then_some(())
    });
}

#[test]
fn a_tone_is_heard_at_its_level_and_once() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("card");
    let mut obs = home.start(&[
        Scene::new("Main", [Item::showing("Gifts")]),
        Scene::new("Both", [Item::showing("Gifts"), Item::showing("Second")]),
        Scene::new("Other", [Item::showing("Second")]),
    ]);
    producer.tell(&format!("tone {AMPLITUDE}"));
    wait_for_tone_from(&mut obs, "Gifts");
    record(&mut obs);

    // Two sources on air play it once, and the one that is left plays on.
    obs.switch_to("Both");
    wait_for_tone_from(&mut obs, "Gifts");
    obs.switch_to("Other");
    wait_for_tone_from(&mut obs, "Second");
    obs.switch_to("Both");
    wait_for_tone_from(&mut obs, "Second");
    obs.switch_to("Main");
    wait_for_tone_from(&mut obs, "Gifts");

    producer.tell("tone 0");
    until("it is quiet", || {
        let volumes = obs.volumes();
        volumes
            .iter()
            .all(|volume| volume.peak <= TOLERANCE)
            .then_some(())
    });
}

/// Records some seconds and looks at what was recorded.
fn record(obs: &mut Obs) {
    obs.call("StartRecord", &json!({}));
    let mut path = String::new();
    until("some seconds are recorded", || {
        let status = obs.call("GetRecordStatus", &json!({}));
        let recorded = status["outputDuration"].as_u64().unwrap_or_default();
        (recorded * 1_000_000 >= RECORD_NS).then_some(())
    });
    until("the recording is written", || {
        let stopped = obs.try_call("StopRecord", &json!({})).ok()?;
        path = stopped["outputPath"].as_str()?.to_owned();
        Some(())
    });
    until("the recording is closed", || {
        (obs.call("GetRecordStatus", &json!({}))["outputActive"] == false).then_some(())
    });
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &path, "-map", "0:a:0"])
        // The left one as it is; a mix to mono would be louder.
        .args(["-af", "pan=mono|c0=c0"])
        .args(["-f", "f32le", "-ar", "48000", "-"])
        .output()
        .unwrap();
    assert!(
        decoded.status.success(),
        "{path}: {}",
        String::from_utf8_lossy(&decoded.stderr)
    );
    let samples: Vec<f64> = decoded
        .stdout
        .chunks_exact(4)
        .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
        .collect();
    // A tenth of a second each; the first ones belong to the encoder's start.
    let levels: Vec<f64> = samples
        .chunks_exact(4800)
        .map(|window| {
            let power = window.iter().map(|sample| sample * sample).sum::<f64>() / 4800.0;
            10.0 * (2.0 * power).log10()
        })
        .collect();
    assert!(levels.len() >= 25, "{levels:.1?}");
    let inner = &levels[2..levels.len() - 2];
    println!("recorded level in dB: {:.2?}", inner);
    let close = inner.iter().filter(|level| (*level + 12.0).abs() <= 0.5);
    // On a busy machine OBS may once insert a gap to catch up.
    assert!(close.count() * 10 >= inner.len() * 8, "{levels:.1?}");
}
