//! The video shader and the upload, on frames whose every byte is known.

use std::path::Path;
use std::sync::Arc;

use bevy::asset::RenderAssetUsages;
use bevy::image::ImageSampler;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};

use hyperfocus::render::video::layout::{
    CanvasRect, Fit, Fusion, FusionKind, FusionObject, FusionSource, Layout, PixelRect,
};
use hyperfocus::render::video::player::{MAX_PLAYERS, Opened};
use hyperfocus::render::video::reference::{self, from_stage, srgb_decode};
use hyperfocus::render::video::source::{
    NullSource, OwnedPlanes, VideoError, VideoFrame, VideoInfo, VideoSource,
};
use hyperfocus::render::video::{
    ActiveVideo, VideoKit, VideoMaterial, VideoPlayback, VideoPlugin, VideoStatus,
};

use crate::offscreen::Offscreen;

/// One frame, for ever.
struct Still {
    info: VideoInfo,
    planes: OwnedPlanes,
    given: bool,
}

impl VideoSource for Still {
    fn info(&self) -> &VideoInfo {
        &self.info
    }
    fn next_frame(&mut self) -> Result<Option<VideoFrame>, VideoError> {
        let first = !std::mem::replace(&mut self.given, true);
        Ok(first.then(|| self.frame()))
    }
    fn rewind(&mut self) -> Result<(), VideoError> {
        self.given = false;
        Ok(())
    }
}

impl Still {
    /// A frame with luma by `luma(x, y)` and chroma by `chroma(x, y)` in its
    /// own samples; rows are `padding` bytes longer than they need to be, and
    /// filled up with what must never be seen.
    fn new(
        size: (u32, u32),
        padding: usize,
        luma: impl Fn(u32, u32) -> u8,
        chroma: impl Fn(u32, u32) -> [u8; 2],
    ) -> Self {
        let info = VideoInfo {
            width: size.0,
            height: size.1,
            ..NullSource::new(2, 2, 25.0, 1).info().clone()
        };
        let plane = |plane: usize, value: &dyn Fn(u32, u32) -> u8| {
            let (width, height) = info.plane_size(plane);
            let mut bytes = Vec::new();
            for y in 0..height {
                bytes.extend((0..width).map(|x| value(x, y)));
                bytes.extend(vec![255; padding]);
            }
            bytes
        };
        let planes = OwnedPlanes {
            bytes: [
                plane(0, &luma),
                plane(1, &|x, y| chroma(x, y)[0]),
                plane(2, &|x, y| chroma(x, y)[1]),
            ],
            strides: [0, 1, 2].map(|plane| info.plane_size(plane).0 as usize + padding),
        };
        Self {
            info,
            planes,
            given: false,
        }
    }

    fn frame(&self) -> VideoFrame {
        VideoFrame::new(Box::new(self.planes.clone()), 0, 0.0)
    }

    fn again(&self) -> Self {
        Self {
            info: self.info.clone(),
            planes: self.planes.clone(),
            given: false,
        }
    }
}

/// A stage that plays `still` whatever file is named.
fn stage(size: UVec2, still: &Still, layout: Layout) -> Offscreen {
    let (still, layout) = (still.again(), Arc::new(layout));
    Offscreen::new(size, move |app| {
        app.add_plugins(VideoPlugin {
            opener: Arc::new(move |_, _| {
                Ok(Opened {
                    source: Box::new(still.again()),
                    layout: Arc::clone(&layout),
                })
            }),
        });
    })
}

fn playback(size: UVec2) -> VideoPlayback {
    VideoPlayback::new(Path::new("still.mp4"), size.as_vec2())
}

fn shown(world: &mut World) -> bool {
    let mut videos = world.query::<&ActiveVideo>();
    videos.iter(world).all(|video| video.index().is_some())
}

fn bytes(pixel: [f32; 4]) -> [i32; 4] {
    from_stage(pixel).map(|value| (value * 255.0).round() as i32)
}

/// Share of pixels with every channel within `levels`.
fn share_within(levels: i32, got: &[[f32; 4]], expected: &[[i32; 4]]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let near = got.iter().zip(expected).filter(|(got, expected)| {
        let got = bytes(**got);
        (0..4).all(|channel| (got[channel] - expected[channel]).abs() <= levels)
    });
    near.count() as f64 / got.len() as f64
}

