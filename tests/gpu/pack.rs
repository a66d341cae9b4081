//! What `hyperfocus pack` makes, through the engine's own decoder and shader.

use std::path::Path;

use bevy::prelude::*;

use hyperfocus::render::video::layout::{Halves, PixelRect};
use hyperfocus::render::video::reference::{self, from_stage};
use hyperfocus::render::video::source::{OwnedPlanes, VideoFrame, VideoInfo};
use hyperfocus::render::video::{ActiveVideo, VideoPlayback, VideoPlugin, open};

use crate::offscreen::Offscreen;
use crate::pack_frames::{
    FRAMES, GROUNDS, HEIGHT, WIDTH, decoded, encoder_present, fringe, packed, picture,
};

/// ffmpeg's decoded frames as the engine would hold them.
fn decoded_planes(path: &Path, info: &VideoInfo) -> Vec<VideoFrame> {
    let size = |plane| {
        let (width, height) = info.plane_size(plane);
        (width as usize, height as usize)
    };
    let sizes = [size(0), size(1), size(2)];
    let lengths = sizes.map(|(width, height)| width * height);
    let bytes = decoded(path, "yuv420p");
    let frames = bytes.chunks_exact(lengths.iter().sum());
    let frame = |(index, planes): (usize, &[u8])| {
        let (luma, chroma) = planes.split_at(lengths[0]);
        let (blue, red) = chroma.split_at(lengths[1]);
        let planes = OwnedPlanes {
            bytes: [luma, blue, red].map(<[u8]>::to_vec),
            strides: sizes.map(|(width, _)| width),
        };
        VideoFrame::new(Box::new(planes), index as u64, 0.0)
    };
    frames.enumerate().map(frame).collect()
}

/// What the stage shows of the frame `index`, gamma-premultiplied, 0 to 255.
fn drawn(stage: &mut Offscreen, path: &Path, index: u64, rate: f64) -> Vec<[f32; 4]> {
    let playback = VideoPlayback {
        clock: (index as f64 + 0.5) / rate,
        ..VideoPlayback::new(path, Vec2::new(WIDTH as f32, HEIGHT as f32))
    };
    let video = stage.app.world_mut().spawn(playback).id();
    stage
        .until(|world| world.get::<ActiveVideo>(video).and_then(ActiveVideo::index) == Some(index));
    let picture = stage.picture();
    stage.app.world_mut().despawn(video);
    let encoded = |pixel| from_stage(pixel).map(|value| value * 255.0);
    picture.into_iter().map(encoded).collect()
}

#[test]
fn a_packed_file_plays_as_another_decoder_reads_it_and_without_fringes() {
    if !encoder_present() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = packed(folder.path(), &[]);
    let mut opened = open(&path, Halves::default()).expect("it opens");
    let info = opened.source.info().clone();
    let layout = opened.layout.clone();
    assert_eq!((layout.width, layout.height), (WIDTH, HEIGHT));
    assert_eq!(layout.colour, PixelRect::new(0, 0, WIDTH, HEIGHT));
    assert_eq!(info.frames, Some(u64::from(FRAMES)));

    let expected = decoded_planes(&path, &info);
    assert_eq!(expected.len(), FRAMES as usize);
    for theirs in &expected {
        let ours = opened.source.next_frame().expect("it decodes");
        let ours = ours.expect("as long as theirs");
        for plane in 0..3 {
            let (width, height) = info.plane_size(plane);
            for row in 0..height as usize {
                let row = |frame: &VideoFrame| {
                    let start = row * frame.stride(plane);
                    frame.bytes(plane)[start..start + width as usize].to_vec()
                };
                let near = row(&ours)
                    .iter()
                    .zip(row(theirs))
                    .all(|(a, b)| a.abs_diff(b) <= 1);
                assert!(near, "frame {}, plane {plane}", theirs.index);
            }
        }
    }
    assert!(opened.source.next_frame().expect("it ends").is_none());

    let mut stage = Offscreen::new(UVec2::new(WIDTH, HEIGHT), |app| {
        app.add_plugins(VideoPlugin::default());
    });
    for index in [0, 9, 19] {
        let theirs = reference::premultiplied(&expected[index as usize], &layout, &info);
        let shown = drawn(&mut stage, &path, index, info.frame_rate);
        let near = shown.iter().zip(theirs.chunks_exact(4)).filter(|(a, b)| {
            let near = |(a, b): (&f32, &u8)| (a.round() - f32::from(*b)).abs() <= 1.0;
            a.iter().zip(*b).all(near)
        });
        let share = near.count() as f64 / shown.len() as f64;
        println!("frame {index}: {:.3} % agree", share * 100.0);
        assert!(share >= 0.99, "frame {index}: {share}");
        for (name, ground) in GROUNDS {
            let fringe = fringe(&picture(index as u32), &shown, ground);
            println!("frame {index} over {name}: {fringe:.2?}");
            assert!(fringe.is_unseen(), "frame {index} over {name}: {fringe:?}");
        }
    }
}
