//! The texture, and how it is drawn.

use std::ffi::CStr;

use super::feed::Pixels;
use super::obs::{Effect, Graphics, Level, Texture, is_linear, log, premultiplied};

/// For the blending method "SRGB Off", which blends encoded values. What is
/// sampled is premultiplied in linear light; what it has to become is what
/// desktop compositors expect: `a * enc(min(c / a, 1)) + enc(max(c - a, 0))`.
const ENCODED: &CStr = c"
uniform float4x4 ViewProj;
uniform texture2d image;

sampler_state smooth_sampler {
    Filter   = Linear;
    AddressU = Clamp;
    AddressV = Clamp;
};

struct Vertex {
    float4 pos : POSITION;
    float2 uv  : TEXCOORD0;
};

Vertex VSDraw(Vertex v)
{
    Vertex o;
    o.pos = mul(float4(v.pos.xyz, 1.0), ViewProj);
    o.uv = v.uv;
    return o;
}

float encode_channel(float x)
{
    return (x <= 0.0031308) ? (12.92 * x) : (1.055 * pow(x, 1.0 / 2.4) - 0.055);
}

float3 encode(float3 c)
{
    return float3(encode_channel(c.r), encode_channel(c.g), encode_channel(c.b));
}

float4 PSDraw(Vertex v) : TARGET
{
    float4 c = image.Sample(smooth_sampler, v.uv);
    float3 covered = encode(min(c.rgb / max(c.a, 0.0001), float3(1.0, 1.0, 1.0))) * c.a;
    float3 glow = encode(max(c.rgb - float3(c.a, c.a, c.a), float3(0.0, 0.0, 0.0)));
    return float4(covered + glow, c.a);
}

technique Draw
{
    pass
    {
        vertex_shader = VSDraw(v);
        pixel_shader  = PSDraw(v);
    }
}
";

/// The frame that was uploaded last.
#[derive(Default)]
pub(crate) struct Picture {
    texture: Option<Texture>,
    encoded: Encoded,
}

/// The effect for encoded blending, which most users never need.
#[derive(Default)]
enum Encoded {
    #[default]
    NotAsked,
    Ready(Effect),
    /// Said in the log; the picture is blended as it is, too bright at edges.
    Failed,
}

impl Picture {
    /// Uploads a frame; false when OBS gives no texture for it.
    pub(crate) fn upload(&mut self, graphics: &Graphics, pixels: &Pixels<'_>) -> bool {
        if self.size() != Some(pixels.size) {
            self.texture = Texture::new(graphics, pixels.size);
        }
        let Some(texture) = &mut self.texture else {
            return false;
        };
        texture.set(graphics, pixels.bytes, pixels.stride);
        true
    }

    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        self.texture.as_ref().map(Texture::size)
    }

    pub(crate) fn draw(&mut self, graphics: &Graphics) {
        let Some(texture) = &self.texture else {
            return;
        };
        let is_linear = is_linear(graphics);
        let plain = Effect::plain(graphics);
        let effect = if is_linear {
            plain.as_ref()
        } else {
            self.encoded.get(graphics).or(plain.as_ref())
        };
        if let Some(effect) = effect {
            premultiplied(graphics, is_linear, || effect.draw(graphics, texture));
        }
    }
}

impl Encoded {
    fn get(&mut self, graphics: &Graphics) -> Option<&Effect> {
        if matches!(self, Self::NotAsked) {
            *self = match Effect::compile(graphics, ENCODED, c"hyperfocus-encoded.effect") {
                Some(effect) => Self::Ready(effect),
                None => {
                    log(
                        Level::Warning,
                        "this OBS does not compile the effect for the blending method \
                         \"SRGB Off\"; choose \"Default\" for right colours",
                    );
                    Self::Failed
                }
            };
        }
        match self {
            Self::Ready(effect) => Some(effect),
            Self::NotAsked | Self::Failed => None,
        }
    }
}
