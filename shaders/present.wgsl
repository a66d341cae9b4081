// The last pass: from the stage's form (linear light, premultiplied, transparent
// clear; light that only adds has alpha 0) to what a consumer expects.
#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput
#import hyperfocus::srgb::{decode, encode}

struct Present {
    // What the window form lays the stage over, linear.
    ground: vec4<f32>,
    // Scale and offset from the target's uv to the stage's: letterboxing.
    fit: vec4<f32>,
    // Share of the stage's texture that is drawn into, from its upper left.
    drawn: vec2<f32>,
    // 1 lightens every other square of the ground, 0 none.
    checkered: f32,
    // Of everything in the desktop form; 1 leaves it as it is.
    opacity: f32,
}

@group(0) @binding(0) var stage: texture_2d<f32>;
@group(0) @binding(1) var stage_sampler: sampler;
@group(0) @binding(2) var<uniform> present: Present;
// What the window form over a picture lays the stage over.
@group(0) @binding(3) var under: texture_2d<f32>;
// The light that a stage which blooms is laid over with, over all that is drawn of it.
@group(0) @binding(4) var bloom: texture_2d<f32>;

// Side of a square of the checkered ground, in pixels.
const CHECKER = 16u;

// What covers is encoded as the colour it has and then weighted; what only adds
// is encoded by itself. So 50 % red stays 50 % of encoded red, and a glow over
// black reads as bright as it was.
fn desktop(c: vec3<f32>, a: f32) -> vec3<f32> {
    let covering = a * encode(min(c / max(a, 1e-6), vec3<f32>(1.0)));
    let adding = encode(clamp(c - a, vec3<f32>(0.0), vec3<f32>(1.0)));
    return min(covering + adding, vec3<f32>(1.0));
}

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let uv = in.uv * present.fit.xy + present.fit.zw;
#ifdef AS_LARGE
    // Pixel for pixel: filtering would only cost.
    var texel = textureLoad(stage, vec2<u32>(in.position.xy), 0);
#else
    // The filter stays within what was drawn.
    let most = present.drawn - 0.5 / vec2<f32>(textureDimensions(stage));
    var texel = textureSampleLevel(stage, stage_sampler, min(uv * present.drawn, most), 0.0);
#endif
#ifdef BLOOM
    texel += vec4<f32>(textureSampleLevel(bloom, stage_sampler, uv, 0.0).rgb, 0.0);
#endif
#ifdef LINEAR_PREMULTIPLIED
    // The target clamps and encodes.
    return texel;
#else
    let c = max(texel.rgb, vec3<f32>(0.0));
    let a = clamp(texel.a, 0.0, 1.0);
#ifdef STRAIGHT
    let p = desktop(c, a);
    let alpha = max(a, max(p.r, max(p.g, p.b)));
    return vec4<f32>(p / max(alpha, 1e-6), alpha);
#endif
#ifdef STRAIGHT_LINEAR
    // Light that only adds covers as little as shows it.
    let covering = min(max(a, max(c.r, max(c.g, c.b))), 1.0);
    return vec4<f32>(encode(min(c / max(covering, 1e-6), vec3<f32>(1.0))), covering);
#endif
#ifdef DESKTOP
    // A window may be larger than the stage in it.
    let is_stage = all(uv >= vec2<f32>(0.0)) && all(uv <= vec2<f32>(1.0));
    let shown = vec4<f32>(desktop(c, a), a) * select(0.0, present.opacity, is_stage);
#ifdef TARGET_ENCODES
    return vec4<f32>(decode(shown.rgb), shown.a);
#else
    return shown;
#endif
#endif
#ifdef WINDOW_OVER_PICTURE
    let within = all(uv >= vec2<f32>(0.0)) && all(uv <= vec2<f32>(1.0));
    let picture = textureSampleLevel(under, stage_sampler, uv, 0.0).rgb;
    // Mixed as those mix who get the straight form: in encoded values.
    let p = desktop(c, a);
    let alpha = max(a, max(p.r, max(p.g, p.b)));
    let laid = decode(p + encode(picture) * (1.0 - alpha));
    return vec4<f32>(select(present.ground.rgb, laid, within), 1.0);
#endif
#ifdef WINDOW
    let inside = all(uv >= vec2<f32>(0.0)) && all(uv <= vec2<f32>(1.0));
    let over = select(vec3<f32>(0.0), c, inside);
    let left = select(1.0, 1.0 - a, inside);
    let cell = vec2<u32>(in.position.xy) / CHECKER;
    let lighter = present.checkered * f32((cell.x + cell.y) & 1u);
    let ground = present.ground.rgb * (1.0 + 0.6 * lighter);
    // The surface encodes.
    return vec4<f32>(over + ground * left, 1.0);
#endif
#endif
}
