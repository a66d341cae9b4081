//! Nothing on stage flashes harmfully, by WCAG 2.3.1: each gift alone and hurried, the
//! fullest stage that the lanes allow, and fast streaks with their finales.

use std::time::Duration;

use crate::program::{Program, folder};

#[test]
fn no_gift_and_no_stage_full_of_them_flashes_harmfully() {
    // Each by itself, and hurried.
    judge(&[], 32);
}

#[test]
fn no_fast_streak_and_no_finale_flashes_harmfully() {
    judge(&["--streak", "8", "--climax"], 16);
}

/// More lines than this have to pass, and none may fail.
fn judge(given: &[&str], lines: usize) {
    let home = folder();
    let judged = [
        "preview",
        "all",
        "--headless",
        "--flashes",
        "--captions",
        "off",
    ];
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
