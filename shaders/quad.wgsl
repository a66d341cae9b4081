// A textured rectangle in the stage's own form: linear, premultiplied. Light is
// colour without coverage: it adds, and survives over transparency.
#import bevy_sprite::mesh2d_functions as mesh_functions
#import bevy_sprite::mesh2d_vertex_output::VertexOutput

const TAU: f32 = 6.28318530718;

struct Quad {
    // rgb multiplies the texture, a fades everything.
    tint: vec4<f32>,
    // x: the texture is premultiplied already. y: 0 covers, 1 only adds.
    form: vec4<f32>,
    // xy: sway in shares of the sides; z: waves to a side; w: phase in waves.
    wave: vec4<f32>,
    // xy: where the wave is held, shares from the middle; z: share that is there.
    hold: vec4<f32>,
}

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) position: vec3<f32>,
    @location(2) uv: vec2<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> quad: Quad;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var picture: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var picture_sampler: sampler;

// The mesh gives the shape; one of a unit's size can be cut at its right and bent.
@vertex
fn vertex(vertex: Vertex) -> VertexOutput {
    let there = quad.hold.z;
    let flat_place = vec2<f32>((vertex.position.x + 0.5) * there - 0.5, vertex.position.y);
    let away = distance(flat_place, quad.hold.xy);
    let bent = quad.wave.xy * away * away * sin(TAU * (quad.wave.z * away - quad.wave.w));
    let world = mesh_functions::get_world_from_local(vertex.instance_index);
    var out: VertexOutput;
    out.uv = vec2<f32>(vertex.uv.x * there, vertex.uv.y);
    out.world_position = mesh_functions::mesh2d_position_local_to_world(
        world,
        vec4<f32>(flat_place + bent, vertex.position.z, 1.0),
    );
    out.position = mesh_functions::mesh2d_position_world_to_clip(out.world_position);
    out.world_normal = vec3<f32>(0.0, 0.0, 1.0);
    return out;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let texel = textureSample(picture, picture_sampler, in.uv);
    let rgb = texel.rgb * mix(texel.a, 1.0, quad.form.x);
    return vec4<f32>(
        rgb * quad.tint.rgb * quad.tint.a,
        texel.a * quad.tint.a * (1.0 - quad.form.y),
    );
}
