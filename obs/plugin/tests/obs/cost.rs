//! What the source costs OBS, against an image source of the same size that
//! changes as often: an animated GIF, which OBS decodes once and then uploads.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::harness::{Home, Obs, Scene, until};
use super::producer::Producer;

const SIZE: (u32, u32) = (1920, 1080);
const MEASURE: Duration = Duration::from_secs(8);
const ROUNDS: usize = 3;

#[test]
#[ignore = "a measurement: half a minute of all processors, with a GPU or with patience"]
fn what_a_changing_frame_costs() {
    let Some(home) = Home::new() else { return };
    let gif = home.path().join("changing.gif");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!("testsrc=size={}x{}:rate=33", SIZE.0, SIZE.1))
        .args(["-frames:v", "12"])
        .arg(&gif)
        .status()
        .unwrap();
    assert!(made.success());
    let mut producer = Producer::start(&home, "main");
    producer.tell(&format!("size {} {}", SIZE.0, SIZE.1));
    producer.tell("steady");
    let mut obs = home.start_sized(
        &[
            Scene::new("Nothing", []),
            Scene::new("Image", []),
            Scene::new("Ours", []),
        ],
        SIZE,
    );
    obs.call(
        "CreateInput",
        &json!({
            "sceneName": "Image", "inputName": "GIF", "inputKind": "image_source",
            "inputSettings": { "file": gif, "unload": true },
        }),
    );
    let (mut nothing, mut image, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        nothing.push(milliseconds_per_frame(&mut obs, "Nothing"));
        image.push(milliseconds_per_frame(&mut obs, "Image"));
        // A source is ticked wherever it is, so ours is there only in its turn.
        let settings = json!({ "instance": "main", "start_engine": false });
        obs.call(
            "CreateInput",
            &json!({
                "sceneName": "Ours", "inputName": "Gifts", "inputKind": "hyperfocus_gifts", "inputSettings": settings,
            }),
        );
        ours.push(milliseconds_per_frame(&mut obs, "Ours"));
        obs.call("RemoveInput", &json!({ "inputName": "Gifts" }));
        // OBS lets go of it when it draws the scene that it was in.
        until("the source is gone", || {
            let list = obs.call("GetInputList", &json!({ "inputKind": "hyperfocus_gifts" }));
            list["inputs"].as_array()?.is_empty().then_some(())
        });
    }
    println!("CPU of OBS per frame at {}x{}, in ms:", SIZE.0, SIZE.1);
    println!("  nothing     {nothing:.2?}");
    println!("  image       {image:.2?}");
    println!("  ours        {ours:.2?}");
    let (nothing, image, ours) = (least(&nothing), least(&image), least(&ours));
    let (ours, image) = (ours - nothing, image - nothing);
    println!("  ours adds {ours:.2} where the image adds {image:.2}");
    println!("figure obs.source_cpu {:.3}", ours / image);
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn milliseconds_per_frame(obs: &mut Obs, scene: &str) -> f64 {
    obs.switch_to(scene);
    sleep(Duration::from_secs(2));
    let before = (cpu_ticks(obs.pid()), frames(obs));
    sleep(MEASURE);
    let after = (cpu_ticks(obs.pid()), frames(obs));
    // A tick is 10 ms on every Linux.
    (after.0 - before.0) as f64 * 10.0 / (after.1 - before.1) as f64
}

fn frames(obs: &mut Obs) -> u64 {
    obs.call("GetStats", &json!({}))["renderTotalFrames"]
        .as_u64()
        .unwrap()
}

/// User and system time of all threads.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The program's name is in parentheses and may hold anything.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
