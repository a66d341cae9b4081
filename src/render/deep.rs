//! The deep camera: models are drawn into a picture of their own, which lies on the
//! stage among its other layers.
//!
//! It is a window onto the stage that goes along with the models, as large as they need
//! and no larger. Antialiased by four samples, a picture of the whole stage would be the
//! largest thing on the graphics card; and to clear it, to resolve it and to lay it over
//! the stage cost a rasteriser without a card more than most models do.

use bevy::camera::primitives::{Aabb, MeshAabb};
use bevy::camera::visibility::RenderLayers;
use bevy::camera::{
    ClearColorConfig, Hdr, ImageRenderTarget, RenderTarget, SubCameraView, Viewport,
};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::ecs::query::QueryData;
use bevy::math::bounding::{Aabb2d, BoundingVolume};
use bevy::mesh::morph::MeshMorphWeights;
use bevy::mesh::skinning::SkinnedMesh;
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;

use super::camera::{Quality, stage_target};
use super::layout::StageSize;
use super::quad::{QuadMaterial, corner_of_texture};

/// What only the deep camera sees.
pub const DEEP_LAYER: usize = 1;
/// Vertical field of view of the deep camera: long enough a lens that a model
/// at the side is not stretched.
const FIELD_OF_VIEW: f32 = 0.5;
/// Nearer to the camera than this, in stage units, nothing is drawn.
const NEAR: f32 = 10.0;

/// The windows there are, shares of the stage's sides. All have its shape: what is out of
/// sight is told by the shape of what is drawn.
const SHARES: [f32; 3] = [0.5, 0.75, 1.0];
/// Free pixels around the models, for the edges that antialiasing and filtering touch.
const MARGIN: f32 = 2.0;

/// Where the models' picture lies among the stage's layers.
const DEPTH: f32 = 2.5;

/// The camera that sees models.
#[derive(Component)]
pub struct ModelCamera;

/// The quad that carries the models' picture onto the stage.
#[derive(Component)]
pub struct ModelLayer;

/// The deep camera's distance from the plane z = 0, in stage units, at which
/// that plane fills the view exactly as the flat camera shows it.
pub fn model_camera_distance(stage: &StageSize) -> f32 {
    stage.units().y / 2.0 / (FIELD_OF_VIEW / 2.0).tan()
}

/// The windows' pictures, each made when it is first needed, and the one in use.
#[derive(Resource, Default)]
pub(super) struct Windows {
    pictures: [Option<(Handle<Image>, Handle<QuadMaterial>)>; SHARES.len()],
    size: usize,
    /// Share of its texture that the quad shows.
    shown: Option<Vec2>,
}

impl Windows {
    /// The picture of a size of window, and what the layer is made of that shows it.
    fn picture(
        &mut self,
        size: usize,
        stage: &StageSize,
        images: &mut Assets<Image>,
        materials: &mut Assets<QuadMaterial>,
    ) -> (Handle<Image>, Handle<QuadMaterial>) {
        let made = self.pictures[size].get_or_insert_with(|| {
            let pixels = window_size(stage.pixels, size);
            let picture = images.add(stage_target(pixels, TextureFormat::Rgba16Float));
            let material = materials.add(QuadMaterial::premultiplied(picture.clone()));
            (picture, material)
        });
        made.clone()
    }
}

/// Pixels of a window onto a stage of `pixels`.
fn window_size(pixels: UVec2, size: usize) -> UVec2 {
    (pixels.as_vec2() * SHARES[size]).ceil().as_uvec2()
}

pub(super) fn spawn_deep_camera(
    mut commands: Commands,
    stage: Res<StageSize>,
    quality: Res<Quality>,
    mut windows: ResMut<Windows>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
) {
    let (picture, material) = windows.picture(0, &stage, &mut images, &mut materials);
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
        RenderTarget::Image(ImageRenderTarget::from(picture)),
        Hdr,
        quality.antialiasing,
        Tonemapping::None,
        DebandDither::Disabled,
        Projection::Perspective(PerspectiveProjection {
            fov: FIELD_OF_VIEW,
            near: NEAR,
            far: distance * 3.0,
            ..default()
        }),
        Transform::from_xyz(0.0, 0.0, distance),
        RenderLayers::layer(DEEP_LAYER),
    ));
    commands.spawn((
        ModelLayer,
        Mesh2d(meshes.add(corner_of_texture(Vec2::ONE))),
        MeshMaterial2d(material),
        Transform::from_xyz(0.0, 0.0, DEPTH).with_scale(stage.units().extend(1.0)),
        Visibility::Hidden,
    ));
}

/// A part of a model.
#[derive(QueryData)]
pub(super) struct Part {
    mesh: &'static Mesh3d,
    bounds: Option<&'static Aabb>,
    place: &'static GlobalTransform,
    has_skin: Has<SkinnedMesh>,
    has_morphs: Has<MeshMorphWeights>,
}