fn solid(app: &mut App, colour: [u8; 4], size: u32) -> Handle<Image> {
    let mut image = Image::new_fill(
        Extent3d {
            width: size,
            height: size,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        &colour,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    );
    image.sampler = ImageSampler::linear();
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}

/// Colour above, alpha at half size below, everything different everywhere.
fn busy(padding: usize) -> (Still, Layout) {
    let still = Still::new(
        (64, 56),
        padding,
        |x, y| match y {
            0..32 => (16 + x * 3 + y / 2) as u8,
            _ => (16 + x * 6 + y).min(235) as u8,
        },
        |x, y| [(100 + x * 2) as u8, (170 - y * 2) as u8],
    );
    let layout = Layout {
        width: 60,
        height: 32,
        colour: PixelRect::new(2, 0, 60, 32),
        alpha: PixelRect::new(4, 36, 30, 16),
        fusion: Fusion::default(),
    };
    (still, layout)
}

#[test]
fn the_gpu_and_the_cpu_agree_whatever_the_rows_padding() {
    for padding in [0, 16, 37] {
        let (still, layout) = busy(padding);
        let size = UVec2::new(layout.width, layout.height);
        let expected: Vec<_> = reference::premultiplied(&still.frame(), &layout, &still.info)
            .chunks_exact(4)
            .map(|pixel| [0, 1, 2, 3].map(|channel| i32::from(pixel[channel])))
            .collect();
        let mut stage = stage(size, &still, layout);
        stage.app.world_mut().spawn(playback(size));
        stage.until(shown);
        let picture = stage.picture();
        let share = share_within(1, &picture, &expected);
        assert!(
            share >= 0.99,
            "padding {padding}: {:.2} % agree",
            share * 100.0
        );
    }
}

#[test]
fn nothing_bleeds_over_the_border_of_a_rectangle_however_large_it_is_drawn() {
    // A black picture of alpha 0 in a frame that is white all around it.
    let inside = |x: u32, y: u32, scale: u32| {
        let (x, y) = (x * scale, y * scale);
        (8..24).contains(&x) && (8..24).contains(&y)
    };
    let still = Still::new(
        (48, 32),
        0,
        |x, y| if inside(x, y, 1) || x >= 32 { 16 } else { 235 },
        |x, y| if inside(x, y, 2) { [128; 2] } else { [240, 16] },
    );
    let layout = Layout {
        width: 16,
        height: 16,
        colour: PixelRect::new(8, 8, 16, 16),
        alpha: PixelRect::new(32, 8, 8, 8),
        fusion: Fusion::default(),
    };
    let size = UVec2::splat(128);
    let mut stage = stage(size, &still, layout);
    // Something to see, so that the picture counts as drawn.
    let mark = solid(&mut stage.app, [255; 4], 1);
    stage
        .app
        .world_mut()
        .spawn((Sprite::from_image(mark), Transform::from_xyz(0.0, 0.0, 1.0)));
    stage.app.world_mut().spawn(playback(size));
    stage.until(shown);
    let picture = stage.picture();
    let lit = picture
        .iter()
        .filter(|pixel| pixel.iter().any(|&value| value > 0.0));
    assert!(lit.count() <= 4, "only the mark is to be seen");
}

#[test]
fn opacity_fades_light_and_cover_alike() {
    let still = Still::new((4, 2), 0, |_, _| 235, |_, _| [128; 2]);
    let layout = Layout::halves(default(), &still.info);
    let size = UVec2::splat(8);
    let mut stage = stage(size, &still, layout);
    stage.app.world_mut().spawn(VideoPlayback {
        opacity: 0.25,
        ..playback(size)
    });
    stage.until(shown);
    let picture = stage.picture();
    assert!(
        picture
            .iter()
            .all(|pixel| pixel.iter().all(|v| (v - 0.25).abs() < 0.01))
    );
}

/// A canvas of 32x32 that is empty but for what is fused into it; masks are
/// in the right half of the frame.
fn fusion_stage(source: FusionSource, object: FusionObject, mask: fn(u32, u32) -> u8) -> Offscreen {
    let still = Still::new(
        (64, 32),
        0,
        move |x, y| if x < 32 { 16 } else { mask(x - 32, y) },
        |_, _| [128; 2],
    );
    let layout = Layout {
        width: 32,
        height: 32,
        colour: PixelRect::new(0, 0, 32, 32),
        alpha: PixelRect::new(0, 0, 32, 32),
        fusion: Fusion::new(vec![source], vec![object]),
    };
    let mut stage = stage(UVec2::splat(32), &still, layout);
    let image = solid(&mut stage.app, [255, 0, 0, 255], 4);
    let mut playing = playback(UVec2::splat(32));
    playing.fusion.insert("[avatar]".into(), image);
    stage.app.world_mut().spawn(playing);
    stage.until(shown);
    stage
}

fn avatar(kind: FusionKind, fit: Fit) -> FusionSource {
    FusionSource {
        tag: "[avatar]".into(),
        kind,
        fit,
        width: 16,
        height: 16,
    }
}

fn object(x: i32, y: i32, mask_turned: bool) -> FusionObject {
    FusionObject {
        index: 0,
        z: 0,
        source: 0,
        frame: CanvasRect {
            x,
            y,
            width: 16,
            height: 16,
        },
        mask: PixelRect::new(32, 0, 16, 16),
        mask_turned,
    }
}

fn alpha_at(picture: &[[f32; 4]], x: usize, y: usize) -> f32 {
    picture[y * 32 + x][3]
}

#[test]
fn a_fused_image_shows_where_it_belongs_as_its_mask_allows() {
    // The mask's left half is black.
    let mask = |x, _| if x < 8 { 16 } else { 235 };
    let mut stage = fusion_stage(
        avatar(FusionKind::Image, Fit::FitXy),
        object(8, 4, false),
        mask,
    );
    let picture = stage.picture();
    for y in 0..32 {
        for x in 0..32 {
            let [r, g, b, a] = picture[y * 32 + x];
            let expected = if (17..24).contains(&x) && (4..20).contains(&y) {
                1.0
            } else if x == 16 || x == 15 {
                continue;
            } else {
                0.0
            };
            assert!((a - expected).abs() < 0.01, "{x},{y}: {a}");
            assert!(
                (r - expected).abs() < 0.01 && g == 0.0 && b == 0.0,
                "{x},{y}"
            );
        }
    }
}

#[test]
fn a_turned_mask_is_turned_clockwise() {
    // White at the stored mask's lower left, which turns to the upper left.
    let mask = |x, y| if x < 8 && y >= 8 { 235 } else { 16 };
    let mut stage = fusion_stage(
        avatar(FusionKind::Image, Fit::FitXy),
        object(0, 0, true),
        mask,
    );
    let picture = stage.picture();
    assert!(alpha_at(&picture, 3, 3) > 0.99);
    for (x, y) in [(12, 3), (3, 12), (12, 12)] {
        assert!(alpha_at(&picture, x, y) < 0.01, "{x},{y}");
    }
}

#[test]
fn what_hangs_over_the_canvas_is_cut_off_there() {
    let mask = |x, _| if x < 8 { 16 } else { 235 };
    let mut stage = fusion_stage(
        avatar(FusionKind::Image, Fit::FitXy),
        object(-4, 24, false),
        mask,
    );
    // Drawn smaller than the target, so that an overhang would show.
    let world = stage.app.world_mut();
    let mut videos = world.query::<&mut VideoPlayback>();
    for mut video in videos.iter_mut(world) {
        video.size = Vec2::splat(16.0);
    }
    stage.app.update();
    let picture = stage.picture();
    for y in 0..32 {
        for x in 0..32 {
            // The canvas is now 8..24 both ways; the mask's white half is its
            // columns 4..12 of 32, so 10..14 here, in the lowest quarter.
            let white = (11..14).contains(&x) && (20..24).contains(&y);
            if !white && x != 10 && x != 9 {
                assert!(alpha_at(&picture, x, y) < 0.01, "{x},{y}");
            } else if white {
                assert!(alpha_at(&picture, x, y) > 0.99, "{x},{y}");
            }
        }
    }
}

#[test]
fn text_stands_at_four_fifths_of_its_box() {
    let text = FusionKind::Text {
        colour: [255; 3],
        bold: false,
    };
    let mut stage = fusion_stage(avatar(text, Fit::FitXy), object(8, 8, false), |_, _| 235);
    let picture = stage.picture();
    // A square picture of 12.8 in the middle of a box of 16.
    let rows: Vec<_> = (0..32)
        .filter(|&y| alpha_at(&picture, 16, y) > 0.9)
        .collect();
    assert_eq!((rows.first(), rows.last()), (Some(&10), Some(&21)));
}

#[test]
fn a_tag_without_an_image_stays_empty_and_the_video_plays() {
    let (still, mut layout) = busy(0);
    layout.fusion = Fusion::new(
        vec![avatar(FusionKind::Image, Fit::FitXy)],
        vec![FusionObject {
            mask: PixelRect::new(0, 0, 8, 8),
            ..object(0, 0, false)
        }],
    );
    let size = UVec2::new(layout.width, layout.height);
    let expected: Vec<_> = reference::premultiplied(&still.frame(), &layout, &still.info)
        .chunks_exact(4)
        .map(|pixel| [0, 1, 2, 3].map(|channel| i32::from(pixel[channel])))
        .collect();
    let mut stage = stage(size, &still, layout);
    stage.app.world_mut().spawn(playback(size));
    stage.until(shown);
    assert!(share_within(1, &stage.picture(), &expected) >= 0.99);
}

#[test]
fn a_fifth_video_waits_for_a_slot_and_then_plays() {
    let (still, layout) = busy(0);
    let mut stage = stage(UVec2::splat(32), &still, layout);
    let videos: Vec<_> = (0..=MAX_PLAYERS)
        .map(|_| {
            let playing = VideoPlayback {
                looping: true,
                ..playback(UVec2::splat(32))
            };
            stage.app.world_mut().spawn(playing).id()
        })
        .collect();
    let fifth = videos[MAX_PLAYERS];
    stage.until(|world| {
        let playing =
            |&&video: &&Entity| world.get::<VideoStatus>(video) == Some(&VideoStatus::Playing);
        videos.iter().filter(playing).count() == MAX_PLAYERS
    });
    let status = |world: &World| world.get::<VideoStatus>(fifth).cloned();
    assert_eq!(status(stage.app.world()), Some(VideoStatus::Waiting));
    stage.app.world_mut().despawn(videos[0]);
    stage.until(|world| status(world) == Some(VideoStatus::Playing));
}

#[test]
fn a_removed_video_leaves_nothing_behind() {
    let (still, layout) = busy(0);
    let mut stage = stage(UVec2::splat(32), &still, layout);
    let quads = |world: &mut World| {
        let mut quads = world.query::<&MeshMaterial2d<VideoMaterial>>();
        quads.iter(world).count()
    };
    let images = |world: &World| world.resource::<Assets<Image>>().len();
    stage.app.update();
    let before = images(stage.app.world());
    let video = stage.app.world_mut().spawn(playback(UVec2::splat(32))).id();
    stage.until(shown);
    assert_eq!(quads(stage.app.world_mut()), 1);
    assert_eq!(images(stage.app.world()), before + 3);
    stage
        .app
        .world_mut()
        .entity_mut(video)
        .remove::<VideoPlayback>();
    stage.until(|world| quads(world) == 0 && images(world) == before);
    assert!(stage.app.world().get::<ActiveVideo>(video).is_none());
}

#[test]
fn a_file_that_fails_is_told_and_draws_nothing() {
    let missing = VideoError::Missing("gone.mp4".into());
    let told = missing.clone();
    let mut stage = Offscreen::new(UVec2::splat(8), move |app| {
        app.add_plugins(VideoPlugin {
            opener: Arc::new(move |_, _| Err(told.clone())),
        });
    });
    let video = stage.app.world_mut().spawn(playback(UVec2::splat(8))).id();
    let failed = VideoStatus::Failed(missing);
    stage.until(|world| world.get::<VideoStatus>(video) == Some(&failed));
}

#[test]
fn warming_up_draws_nothing_and_makes_the_only_pipeline() {
    use bevy::render::RenderApp;
    use bevy::render::render_resource::PipelineCache;

    let (still, layout) = busy(0);
    let size = UVec2::new(layout.width, layout.height);
    let mut stage = stage(size, &still, layout);
    let pipelines = |app: &App| {
        let cache = app.sub_app(RenderApp).world().resource::<PipelineCache>();
        let ready = cache.waiting_pipelines().next().is_none();
        (cache.pipelines().count(), ready)
    };
    let warm_with = |stage: &mut Offscreen, more_than| {
        let mut made = 0;
        stage.until_app(|app| {
            let (count, ready) = pipelines(app);
            made = count;
            ready && count > more_than
        });
        made
    };
    let without = warm_with(&mut stage, 0);
    let world = stage.app.world_mut();
    world.resource_scope(|world, mut materials: Mut<Assets<VideoMaterial>>| {
        let warm = world.resource::<VideoKit>().warm_up(&mut materials);
        for bundle in warm {
            world.spawn(bundle);
        }
    });
    let warm = warm_with(&mut stage, without);
    stage.app.world_mut().spawn(playback(size));
    stage.until(shown);
    let picture = stage.picture();
    assert_eq!(
        pipelines(&stage.app).0,
        warm,
        "no pipeline was made for the real video"
    );
    let middle = picture[picture.len() / 2];
    assert!(middle[3] > 0.0 && srgb_decode(1.0) == 1.0);
}
