// Bloom: light of what is brighter than white, blurred through a pyramid of ever
// smaller pictures and back up. Down: five overlapping boxes of four taps, up: a tent
// (J. Jimenez, "Next Generation Post Processing in Call of Duty: Advanced Warfare",
// SIGGRAPH 2014). What comes out has no alpha: it adds and covers nothing.
#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

struct Level {
    // Share of the source's sides that is drawn, from its upper left.
    share: vec2<f32>,
    // Distance of two taps, in the source's uv.
    step: vec2<f32>,
    // The last point of the source at which only what was drawn is seen.
    most: vec2<f32>,
}

@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var source_sampler: sampler;
@group(0) @binding(2) var<uniform> level: Level;

// Luminance of ITU-R BT.709 primaries.
const LUMINANCE = vec3<f32>(0.2126, 0.7152, 0.0722);
// Of the blurred light, how much is seen.
const STRENGTH = 0.3;
// Around white, light begins to spill between these two, in linear light.
const SPILLS_FROM = 0.8;
const SPILLS_IN_FULL = 1.2;
// No light counts for more; a sum of half floats may be infinite.
const BRIGHTEST = 1024.0;

fn tap(uv: vec2<f32>, x: f32, y: f32) -> vec3<f32> {
    let at = min(uv * level.share + vec2<f32>(x, y) * level.step, level.most);
    return textureSampleLevel(source, source_sampler, at, 0.0).rgb;
}

// The brighter a box, the less it counts: a single spark must not flare up where a
// pixel of the small picture happens to lie on it (B. Karis, "Tone Mapping", 2013).
fn tamed(light: vec3<f32>) -> vec3<f32> {
#ifdef FROM_STAGE
    let bounded = clamp(light, vec3<f32>(0.0), vec3<f32>(BRIGHTEST));
    return bounded / (1.0 + dot(bounded, LUMINANCE) / 4.0);
#else
    return light;
#endif
}

// What is above white of it, with a soft knee.
fn spilling(light: vec3<f32>) -> vec3<f32> {
    let brightest = max(light.r, max(light.g, light.b));
    let knee = clamp(brightest - SPILLS_FROM, 0.0, SPILLS_IN_FULL - SPILLS_FROM);
    let soft = knee * knee / (2.0 * (SPILLS_IN_FULL - SPILLS_FROM));
    return light * (max(brightest - 1.0, soft) / max(brightest, 1e-5));
}

@fragment
fn down(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let uv = in.uv;
    let inner = tap(uv, -1.0, -1.0) + tap(uv, 1.0, -1.0) + tap(uv, -1.0, 1.0) + tap(uv, 1.0, 1.0);
    let above = tap(uv, 0.0, -2.0);
    let left = tap(uv, -2.0, 0.0);
    let middle = tap(uv, 0.0, 0.0);
    let right = tap(uv, 2.0, 0.0);
    let below = tap(uv, 0.0, 2.0);
    let light = tamed(inner / 8.0)
        + tamed((tap(uv, -2.0, -2.0) + above + left + middle) / 32.0)
        + tamed((tap(uv, 2.0, -2.0) + above + right + middle) / 32.0)
        + tamed((tap(uv, -2.0, 2.0) + below + left + middle) / 32.0)
        + tamed((tap(uv, 2.0, 2.0) + below + right + middle) / 32.0);
#ifdef FROM_STAGE
    return vec4<f32>(spilling(light), 0.0);
#else
    return vec4<f32>(light, 0.0);
#endif
}

fn tent(uv: vec2<f32>) -> vec3<f32> {
    let sides = tap(uv, 0.0, -1.0) + tap(uv, -1.0, 0.0) + tap(uv, 1.0, 0.0) + tap(uv, 0.0, 1.0);
    let corners = tap(uv, -1.0, -1.0) + tap(uv, 1.0, -1.0) + tap(uv, -1.0, 1.0) + tap(uv, 1.0, 1.0);
    return tap(uv, 0.0, 0.0) / 4.0 + sides / 8.0 + corners / 16.0;
}

// Onto the next larger one.
@fragment
fn up(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    return vec4<f32>(tent(in.uv), 0.0);
}

// The largest once more by itself, for the last pass to lay over the stage: a tent that
// is enlarged by one tap is what nine taps of a tent would give there, and there are
// two million pixels.
@fragment
fn smoothed(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    return vec4<f32>(tent(in.uv) * STRENGTH, 0.0);
}
