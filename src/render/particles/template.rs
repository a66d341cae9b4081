//! The effect templates: one hanabi effect each, varied by properties and
//! textures alone, so that the pipelines made at warm-up are all there ever are.
//!
//! hanabi makes a pipeline per distinct shader. Its expression graphs bake
//! constants into the shader, so a recipe must not build a graph of its own; a
//! template's shader is one body of WGSL (`shaders/particle_*.wgsl`) that reads
//! everything from properties.

use std::f32::consts::TAU;

use bevy::math::Vec4;
use bevy::prelude::*;
use bevy_hanabi::{
    AlphaMode, Attribute, BoxedModifier, EffectAsset, EffectProperties, ExprError, ExprWriter,
    FlipbookModifier, Modifier, ModifierContext, Module, MotionIntegration, OrientMode,
    OrientModifier, ParticleTextureModifier, ShaderWriter, SimulationSpace, SpawnerSettings, Value,
};

use crate::catalog::{Color, Emitter, Layer, Template};
use crate::render::layout::Placement;

/// Particles that one emitter can have alive at once. One size for all: effects
/// of several sizes side by side drew nothing (hanabi 0.19, seen with 4,096
/// beside 512). What an emitter throws beyond it is not born.
pub const CAPACITY: u32 = 1_024;

/// The properties every template has, four floats each. Layouts:
/// place = offset, radius; extent = half box, rim; aim = velocity, depth;
/// jitter = velocity, drag; speed = burst and roll at birth, least and most;
/// life = least, most, seed bits, kill; size = birth, largest, death, wander;
/// vary = size least and most, spin least and most (radians per second);
/// gravity = acceleration, tumble; shade = least opacity, fade from, glint,
/// kinds; ways = whether it keeps one colour, floor least and most, bounce;
/// came = the way that the emitter came since the last frame, swirl, unused;
/// carried = the way that everything goes in this frame, growth, unused.
const PROPERTIES: [&str; 17] = [
    "place", "extent", "aim", "jitter", "speed", "life", "size", "vary", "gravity", "shade",
    "ways", "came", "carried", "color_0", "color_1", "color_2", "color_3",
];
/// Where the floor of an emitter without one is.
const BOTTOMLESS: f32 = -1e9;

/// What each template does with the size and colour that the shared body made.
const TURNING: &str = "
particle.size3 = vec3<f32>(size, size, 1.0);
particle.hdr_color = vec4<f32>(tint.rgb, opacity);
";
const STRETCHED: &str = "
// Longer the faster it flies, as an exposure would have it.
let flight = length(particle.velocity);
particle.size3 = vec3<f32>(size * (1.0 + flight * 0.012), size, 1.0);
particle.hdr_color = vec4<f32>(tint.rgb, opacity);
";
const TUMBLING: &str = "
// A flat thing turning about its own axis: seen edge on it is a line, seen flat
// against the light it glints, and its back is a shade darker.
// What does not tumble is not flat: it shows itself as it is.
let tumbles = select(0.0, 1.0, p.gravity.w != 0.0);
let turn = (particle.age * p.gravity.w + own) * tau;
let face = mix(1.0, cos(turn), tumbles);
particle.size3 = vec3<f32>(size * max(abs(face), 0.1), size, 1.0);
let light = 0.72 + 0.2 * sin(turn + 0.9) + select(0.0, 0.08, face > 0.0);
let glint = pow(max(sin(turn * 1.0 + 0.35), 0.0), 24.0) * 0.9;
particle.hdr_color = vec4<f32>(tint.rgb * mix(1.0, light + glint, tumbles), opacity);
";
const FLIPPING: &str = "
// Each turns at its own pace, and every other one the other way round.
let pace = p.gravity.w * mix(0.6, 1.4, fract(own * 5.3)) * select(-1.0, 1.0, fract(own * 11.9) > 0.5);
let turn = fract(particle.age * pace + own);
// Air holds it while it lies flat and lets it drop edge on; some are heavier.
let face = abs(cos(turn * tau));
let hold = face - 0.5 + (fract(own * 9.7) - 0.5) * 0.9;
particle.velocity *= exp(-p.jitter.w * dt * hold);
particle.size3 = vec3<f32>(size, size, 1.0);
let glint = pow(max(sin(turn * tau + 0.35), 0.0), 24.0) * p.shade.z;
particle.hdr_color = vec4<f32>(tint.rgb * (1.0 + glint), opacity);
let poses = 64.0 / p.shade.w;
let kind = floor(fract(own * 3.77) * p.shade.w);
particle.sprite_index = i32(kind * poses + floor(turn * poses));
";
const CURLING: &str = "
particle.size3 = vec3<f32>(size, size, 1.0);
particle.hdr_color = vec4<f32>(tint.rgb, opacity);
// The sheet's sixteen puffs, dense to gone, played once.
particle.sprite_index = i32(t * 15.999);
";
const POSE: &str = "
particle.sprite_index = i32(particle.f32_3 * 3.999);
";

