// Cut stones: light is followed through the stone itself, facet by facet, until
// it leaves, and red, green and blue leave in directions of their own. The
// picture of the hall of lamps behind that last facet is what a stone shows.
//
// The stone is convex, so the facet that light meets next is the one whose plane
// it reaches first; no triangle is looked at.

#import bevy_pbr::forward_io::VertexOutput
#import bevy_pbr::mesh_functions::{get_local_from_world, get_world_from_local}
#import bevy_pbr::mesh_view_bindings::view

const FACETS = 80u;
// Inner reflections that are followed. Nearly all light is out by then.
const BOUNCES = 6u;

struct Stone {
    // What is left of light that has been through it; w: index of refraction.
    tint: vec4<f32>,
    // Outward normal and distance from the origin, in the mesh's own units. The
    // unused ones have no normal, and light never reaches them.
    facets: array<vec4<f32>, FACETS>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> stone: Stone;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var hall: texture_cube<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var hall_sampler: sampler;

// How much further apart the colours are than in diamond, where blue bends by
// 1.8 % more than red: at a few hundred pixels that would be lost.
const SPREAD = 0.045;

fn hall_at(direction: vec3<f32>) -> vec3<f32> {
    // Cubemaps are left-handed.
    return textureSampleLevel(hall, hall_sampler, direction * vec3<f32>(1.0, 1.0, -1.0), 0.0).rgb;
}

struct Hit {
    normal: vec3<f32>,
    travel: f32,
}

// The facet that light from inside reaches first. Fractions are compared by
// their cross products, which spares a division for each.
fn next_facet(from_: vec3<f32>, along: vec3<f32>) -> Hit {
    var normal = vec3<f32>(0.0, 1.0, 0.0);
    var away = 1.0e6;
    var speed = 1.0;
    for (var i = 0u; i < FACETS; i += 1u) {
        let facet = stone.facets[i];
        let s = dot(facet.xyz, along);
        let a = facet.w - dot(facet.xyz, from_);
        let nearer = s > 1.0e-4 && a * speed < away * s;
        normal = select(normal, facet.xyz, nearer);
        away = select(away, a, nearer);
        speed = select(speed, s, nearer);
    }
    return Hit(normal, max(away, 0.0) / speed);
}

// What is seen where light of this refraction leaves; nothing where it cannot.
fn seen(along: vec3<f32>, inward: vec3<f32>, ior: f32, to_world: mat3x3<f32>) -> vec3<f32> {
    let out_ = refract(along, inward, ior);
    let leaves = step(0.5, dot(out_, out_));
    return hall_at(to_world * (out_ + vec3<f32>(0.0, 1.0e-3, 0.0))) * leaves;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let to_local = get_local_from_world(in.instance_index);
    let frame = get_world_from_local(in.instance_index);
    let to_world = mat3x3<f32>(frame[0].xyz, frame[1].xyz, frame[2].xyz);
    let gaze = normalize(in.world_position.xyz - view.world_position);
    let along = normalize((to_local * vec4<f32>(gaze, 0.0)).xyz);
    let n = normalize(transpose(to_world) * in.world_normal);
    let ior = stone.tint.w;

    let facing = clamp(-dot(n, along), 0.0, 1.0);
    let f0 = (ior - 1.0) * (ior - 1.0) / ((ior + 1.0) * (ior + 1.0));
    let mirrored = f0 + (1.0 - f0) * pow(1.0 - facing, 5.0);
    var color = hall_at(reflect(gaze, in.world_normal)) * mirrored;

    var place = (to_local * in.world_position).xyz;
    var ray = refract(along, n, 1.0 / ior);
    for (var bounce = 0u; bounce < BOUNCES; bounce += 1u) {
        let hit = next_facet(place, ray);
        place += ray * hit.travel;
        let c = dot(hit.normal, ray);
        // Green decides whether light leaves; red leaves a little before it.
        if ior * ior * (1.0 - c * c) < 1.0 || bounce == BOUNCES - 1u {
            let red = seen(ray, -hit.normal, ior * (1.0 - SPREAD), to_world);
            let green = seen(ray, -hit.normal, ior, to_world);
            let blue = seen(ray, -hit.normal, ior * (1.0 + SPREAD), to_world);
            color += vec3<f32>(red.r, green.g, blue.b) * stone.tint.rgb * (1.0 - mirrored);
            break;
        }
        ray = reflect(ray, hit.normal);
    }
    return vec4<f32>(color, 1.0);
}