impl PartItem<'_, '_> {
    /// The box that the part is in; none where its shape does not tell.
    fn bounds(&self, mesh: &Mesh) -> Option<Aabb> {
        if self.has_skin || self.has_morphs {
            return None;
        }
        // In its first frame a part has not been given them yet.
        self.bounds.copied().or_else(|| mesh.compute_aabb())
    }
}

/// Points the deep camera at the models, and lays what it sees where they are.
pub(super) fn aim(
    stage: Res<StageSize>,
    quality: Res<Quality>,
    parts: Query<Part>,
    camera: Single<(&mut Camera, &mut RenderTarget), With<ModelCamera>>,
    layer: Single<
        (
            &mut Transform,
            &mut GlobalTransform,
            &mut MeshMaterial2d<QuadMaterial>,
            &Mesh2d,
        ),
        (With<ModelLayer>, Without<Mesh3d>),
    >,
    mut windows: ResMut<Windows>,
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<QuadMaterial>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    let (mut camera, mut target) = camera.into_inner();
    if !camera.is_active {
        windows.size = 0;
        return;
    }
    // What is drawn of the stage's texture, and the models' place in that.
    let drawn = quality.corner(stage.pixels).unwrap_or(stage.pixels);
    let view = View {
        distance: model_camera_distance(&stage),
        units: stage.units(),
        pixels: drawn.as_vec2(),
    };
    // One whose mesh is not there is not drawn.
    let bounds = parts.iter().filter_map(|part| {
        let mesh = meshes.get(part.mesh)?;
        Some((part.bounds(mesh), *part.place))
    });
    let place = view.around(bounds);
    // While models are on stage it only grows: each size has textures of its own.
    let size = smallest_around(place, view.pixels).max(windows.size);
    windows.size = size;
    let texture = window_size(stage.pixels, size);
    let window = (texture.as_vec2() * view.pixels / stage.pixels.as_vec2())
        .round()
        .as_uvec2()
        .clamp(UVec2::ONE, drawn);
    let most = (drawn - window).as_vec2();
    let corner = (place.center() - window.as_vec2() / 2.0)
        .round()
        .clamp(Vec2::ZERO, most);

    let (picture, material) = windows.picture(size, &stage, &mut images, &mut materials);
    let (mut transform, mut global, mut shown_by, mesh) = layer.into_inner();
    if shown_by.0 != material {
        shown_by.0 = material;
        *target = RenderTarget::Image(ImageRenderTarget::from(picture));
    }
    camera.viewport = (window != texture).then(|| Viewport {
        physical_size: window,
        ..default()
    });
    camera.sub_camera_view = (window != drawn).then_some(SubCameraView {
        full_size: drawn,
        offset: corner,
        size: window,
    });
    let middle = (corner + window.as_vec2() / 2.0) / view.pixels - 0.5;
    *transform = Transform {
        translation: (middle * view.units * Vec2::new(1.0, -1.0)).extend(DEPTH),
        scale: (window.as_vec2() / view.pixels * view.units).extend(1.0),
        ..default()
    };
    *global = GlobalTransform::from(*transform);
    // Half a pixel less, so that the filter stays within what was drawn.
    let shown = match window == texture {
        true => Vec2::ONE,
        false => (window.as_vec2() - 0.5) / texture.as_vec2(),
    };
    if windows.shown.replace(shown) != Some(shown)
        && let Some(mut mesh) = meshes.get_mut(&mesh.0)
    {
        *mesh = corner_of_texture(shown);
    }
}

/// The smallest window that has room for `place` in a stage of so many pixels.
fn smallest_around(place: Aabb2d, pixels: Vec2) -> usize {
    let needed = place.max - place.min;
    let fits = |share: &f32| needed.cmple(pixels * share - 1.0).all();
    SHARES.iter().position(fits).unwrap_or(SHARES.len() - 1)
}

/// How the deep camera sees the whole stage.
struct View {
    distance: f32,
    units: Vec2,
    pixels: Vec2,
}

impl View {
    /// What of the stage has the parts in it, in pixels from its upper left; all of it
    /// where they do not say where they are.
    fn around(&self, parts: impl Iterator<Item = (Option<Aabb>, GlobalTransform)>) -> Aabb2d {
        let stage = Aabb2d {
            min: Vec2::ZERO,
            max: self.pixels,
        };
        let mut all: Option<Aabb2d> = None;
        for (bounds, place) in parts {
            let Some(part) = bounds.and_then(|bounds| self.of(&bounds, &place)) else {
                return stage;
            };
            all = Some(all.map_or(part, |all| all.merge(&part)));
        }
        let Some(all) = all else {
            return Aabb2d::new(self.pixels / 2.0, Vec2::ZERO);
        };
        Aabb2d {
            min: (all.min - MARGIN).clamp(stage.min, stage.max),
            max: (all.max + MARGIN).clamp(stage.min, stage.max),
        }
    }

