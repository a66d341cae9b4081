//! The stage's flat camera, through which everything passes; models by way of the deep
//! one, see `deep`.
//!
//! Everything before the present pass is linear and premultiplied over a
//! transparent clear. Tone mapping and dithering stay off (they would change
//! the composite); bloom adds colour and leaves alpha alone, so glow survives.

use bevy::camera::{ClearColorConfig, Hdr, ImageRenderTarget, RenderTarget, ScalingMode, Viewport};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};

use super::bloom::Bloom;
use super::layout::{SHORT_SIDE, StageSize};
use crate::governor::Wish;

/// How far before the stage the flat camera stands. Sparks lie along their
/// flight and turn their face towards it; from within the stage's plane it would
/// see their edge.
const EYE: f32 = 4_000.0;

/// The camera whose picture the outputs take.
#[derive(Component)]
pub struct StageCamera;

/// What the user asks of the picture; it may be changed at any time. Whoever
/// governs [`Quality`] obeys it.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct QualityWish(pub Wish);

/// How much the picture may cost. It may change at any time: no level of it
/// needs a pipeline that another does not.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Lines of the largest texture that bloom blurs. Its cost goes with the
    /// square and does not depend on the stage's size.
    pub bloom_lines: u32,
    /// Of models; everything else is soft by itself. Read once, at the start.
    pub antialiasing: Msaa,
    /// Share of each emitter's particles, up to 1; of emitters yet to fire.
    pub particles: f32,
    /// Share of the stage's width and height that is drawn, up to 1. The last
    /// pass enlarges it: outputs keep their size, and all measures theirs.
    pub scale: f32,
}

impl Quality {
    /// For graphics cards.
    pub const FULL: Self = Self {
        bloom_lines: 512,
        antialiasing: Msaa::Sample4,
        particles: 1.0,
        scale: 1.0,
    };
    /// For a rasteriser on the CPU: the same picture with a coarser glow.
    pub const FRUGAL: Self = Self {
        bloom_lines: 128,
        ..Self::FULL
    };
}

impl Quality {
    /// The corner of a texture of `size` pixels that is drawn into; `None` where
    /// that is all of it.
    pub(super) fn corner(&self, size: UVec2) -> Option<UVec2> {
        let corner = (size.as_vec2() * self.scale).round().as_uvec2();
        (corner != size).then(|| corner.max(UVec2::ONE))
    }

    pub(super) fn bloom(&self) -> Bloom {
        Bloom {
            lines: self.bloom_lines,
        }
    }
}

/// A picture of `size` pixels to draw into.
pub(super) fn stage_target(size: UVec2, format: TextureFormat) -> Image {
    let mut image = Image::new_target_texture(size.x, size.y, format, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    // A screenful of zeroes that would lie in memory and be uploaded.
    image.data = None;
    image.copy_on_resize = false;
    image
}

pub(super) fn spawn_stage_camera(
    mut commands: Commands,
    stage: Res<StageSize>,
    quality: Res<Quality>,
    mut images: ResMut<Assets<Image>>,
) {
    // The flat camera's own target is never written: its main texture is what
    // the present pass reads. A camera needs one to have a size.
    let unused = images.add(stage_target(stage.pixels, TextureFormat::Rgba8UnormSrgb));
    commands.spawn((
        StageCamera,
        Camera2d,
        Camera {
            order: 1,
            clear_color: ClearColorConfig::Custom(Color::NONE),
            ..default()
        },
        RenderTarget::Image(ImageRenderTarget::from(unused)),
        Hdr,
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
        Projection::Orthographic(OrthographicProjection {
            scaling_mode: ScalingMode::AutoMin {
                min_width: SHORT_SIDE,
                min_height: SHORT_SIDE,
            },
            near: 0.0,
            far: 2.0 * EYE,
            ..OrthographicProjection::default_2d()
        }),
        Transform::from_xyz(0.0, 0.0, EYE),
        quality.bloom(),
    ));
}

/// Draws into as much of the camera's texture as the quality says. The texture stays as
/// it is: making others would hold up a frame.
pub(super) fn follow_scale(
    quality: Res<Quality>,
    stage: Res<StageSize>,
    mut camera: Single<&mut Camera, With<StageCamera>>,
    mut drawn: Local<Option<UVec2>>,
) {
    let corner = quality.corner(stage.pixels);
    if *drawn == corner {
        return;
    }
    *drawn = corner;
    camera.viewport = corner.map(|physical_size| Viewport {
        physical_size,
        ..default()
    });
}
