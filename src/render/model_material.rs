//! What models are made of: see `shaders/model.wgsl`.

use bevy::asset::uuid_handle;
use bevy::gltf::GltfMaterial;
use bevy::pbr::Material;
use bevy::prelude::*;
use bevy::render::render_resource::{AsBindGroup, ShaderType};
use bevy::shader::{Shader, ShaderRef};

use super::environment::{Hall, ROUGHEST_MIP, Studio};

const SHADER: Handle<Shader> = uuid_handle!("b9a1e5d4-54a0-4b8e-8f0a-2d51c7d3ce02");

pub struct ModelMaterialPlugin;

impl Plugin for ModelMaterialPlugin {
    fn build(&self, app: &mut App) {
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../shaders/model.wgsl"),
            "shaders/model.wgsl",
        );
        app.add_plugins(MaterialPlugin::<ModelMaterial>::default());
    }
}

/// Metal that is as smooth as this is a mirror: it reflects the hall of lamps
/// and not the studio.
const MIRROR_ROUGHNESS: f32 = 0.05;

/// A glTF material, as far as the studio shows it: base colour and its texture,
/// metallic, roughness, clear coat, emission, blending.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub struct ModelMaterial {
    #[uniform(0)]
    surface: Surface,
    #[texture(1, dimension = "cube")]
    #[sampler(2)]
    studio: Handle<Image>,
    #[texture(3)]
    #[sampler(4)]
    base_texture: Option<Handle<Image>>,
    alpha_mode: AlphaMode,
}

#[derive(ShaderType, Debug, Clone, Copy)]
struct Surface {
    base: Vec4,
    emissive: Vec4,
    form: Vec4,
}

impl ModelMaterial {
    pub fn new(material: &GltfMaterial, studio: &Studio, hall: &Hall) -> Self {
        let mirror = material.metallic > 0.95 && material.perceptual_roughness <= MIRROR_ROUGHNESS;
        Self {
            surface: Surface {
                base: material.base_color.to_linear().to_vec4(),
                emissive: material.emissive.to_vec4(),
                form: Vec4::new(
                    material.metallic,
                    material.perceptual_roughness.clamp(0.04, 1.0),
                    material.clearcoat,
                    ROUGHEST_MIP,
                ),
            },
            studio: if mirror {
                hall.0.clone()
            } else {
                studio.0.clone()
            },
            base_texture: material.base_color_texture.clone(),
            alpha_mode: material.alpha_mode,
        }
    }
}

impl Material for ModelMaterial {
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        match self.alpha_mode {
            AlphaMode::Opaque => AlphaMode::Opaque,
            // The shader multiplies by alpha itself.
            _ => AlphaMode::Premultiplied,
        }
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }
}
