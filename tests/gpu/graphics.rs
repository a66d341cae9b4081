//! A graphics card that fails, here at a picture that none has room for.

use std::fs;

use image::RgbaImage;
use tempfile::TempDir;

use crate::preview::studio;
use crate::program::Program;

/// A gift whose texture is wider than any card takes.
fn too_wide() -> TempDir {
    let home = studio();
    RgbaImage::new(40_000, 1)
        .save(home.path().join("textures/block.png"))
        .expect("a file");
    home
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
