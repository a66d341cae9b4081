//! A graphics card that fails, here at a picture that none has room for.

use std::fs;

use image::RgbaImage;
use tempfile::TempDir;

use crate::preview::{CATALOG, studio};
use crate::program::Program;

/// A gift in two layers of which one is a model that wears a picture wider than any card
/// takes. (What the catalogue itself names is measured before anything is drawn.)
fn too_wide() -> TempDir {
    let home = studio();
    let models = home.path().join("models");
    fs::create_dir(&models).expect("a folder");
    RgbaImage::new(40_000, 1)
        .save(models.join("wide.png"))
        .expect("a file");
    fs::write(models.join("block.glb"), glb(WEARER)).expect("a file");
    let model = r#"model = { file = "block.glb", size = 100, track = [{ at = 0.0 }] }"#;
    let catalog = CATALOG.replacen("[[gift.block.", &format!("{model}\n\n[[gift.block."), 1);
    fs::write(home.path().join("catalog.toml"), catalog).expect("a file");
    home
}

const WEARER: &str = r#"{
    "asset": { "version": "2.0" },
    "images": [{ "uri": "wide.png" }],
    "textures": [{ "source": 0 }],
    "materials": [{ "pbrMetallicRoughness": { "baseColorTexture": { "index": 0 } } }],
    "scenes": [{ "nodes": [] }]
}"#;

/// A binary glTF of its description alone, as the specification (4.4) lays it out.
fn glb(description: &str) -> Vec<u8> {
    let mut chunk = description.as_bytes().to_vec();
    chunk.resize(chunk.len().next_multiple_of(4), b' ');
    let length = u32::try_from(chunk.len()).expect("a short text");
    let mut file = b"glTF".to_vec();
    for number in [2, 12 + 8 + length, length] {
        file.extend(number.to_le_bytes());
    }
    file.extend(b"JSON");
    file.extend(chunk);
    file
}

/// What was said, and that it is an error.
fn fails(words: &[&str], variables: &[(&str, &str)]) {
    let home = too_wide();
    let show = r#"{"at": 0.1, "giftId": "1", "giftType": "block"}"#;
    fs::write(home.path().join("show.jsonl"), show).expect("a file");
    let words = [words, &["--size", "160x90", "--catalog", "catalog.toml"]].concat();
    let ran = Program::start(&words, home.path(), variables).wait();
    ran.ended_with(1);
    ran.said("the graphics card or its driver failed");
}

// Nobody answers there, and nobody need.
const RUN: [&str; 5] = ["run", "--url", "ws://127.0.0.1:9/", "--stream", "s"];

#[test]
fn a_run_whose_card_fails_says_so_and_ends_with_an_error() {
    fails(&[&RUN[..], &["--headless"]].concat(), &[]);
}

#[test]
fn a_recording_whose_card_fails_does_not_wait_for_it() {
    fails(&["record", "--show", "show.jsonl", "--out", "%d.png"], &[]);
}

#[cfg(all(feature = "desktop", target_os = "linux"))]
#[test]
fn a_window_whose_card_fails_ends_in_good_order() {
    let Some(display) = crate::window::Display::open() else {
        return;
    };
    fails(&RUN, &[("DISPLAY", &display.name)]);
}
