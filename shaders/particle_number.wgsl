// After hanabi's init pass, where particles are to keep their order: when the
// particle was born, and its number among those of its frame. The axis is free
// until the render pass, which sets it.
particle.axis_x = vec3<f32>(sim_params.time, f32(location.update_index), 0.0);
// hanabi sorts a ribbon by age; of one frame, no two are to be of the same. Whole
// steps of a float's last bit, so that the difference stays as they age.
particle.age = f32(location.update_index) * exp2(-19.0);
