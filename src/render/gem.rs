//! Cut stones: see `shaders/gem.wgsl`. Any closed convex mesh with flat facets
//! can be one; its facets are read from the mesh itself.

use bevy::asset::uuid_handle;
use bevy::gltf::GltfMaterial;
use bevy::mesh::VertexAttributeValues;
use bevy::pbr::Material;
use bevy::prelude::*;
use bevy::render::render_resource::{AsBindGroup, ShaderType};
use bevy::shader::{Shader, ShaderRef};

use super::environment::Hall;

const SHADER: Handle<Shader> = uuid_handle!("3c1f9a52-8f2e-4f58-9a4e-6f0c1d7be914");

/// Facets a stone can have; a brilliant has 57 and those of its girdle. The
/// shader's loop has this length. What a mesh has beyond it is not looked at.
const MAX_FACETS: usize = 80;
/// Above this index of refraction a material is a stone: glass has 1.5, which is
/// what files mean that say nothing.
const LEAST_INDEX: f32 = 1.6;
/// Normals and distances closer than this are one facet's.
const SAME_FACET: f32 = 1e-3;

pub struct GemPlugin;

impl Plugin for GemPlugin {
    fn build(&self, app: &mut App) {
        super::add_shader(
            app,
            &SHADER,
            include_str!("../../shaders/gem.wgsl"),
            "shaders/gem.wgsl",
        );
        app.init_resource::<Hall>()
            .add_plugins(MaterialPlugin::<GemMaterial>::default());
    }
}

/// A stone that refracts the hall of lamps.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub struct GemMaterial {
    #[uniform(0)]
    stone: Stone,
    #[texture(1, dimension = "cube")]
    #[sampler(2)]
    hall: Handle<Image>,
}

#[derive(ShaderType, Debug, Clone, Copy)]
struct Stone {
    tint: Vec4,
    facets: [Vec4; MAX_FACETS],
}

/// Whether a glTF material asks for a stone: by its index of refraction.
pub fn is_gem(material: &GltfMaterial) -> bool {
    material.ior > LEAST_INDEX
}

impl GemMaterial {
    /// A stone of `mesh`'s shape in `material`'s colour.
    pub fn new(material: &GltfMaterial, mesh: &Mesh, hall: &Hall) -> Self {
        let mut facets = [Vec4::W * f32::MAX.sqrt(); MAX_FACETS];
        for (place, facet) in facets.iter_mut().zip(facets_of(mesh)) {
            *place = facet;
        }
        let tint = material.base_color.to_linear().to_vec3();
        Self {
            stone: Stone {
                tint: tint.extend(material.ior),
                facets,
            },
            hall: hall.0.clone(),
        }
    }
}

/// The planes of a mesh's faces: outward normal, distance from the origin.
fn facets_of(mesh: &Mesh) -> Vec<Vec4> {
    let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION);
    let normals = mesh.attribute(Mesh::ATTRIBUTE_NORMAL);
    let (
        Some(VertexAttributeValues::Float32x3(positions)),
        Some(VertexAttributeValues::Float32x3(normals)),
    ) = (positions, normals)
    else {
        return Vec::new();
    };
    let mut facets: Vec<Vec4> = Vec::new();
    for (&position, &normal) in positions.iter().zip(normals) {
        let normal = Vec3::from(normal).normalize_or_zero();
        let plane = normal.extend(normal.dot(position.into()));
        if !facets
            .iter()
            .any(|facet| facet.abs_diff_eq(plane, SAME_FACET))
        {
            facets.push(plane);
        }
    }
    facets
}

impl Material for GemMaterial {
    fn fragment_shader() -> ShaderRef {
        SHADER.into()
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use bevy::mesh::{MeshBuilder, Meshable};

    use super::*;

    #[test]
    fn a_cube_has_six_facets_that_look_outwards() {
        let facets = facets_of(&Cuboid::new(2.0, 2.0, 2.0).mesh().build());
        assert_eq!(facets.len(), 6);
        for facet in facets {
            assert!((facet.truncate().length() - 1.0).abs() < 1e-5);
            assert!((facet.w - 1.0).abs() < 1e-5, "{facet}");
        }
    }
}
