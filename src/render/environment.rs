//! The studio that models reflect: two soft boxes over a graded room, computed
//! rather than downloaded.
//!
//! A specular map has one mip per roughness. A real one would be convolved; this
//! room is made of shapes whose blurred form can be written down, so each mip is
//! simply drawn with softer edges.

use bevy::asset::RenderAssetUsages;
use bevy::prelude::*;
use bevy::render::render_resource::{
    Extent3d, TextureDimension, TextureFormat, TextureViewDescriptor, TextureViewDimension,
};
use half::f16;

/// Pixels along an edge of the sharpest mip.
const EDGE: u32 = 64;
/// Mips below the sharpest: the last is a texel a face, as good as diffuse.
const MIPS: u32 = EDGE.ilog2() + 1;
/// The level that a roughness of 1 reads.
pub const ROUGHEST_MIP: f32 = (MIPS - 2) as f32;

/// The room, as a cubemap whose mips grow rougher.
#[derive(Resource, Clone)]
pub struct Studio(pub Handle<Image>);

impl FromWorld for Studio {
    fn from_world(world: &mut World) -> Self {
        let map = cubemap(EDGE, MIPS, radiance);
        Self(world.resource_mut::<Assets<Image>>().add(map))
    }
}

/// Light that arrives from `direction`, blurred as `roughness` (0 to 1) would.
fn radiance(direction: Vec3, roughness: f32) -> Vec3 {
    let up = direction.y;
    let floor = Vec3::new(0.10, 0.09, 0.12);
    let wall = Vec3::new(0.28, 0.31, 0.40);
    let sky = Vec3::new(0.62, 0.72, 0.95);
    let room = if up < 0.0 {
        wall.lerp(floor, (-up).powf(0.6))
    } else {
        wall.lerp(sky, up.powf(0.7))
    };
    // A key box at the upper left and a strip at the right, towards the viewer.
    let key = soft_box(direction, Vec3::new(-0.55, 0.65, 0.55), 0.42, roughness);
    let strip = soft_box(direction, Vec3::new(0.85, 0.1, 0.35), 0.26, roughness);
    let back = soft_box(direction, Vec3::new(0.3, 0.35, -0.9), 0.35, roughness);
    room + key * Vec3::new(7.0, 6.6, 6.0)
        + strip * Vec3::new(2.6, 3.2, 4.2)
        + back * Vec3::new(3.0, 2.4, 3.6)
}

/// A round soft box of angular `radius` (radians) around `centre`: its share of
/// light falls as the blur spreads it over a larger cap.
fn soft_box(direction: Vec3, centre: Vec3, radius: f32, roughness: f32) -> f32 {
    let angle = direction.angle_between(centre);
    let edge = 0.06 + roughness * 1.1;
    let share = (radius / (radius + roughness * 0.9)).powi(2);
    let inside = 1.0 - ((angle - radius + edge * 0.5) / edge).clamp(0.0, 1.0);
    inside * inside * (3.0 - 2.0 * inside) * share
}

/// Draws a cubemap with `mips` levels; faces in the order +X -X +Y -Y +Z -Z,
/// each with all its mips, as wgpu lays out layers.
fn cubemap(size: u32, mips: u32, light: impl Fn(Vec3, f32) -> Vec3) -> Image {
    let mut data = Vec::new();
    for face in 0..6 {
        for mip in 0..mips {
            let edge = size >> mip;
            let roughness = (mip as f32 / ROUGHEST_MIP).min(1.0);
            for y in 0..edge {
                for x in 0..edge {
                    let uv = (UVec2::new(x, y).as_vec2() + 0.5) / edge as f32 * 2.0 - 1.0;
                    let color = light(direction(face, uv), roughness).extend(1.0);
                    for channel in color.to_array() {
                        data.extend_from_slice(&f16::from_f32(channel).to_le_bytes());
                    }
                }
            }
        }
    }
    let mut image = Image::new_uninit(
        Extent3d {
            width: size,
            height: size,
            depth_or_array_layers: 6,
        },
        TextureDimension::D2,
        TextureFormat::Rgba16Float,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.texture_descriptor.mip_level_count = mips;
    image.data = Some(data);
    image.texture_view_descriptor = Some(TextureViewDescriptor {
        dimension: Some(TextureViewDimension::Cube),
        ..default()
    });
    image
}

/// The direction that a cube face's texel looks in.
fn direction(face: u32, uv: Vec2) -> Vec3 {
    let Vec2 { x, y } = uv;
    match face {
        0 => Vec3::new(1.0, -y, -x),
        1 => Vec3::new(-1.0, -y, x),
        2 => Vec3::new(x, 1.0, y),
        3 => Vec3::new(x, -1.0, -y),
        4 => Vec3::new(x, -y, 1.0),
        _ => Vec3::new(-x, -y, -1.0),
    }
    .normalize()
}
