//! Nothing on stage flashes harmfully, by WCAG 2.3.1: each gift alone and hurried, the
//! fullest stage that the lanes allow, and fast streaks with their counters and finales.
//! What does flash is told.

use std::fs;
use std::time::Duration;

use image::{Rgba, RgbaImage};

use crate::preview::{CATALOG, preview, studio};
use crate::program::{Program, folder};

/// A white square that is there and gone ten times in two seconds.
const STROBE: &str = r##"
[gift.strobe]
name = "Strobe"
kind = "particle"
lane = "headline"
seconds = 2
accents = ["#FFFFFF", "#FFFFFF"]

[[gift.strobe.picture]]
texture = "strobe"
size = 700
"##;

#[test]
fn no_gift_and_no_stage_full_of_them_flashes_harmfully() {
    // Each by itself, and hurried.
    judge(&["--captions", "off"], 32);
}

#[test]
fn no_fast_streak_and_no_finale_flashes_harmfully() {
    // With the counter, which beats at every growth.
    judge(&["--streak", "8", "--climax", "--captions", "on"], 16);
}

#[test]
fn a_strobe_fails_though_it_is_nothing_over_white() {
    let home = studio();
    let keys = (0..=20).map(|tenth| {
        let (at, alpha) = (f64::from(tenth) / 10.0, tenth % 2);
        format!("{{ at = {at:.1}, alpha = {alpha} }}")
    });
    let keys = keys.collect::<Vec<_>>().join(", ");
    let catalog = format!("{CATALOG}{STROBE}track = [{keys}]\n");
    fs::write(home.path().join("catalog.toml"), catalog).expect("a file");
    RgbaImage::from_pixel(16, 16, Rgba([255; 4]))
        .save(home.path().join("textures/strobe.png"))
        .expect("a file");
    let ran = preview(home.path(), &["strobe", "--flashes"]).wait();
    ran.ended_with(1);
    ran.said("more than three flashes within a second");
    let told = String::from_utf8_lossy(&ran.out).into_owned();
    let lines: Vec<_> = told.lines().collect();
    assert!(
        lines.len() == 2 && lines.iter().all(|line| line.ends_with(" FAILS")),
        "at its own pace and hurried:\n{told}"
    );
    assert!(!told.contains("over black: 0.0 general"), "{told}");
    let over_white = told.matches("over white: 0.0 general");
    assert_eq!(
        over_white.count(),
        2,
        "one ground is enough to fail\n{told}"
    );
}

/// More lines than this have to pass, and none may fail.
fn judge(given: &[&str], lines: usize) {
    let home = folder();
    let judged = ["preview", "all", "--headless", "--flashes"];
    let small = ["--size", "320x180", "--out", "out"];
    let words = [judged.as_slice(), &small, given].concat();
    let program = Program::start(&words, home.path(), &[]);
    let ran = program.wait_for(Duration::from_secs(1_500));
    let told = String::from_utf8_lossy(&ran.out).into_owned();
    assert!(ran.status.success(), "{told}\n{}", ran.err);
    // All of them were looked at, and so was the fullest stage.
    let passes = told.lines().filter(|line| line.ends_with(" passes"));
    assert!(
        passes.count() > lines && told.contains("(fullest stage)"),
        "{told}"
    );
}
