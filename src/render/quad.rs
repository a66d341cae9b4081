//! Textured rectangles in the stage's own form, linear and premultiplied:
//! pictures, captions and the models' layer.

use bevy::asset::{RenderAssetUsages, uuid_handle};
use bevy::mesh::{Indices, MeshVertexBufferLayoutRef, PrimitiveTopology, VertexAttributeValues};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, BlendState, RenderPipelineDescriptor, SpecializedMeshPipelineError,
};
use bevy::shader::{Shader, ShaderRef};
use bevy::sprite_render::{AlphaMode2d, Material2d, Material2dKey, Material2dPlugin};

const SHADER: Handle<Shader> = uuid_handle!("6f0d3f3e-2a53-4a6c-9c3d-7a1c62a3c0b1");

/// Parts to a side of a picture that bends: enough for two waves to be round.
const BENDING_CELLS: u32 = 20;

pub struct QuadPlugin;

impl Plugin for QuadPlugin {
    fn build(&self, app: &mut App) {
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../shaders/quad.wgsl"),
            "shaders/quad.wgsl",
        );
        app.add_plugins(Material2dPlugin::<QuadMaterial>::default());
        let mut meshes = app.world_mut().resource_mut::<Assets<Mesh>>();
        let (flat, bending) = (meshes.add(grid(1)), meshes.add(grid(BENDING_CELLS)));
        app.insert_resource(UnitQuad(flat))
            .insert_resource(BendingQuad(bending));
    }
}

/// A rectangle of one unit, for every quad.
#[derive(Resource, Clone)]
pub struct UnitQuad(pub Handle<Mesh>);

/// The same in so many parts that a wave can run through it.
#[derive(Resource, Clone)]
pub struct BendingQuad(pub Handle<Mesh>);

/// A rectangle of one unit that shows only the upper left corner of its
/// texture, `share` of its sides.
pub(super) fn corner_of_texture(share: Vec2) -> Mesh {
    let mut mesh = grid(1);
    if let Some(VertexAttributeValues::Float32x2(uvs)) = mesh.attribute_mut(Mesh::ATTRIBUTE_UV_0) {
        for uv in uvs {
            *uv = (Vec2::from(*uv) * share).into();
        }
    }
    mesh
}

/// A square of one unit in `cells` by `cells` parts, its texture upright.
fn grid(cells: u32) -> Mesh {
    let share = |index: u32| index as f32 / cells as f32;
    let corners = || (0..=cells).flat_map(|row| (0..=cells).map(move |column| (column, row)));
    let uvs: Vec<[f32; 2]> = corners().map(|(x, y)| [share(x), share(y)]).collect();
    let positions: Vec<[f32; 3]> = uvs.iter().map(|[u, v]| [u - 0.5, 0.5 - v, 0.0]).collect();
    let normals = vec![[0.0, 0.0, 1.0]; uvs.len()];
    let wide = cells + 1;
    let indices = (0..cells)
        .flat_map(|row| (0..cells).map(move |column| row * wide + column))
        .flat_map(|at| [at, at + wide, at + 1, at + 1, at + wide, at + wide + 1])
        .collect();
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, uvs)
    .with_inserted_indices(Indices::U32(indices))
}

/// How a rectangle's texture reaches the stage.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub struct QuadMaterial {
    /// rgb multiplies the texture (above 1 it blooms), a fades everything.
    #[uniform(0)]
    pub tint: Vec4,
    /// x: 1 for a texture that is premultiplied already; y: 0 covers, 1 only adds.
    #[uniform(0)]
    pub form: Vec4,
    /// xy: how far a wave moves it, shares of its sides; z: waves to a side;
    /// w: how many have run through.
    #[uniform(0)]
    pub wave: Vec4,
    /// xy: where the wave holds it, shares from the middle; z: share of it that
    /// is there, from the left.
    #[uniform(0)]
    pub hold: Vec4,
    #[texture(1)]
    #[sampler(2)]
    pub texture: Handle<Image>,
}

impl QuadMaterial {
    /// A texture of straight alpha, as image files have it.
    pub fn straight(texture: Handle<Image>) -> Self {
        Self {
            tint: Vec4::ONE,
            form: Vec4::ZERO,
            wave: Vec4::ZERO,
            hold: Vec4::Z,
            texture,
        }
    }

    /// A texture that is premultiplied in linear light.
    pub fn premultiplied(texture: Handle<Image>) -> Self {
        Self {
            form: Vec4::X,
            ..Self::straight(texture)
        }
    }

    /// Light, which covers what is behind it by a share of its opacity alone.
    pub fn additive(mut self, body: f32) -> Self {
        self.form.y = 1.0 - body;
        self
    }

    /// Fades one of `materials`. Asking for it mutably would upload it, so that is done
    /// only where it is news.
    pub fn fade(materials: &mut Assets<Self>, which: &Handle<Self>, alpha: f32) {
        let is_news = materials.get(which).is_some_and(|it| it.tint.w != alpha);
        if is_news && let Some(mut material) = materials.get_mut(which) {
            material.tint.w = alpha;
        }
    }

    pub fn tinted(mut self, rgb: Vec3) -> Self {
        self.tint = rgb.extend(self.tint.w);
        self
    }
}

impl Material2d for QuadMaterial {
    fn vertex_shader() -> ShaderRef {
        SHADER.into()
    }

    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode2d {
        AlphaMode2d::Blend
    }

    fn specialize(
        descriptor: &mut RenderPipelineDescriptor,
        _layout: &MeshVertexBufferLayoutRef,
        _key: Material2dKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        let targets = descriptor.fragment.iter_mut().flat_map(|f| &mut f.targets);
        for target in targets.flatten() {
            target.blend = Some(BlendState::PREMULTIPLIED_ALPHA_BLENDING);
        }
        Ok(())
    }
}
