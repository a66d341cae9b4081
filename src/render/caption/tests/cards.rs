//! Cards and counters.

use super::super::*;
use super::{NAMES, is_premultiplied, name, with_painter};
use crate::locale::Words;
use crate::model::Badge;

pub(super) fn card(size: CardSize, title: CardTitle) -> CardSpec {
    CardSpec {
        size,
        title,
        gift: "Rose".into(),
        icon: None,
        quantity: 12,
        accent: Accent::from_one(Rgba::hex(0xFF69B4)),
        theme: Theme::Glass,
        scale: 1.0,
        room: None,
    }
}

pub(super) fn sender(text: &str, avatar: Option<Picture>) -> CardTitle {
    CardTitle::Sender {
        name: name(text),
        avatar,
        badge: None,
    }
}

/// Mean x of pure green pixels, relative to the body's width.
pub(super) fn green_centre(image: &PixelBuffer) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, pixel) in image.rgba.as_chunks::<4>().0.iter().enumerate() {
        if *pixel == [0, 255, 0, 255] {
            sum += (i as u32 % image.width) as f32;
            count += 1.0;
        }
    }
    assert!(count > 100.0, "the avatar is not on the card");
    (sum / count - image.body.x) / image.body.width
}

#[test]
fn a_right_to_left_name_mirrors_the_card() {
    with_painter(|painter| {
        let green = Picture::from_straight(2, 2, &[0, 255, 0, 255].repeat(4)).expect("2x2 RGBA");
        for size in [CardSize::Compact, CardSize::Regular, CardSize::Large] {
            let mut place = |text| {
                let spec = card(size, sender(text, Some(green.clone())));
                green_centre(&card::paint(painter, &Words::english(), &spec))
            };
            assert!(place("Zoë") < 0.5);
            assert!(place("مريم") > 0.5);
        }
    });
}

#[test]
fn cards_keep_to_their_width_and_are_premultiplied() {
    with_painter(|painter| {
        let words = Words::english();
        let long = "A very long display name ".repeat(8);
        for (size, limit) in [
            (CardSize::Compact, 560.0),
            (CardSize::Regular, 760.0),
            (CardSize::Large, 1240.0),
        ] {
            for title in [
                sender(&long, None),
                sender("", None),
                CardTitle::Bundle { people: 1 },
            ] {
                let mut spec = card(size, title);
                spec.gift = long.as_str().into();
                spec.quantity = 1_000_000;
                let image = card::paint(painter, &words, &spec);
                assert!(
                    image.body.width <= limit + 1.0,
                    "{size:?} is {} wide",
                    image.body.width
                );
                assert!(is_premultiplied(&image));
            }
        }
    });
}

/// The middle of what a badge changes, from the body's leading upper corner, in
/// pixels.
fn badge_at(painter: &mut TextPainter, text: &str, badge: Badge) -> (f32, f32) {
    let mut spec = card(CardSize::Regular, sender(text, None));
    let without = card::paint(painter, &Words::english(), &spec);
    if let CardTitle::Sender { badge: worn, .. } = &mut spec.title {
        *worn = Some(badge);
    }
    let with = card::paint(painter, &Words::english(), &spec);
    assert!(is_premultiplied(&with));
    assert_eq!((with.width, with.height), (without.width, without.height));
    let pairs = with.rgba.as_chunks::<4>().0.iter();
    let pairs = pairs.zip(without.rgba.as_chunks::<4>().0);
    let changed: Vec<u32> = (0..)
        .zip(pairs)
        .filter_map(|(at, (with, without))| (with != without).then_some(at))
        .collect();
    assert!(changed.len() > 200, "{} pixels", changed.len());
    let count = changed.len() as f32;
    let x = changed.iter().map(|at| at % with.width).sum::<u32>() as f32 / count;
    let y = changed.iter().map(|at| at / with.width).sum::<u32>() as f32 / count;
    (x - with.body.x, y - with.body.y)
}

#[test]
fn a_badge_sits_at_the_corner_of_the_face_where_the_text_begins() {
    with_painter(|painter| {
        for badge in [Badge::Moderator, Badge::Subscriber] {
            // A face of 86 pixels, 13 from the edges.
            let (x, y) = badge_at(painter, "Zoë", badge);
            assert!((x - 86.0).abs() < 5.0 && (y - 86.0).abs() < 5.0, "{x}, {y}");
            let (x, _) = badge_at(painter, "مريم", badge);
            assert!(x > 200.0, "on the other side of a mirrored face: {x}");
        }
    });
}

