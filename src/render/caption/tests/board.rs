use proptest::prelude::*;

use super::super::board;
use super::super::*;
use super::cards::{THEMES, green_centre};
use super::{is_premultiplied, name, with_painter};

fn board_part(theme: Theme, mirrored: bool, kind: BoardKind) -> BoardSpec {
    BoardSpec {
        theme,
        scale: 1.0,
        room: 1800.0,
        mirrored,
        kind,
    }
}

fn gifters(names: &[&str]) -> BoardKind {
    BoardKind::Gifters {
        title: "Top gifters".into(),
        rows: names
            .iter()
            .map(|text| board::GifterRow {
                name: name(text),
                face: None,
                total: "12,400".into(),
            })
            .collect(),
    }
}

#[test]
fn a_board_read_from_the_right_is_mirrored() {
    with_painter(|painter| {
        let green = Picture::from_straight(2, 2, &[0, 255, 0, 255].repeat(4)).expect("2x2 RGBA");
        for theme in THEMES {
            let mut place = |mirrored| {
                let row = board::RecentRow {
                    name: name("Zoë"),
                    face: None,
                    gift: "Rose".into(),
                    icon: Some(green.clone()),
                    quantity: "×3".into(),
                };
                let kind = BoardKind::Recent {
                    title: "Recent gifts".into(),
                    rows: vec![row],
                };
                green_centre(&board::paint(painter, &board_part(theme, mirrored, kind)))
            };
            let [left, right] = [false, true].map(&mut place);
            assert!(left < 0.2 && right > 0.8, "{theme:?}: {left} {right}");
            assert!((left + right - 1.0).abs() < 0.02, "it is a mirror's image");
        }
    });
}

#[test]
fn a_board_shows_at_most_its_rows() {
    with_painter(|painter| {
        let mut height = |rows: usize| {
            let kind = gifters(&vec!["Zoë"; rows]);
            board::paint(painter, &board_part(Theme::Glass, false, kind))
                .body
                .height
        };
        assert!(height(3) > height(2));
        assert_eq!(height(board::MAX_ROWS), height(5_000));
    });
}

#[test]
fn every_part_keeps_to_its_room_at_every_size() {
    with_painter(|painter| {
        let long = "A very long display name 👩🏽‍🚀 ".repeat(8);
        let kinds = [
            gifters(&[&long, "王小明", "مريم العتيبي", ""]),
            BoardKind::Goal {
                title: long.as_str().into(),
                current: "1,000,000,000,000,000+".into(),
                target: "1,000,000,000,000,000+".into(),
                reached: None,
            },
            BoardKind::Link {
                signal: board::Signal::Good,
                words: long.as_str().into(),
            },
        ];
        for (scale, room) in [
            (1.0, 1800.0),
            (1.0 / 3.0, 590.0),
            (1.6, 900.0),
            (0.5, 300.0),
        ] {
            for kind in &kinds {
                for theme in THEMES {
                    let spec = BoardSpec {
                        scale,
                        room,
                        ..board_part(theme, false, kind.clone())
                    };
                    let image = board::paint(painter, &spec);
                    assert!(
                        image.body.width <= room + 1.0,
                        "{} of {room} at {scale}: {kind:?}",
                        image.body.width
                    );
                    assert!(is_premultiplied(&image));
                    assert_eq!(image.replaced, 0);
                }
            }
        }
    });
}

#[test]
fn names_are_cut_between_graphemes() {
    with_painter(|painter| {
        // A family is one grapheme of seven characters: it is there or not.
        let family = "👨‍👩‍👧‍👦";
        let style = TextStyle::new(40.0).bold();
        let one = painter.lay_out(&style, family).width;
        let dots = painter.lay_out(&style, "…").width;
        for count in 2..6 {
            let limit = one * count as f32 + dots + 1.0;
            let cut = painter.lay_out(&style.clone().max_width(limit), &family.repeat(12));
            let kept = painter.lay_out(&style, &format!("{}…", family.repeat(count)));
            assert!(cut.ellipsised);
            assert!(
                (cut.width - kept.width).abs() < 0.5,
                "{} {}",
                cut.width,
                kept.width
            );
        }
        let marked = "e\u{0301}\u{0323}".repeat(40);
        let cut = painter.lay_out(&style.max_width(200.0), &marked);
        let letter = painter
            .lay_out(&TextStyle::new(40.0).bold(), "e\u{0301}\u{0323}")
            .width;
        let left = (cut.width - dots) / letter;
        assert!(
            (left - left.round()).abs() < 0.05,
            "no mark without its letter: {left}"
        );
    });
}

#[test]
fn high_contrast_is_what_it_says() {
    with_painter(|painter| {
        let kind = gifters(&["ZOË"]);
        let image = board::paint(painter, &board_part(Theme::HighContrast, false, kind));
        let (width, inset) = (image.width as usize, 8);
        let (left, right) = (
            image.body.x as usize + inset,
            (image.body.x + image.body.width) as usize - inset,
        );
        // A row without a face: the heading.
        let row = (image.body.y + 30.0) as usize;
        let lightest = |from: usize, to: usize| {
            (from..to)
                .map(|x| image.rgba.as_chunks::<4>().0[row * width + x])
                .map(|[r, g, b, a]| {
                    assert_eq!(a, 255, "nothing shines through");
                    Rgba::rgb(r, g, b).luminance()
                })
                .fold(0.0, f32::max)
        };
        assert!(lightest(left, right) > 0.95, "white on black");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_name_fits_its_row(
        text in any::<String>(),
        scale in 0.2_f32..2.0,
        mirrored in any::<bool>(),
        theme in prop::sample::select(THEMES.to_vec()),
    ) {
        with_painter(|painter| {
            let spec = BoardSpec { scale, ..board_part(theme, mirrored, gifters(&[&text])) };
            let image = board::paint(painter, &spec);
            prop_assert!(is_premultiplied(&image));
            let plain = BoardSpec { scale, ..board_part(theme, mirrored, gifters(&["x"])) };
            prop_assert_eq!(image.body, board::paint(painter, &plain).body);
            Ok(())
        })?;
    }
}
