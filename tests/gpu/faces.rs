//! Senders' pictures on the stage, fetched from a real server: on a card that is
//! already up, on the board, and in a video.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyperfocus::catalog::Catalog;
use hyperfocus::config::Size;
use hyperfocus::demo::Portraits;
use hyperfocus::engine::Rehearsal;
use hyperfocus::model::{Gift, Private, Sender};
use hyperfocus::render::boards::BoardSettings;
use hyperfocus::render::present::Frame;
use hyperfocus::render::{Faces, Look};
use hyperfocus::vault::Vault;
use image::{Rgba, RgbaImage};

use crate::offscreen::alone;
use crate::stage::until;

const SIZE: Size = Size {
    width: 960,
    height: 540,
};

const STEP: Duration = Duration::from_millis(20);

/// Pixels of a picture on a small gift's card, at least.
const ON_A_CARD: usize = 100;

/// Nothing else on the stage has this colour.
const COLOUR: [u8; 3] = [0, 255, 90];

fn portraits() -> (tempfile::TempDir, Portraits) {
    let folder = tempfile::tempdir().expect("a folder");
    let [r, g, b] = COLOUR;
    RgbaImage::from_pixel(96, 96, Rgba([r, g, b, 255]))
        .save(folder.path().join("ada.png"))
        .expect("it can be written");
    let portraits = Portraits::start(folder.path()).expect("it starts");
    (folder, portraits)
}

fn rehearsal(portraits: &Portraits, look: Look) -> Rehearsal {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalog.toml");
    let mut catalog = Catalog::load(&path).expect("our catalogue");
    // A stage for two gifts is warm sooner.
    catalog
        .gifts
        .retain(|key, _| ["crown", "rose"].contains(&&**key));
    let origin = portraits.origin().parse().expect("an origin");
    let vault = Vault::open(vec![origin], None, || {}).expect("a vault");
    Rehearsal::open_on(Arc::new(catalog), SIZE, |app| {
        app.insert_resource(look).insert_resource(Faces::new(vault));
    })
    .expect("a stage")
}

fn gift(kind: &str, portraits: &Portraits, picture: &str) -> Gift {
    let url = format!("{}/{picture}", portraits.origin());
    let sender = Sender {
        avatar_url: Some(Private(url.into())),
        ..Sender::named("ada", "Ada")
    };
    Gift {
        total_value: 5.0,
        ..Gift::one("gift", kind, sender)
    }
}

/// Where pixels of the picture's colour are, in pixels.
fn worn(frame: &Frame) -> Vec<(u32, u32)> {
    let pixels = frame.pixels.as_chunks::<4>().0.iter().zip(0..);
    let is_worn = |pixel: &[u8; 4]| {
        let near = |(own, wanted): (&u8, &u8)| own.abs_diff(*wanted) < 24;
        pixel[3] > 250 && pixel.iter().zip(&COLOUR).all(near)
    };
    pixels
        .filter(|(pixel, _)| is_worn(pixel))
        .map(|(_, at)| (at % frame.width, at / frame.width))
        .collect()
}

/// Until the card has come in.
fn enter(stage: &mut Rehearsal) {
    (0..30).for_each(|_| stage.step(STEP));
}

/// Draws until the picture is seen, and says where.
fn until_worn(stage: &mut Rehearsal, is_enough: impl Fn(&[(u32, u32)]) -> bool) {
    let mut seen = Vec::new();
    let look = || {
        seen = worn(&stage.frame(0.0).expect("a frame"));
        is_enough(&seen)
    };
    until(look, || "the picture is not seen".to_owned());
}

#[test]
fn a_card_puts_the_senders_picture_on_when_it_comes() {
    let _alone = alone();
    let (_folder, portraits) = portraits();
    let mut stage = rehearsal(&portraits, Look::default());
    stage
        .begin(gift("rose", &portraits, "ada.png"))
        .expect("it begins");
    enter(&mut stage);
    until_worn(&mut stage, |seen| seen.len() > ON_A_CARD);

    // It is known now, and there from the first frame of the next.
    stage
        .begin(gift("rose", &portraits, "ada.png"))
        .expect("it begins");
    enter(&mut stage);
    let seen = worn(&stage.frame(0.0).expect("a frame"));
    assert!(seen.len() > ON_A_CARD, "{}", seen.len());

    // One that cannot be had leaves the initials.
    stage
        .begin(gift("rose", &portraits, "nobody.png"))
        .expect("it begins");
    enter(&mut stage);
    assert!(worn(&stage.frame(0.0).expect("a frame")).is_empty());
    let card = stage.act().expect("the gift plays all the same");
    assert_eq!(&*card.recipe.key, "rose");
}

#[test]
fn the_board_shows_the_pictures_of_top_gifters() {
    let _alone = alone();
    let (_folder, portraits) = portraits();
    let look = Look {
        board: BoardSettings {
            visible: true,
            ..BoardSettings::default()
        },
        ..Look::default()
    };
    let mut stage = rehearsal(&portraits, look);
    stage
        .begin(gift("rose", &portraits, "ada.png"))
        .expect("it begins");
    // Its list is to the upper right, where no card of this gift is.
    let on_the_board = |(x, y): &&(u32, u32)| *x > SIZE.width * 3 / 4 && *y < SIZE.height / 3;
    let look = || {
        stage.step(STEP);
        let seen = worn(&stage.frame(0.0).expect("a frame"));
        seen.iter().filter(on_the_board).count() > 100
    };
    until(look, || "the board shows no picture".to_owned());
}

#[test]
fn a_video_waits_for_the_picture_that_is_fused_into_it() {
    let _alone = alone();
    let (_folder, portraits) = portraits();
    let mut stage = rehearsal(&portraits, Look::default());
    let crown = gift("crown", &portraits, "ada.png");
    let frame = stage.still(crown, 2.2).expect("it plays");
    // The medal is above the card, whose disc wears it too.
    let seen = worn(&frame);
    let above = seen.iter().filter(|(_, y)| *y < SIZE.height / 2).count();
    assert!(above > 300, "{above} of {}", seen.len());
}
