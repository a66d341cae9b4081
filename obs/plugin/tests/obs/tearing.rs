//! Frames whose every pixel is their number, written far faster than shown.

use std::collections::BTreeSet;

use super::harness::{Home, Item, Scene, until};
use super::producer::Producer;

const FRAMES: usize = 200;

#[test]
fn of_two_hundred_frames_none_is_torn() {
    let Some(home) = Home::new() else { return };
    let mut producer = Producer::start(&home, "main");
    producer.tell("numbers");
    let mut obs = home.start(&[Scene::new("Main", [Item::showing("Gifts")])]);
    let mut seen = BTreeSet::new();
    let mut last = 0;
    until("two hundred frames are seen", || {
        for _ in 0..32 {
            // Before the first frame there is nothing, not half of something.
            let picture = obs.look("Main");
            let Some([r, g, b, alpha]) = picture.only_colour() else {
                panic!("a torn frame: {picture:?}");
            };
            if alpha == 255 {
                let number = u32::from_le_bytes([r, g, b, 0]);
                assert!(number >= last, "{number} after {last}");
                last = number;
                seen.insert(number);
            }
        }
        (seen.len() >= FRAMES).then_some(())
    });
    println!("{} different frames of {last}, none torn", seen.len());
}
