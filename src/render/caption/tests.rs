mod board;
mod cards;
mod thread;

use std::cell::RefCell;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::locale::Words;
use crate::model::Private;

/// Names as they come in, one per script and trick.
const NAMES: [&str; 40] = [
    "Zoë Ångström",
    "Łukasz Żółć",
    "Nguyễn Thị Minh Khai",
    "Đặng Văn Lâm",
    "İpek Yıldız",
    "Þórdís Ægisdóttir",
    "Ștefan Țîrlea",
    "Z̈oë e̊ n̈",
    "Ελένη Παπαδοπούλου",
    "Дмитрий Щёголев",
    "Їжак Ґанок",
    "მარიამ",
    "Արամ",
    "مريم العتيبي",
    "محمد ١٢٣ (VIP)",
    "فاطمه‌زهرا",
    "یعقوب ٹھاکر",
    "יעל כהן",
    "שָׁלוֹם 123",
    "李小龙",
    "臺灣的觀眾",
    "桜井 みなと",
    "ｶﾀｶﾅ ハンカク",
    "김서연",
    "สมชาย ใจดี",
    "ນ້ອຍ",
    "မောင်မောင်",
    "សុខា",
    "प्रिया शर्मा",
    "தமிழ்ச்செல்வி",
    "অনন্যা",
    "አበበ",
    "👩🏽‍🚀 Amara",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "🇯🇵🇧🇷🇳🇬",
    "1️⃣#️⃣*️⃣",
    "❤️‍🔥 ✨ ☕ ⭐",
    "𝓢𝓸𝓹𝓱𝓲𝓮 𝕏",
    "★彡 ɴᴏᴠᴀ 彡★ ♛",
    "꧁༺ Ŧɾҽყα ༻꧂",
];

thread_local! {
    static PAINTER: RefCell<Option<TextPainter>> = const { RefCell::new(None) };
}

/// Lends this thread's painter: discovering fonts once per test is slow.
fn with_painter<T>(use_it: impl FnOnce(&mut TextPainter) -> T) -> T {
    PAINTER.with_borrow_mut(|painter| {
        let painter = painter.get_or_insert_with(TextPainter::new);
        let missing = painter.missing_families();
        assert!(
            missing.is_empty(),
            "fonts are missing: {}. On Debian and Ubuntu install fonts-noto-core, fonts-noto-cjk and \
             fonts-noto-color-emoji (`make test` does)",
            missing.join(", ")
        );
        use_it(painter)
    })
}

fn name(text: &str) -> Private<Arc<str>> {
    Private(text.into())
}

fn is_premultiplied(image: &PixelBuffer) -> bool {
    let pixels = image.rgba.as_chunks::<4>().0;
    pixels.len() == (image.width * image.height) as usize
        && pixels.iter().all(|[r, g, b, a]| r.max(g).max(b) <= a)
}

#[test]
fn names_of_the_world_show_no_empty_boxes() {
    with_painter(|painter| {
        for text in NAMES {
            let line = painter.lay_out(&TextStyle::new(40.0).bold(), text);
            assert_eq!(line.replaced, 0, "a character without a font in {text}");
            assert!(line.width > 0.0, "{text} has no width");
        }
    });
}

#[test]
fn every_name_leaves_ink() {
    with_painter(|painter| {
        for text in NAMES {
            let image = painter.paint_line(&TextStyle::new(32.0), text);
            let ink: u64 = image
                .rgba
                .as_chunks::<4>()
                .0
                .iter()
                .map(|p| u64::from(p[3]))
                .sum();
            assert!(ink > 20_000, "{text} is hardly visible: {ink}");
            assert!(is_premultiplied(&image), "{text} is not premultiplied");
        }
    });
}

#[test]
fn a_character_that_no_font_has_becomes_a_mark() {
    with_painter(|painter| {
        // The last private-use character, and an unassigned one.
        let line = painter.lay_out(&TextStyle::new(40.0), "a\u{10FFFD}b\u{E0FFF}\u{378}c");
        assert!(line.replaced >= 2, "{}", line.replaced);
        let plain = painter.lay_out(&TextStyle::new(40.0), "abc");
        assert!(line.width > plain.width, "the mark takes room");
    });
}