/// One body of WGSL for one pass.
#[derive(Debug, Clone, Reflect)]
#[reflect(from_reflect = false)]
struct Body {
    #[reflect(ignore)]
    context: ModifierContext,
    code: String,
    #[reflect(ignore)]
    attributes: Vec<Attribute>,
}

impl Modifier for Body {
    fn context(&self) -> ModifierContext {
        self.context
    }

    fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    fn boxed_clone(&self) -> BoxedModifier {
        Box::new(self.clone())
    }

    fn apply(&self, _: &mut Module, writer: &mut ShaderWriter) -> Result<(), ExprError> {
        writer.main_code += &self.code;
        Ok(())
    }
}

/// In which order the particles of an effect are kept and drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// In that in which the threads of the GPU come to them, another one each
    /// time: it costs nothing, and nobody sees it once.
    #[default]
    AsTheyCome,
    /// In that of their birth, for shows that are drawn the same twice. Each
    /// particle looks at all others of its effect in every frame.
    OfBirth,
}

/// What [`Order::OfBirth`] adds to the passes. hanabi hands out places in its
/// buffers by counting atomically and makes a particle's seed of its place, so
/// that which particle is born where, and which is drawn over which, is up to the
/// threads. Here a seed is made of the number that a particle has among those of
/// its frame, and what is drawn is put in order.
const NUMBERED_SEED: &str = "seed = pcg_hash(location.update_index ^ (*spawner).seed);\n";
const NUMBERED: &str = include_str!("../../../shaders/particle_number.wgsl");
const IN_ORDER: &str = include_str!("../../../shaders/particle_order.wgsl");

/// Builds the effect for a template.
pub fn effect(template: Template, order: Order) -> EffectAsset {
    let writer = ExprWriter::new();
    for name in PROPERTIES {
        writer.add_property(name, Value::Vector(Vec4::ZERO.into()));
    }
    let slot = writer.lit(0u32).expr();
    let rotation = writer.attr(Attribute::F32_0).expr();
    let mut module = writer.finish();
    module.add_texture_slot("texture");

    let mut attributes = vec![
        Attribute::POSITION,
        Attribute::VELOCITY,
        Attribute::AGE,
        Attribute::LIFETIME,
        Attribute::SIZE3,
        Attribute::HDR_COLOR,
        Attribute::F32_0,
        Attribute::F32_1,
        Attribute::F32_2,
        Attribute::F32_3,
    ];
    let mut init = include_str!("../../../shaders/particle_init.wgsl").to_owned();
    let mut update = include_str!("../../../shaders/particle_update.wgsl").to_owned();
    let posed = edge_of_sheet(template).is_some();
    if posed {
        attributes.push(Attribute::SPRITE_INDEX);
        init += POSE;
    }
    if template == Template::Ribbon {
        attributes.push(Attribute::RIBBON_ID);
        init += "particle.ribbon_id = 0u;\n";
    }
    update += match template {
        Template::Glow | Template::Ribbon => TURNING,
        Template::Smoke => CURLING,
        Template::Spark => STRETCHED,
        Template::Matter => TUMBLING,
        Template::Flip => FLIPPING,
    };
    if order == Order::OfBirth {
        attributes.push(Attribute::AXIS_X);
        init = [NUMBERED_SEED, &init, NUMBERED].concat();
        update += IN_ORDER;
    }
    let body = |context, code| Body {
        context,
        code,
        attributes: attributes.clone(),
    };

    let spawner = SpawnerSettings::once(1.0.into()).with_starts_active(false);
    let mut asset = EffectAsset::new(CAPACITY, spawner, module)
        .with_name(format!("{template:?}"))
        .with_simulation_space(SimulationSpace::Global)
        .with_alpha_mode(match template {
            Template::Glow | Template::Spark | Template::Ribbon => AlphaMode::Add,
            Template::Matter | Template::Flip | Template::Smoke => AlphaMode::Blend,
        })
        .with_motion_integration(match order {
            Order::AsTheyCome => MotionIntegration::PostUpdate,
            Order::OfBirth => MotionIntegration::None,
        })
        .init(body(ModifierContext::Init, init))
        .update(body(ModifierContext::Update, update))
        .render(ParticleTextureModifier::new(slot));
    if let Some(edge) = edge_of_sheet(template) {
        asset = asset.render(FlipbookModifier {
            sprite_grid_size: UVec2::splat(edge),
        });
    }
    match template {
        Template::Spark => asset.render(OrientModifier::new(OrientMode::AlongVelocity)),
        Template::Ribbon => asset,
        Template::Glow | Template::Matter | Template::Flip | Template::Smoke => asset.render(
            OrientModifier::new(OrientMode::ParallelCameraDepthPlane).with_rotation(rotation),
        ),
    }
}

