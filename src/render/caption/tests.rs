mod board;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::painter::{CaptionSettings, MAX_BACKLOG, NotTaken};
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

fn card(size: CardSize, title: CardTitle) -> CardSpec {
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

fn sender(text: &str, avatar: Option<Picture>) -> CardTitle {
    CardTitle::Sender {
        name: name(text),
        avatar,
    }
}

/// Mean x of pure green pixels, relative to the body's width.
fn green_centre(image: &PixelBuffer) -> f32 {
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

const THEMES: [Theme; 3] = [Theme::Glass, Theme::Neon, Theme::HighContrast];

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

fn counter_request(ticket: u64, count: u64) -> CaptionRequest {
    CaptionRequest {
        ticket,
        kind: CaptionKind::Counter(CounterSpec {
            count,
            accent: Accent::from_one(Rgba::hex(0xFF69B4)),
            theme: Theme::Glass,
            size_px: 24.0,
        }),
    }
}

/// A painter, and a channel that says when it has painted something.
fn spawn() -> (CaptionPainter, crossbeam_channel::Receiver<()>) {
    let (woken, wake) = crossbeam_channel::unbounded();
    let painter = CaptionPainter::spawn(CaptionSettings::default(), move || {
        // The receiver is gone when the test is over.
        let _ = woken.send(());
    })
    .expect("the system has threads");
    (painter, wake)
}

/// Waits for images until none is pending.
fn drain_all(
    painter: &mut CaptionPainter,
    wake: &crossbeam_channel::Receiver<()>,
) -> Vec<(u64, PixelBuffer)> {
    let mut images = Vec::new();
    while painter.pending() > 0 {
        images.extend(painter.drain());
        if painter.pending() > 0 {
            wake.recv_timeout(Duration::from_secs(60))
                .expect("an image within a minute");
        }
    }
    images
}

#[test]
fn the_thread_paints_what_is_asked_in_order() {
    let (mut painter, wake) = spawn();
    let kinds = [
        CaptionKind::Card(Box::new(card(CardSize::Compact, sender("Zoë", None)))),
        CaptionKind::Avatar(AvatarSpec {
            name: name("Zoë"),
            picture: None,
            side: 64,
            square: true,
        }),
        CaptionKind::Panel(PanelSpec {
            title: "Help".into(),
            lines: vec![("H".into(), "this".into())],
            scale: 0.5,
        }),
    ];
    for (ticket, kind) in kinds.into_iter().enumerate() {
        let ticket = ticket as u64;
        painter
            .request(CaptionRequest { ticket, kind })
            .expect("there is room");
    }
    let tickets: Vec<u64> = drain_all(&mut painter, &wake)
        .iter()
        .map(|(ticket, _)| *ticket)
        .collect();
    assert_eq!(tickets, [0, 1, 2]);
}

#[test]
fn a_climbing_counter_is_painted_at_its_newest() {
    let (mut painter, wake) = spawn();
    for count in 1..=5000 {
        painter
            .request(counter_request(7, count))
            .expect("counters replace each other");
    }
    let images = drain_all(&mut painter, &wake);
    assert!(
        images.len() < 100,
        "{} paintings for one counter",
        images.len()
    );
    let last = images.last().expect("at least one");
    let expected = with_painter(|text| {
        let CaptionKind::Counter(spec) = counter_request(7, 5000).kind else {
            unreachable!("it is a counter");
        };
        let mut cache = counter::DigitCache::default();
        counter::paint(text, &mut cache, &Words::english(), &spec)
    });
    assert_eq!(last.1, expected);
}

#[test]
fn a_full_backlog_refuses_and_recovers() {
    let (mut painter, wake) = spawn();
    let mut refused = 0;
    // Nobody drains, so at most the bounds can be taken.
    for ticket in 0..(MAX_BACKLOG as u64 + 200) {
        match painter.request(counter_request(ticket, 1)) {
            Ok(()) => {}
            Err(problem) => {
                assert_eq!(problem, NotTaken::Full);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    let images = drain_all(&mut painter, &wake);
    assert_eq!(images.len() + refused, MAX_BACKLOG + 200);
    painter
        .request(counter_request(1, 2))
        .expect("there is room again");
}

#[test]
fn a_cancelled_ticket_is_not_painted() {
    let (mut painter, wake) = spawn();
    for ticket in 0..100 {
        painter
            .request(counter_request(ticket, 1))
            .expect("there is room");
    }
    painter.cancel(99);
    let images = drain_all(&mut painter, &wake);
    assert_eq!(images.len(), 99);
    assert!(images.iter().all(|(ticket, _)| *ticket != 99));
}

#[test]
fn dropping_the_painter_ends_its_thread() {
    let (mut painter, wake) = spawn();
    for ticket in 0..200 {
        painter
            .request(counter_request(ticket, 1))
            .expect("there is room");
    }
    drop(painter);
    // The thread owned the other end; it is gone once this disconnects.
    while wake.recv().is_ok() {}
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