#[test]
fn joined_emoji_are_one_picture() {
    with_painter(|painter| {
        for emoji in ["👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇯🇵", "1️⃣", "❤️‍🔥", "👍🏿"]
        {
            let line = painter.lay_out(&TextStyle::new(40.0), emoji);
            // A joined sequence leaves zero-width glyphs at most.
            assert!(
                line.width < 60.0,
                "{emoji} fell apart: {} px wide",
                line.width
            );
            if emoji == "👨‍👩‍👧‍👦" {
                // Grey silhouettes since Unicode 15.1's recommendation.
                continue;
            }
            let image = painter.paint_line(&TextStyle::new(40.0), emoji);
            let coloured = image
                .rgba
                .as_chunks::<4>()
                .0
                .iter()
                .any(|[r, g, b, _]| r != g || g != b);
            assert!(coloured, "{emoji} is not in colour");
        }
    });
}

#[test]
fn a_name_is_spelled_without_its_pictures() {
    for (name, spelled) in [
        ("Ana 🌹🔥", "Ana"),
        ("👩🏽‍🚀 Lu 1️⃣ 🇯🇵 na", "Lu na"),
        ("Zoë #1 ❤\u{FE0E}", "Zoë #1 ❤\u{FE0E}"),
        ("محمد ✨", "محمد"),
        ("🌹 🏳️‍🌈", ""),
    ] {
        assert_eq!(without_emoji(name), spelled);
    }
}

#[test]
fn a_text_presentation_selector_keeps_a_letter_form() {
    with_painter(|painter| {
        let image = painter.paint_line(&TextStyle::new(40.0), "\u{2764}\u{FE0E}");
        let grey = image
            .rgba
            .as_chunks::<4>()
            .0
            .iter()
            .all(|[r, g, b, _]| r == g && g == b);
        assert!(grey);
    });
}

#[test]
fn long_lines_end_in_an_ellipsis_between_graphemes() {
    with_painter(|painter| {
        let style = TextStyle::new(40.0).max_width(200.0);
        let line = painter.lay_out(&style, &"👨‍👩‍👧‍👦".repeat(20));
        assert!(line.ellipsised);
        assert!(line.width <= 200.0);
        // Whole families and the dots: no stray man, woman or child.
        let one = painter.lay_out(&TextStyle::new(40.0), "👨‍👩‍👧‍👦");
        let dots = painter.lay_out(&TextStyle::new(40.0), "…");
        let families = (line.width - dots.width) / one.width;
        assert!(
            (families - families.round()).abs() < 0.05,
            "{families} families"
        );
        assert!(line.glyphs() > 1);

        let short = painter.lay_out(&style, "Zoë");
        assert!(!short.ellipsised);
    });
}

#[test]
fn direction_follows_the_first_strong_character() {
    with_painter(|painter| {
        let mut rtl = |text: &str| painter.lay_out(&TextStyle::new(20.0), text).rtl;
        assert!(rtl("مريم"));
        assert!(rtl("123 יעל Cohen"));
        assert!(!rtl("Cohen יעל"));
        // An override cannot turn a name around.
        assert!(!rtl("\u{202E}abc"));
    });
}

#[test]
fn hostile_text_stays_within_bounds() {
    with_painter(|painter| {
        let zalgo = format!("Z{}", "\u{0301}\u{0316}".repeat(3000));
        for text in [
            zalgo.as_str(),
            &"W".repeat(5000),
            "\n\r\t\u{0}\u{7}",
            "",
            "\u{200B}\u{FEFF}",
        ] {
            let image = painter.paint_line(&TextStyle::new(40.0).max_width(500.0), text);
            assert!(
                image.width < 600 && image.height < 300,
                "{}x{}",
                image.width,
                image.height
            );
        }
        let huge = painter.paint_line(&TextStyle::new(1e9), "W");
        assert!(huge.width < 2000);
    });
}

#[test]
fn pictures_refuse_what_they_cannot_be() {
    assert!(matches!(
        Picture::from_straight(0, 4, &[]),
        Err(picture::PictureError::Size { .. })
    ));
    assert!(matches!(
        Picture::from_straight(2, 2, &[0; 15]),
        Err(picture::PictureError::Length { got: 15, .. })
    ));
    assert!(matches!(
        Picture::from_png(b"not a png"),
        Err(picture::PictureError::Decode(_))
    ));
}

