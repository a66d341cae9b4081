// Body of hanabi's init pass, shared by every template: where and how a
// particle is born. `p` is the emitter's properties, see particles/template.rs.
let p = properties[properties_array_index];
// hanabi's seed depends on the slot alone; the emitter's own makes each burst
// another one, and the same one in every run.
seed = pcg_hash(seed ^ bitcast<u32>(p.life.z));

let angle = frand() * tau;
let out_of_plane = (frand() * 2.0 - 1.0) * p.aim.w;
let outward = normalize(vec3<f32>(cos(angle), sin(angle), out_of_plane));
let disc = mix(sqrt(frand()), 1.0, p.extent.w);
particle.position = p.place.xyz
    + (frand3() * 2.0 - 1.0) * p.extent.xyz
    + vec3<f32>(outward.xy, 0.0) * disc * p.place.w;
particle.velocity = p.aim.xyz
    + outward * mix(p.speed.x, p.speed.y, frand())
    + vec3<f32>(-outward.y, outward.x, 0.0) * p.came.z
    + (frand3() * 2.0 - 1.0) * p.jitter.xyz;
particle.age = 0.0;
particle.lifetime = mix(p.life.x, p.life.y, frand());
// Where it turns from, how fast, how large it is and which it is among its like.
particle.f32_0 = mix(p.speed.z, p.speed.w, frand());
particle.f32_1 = mix(p.vary.z, p.vary.w, frand());
particle.f32_2 = mix(p.vary.x, p.vary.y, frand());
particle.f32_3 = frand();
// Born along the way that the emitter came since the last frame: a fast one
// leaves a trail and not a row of clumps.
particle.position -= vec3<f32>(p.came.xy, 0.0) * frand();
