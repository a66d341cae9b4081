//! Real files, pipes and encoders in temporary folders.

mod clock;
mod fan;
mod nut;
mod pictures;
mod sheet;
mod webm;

use std::sync::Arc;

use crate::render::present::Frame;

/// A frame of one colour.
fn plain(width: u32, height: u32, colour: [u8; 4], at: f64) -> Frame {
    painted(width, height, at, |_, _| colour)
}

fn painted(width: u32, height: u32, at: f64, colour: impl Fn(u32, u32) -> [u8; 4]) -> Frame {
    let pixels = (0..width * height).flat_map(|index| colour(index % width, index / width));
    Frame {
        pixels: Arc::new(pixels.collect()),
        width,
        height,
        index: 0,
        at,
    }
}

/// The names in a folder, hidden ones too.
fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
