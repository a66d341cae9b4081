// After hanabi's update pass, where particles are to keep their order: those that
// live are drawn in that of their birth. Only what never changes is read of the
// others, which other threads are moving at the same time.
particle.position += particle.velocity * dt;
let now = sim_params.time + dt;
let mine = particle.axis_x.xy;
is_alive = p.life.w <= 0.5 && now - mine.x < particle.lifetime;
if (is_alive) {
    var place = 0u;
    for (var row = 0u; row < (*effect_metadata).max_update; row += 1u) {
        let other = base_particle
            + indirect_buffer.rows[base_particle + row].particle_index[read_index];
        let theirs = particle_buffer.particles[other].axis_x.xy;
        let lives = now - theirs.x < particle_buffer.particles[other].lifetime;
        let is_older = theirs.x < mine.x || (theirs.x == mine.x && theirs.y < mine.y);
        place += select(0u, 1u, lives && is_older);
    }
    // What hanabi does at the end of the pass, at a place of our own.
    let kept = &particle_buffer.particles[base_particle + particle_index];
    (*kept) = particle;
    let draw = (*effect_metadata).indirect_render_index;
    atomicAdd(&draw_indirect_buffer[draw].instance_count, 1u);
    indirect_buffer.rows[base_particle + place].particle_index[write_index] = particle_index;
    return;
}
