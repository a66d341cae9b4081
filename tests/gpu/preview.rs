//! `hyperfocus preview` without a window, on a catalogue of one gift: a block of
//! one colour that fills most of the stage.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbaImage};
use tempfile::TempDir;

use crate::program::{Program, folder};

pub const CATALOG: &str = r##"
[lanes]
feature = 100
headline = 1000

[fallback]
name = "Gift"
kind = "particle"
seconds = 1
accents = ["#FFFFFF", "#FFFFFF"]

[[fallback.picture]]
texture = "block"
size = 100
track = [{ at = 0.0 }]

[gift.block]
name = "Block"
kind = "particle"
lane = "headline"
seconds = 2
accents = ["#FFFFFF", "#FFFFFF"]

[[gift.block.picture]]
texture = "block"
size = 700
track = [{ at = 0.0 }]
"##;

/// The line on which the gift's texture is named.
const LINE: usize = 25;
pub const RED: [u8; 3] = [220, 20, 20];
const BLUE: [u8; 3] = [20, 20, 220];

/// A folder with the catalogue and its one texture.
pub fn studio() -> TempDir {
    let home = folder();
    fs::create_dir(home.path().join("textures")).unwrap();
    fs::write(home.path().join("catalog.toml"), CATALOG).unwrap();
    // What idle particles wear.
    let dot = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/textures/dot.png");
    fs::copy(dot, home.path().join("textures/dot.png")).unwrap();
    paint_block(home.path(), RED);
    home
}

fn paint_block(home: &Path, [r, g, b]: [u8; 3]) {
    RgbaImage::from_pixel(16, 16, image::Rgba([r, g, b, 255]))
        .save(home.join("textures/block.png"))
        .unwrap();
}

pub fn preview(home: &Path, more: &[&str]) -> Program {
    let mut arguments = vec!["preview", "--headless", "--size", "160x90"];
    arguments.extend([
        "--catalog",
        "catalog.toml",
        "--captions",
        "off",
        "--out",
        "out",
    ]);
    arguments.extend(more);
    Program::start(&arguments, home, &[])
}

fn near(pixel: Rgb<u8>, other: [u8; 3]) -> bool {
    (0..3).all(|c| pixel.0[c].abs_diff(other[c]) < 12)
}

/// The colour in the middle of a picture that the preview wrote.
fn middle(path: &Path) -> Option<Rgb<u8>> {
    let picture = image::open(path).ok()?.into_rgb8();
    Some(*picture.get_pixel(picture.width() / 2, picture.height() / 2))
}

#[test]
fn a_gift_is_drawn_at_each_moment_over_each_ground() {
    let home = studio();
    let run = preview(
        home.path(),
        &[
            "block",
            "--at",
            "0.5,1",
            "--over",
            "white,game",
            "--sheet",
            "2",
        ],
    );
    let ran = run.wait();
    ran.ended_with(0);
    let told = String::from_utf8(ran.out).unwrap();
    let files: Vec<PathBuf> = told.lines().map(|line| home.path().join(line)).collect();
    assert_eq!(files.len(), 5, "{told}");
    for name in ["block-0.50s-white", "block-1.00s-white", "block-0.50s-game"] {
        let path = home.path().join(format!("out/{name}.png"));
        let picture = image::open(&path).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (160, 90));
        assert!(near(*picture.get_pixel(80, 45), RED), "{name}");
        if name.ends_with("white") {
            assert_eq!(picture.get_pixel(2, 2).0, [255; 3]);
        }
    }
    assert!(home.path().join("out/block-sheet.png").is_file());
}

#[test]
fn a_gift_that_there_is_not_is_told_with_the_nearest() {
    let home = studio();
    let ran = preview(home.path(), &["blok"]).wait();
    ran.ended_with(1);
    ran.said("no gift is called blok; did you mean block?");
    let ran = preview(home.path(), &["block", "--over", "blak"]).wait();
    ran.ended_with(2);
    ran.said("did you mean black?");
}

#[test]
fn edits_are_drawn_again_and_a_bad_one_keeps_the_last_good() {
    let home = studio();
    let picture = home.path().join("out/block-0.50s-black.png");
    let run = preview(
        home.path(),
        &["block", "--at", "0.5", "--over", "black", "--watch"],
    );
    run.says("watching");
    assert!(near(middle(&picture).unwrap(), RED));
    let until = |colour| {
        run.comes_to("the picture has another colour", || {
            middle(&picture).is_some_and(|pixel| near(pixel, colour))
        });
    };
    paint_block(home.path(), BLUE);
    until(BLUE);

    let catalog = home.path().join("catalog.toml");
    fs::write(&catalog, CATALOG.replace("texture =", "textur =")).unwrap();
    run.says("catalog.toml:13");
    run.says("did you mean `texture`?");
    let missing = CATALOG.replace("\"block\"\nsize = 700", "\"blok\"\nsize = 700");
    // With the texture gone bad as well, what was good is still drawn.
    fs::write(home.path().join("textures/block.png"), b"\x89PNG").unwrap();
    run.says("textures/block.png, which is no good PNG");
    paint_block(home.path(), RED);
    fs::write(&catalog, CATALOG.replace("size = 700", "size = 710")).unwrap();
    until(RED);
    fs::write(&catalog, missing).unwrap();
    run.says(&format!(
        "catalog.toml:{LINE}: block names textures/blok.png, which is not there; did you mean `block`?"
    ));
    let ran = run.end_by("TERM");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn a_film_has_a_frame_for_every_thirtieth_of_a_second() {
    let home = studio();
    // Longer than the gift, which begins again.
    let more = [
        "block",
        "--png-sequence",
        "film",
        "--seconds",
        "2.2",
        "--over",
        "white",
    ];
    preview(home.path(), &more).wait().ended_with(0);
    let frames = fs::read_dir(home.path().join("film")).unwrap().count();
    assert_eq!(frames, 66);
    for index in [10, 40, 65] {
        let frame = home.path().join(format!("film/{index:06}.png"));
        assert!(near(middle(&frame).unwrap(), RED), "{index}");
    }
}

#[test]
fn what_a_gift_costs_is_told_frame_by_frame() {
    let home = studio();
    let ran = preview(home.path(), &["block", "--cost"]).wait();
    ran.ended_with(0);
    let told = String::from_utf8(ran.out).unwrap();
    let row = told
        .lines()
        .find(|line| line.starts_with("block"))
        .unwrap_or_else(|| panic!("no row in\n{told}"));
    let figures: Vec<f64> = row
        .split_whitespace()
        .skip(1)
        .map(|figure| figure.parse().unwrap())
        .collect();
    let [frames, mean, p95, worst, .., pipelines] = figures[..] else {
        panic!("{row}");
    };
    assert!((58.0..=63.0).contains(&frames), "{row}");
    assert!(0.0 < mean && mean <= worst && p95 <= worst, "{row}");
    assert_eq!(pipelines, 0.0, "a first play makes no pipelines");
}
