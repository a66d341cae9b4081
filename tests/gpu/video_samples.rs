//! Real videos, through the decoder and the shader, against the CPU.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bevy::prelude::*;

use hyperfocus::render::video::layout::{Halves, Layout, Placement};
use hyperfocus::render::video::reference::{self, from_stage, srgb_decode, to_stage};
use hyperfocus::render::video::source::{VideoFrame, VideoInfo};
use hyperfocus::render::video::{ActiveVideo, VideoPlayback, VideoPlugin, open};

use crate::offscreen::Offscreen;
use crate::samples;

struct Decoded {
    frame: VideoFrame,
    layout: Arc<Layout>,
    info: VideoInfo,
}

fn decoded(path: &Path, index: u64) -> Decoded {
    let mut opened = open(path, Halves::default()).expect("it opens");
    loop {
        let frame = opened
            .source
            .next_frame()
            .expect("it decodes")
            .expect("it is long enough");
        if frame.index == index {
            return Decoded {
                frame,
                layout: opened.layout,
                info: opened.source.info().clone(),
            };
        }
    }
}

/// What the stage shows of frame `index`.
fn drawn(stage: &mut Offscreen, playback: VideoPlayback, index: u64, rate: f64) -> Vec<[f32; 4]> {
    let clock = (index as f64 + 0.5) / rate;
    let video = stage
        .app
        .world_mut()
        .spawn(VideoPlayback { clock, ..playback })
        .id();
    stage
        .until(|world| world.get::<ActiveVideo>(video).and_then(ActiveVideo::index) == Some(index));
    // What is fused into it may come a few frames later, on a busy machine.
    const SAME: u32 = 4;
    let (mut picture, mut same) = (stage.picture(), 0);
    while same < SAME {
        let next = stage.picture();
        same = if next == picture { same + 1 } else { 0 };
        picture = next;
    }
    stage.app.world_mut().despawn(video);
    picture
}

fn bytes(pixel: [f32; 4]) -> [i32; 4] {
    from_stage(pixel).map(|value| (value * 255.0).round() as i32)
}

/// A clip of our own.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/video")
        .join(name)
}

fn stage(size: UVec2) -> Offscreen {
    Offscreen::new(size, |app| {
        app.add_plugins(VideoPlugin::default());
    })
}

/// Whether 99 % of the pixels of these frames are within one level of the CPU's
/// conversion of the same frames.
fn agree(path: &Path, frames: &[u64]) {
    let size = {
        let opened = open(path, Halves::default()).expect("it opens");
        UVec2::new(opened.layout.width, opened.layout.height)
    };
    let mut stage = stage(size);
    for &index in frames {
        let Decoded {
            frame,
            layout,
            info,
        } = decoded(path, index);
        let expected = reference::premultiplied(&frame, &layout, &info);
        let playback = VideoPlayback::new(path, size.as_vec2());
        let picture = drawn(&mut stage, playback, index, info.frame_rate);
        let near = picture
            .iter()
            .zip(expected.chunks_exact(4))
            .filter(|(got, expected)| {
                let got = bytes(**got);
                (0..4).all(|channel| (got[channel] - i32::from(expected[channel])).abs() <= 1)
            });
        let share = near.count() as f64 / picture.len() as f64;
        println!(
            "{}, frame {index}: {:.3} % agree",
            path.display(),
            share * 100.0
        );
        assert!(share >= 0.99, "frame {index}: {share}");
    }
}

#[test]
fn the_gpu_agrees_with_the_cpu_on_our_own_clips() {
    agree(&own("tiny-vap.mp4"), &[0, 5, 11]);
    agree(&own("halves.mp4"), &[3]);
}

#[test]
fn the_gpu_agrees_with_the_cpu_on_the_plain_sample() {
    if let Some(path) = samples::vap("plain.mp4") {
        agree(&path, &[20, 40, 60]);
    }
}