#[test]
fn a_card_scales_with_the_stage() {
    with_painter(|painter| {
        let mut spec = card(CardSize::Regular, sender("Zoë", None));
        let full = card::paint(painter, &Words::english(), &spec);
        spec.scale = 1.0 / 3.0;
        let third = card::paint(painter, &Words::english(), &spec);
        let ratio = full.body.width / third.body.width;
        assert!((2.8..3.2).contains(&ratio), "{ratio}");
    });
}

#[test]
fn accents_of_any_brightness_leave_the_name_readable() {
    with_painter(|painter| {
        for accent in [0x00_00_00, 0xFF_FF_FF, 0x00_00_80, 0xFF_FF_00] {
            let mut spec = card(CardSize::Regular, sender("", None));
            spec.accent = Accent::from_one(Rgba::hex(accent));
            let image = card::paint(painter, &Words::english(), &spec);
            // A spot of bare body over white, between text and trailing end.
            let (x, y) = (
                image.body.x + image.body.width - 22.0,
                image.body.y + image.body.height / 2.0,
            );
            let at = (y as u32 * image.width + x as u32) as usize;
            let [r, g, b, a] = image.rgba.as_chunks::<4>().0[at];
            let over_white = |c: u8| c.saturating_add(255 - a);
            let body = Rgba::rgb(over_white(r), over_white(g), over_white(b));
            let contrast = 1.05 / (body.luminance() + 0.05);
            assert!(
                contrast > 7.0,
                "contrast {contrast} on an accent of {accent:06x}"
            );
        }
    });
}

pub(super) const THEMES: [Theme; 3] = [Theme::Glass, Theme::Neon, Theme::HighContrast];

#[test]
fn every_theme_mirrors_and_keeps_to_its_room() {
    with_painter(|painter| {
        let green = Picture::from_straight(2, 2, &[0, 255, 0, 255].repeat(4)).expect("2x2 RGBA");
        let words = Words::english();
        for theme in THEMES {
            let mut paint = |text: &str, room| {
                let spec = CardSpec {
                    theme,
                    room: Some(room),
                    ..card(CardSize::Large, sender(text, Some(green.clone())))
                };
                card::paint(painter, &words, &spec)
            };
            assert!(green_centre(&paint("Zoë", 2000.0)) < 0.5);
            assert!(green_centre(&paint("مريم", 2000.0)) > 0.5);
            let narrow = paint(&"long ".repeat(20), 700.0);
            assert!(
                narrow.body.width <= 701.0,
                "{theme:?}: {}",
                narrow.body.width
            );
            assert!(is_premultiplied(&narrow));
        }
    });
}

#[test]
fn a_card_becomes_smaller_before_its_words_are_cut() {
    with_painter(|painter| {
        let words = Words::english();
        let mut body = |text: &str, room| {
            let spec = CardSpec {
                room,
                ..card(CardSize::Large, sender(text, None))
            };
            card::paint(painter, &words, &spec).body
        };
        let name = "Grand Duchess Olga";
        let whole = body(name, None);
        let shape = |body: &Body| body.width / body.height;
        let smaller = body(name, Some(0.85 * whole.width));
        assert!(smaller.width <= 0.85 * whole.width && smaller.height < 0.87 * whole.height);
        assert!((shape(&smaller) / shape(&whole) - 1.0).abs() < 0.02);
        // Not so small that nobody could read it.
        let cut = body(name, Some(0.6 * whole.width));
        assert!(cut.width <= 0.6 * whole.width + 1.0);
        assert!((cut.height / whole.height - 0.75).abs() < 0.01);
        // And no smaller than its words need.
        let short = body("Zoë", Some(0.85 * whole.width));
        assert_eq!(short.height, whole.height);
    });
}

