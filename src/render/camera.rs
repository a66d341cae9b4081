//! The stage's cameras: a flat one that everything passes through, and a deep
//! one for models, which renders into a texture of its own while a model plays.
//!
//! Everything before the present pass is linear and premultiplied over a
//! transparent clear. Tone mapping and dithering stay off (they would change
//! the composite); bloom adds colour and leaves alpha alone, so glow survives.

use bevy::camera::visibility::RenderLayers;
use bevy::camera::{ClearColorConfig, Hdr, ImageRenderTarget, RenderTarget, ScalingMode, Viewport};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};

use super::bloom::Bloom;
use super::layout::{SHORT_SIDE, StageSize};
use super::quad::{QuadMaterial, corner_of_texture};
use crate::governor::Wish;

/// What only the deep camera sees.
pub const DEEP_LAYER: usize = 1;
/// Vertical field of view of the deep camera: long enough a lens that a model
/// at the side is not stretched.
const FIELD_OF_VIEW: f32 = 0.5;

/// How far before the stage the flat camera stands. Sparks lie along their
/// flight and turn their face towards it; from within the stage's plane it would
/// see their edge.
const EYE: f32 = 4_000.0;

/// The camera whose picture the outputs take.
#[derive(Component)]
pub struct StageCamera;

/// The camera that sees models.
#[derive(Component)]
pub struct ModelCamera;

/// The quad that carries the models' picture onto the stage.
#[derive(Component)]
pub struct ModelLayer;

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
    fn corner(&self, size: UVec2) -> Option<UVec2> {
        let corner = (size.as_vec2() * self.scale).round().as_uvec2();
        (corner != size).then(|| corner.max(UVec2::ONE))
    }

    pub(super) fn bloom(&self) -> Bloom {
        Bloom {
            lines: self.bloom_lines,
        }
    }
}

/// The deep camera's distance from the plane z = 0, in stage units, at which
/// that plane fills the view exactly as the flat camera shows it.
pub fn model_camera_distance(stage: &StageSize) -> f32 {
    stage.units().y / 2.0 / (FIELD_OF_VIEW / 2.0).tan()
}

pub(super) fn spawn_cameras(
    mut commands: Commands,
    stage: Res<StageSize>,
    quality: Res<Quality>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    let target = |format, images: &mut Assets<Image>| {
        let mut image = Image::new_target_texture(stage.pixels.x, stage.pixels.y, format, None);
        image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
        // A screenful of zeroes that would lie in memory and be uploaded.
        image.data = None;
        image.copy_on_resize = false;
        images.add(image)
    };
    // The flat camera's own target is never written: its main texture is what
    // the present pass reads. A camera needs one to have a size.
    let unused = target(TextureFormat::Rgba8UnormSrgb, &mut images);
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

    let models = target(TextureFormat::Rgba16Float, &mut images);
    let distance = model_camera_distance(&stage);
    commands.spawn((
        ModelCamera,
        Camera3d::default(),
        Camera {
            order: 0,
            is_active: false,
            clear_color: ClearColorConfig::Custom(Color::NONE),
            ..default()
        },
        RenderTarget::Image(ImageRenderTarget::from(models.clone())),
        Hdr,
        quality.antialiasing,
        Tonemapping::None,
        DebandDither::Disabled,
        Projection::Perspective(PerspectiveProjection {
            fov: FIELD_OF_VIEW,
            near: 10.0,
            far: distance * 3.0,
            ..default()
        }),
        Transform::from_xyz(0.0, 0.0, distance),
        RenderLayers::layer(DEEP_LAYER),
    ));
    commands.spawn((
        ModelLayer,
        Mesh2d(meshes.add(corner_of_texture(Vec2::ONE))),
        MeshMaterial2d(materials.add(QuadMaterial::premultiplied(models))),
        Transform::from_xyz(0.0, 0.0, 2.5).with_scale(stage.units().extend(1.0)),
        Visibility::Hidden,
    ));
}

/// Draws into as much of the cameras' textures as the quality says. The textures
/// stay as they are: making others would hold up a frame.
pub(super) fn follow_scale(
    quality: Res<Quality>,
    stage: Res<StageSize>,
    mut cameras: Query<&mut Camera, Or<(With<StageCamera>, With<ModelCamera>)>>,
    layer: Single<&Mesh2d, With<ModelLayer>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut drawn: Local<Option<UVec2>>,
) {
    let corner = quality.corner(stage.pixels);
    if *drawn == corner {
        return;
    }
    *drawn = corner;
    for mut camera in &mut cameras {
        camera.viewport = corner.map(|physical_size| Viewport {
            physical_size,
            ..default()
        });
    }
    // Half a pixel less, so that the filter stays within what was drawn.
    let share = corner.map_or(Vec2::ONE, |corner| {
        (corner.as_vec2() - 0.5) / stage.pixels.as_vec2()
    });
    if let Some(mut mesh) = meshes.get_mut(&layer.0) {
        *mesh = corner_of_texture(share);
    }
}