/// Height of an emitter among the layers of the stage; hanabi sorts effects by
/// their place. By itself smoke lies under pictures, and matter, then light,
/// over them.
pub fn layer(emitter: &Emitter) -> f32 {
    let (under, over) = match emitter.template {
        Template::Smoke => (1.0, 2.8),
        Template::Matter | Template::Flip => (1.2, 3.0),
        Template::Ribbon => (1.4, 4.0),
        Template::Glow | Template::Spark => (1.6, 5.0),
    };
    match (emitter.layer, emitter.template) {
        (Some(Layer::Under), _) | (None, Template::Smoke) => under,
        (Some(Layer::Over) | None, _) => over,
    }
}

/// Frames along an edge of the sheet that a template's textures are.
fn edge_of_sheet(template: Template) -> Option<u32> {
    match template {
        Template::Matter => Some(2),
        Template::Smoke => Some(4),
        Template::Flip => Some(8),
        Template::Glow | Template::Spark | Template::Ribbon => None,
    }
}

/// How an emitter is to look in one place: what the recipe says, in the units of
/// `place`, with `seed` for its randomness and `opacity` over all. Nothing is carried.
pub fn properties(
    emitter: &Emitter,
    place: &Placement,
    seed: u32,
    opacity: f32,
) -> EffectProperties {
    let scale = place.scale;
    let length = |[x, y, z]: [f32; 3], w: f32| Vec4::new(x * scale, y * scale, z * scale, w);
    let [spin_least, spin_most] = emitter.spin.map(f32::to_radians);
    let color = |index: usize| {
        let last = emitter.colors.len() - 1;
        let Color([r, g, b]) = if emitter.pick || last == 0 {
            emitter.colors[index % emitter.colors.len()]
        } else {
            // Fewer than four colours are spread over the four places.
            sample(&emitter.colors, index as f32 / 3.0 * last as f32)
        };
        let glow = emitter.glow;
        Vec4::new(r * glow, g * glow, b * glow, emitter.opacity * opacity)
    };
    let roll = match emitter.roll {
        Some(roll) => roll.map(f32::to_radians),
        None if emitter.spin == [0.0; 2] => [0.0; 2],
        None => [0.0, TAU],
    };
    let floor = emitter.floor.map_or([BOTTOMLESS; 2], |heights| {
        heights.map(|height| place.origin.y + height * scale)
    });
    let fade_from = emitter.fade.unwrap_or(match emitter.template {
        Template::Matter | Template::Flip => 0.8,
        Template::Glow | Template::Spark | Template::Smoke | Template::Ribbon => 0.45,
    });
    let values = [
        length(emitter.offset, emitter.radius * scale),
        length(emitter.extent, emitter.rim),
        length(emitter.aim, emitter.depth),
        length(emitter.jitter, emitter.drag),
        Vec4::new(
            emitter.burst[0] * scale,
            emitter.burst[1] * scale,
            roll[0],
            roll[1],
        ),
        Vec4::new(
            emitter.life[0],
            emitter.life[1],
            f32::from_bits(seed & 0x3fff_ffff),
            0.0,
        ),
        length(emitter.size, emitter.wander * scale),
        Vec4::new(emitter.vary[0], emitter.vary[1], spin_least, spin_most),
        length(emitter.gravity, emitter.tumble),
        Vec4::new(
            emitter.shade,
            fade_from,
            emitter.glint,
            emitter.kinds as f32,
        ),
        Vec4::new(
            f32::from(u8::from(emitter.pick)),
            floor[0],
            floor[1],
            emitter.bounce,
        ),
        Vec4::new(0.0, 0.0, emitter.swirl * scale, 0.0),
        Vec4::ZERO,
        color(0),
        color(1),
        color(2),
        color(3),
    ];
    EffectProperties::default().with_properties(
        PROPERTIES
            .iter()
            .zip(values)
            .map(|(name, value)| ((*name).to_owned(), Value::Vector(value.into()))),
    )
}