#[test]
fn a_combo_warms_its_counter() {
    assert_eq!(theme::heat(0), 0.0);
    assert_eq!(theme::heat(1), 0.0);
    assert!((theme::heat(10) - 0.5).abs() < 0.01);
    assert_eq!(theme::heat(100), 1.0);
    assert_eq!(theme::heat(u64::MAX), 1.0);
    with_painter(|painter| {
        // How much more red than blue there is in the ink.
        let mut warmth = |theme, count| {
            let spec = CounterSpec {
                count,
                accent: Accent::from_one(Rgba::hex(0x2D6BFF)),
                theme,
                size_px: 96.0,
            };
            let mut cache = counter::DigitCache::default();
            let image = counter::paint(painter, &mut cache, &Words::english(), &spec);
            image
                .rgba
                .as_chunks::<4>()
                .0
                .iter()
                .map(|p| i64::from(p[0]) - i64::from(p[2]))
                .sum::<i64>()
                / i64::from(image.width)
        };
        for theme in [Theme::Glass, Theme::Neon] {
            let [cold, warm, hot] = [2, 22, 222].map(|count| warmth(theme, count));
            assert!(cold < 0 && cold < warm && warm < hot, "{cold} {warm} {hot}");
        }
    });
}

#[test]
fn quantities_are_written_in_the_words_language() {
    assert_eq!(counter::quantity(&Words::english(), 12), "×12");
    assert_eq!(counter::quantity(&Words::english(), 12_345), "×12,345");
    assert_eq!(counter::quantity(&Words::of("de").0, 12_345), "×12.345");
}

#[test]
fn a_counter_keeps_its_width_while_its_digits_change() {
    with_painter(|painter| {
        let mut cache = counter::DigitCache::default();
        let mut width = |count| {
            let spec = CounterSpec {
                count,
                accent: Accent::from_one(Rgba::hex(0xFF69B4)),
                theme: Theme::Glass,
                size_px: 96.0,
            };
            let image = counter::paint(painter, &mut cache, &Words::english(), &spec);
            assert!(is_premultiplied(&image));
            image.width
        };
        assert_eq!(width(111), width(888));
        assert!(width(1000) > width(999));
    });
}

#[test]
fn initials_are_what_a_person_would_pick() {
    for (from, expected) in [
        ("Zoë Ångström", "ZÅ"),
        ("mika", "M"),
        ("Anna Maria Sofia Berg", "AB"),
        ("_xX_Dark_Xx_", "X"),
        ("李小龙", "李"),
        ("김 서연", "김"),
        ("مريم العتيبي", "م"),
        ("🦄 sparkle", "S"),
        ("🦄🌈", "🦄"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("ß", "ß"),
        ("é\u{0301}a", "É\u{0301}"),
        ("...", ""),
        ("", ""),
    ] {
        assert_eq!(avatar::initials(from), expected, "for {from}");
    }
}

/// A name that is one grapheme as wide as a sentence.
#[test]
fn initials_stay_within_their_face() {
    with_painter(|painter| {
        let mut face = |text: &str| {
            let spec = AvatarSpec {
                name: name(text),
                picture: None,
                side: 128,
                square: true,
            };
            avatar::paint(painter, &spec)
        };
        // Its letters are white; of a face with none only the gloss is bright.
        let bright_at_the_rim = |image: &PixelBuffer| {
            let side = image.width as usize;
            let pixels = image.rgba.as_chunks::<4>().0.iter().enumerate();
            let rim = pixels.filter(|(at, _)| {
                let (x, y) = (at % side, at / side);
                (50..78).contains(&y) && !(8..side - 8).contains(&x)
            });
            rim.filter(|(_, pixel)| pixel[..3].iter().all(|c| *c > 200))
                .count()
        };
        assert_eq!(bright_at_the_rim(&face("\u{FDFD}")), 0);
        assert_eq!(bright_at_the_rim(&face("Mika")), 0);
    });
}

#[test]
fn a_name_keeps_its_colours() {
    assert_eq!(avatar::palette_of("Zoë"), avatar::palette_of("Zoë"));
    let seen: std::collections::HashSet<_> =
        NAMES.iter().map(|name| avatar::palette_of(name)).collect();
    assert!(seen.len() >= 8, "only {} palettes in use", seen.len());
    for (from, to) in seen {
        let middle = from.mix(to, 0.5).luminance();
        let contrast = 1.05 / (middle + 0.05);
        assert!(contrast >= 3.0, "white on {from:?}..{to:?} has {contrast}");
    }
}