    /// Where a box is seen; not, where a corner is behind the camera.
    fn of(&self, bounds: &Aabb, place: &GlobalTransform) -> Option<Aabb2d> {
        let mut seen = [Vec2::ZERO; 8];
        for (corner, seen) in seen.iter_mut().enumerate() {
            let sign = |axis: usize| if corner >> axis & 1 == 0 { -1.0 } else { 1.0 };
            let signs = Vec3::new(sign(0), sign(1), sign(2));
            let at = Vec3::from(bounds.center) + Vec3::from(bounds.half_extents) * signs;
            *seen = self.pixel(place.transform_point(at))?;
        }
        Some(Aabb2d::from_point_cloud(Isometry2d::IDENTITY, &seen))
    }

    /// The pixel at which a point is seen.
    fn pixel(&self, at: Vec3) -> Option<Vec2> {
        let away = self.distance - at.z;
        let on_stage = at.truncate() * self.distance / away / self.units;
        let pixel = (on_stage * Vec2::new(1.0, -1.0) + 0.5) * self.pixels;
        (away > NEAR && pixel.is_finite()).then_some(pixel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let stage = StageSize {
            pixels: UVec2::new(1_920, 1_080),
        };
        View {
            distance: model_camera_distance(&stage),
            units: stage.units(),
            pixels: stage.pixels.as_vec2(),
        }
    }

    fn around(boxes: &[(Vec3, f32)]) -> Aabb2d {
        let bounds = Aabb::from_min_max(Vec3::splat(-1.0), Vec3::splat(1.0));
        let parts = boxes.iter().map(|(at, size)| {
            let scale = Vec3::splat(size / 2.0);
            let place = Transform::from_translation(*at).with_scale(scale);
            (Some(bounds), GlobalTransform::from(place))
        });
        view().around(parts)
    }

    #[test]
    fn a_flat_box_in_the_stages_plane_is_where_the_flat_camera_sees_it() {
        // 1,080 pixels are 1,000 units.
        let place = around(&[(Vec3::new(100.0, 200.0, 0.0), 1e-3)]);
        let at = Vec2::new(960.0 + 108.0, 540.0 - 216.0);
        assert!(place.center().distance(at) < 0.01, "{place:?}");
        assert!((place.max - place.min - 2.0 * MARGIN).abs().max_element() < 0.01);
    }

    #[test]
    fn what_is_nearer_is_seen_larger_and_further_out() {
        let (near, far) = (
            around(&[(Vec3::new(300.0, 0.0, 500.0), 100.0)]),
            around(&[(Vec3::new(300.0, 0.0, -500.0), 100.0)]),
        );
        assert!(near.center().x > far.center().x);
        assert!(near.half_size().x > 1.4 * far.half_size().x);
    }

    #[test]
    fn two_models_are_in_one_window_and_what_is_beside_the_stage_does_not_count() {
        let left = (Vec3::new(-400.0, 0.0, 0.0), 100.0);
        let beside = (Vec3::new(5_000.0, 0.0, 0.0), 100.0);
        let both = around(&[left, (Vec3::new(400.0, 0.0, 0.0), 100.0)]);
        assert!((both.center().x - 960.0).abs() < 1.0, "{both:?}");
        assert_eq!(around(&[left, beside]).max.x, 1_920.0);
    }

    #[test]
    fn a_window_has_room_for_what_is_in_it() {
        let pixels = Vec2::new(1_920.0, 1_080.0);
        let sized = |size| smallest_around(Aabb2d::new(pixels / 2.0, size / 2.0), pixels);
        assert_eq!(sized(Vec2::new(100.0, 100.0)), 0);
        assert_eq!(sized(Vec2::new(955.0, 100.0)), 0);
        assert_eq!(sized(Vec2::new(965.0, 100.0)), 1);
        assert_eq!(sized(Vec2::new(100.0, 812.0)), 2);
        assert_eq!(sized(pixels), 2);
    }

    #[test]
    fn what_does_not_say_where_it_is_gets_all_of_the_stage() {
        let behind = GlobalTransform::from_xyz(0.0, 0.0, 10_000.0);
        for part in [
            (None, GlobalTransform::default()),
            (Some(Aabb::default()), behind),
        ] {
            let all = view().around([part].into_iter());
            assert_eq!(all.max - all.min, view().pixels);
        }
    }

    #[test]
    fn without_models_the_window_is_small() {
        let nothing = view().around(std::iter::empty());
        assert_eq!(smallest_around(nothing, view().pixels), 0);
    }
}
