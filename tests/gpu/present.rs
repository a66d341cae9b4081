//! The present pass: known colours through the real shader, read back by the
//! real ring. The stage's colours are set by clearing it, so what comes in is
//! exact, glow without alpha included.

use std::sync::{Arc, Mutex, MutexGuard};

use bevy::app::{PluginGroupBuilder, PluginsState};
use bevy::camera::{ClearColorConfig, Hdr, ImageRenderTarget, RenderTarget};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::log::LogPlugin;
use bevy::pbr::PbrPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::gpu_readback::{Readback, ReadbackComplete};
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy::window::ExitCondition;

use hyperfocus::render::StageSize;
use hyperfocus::render::camera::StageCamera;
use hyperfocus::render::present::{
    self, Form, Frame, FrameRequest, Frames, MappedFrame, PresentPlugin, Taker, WindowCamera,
    add_outlet,
};

use crate::offscreen::alone;

/// A width whose rows need padding in the staging buffer.
pub(crate) const SIZE: UVec2 = UVec2::new(37, 20);
/// What rows in a buffer are padded to.
const COPY_ALIGNMENT: u32 = 256;
/// Updates within which a frame must have come back; it takes two or three.
const UPDATES: usize = 2_000;

fn plugins() -> PluginGroupBuilder {
    let plugins = DefaultPlugins
        .build()
        .disable::<LogPlugin>()
        .disable::<PipelinedRenderingPlugin>()
        .set(RenderPlugin {
            synchronous_pipeline_compilation: true,
            ..default()
        })
        .set(PbrPlugin {
            prepass_enabled: false,
            add_default_deferred_lighting_plugin: false,
            use_gpu_instance_buffer_builder: false,
            ..default()
        })
        .set(WindowPlugin {
            primary_window: None,
            exit_condition: ExitCondition::DontExit,
            ..default()
        });
    #[cfg(feature = "desktop")]
    let plugins = plugins.disable::<bevy::winit::WinitPlugin>();
    plugins
}

/// A stage of nothing but its clear colour.
pub(crate) fn stage(form: Form) -> (App, MutexGuard<'static, ()>) {
    stage_with(form, |_| ())
}

