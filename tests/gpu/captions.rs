//! Golden images of captions: one folder per case in `tests/data/captions`,
//! with `case.toml` (what to paint) and `expected.png` (over a grey checker).
//!
//! The pictures were made with Debian 12's fonts-noto-core 20201225,
//! fonts-noto-cjk 20220127 and fonts-noto-color-emoji 2.042. Other versions
//! move edges by a fraction of a pixel and touch up some emoji, which the
//! tolerance allows for; a lost shadow, a mirrored layout, a wrong colour or a
//! word that is not there is far outside it. On failure the actual and the
//! difference images are written to `captions/` in the test's temporary folder
//! under `target`.
//!
//! `HYPERFOCUS_BLESS=1` writes `expected.png` anew; look at what it wrote.

use std::path::{Path, PathBuf};

use hyperfocus::locale::Words;
use hyperfocus::model::{Badge, Private};
use hyperfocus::render::caption::board::{self, GifterRow, RecentRow, Signal};
use hyperfocus::render::caption::counter::DigitCache;
use hyperfocus::render::caption::{
    Accent, AvatarSpec, BoardKind, BoardSpec, CardSize, CardSpec, CardTitle, CounterSpec, NameSpec,
    PanelSpec, Picture, PixelBuffer, Rgba, TextPainter, TextStyle, Theme, avatar, card, counter,
    painter, panel,
};

/// Side of the squares that are looked at one by one, pixels.
const SQUARE: u32 = 16;
/// How far the mean colour of one may be off, in levels. What is drawn a whole
/// pixel beside its place comes to 16, the least word that is lost to 30.
const MOST: f64 = 24.0;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    paint: Paint,
    tolerance: Tolerance,
}

/// How far the image may be from the expected one.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    /// Mean absolute difference per channel, in levels.
    mean: f64,
    /// Sides may differ by this many pixels.
    side: u32,
}

#[derive(serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Paint {
    Card {
        size: String,
        name: Option<String>,
        people: Option<u32>,
        #[serde(default)]
        badge: Option<String>,
        gift: String,
        /// An emoji that stands for the gift's icon.
        icon: Option<String>,
        quantity: u64,
        accent: [String; 2],
        theme: Option<String>,
        language: Option<String>,
        scale: f32,
    },
    Counter {
        count: u64,
        accent: [String; 2],
        theme: Option<String>,
        size: f32,
    },
    /// Every part of the board, one below the other.
    Board {
        theme: String,
        mirrored: bool,
        scale: f32,
        room: f32,
        names: [String; 4],
    },
    Name {
        text: String,
        width: u32,
        height: u32,
    },
    Avatar {
        name: String,
        side: u32,
    },
    Panel {
        title: String,
        lines: Vec<[String; 2]>,
        scale: f32,
    },
}

