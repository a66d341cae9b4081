//! Textured rectangles in the stage's own form, linear and premultiplied:
//! pictures, captions and the models' layer.

use bevy::asset::uuid_handle;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, BlendState, RenderPipelineDescriptor, SpecializedMeshPipelineError,
};
use bevy::shader::{Shader, ShaderRef};
use bevy::sprite_render::{AlphaMode2d, Material2d, Material2dKey, Material2dPlugin};

const SHADER: Handle<Shader> = uuid_handle!("6f0d3f3e-2a53-4a6c-9c3d-7a1c62a3c0b1");

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
        let mesh = app
            .world_mut()
            .resource_mut::<Assets<Mesh>>()
            .add(Rectangle::new(1.0, 1.0));
        app.insert_resource(UnitQuad(mesh));
    }
}

/// A rectangle of one unit, for every quad.
#[derive(Resource, Clone)]
pub struct UnitQuad(pub Handle<Mesh>);

/// How a rectangle's texture reaches the stage.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub struct QuadMaterial {
    /// rgb multiplies the texture (above 1 it blooms), a fades everything.
    #[uniform(0)]
    pub tint: Vec4,
    /// x: 1 for a texture that is premultiplied already; y: 0 covers, 1 only adds.
    #[uniform(0)]
    pub form: Vec4,
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
            texture,
        }
    }

    /// A texture that is premultiplied in linear light.
    pub fn premultiplied(texture: Handle<Image>) -> Self {
        Self {
            tint: Vec4::ONE,
            form: Vec4::X,
            texture,
        }
    }

    /// Light, which covers what is behind it by a share of its opacity alone.
    pub fn additive(mut self, body: f32) -> Self {
        self.form.y = 1.0 - body;
        self
    }

    pub fn tinted(mut self, rgb: Vec3) -> Self {
        self.tint = rgb.extend(self.tint.w);
        self
    }
}

impl Material2d for QuadMaterial {
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