#[test]
fn resampling_keeps_a_flat_colour_flat() {
    for (from, to) in [((9, 7), (3, 2)), ((3, 3), (8, 5)), ((136, 128), (40, 38))] {
        let flat = [10, 20, 30, 40].repeat(from.0 * from.1);
        let out = picture::resample(&flat, from, to);
        assert_eq!(out.len(), to.0 * to.1 * 4);
        for pixel in out.as_chunks::<4>().0 {
            assert_eq!(*pixel, [10, 20, 30, 40]);
        }
    }
}

#[test]
fn blurring_keeps_the_amount_of_ink() {
    let mut mask = mask::Mask::new(64, 64);
    for y in 24..40 {
        for x in 24..40 {
            mask.data[y * 64 + x] = 255;
        }
    }
    let ink = |mask: &mask::Mask| mask.data.iter().map(|&v| f64::from(v)).sum::<f64>();
    let before = ink(&mask);
    mask.blur(4.0);
    assert!((ink(&mask) / before - 1.0).abs() < 0.02);
    assert_eq!(mask.data[0], 0);
    let centre = mask.data[32 * 64 + 32];
    // The outermost lit column, half a pixel inside the edge.
    let edge = mask.data[32 * 64 + 24];
    assert!(centre > 230, "{centre}");
    assert!((120..165).contains(&edge), "the edge sits at half: {edge}");
}

#[test]
fn straight_alpha_brings_the_colour_back() {
    with_painter(|painter| {
        let spec = NameSpec {
            text: name("Zoë"),
            width: 200,
            height: 60,
            colour: Rgba::hex(0xFF_80_40),
            bold: true,
            outlined: false,
            straight: true,
        };
        let image = painter::paint_name(painter, &spec);
        assert_eq!((image.width, image.height, image.straight), (200, 60, true));
        let solid = image.rgba.as_chunks::<4>().0.iter().filter(|p| p[3] > 200);
        let mut seen = 0;
        for [r, g, b, _] in solid {
            seen += 1;
            assert!(r.abs_diff(0xFF) < 3 && g.abs_diff(0x80) < 3 && b.abs_diff(0x40) < 3);
        }
        assert!(seen > 50);
    });
}

#[test]
fn a_name_is_shrunk_before_it_is_cut() {
    with_painter(|painter| {
        let mut paint = |text: &str| {
            let spec = NameSpec {
                text: name(text),
                width: 240,
                height: 60,
                colour: Rgba::WHITE,
                bold: false,
                outlined: true,
                straight: false,
            };
            painter::paint_name(painter, &spec).body
        };
        let short = paint("Zoë");
        let long = paint("Bartholomew Featherstone");
        let longer = paint(&"Bartholomew Featherstone ".repeat(4));
        assert!(long.height < short.height);
        for body in [short, long, longer] {
            assert!(body.x >= 0.0 && body.x + body.width <= 240.0, "{body:?}");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_paints_within_its_width(text in any::<String>(), size in 4.0_f32..80.0, limit in 1.0_f32..600.0) {
        with_painter(|painter| {
            let style = TextStyle::new(size).bold().max_width(limit).outline(text::Outline {
                width_px: size * 0.05,
                colour: Rgba::BLACK,
            });
            let image = painter.paint_line(&style, &text);
            prop_assert!(is_premultiplied(&image));
            prop_assert!(image.body.width <= limit.max(size * 2.0));
            Ok(())
        })?;
    }

    #[test]
    fn any_number_has_a_counter(
        count in any::<u64>(),
        size_px in 1.0_f32..400.0,
        rgb in 0_u32..0x100_0000,
        theme in prop::sample::select(vec![Theme::Glass, Theme::Neon, Theme::HighContrast]),
    ) {
        with_painter(|painter| {
            let accent = Accent::from_one(Rgba::hex(rgb));
            let spec = CounterSpec { count, accent, theme, size_px };
            let words = Words::english();
            let image = counter::paint(painter, &mut counter::DigitCache::default(), &words, &spec);
            prop_assert!(is_premultiplied(&image));
            Ok(())
        })?;
    }
}
