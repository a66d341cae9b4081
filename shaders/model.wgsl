// Models: metal and enamel in a studio, linear and premultiplied.
//
// One image-based light (the split sum of Karis, "Real Shading in Unreal Engine
// 4", with his analytic fit for mobile devices in place of a table) and one key
// light for shape. Bevy's own material does far more, and on a rasteriser on
// the CPU a rocket would cost a quarter of a second a frame.

#import bevy_pbr::forward_io::VertexOutput
#import bevy_pbr::mesh_view_bindings::view

struct Surface {
    base: vec4<f32>,
    emissive: vec4<f32>,
    // metallic, roughness, clearcoat, the studio's roughest mip.
    form: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> surface: Surface;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var studio: texture_cube<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var studio_sampler: sampler;
@group(#{MATERIAL_BIND_GROUP}) @binding(3) var base_texture: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(4) var base_sampler: sampler;

// From the upper left, towards the viewer.
const KEY_DIRECTION = vec3<f32>(-0.415, 0.622, 0.664);
const KEY = vec3<f32>(1.35, 1.26, 1.12);
// From behind on the right, cool: it draws the outline.
const RIM = vec3<f32>(0.34, 0.46, 0.72);

fn studio_at(direction: vec3<f32>, roughness: f32) -> vec3<f32> {
    // Cubemaps are left-handed.
    let d = direction * vec3<f32>(1.0, 1.0, -1.0);
    return textureSampleLevel(studio, studio_sampler, d, roughness * surface.form.w).rgb;
}

// How much a rough reflector of this normal reflectance reflects in all.
fn reflected(f0: vec3<f32>, roughness: f32, n_dot_v: f32) -> vec3<f32> {
    let c0 = vec4<f32>(-1.0, -0.0275, -0.572, 0.022);
    let c1 = vec4<f32>(1.0, 0.0425, 1.04, -0.04);
    let r = roughness * c0 + c1;
    let a = min(r.x * r.x, exp2(-9.28 * n_dot_v)) * r.x + r.y;
    let ab = vec2<f32>(-1.04, 1.04) * a + r.zw;
    return f0 * ab.x + ab.y;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
#ifdef VERTEX_UVS_A
    let base = surface.base * textureSample(base_texture, base_sampler, in.uv);
#else
    let base = surface.base;
#endif
    let metallic = surface.form.x;
    let roughness = surface.form.y;
    let n = normalize(in.world_normal);
    let v = normalize(view.world_position - in.world_position.xyz);
    let n_dot_v = clamp(dot(n, v), 0.02, 1.0);
    let mirrored = reflect(-v, n);

    let f0 = mix(vec3<f32>(0.04), base.rgb, metallic);
    let diffuse = base.rgb * (1.0 - metallic);
    let key = max((dot(n, KEY_DIRECTION) + 0.25) / 1.25, 0.0);
    let edge = pow(1.0 - n_dot_v, 3.0) * max(dot(n, vec3<f32>(0.8, 0.35, -0.2)), 0.0);

    var color = diffuse * (studio_at(n, 1.0) * 0.55 + KEY * key * key * 0.42)
        + studio_at(mirrored, roughness) * reflected(f0, roughness, n_dot_v)
        + RIM * edge;
    // A clear coat reflects the room sharply over whatever lies beneath it.
    let coat = surface.form.z * (0.04 + 0.96 * pow(1.0 - n_dot_v, 5.0));
    color = mix(color, studio_at(mirrored, 0.12), coat);
    color += surface.emissive.rgb;
    return vec4<f32>(color * base.a, base.a);
}
