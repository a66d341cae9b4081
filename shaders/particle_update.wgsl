// Body of hanabi's update pass, shared by every template: how a particle moves,
// grows, turns and shines. Everything that is drawn is decided here, because the
// render pass cannot read properties.
let p = properties[properties_array_index];
let dt = sim_params.delta_time;
if (p.life.w > 0.5) {
    // The act was dismissed: what is left of it goes now.
    is_alive = false;
}
// An act that makes way for another takes along what it has in the air.
particle.position += vec3<f32>(particle.position.xy * p.carried.z + p.carried.xy, 0.0);
particle.velocity += particle.velocity * p.carried.z;
let t = clamp(particle.age / particle.lifetime, 0.0, 1.0);
let own = particle.f32_3;
let phase = own * tau;

let wander = p.size.w * vec3<f32>(
    sin(particle.age * 2.3 + phase * 3.0),
    cos(particle.age * 1.9 + phase * 5.0),
    0.0,
);
particle.velocity = (particle.velocity + (p.gravity.xyz + wander) * dt) * exp(-p.jitter.w * dt);
particle.f32_0 += particle.f32_1 * dt;

// On its own stretch of the floor it bounces, and loses some of its way.
let floor_y = mix(p.ways.y, p.ways.z, fract(own * 4.7));
let lands = particle.position.y < floor_y && particle.velocity.y < 0.0;
particle.velocity *= select(vec3<f32>(1.0), vec3<f32>(0.7, -p.ways.w, 1.0), lands);
particle.position.y = max(particle.position.y, floor_y);

// Grows with a soft landing, shrinks from a third of its life on.
let grown = mix(p.size.x, p.size.y, 1.0 - pow(1.0 - min(t * 4.0, 1.0), 3.0));
let size = mix(grown, p.size.z, smoothstep(0.35, 1.0, t)) * particle.f32_2;

// Four colours over life, each particle somewhat ahead or behind its like.
// ... or one of them for good.
let passing = clamp(t + (own - 0.5) * 0.3, 0.0, 1.0) * 3.0;
let c = mix(passing, floor(fract(own * 7.13) * 3.999), p.ways.x);
var tint = mix(p.color_0, p.color_1, clamp(c, 0.0, 1.0));
tint = mix(tint, p.color_2, clamp(c - 1.0, 0.0, 1.0));
tint = mix(tint, p.color_3, clamp(c - 2.0, 0.0, 1.0));
let opacity = tint.a * mix(p.shade.x, 1.0, fract(own * 7.31))
    * smoothstep(0.0, 0.06, t) * (1.0 - smoothstep(p.shade.y, 1.0, t));
