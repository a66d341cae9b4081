//! Golden images of the gifts: one folder per case in `tests/data/golden`, with
//! `case.toml` (what plays and when) and `expected.png` (over a dark ground on
//! the left and a light one on the right of the same frame).
//!
//! The clock is moved by hand and the seeds are fixed, but which particle of a
//! burst lands where is the driver's and hanabi's business, and a GPU blooms
//! finer than a CPU. So pictures are compared as means over blocks: where
//! there is light, how much and of which colour. On failure the actual and the
//! difference images are written to `golden/` in the test's temporary folder
//! under `target`.
//!
//! `HYPERFOCUS_BLESS=1` writes `expected.png` anew; look at what it wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyperfocus::catalog::Catalog;
use hyperfocus::config::Size;
use hyperfocus::engine::Rehearsal;
use hyperfocus::model::{Gift, Sender};
use image::{Rgb, RgbImage};

/// Side of the squares that are compared, pixels.
const BLOCK: u32 = 8;
const SIZE: Size = Size {
    width: 480,
    height: 270,
};
const DARK: [u8; 3] = [18, 18, 24];
const LIGHT: [u8; 3] = [236, 236, 240];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    gift: String,
    quantity: u32,
    value: f64,
    sender: String,
    /// Seconds on the recipe's timeline.
    at: f32,
    tolerance: Tolerance,
}

/// How far the image may be from the expected one.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    /// Mean absolute difference of the blocks, in levels of 255.
    mean: f64,
    /// A block whose mean is further off than this, in levels, is different ...
    block: f64,
    /// ... and no larger share of them may be, 0 to 1.
    share: f64,
}

impl Case {
    fn gift(&self) -> Gift {
        let sender = Sender::named("u", self.sender.as_str());
        Gift {
            quantity: self.quantity,
            total_value: self.value,
            ..Gift::one("golden", self.gift.as_str(), sender)
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn cases() -> Vec<(String, Case)> {
    let mut cases: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let text = std::fs::read_to_string(entry.path().join("case.toml")).unwrap();
            let case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, case)
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

/// Straight-alpha pixels over `ground`.
fn over(pixels: &[u8], ground: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(SIZE.width, SIZE.height, |x, y| {
        let at = ((y * SIZE.width + x) * 4) as usize;
        let alpha = f32::from(pixels[at + 3]) / 255.0;
        Rgb(std::array::from_fn(|channel| {
            let colour = f32::from(pixels[at + channel]);
            let under = f32::from(ground[channel]);
            (colour * alpha + under * (1.0 - alpha)).round() as u8
        }))
    })
}

fn over_both(pixels: &[u8]) -> RgbImage {
    let mut both = RgbImage::new(SIZE.width * 2, SIZE.height);
    image::imageops::replace(&mut both, &over(pixels, DARK), 0, 0);
    image::imageops::replace(&mut both, &over(pixels, LIGHT), i64::from(SIZE.width), 0);
    both
}

/// Each block's mean colour, row by row.
fn blocks(image: &RgbImage) -> Vec<[f64; 3]> {
    let (columns, rows) = (
        image.width().div_ceil(BLOCK),
        image.height().div_ceil(BLOCK),
    );
    let mut sums = vec![([0.0; 3], 0.0); (columns * rows) as usize];
    for (x, y, pixel) in image.enumerate_pixels() {
        let (sum, count) = &mut sums[(y / BLOCK * columns + x / BLOCK) as usize];
        for (total, value) in sum.iter_mut().zip(pixel.0) {
            *total += f64::from(value);
        }
        *count += 1.0;
    }
    sums.into_iter()
        .map(|(sum, count)| sum.map(|total| total / count))
        .collect()
}

/// Mean difference of the blocks, and the share that is beyond `limit`.
fn differ(actual: &RgbImage, expected: &RgbImage, limit: f64) -> (f64, f64) {
    let (actual, expected) = (blocks(actual), blocks(expected));
    let count = actual.len() as f64;
    let (mut total, mut beyond) = (0.0, 0.0);
    for (a, b) in actual.iter().zip(&expected) {
        let apart = (0..3).map(|c| (a[c] - b[c]).abs()).sum::<f64>() / 3.0;
        total += apart;
        beyond += f64::from(u8::from(apart > limit));
    }
    (total / count, beyond / count)
}

/// Writes what is to be looked at; returns where.
fn write_difference(name: &str, actual: &RgbImage, expected: &RgbImage) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    std::fs::create_dir_all(&folder).unwrap();
    actual
        .save(folder.join(format!("{name}.actual.png")))
        .unwrap();
    let difference = RgbImage::from_fn(actual.width(), actual.height(), |x, y| {
        let (a, b) = (actual.get_pixel(x, y), expected.get_pixel(x, y));
        Rgb(std::array::from_fn(|c| a[c].abs_diff(b[c])))
    });
    difference
        .save(folder.join(format!("{name}.difference.png")))
        .unwrap();
    folder
}

#[test]
fn every_gift_looks_as_it_was_approved() {
    let _alone = crate::offscreen::alone();
    let bless = std::env::var_os("HYPERFOCUS_BLESS").is_some();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let catalog = Arc::new(Catalog::load(&assets.join("catalog.toml")).unwrap());
    let cases = cases();
    for recipe in catalog.gifts.keys() {
        let has_one = cases.iter().any(|(_, case)| *case.gift == **recipe);
        assert!(has_one, "{recipe} has no golden image; add a folder for it");
    }
    let mut rehearsal = Rehearsal::open(catalog, SIZE).unwrap();
    let mut failures = Vec::new();
    for (name, case) in cases {
        let frame = rehearsal.still(case.gift(), case.at).unwrap();
        assert_eq!((frame.width, frame.height), (SIZE.width, SIZE.height));
        let actual = over_both(&frame.pixels);
        let path = folder().join(&name).join("expected.png");
        if bless {
            actual.save(&path).unwrap();
            continue;
        }
        let expected = image::open(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .into_rgb8();
        assert_eq!(actual.dimensions(), expected.dimensions(), "{name}");
        let limit = &case.tolerance;
        let (mean, share) = differ(&actual, &expected, limit.block);
        eprintln!(
            "{name}: mean {mean:.2}, {:.2} % of blocks differ",
            share * 100.0
        );
        if mean > limit.mean || share > limit.share {
            let seen = write_difference(&name, &actual, &expected);
            failures.push(format!(
                "{name}: blocks differ by {mean:.2} levels (limit {}), {:.2} % of them by more \
                 than {} (limit {:.2} %); look into {}",
                limit.mean,
                share * 100.0,
                limit.block,
                limit.share * 100.0,
                seen.display()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_moment_after_the_end_is_refused_by_name() {
    let _alone = crate::offscreen::alone();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut catalog = Catalog::load(&assets.join("catalog.toml")).unwrap();
    // A stage for one gift is warm sooner.
    catalog.gifts.retain(|key, _| &**key == "rose");
    let mut rehearsal = Rehearsal::open(Arc::new(catalog), SIZE).unwrap();
    let (_, case) = cases()
        .into_iter()
        .find(|(_, case)| case.gift == "rose")
        .unwrap();
    let refused = rehearsal.still(case.gift(), 60.0).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("rose is over before second 60"),
        "{refused}"
    );
}