/// What the canvas shows at a place of it, with solid colours fused in.
fn composited(decoded: &Decoded, colours: &[[f32; 3]]) -> Vec<[f32; 4]> {
    let Decoded {
        frame,
        layout,
        info,
    } = decoded;
    let mut canvas: Vec<[f32; 4]> = reference::premultiplied(frame, layout, info)
        .chunks_exact(4)
        .map(|pixel| to_stage([0, 1, 2, 3].map(|channel| f32::from(pixel[channel]) / 255.0)))
        .collect();
    for object in layout.fusion.objects(frame.index) {
        let source = &layout.fusion.sources[object.source];
        let Placement { scale, offset } = source.placement(1.0, 1.0);
        let clipped = object
            .frame
            .clip(layout.width, layout.height)
            .expect("on the canvas");
        for y in clipped.rect.y..clipped.rect.y + clipped.rect.height {
            for x in clipped.rect.x..clipped.rect.x + clipped.rect.width {
                let u = (x as f32 + 0.5 - object.frame.x as f32) / object.frame.width as f32;
                let v = (y as f32 + 0.5 - object.frame.y as f32) / object.frame.height as f32;
                let at = [u * scale[0] + offset[0], v * scale[1] + offset[1]];
                if at.iter().any(|place| !(0.0..=1.0).contains(place)) {
                    continue;
                }
                let alpha = reference::mask(frame, object.mask, info, (u, v));
                let pixel = &mut canvas[(y * layout.width + x) as usize];
                let [r, g, b] = colours[object.source].map(|value| srgb_decode(value) * alpha);
                let over = [r, g, b, alpha];
                *pixel = [0, 1, 2, 3].map(|c| over[c] + pixel[c] * (1.0 - alpha));
            }
        }
    }
    canvas
}

/// Whether what is fused into frame `index` looks as composed by hand.
fn fused_agree(path: &Path, index: u64, limit: f64) {
    let colours = [
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0],
        [1.0, 1.0, 0.0],
    ];
    let decoded = decoded(path, index);
    let size = UVec2::new(decoded.layout.width, decoded.layout.height);
    let mut stage = stage(size);
    let expected = composited(&decoded, &colours);
    let mut playback = VideoPlayback::new(path, size.as_vec2());
    for (source, colour) in decoded.layout.fusion.sources.iter().zip(colours) {
        let image = solid(&mut stage.app, colour);
        playback.fusion.insert((*source.tag).into(), image);
    }
    let picture = drawn(&mut stage, playback, index, decoded.info.frame_rate);
    let (mut fused, mut wrong) = (0, 0);
    for object in decoded.layout.fusion.objects(index) {
        let rect = object
            .frame
            .clip(size.x, size.y)
            .expect("on the canvas")
            .rect;
        for y in rect.y..rect.y + rect.height {
            for x in rect.x..rect.x + rect.width {
                let at = (y * size.x + x) as usize;
                let (got, expected) = (bytes(picture[at]), bytes(expected[at]));
                fused += 1;
                wrong += u32::from((0..4).any(|c| (got[c] - expected[c]).abs() > 2));
            }
        }
    }
    println!("{}: {wrong} of {fused} fused pixels differ", path.display());
    assert!(
        fused > 500 && f64::from(wrong) <= limit * f64::from(fused),
        "{wrong} of {fused}"
    );
}

#[test]
fn pictures_fused_into_our_own_clip_lie_under_their_masks() {
    // At this size the smoothed edges of the text alone are five in a hundred.
    fused_agree(&own("tiny-fusion.mp4"), 6, 0.06);
}

#[test]
fn pictures_fused_into_the_sample_lie_under_their_masks() {
    if let Some(path) = samples::vap("fusion.mp4") {
        fused_agree(&path, 100, 0.01);
    }
}

fn solid(app: &mut App, colour: [f32; 3]) -> Handle<Image> {
    use bevy::asset::RenderAssetUsages;
    use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
    let [r, g, b] = colour.map(|value| (value * 255.0) as u8);
    let image = Image::new_fill(
        Extent3d::default(),
        TextureDimension::D2,
        &[r, g, b, 255],
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    );
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}