/// The property by which particles are born all along the way `came` that the
/// emitter moved since the last frame, stage units.
pub fn on_the_way(emitter: &Emitter, came: Vec2, scale: f32) -> (&'static str, Value) {
    let came = came.extend(emitter.swirl * scale).extend(0.0);
    ("came", Value::Vector(came.into()))
}

/// How what an emitter has in the air goes along, in one frame, with an act that is
/// placed anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carry {
    way: Vec2,
    /// How much larger all is then: sizes, distances and speeds.
    scale: f32,
}

impl Carry {
    pub const NOWHERE: Self = Self {
        way: Vec2::ZERO,
        scale: 1.0,
    };

    pub fn between(from: &Placement, to: &Placement) -> Self {
        let scale = to.scale / from.scale;
        Self {
            way: to.origin - from.origin * scale,
            scale,
        }
    }

    /// What is going to be carried to `at`.
    pub fn before(&self, at: Vec2) -> Vec2 {
        (at - self.way) / self.scale
    }

    /// The property by which it is so.
    pub fn property(&self) -> (&'static str, Value) {
        let carried = self.way.extend(self.scale - 1.0).extend(0.0);
        ("carried", Value::Vector(carried.into()))
    }
}

/// Properties that end every particle of the emitter in its next frame.
pub fn kill(emitter: &Emitter) -> (&'static str, Value) {
    let life = Vec4::new(emitter.life[0], emitter.life[1], 0.0, 1.0);
    ("life", Value::Vector(life.into()))
}

fn sample(colors: &[Color], at: f32) -> Color {
    let below = (at.floor() as usize).min(colors.len() - 1);
    let above = (below + 1).min(colors.len() - 1);
    let share = at - below as f32;
    let (Color(a), Color(b)) = (colors[below], colors[above]);
    Color([0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_lies_about_its_act_as_it_did() {
        let from = Placement {
            origin: Vec2::new(0.0, 100.0),
            scale: 0.8,
            ..Placement::MIDDLE
        };
        let to = Placement {
            origin: Vec2::new(-640.0, 320.0),
            scale: 0.5,
            ..Placement::MIDDLE
        };
        let carry = Carry::between(&from, &to);
        for at in [Vec2::ZERO, Vec2::new(70.0, -30.0)] {
            let [before, after] = [from, to].map(|place| place.origin + at * place.scale);
            assert!(carry.before(after).distance(before) < 0.01);
            let Value::Vector(carried) = carry.property().1 else {
                panic!("it is a vector");
            };
            // As the shader does it.
            let [x, y, growth, _] = carried.as_vec4().to_array();
            let shown = before + before * growth + Vec2::new(x, y);
            assert!(shown.distance(after) < 0.01, "{shown} is not {after}");
        }
        assert_eq!(Carry::between(&from, &from), Carry::NOWHERE);
    }
}
