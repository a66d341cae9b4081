//! The rooms that models reflect, computed rather than downloaded: the studio,
//! two soft boxes over a graded room, for most; the hall, dark and full of small
//! lamps, for stones and mirrors, which come alive as the lamps pass over them.
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

/// The hall of lamps, as a cubemap whose mips grow rougher.
#[derive(Resource, Clone)]
pub struct Hall(pub Handle<Image>);

impl FromWorld for Hall {
    fn from_world(world: &mut World) -> Self {
        let lamps = lamps();
        let map = cubemap(EDGE, MIPS, |direction, roughness| {
            hall_radiance(&lamps, direction, roughness)
        });
        Self(world.resource_mut::<Assets<Image>>().add(map))
    }
}

/// Lamps of the hall: enough that every turn of a facet meets one, few enough
/// that darkness lies between them, without which nothing sparkles.
const LAMPS: usize = 70;

/// How far a lamp's edge reaches in the sharpest mip, as a difference of cosines:
/// a texel or two.
const SHARPEST: f32 = 0.006;

struct Lamp {
    direction: Vec3,
    /// Cosine of its angular radius.
    edge: f32,
    light: Vec3,
}

/// Spread evenly over the sphere by the golden angle, sizes and colours varied
/// by their number alone.
fn lamps() -> Vec<Lamp> {
    let golden = std::f32::consts::PI * (3.0 - 5.0_f32.sqrt());
    (0..LAMPS)
        .map(|index| {
            let i = index as f32;
            let y = 1.0 - 2.0 * (i + 0.5) / LAMPS as f32;
            let around = Vec2::from_angle(i * golden) * (1.0 - y * y).sqrt();
            // A hall is lit from above.
            let strength = if y > -0.2 { 1.0 } else { 0.35 };
            let size = 0.05 + 0.08 * (i * 0.618_034).fract();
            let light = match index % 11 {
                0 => Vec3::new(2.3, 0.7, 1.3),
                4 => Vec3::new(0.6, 1.5, 2.3),
                7 => Vec3::new(2.2, 1.6, 0.6),
                _ => Vec3::new(2.0, 2.05, 2.2),
            };
            Lamp {
                direction: Vec3::new(around.x, y, around.y),
                edge: size.cos(),
                light: light * strength,
            }
        })
        .collect()
}

fn hall_radiance(lamps: &[Lamp], direction: Vec3, roughness: f32) -> Vec3 {
    let up = direction.y * 0.5 + 0.5;
    let walls = Vec3::new(0.03, 0.035, 0.055) + Vec3::new(0.54, 0.58, 0.69) * up * up * up;
    // The window that the studio has too, towards the viewer's upper left.
    let window = soft_box(direction, Vec3::new(-0.55, 0.65, 0.55), 0.5, roughness);
    let soft = SHARPEST + roughness * 0.5;
    let lit: Vec3 = lamps
        .iter()
        .map(|lamp| {
            let inside = ((direction.dot(lamp.direction) - lamp.edge) / soft + 0.5).clamp(0.0, 1.0);
            let share = SHARPEST / soft;
            lamp.light * inside * inside * (3.0 - 2.0 * inside) * share.max(0.1)
        })
        .sum();
    walls + window * Vec3::new(0.85, 0.88, 0.95) + lit
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
