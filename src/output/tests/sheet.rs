use image::RgbaImage;

use super::{names, painted, plain};
use crate::output::{ContactSheet, Label, OutputError};
use crate::render::present::Frame;

/// A sheet of strips, each of these frames.
fn sheet(strips: &[(&[Frame], Label)]) -> RgbaImage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sheet.png");
    let mut sheet = ContactSheet::create(&path).unwrap();
    for (frames, label) in strips {
        sheet.add(frames, label);
    }
    let written = sheet.finish().unwrap();
    let told = format!("sheet.png: {} strips", strips.len());
    assert!(written.ends_with(&told), "{written}");
    assert_eq!(names(folder.path()), ["sheet.png"]);
    image::open(path).unwrap().to_rgba8()
}

fn label(width: u32, colour: [u8; 4]) -> Label {
    Label {
        width,
        height: 20,
        pixels: colour.repeat(width as usize * 20),
    }
}

fn no_label() -> Label {
    Label {
        width: 0,
        height: 0,
        pixels: Vec::new(),
    }
}

const RED: [u8; 4] = [230, 20, 20, 255];
const BLUE: [u8; 4] = [20, 20, 230, 255];

#[test]
fn strips_stand_in_order_with_a_tile_for_each_frame() {
    let rose = [plain(960, 540, RED, 0.0), plain(960, 540, BLUE, 1.0)];
    let rocket = [plain(960, 540, BLUE, 0.0), plain(960, 540, RED, 1.0)];
    let image = sheet(&[(&rose, no_label()), (&rocket, no_label())]);
    // Two 320x180 tiles side by side, twice, and three margins.
    assert_eq!(image.dimensions(), (24 + 648 + 24, 24 + 2 * 204));
    let middles = [(160, 90), (328 + 160, 90), (160, 294), (328 + 160, 294)];
    let colours = middles.map(|(x, y)| image.get_pixel(24 + x, 24 + y).0);
    assert_eq!(colours, [RED, BLUE, BLUE, RED]);
    let page = image.get_pixel(2, 2).0;
    assert_eq!(image.get_pixel(24, 24).0, page, "the corners are round");
    assert_eq!(image.get_pixel(24, 24 + 20).0, RED, "the sides are not");
    assert_eq!(
        image.get_pixel(24 + 324, 24 + 90).0,
        page,
        "tiles stand apart"
    );
}

#[test]
fn tiles_of_a_strip_show_the_same_part_of_their_frames() {
    // A square of a tenth that goes from left to right: both tiles hold both.
    let square = |from: u32| {
        painted(960, 540, 0.0, move |x, y| {
            let is_in = (from..from + 96).contains(&x) && (243..297).contains(&y);
            if is_in { RED } else { [0; 4] }
        })
    };
    let image = sheet(&[(&[square(300), square(560)], no_label())]);
    let red_in = |tile: u32| {
        let left = 24 + tile * 328;
        let columns = (left..left + 320).filter(|x| image[(*x, 24 + 90)].0[0] > 200);
        let columns: Vec<_> = columns.map(|x| x - left).collect();
        (columns[0], columns[columns.len() - 1])
    };
    let (first, second) = (red_in(0), red_in(1));
    // 480 of the frame's 960 pixels are shown, on 320.
    assert!(first.1 - first.0 > 60 && second.1 - second.0 > 60);
    let apart = second.0 - first.0;
    assert!(apart.abs_diff(260 * 320 / 480) <= 1, "{apart}");
}

#[test]
fn an_empty_sheet_is_no_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let mut sheet = ContactSheet::create(&folder.path().join("sheet.png")).unwrap();
    sheet.add(&[], &no_label());
    assert!(matches!(sheet.finish(), Err(OutputError::Empty(_))));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn transparency_shows_the_checker_and_edges_keep_their_colour() {
    // Every second column is red on invisible green: made smaller by three, it
    // must come out half red, and not a bit green.
    let frame = painted(960, 960, 0.0, |x, _| {
        if x % 2 == 0 {
            [255, 0, 0, 255]
        } else {
            [0, 255, 0, 0]
        }
    });
    let image = sheet(&[(&[frame], no_label())]);
    let [dark, light] = [(24 + 130, 24 + 130), (24 + 150, 24 + 130)].map(|(x, y)| image[(x, y)].0);
    for [r, g, b, a] in [dark, light] {
        assert!((130..=160).contains(&r), "{r}");
        assert!(g < 40 && b < 45, "{g} {b}");
        assert_eq!(a, 255);
    }
    assert_ne!(dark, light, "the checker has two tones");
}

#[test]
fn a_label_stands_beneath_the_middle_of_its_strip_and_fits() {
    let frame = || [plain(320, 320, RED, 0.0)];
    let image = sheet(&[
        (&frame(), label(100, [255; 4])),
        (&frame(), label(640, [255, 255, 255, 128])),
    ]);
    assert_eq!(image.dimensions(), (24 + 2 * 344, 24 + 320 + 10 + 20 + 24));
    let page = image[(2, 2)];
    let row = 24 + 320 + 10 + 5;
    let middle = 24 + 160;
    assert_eq!(image[(middle - 45, row)].0, [255; 4]);
    assert_eq!(image[(middle + 45, row)].0, [255; 4]);
    assert_eq!(image[(middle - 55, row)], page);
    assert_eq!(image[(middle + 55, row)], page);
    // Half as wide, so half as high, and half covering.
    let wide = image[(24 + 344 + 160, row)].0;
    assert!((130..=145).contains(&wide[0]), "{wide:?}");
    assert_eq!(image[(24 + 344 + 160, row + 10)], page);
}
