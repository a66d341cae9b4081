//! Golden images of the gifts: one folder per case in `tests/data/golden`, with
//! `case.toml` (what plays and when) and `expected.png` (over a dark ground on
//! the left and a light one on the right of the same frame).
//!
//! The clock is moved by hand and the seeds are fixed, but which particle of a
//! burst lands where is the driver's and hanabi's business, and a GPU blooms
//! finer than a CPU. So pictures are compared as means over blocks: where
//! there is light, how much and of which colour. What differs is divided by the
//! blocks in which there is anything, as most of a stage is bare. On failure
//! the actual and the difference images are written to `golden/` in the test's
//! temporary folder under `target`.
//!
//! A tolerance leaves room for every particle of a burst to be elsewhere, as in
//! a preview, which draws at another rate, and for the finest bloom: about a
//! quarter more than they come to, and 4 levels and 3 % at the least. Where that
//! would let half a picture pass, the case has larger blocks.
//!
//! `HYPERFOCUS_BLESS=1` writes `expected.png` anew; look at what it wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyperfocus::catalog::Catalog;
use hyperfocus::config::Size;
use hyperfocus::engine::Rehearsal;
use hyperfocus::model::{Gift, Sender};
use image::{Rgb, RgbImage};

/// A block whose mean colour is further off than this is far off, in levels of 255.
const FAR: f64 = 24.0;
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
    /// Side of the blocks, pixels.
    side: u32,
    /// How far all blocks together may be off, in levels of 255 for each in which
    /// the expected image has anything.
    mean: f64,
    /// How many may be far off, for each in which it has anything.
    share: f64,
}

/// How far an image is from the expected one, measured alike.
struct Difference {
    mean: f64,
    share: f64,
}

impl Difference {
    fn passes(&self, limit: &Tolerance) -> bool {
        self.mean <= limit.mean && self.share <= limit.share
    }
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

/// A stage with nothing on it.
fn bare() -> RgbImage {
    over_both(&vec![0; (SIZE.width * SIZE.height * 4) as usize])
}

/// Each block's mean colour, row by row.
fn blocks(image: &RgbImage, side: u32) -> Vec<[f64; 3]> {
    let (columns, rows) = (image.width().div_ceil(side), image.height().div_ceil(side));
    let mut sums = vec![([0.0; 3], 0.0); (columns * rows) as usize];
    for (x, y, pixel) in image.enumerate_pixels() {
        let (sum, count) = &mut sums[(y / side * columns + x / side) as usize];
        for (total, value) in sum.iter_mut().zip(pixel.0) {
            *total += f64::from(value);
        }
        *count += 1.0;
    }
    sums.into_iter()
        .map(|(sum, count)| sum.map(|total| total / count))
        .collect()
}

/// How far each block of one image is from the same of another, in levels.
fn apart(one: &RgbImage, other: &RgbImage, side: u32) -> Vec<f64> {
    let pairs = blocks(one, side).into_iter().zip(blocks(other, side));
    pairs
        .map(|(a, b)| (0..3).map(|c| (a[c] - b[c]).abs()).sum::<f64>() / 3.0)
        .collect()
}

fn differ(actual: &RgbImage, expected: &RgbImage, side: u32) -> Difference {
    let count_beyond = |apart: &[f64], level| apart.iter().filter(|a| **a > level).count() as f64;
    let there = count_beyond(&apart(expected, &bare(), side), 1.0);
    let apart = apart(actual, expected, side);
    Difference {
        mean: apart.iter().sum::<f64>() / there,
        share: count_beyond(&apart, FAR) / there,
    }
}

/// What a tolerance without teeth would let pass for `expected`.
fn maimed(expected: &RgbImage) -> [(&'static str, RgbImage); 4] {
    let bare = bare();
    let (width, height) = expected.dimensions();
    let is_there = |y: &u32| {
        let mut row = 0..width;
        row.any(|x| expected.get_pixel(x, *y) != bare.get_pixel(x, *y))
    };
    let (top, bottom) = ((0..height).find(is_there), (0..height).rfind(is_there));
    let middle = top
        .zip(bottom)
        .map_or(0, |(top, bottom)| (top + bottom) / 2);
    let with_opacity = |of_row: &dyn Fn(u32) -> f32| {
        RgbImage::from_fn(width, height, |x, y| {
            let (shown, ground) = (expected.get_pixel(x, y), bare.get_pixel(x, y));
            Rgb(std::array::from_fn(|channel| {
                let [shown, ground] = [shown, ground].map(|pixel| f32::from(pixel[channel]));
                (ground + (shown - ground) * of_row(y)).round() as u8
            }))
        })
    };
    [
        ("a bare stage", with_opacity(&|_| 0.0)),
        ("half the opacity", with_opacity(&|_| 0.5)),
        (
            "the upper half alone",
            with_opacity(&|y| f32::from(u8::from(y < middle))),
        ),
        (
            "the lower half alone",
            with_opacity(&|y| f32::from(u8::from(y >= middle))),
        ),
    ]
}

fn expected(name: &str) -> RgbImage {
    let path = folder().join(name).join("expected.png");
    image::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_rgb8()
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
        if bless {
            let path = folder().join(&name).join("expected.png");
            actual.save(path).unwrap();
            continue;
        }
        let expected = expected(&name);
        assert_eq!(actual.dimensions(), expected.dimensions(), "{name}");
        let limit = &case.tolerance;
        let found = differ(&actual, &expected, limit.side);
        let told = format!(
            "{name}: blocks differ by {:.2} levels (limit {}), {:.1} % of them by more than {FAR} \
             (limit {:.1} %)",
            found.mean,
            limit.mean,
            found.share * 100.0,
            limit.share * 100.0,
        );
        eprintln!("{told}");
        if !found.passes(limit) {
            let seen = write_difference(&name, &actual, &expected);
            failures.push(format!("{told}; look into {}", seen.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A tolerance may be so large that nothing is ever found.
#[test]
fn no_tolerance_lets_half_a_picture_pass() {
    let mut failures = Vec::new();
    for (name, case) in cases() {
        let expected = expected(&name);
        for (what, image) in maimed(&expected) {
            let found = differ(&image, &expected, case.tolerance.side);
            if found.passes(&case.tolerance) {
                failures.push(format!(
                    "{name}: {what} passes, being off by {:.2} levels and far off in {:.1} % of \
                     the blocks",
                    found.mean,
                    found.share * 100.0
                ));
            }
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
