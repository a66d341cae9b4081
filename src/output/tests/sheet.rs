use std::collections::HashMap;
use std::path::PathBuf;

use image::RgbaImage;

use super::{names, painted, plain, tagged};
use crate::output::{Finished, Label, SheetSettings, SheetSink, Sink};
use crate::render::present::Frame;

fn sheet(
    tags: &[&str],
    labels: HashMap<String, Label>,
    frames: &[Frame],
) -> (Finished, Option<RgbaImage>) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("sheet.png");
    let mut sink = Box::new(
        SheetSink::create(SheetSettings {
            path: path.clone(),
            tags: tags.iter().map(ToString::to_string).collect(),
            labels,
        })
        .unwrap(),
    );
    for frame in frames {
        sink.frame(frame).unwrap();
    }
    let finished = sink.finish().unwrap();
    assert_eq!(names(folder.path()).len(), finished.written.len());
    (
        finished,
        image::open(path).ok().map(|image| image.to_rgba8()),
    )
}

const RED: [u8; 4] = [230, 20, 20, 255];
const BLUE: [u8; 4] = [20, 20, 230, 255];

#[test]
fn tiles_stand_in_the_given_order_with_the_last_frame_of_each() {
    let (finished, image) = sheet(
        &["rose", "rocket"],
        HashMap::new(),
        &[
            tagged(plain(960, 540, BLUE, 0.0), "rocket"),
            tagged(plain(960, 540, [0, 255, 0, 255], 0.0), "rose"),
            tagged(plain(960, 540, RED, 0.0), "rose"),
            plain(960, 540, [255; 4], 0.0),
        ],
    );
    assert!(finished.written[0].ends_with("sheet.png: 2 tiles"));
    assert!(finished.warnings.is_empty());
    let image = image.unwrap();
    // Two 480x270 tiles and three margins, below one another.
    assert_eq!(image.dimensions(), (24 + 504, 24 + 2 * 294));
    assert_eq!(image.get_pixel(24 + 240, 24 + 135).0, RED);
    assert_eq!(image.get_pixel(24 + 240, 24 + 294 + 135).0, BLUE);
    let page = image.get_pixel(2, 2).0;
    assert_eq!(image.get_pixel(24, 24).0, page, "the corners are round");
    assert_eq!(image.get_pixel(24, 24 + 20).0, RED, "the sides are not");
}

#[test]
fn a_tag_that_never_came_is_named_and_left_out() {
    let frames = [tagged(plain(64, 64, RED, 0.0), "rose")];
    let (finished, image) = sheet(&["rose", "lion", "whale"], HashMap::new(), &frames);
    assert!(finished.warnings[0].ends_with("lacks what was never drawn: lion, whale"));
    assert_eq!(image.unwrap().dimensions(), (24 + 88, 24 + 88));
    let (finished, image) = sheet(&["lion"], HashMap::new(), &frames);
    assert!(finished.written.is_empty() && image.is_none());
    assert_eq!(finished.warnings.len(), 2);
}

#[test]
fn transparency_shows_the_checker_and_edges_keep_their_colour() {
    // Every second column is red on invisible green: made smaller by two, it
    // must come out half red, and not a bit green.
    let frame = painted(960, 960, 0.0, |x, _| {
        if x % 2 == 0 {
            [255, 0, 0, 255]
        } else {
            [0, 255, 0, 0]
        }
    });
    let (_, image) = sheet(&["rose"], HashMap::new(), &[tagged(frame, "rose")]);
    let image = image.unwrap();
    let [dark, light] = [(24 + 250, 24 + 250), (24 + 270, 24 + 250)].map(|(x, y)| image[(x, y)].0);
    for [r, g, b, a] in [dark, light] {
        assert!((130..=160).contains(&r), "{r}");
        assert!(g < 40 && b < 45, "{g} {b}");
        assert_eq!(a, 255);
    }
    assert_ne!(dark, light, "the checker has two tones");
}

#[test]
fn a_label_stands_beneath_the_middle_of_its_tile_and_fits() {
    let label = |width, colour: [u8; 4]| Label {
        width,
        height: 20,
        pixels: colour.repeat(width as usize * 20),
    };
    let labels = HashMap::from([
        ("rose".to_owned(), label(100, [255; 4])),
        ("lion".to_owned(), label(960, [255, 255, 255, 128])),
    ]);
    let frames = ["rose", "lion"].map(|tag| tagged(plain(480, 480, RED, 0.0), tag));
    let (_, image) = sheet(&["rose", "lion"], labels, &frames);
    let image = image.unwrap();
    assert_eq!(image.dimensions(), (24 + 2 * 504, 24 + 480 + 10 + 20 + 24));
    let page = image[(2, 2)];
    let row = 24 + 480 + 10 + 5;
    let middle = 24 + 240;
    assert_eq!(image[(middle - 45, row)].0, [255; 4]);
    assert_eq!(image[(middle + 45, row)].0, [255; 4]);
    assert_eq!(image[(middle - 55, row)], page);
    assert_eq!(image[(middle + 55, row)], page);
    // Half as wide, so half as high, and half covering.
    let wide = image[(24 + 504 + 240, row)].0;
    assert!((130..=145).contains(&wide[0]), "{wide:?}");
    assert_eq!(image[(24 + 504 + 240, row + 10)], page);
}
