// A gift video from decoded planes to the stage: one quad for the picture, one
// for each fused image. Premultiplied linear light comes out.
//
// src/render/video/reference.rs is the same arithmetic on the CPU, with sRGB's
// powers as they are written; keep them together.

#import bevy_sprite::mesh2d_vertex_output::VertexOutput
#import hyperfocus::srgb

// Where a rectangle of the coded frame lies on a plane, in its texels.
struct Window {
    // Origin and extent: a place in the rectangle (0 to 1) is at xy + place * zw.
    map: vec4<f32>,
    // The first and the last texel inside, so that filtering never reaches what
    // lies beside the rectangle.
    bounds: vec4<f32>,
}

struct VideoUniform {
    // The picture's colour, or the mask's when this quad is a fused image.
    luma: Window,
    chroma: Window,
    alpha: Window,
    // What this quad shows of its rectangle: left, top, width, height, 0 to 1.
    part: vec4<f32>,
    // From the fused image's box to the image itself: scale, then offset.
    placement: vec4<f32>,
    // Black level and scale of luma; weights of Cr in red and of Cb in blue.
    levels: vec4<f32>,
    // Weights of Cb and Cr in green; opacity; unused.
    green_opacity: vec4<f32>,
    // 1: a fused image, which has a pipeline of its own (FUSED). 2: its mask is
    // stored turned.
    flags: u32,
}

const MASK_TURNED: u32 = 2u;

// Compression leaves a level of noise where there is nothing; less than this
// is nothing.
const NOISE: f32 = 1.5 / 255.0;

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> video: VideoUniform;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var luma_plane: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var cb_plane: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(3) var cr_plane: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(4) var image: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(5) var image_sampler: sampler;

// Bilinear by hand: samplers may round to eight bits between texels, which
// the weights of chroma then double. The four texels come around the corner that
// they share; beyond the last texel inside their weight is 0.
fn sample(plane: texture_2d<f32>, window: Window, place: vec2<f32>) -> f32 {
    let centre = window.map.xy + place * window.map.zw - 0.5;
    let at = clamp(centre, window.bounds.xy, window.bounds.zw);
    let first = floor(at);
    let part = at - first;
    let corner = (first + 1.0) / vec2<f32>(textureDimensions(plane));
    let texels = textureGather(0, plane, image_sampler, corner);
    let upper = mix(texels.w, texels.z, part.x);
    let lower = mix(texels.x, texels.y, part.x);
    return mix(upper, lower, part.y);
}

fn luma(window: Window, place: vec2<f32>) -> f32 {
    return (sample(luma_plane, window, place) - video.levels.x) * video.levels.y;
}

// R'G'B' as the file has it: gamma-encoded, premultiplied.
fn colour(place: vec2<f32>) -> vec3<f32> {
    let y = luma(video.luma, place);
    let cb = sample(cb_plane, video.chroma, place) - 128.0 / 255.0;
    let cr = sample(cr_plane, video.chroma, place) - 128.0 / 255.0;
    return saturate(vec3(
        y + video.levels.z * cr,
        y + dot(video.green_opacity.xy, vec2(cb, cr)),
        y + video.levels.w * cb,
    ));
}

// Premultiplied in gamma-encoded values to premultiplied in linear light.
// What colour has beyond its alpha is glow, and stays glow: added, uncovered.
fn to_stage(premultiplied: vec3<f32>, alpha: f32) -> vec4<f32> {
    let a = select(0.0, alpha, alpha >= NOISE);
    let covered = min(premultiplied, vec3(a));
    let beyond = premultiplied - covered;
    let glow = select(vec3(0.0), beyond, beyond >= vec3(NOISE));
    let straight = covered / max(a, NOISE);
    return vec4(srgb::decode(straight) * a + srgb::decode(glow), a);
}

// The fused image at a place in its box, premultiplied.
fn image_at(place: vec2<f32>) -> vec4<f32> {
    let at = place * video.placement.xy + video.placement.zw;
    let inside = all(at >= vec2(0.0)) && all(at <= vec2(1.0));
    let texel = textureSampleLevel(image, image_sampler, at, 0.0);
    return vec4(texel.rgb * texel.a, texel.a) * select(0.0, 1.0, inside);
}

// Four taps within the pixel: avatars come larger than they are shown, and
// have no smaller levels.
fn image_over(place: vec2<f32>, dx: vec2<f32>, dy: vec2<f32>) -> vec4<f32> {
    let sum = image_at(place + 0.375 * dx + 0.125 * dy)
        + image_at(place - 0.125 * dx + 0.375 * dy)
        + image_at(place - 0.375 * dx - 0.125 * dy)
        + image_at(place + 0.125 * dx - 0.375 * dy);
    return 0.25 * sum;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let place = video.part.xy + in.uv * video.part.zw;
    let opacity = video.green_opacity.z;
#ifdef FUSED
    let over = image_over(place, dpdx(place), dpdy(place));
    // Turning the stored mask clockwise puts its lower left corner at the top left.
    let turned = vec2(place.y, 1.0 - place.x);
    let mask = colour(select(place, turned, (video.flags & MASK_TURNED) != 0u)).r;
    return over * mask * opacity;
#else
    return to_stage(colour(place), luma_alpha(place)) * opacity;
#endif
}

fn luma_alpha(place: vec2<f32>) -> f32 {
    return saturate(luma(video.alpha, place));
}