fn stage_with(form: Form, install: impl FnOnce(&mut App)) -> (App, MutexGuard<'static, ()>) {
    let alone = alone();
    let mut app = App::new();
    app.insert_resource(StageSize { pixels: SIZE })
        .add_plugins(plugins())
        .add_plugins(PresentPlugin { form });
    install(&mut app);
    while app.plugins_state() == PluginsState::Adding {
        tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
    let unused = target(&mut app, SIZE);
    app.world_mut().spawn((
        StageCamera,
        Camera2d,
        Camera {
            clear_color: ClearColorConfig::Custom(Color::NONE),
            ..default()
        },
        RenderTarget::Image(unused),
        Hdr,
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
    ));
    (app, alone)
}

fn target(app: &mut App, size: UVec2) -> ImageRenderTarget {
    let format = TextureFormat::Rgba8UnormSrgb;
    let mut image = Image::new_target_texture(size.x, size.y, format, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    app.world_mut()
        .resource_mut::<Assets<Image>>()
        .add(image)
        .into()
}

/// Clears the stage to a linear, premultiplied colour.
fn clear(app: &mut App, colour: [f32; 4]) {
    let [red, green, blue, alpha] = colour;
    let colour = LinearRgba::new(red, green, blue, alpha);
    let mut cameras = app
        .world_mut()
        .query_filtered::<&mut Camera, With<StageCamera>>();
    let mut camera = cameras
        .single_mut(app.world_mut())
        .expect("there is one stage");
    camera.clear_color = ClearColorConfig::Custom(colour.into());
}

/// The frame drawn from now on, as the outputs get it.
pub(crate) fn frame(app: &mut App, at: f64) -> Frame {
    app.insert_resource(FrameRequest {
        readback: true,
        is_new: true,
        at,
        ..default()
    });
    let frames = app.world().resource::<Frames>().0.clone();
    for _ in 0..UPDATES {
        app.update();
        if let Some(frame) = frames.try_iter().find(|frame| frame.at == at) {
            return frame;
        }
    }
    panic!("no frame came back within {UPDATES} updates");
}

/// What each linear, premultiplied colour becomes; every pixel is checked.
fn presented<const N: usize>(form: Form, colours: [[f32; 4]; N]) -> [[u8; 4]; N] {
    let (mut app, _alone) = stage(form);
    let mut at = 0.0;
    colours.map(|colour| {
        at += 1.0;
        clear(&mut app, colour);
        let frame = frame(&mut app, at);
        assert_eq!((frame.width, frame.height), (SIZE.x, SIZE.y));
        assert_eq!(frame.pixels.len(), (SIZE.x * SIZE.y * 4) as usize);
        let first: [u8; 4] = frame.pixels[..4]
            .try_into()
            .expect("a pixel has four bytes");
        assert!(
            frame.pixels.chunks_exact(4).all(|pixel| pixel == first),
            "one colour stays one colour"
        );
        first
    })
}

#[track_caller]
fn assert_near<const N: usize>(got: [f64; N], expected: [f64; N], tolerance: f64) {
    let near = got
        .iter()
        .zip(&expected)
        .all(|(got, want)| (got - want).abs() <= tolerance);
    assert!(near, "{got:.1?} is not {expected:?}");
}

/// IEC 61966-2-1, in bytes.
fn decode(byte: f64) -> f64 {
    let c = byte / 255.0;
    if c <= 0.04045 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

fn encode(linear: f64) -> f64 {
    255.0
        * if linear <= 0.003_130_8 {
            linear * 12.92
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        }
}

fn channels(pixel: [u8; 4]) -> ([f64; 3], f64) {
    let [r, g, b, a] = pixel.map(f64::from);
    ([r, g, b], a / 255.0)
}

/// As a compositor does that takes premultiplied bytes for what they are.
fn premultiplied_over(pixel: [u8; 4], ground: f64) -> [f64; 3] {
    let (colour, alpha) = channels(pixel);
    colour.map(|c| c + ground * (1.0 - alpha))
}

/// As whoever opens a PNG does.
fn straight_over(pixel: [u8; 4], ground: f64) -> [f64; 3] {
    let (colour, alpha) = channels(pixel);
    colour.map(|c| c * alpha + ground * (1.0 - alpha))
}

/// As one does who decodes, blends in linear light and encodes again.
fn linear_over(pixel: [u8; 4], ground: f64) -> [f64; 3] {
    let (colour, alpha) = channels(pixel);
    colour.map(|c| encode(decode(c) + decode(ground) * (1.0 - alpha)))
}

/// As one does who decodes and multiplies by alpha first.
fn straight_linear_over(pixel: [u8; 4], ground: f64) -> [f64; 3] {
    let (colour, alpha) = channels(pixel);
    colour.map(|c| encode(decode(c) * alpha + decode(ground) * (1.0 - alpha)))
}

const HALF_RED: [f32; 4] = [0.5, 0.0, 0.0, 0.5];
const GLOW: [f32; 4] = [0.2, 0.2, 0.2, 0.0];
const NOTHING: [f32; 4] = [0.0; 4];

#[test]
fn a_desktop_sees_half_of_red_and_all_of_a_glow() {
    let [red, glow, nothing, covered] = presented(
        Form::Desktop,
        [HALF_RED, GLOW, NOTHING, [0.2, 0.2, 0.2, 1.0]],
    )
    .map(|[blue, green, red, alpha]| [red, green, blue, alpha]);
    assert_near(premultiplied_over(red, 128.0), [192.0, 64.0, 64.0], 1.5);
    assert_near(premultiplied_over(glow, 0.0), [124.0; 3], 1.0);
    assert_eq!(glow[3], 0, "light covers nothing");
    assert_eq!(nothing, [0; 4]);
    assert_near(premultiplied_over(covered, 255.0), [124.0; 3], 1.0);
}

#[test]
fn linear_premultiplied_composites_right_in_linear_light() {
    let [red, glow, nothing] = presented(Form::LinearPremultiplied, [HALF_RED, GLOW, NOTHING]);
    assert_near(linear_over(red, 128.0), [205.0, 92.0, 92.0], 1.5);
    assert_near(linear_over(glow, 0.0), [124.0; 3], 1.0);
    assert_eq!(glow[3], 0, "light covers nothing");
    assert_eq!(nothing, [0; 4]);
}

#[test]
fn a_player_that_blends_in_linear_light_sees_half_of_red_and_all_of_a_glow() {
    let [red, glow, nothing] = presented(Form::StraightLinear, [HALF_RED, GLOW, NOTHING]);
    assert_near(straight_linear_over(red, 128.0), [205.0, 92.0, 92.0], 1.5);
    assert_near(straight_linear_over(glow, 0.0), [124.0; 3], 1.0);
    assert_eq!(nothing, [0; 4]);
}

#[test]
fn straight_edges_keep_their_colour_and_glow_survives_over_black() {
    // An orange edge from whole to faint.
    let orange = [1.0, 0.35, 0.05];
    let coverage = [1.0, 0.5, 0.1, 0.02];
    let edge = coverage.map(|a: f32| [orange[0] * a, orange[1] * a, orange[2] * a, a]);
    let [whole, half, tenth, faint] = presented(Form::Straight, edge);
    let expected = orange.map(|c| encode(f64::from(c)));
    for (pixel, coverage) in [whole, half, tenth, faint].into_iter().zip(coverage) {
        let (colour, alpha) = channels(pixel);
        assert_near(colour, expected, 1.5);
        assert_near([alpha], [f64::from(coverage)], 1.0 / 255.0);
    }
    let [red, glow, nothing] = presented(Form::Straight, [HALF_RED, GLOW, NOTHING]);
    assert_near(straight_over(red, 128.0), [192.0, 64.0, 64.0], 1.5);
    assert_near(straight_over(glow, 0.0), [124.0; 3], 1.5);
    assert_eq!(nothing, [0; 4]);
}

#[test]
fn what_is_brighter_than_white_is_white_and_what_is_below_black_is_black() {
    for form in [Form::Straight, Form::Desktop, Form::LinearPremultiplied] {
        let [bright, dark] = presented(form, [[4.0, 4.0, 4.0, 1.0], [-1.0, 0.0, 0.0, 1.0]]);
        assert_eq!(bright, [255; 4], "{form:?}");
        assert_eq!(dark, [0, 0, 0, 255], "{form:?}");
    }
}

#[test]
fn the_first_row_is_the_top() {
    let (mut app, _alone) = stage(Form::Straight);
    let half = SIZE.as_vec2() / 2.0;
    app.world_mut().spawn((
        Sprite::from_color(Color::linear_rgb(1.0, 0.0, 0.0), half),
        Transform::from_xyz(-half.x / 2.0, half.y / 2.0, 0.0),
    ));
    // The sprite's texture is prepared a frame after it appears.
    for at in 1..10 {
        let frame = frame(&mut app, f64::from(at));
        let pixel = |x: u32, y: u32| &frame.pixels[((y * SIZE.x + x) * 4) as usize..][..4];
        let corners = [
            pixel(1, 1),
            pixel(SIZE.x - 2, 1),
            pixel(1, SIZE.y - 2),
            pixel(SIZE.x - 2, SIZE.y - 2),
        ];
        let nothing: &[u8] = &[0; 4];
        if corners != [nothing; 4] {
            assert_eq!(corners, [&[255, 0, 0, 255], nothing, nothing, nothing]);
            return;
        }
    }
    panic!("the sprite never showed");
}

/// The rows of a window that shows half of red and is twice as tall as the stage
/// at the same width.
fn rows_in_window(camera: WindowCamera) -> Vec<Vec<[u8; 4]>> {
    let (mut app, _alone) = stage(Form::Straight);
    clear(&mut app, HALF_RED);
    let size = UVec2::new(SIZE.x, SIZE.y * 2);
    let window = target(&mut app, size);
    let picture = window.handle.clone();
    app.world_mut().spawn((
        camera,
        Camera2d,
        Camera {
            order: 2,
            clear_color: ClearColorConfig::Custom(Color::NONE),
            ..default()
        },
        RenderTarget::Image(window),
        Msaa::Off,
    ));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let taken = seen.clone();
    app.world_mut().spawn(Readback::texture(picture)).observe(
        move |event: On<ReadbackComplete>| {
            *taken.lock().expect("no other test holds it") = event.data.clone();
        },
    );
    for _ in 0..UPDATES {
        app.update();
        let bytes = seen.lock().expect("the observer does not panic");
        let rows: Vec<_> = bytes
            .chunks_exact((size.x * 4).next_multiple_of(COPY_ALIGNMENT) as usize)
            .map(|row| row.as_chunks::<4>().0[..size.x as usize].to_vec())
            .collect();
        if rows.iter().any(|row| row[0][0] != 0) {
            assert_eq!(rows.len(), size.y as usize);
            return rows;
        }
    }
    panic!("the window never showed anything");
}

/// Whether the stage is in that row of the window.
fn has_stage(row: usize) -> bool {
    (10..30).contains(&row)
}

#[test]
fn a_window_shows_the_stage_over_its_ground_with_bars_where_it_does_not_fit() {
    let rows = rows_in_window(WindowCamera {
        ground: LinearRgba::gray(decode(128.0) as f32),
        ..default()
    });
    for (y, row) in rows.into_iter().enumerate() {
        let expected = if has_stage(y) {
            [205.0, 92.0, 92.0]
        } else {
            [128.0; 3]
        };
        for pixel in row {
            let (colour, alpha) = channels(pixel);
            assert_near(colour, expected, 1.5);
            assert_near([alpha], [1.0], 0.0);
        }
    }
}

#[test]
fn a_window_over_the_desktop_has_what_desktops_mix_and_nothing_beside_the_stage() {
    for (opacity, mixed) in [(1.0, [192.0, 64.0, 64.0]), (0.5, [160.0, 96.0, 96.0])] {
        let rows = rows_in_window(WindowCamera {
            desktop: Some(opacity),
            ..default()
        });
        for (y, row) in rows.into_iter().enumerate() {
            for pixel in row {
                if has_stage(y) {
                    assert_near(premultiplied_over(pixel, 128.0), mixed, 1.5);
                } else {
                    assert_eq!(pixel, [0; 4], "row {y}");
                }
            }
        }
    }
}

/// Has no room for its first frames.
struct Crowded {
    refused: usize,
    taken: Arc<Mutex<Vec<f64>>>,
}

impl Taker for Crowded {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        request.is_new
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let has_room = self.refused == 0;
        if has_room {
            self.taken.lock().unwrap().push(frame.request.at);
        } else {
            self.refused -= 1;
        }
        has_room
    }
}

#[test]
fn a_frame_that_was_lost_is_made_up_for_by_the_next_though_nothing_moves() {
    let taken = Arc::<Mutex<Vec<f64>>>::default();
    let taker = Crowded {
        refused: 3,
        taken: taken.clone(),
    };
    let (mut app, _alone) = stage_with(Form::Straight, |app| {
        add_outlet(app, Form::Straight, taker);
    });
    let request = |is_new, at| FrameRequest {
        is_new,
        at,
        ..default()
    };
    app.insert_resource(request(true, 1.0));
    app.update();
    app.insert_resource(request(false, 2.0));
    let owes = |app: &App| app.world().resource::<present::Readback>().is_owed();
    for _ in 0..UPDATES {
        if !taken.lock().unwrap().is_empty() {
            break;
        }
        app.update();
    }
    assert_eq!(*taken.lock().unwrap(), [2.0], "the stage as it is now");
    for _ in 0..10 {
        app.update();
    }
    assert!(!owes(&app));
    assert_eq!(taken.lock().unwrap().len(), 1, "once is enough");
}

#[test]
fn nothing_is_read_back_unless_it_is_asked_for() {
    let (mut app, _alone) = stage(Form::Straight);
    frame(&mut app, 1.0);
    app.insert_resource(FrameRequest::default());
    let frames = app.world().resource::<Frames>().0.clone();
    // What was asked for already may still arrive.
    for _ in 0..10 {
        app.update();
        frames.try_iter().for_each(drop);
    }
    for _ in 0..10 {
        app.update();
        assert!(frames.try_recv().is_err());
    }
}