#[test]
fn captions_look_as_they_were_drawn() {
    let mut painter = TextPainter::new();
    let missing = painter.missing_families();
    assert!(
        missing.is_empty(),
        "fonts are missing: {}. On Debian and Ubuntu install fonts-noto-core, fonts-noto-cjk and \
         fonts-noto-color-emoji (`make test` does)",
        missing.join(", ")
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captions");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .expect("the cases are in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(
        folders.len() >= 6,
        "only {} cases in {}",
        folders.len(),
        root.display()
    );

    let mut failures = Vec::new();
    for folder in &folders {
        if let Err(problem) = check(&mut painter, folder) {
            failures.push(format!("{}: {problem}", folder.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(painter: &mut TextPainter, folder: &Path) -> Result<(), String> {
    let text =
        std::fs::read_to_string(folder.join("case.toml")).map_err(|e| format!("case.toml: {e}"))?;
    let case: Case = toml::from_str(&text).map_err(|e| format!("case.toml: {e}"))?;
    let actual = over_checker(&paint(painter, &case.paint));
    let expected_path = folder.join("expected.png");
    if std::env::var_os("HYPERFOCUS_BLESS").is_some() {
        return actual.save(&expected_path).map_err(|e| e.to_string());
    }
    let expected = image::open(&expected_path)
        .map_err(|e| format!("expected.png: {e}"))?
        .into_rgb8();
    compare(&actual, &expected, &case.tolerance).map_err(|problem| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{problem}; {}", keep(&actual, &expected, &name))
    })
}

fn compare(
    actual: &image::RgbImage,
    expected: &image::RgbImage,
    tolerance: &Tolerance,
) -> Result<(), String> {
    let (a, e) = (actual.dimensions(), expected.dimensions());
    if a.0.abs_diff(e.0) > tolerance.side || a.1.abs_diff(e.1) > tolerance.side {
        return Err(format!("{a:?} pixels instead of {e:?}"));
    }
    let mut sum = 0.0;
    let (width, height) = (a.0.min(e.0), a.1.min(e.1));
    for y in 0..height {
        for x in 0..width {
            let pair = actual
                .get_pixel(x, y)
                .0
                .into_iter()
                .zip(expected.get_pixel(x, y).0);
            sum += pair.map(|(a, e)| f64::from(a.abs_diff(e))).sum::<f64>();
        }
    }
    let mean = sum / (f64::from(width) * f64::from(height) * 3.0);
    if mean > tolerance.mean {
        return Err(format!(
            "differs by {mean:.2} levels on average, {} are allowed",
            tolerance.mean
        ));
    }
    // Squares overlap by half, so that what lies across two is whole in a third.
    for y in (0..height).step_by(SQUARE as usize / 2) {
        for x in (0..width).step_by(SQUARE as usize / 2) {
            let apart = square_apart(actual, expected, (x, y), (width, height));
            if apart > MOST {
                return Err(format!(
                    "something is lost or too much at {x}, {y}: differs by {apart:.0} levels \
                     around there, {MOST} are allowed"
                ));
            }
        }
    }
    Ok(())
}

/// How far the mean colours of one square are apart, in levels. Past the image's edge
/// nothing differs: a line along it would otherwise be all that is in its square.
fn square_apart(
    actual: &image::RgbImage,
    expected: &image::RgbImage,
    (left, top): (u32, u32),
    (width, height): (u32, u32),
) -> f64 {
    let mut sums = [0.0; 3];
    for y in top..height.min(top + SQUARE) {
        for x in left..width.min(left + SQUARE) {
            let (a, e) = (actual.get_pixel(x, y), expected.get_pixel(x, y));
            for (channel, sum) in sums.iter_mut().enumerate() {
                *sum += f64::from(a[channel]) - f64::from(e[channel]);
            }
        }
    }
    sums.map(f64::abs).iter().sum::<f64>() / f64::from(3 * SQUARE * SQUARE)
}

/// None of it weighs anything in the whole image. The places are those of the
/// picture: who approves another moves them with what is there.
#[test]
fn what_is_lost_from_a_board_is_found() {
    let path = "tests/data/captions/board-glass/expected.png";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let whole = image::open(path).expect("a PNG").into_rgb8();
    let tolerance = Tolerance { mean: 3.0, side: 4 };
    for (what, [left, top, width, height]) in [
        ("the pill", [26, 28, 76, 28]),
        ("how many watch", [106, 30, 64, 26]),
        ("what they are called", [173, 32, 60, 22]),
        ("the goal's title", [38, 205, 120, 30]),
        ("how far the goal is", [383, 206, 40, 30]),
        ("a list's title", [36, 472, 90, 26]),
        ("a face", [58, 508, 40, 38]),
        ("a name", [97, 512, 132, 30]),
        ("a total", [272, 512, 64, 28]),
        ("a gift's picture", [40, 764, 28, 36]),
        ("how many gifts", [294, 768, 40, 28]),
    ] {
        let mut lacking = whole.clone();
        let ground = *whole.get_pixel(left + width - 1, top + height - 1);
        for y in top..top + height {
            for x in left..left + width {
                lacking.put_pixel(x, y, ground);
            }
        }
        let found = compare(&lacking, &whole, &tolerance);
        let told = found.expect_err(what);
        assert!(told.contains("something is lost"), "{what}: {told}");
    }
}

/// Writes what was painted and where it differs; says where.
fn keep(actual: &image::RgbImage, expected: &image::RgbImage, name: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captions");
    let difference = image::RgbImage::from_fn(
        actual.width().max(expected.width()),
        actual.height().max(expected.height()),
        |x, y| match (
            actual.get_pixel_checked(x, y),
            expected.get_pixel_checked(x, y),
        ) {
            (Some(a), Some(e)) => {
                image::Rgb([0, 1, 2].map(|c| a.0[c].abs_diff(e.0[c]).saturating_mul(4)))
            }
            _ => image::Rgb([255, 0, 255]),
        },
    );
    let written = std::fs::create_dir_all(&folder)
        .map_err(image::ImageError::IoError)
        .and_then(|()| actual.save(folder.join(format!("{name}.actual.png"))))
        .and_then(|()| difference.save(folder.join(format!("{name}.difference.png"))));
    match written {
        Ok(()) => format!(
            "see {name}.actual.png and {name}.difference.png in {}",
            folder.display()
        ),
        Err(e) => format!(
            "the pictures could not be written to {}: {e}",
            folder.display()
        ),
    }
}

/// Over grey squares of two tones, so that a change of alpha shows.
fn over_checker(painted: &PixelBuffer) -> image::RgbImage {
    image::RgbImage::from_fn(painted.width, painted.height, |x, y| {
        let ground = if (x / 8 + y / 8) % 2 == 0 { 96 } else { 176 };
        let at = (y * painted.width + x) as usize * 4;
        let [r, g, b, a] = [0, 1, 2, 3].map(|c| u32::from(painted.rgba[at + c]));
        let shown = ground * (255 - a) / 255;
        image::Rgb([r, g, b].map(|c| (c + shown).min(255) as u8))
    })
}

fn paint(painter: &mut TextPainter, what: &Paint) -> PixelBuffer {
    match what {
        Paint::Card {
            size,
            name,
            people,
            badge,
            gift,
            icon,
            quantity,
            accent,
            theme,
            language,
            scale,
        } => {
            let title = match (name, people) {
                (Some(name), None) => CardTitle::Sender {
                    name: Private(name.as_str().into()),
                    avatar: None,
                    badge: badge.as_deref().map(|badge| match badge {
                        "moderator" => Badge::Moderator,
                        "subscriber" => Badge::Subscriber,
                        other => panic!("no badge {other:?}"),
                    }),
                },
                (None, Some(people)) => CardTitle::Bundle { people: *people },
                _ => panic!("a card is of a name or of people"),
            };
            let spec = CardSpec {
                size: match size.as_str() {
                    "compact" => CardSize::Compact,
                    "regular" => CardSize::Regular,
                    "large" => CardSize::Large,
                    other => panic!("no card size {other:?}"),
                },
                title,
                gift: gift.as_str().into(),
                icon: icon.as_ref().map(|emoji| picture(painter, emoji)),
                quantity: *quantity,
                accent: colours(accent),
                theme: named(theme.as_deref()),
                scale: *scale,
                room: None,
            };
            let words = language.as_deref().unwrap_or("en");
            card::paint(painter, &Words::of(words).0, &spec)
        }
        Paint::Counter {
            count,
            accent,
            theme,
            size,
        } => {
            let spec = CounterSpec {
                count: *count,
                accent: colours(accent),
                theme: named(theme.as_deref()),
                size_px: *size,
            };
            counter::paint(
                painter,
                &mut DigitCache::default(),
                &Words::english(),
                &spec,
            )
        }
        Paint::Board {
            theme,
            mirrored,
            scale,
            room,
            names,
        } => {
            let parts: Vec<_> = parts(painter, names)
                .into_iter()
                .map(|kind| {
                    let spec = BoardSpec {
                        theme: named(Some(theme)),
                        scale: *scale,
                        room: *room,
                        mirrored: *mirrored,
                        kind,
                    };
                    board::paint(painter, &spec)
                })
                .collect();
            column(&parts)
        }
        Paint::Name {
            text,
            width,
            height,
        } => {
            let spec = NameSpec {
                text: Private(text.as_str().into()),
                width: *width,
                height: *height,
                colour: Rgba::WHITE,
                bold: true,
                outlined: true,
                straight: false,
            };
            painter::paint_name(painter, &spec)
        }
        Paint::Avatar { name, side } => {
            let spec = AvatarSpec {
                name: Private(name.as_str().into()),
                picture: None,
                side: *side,
                square: false,
            };
            avatar::paint(painter, &spec)
        }
        Paint::Panel {
            title,
            lines,
            scale,
        } => {
            let spec = PanelSpec {
                title: title.as_str().into(),
                lines: lines
                    .iter()
                    .map(|[key, meaning]| (key.as_str().into(), meaning.as_str().into()))
                    .collect(),
                scale: *scale,
            };
            panel::paint(painter, &spec)
        }
    }
}

fn named(theme: Option<&str>) -> Theme {
    match theme {
        None | Some("glass") => Theme::Glass,
        Some("neon") => Theme::Neon,
        Some("high-contrast") => Theme::HighContrast,
        Some(other) => panic!("no theme {other:?}"),
    }
}

/// A part of each kind.
fn parts(painter: &mut TextPainter, names: &[String; 4]) -> Vec<BoardKind> {
    let name = |n: usize| Private(names[n].as_str().into());
    let gifter = |n, total: &str| GifterRow {
        name: name(n),
        face: None,
        total: total.into(),
    };
    let rose = picture(painter, "\u{1F339}");
    vec![
        BoardKind::Live {
            is_live: true,
            badge: "LIVE".into(),
            viewers: "12,483".into(),
            noun: "viewers".into(),
        },
        BoardKind::Live {
            is_live: false,
            badge: "OFFLINE".into(),
            viewers: "0".into(),
            noun: "viewers".into(),
        },
        BoardKind::Goal {
            title: "A new chair".into(),
            current: "340".into(),
            target: "500".into(),
            reached: None,
        },
        BoardKind::Fill,
        BoardKind::Goal {
            title: names[2].as_str().into(),
            current: "500".into(),
            target: "500".into(),
            reached: Some("Goal reached".into()),
        },
        BoardKind::Gifters {
            title: "Top gifters".into(),
            rows: vec![
                gifter(0, "12,400"),
                gifter(1, "8,250"),
                gifter(2, "3,999"),
                gifter(3, "310"),
            ],
        },
        BoardKind::Recent {
            title: "Recent gifts".into(),
            rows: vec![
                RecentRow {
                    name: name(3),
                    face: None,
                    gift: "Rose".into(),
                    icon: Some(rose),
                    quantity: "\u{D7}12".into(),
                },
                RecentRow {
                    name: name(2),
                    face: None,
                    gift: "Mystery box".into(),
                    icon: None,
                    quantity: "".into(),
                },
            ],
        },
        BoardKind::Link {
            signal: Signal::Waiting,
            words: "connection lost, trying again".into(),
        },
        BoardKind::Spark,
    ]
}

/// Images one below the other, their bodies starting at one line.
fn column(parts: &[PixelBuffer]) -> PixelBuffer {
    let left = parts.iter().map(|p| p.body.x).fold(0.0, f32::max) as u32;
    let width = parts.iter().map(|p| left + p.width).max().unwrap_or(1);
    let height = parts.iter().map(|p| p.height).sum();
    let mut whole = PixelBuffer {
        width,
        height,
        rgba: vec![0; (width * height * 4) as usize],
        ..parts[0].clone()
    };
    let mut top = 0;
    for part in parts {
        let indent = left - part.body.x as u32;
        for (y, row) in part.rgba.chunks_exact(part.width as usize * 4).enumerate() {
            let at = (((top + y as u32) * width + indent) * 4) as usize;
            whole.rgba[at..at + row.len()].copy_from_slice(row);
        }
        top += part.height;
    }
    whole
}

fn picture(painter: &mut TextPainter, emoji: &str) -> Picture {
    let image = painter
        .paint_line(&TextStyle::new(200.0), emoji)
        .into_straight();
    Picture::from_straight(image.width, image.height, &image.rgba)
        .expect("a painted emoji is a picture")
}

fn colours([primary, secondary]: &[String; 2]) -> Accent {
    let hex = |text: &str| Rgba::hex(u32::from_str_radix(text, 16).expect("RRGGBB"));
    Accent {
        primary: hex(primary),
        secondary: hex(secondary),
    }
}
