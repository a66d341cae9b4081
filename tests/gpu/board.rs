//! The board on the stage itself: what comes over the link is seen, the goal's
//! bar is where its track is, and a board that has nothing new to say stands
//! still.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyperfocus::catalog::Catalog;
use hyperfocus::config::Size;
use hyperfocus::engine::Rehearsal;
use hyperfocus::model::{Gift, Goal, Sender, StreamStatus};
use hyperfocus::render::Look;
use hyperfocus::render::boards::{Anchor, BoardSettings};
use hyperfocus::render::present::Frame;

const SIZE: Size = Size {
    width: 960,
    height: 540,
};

fn rehearsal(size: Size) -> Rehearsal {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
    let catalog = Arc::new(Catalog::load(&path).unwrap());
    let look = Look {
        board: BoardSettings {
            visible: true,
            link: Some(Anchor::BOTTOM_RIGHT),
            ..BoardSettings::default()
        },
        ..Look::default()
    };
    Rehearsal::open_with(catalog, size, look).unwrap()
}

fn status(current: f64) -> StreamStatus {
    StreamStatus {
        is_live: true,
        viewer_count: 12_483,
        started_at: None,
        goal: Some(Goal {
            kind: "revenue".into(),
            target: 500.0,
            current,
            description: "A new chair".into(),
        }),
    }
}

fn gifts() -> Vec<Gift> {
    [
        ("Zoë", "rose", 12),
        ("王小明", "mystery", 1),
        ("Ada", "rocket", 3),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (name, gift, quantity))| Gift {
        quantity,
        total_value: 0.25 * f64::from(quantity),
        ..Gift::one(format!("g{n}"), gift, Sender::named(format!("u{n}"), name))
    })
    .collect()
}

/// Mean alpha of a part of the frame, given in shares of its sides.
fn presence(frame: &Frame, x: std::ops::Range<f32>, y: std::ops::Range<f32>) -> f32 {
    let span = |range: std::ops::Range<f32>, side: u32| {
        (range.start * side as f32) as u32..(range.end * side as f32) as u32
    };
    let (mut sum, mut count) = (0.0, 0.0);
    for y in span(y, frame.height) {
        for x in span(x.clone(), frame.width) {
            sum += f32::from(frame.pixels[((y * frame.width + x) * 4 + 3) as usize]);
            count += 255.0;
        }
    }
    sum / count
}

/// Pixels along the goal's bar that shine in its colours: the most in a row
/// where it is.
fn filled(frame: &Frame) -> usize {
    let row = |y: u32| {
        let shines = |x: &u32| {
            let at = ((y * frame.width + x) * 4) as usize;
            let [r, b, a] = [0, 2, 3].map(|c| i32::from(frame.pixels[at + c]));
            a > 200 && b > 180 && b - r > 50
        };
        (0..frame.width).filter(shines).count()
    };
    (frame.height / 11..frame.height / 7)
        .map(row)
        .max()
        .unwrap_or(0)
}

/// Keeps a picture when somebody wants to look.
fn keep(frame: &Frame, name: &str) {
    if let Some(folder) = std::env::var_os("HYPERFOCUS_TEST_PICTURES") {
        let path = Path::new(&folder).join(format!("{name}.png"));
        let picture =
            image::RgbaImage::from_raw(frame.width, frame.height, frame.pixels.to_vec()).unwrap();
        picture.save(path).unwrap();
    }
}

#[test]
fn the_board_says_what_came_and_its_goal_fills_and_is_celebrated() {
    let mut stage = rehearsal(SIZE);
    let bare = stage
        .board(
            StreamStatus::default(),
            Vec::new(),
            Duration::from_millis(1500),
        )
        .unwrap();
    assert_eq!(
        presence(&bare, 0.0..1.0, 0.0..0.4),
        0.0,
        "nothing to say yet"
    );
    assert!(
        presence(&bare, 0.75..0.96, 0.90..0.96) > 0.3,
        "but of the connection"
    );

    stage
        .board(status(100.0), gifts(), Duration::from_secs(1))
        .unwrap();
    let fifth = stage.settled_board().unwrap();
    keep(&fifth, "board");
    for (part, x, y) in [
        ("live badge", 0.03..0.17, 0.05..0.08),
        ("goal", 0.35..0.65, 0.05..0.12),
        ("top gifters", 0.78..0.95, 0.06..0.20),
        ("recent gifts", 0.05..0.20, 0.14..0.33),
    ] {
        assert!(presence(&fifth, x, y) > 0.85, "{part}");
    }
    assert!(
        presence(&fifth, 0.3..0.7, 0.3..0.9) < 0.01,
        "the middle is free"
    );
    let short = filled(&fifth);

    stage
        .board(status(400.0), Vec::new(), Duration::from_millis(60))
        .unwrap();
    let most = filled(&stage.settled_board().unwrap());
    let ratio = most as f32 / short as f32;
    assert!((3.0..5.0).contains(&ratio), "{short} to {most} pixels");

    let burst = stage
        .board(status(500.0), Vec::new(), Duration::from_millis(1100))
        .unwrap();
    keep(&burst, "celebration");
    let below = (0.33..0.67, 0.19..0.26);
    let sparks = presence(&burst, below.0.clone(), below.1.clone());
    assert!(sparks > 0.01, "light beside the panel: {sparks}");
    let after = stage.settled_board().unwrap();
    keep(&after, "reached");
    assert_eq!(presence(&after, below.0, below.1), 0.0, "and it goes again");
    assert_eq!(stage.pipelines_made(), 0, "all of it with warm pipelines");
}

#[test]
fn the_board_fits_a_phone() {
    let mut stage = rehearsal(Size {
        width: 540,
        height: 960,
    });
    stage
        .board(status(300.0), gifts(), Duration::from_secs(1))
        .unwrap();
    let frame = stage.settled_board().unwrap();
    keep(&frame, "phone");
    // No more than the panels' shadows.
    assert!(presence(&frame, 0.0..0.03, 0.0..1.0) < 0.03);
    assert!(presence(&frame, 0.97..1.0, 0.0..1.0) < 0.03);
    assert!(presence(&frame, 0.2..0.8, 0.0..0.25) > 0.3);
}
