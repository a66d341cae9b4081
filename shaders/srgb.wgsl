// sRGB (IEC 61966-2-1) to linear light and back. Its powers are polynomials here,
// fitted to 0.03 of an 8-bit level: a power is some forty instructions where the CPU
// draws, and a pixel of a video takes twelve.
#define_import_path hyperfocus::srgb

// From linear light; in the fourth root of it, where the curve is nearly straight.
fn encode(c: vec3<f32>) -> vec3<f32> {
    let r = sqrt(sqrt(max(c, vec3<f32>(0.0031308))));
    let high = -0.0646097 + r * (0.1961319 + r * (1.1226351 + r * (-0.3354807 + r * 0.0813234)));
    return select(high, c * 12.92, c <= vec3<f32>(0.0031308));
}

fn decode(c: vec3<f32>) -> vec3<f32> {
    let high = 0.00091716 + c * (0.0327307 + c * (0.5194318
        + c * (0.6667169 + c * (-0.3068838 + c * 0.0870872))));
    return select(high, c / 12.92, c <= vec3<f32>(0.04045));
}
