//! All outputs at once, from the one stage.

use std::fs;
use std::path::Path;

use hyperfocus_ring::{Folder, Showing};

use super::Evening;
use super::x11::{Desktop, HALF_RED};
use crate::obs::Source;
use crate::program::folder;

/// Half of red as OBS takes it: premultiplied in linear light, then encoded.
const FOR_OBS: [u8; 4] = [188, 0, 0, 128];
/// The same over the window's ground of `1B1A21`, mixed in linear light, as X11 keeps
/// it: blue, green, red.
const IN_WINDOW: [u8; 3] = [21, 16, 189];
/// With straight alpha.
const IN_FILE: [u8; 4] = [255, 0, 0, 128];

#[test]
fn a_window_the_overlay_obs_and_a_recording_show_one_stage() {
    let Some(desktop) = Desktop::open(false) else {
        return;
    };
    let _composer = desktop.compose();
    let home = folder();
    let rings = Folder::at(home.path().join("rings")).expect("a folder of ours");
    let frames = home.path().join("frames");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (runtime, rings_at, frames_at) = (text(home.path()), text(rings.path()), text(&frames));
    let mut variables = desktop.variables(&runtime).to_vec();
    variables.push(("HYPERFOCUS_RING_DIR", &rings_at));
    let mut evening = Evening::begin_as(
        "run",
        &variables,
        &[
            "--output",
            "window,overlay,obs",
            "--name",
            "together",
            "--png-sequence",
            &frames_at,
        ],
    );
    evening.give("g1");

    let mut source = Source::join(&rings, "together");
    source.report.showing = Showing::OnAir;
    source.tick_until("OBS does not show the gift", |source| {
        source.pixel == FOR_OBS
    });
    source.tick_until("the overlay does not show it", |_| {
        let overlay = desktop.overlay();
        overlay.is_some_and(|window| desktop.pixel(window, 0.5, 0.25) == Some(HALF_RED))
    });
    source.tick_until("the window does not show it", |_| {
        let window = desktop.named("Hyperfocus");
        let pixel = window.and_then(|window| desktop.pixel(window, 0.5, 0.25));
        pixel.is_some_and(|pixel| {
            let off = (0..3).map(|c| pixel[c].abs_diff(IN_WINDOW[c]));
            off.max() <= Some(1)
        })
    });
    source.tick_until("the recording does not have it", |_| has_gift(&frames));
    evening.overlay.end_by("TERM").ended_with(0);
}

/// Whether a frame that was written has the gift in it.
fn has_gift(frames: &Path) -> bool {
    let files = fs::read_dir(frames).expect("a folder").flatten();
    files.map(|file| file.path()).any(|path| {
        // The last may be half written.
        image::open(path).is_ok_and(|frame| {
            let frame = frame.to_rgba8();
            frame.get_pixel(frame.width() / 2, frame.height() / 4).0 == IN_FILE
        })
    })
}
