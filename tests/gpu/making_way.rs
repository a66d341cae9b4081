//! Features stand aside for a headline, with everything they have in the air.

use std::fs;
use std::path::Path;

use image::RgbaImage;

use crate::preview::{CATALOG, studio};
use crate::program::Program;

/// A feature that is nothing but a handful of green sparks, there from its beginning
/// to its end.
const SPRAY: &str = r##"
[gift.spray]
name = "Spray"
kind = "particle"
lane = "feature"
seconds = 4
accents = ["#FFFFFF", "#FFFFFF"]

[[gift.spray.emitter]]
template = "glow"
texture = "dot"
count = 60
extent = [60, 60, 0]
life = [3.9, 4.0]
size = [60, 60, 60]
fade = 0.95
colors = ["#00FF00"]
"##;

/// Three features, the third of them in the middle; then a headline, a red block.
const SHOW: &str = r#"{"at": 0.1, "giftId": "1", "giftType": "spray", "sender": {"userId": "1", "username": "Ann"}}
{"at": 0.2, "giftId": "2", "giftType": "spray", "sender": {"userId": "2", "username": "Bob"}}
{"at": 0.3, "giftId": "3", "giftType": "spray", "sender": {"userId": "3", "username": "Cat"}}
{"at": 0.8, "giftId": "4", "giftType": "block", "totalValue": 2000}
"#;

const FPS: f64 = 20.0;
/// Where the third feature is, and where it goes, of the stage's width and height.
const MIDDLE: (f32, f32) = (0.5, 0.5);
const ASIDE: (f32, f32) = (0.14, 0.18);
/// Half of the way, which no other feature takes and no card.
const ON_THE_WAY: (f32, f32) = (0.32, 0.34);

/// The frames of that show.
fn frames(home: &Path, motion: &str) -> Vec<RgbaImage> {
    let out = format!("{motion}/%d.png");
    let words = [
        "record",
        "--size",
        "160x90",
        "--fps",
        "20",
        "--seconds",
        "2.2",
        "--catalog",
        "catalog.toml",
        "--show",
        "show.jsonl",
        "--motion",
        motion,
        "--out",
        &out,
    ];
    Program::start(&words, home, &[]).wait().ended_with(0);
    let last = (2.0 * FPS) as usize;
    (0..=last)
        .map(|number| home.join(format!("{motion}/{number}.png")))
        .map(|path| image::open(path).unwrap().into_rgba8())
        .collect()
}

/// How green it is about there, or yellow over the block. Cards are neither.
fn green(frame: &RgbaImage, (x, y): (f32, f32)) -> u8 {
    let (x, y) = ((x * 160.0) as u32, (y * 90.0) as u32);
    let about = (x - 2..=x + 2).flat_map(|x| (y - 2..=y + 2).map(move |y| (x, y)));
    let seen = about.map(|(x, y)| {
        let [_, g, b, a] = frame.get_pixel(x, y).0;
        (u16::from(g.saturating_sub(b)) * u16::from(a) / 255) as u8
    });
    seen.max().unwrap()
}

fn frame_at(frames: &[RgbaImage], seconds: f64) -> &RgbaImage {
    &frames[(seconds * FPS) as usize]
}

#[test]
fn what_a_feature_has_in_the_air_makes_way_with_it() {
    let home = studio();
    fs::write(
        home.path().join("catalog.toml"),
        format!("{CATALOG}{SPRAY}"),
    )
    .unwrap();
    fs::write(home.path().join("show.jsonl"), SHOW).unwrap();
    for motion in ["full", "reduced"] {
        let frames = frames(home.path(), motion);
        let before = frame_at(&frames, 0.75);
        assert!(green(before, MIDDLE) > 100, "{motion}");
        assert!(green(before, ASIDE) < 40, "{motion}");
        let after = frame_at(&frames, 2.0);
        assert!(
            green(after, MIDDLE) < 40,
            "{motion}: it covers the headline"
        );
        assert!(green(after, ASIDE) > 100, "{motion}: it is not beside it");
        if motion == "reduced" {
            let passes = frames.iter().any(|frame| green(frame, ON_THE_WAY) > 40);
            assert!(!passes, "it flies where little is to move");
        }
    }
}
