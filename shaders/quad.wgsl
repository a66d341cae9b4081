// A textured rectangle in the stage's own form: linear, premultiplied. Light is
// colour without coverage: it adds, and survives over transparency.
#import bevy_sprite::mesh2d_vertex_output::VertexOutput

struct Quad {
    // rgb multiplies the texture, a fades everything.
    tint: vec4<f32>,
    // x: the texture is premultiplied already. y: 0 covers, 1 only adds.
    form: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> quad: Quad;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var picture: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var picture_sampler: sampler;

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let texel = textureSample(picture, picture_sampler, in.uv);
    let rgb = texel.rgb * mix(texel.a, 1.0, quad.form.x);
    return vec4<f32>(
        rgb * quad.tint.rgb * quad.tint.a,
        texel.a * quad.tint.a * (1.0 - quad.form.y),
    );
}
